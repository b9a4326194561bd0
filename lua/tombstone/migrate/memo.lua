--- What soft-delete words found before they changed it, kept in the database itself, so that they can
-- be taken back exactly: the table `tombstone_before`, which is there while there is something to keep.
-- @module tombstone.migrate.memo
local core = require "tombstone.core"
local ddl = require "tombstone.migrate.ddl"
local parse = require "tombstone.migrate.parse"

local M = {}

--- The name of that table.
M.TABLE = "tombstone_before"

local CREATE = [[CREATE TABLE tombstone_before
(id integer NOT NULL PRIMARY KEY, subject text NOT NULL, key text NOT NULL, value text)]]
local INSERT = "INSERT INTO tombstone_before (subject, key, value) VALUES (?, ?, ?)"

local function is_there(db)
  return #db:query("SELECT 1 FROM sqlite_master WHERE name = ?", M.TABLE) > 0
end

local function subject_of(word, t, detail)
  return table.concat({ word, (type(t) == "table" and t.name or t):lower(), detail }, " ")
end

local function put(job, subject, key, value)
  job:run(INSERT, subject, key, value)
end

local function put_table(job, subject, t)
  put(job, subject, "table", ddl.create_table(t))
  for _, index in ipairs(t.indexes) do
    put(job, subject, "index", ddl.create_index(t, index))
  end
end

--- Keeps a table as it is, and texts; what was kept of the same before is forgotten.
-- @tparam job job
-- @string word
-- @tparam table t of a schema
-- @string[opt] detail
-- @tparam[opt] {[string]=string} texts
function M.put(job, word, t, detail, texts)
  local subject = subject_of(word, t, detail)
  if is_there(job.db) then
    job:run("DELETE FROM tombstone_before WHERE subject = ?", subject)
  else
    job:run(CREATE)
  end
  put_table(job, subject, t)
  local keys = {}
  for key in pairs(texts or {}) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    put(job, subject, "text " .. key, texts[key])
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

--- What was kept.
-- @tparam job job
-- @string word
-- @tparam table|string t a table or its name
-- @string[opt] detail
-- @treturn table|nil `table` (as it was) and `texts`
function M.get(job, word, t, detail)
  if not is_there(job.db) then
    return nil
  end
  local sql = "SELECT key, value FROM tombstone_before WHERE subject = ? ORDER BY id"
  local found = { texts = {} }
  for _, row in ipairs(job:rows(sql, subject_of(word, t, detail))) do
    read_row(found, row)
  end
  return found.table and found or nil
end

--- Forgets it.
function M.drop(job, word, t, detail)
  if not is_there(job.db) then
    return
  end
  job:run("DELETE FROM tombstone_before WHERE subject = ?", subject_of(word, t, detail))
  if job:value "SELECT count(*) AS value FROM tombstone_before" == 0 then
    job:run "DROP TABLE tombstone_before"
  end
end

--- Takes all of it over into another database, which has the table.
-- @tparam database from
-- @tparam database to
function M.copy(from, to)
  if not is_there(from) then
    return
  end
  for _, row in ipairs(from:query "SELECT subject, key, value FROM tombstone_before ORDER BY id") do
    to:exec(INSERT, row.subject, row.key, row.value or core.null)
  end
end

return M
