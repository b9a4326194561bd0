--- What must hold when a migration ends: no foreign key newly broken, no view or trigger newly
-- senseless, new tables sound.
-- @module tombstone.migrate.checks
local database = require "tombstone.database"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

-- ---- views and triggers -------------------------------------------------------------------

local SQL_ERROR = 1 -- SQLite's code for what it cannot compile

local function works(db, sql)
  local ok, err = pcall(db.query, db, sql)
  if not ok and not (type(err) == "table" and err.code == SQL_ERROR) then
    error(err, 0) -- says nothing of the view
  end
  return ok, not ok and err.message or nil
end

local EVENTS = { "INSERT", "UPDATE", "DELETE" }

-- Compiling a statement compiles the triggers that it would fire.
local function firing(db, name, event)
  local quoted = tokens.name(name)
  if event == "DELETE" then
    return "EXPLAIN DELETE FROM " .. quoted
  elseif event == "INSERT" then
    return ("EXPLAIN INSERT INTO %s DEFAULT VALUES"):format(quoted)
  end
  local set = {}
  for _, row in ipairs(db:query("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", name)) do
    set[#set + 1] = tokens.name(row.name) .. " = " .. tokens.name(row.name)
  end
  return ("EXPLAIN UPDATE %s SET %s"):format(quoted, table.concat(set, ", "))
end

-- INSERT, UPDATE or DELETE: the first of these words in CREATE TRIGGER.
local function event_of(sql)
  for _, token in ipairs(tokens.list(sql)) do
    for _, event in ipairs(EVENTS) do
      if token.word == event:lower() then
        return event
      end
    end
  end
end

local function try_triggers(db, found)
  for _, row in ipairs(db:query "SELECT tbl_name AS name, sql FROM sqlite_master WHERE type = 'trigger'") do
    local event = event_of(row.sql)
    local ok, why = works(db, firing(db, row.name, event))
    if not ok then
      found[("the trigger for %s of '%s'"):format(event, row.name)] = why
    end
  end
end

--- The views and triggers that SQLite cannot compile.
-- @tparam database db
-- @treturn {[string]=string} what -> why
function M.broken(db)
  local found = {}
  for _, row in ipairs(db:query "SELECT name FROM sqlite_master WHERE type = 'view'") do
    local ok, why = works(db, ("SELECT * FROM %s LIMIT 0"):format(tokens.name(row.name)))
    if not ok then
      found[("view '%s'"):format(row.name)] = why
    end
  end
  try_triggers(db, found)
  return found
end

-- ---- foreign keys ---------------------------------------------------------------------------

local MISMATCH = "foreign key mismatch"

-- How many rows of each foreign key point nowhere, and how many are all; or nil where SQLite cannot say,
-- since a parent's column is not unique.
local function violations(db)
  local found, n = {}, 0
  local ok, rows = pcall(db.query, db, "PRAGMA foreign_key_check")
  if not ok then
    if not tostring(rows):find(MISMATCH, 1, true) then
      error(rows, 0)
    end
    return nil, tostring(rows)
  end
  for _, row in ipairs(rows) do
    local key = ("%s\0%s\0%s"):format(row.table, tostring(row.fkid), tostring(row.parent))
    found[key] = (found[key] or 0) + 1
    n = n + 1
  end
  return found, n
end

local function path_of(db)
  for _, row in ipairs(db:query "PRAGMA database_list") do
    if row.name == "main" and row.file and row.file ~= "" then
      return row.file
    end
  end
end

--- Looks at what is so before a migration, as far as it cannot be seen later.
-- @tparam database db
-- @treturn table for `check`
function M.before(db)
  local before = { broken = M.broken(db), path = path_of(db) }
  if not before.path then
    before.violations, before.n = violations(db)
  end
  return before
end

-- What is committed: readers of the file see it while the migration is not.
local function violations_before(before)
  if not before.path then
    return before.violations, before.n
  end
  local db = database.open(before.path, { read_only = true })
  local ok, found, n = pcall(violations, db)
  db:close()
  if not ok then
    error(found, 0)
  end
  return found, n
end

-- Of a table that has another name now, all that can be said is that there are no more.
local function increase(found, n, was, n_was)
  for key, count in pairs(found) do
    if was[key] and count > was[key] then
      return count - was[key], key
    end
  end
  return n - n_was, next(found)
end

local function check_foreign_keys(job, before)
  local found, n = violations(job.db)
  if found and n == 0 then
    return
  end
  local was, n_was = violations_before(before)
  if not was then
    return -- it could not be said before either
  elseif not found then
    job:refuse(
      "A foreign key has no parent any more - " .. n,
      "its columns need a primary key or UNIQUE there"
    )
  end
  local more, key = increase(found, n, was, n_was)
  if more > 0 then
    job:refuse(
      ("%d rows would point at parents that are not there, one of them in '%s'"):format(
        more,
        key:match "^%Z*"
      ),
      "mend the rows in the migration, or leave the parents where they are"
    )
  end
end

-- ---- all of it ---------------------------------------------------------------------------------

local function check_views(job, before)
  for what, why in pairs(M.broken(job.db)) do
    if not before.broken[what] then
      job:refuse(
        ("After this, %s does not work any more - %s"):format(what, why),
        "drop it in the migration, and create it anew"
      )
    end
  end
end

-- SQLite 3.40 mistakes columns of tables without a rowid for each other.
local function is_mistaken(job, name, said)
  return said:match "^%u+ value in " ~= nil
    and #job:rows("SELECT 1 FROM pragma_table_list WHERE name = ? COLLATE NOCASE AND wr", name) > 0
end

local function check_table(job, name)
  if not schema.has(job.db, name) then
    return -- it has gone, or got another name
  end
  for _, row in ipairs(job:rows(("PRAGMA integrity_check(%s)"):format(tokens.text(name)))) do
    local said = tostring(row.integrity_check)
    if said ~= "ok" and not is_mistaken(job, name, said) then
      job:refuse(("Table '%s' is not sound - %s"):format(name, said), "look at the file by integrity_check")
    end
  end
end

--- Raises `migration` where something is worse than before.
-- @tparam job job
-- @tparam table before what `before` answered
function M.check(job, before)
  check_views(job, before)
  check_foreign_keys(job, before)
  for _, name in ipairs(job.rebuilt) do
    check_table(job, name)
  end
end

return M
