-- update and reload: of rows, of queries, stale, dead.
local base = ...
local F = base.tombstone.F

return base.scenario {
  run = function(s)
    local Post, Seat = s.Post, s.Seat
    local post = Post.objects:get { title = "p1" }
    post:update { views = F "views" + 1, content = "c" }
    base.equal(2, post.views)
    post:update { extra = { a = 8 }, content = "d" }
    post:reload()
    base.equal(8, post.extra.a)
    base.equal(5, Post.objects:filter { batch = 2 }:update { views = (F "views" + 10) * 2 - F "id" % 3 })
    local seat, twin = Seat.objects:get { place = 1 }, Seat.objects:get { place = 1 }
    seat:update { owner = "a" }
    base.expect("stale", twin.update, twin, { owner = "b" })
    local dead = Post.objects:get { title = "p2" }
    Post.objects:filter { id = dead.id }:delete()
    base.expect("deleted", dead.update, dead, { views = 1 })
    base.expect("deleted", dead.save, dead)
    base.expect("integrity", post.update, post, { title = "p3" })
    base.expect("misuse", Post.objects.update, Post.objects, { views = 1 })
  end,
  rules = {
    -- one statement for all rows of the batch
    [[SELECT count(*) FROM post WHERE batch = 2 AND views > 10 AND title <> 'p2'
      HAVING count(*) NOT IN (0, 5)]],
  },
}
