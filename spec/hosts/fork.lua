-- What a host that forks runs: the child is refused at every call and may close, collect and end what it
-- likes; the parent goes on, and its data is right.
local tombstone, path, fork, close_in_child = ...
local f = tombstone.field
local FOREIGN = "The database was opened in another process"

local function declare(db)
  return db:model("Post", { title = f.text { unique = true }, views = f.integer { default = 0 } })
end

local db = tombstone.open(path, { timeout_ms = 60000 })
local Post = declare(db)
db:create_tables()
local first = Post:create { title = "first" }

local function size(file)
  local handle = io.open(file, "rb")
  local n = handle and handle:seek "end"
  if handle then
    handle:close()
  end
  return n
end

local function is_refused(what, call, ...)
  local ok, err = pcall(call, ...)
  assert(not ok and err.kind == "misuse", what .. ": " .. tostring(err))
  assert(err.message == FOREIGN, what .. ": " .. err.message)
  assert(err.hint:find "after the fork", what)
end

local stream = Post.objects:each { snapshot = true }
assert(stream().title == "first")

local function refused()
  is_refused("count", Post.objects.count, Post.objects)
  is_refused("all", Post.objects.all, Post.objects)
  is_refused("create", Post.create, Post, { title = "of the child" })
  is_refused("save", first.save, first)
  is_refused("delete", first.delete, first)
  is_refused("query", db.query, db, "SELECT 1")
  is_refused("transaction", db.transaction, db, function() end)
  is_refused("within", db.within, db, { timeout_ms = 5 }, function() end)
  is_refused("info", db.info, db)
  is_refused("interrupt", db.interrupt, db)
  is_refused("stream", stream)
  is_refused("create_tables", db.create_tables, db)
  assert(not db:is_open())
end

assert(fork(refused) == 0)
assert(fork(function()
  refused()
  stream:close()
  db:close()
  db:close()
  local ok, err = pcall(db.query, db, "SELECT 1")
  assert(not ok and err.message == "The database is closed")
  db, Post, first, stream = nil, nil, nil, nil
  collectgarbage()
  collectgarbage()
  local mine = tombstone.open(path .. "-of-the-child") -- a file of its own
  declare(mine)
  mine:create_tables()
  mine:close()
end) == 0)
stream:close()

local before = size(path .. "-wal")
assert(before > 0 and close_in_child() == 0)
assert(size(path .. "-wal") == before, "the child has touched the -wal file")

-- In a transaction: the child is refused, and the parent's goes on.
db:transaction(function()
  Post:create { title = "second" }
  assert(fork(function()
    is_refused("create in the transaction", Post.create, Post, { title = "x" })
    is_refused("commit", db.commit, db)
    pcall(db.rollback, db)
    db:close()
  end) == 0)
  assert(close_in_child() == 0)
  Post:create { title = "third" }
end)
assert(Post.objects:count() == 3)
assert(first:delete { actor = "parent" }.actor == "parent")
assert(db:query("PRAGMA integrity_check")[1].integrity_check == "ok")
db:close()

db = tombstone.open(path)
Post = declare(db)
assert(table.concat(Post.objects:order_by("title"):pluck "title", " ") == "second third")
db:close()

-- What the parent has closed a child may open.
assert(fork(function()
  local mine = tombstone.open(path)
  declare(mine):create { title = "fourth" }
  mine:close()
end) == 0)
db = tombstone.open(path)
assert(declare(db).objects:count() == 3)
db:close()
