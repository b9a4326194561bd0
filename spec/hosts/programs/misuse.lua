-- What the scripts of misuse.c do that they should not. A case gets the database and its models;
-- what it calls may raise `misuse`, and nothing else.
local tombstone = require "tombstone"
local f = tombstone.field

local M = { names = {} }
local cases = {}

local function open(path, options, on)
  local db = tombstone.open(path, options)
  local Shelf = db:model("Shelf", { name = f.text { unique = true } })
  local Book = db:model("Book", {
    title = f.text { unique = true, check = on and on.check },
    pages = f.integer { default = on and on.default or 1 },
    extra = f.json { null = true },
    shelf = f.belongs_to("Shelf", { on_delete = "cascade", related_name = "books" }),
  }, { on = on and on.hooks })
  return { path = path, db = db, Shelf = Shelf, Book = Book }
end

local TITLES = { "a", "b", "c", "d", "e" }

-- Five living books, and two dead ones whose titles are taken.
local function fill(path)
  local s = open(path)
  s.db:create_tables()
  local shelf = s.Shelf:create { name = "only" }
  for _ = 1, 2 do
    for _, title in ipairs(TITLES) do
      s.Book:get_or_create({ title = title }, { shelf = shelf })
    end
    s.Book.objects:filter({ title = { "a", "b" } }):delete()
  end
  for _, title in ipairs { "a", "b" } do
    s.Book:create { title = title, shelf = shelf }
  end
  s.db:close()
end

local REFUSALS = {
  ["The database is closed"] = true,
  ["Another coroutine is in a transaction on this handle"] = true,
}

-- Calls it, which may be refused, but for no other reason than these.
local function try(fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok then
    local known = type(err) == "table" and err.kind == "misuse" and REFUSALS[err.message]
    assert(known, "raised something else: " .. tostring(err))
  end
  return ok
end

local function case(name, fn)
  M.names[#M.names + 1] = name
  cases[name] = fn
end

-- All that a program does to rows: so that each hook and function is called.
local function use_all(s)
  try(s.Book.create, s.Book, { title = "new", shelf_id = 1 })
  try(function() s.Book.objects:first():save() end)
  try(function() s.Book.objects:first():delete { actor = "ana" } end)
  try(function() s.Book.objects:filter({ pages = 1 }):delete() end)
  try(function() s.Book.deleted_objects:first():restore { on_conflict = "rename" } end)
  try(function() s.Book.deleted_objects:limit(1):restore { on_conflict = "rename" } end)
  try(function() s.Book.deleted_objects:first():purge() end)
  try(function() s.Book.deleted_objects:limit(1):purge() end)
  try(function() s.Book.objects:all() end)
  try(function() s.Shelf.objects:with("books"):all() end)
end

-- ---- closing it in its own functions -----------------------------------------------------

for _, hook in ipairs {
  "before_save", "after_save", "before_delete", "after_delete", "before_restore", "after_restore",
  "before_purge", "after_purge", "after_commit",
} do
  case("close in " .. hook, function(path)
    local s
    s = open(path, nil, { hooks = { [hook] = function() s.db:close() end } })
    use_all(s)
    assert(not s.db:is_open(), hook .. " was not called")
  end)
end

for _, name in ipairs { "check", "default" } do
  case("close in " .. name, function(path)
    local s
    s = open(path, nil, { [name] = function() s.db:close() return 1 end })
    use_all(s)
    assert(not s.db:is_open(), name .. " was not called")
  end)
end

for _, name in ipairs { "clock", "log" } do
  for n = 1, 30, name == "clock" and 1 or 3 do
    case(("close in call %d of %s"):format(n, name), function(path)
      local s
      local left = n
      s = open(path, { [name] = function()
        left = left - 1
        if left == 0 and s then
          s.db:close()
        end
        return 1763880000
      end })
      use_all(s)
    end)
  end
end

case("close in a conflict function", function(path)
  local s = open(path)
  try(function()
    s.Book.deleted_objects:restore { all = true, on_conflict = function()
      s.db:close()
      return "rename"
    end }
  end)
  assert(not s.db:is_open(), "nobody asked")
end)

case("close in the codec of json", function(path)
  local s = open(path)
  tombstone.json(function() return "{}" end, function() s.db:close() return {} end)
  s.Book.objects:limit(3):update { extra = { 1 } }
  try(function() return s.Book.objects:order_by("id"):all() end)
  assert(not s.db:is_open(), "nothing was decoded")
end)

-- ---- closing it within what it does ------------------------------------------------------

case("close in loops", function(path)
  for _, options in ipairs { {}, { snapshot = true }, { reuse = true } } do
    local s = open(path)
    local n = 0
    assert(not try(function()
      for _ in s.Book.objects:each(options) do
        n = n + 1
        s.db:close()
      end
    end))
    assert(n == 1)
  end
end)

case("close in a raw loop", function(path)
  local s = open(path)
  try(function()
    for _ in s.db:each "SELECT * FROM book" do
      s.db:close()
    end
  end)
  assert(not s.db:is_open())
end)

case("close in a transaction", function(path)
  local s = open(path)
  assert(not try(s.db.transaction, s.db, function()
    s.Book.objects:filter({ pages = 1 }):delete()
    s.db:close()
  end))
  s = open(path)
  assert(not try(s.db.deletion, s.db, { actor = "ana" }, function()
    s.Book.objects:first():delete()
    s.db:close()
  end))
end)

case("close while a restore waits", function(path)
  local s = open(path)
  local job = s.Book.deleted_objects:restore_job()
  assert(job:next())
  s.db:close()
  assert(not try(job.resolve, job, "rename") or not try(job.next, job))
  try(job.close, job)
end)

case("an abandoned coroutine in a transaction", function(path)
  local s = open(path)
  coroutine.wrap(function()
    s.db:begin() -- Lua 5.1 does not yield out of db:transaction
    s.Book.objects:first():delete()
    coroutine.yield()
  end)()
  collectgarbage()
  assert(not try(s.Book.create, s.Book, { title = "new", shelf_id = 1 }))
  s.db:close()
end)

-- ---- finalizers --------------------------------------------------------------------------

-- A value whose finalizer is `fn`. Finalizers run in the opposite order of this call.
local function finalized(fn)
  local proxy = rawget(_G, "newproxy")
  if proxy then
    local value = proxy(true)
    getmetatable(value).__gc = fn
    return value
  end
  return setmetatable({}, { __gc = fn })
end

-- Each use, as a function of what is kept. What Lua 5.4 makes while it closes a state gets no finalizer:
-- a verb that holds rows when it is refused, as row:delete() does, would leak them.
local uses = {
  function(s) return s.Book:create { title = "late", shelf_id = 1 } end,
  function(s) return s.row:save() end,
  function(s) return s.row:shelf() end,
  function(s) return s.query:all() end,
  function(s) return s.query:filter { pages = 2 } end,
  function(s) return s.stream() end,
  function(s) return s.snapshot() end,
  function(s) return s.job:next() end,
  function(s) return s.job:close() end,
  function(s) return s.event:undo() end,
  function(s) return s.db:begin() end,
  function(s) return s.db:query "SELECT 1" end,
  function(s) return s.db:transaction(function() end) end,
}

-- All of them, told to the host.
local function use_late(s, tell)
  for i, use in ipairs(uses) do
    local ok, err = pcall(use, s)
    local fine = ok or (type(err) == "table" and err.kind == "misuse")
    tell(fine, i .. ": " .. tostring(err))
  end
  s.db:close()
  local text = tostring(s.query)
  tell(text == "tombstone.query (Book)" or text == "tombstone.query (closed)", text)
end

-- A database with something open of each kind; the event was undone.
local function begin_all(path, s)
  for key, value in pairs(open(path)) do
    s[key] = value
  end
  s.event = s.Book.objects:filter({ title = "e" }):first():delete()
  s.event:undo()
  s.row, s.query = s.Book.objects:first(), s.Book.objects:order_by("title")
  s.stream = s.Book.objects:each()
  s.stream()
  s.job = s.Book.deleted_objects:restore_job()
  s.job:next()
  s.snapshot = s.Book.objects:each { snapshot = true }
  s.snapshot()
end

case("used in a finalizer after its own", function(path, tell)
  local s = {}
  M.kept = finalized(function() use_late(s, tell) end)
  begin_all(path, s)
end)

case("used in a finalizer before its own", function(path, tell)
  local s = {}
  begin_all(path, s)
  M.kept = finalized(function()
    use_late(s, tell)
    M.again = s
  end)
end)

case("its rows given to another by a finalizer after its own", function(path, tell)
  local s, other = {}, open(path)
  M.kept = finalized(function()
    local row = s.shelf
    for _ = 1, #uses do
      tell(not try(other.Book.create, other.Book, { title = "late", shelf = row }))
    end
    tell(not try(function() return other.Book.objects:filter { shelf = { row } } end))
    tell(not try(function() return other.Shelf.objects:first():books():add(s.row) end))
  end)
  for key, value in pairs(open(path)) do
    s[key] = value
  end
  s.shelf, s.row = s.Shelf.objects:first(), s.Book.objects:first()
end)

-- What one finalizer brings back, another uses when all is gone.
case("brought back by a finalizer", function(path, tell)
  local s = {}
  M.last = finalized(function() use_late(M.again, tell) end)
  begin_all(path, s)
  M.kept = finalized(function() M.again = s end)
end)

case("closed by a finalizer while its rows are made", function(path)
  local s = open(path)
  for _ = 1, 40 do
    finalized(function() s.db:close() end)
    try(function()
      for _ = 1, 200 do
        s.Book.objects:all()
      end
    end)
    s = open(path)
  end
end)

-- ---- for the host ------------------------------------------------------------------------

--- Runs a case on a new file. `tell(fine, what)` is what its finalizers call.
function M.run(path, name, tell)
  fill(path)
  cases[name](path, tell)
end

--- The file is whole, free, and keeps what is law.
function M.check(path)
  local db = tombstone.open(path, { busy_timeout = 0 })
  db:begin()
  assert(db:query("PRAGMA integrity_check")[1].integrity_check == "ok")
  assert(#db:query "SELECT id FROM book WHERE (deleted_at IS NULL) <> (deleted_event IS NULL)" == 0)
  assert(#db:query "SELECT id FROM book WHERE title = 'late' AND deleted_at IS NULL" <= 1)
  db:rollback()
  db:close()
end

--- How often the finalizers of a case must tell.
function M.wants(name)
  return name:find "finalizer" and not name:find "rows are made" and #uses + 1 or 0
end

return M
