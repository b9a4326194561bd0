--- What must hold when a migration ends: no foreign key newly broken, no view or trigger newly
-- senseless, new tables sound.
-- @module tombstone.migrate.checks
local database = require "tombstone.database"
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

-- Compiling a statement compiles the triggers that it would fire.
local function firing(db, name)
  local quoted = tokens.name(name)
  local column = db:query("SELECT name FROM pragma_table_info(?) LIMIT 1", name)[1]
  local set = column and tokens.name(column.name)
  return {
    ("EXPLAIN DELETE FROM %s"):format(quoted),
    ("EXPLAIN INSERT INTO %s DEFAULT VALUES"):format(quoted),
    set and ("EXPLAIN UPDATE %s SET %s = %s"):format(quoted, set, set),
  }
end

local function try_triggers(db, found)
  local sql = "SELECT DISTINCT tbl_name AS name FROM sqlite_master WHERE type = 'trigger'"
  for _, row in ipairs(db:query(sql)) do
    for _, statement in ipairs(firing(db, row.name)) do
      local ok, why = works(db, statement)
      if not ok then
        found[("a trigger of '%s'"):format(row.name)] = why
      end
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

local function violations(db)
  local found, n = {}, 0
  for _, row in ipairs(db:query "PRAGMA foreign_key_check") do
    local key = ("%s, row %s, to %s"):format(row.table, tostring(row.rowid), tostring(row.parent))
    found[key] = row
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
    before.violations = violations(db)
  end
  return before
end

-- What is committed: readers of the file see it while the migration is not.
local function violations_before(before)
  if before.violations then
    return before.violations
  end
  local db = database.open(before.path, { read_only = true })
  local ok, found = pcall(violations, db)
  db:close()
  if not ok then
    error(found, 0)
  end
  return found
end

local function check_foreign_keys(job, before)
  local found, n = violations(job.db)
  if n == 0 then
    return
  end
  for key in pairs(violations_before(before)) do
    n = n - (found[key] and 1 or 0)
    found[key] = nil
  end
  local key, row = next(found)
  if key then
    job:refuse(
      ("%d rows would point at parents that are not there, one of them in '%s'"):format(n, row.table),
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

local function is_there(db, name)
  return #db:query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", name) > 0
end

-- SQLite 3.40 mistakes columns of tables without a rowid for each other.
local function is_mistaken(job, name, said)
  return said:match "^NULL value in " ~= nil
    and #job:rows("SELECT 1 FROM pragma_table_list WHERE name = ? COLLATE NOCASE AND wr", name) > 0
end

local function check_table(job, name)
  if not is_there(job.db, name) then -- it may have gone, or got another name
    return
  end
  for _, row in ipairs(job:rows(("PRAGMA integrity_check(%s)"):format(tokens.text(name)))) do
    local said = row.integrity_check
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
