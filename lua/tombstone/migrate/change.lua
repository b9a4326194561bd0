--- Making a table of the database what it shall be.
--
-- A change is two values of a schema, the table before and after, and for each column after the
-- SQL over the table before that gives its values. Which statements that takes is decided here:
-- indexes come and go by themselves, columns at the end are added, all else is a new table that
-- takes the rows over.
-- @module tombstone.migrate.change
local chunks = require "tombstone.migrate.chunks"
local compare = require "tombstone.migrate.compare"
local ddl = require "tombstone.migrate.ddl"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local NEW = "tombstone_new_"

-- ---- indexes -----------------------------------------------------------------------------

local function same_index(a, b)
  return a ~= nil and compare.text.index(a) == compare.text.index(b)
end

local function by_name(indexes)
  local found = {}
  for _, index in ipairs(indexes) do
    found[tokens.fold(index.name)] = index
  end
  return found
end

local function index_columns(index)
  local names = {}
  for i, column in ipairs(index.columns) do
    names[i] = column.name or column.sql
  end
  return table.concat(names, ", ")
end

local function create_index(job, t, index)
  local ok, err = pcall(job.run, job, ddl.create_index(t, index))
  if ok then
    return
  end
  if type(err) ~= "table" or err.kind ~= "integrity" then
    error(err, 0)
  end
  job:refuse(
    ("Rows of '%s' are not unique by %s, as index '%s' wants"):format(
      t.name,
      index_columns(index),
      index.name
    ),
    "mend the rows first, by run or update"
  )
end

-- What has to go before, and what comes after.
local function change_indexes(job, old, new)
  local before, after = by_name(old.indexes), by_name(new.indexes)
  for _, index in ipairs(old.indexes) do
    if not same_index(after[tokens.fold(index.name)], index) then
      job:run("DROP INDEX " .. tokens.name(index.name))
    end
  end
  for _, index in ipairs(new.indexes) do
    if not same_index(before[tokens.fold(index.name)], index) then
      create_index(job, new, index)
    end
  end
end

-- ---- columns at the end ---------------------------------------------------------------------

local function without_indexes(t)
  local copy = schema.copy(t)
  copy.indexes = {}
  return copy
end

local LITERALS = { number = true, text = true, blob = true }

-- ALTER TABLE takes no other default: it would have to ask each row.
local function is_constant(default)
  local list = tokens.list(default)
  local first = (list[1].text == "-" or list[1].text == "+") and 2 or 1
  local word = list[first].word
  local is_word = word == "null" or word == "true" or word == "false"
  return #list == first and (LITERALS[list[first].kind] or is_word)
end

-- The foreign key of this column alone.
local function key_of(t, column)
  for i, key in ipairs(t.foreign_keys) do
    if #key.columns == 1 and tokens.same(key.columns[1], column.name) then
      return key, i
    end
  end
end

local function can_add(column, key, from)
  local is_plain = not column.generated and not column.conflict and not from[tokens.fold(column.name)]
  if not is_plain or (key and (column.default or key.name)) then
    return false
  end
  if column.default then
    return is_constant(column.default)
  end
  return column.null == true
end

-- The columns that ALTER TABLE can add so that `old` becomes `new`, or nil.
local function addable(old, new, from)
  local grown, added = without_indexes(old), {}
  if new.strict or #new.columns <= #old.columns then
    return nil
  end
  for i = #old.columns + 1, #new.columns do
    local column = new.columns[i]
    local key = key_of(new, column)
    if not can_add(column, key, from) then
      return nil
    end
    grown.columns[i] = column
    grown.foreign_keys[#grown.foreign_keys + 1] = key
    added[#added + 1] = { column = column, key = key }
  end
  return schema.same_table(grown, without_indexes(new)) and added or nil
end

local function is_taken_over(old, from)
  for _, column in ipairs(old.columns) do
    local sql = from[tokens.fold(column.name)]
    if not column.generated and sql ~= tokens.name(column.name) then
      return false
    end
  end
  return true
end

-- ---- a new table ----------------------------------------------------------------------------

local function first_default(t)
  for _, column in ipairs(t.columns) do
    if not column.generated then
      return tokens.name(column.name), column.default or "NULL"
    end
  end
end

-- What is copied: names of the new table, SQL over the old one.
local function copied(old, new, from)
  local names, values = {}, {}
  for _, column in ipairs(new.columns) do
    local sql = from[tokens.fold(column.name)]
    if sql and not column.generated then
      names[#names + 1], values[#values + 1] = tokens.name(column.name), sql
    end
  end
  local here, there, alias = chunks.rowid(new), chunks.rowid(old), schema.rowid_alias(new)
  if alias and there and not from[tokens.fold(alias.name)] then
    names[#names + 1], values[#values + 1] = tokens.name(alias.name), there
  elseif here and there and not alias then
    names[#names + 1], values[#values + 1] = here, there
  end
  if #names == 0 then -- nothing of the old rows but that they are there
    names[1], values[1] = first_default(new)
  end
  return table.concat(names, ", "), table.concat(values, ", ")
end

-- OR ABORT: a constraint that says ON CONFLICT REPLACE would drop rows and not say so.
local function is_over_many(from)
  for _, sql in pairs(from) do
    for _, token in ipairs(tokens.list(sql)) do
      if token.word == "over" then
        return true
      end
    end
  end
  return false
end

local function copy_rows(job, old, new, from)
  local copied_rows = 0
  local names, values = copied(old, new, from)
  local sql = ("INSERT OR ABORT INTO %s (%s) SELECT %s FROM %s"):format(
    tokens.name(NEW .. new.name),
    names,
    values,
    tokens.name(old.name)
  )
  chunks.each(job, old, function(condition, ...)
    copied_rows = copied_rows + job:run(condition and (sql .. " WHERE " .. condition) or sql, ...)
  end, is_over_many(from))
  local n = job:value("SELECT count(*) AS value FROM " .. tokens.name(old.name))
  if n ~= copied_rows then
    job:refuse(
      ("Of %d rows of '%s' there would be %d"):format(n, old.name, copied_rows),
      "using is asked of each row: an aggregate like max needs a sub-query"
    )
  end
end

-- What SQLite stores in a column of ours; anything goes into one of another type.
local STORED = {
  integer = "'integer'",
  boolean = "'integer'",
  real = "'real', 'integer'",
  text = "'text'",
  varchar = "'text'",
  datetime = "'text'",
}

local function kind_of(column)
  return tokens.fold(column.type):match "^%l+"
end

-- SQLite keeps what is no number in a column of numbers, where models would not read it.
local function check_values(job, old, new)
  for _, column in ipairs(new.columns) do
    local before = schema.column(old, column.name)
    local stored = STORED[kind_of(column)]
    if before and stored and not column.generated and kind_of(before) ~= kind_of(column) then
      local name = tokens.name(column.name)
      local from = tokens.name(NEW .. new.name)
      local sql = "SELECT count(*) AS value FROM %s WHERE %s NOT NULL AND typeof(%s) NOT IN (%s)"
      local n = job:value(sql:format(from, name, name, stored))
      if n > 0 then
        job:refuse(
          ("%d values of '%s' in '%s' are no %s"):format(n, column.name, new.name, column.type),
          'say by using = "SQL" what becomes of them'
        )
      end
    end
  end
end

local CHANGED = "SELECT count(*) AS value FROM (SELECT n.%s AS now, o.%s AS was FROM %s AS n JOIN %s AS o"
  .. " ON n.%s = o.%s) WHERE CASE"
  .. " WHEN typeof(now) IN ('integer', 'real') AND typeof(was) IN ('integer', 'real') THEN now <> was"
  .. " ELSE CAST(now AS text) <> CAST(was AS text) END"

-- SQLite makes 7 of '007' where the column's type is another one.
local function check_same(job, old, new, from)
  local here, there = chunks.rowid(new), chunks.rowid(old)
  for _, column in ipairs(here and there and new.columns or {}) do
    local before, name = schema.column(old, column.name), tokens.name(column.name)
    local sql = from[tokens.fold(column.name)]
    local is_kept = before and not column.generated and sql == tokens.name(before.name)
    if is_kept and kind_of(before) ~= kind_of(column) then
      local now, was = tokens.name(NEW .. new.name), tokens.name(old.name)
      local n = job:value(CHANGED:format(name, name, now, was, here, there))
      if n > 0 then
        job:refuse(
          ("%d values of '%s' in '%s' would be others as %s"):format(n, column.name, new.name, column.type),
          'say by using = "SQL" what becomes of them'
        )
      end
    end
  end
end

-- SQLite's refusal of what is no whole number for an INTEGER PRIMARY KEY, which is no constraint.
local MISMATCH = 20

local function is_refusal_of_rows(err)
  return type(err) == "table" and (err.kind == "integrity" or err.code == MISMATCH)
end

-- A refusal speaks of the table under its own name.
local function explain(job, old, new, err)
  if not is_refusal_of_rows(err) then
    error(err, 0)
  end
  local said = err.message
  local at, last = said:find(NEW .. old.name, 1, true)
  while at do
    said = said:sub(1, at - 1) .. old.name .. said:sub(last + 1)
    at, last = said:find(NEW .. old.name, at + #old.name, true)
  end
  job:refuse(
    ("Rows of '%s' do not fit what it shall be - %s"):format(new.name, said),
    'mend the rows first, or say by using = "SQL" what they get'
  )
end

-- The highest key that was ever given out.
local function sequence(job, t)
  if not t.autoincrement then
    return nil
  end
  return job:value("SELECT seq AS value FROM sqlite_sequence WHERE name = ? COLLATE NOCASE", t.name)
end

local function keep_sequence(job, new, seq)
  if not (new.autoincrement and seq) then
    return
  end
  local changed = job:run("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", seq, new.name)
  if changed == 0 then
    job:run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", new.name, seq)
  end
end

local function triggers_of(job, t)
  return job:rows(
    "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
    t.name
  )
end

-- Views, triggers and foreign keys of other tables go on speaking of the name.
local function take_place(job, old, new)
  job:run("DROP TABLE " .. tokens.name(old.name))
  job:run "PRAGMA legacy_alter_table = ON"
  local sql = ("ALTER TABLE %s RENAME TO %s"):format(tokens.name(NEW .. new.name), tokens.name(new.name))
  local ok, err = pcall(job.run, job, sql)
  job:run "PRAGMA legacy_alter_table = OFF"
  if not ok then
    error(err, 0)
  end
end

local function rebuild(job, old, new, from)
  local seq, triggers = sequence(job, old), triggers_of(job, old)
  job:run(ddl.create_table(new, NEW .. new.name))
  local ok, err = pcall(copy_rows, job, old, new, from)
  if not ok then
    explain(job, old, new, err)
  end
  check_values(job, old, new)
  check_same(job, old, new, from)
  take_place(job, old, new)
  keep_sequence(job, new, seq)
  for _, index in ipairs(new.indexes) do
    create_index(job, new, index)
  end
  for _, trigger in ipairs(triggers) do
    job:run(trigger.sql)
  end
  job.rebuilt[#job.rebuilt + 1] = new.name
end

local function add_column(t, column, key)
  local sql = ("ALTER TABLE %s ADD COLUMN %s"):format(tokens.name(t.name), ddl.column(column))
  return key and sql .. " " .. ddl.references(key) or sql
end

-- ---- all of it ------------------------------------------------------------------------------

--- The mapping of a table to itself: for each column (its name in lower case) the SQL of its values.
-- @tparam table t of a schema
-- @treturn {[string]=string}
function M.identity(t)
  local from = {}
  for _, column in ipairs(t.columns) do
    if not column.generated then
      from[tokens.fold(column.name)] = tokens.name(column.name)
    end
  end
  return from
end

--- Creates a table and its indexes.
-- @tparam job job
-- @tparam table t of a schema
function M.create(job, t)
  job:run(ddl.create_table(t))
  for _, index in ipairs(t.indexes) do
    create_index(job, t, index)
  end
end

--- Makes `new` of the table `old`, which bears the same name.
-- @tparam job job
-- @tparam table old of a schema, as it is
-- @tparam table new as it shall be
-- @tparam {[string]=string} from the SQL over `old` that gives a column of `new` its values; a
-- column without gets its default
-- @raise migration where rows do not fit
function M.alter(job, old, new, from)
  if #new.columns == 0 then
    job:refuse(("'%s' would have no column left"):format(new.name), "add the new ones before")
  end
  local is_same = schema.same_table(without_indexes(old), without_indexes(new))
  if is_same and is_taken_over(old, from) then
    return change_indexes(job, old, new)
  end
  local added = is_taken_over(old, from) and addable(old, new, from)
  if not added then
    return job:guarded(function()
      rebuild(job, old, new, from)
    end)
  end
  for _, entry in ipairs(added) do
    job:run(add_column(new, entry.column, entry.key))
  end
  change_indexes(job, old, new)
end

return M
