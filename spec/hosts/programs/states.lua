-- What each state of states.c is in the middle of when it is closed.
local tombstone = require "tombstone"
local f = tombstone.field

local M = {}

local function open(path)
  local db = tombstone.open(path, { synchronous = "normal", busy_timeout = 0 })
  local Shelf = db:model("Shelf", { name = f.text { unique = true } })
  local Book = db:model("Book", {
    title = f.text { unique = true },
    shelf = f.belongs_to("Shelf", { on_delete = "cascade", related_name = "books" }),
  }, { on = { before_delete = function() end } })
  return { db = db, Shelf = Shelf, Book = Book }
end

--- Thirty living books and ten dead ones, whose titles are taken.
function M.prepare(path)
  local s = open(path)
  s.db:create_tables()
  local shelf = s.Shelf:create { name = "only" }
  for i = 1, 20 do
    s.Book:create { title = "book " .. i, shelf = shelf }
  end
  s.Book.objects:filter({ id__lte = 10 }):delete()
  for i = 1, 20 do
    s.Book:create { title = "book " .. (i <= 10 and i or i + 20), shelf = shelf }
  end
end

-- What is kept here is alive until the state is closed.
local kept = {}

local function keep(...)
  for _, value in ipairs { ... } do
    kept[#kept + 1] = value
  end
  return ...
end

local messes = {}

-- Cursors of each kind, each after its first row.
function messes.reading(s)
  for _, stream in ipairs {
    s.Book.objects:each(),
    s.Book.objects:order_by("title"):each { reuse = true },
    s.Book.objects:with("shelf"):each { snapshot = true },
    s.Book.deleted_objects:each { snapshot = true },
  } do
    keep(stream, stream())
  end
  local step, state, control = s.db:each "SELECT * FROM book"
  keep(step, state, step(state, control))
end

-- A statement that writes, in two transactions, in a deletion.
function messes.writing(s)
  s.db:begin()
  s.db:begin()
  s.db:deletion_begin { actor = "nobody" }
  keep(s.Shelf.objects:first():delete())
  keep(s.Shelf:create { name = "another" })
  s.Book.deleted_objects:limit(2):purge()
end

-- A restore that waits for an answer.
function messes.restoring(s)
  local job = keep(s.Book.deleted_objects:restore_job())
  assert(keep(job:next()), "there is a conflict")
  job:resolve "rename"
  assert(keep(job:next()), "there is another conflict")
end

-- A coroutine that will never go on, in a transaction, a loop and a hook.
function messes.sleeping(s)
  local sleeper = coroutine.create(function()
    s.db:begin()
    for book in s.Book.objects:each() do
      book:update { title = book.title .. "!" }
      book:delete()
      coroutine.yield(book)
    end
  end)
  for _ = 1, 3 do
    keep(sleeper, assert(coroutine.resume(sleeper)))
  end
end

-- Handles of several kinds, one closed while it was read, one whose file is not there.
function messes.handles(s, path)
  local other, memory = keep(open(path), open ":memory:")
  memory.db:create_tables()
  memory.db:begin()
  keep(memory.Shelf:create { name = "gone" })
  local stream = keep(other.Book.objects:each { snapshot = true })
  keep(stream())
  other.db:close()
  assert(not pcall(stream), "it was closed")
  keep(select(2, pcall(open, path .. "/no/such")))
  keep(s.Book.objects:get(20))
end

-- Nothing holds what is open: it is the collector's when the state is closed.
function messes.dropping(s)
  for _ = 1, 5 do
    s.Book.objects:each { snapshot = true }()
  end
  local _ = s.Book.deleted_objects:restore_plan()
end

local NAMES = { "reading", "writing", "restoring", "sleeping", "handles", "dropping" }

--- Begins something and leaves it, in each third round to the collector.
function M.leave(path, n)
  local s = open(path)
  keep(s)
  messes[NAMES[n % #NAMES + 1]](s, path)
  if math.floor(n / #NAMES) % 3 == 0 then
    kept = {}
  end
end

return M
