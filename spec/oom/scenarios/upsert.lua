-- upsert and get_or_create, with living, dead and no twins.
local base = ...
local F = base.tombstone.F

return base.scenario {
  run = function(s)
    local Post, Seat = s.Post, s.Seat
    local post = Post:upsert({ title = "p1", views = 50 }, { on = "title" })
    base.equal(50, post.views)
    post = Post:upsert({ title = "p1" }, { on = { "title" }, update = { views = F "views" + 1 } })
    base.equal(51, post.views)
    local fresh = { title = "fresh", content = "c", extra = { a = 3 } }
    Post:upsert(fresh, { on = "title", update = { "content" } })
    Post.objects:filter({ title = "p3" }):delete()
    Post:upsert({ title = "p3", views = 1 }, { on = "title", on_deleted = "new" })
    Post.objects:filter({ title = "p5" }):delete()
    post = Post:upsert({ title = "p5", views = 9 }, { on = "title", on_deleted = "restore" })
    base.equal(5, post.id)
    Seat.objects:filter({ place = 1 }):delete()
    base.expect("deleted", Seat.upsert, Seat, { place = 1 }, { on = "place", on_deleted = "refuse" })
    local seat, made = Seat:get_or_create({ place = 1 }, { owner = "x" }, { on_deleted = "restore" })
    base.equal("o1false", seat.owner .. tostring(made))
    seat, made = Seat:get_or_create({ place = 8 }, { owner = "y" })
    base.equal("ytrue", seat.owner .. tostring(made))
  end,
}
