-- Transactions and savepoints, kept and rolled back. Views move between rows, so that their
-- sum never changes.
local base = ...
local F = base.tombstone.F

local function move(s, from, to, n)
  s.Post.objects:filter({ title = from }):update { views = F "views" - n }
  s.Post.objects:filter({ title = to }):update { views = F "views" + n }
end

return base.scenario {
  may_refuse = true,
  run = function(s)
    local db, Post = s.db, s.Post
    local told = 0
    db:transaction(function()
      move(s, "p10", "p1", 3)
      base.undone(db, function()
        move(s, "p9", "p2", 4)
        s.lost = Post:create { title = "lost", views = 1000 }
        db:after_commit(function()
          told = told + 100
        end)
      end)
      db:after_commit(function()
        told = told + 1
      end)
      base.equal(
        3,
        db:transaction(function()
          move(s, "p8", "p3", 2)
          return 3
        end)
      )
    end)
    base.equal(1, told)
    base.expect("misuse", s.lost.save, s.lost)
    base.undone(db, function()
      move(s, "p7", "p4", 1)
      Post.objects:filter({ batch = 2 }):delete()
      db:exec("UPDATE post SET views = 0")
    end)
    base.expect("misuse", db.exec, db, "BEGIN")
    local thread = coroutine.create(function()
      return pcall(Post.objects.count, Post.objects)
    end)
    db:transaction(function()
      local resumed, ok, why = coroutine.resume(thread)
      if not resumed or ok or why.kind ~= "misuse" then
        error(resumed and why or ok, 0)
      end
    end)
  end,
  rules = {
    "SELECT sum(views) FROM post HAVING sum(views) <> 55",
    "SELECT title FROM post WHERE deleted_at IS NOT NULL OR title = 'lost'",
  },
}
