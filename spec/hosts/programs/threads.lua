-- What each thread of threads.c does, and what holds when all are done.
--
-- A call is a verb at random; one that meets a busy database is tried again until it is through.
-- What it has done is counted once it is committed, so that all counts must add up at the end.
local Random = require "laws.random"
local tombstone = require "tombstone"
local f, F, count = tombstone.field, tombstone.F, tombstone.count

local SHELVES, TITLES, PLACES = 10, 20, 30
local CALLS_OF_A_LOOK = 6
local MOST_TRIES = 10000

-- Deletions of the verbs have an actor; those of "replace" and of links have none.
local BY = { actor = "thread" }

-- What another thread can bring about between the look and the call; anything else is a fault.
local REFUSALS = { integrity = true, parent_deleted = true, deleted = true, not_found = true }

local M = {}

local function add(counts, name, n)
  counts[name] = (counts[name] or 0) + n
end

-- ---- the database ----------------------------------------------------------------------

local function declare(db, on_commit)
  local Shelf = db:model("Shelf", { name = f.text { unique = true }, n_books = f.counter "books" })
  local Tag = db:model("Tag", { name = f.text { unique = true } })
  local Book = db:model("Book", {
    title = f.text { unique = true },
    place = f.integer { null = true, unique = true },
    shelf = f.belongs_to("Shelf", { on_delete = "cascade", related_name = "books" }),
    tags = f.many_to_many("Tag", { related_name = "books" }),
  }, { on = { after_commit = on_commit } })
  local Tally = db:model("Tally", { n = f.integer() }, { soft_delete = false })
  return { db = db, Shelf = Shelf, Tag = Tag, Book = Book, Tally = Tally }
end

-- Patient enough not to spin, and too impatient for the main thread.
local function open(path, on_commit)
  return declare(tombstone.open(path, { synchronous = "normal", busy_timeout = 50 }), on_commit)
end

local first

--- Makes the file, and keeps it busy.
function M.prepare(path)
  first = open(path)
  first.db:create_tables()
  first.Tally:create { n = 0 }
  for i = 1, 4 do
    first.Tag:create { name = "tag " .. i }
    first.Shelf:create { name = "shelf " .. i }
  end
  first.db:begin()
end

--- Lets the threads at it.
function M.let_go()
  first.db:commit()
  first.db:close()
end

-- ---- verbs -----------------------------------------------------------------------------

-- Each answers what it has done, by name.
local verbs = {}

local function title(random)
  return "title " .. random:int(1, TITLES)
end

local function book(s, random)
  local place = random:chance(50) and random:int(1, PLACES) or nil
  return { title = title(random), place = place, shelf = random:pick(s.shelves) }
end

-- Answers conflicts in each way. "replace" deletes the living twin of the title, of the place, or both, each
-- in an event of its own. A row that is skipped keeps its event, which stands no more where it is undone.
local function resolver(s, random, words, done)
  return function(row, conflict)
    local word = random:pick(words)
    add(done, "asked", 1)
    if word == "replace" then
      add(done, "replaced", 1)
    elseif word == "values" or (word == "rename" and conflict.fields[1] ~= "title") then
      s.made = s.made + 1
      return { title = ("%s of %d/%d"):format(row:original "title", s.me, s.made), place = tombstone.null }
    end
    return word
  end
end

local ANSWERS = { "rename", "replace", "values" }
local ALL_ANSWERS = { "rename", "replace", "values", "skip" }

function verbs.create_shelf(s, random)
  s.Shelf:create { name = "shelf " .. random:int(1, SHELVES) }
  return { Shelf = 1 }
end

function verbs.create(s, random)
  s.Book:create(book(s, random))
  return { Book = 1 }
end

function verbs.create_some(s, random)
  local list = {}
  for i = 1, 4 do
    list[i] = { title = title(random) .. "/" .. s.me .. "/" .. i, shelf = random:pick(s.shelves) }
  end
  return { Book = #s.Book:bulk_create(list) }
end

function verbs.get_or_create(s, random)
  local options = { on_deleted = random:pick { "new", "restore" } }
  local defaults = { shelf = random:pick(s.shelves) }
  local _, created = s.Book:get_or_create({ title = title(random) }, defaults, options)
  return { Book = created and 1 or 0 }
end

function verbs.delete(s, random)
  local event = random:pick(s.books):delete(BY)
  return { events = event and 1 or 0 }
end

function verbs.delete_shelf(s, random)
  local event = random:pick(s.shelves):delete(BY)
  return { events = event and 1 or 0 }
end

function verbs.delete_some(s, random)
  local _, event = s.Book.objects:filter({ title__startswith = "title " .. random:int(1, 9) }):delete(BY)
  return { events = event and 1 or 0 }
end

function verbs.delete_together(s, random)
  local event = s.db:deletion(BY, function()
    random:pick(s.books):delete()
    random:pick(s.books):delete()
  end)
  return { events = event and 1 or 0 }
end

function verbs.undo(s, random)
  local standing, done = s.db:events { undone = false }, {}
  if #standing > 0 then
    local event = standing[random:int(math.max(1, #standing - 8), #standing)]
    local on_conflict = random:pick { "rename", "fail", resolver(s, random, ANSWERS, done) }
    event:undo { on_conflict = { Book = on_conflict, default = "rename" } }
  end
  return done
end

function verbs.restore(s, random)
  local dead, done = s.Book.deleted_objects:order_by("-id"):limit(20):all(), {}
  if #dead > 0 then
    local on_conflict = { Book = resolver(s, random, ALL_ANSWERS, done) }
    random:pick(dead):restore { parents = random:chance(30), on_conflict = on_conflict }
  end
  return done
end

function verbs.restore_some(s, random)
  local done = {}
  s.Book.deleted_objects:filter({ shelf = random:pick(s.shelves) }):limit(10)
    :restore { on_conflict = resolver(s, random, ALL_ANSWERS, done) }
  return done
end

local function purged(report)
  local done = {}
  for model, n in pairs(report.rows) do
    done[model] = -n
  end
  return done
end

function verbs.purge(s, random)
  local dead = s.Book.deleted_objects:limit(5):all()
  if #dead == 0 then
    return {}
  end
  local _, report = random:pick(dead):purge()
  return purged(report)
end

function verbs.purge_shelves(s)
  local _, report = s.Shelf.deleted_objects:limit(1):purge()
  return purged(report)
end

function verbs.tag(s, random)
  local tags = s.Tag.objects:all()
  return { Book_tags = random:pick(s.books):tags():add(random:pick(tags)) }
end

function verbs.untag(s, random)
  local _, event = random:pick(s.books):tags():remove(random:pick(s.Tag.objects:all()))
  return { untagged = event and 1 or 0 }
end

-- The inner transaction leaves nothing.
function verbs.move(s, random)
  s.db:transaction(function()
    random:pick(s.books):update { shelf = random:pick(s.shelves) }
    local ok, err = pcall(s.db.transaction, s.db, function()
      s.Shelf:create { name = "never " .. s.me }
      error("changed my mind", 0)
    end)
    assert(not ok and err == "changed my mind")
    random:pick(s.books):update { shelf = random:pick(s.shelves) }
  end)
  return {}
end

-- Writes while it reads, and leaves in the middle.
function verbs.walk(s, random)
  local left = 5
  for each in s.Book.objects:order_by("title"):each() do
    if each.place == nil then
      s.Book.objects:filter({ id = each.id, place__isnull = true }):update { title = each.title .. "!" }
    end
    left = left - 1
    if left == 0 or random:chance(10) then
      break
    end
  end
  return {}
end

-- One statement is one moment: the counters are right in it.
function verbs.read(s)
  for shelf in s.Shelf.objects:annotate({ living = count "books" }):each { snapshot = true } do
    assert(shelf.n_books == shelf.living, "a counter is wrong")
  end
  return {}
end

local WEIGHTS = {
  create_shelf = 4, create = 6, create_some = 3, get_or_create = 3, delete = 5, delete_shelf = 2,
  delete_some = 1, delete_together = 2, undo = 6, restore = 6, restore_some = 3, purge = 2,
  purge_shelves = 1, tag = 4, untag = 2, move = 3, walk = 2, read = 2,
}
local NAMES = {}
for name in pairs(WEIGHTS) do
  NAMES[#NAMES + 1] = name
end
table.sort(NAMES)

-- ---- calls -----------------------------------------------------------------------------

-- Alone, or in a transaction that also counts in the database.
local function attempt(s, verb, random)
  if random:chance(50) then
    return verbs[verb](s, random)
  end
  local done = s.db:transaction(function()
    local done = verbs[verb](s, random)
    s.Tally.objects:filter({ n__gte = 0 }):update { n = F "n" + 1 }
    return done
  end)
  done.tallied = 1
  return done
end

-- Tries until it is done, or refused by what others did.
local function call(s, verb, random)
  local state = random.state
  for _ = 1, MOST_TRIES do
    random.state = state
    local ok, done = pcall(attempt, s, verb, random)
    if ok then
      return done
    end
    local kind = type(done) == "table" and done.kind
    if kind ~= "busy" then
      assert(REFUSALS[kind], verb .. ": " .. tostring(done))
      return { refused = 1 }
    end
    s.meet_busy()
    add(s.counts, "busy", 1)
  end
  error(verb .. " was busy too often", 0)
end

local function look(s)
  s.shelves, s.books = s.Shelf.objects:all(), s.Book.objects:all()
end

-- Without rows to take, only these can be called.
local function choose(s, random)
  if #s.shelves == 0 then
    return "create_shelf"
  end
  return #s.books == 0 and "create" or random:weighted(NAMES, WEIGHTS)
end

local function report(counts)
  local lines = {}
  for name, n in pairs(counts) do
    lines[#lines + 1] = ("%s %d\n"):format(name, n)
  end
  return table.concat(lines)
end

-- Told once; afterwards it is nothing special.
local function once(fn)
  local told = false
  return function()
    if not told then
      told = true
      fn()
    end
  end
end

--- A thread's work. `meet_busy` is told when the database was busy.
function M.work(path, me, calls, meet_busy)
  local random, counts = Random.new(me), {}
  local s = open(path, function()
    add(counts, "hooks", 1)
  end)
  s.me, s.made, s.counts, s.meet_busy = me, 0, counts, once(meet_busy)
  for i = 1, calls do
    if i % CALLS_OF_A_LOOK == 1 then
      look(s)
    end
    local verb = choose(s, random)
    for name, n in pairs(call(s, verb, random)) do
      add(counts, name, n)
    end
    add(counts, "calls", 1)
  end
  s.db:close()
  return report(counts)
end

-- ---- the end ---------------------------------------------------------------------------

-- Queries that must answer nothing.
local RULES = {
  ["no child lives under a dead parent"] = [[SELECT book.id FROM book JOIN shelf ON shelf.id = shelf_id
    WHERE book.deleted_at IS NULL AND shelf.deleted_at IS NOT NULL]],
  ["no link lives with a dead end"] = [[SELECT l.id FROM book_tags l JOIN book ON book.id = l.book_id
    JOIN tag ON tag.id = l.tag_id
    WHERE l.deleted_at IS NULL AND (book.deleted_at IS NOT NULL OR tag.deleted_at IS NOT NULL)]],
  ["titles are unique among the living"] = [[SELECT title FROM book WHERE deleted_at IS NULL
    GROUP BY title HAVING count(*) > 1]],
  ["places are unique among the living"] = [[SELECT place FROM book WHERE deleted_at IS NULL
    AND place IS NOT NULL GROUP BY place HAVING count(*) > 1]],
  ["shelves are unique among the living"] = [[SELECT name FROM shelf WHERE deleted_at IS NULL
    GROUP BY name HAVING count(*) > 1]],
  ["further owners stand"] = [[SELECT * FROM tombstone_owner
    WHERE event NOT IN (SELECT id FROM tombstone_event WHERE undone_at IS NULL)]],
  ["a savepoint that was rolled back left nothing"] = "SELECT id FROM shelf WHERE name LIKE 'never%'",
  ["keys point to rows"] = "PRAGMA foreign_key_check",
}
for _, name in ipairs { "shelf", "tag", "book", "book_tags" } do
  RULES["a dead " .. name .. " has a standing event, a living one none"] = ([[SELECT id FROM %s
    WHERE (deleted_at IS NULL) <> (deleted_event IS NULL) OR (deleted_event IS NOT NULL
    AND deleted_event NOT IN (SELECT id FROM tombstone_event WHERE undone_at IS NULL))]]):format(name)
end
for name, unique in pairs { shelf = "name", tag = "name", book = "title" } do
  RULES["a dead " .. name .. " has given up its " .. unique] = ([[SELECT id FROM %s
    WHERE (deleted_at IS NULL) = (%s LIKE '%%\_\_deleted\_%%' ESCAPE '\')]]):format(name, unique)
end

local function total(reports)
  local counts = {}
  for _, text in ipairs(reports) do
    for name, n in text:gmatch "(%S+) (-?%d+)\n" do
      add(counts, name, tonumber(n))
    end
  end
  return setmetatable(counts, { __index = function() return 0 end })
end

local function equal(wanted, got, what)
  assert(wanted == got, ("%s: %s is wanted, %s is there"):format(what, wanted, got))
end

local function check_rows(s, counts)
  equal(counts.Shelf + 4, s.Shelf.all_objects:count(), "shelves")
  equal(counts.Book, s.Book.all_objects:count(), "books")
  equal(counts.Book_tags, s.db:model("Book_tags").all_objects:count(), "links")
  equal(0, s.Shelf:recount(), "wrong counters")
end

local function check_calls(s, counts)
  local replaced = s.db:query [[SELECT count(*) AS n FROM tombstone_event
    WHERE actor IS NULL AND model = 'Book']]
  equal(counts.tallied, s.Tally.objects:first().n, "transactions")
  equal(counts.events, #s.db:events(BY), "deletions")
  equal(counts.untagged, #s.db:events { model = "Book_tags" }, "deletions of links")
  assert(replaced[1].n >= counts.replaced, "a living row was not replaced")
  for _, name in ipairs { "busy", "refused", "hooks", "asked" } do
    assert(counts[name] > 0, "nothing was " .. name)
  end
end

--- Proves the file, and that it holds what the threads say that they did.
function M.check(path, reports)
  local s, counts = open(path), total(reports)
  equal("ok", s.db:query("PRAGMA integrity_check")[1].integrity_check, "integrity")
  equal("wal", s.db:query("PRAGMA journal_mode")[1].journal_mode, "journal")
  for rule, sql in pairs(RULES) do
    equal(0, #s.db:query(sql), "rows that break the rule, " .. rule)
  end
  check_rows(s, counts)
  check_calls(s, counts)
  s.db:close()
  return ("%d calls of %d threads: %d refused, busy %d times, %d books, %d events"):format(
    counts.calls, #reports, counts.refused, counts.busy, counts.Book, counts.events)
end

return M
