-- Deletions, undone and purged.
local base = ...

return base.scenario {
  run = function(s)
    local Post, Seat = s.Post, s.Seat
    local post = Post.objects:get { title = "p6" }
    local event = post:delete { actor = "ana", reason = "stale" }
    base.equal("p6", post:original "title")
    base.equal(nil, post:delete())
    base.equal(1, event:undo())
    local first = Post.objects:filter { batch = 1 }
    local count, batch = first:delete { actor = "ana" }
    base.equal(5, count)
    base.equal(5, batch:counts().Post)
    base.equal(0, #batch:restore_plan().conflicts)
    base.equal(5, batch:undo())
    base.equal(5, first:delete_plan().Post)
    first:delete()
    base.equal(5, Post.deleted_objects:filter({ batch = 1 }):restore())
    base.expect("too_many", first.delete, first, { max_rows = 4 })
    base.expect("misuse", Post.objects.delete, Post.objects)
    local seat = Seat.objects:first()
    seat:delete()
    seat:purge()
    Seat.objects:filter({ place = 2 }):delete()
    base.equal(1, Seat.deleted_objects:purge { all = true })
    base.equal(1, #s.db:events { actor = "ana", undone = true, pk = post.id })
    base.equal(1, Seat.all_objects:filter({ place = 3 }):purge { living = true })
  end,
  rules = {
    "SELECT batch FROM post GROUP BY batch HAVING batch = 1 AND count(deleted_at) NOT IN (0, 5)",
    "SELECT count(*) FROM post HAVING count(*) NOT IN (10, 11)",
  },
}
