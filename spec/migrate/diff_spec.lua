-- Random schemas become one another: the words of the difference bring a database there, with its
-- rows, and back. They run as the text that a person would read.
local Random = require "laws.random"
local ddl = require "tombstone.migrate.ddl"
local diff = require "tombstone.migrate.diff"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local mutate = require "migrate.mutate"
local random_schema = require "migrate.random_schema"
local schema = require "tombstone.migrate.schema"
local digests = require "migrate.digests"
local tombstone = require "tombstone"
local write = require "tombstone.migrate.write"

local loads = rawget(_G, "loadstring") or load

local function make(db, whole)
  for _, sql in ipairs(ddl.schema(whole)) do
    db:exec(sql)
  end
end

-- Without what migrations note.
local function read(db)
  local found = schema.read(db)
  found.tables.tombstone_migration = nil
  for i = #found.order, 1, -1 do
    if found.order[i] == "tombstone_migration" then
      table.remove(found.order, i)
    end
  end
  return found
end

local function must_be_same(a, b, text)
  local same, why = schema.same(a, b)
  if not same then
    error(why .. "\n" .. text, 0)
  end
end

local function count_rows(db, whole, names)
  local counts = {}
  for name in pairs(whole.tables) do
    local sql = "SELECT count(*) AS n FROM " .. require("tombstone.migrate.tokens").name(name)
    counts[(names[name] or name):lower()] = db:query(sql)[1].n
  end
  return counts
end

-- No row of a table that stays is lost.
local function must_keep_rows(before, after, text)
  for name, n in pairs(after) do
    if before[name] and before[name] ~= n then
      error(("table %s had %d rows and has %d\n%s"):format(name, before[name], n, text), 0)
    end
  end
end

local function migration_of(text)
  local given = assert(loads(text))()
  return { name = "0001_test", up = given.up }
end

-- Runs one way. Rows may not fit what is wanted: then it is refused, and nothing changes.
local function go(runner, verb, db, may_refuse, text)
  local before = digests.digest(db)
  local ok, err = pcall(runner[verb], runner)
  if ok then
    return true
  end
  local is_refusal = type(err) == "table" and (err.kind == "migration" or err.kind == "integrity")
  if not (may_refuse and is_refusal) then
    local sql = type(err) == "table" and err.sql or ""
    error(("%s: %s\n%s\n%s"):format(verb, tostring(err), sql, text), 0)
  end
  assert(digests.digest(db) == before, "a refusal changed something\n" .. text)
  return false
end

local counts

-- Words that neither give nor change values, nor renumber rows.
local function keeps_values(words)
  for _, word in ipairs(words) do
    if word.word == "change_column" or word.word == "change_table" or word.word == "drop_table" then
      return false
    end
  end
  return true
end

local function try(db, random, change, rows)
  local old = random_schema.schema(random, { plain = true })
  make(db, old)
  if rows > 0 then
    random_schema.fill(db, old, random, rows)
  end
  old = read(db)
  local new, told = change(random, old)
  local words, lost = diff.schemas(old, new, told)
  local text = write.file(words, {})
  local runner = migrate.open(db, { migrations = { migration_of(text) } })
  local before, rows_before = digests.digest(db), count_rows(db, old, {})
  if not go(runner, "up", db, rows > 0, text) then
    counts.refused = counts.refused + 1
    return
  end
  counts.done = counts.done + 1
  must_be_same(new, read(db), text)
  must_keep_rows(rows_before, count_rows(db, new, told.tables or {}), text)
  if go(runner, "down", db, rows > 0, text) then
    counts.back = counts.back + 1
    must_be_same(old, read(db), text)
    if #lost == 0 and keeps_values(words) then
      assert(before == digests.digest(db), "not all is as it was\n" .. text)
    end
  end
end

local function run(change, rows, n)
  local seed = helper.seed()
  counts = { done = 0, refused = 0, back = 0 }
  for i = 1, helper.scaled(n, 5) do
    local db = tombstone.open ":memory:"
    local ok, err = pcall(try, db, Random.new(seed + i), change, rows)
    db:close()
    if not ok then
      error(("SPEC_SEED=%d: %s"):format(seed + i - 1, tostring(err)), 0)
    end
  end
end

local function another(random)
  return random_schema.schema(random, { plain = true }), {}
end

describe("a difference of schemas", function()
  it("leads from any to a changed one, and back", function()
    run(mutate.mutated, 0, 1200)
  end)

  it("leads there with rows", function()
    run(mutate.mutated, 12, 800)
    assert.is_true(counts.done > counts.refused)
    assert.is_true(counts.back > 0)
  end)

  it("leads from any to any other", function()
    run(another, 0, 400)
    run(another, 6, 200)
  end)
end)
