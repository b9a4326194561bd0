-- Rows and values out.
local base = ...
local t = base.tombstone

return base.scenario {
  run = function(s)
    local posts = s.Post.objects
    base.equal(10, #posts:all())
    base.equal("p10", posts:order_by("-views"):first().title)
    base.equal("p1", posts:order_by("-views"):last().title)
    base.equal("p3", posts:get(3).title)
    base.equal("p4", posts:get({ title = "p4" }).title)
    base.equal(nil, posts:find(99))
    base.equal(nil, posts:only("title"):limit(1):all()[1].views)
    base.equal("p2", posts:values("title", "extra")[2].title)
    base.equal(5, posts:values()[5].extra.a)
    base.equal(10, posts:pluck("extra").n)
    base.equal(10, posts:count())
    base.equal(true, posts:filter({ views = 3 }):exists())
    local found = posts:aggregate { n = t.count "*", top = t.max "views", mean = t.avg "views" }
    base.equal(10, found.n + found.top - 10)
    local groups = posts:group_by("batch"):aggregate { n = t.count("views", { distinct = true }) }
    base.equal(5, groups[2].n)
    base.equal(2, #posts:only("batch"):distinct():values "batch")
    base.equal("string", type(posts:limit(3):offset(1):sql()))
    base.equal("table", type(posts:explain()))
    base.expect("not_found", posts.get, posts, 99)
    base.expect("multiple", posts.get, posts, { batch = 1 })
    base.equal(2, #s.Seat.all_objects:as_of(4e9):filter({ place__lt = 3 }):all())
  end,
}
