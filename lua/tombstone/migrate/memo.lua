--- What soft-delete words found before they changed it, kept in the database itself, so that they can
-- be taken back exactly: the table `tombstone_before`, which is there while there is something to keep.
-- What was kept last of a subject is asked for first.
-- @module tombstone.migrate.memo
local core = require "tombstone.core"
local ddl = require "tombstone.migrate.ddl"
local parse = require "tombstone.migrate.parse"
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- The name of that table.
M.TABLE = "tombstone_before"

local CREATE = [[CREATE TABLE tombstone_before
(id integer NOT NULL PRIMARY KEY, entry integer NOT NULL, subject text NOT NULL, key text NOT NULL,
value text)]]
local INSERT = "INSERT INTO tombstone_before (entry, subject, key, value) VALUES (?, ?, ?, ?)"
local LAST = "SELECT max(entry) AS value FROM tombstone_before WHERE ? IN (subject, '')"

local function subject_of(word, t, detail)
  return table.concat({ word, tokens.fold(type(t) == "table" and t.name or t), detail }, " ")
end

local function putter(job, subject)
  local entry = (job:value(LAST, "") or 0) + 1
  return function(key, value)
    job:run(INSERT, entry, subject, key, value)
  end
end

-- The order of indexes and constraints depends on how they came about.
local function index_texts(t)
  local texts = {}
  for i, index in ipairs(t.indexes) do
    texts[i] = ddl.create_index(t, index)
  end
  table.sort(texts)
  return texts
end

local function in_order(t)
  local copy = schema.copy(t)
  for _, part in ipairs { "unique", "check", "foreign_key" } do
    table.sort(copy[part .. "s"], function(a, b)
      return ddl[part](a) < ddl[part](b)
    end)
  end
  return copy
end

--- Keeps a table as it is, and texts.
-- @tparam job job
-- @string word
-- @tparam table t of a schema
-- @string[opt] detail
-- @tparam[opt] {[string]=string} texts
function M.put(job, word, t, detail, texts)
  if not schema.has(job.db, M.TABLE) then
    job:run(CREATE)
  end
  local put = putter(job, subject_of(word, t, detail))
  put("table", ddl.create_table(in_order(t)))
  for _, sql in ipairs(index_texts(t)) do
    put("index", sql)
  end
  for _, key in ipairs(shape.keys(texts)) do
    put("text " .. key, texts[key])
  end
end

local function read_row(found, row)
  if row.key == "table" then
    found.table = parse.table(row.value)
  elseif row.key == "index" then
    local indexes = found.table.indexes
    indexes[#indexes + 1] = parse.index(row.value, found.table)
  else
    found.texts[row.key:match "^text (.*)$"] = row.value
  end
end

local function last_entry(job, word, t, detail)
  return schema.has(job.db, M.TABLE) and job:value(LAST, subject_of(word, t, detail)) or nil
end

--- What was kept last.
-- @tparam job job
-- @string word
-- @tparam table|string t a table or its name
-- @string[opt] detail
-- @treturn table|nil `table` (as it was) and `texts`
function M.get(job, word, t, detail)
  local entry = last_entry(job, word, t, detail)
  if not entry then
    return nil
  end
  local found = { texts = {} }
  local sql = "SELECT key, value FROM tombstone_before WHERE entry = ? AND key NOT LIKE 'row %' ORDER BY id"
  for _, row in ipairs(job:rows(sql, entry)) do
    read_row(found, row)
  end
  return found
end

--- Adds a text to what was kept last.
function M.add(job, word, t, detail, key, value)
  local entry = last_entry(job, word, t, detail)
  if entry then
    job:run(INSERT, entry, subject_of(word, t, detail), "text " .. key, value)
  end
end

-- ---- values of rows --------------------------------------------------------------------------------

local PUT_ROWS = [[INSERT INTO tombstone_before (entry, subject, key, value)
SELECT ?, ?, 'row ' || %s || ' ' || CAST(%s AS text), %s FROM %s WHERE %s]]

--- Adds values of rows to what was kept last.
-- @tparam job job
-- @string word
-- @tparam table t
-- @string detail
-- @tparam table given SQL: `column` (a text), `key`, `value`, `where`
function M.put_rows(job, word, t, detail, given)
  local sql = PUT_ROWS:format(given.column, given.key, given.value, tokens.name(t.name), given.where)
  job:run(sql, last_entry(job, word, t, detail), subject_of(word, t, detail))
end

--- Those of a column, as a sub-query with `pk` (a text) and `value`.
-- @tparam job job
-- @string word
-- @tparam table t
-- @string detail
-- @string column a text, as SQL
-- @treturn string
function M.rows(job, word, t, detail, column)
  local entry = last_entry(job, word, t, detail)
  local sql = "(SELECT substr(key, length(%s) + 6) AS pk, value AS value FROM tombstone_before "
    .. "WHERE entry = %d AND substr(key, 1, length(%s) + 5) = 'row ' || %s || ' ')"
  return sql:format(column, entry, column, column)
end

-- ---- the end ------------------------------------------------------------------------------------

--- Forgets it.
function M.drop(job, word, t, detail)
  local entry = last_entry(job, word, t, detail)
  if not entry then
    return
  end
  job:run("DELETE FROM tombstone_before WHERE entry = ?", entry)
  if job:value "SELECT count(*) AS value FROM tombstone_before" == 0 then
    job:run "DROP TABLE tombstone_before"
  end
end

--- Takes all of it over into another database, which has the table.
-- @tparam database from
-- @tparam database to
function M.copy(from, to)
  if not schema.has(from, M.TABLE) then
    return
  end
  for _, row in ipairs(from:query "SELECT * FROM tombstone_before WHERE key NOT LIKE 'row %' ORDER BY id") do
    to:exec(INSERT, row.entry, row.subject, row.key, row.value or core.null)
  end
end

return M
