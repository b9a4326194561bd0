-- Hooks of every verb, and those that veto.
local base = ...

local function start(_, file)
  local s
  local function count(row)
    s.n = s.n + (row.views and 1 or 0)
  end
  s = base.open(file, nil, {
    before_save = function(row)
      if row.title == "veto" then
        error("vetoed", 0)
      end
      row.content = "seen"
    end,
    after_save = count,
    before_delete = count,
    after_delete = count,
    before_restore = count,
    after_restore = count,
    before_purge = count,
    after_purge = count,
    after_commit = count,
  })
  s.n = 0
  return s
end

return base.scenario {
  start = start,
  run = function(s)
    local Post = s.Post
    local post = Post:create { title = "hooked" }
    base.equal("seen", post.content)
    post:update { views = 3 }
    local ok, why = pcall(post.update, post, { title = "veto" })
    if ok or why ~= "vetoed" then
      error(why, 0)
    end
    base.equal("hooked", post.title)
    ok, why = pcall(Post.bulk_create, Post, { { title = "b1", batch = 9 }, { title = "veto", batch = 9 } })
    if ok or why ~= "vetoed" then
      error(why, 0)
    end
    Post:upsert({ title = "hooked", views = 4 }, { on = "title" })
    local event = post:delete()
    event:undo()
    post:reload()
    local first = Post.objects:filter { batch = 1 }
    local _, batch = first:delete()
    base.equal(5, batch:undo())
    first:delete()
    base.equal(5, Post.deleted_objects:restore {
      all = true,
      on_conflict = function()
        return "skip"
      end,
    })
    base.equal(1, Post.all_objects:filter({ title = "hooked" }):purge { living = true })
    base.equal(true, s.n > 30)
  end,
  after = function(s, file)
    s.n = 0
    return base.after(s, file)
  end,
  rules = {
    "SELECT title FROM post WHERE batch = 9 OR title = 'veto'",
    "SELECT batch FROM post GROUP BY batch HAVING batch = 1 AND count(deleted_at) NOT IN (0, 5)",
  },
}
