-- Limits of open, of a call, of a query and of a span, met and not met.
local base = ...

return base.scenario {
  start = function(_, file)
    return base.open(file, { max_steps = 1000000, cache_kb = 100 })
  end,

  run = function(s)
    local Post = s.Post
    local few = Post.objects:within { max_steps = 3 }
    base.expect("interrupted", few.all, few)
    base.expect("interrupted", Post.objects.delete, Post.objects, { all = true, max_steps = 5 })
    base.expect("misuse", s.db.within, s.db, { max_step = 5 }, error)
    s.db:within({ timeout_ms = 60000 }, function()
      s.db:within({ max_steps = 100000 }, Post.create, Post, { title = "within" })
    end)
    s.db:interrupt()
    base.equal(5, (Post.objects:filter({ batch = 1 }):delete { timeout_ms = 60000 }))
  end,
}
