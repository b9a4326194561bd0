--- What a table that others have filled says of its deleted rows: who lives, who is dead since when, and
-- which rows do not say it.
-- @module tombstone.migrate.recognise
local core = require "tombstone.core"
local refusal = require "tombstone.migrate.refusal"
local schema = require "tombstone.migrate.schema"
local schemes = require "tombstone.migrate.schemes"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local DAY = 86400
local UNITS = { s = 1, ms = 1000, us = 1000000, ns = 1000000000 }
local NAMES = { [1] = "s", [1000] = "ms", [1000000] = "us", [1000000000] = "ns" }

-- ---- times ----------------------------------------------------------------------------------------

-- How many units make a second, by the size of a number; as the engine tells it.
local function unit_sql(column)
  return ("CASE WHEN abs(%s) < 1e11 THEN 1 WHEN abs(%s) < 1e14 THEN 1000 WHEN abs(%s) < 1e17 THEN 1000000 "
    .. "ELSE 1000000000 END"):format(column, column, column)
end

local function is_number(column)
  return ("typeof(%s) IN ('integer', 'real')"):format(column)
end

local function most_common_unit(db, t, column)
  local row = db:query(
    ("SELECT %s AS unit FROM %s WHERE %s AND %s <> 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"):format(
      unit_sql(column),
      tokens.name(t.name),
      is_number(column),
      column
    )
  )[1]
  return row and row.unit or 1
end

-- An instant as the engine writes it.
local function text_of(db, seconds)
  return db:query("SELECT tombstone_time(?, 1) AS value", seconds)[1].value
end

-- ---- why a row does not say it ------------------------------------------------------------------------

local function case(list)
  if #list == 0 then
    return nil
  end
  return "CASE " .. table.concat(list, " ") .. " END"
end

local function when(list, condition, why)
  list[#list + 1] = ("WHEN %s THEN %s"):format(condition, tokens.text(why))
end

local function doubts_of_time(reading, list)
  local is_there = "NOT " .. reading.no_stamp
  if reading.mixed_units then
    local column = tokens.name(reading.stamp)
    local other = ("%s AND %s <> %d"):format(is_number(column), unit_sql(column), reading.units)
    when(list, is_there .. " AND " .. other, "a time of another unit")
  end
  when(list, ("%s AND %s IS NULL"):format(is_there, reading.time), "a time that cannot be read")
  when(list, ("%s AND %s > %s"):format(is_there, reading.time, tokens.text(reading.limit)), "a time to come")
end

local function doubts_of_flag(reading, list)
  local word = schemes.word(reading.mark)
  local known = ("%s NOT IN %s AND %s NOT IN %s"):format(word, schemes.TRUE, word, schemes.FALSE)
  when(list, known, "neither true nor false")
  if reading.stamp then
    local both = ("NOT (%s) AND NOT %s"):format(reading.dead, reading.no_stamp)
    when(list, both, "alive, with a time of deletion")
  end
end

local function marks_of(t)
  local list = {}
  for i, name in ipairs(schemes.unique_texts(t)) do
    list[i] = ("tombstone_marked_at(%s)"):format(tokens.name(name))
  end
  return list
end

local function microseconds(sql)
  return ("tombstone_units(%s, 1000000)"):format(sql)
end

local function doubts_of_marks(reading, list)
  for _, mark in ipairs(reading.marks) do
    if reading.stamp then
      when(list, ("NOT (%s) AND %s IS NOT NULL"):format(reading.dead, mark), "alive, with a suffix")
      local apart = ("abs(%s - %s) > 1000000"):format(microseconds(mark), microseconds(reading.time))
      when(list, ("(%s) AND %s"):format(reading.dead, apart), "a suffix of another time")
    else
      when(list, ("%s > %s"):format(mark, tokens.text(reading.limit)), "a time to come")
    end
  end
end

-- ---- reading ------------------------------------------------------------------------------------------

local function read_time(db, t, reading, options)
  if not reading.stamp then
    reading.no_stamp, reading.time = "1", "NULL"
    return
  end
  local column = tokens.name(reading.stamp)
  reading.no_stamp = schemes.no_stamp(reading.stamp, options.sentinel)
  reading.units = UNITS[options.unit or ""] or most_common_unit(db, t, column)
  reading.mixed_units = options.unit == nil
  reading.time = ("tombstone_time(%s, %d)"):format(column, reading.units)
end

local function read_flag(reading)
  local word = schemes.word(reading.mark)
  if reading.is_inverted then
    return ("coalesce(%s, '') NOT IN %s"):format(word, schemes.TRUE)
  end
  return ("coalesce(%s, '') IN %s"):format(word, schemes.TRUE)
end

local function read_dead(reading)
  if reading.mark then
    return read_flag(reading)
  elseif reading.stamp then
    return "NOT " .. reading.no_stamp
  end
  local marks = table.concat(reading.marks, ", ")
  return #reading.marks > 0 and ("coalesce(%s, NULL) IS NOT NULL"):format(marks) or "0"
end

local function doubts(reading)
  local list = {}
  if reading.mark then
    doubts_of_flag(reading, list)
  end
  if reading.stamp then
    doubts_of_time(reading, list)
  end
  doubts_of_marks(reading, list)
  return case(list)
end

local function check(options)
  local sentinel = type(options.sentinel)
  if sentinel == "number" then
    options.sentinel = tostring(options.sentinel)
  elseif sentinel ~= "nil" and sentinel ~= "string" then
    core.misuse("sentinel is the value of a living row's mark, not a " .. sentinel)
  end
  if options.unit ~= nil and not UNITS[options.unit] then
    core.misuse(("unit is s, ms, us or ns, not '%s'"):format(tostring(options.unit)))
  end
end

--- How the rows of a table are read: SQL over it.
-- @tparam database db
-- @tparam table t of a schema
-- @tparam table options as of `recognise`
-- @treturn table what `tombstone.migrate.schemes` finds, and `dead` (a condition), `time` (the engine's
-- text, or NULL), `why` (what is unclear about a row, or NULL; nil where nothing can be), `now`, `units`
function M.read(db, t, options)
  check(options)
  local reading = schemes.find(db, t, options)
  reading.marks = reading.scheme == "mangled" and marks_of(t) or {}
  reading.mark = reading.flag or reading.active
  reading.is_inverted = reading.active ~= nil
  reading.now, reading.limit = text_of(db, db:now()), text_of(db, db:now() + DAY)
  read_time(db, t, reading, options)
  reading.dead = read_dead(reading)
  reading.why = doubts(reading)
  if not reading.stamp and #reading.marks > 0 then
    reading.time = ("coalesce(%s, NULL)"):format(table.concat(reading.marks, ", "))
  end
  return reading
end

-- ---- what is said of it ---------------------------------------------------------------------------------

local function count(db, t, condition)
  local sql = ("SELECT count(*) AS n FROM %s WHERE %s"):format(tokens.name(t.name), condition)
  return db:query(sql)[1].n
end

--- The first rows that do not say whether they live, and how many there are.
function M.ambiguous(db, t, reading)
  if not reading.why then
    return {}, 0
  end
  local condition = ("(%s) IS NOT NULL"):format(reading.why)
  local sql = "SELECT %s AS key, %s AS value, %s AS why FROM %s WHERE %s ORDER BY 1 LIMIT %d"
  local shown = reading.stamp or reading.mark
  local rows = db:query(
    sql:format(
      tokens.name(soft.key(t)),
      shown and tokens.name(shown) or "NULL",
      reading.why,
      tokens.name(t.name),
      condition,
      refusal.SHOWN
    )
  )
  return rows, #rows > 0 and count(db, t, condition) or 0
end

local function notes_of(db, t, reading)
  local notes = {}
  local function note(...)
    notes[#notes + 1] = string.format(...)
  end
  local without_time = ("(%s) AND %s IS NULL"):format(reading.dead, reading.time)
  local timeless = reading.mark and count(db, t, without_time) or 0
  if timeless > 0 then
    note("%d dead rows have no time: they get that of the migration", timeless)
  end
  if reading.scheme == "unix" then
    note("times are numbers of %s", NAMES[reading.units])
  end
  if reading.scheme == "active" and not reading.is_told then
    note("'%s' may mean something else: say scheme = \"active\" if it means this", reading.active)
  end
  return notes
end

--- Looks at how a table marks deleted rows. Writes nothing.
-- @tparam database db
-- @string name of the table
-- @tparam[opt] table options to tell what it is: `scheme`, `from` (the column of the time), `flag` (the
-- boolean), `unit` (`"s"`, `"ms"`, `"us"`, `"ns"`), `sentinel` (a time that the living have)
-- @treturn table `scheme` (see `tombstone.migrate.schemes`; `"tombstone"` where it is ours), `column` (of the
-- time), `flag`, `living` and `dead` (numbers of rows), `ambiguous` (up to ten rows that are neither
-- for sure: `key`, `value`, `why`), `count` (all of these), `notes` (lines)
-- @raise migration, misuse
-- @usage local found = migrate.recognise(db, "legacy_posts"); print(found.scheme, found.dead)
function M.recognise(db, name, options)
  options = options or {}
  core.check_options(options, { "scheme", "from", "flag", "unit", "sentinel" }, "recognise")
  local t = schema.read_table(db, name)
  if not t then
    core.fail("migration", ("There is no table '%s'"):format(tostring(name)), "look at its name")
  end
  local reading = M.read(db, t, options)
  if reading.scheme == "tombstone" then
    reading.dead, reading.why = soft.dead(soft.of(t).stamp), nil
  end
  local rows, unclear = M.ambiguous(db, t, reading)
  local clear = reading.why and (" AND (%s) IS NULL"):format(reading.why) or ""
  local dead = count(db, t, ("(%s)%s"):format(reading.dead, clear))
  return {
    scheme = reading.scheme,
    column = reading.stamp or (reading.scheme == "tombstone" and soft.of(t).stamp) or nil,
    flag = reading.mark,
    dead = dead,
    living = count(db, t, "1") - dead - unclear,
    ambiguous = rows,
    count = unclear,
    notes = notes_of(db, t, reading),
  }
end

return M
