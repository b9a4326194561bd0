-- Each statement is handed to a function of the program, and time is the program's.
local base = ...

local function start(_, file)
  local s = { seen = 0 }
  local now = 1.75e9
  local opened = base.open(file, {
    log = function(sql, values)
      s.seen = s.seen + (#sql > 0 and values.n >= 0 and 1 or 0)
    end,
    clock = function()
      now = now + 1
      return now
    end,
  })
  s.db, s.Post, s.Seat = opened.db, opened.Post, opened.Seat
  return s
end

return base.scenario {
  start = start,
  run = function(s)
    local Post, db = s.Post, s.db
    db:transaction(function()
      local post = Post:create { title = "logged" }
      post:delete()
      Post:create { title = "logged" }
      base.expect("integrity", post.restore, post)
      post:restore { on_conflict = "rename" }
    end)
    base.equal(11, #Post.objects:filter({ title__ne = "p1" }):all())
    for _ in Post.objects:each() do
      s.seen = s.seen + 1
    end
    base.expect("integrity", Post.create, Post, { title = "p1" })
    base.equal(true, s.seen > 20)
    db:query "SELECT 1"
    base.expect("database", db.query, db, "SELECT nothing")
  end,
  rules = {
    "SELECT count(*) FROM post HAVING count(*) NOT IN (10, 12)",
  },
}
