-- One event for many calls, and the ways of restoring without conflicts.
local base = ...

return base.scenario {
  run = function(s)
    local Post, Seat, db = s.Post, s.Seat, s.db
    local event, answer = db:deletion({ actor = "ben" }, function()
      Post.objects:filter({ batch = 2 }):delete()
      Seat.objects:filter({ place__lte = 2 }):delete()
      return "done"
    end)
    base.equal("done", answer)
    base.equal(7, event:undo())
    local post = Post.objects:get { title = "p10" }
    post:delete()
    base.equal(true, post:restore())
    base.equal(false, post:restore())
    base.equal(0, db:deletion({}, function() end) and 1 or 0)
    Post.objects:filter({ batch = 2 }):delete()
    local plan = Post.deleted_objects:restore_plan()
    base.equal(5, plan.rows.Post)
    base.equal(5, Post.deleted_objects:restore { all = true, on_conflict = "skip" })
  end,
  rules = {
    "SELECT batch FROM post GROUP BY batch HAVING batch = 1 AND count(deleted_at) > 0",
    -- the two models go and come back together
    [[SELECT 1 FROM (SELECT count(deleted_event) AS n FROM seat) AS s
      JOIN (SELECT count(deleted_event) AS n FROM post) AS p WHERE s.n > 0 AND p.n <> 5]],
  },
}
