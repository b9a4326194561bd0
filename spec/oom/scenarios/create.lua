-- create, new, save: whole rows, and refusals that change nothing.
local base = ...

return base.scenario {
  run = function(s)
    local Post = s.Post
    local post = Post:create { title = "new", content = ("x"):rep(3000), extra = { a = 5 } }
    base.equal(5, post.extra.a)
    post.content = "edited"
    post:save()
    post.views = 7
    post:save { "views" }
    local unsaved = Post:new { title = "later" }
    unsaved:save()
    base.expect("integrity", Post.create, Post, { title = "new" })
    base.expect("validation", Post.create, Post, { title = ("x"):rep(61), views = "many" })
    base.expect("misuse", Post.create, Post, { titel = "new" })
    base.equal(1, Post.objects:filter { title = "new", views = 7, content = "edited" }:count())
    local seat = s.Seat:create { place = 9 }
    seat.owner = "me"
    seat:save()
    base.equal(2, seat.version)
  end,
}
