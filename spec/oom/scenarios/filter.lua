-- Conditions of every form.
local base = ...
local t = base.tombstone
local Q, any, all, none, F = t.Q, t.any, t.all, t.none, t.F

return base.scenario {
  run = function(s)
    local posts = s.Post.objects
    local few = any { { views__lte = 2 }, all { { batch = 2 }, { views__in = { 9, 10 } } } }
    base.equal(4, posts:filter(few):count())
    base.equal(6, posts:exclude(few):count())
    base.equal(5, posts:filter(none { Q { batch = 1 }, { title = "none" } }):count())
    base.equal(3, posts:filter({ title = { "p1", "p2", "p3" } }):filter("views__range", { 1, 5 }):count())
    base.equal(2, posts:filter({ title__startswith = "p1", content = "" }):count())
    base.equal(10, posts:filter({ title__icontains = "P", extra__isnull = false }):count())
    base.equal(3, posts:filter({ views__gt = F "batch" * 4 - 2, batch = 2 }):exclude("views", 10):count())
    base.equal(1, posts:filter({ title__original = "p7" }):count())
    base.expect("misuse", posts.filter, posts, { title__startwith = "p" })
    base.expect("misuse", posts.filter, posts, { tite = "p" })
    base.expect("misuse", posts.filter, posts, "title", nil)
    local deep = Q { batch = 1 }
    for _ = 1, 20 do
      deep = any { deep, { views = 3 } }
    end
    base.equal(5, posts:filter(deep):count())
  end,
}
