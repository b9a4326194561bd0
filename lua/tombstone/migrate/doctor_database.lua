--- The doctor looks at SQLite, the file, and what holds rows to their parents.
-- @module tombstone.migrate.doctor_database
local counted = require("tombstone.migrate.doctor_report").counted

local M = {}

local function number_of(version)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.(%d+)"
  return (tonumber(major) or 0) * 1000000 + (tonumber(minor) or 0) * 1000 + (tonumber(patch) or 0)
end

--- What a version of SQLite means for data.
-- @tparam table info as `db:info()` answers it
-- @string journal_mode as the pragma of that name
-- @treturn table|nil a finding
function M.sqlite(info, journal_mode)
  if number_of(info.version) < 3035000 then
    return {
      problem = "sqlite_too_old",
      severity = "error",
      message = "SQLite " .. info.version .. " has no RETURNING",
      remedy = "use 3.35 or later",
    }
  elseif info.warning and journal_mode == "wal" then
    return {
      problem = "sqlite_bug",
      severity = "warning",
      message = "SQLite " .. info.version .. info.warning:match "^this SQLite( [^:(]-) ?[:(]",
      remedy = "use SQLite 3.51.3, 3.50.7, 3.44.6 or later, or one connection at a time",
    }
  end
end

local function check_sqlite(report)
  local mode = report.db:query("PRAGMA journal_mode")[1].journal_mode
  local finding = M.sqlite(report.db:info(), mode)
  if finding then
    report:add(finding)
  end
end

local function add_damage(report, why)
  report:add {
    problem = "damaged",
    severity = "error",
    message = "the file is damaged: " .. tostring(why),
    remedy = "restore a backup, or rescue the rows with .recover of SQLite's shell",
  }
end

-- The quick check of some versions finds a NULL in tables WITHOUT ROWID where there is none.
local function is_sound(report)
  local ok, rows = pcall(report.db.query, report.db, "PRAGMA main.integrity_check(3)")
  if not ok then
    add_damage(report, type(rows) == "table" and rows.message or rows)
    return false
  end
  local sound = true
  for _, row in ipairs(rows) do
    if row.integrity_check ~= "ok" then
      sound = false
      add_damage(report, row.integrity_check)
    end
  end
  return sound
end

local function check_keys_are_on(report)
  if report.db:query("PRAGMA foreign_keys")[1].foreign_keys == 0 then
    report:add {
      problem = "foreign_keys_off",
      severity = "error",
      message = "foreign keys are off on this connection: nothing holds rows to their parents",
      remedy = "PRAGMA foreign_keys = ON, outside of a transaction",
      fix = function()
        report.db:exec "PRAGMA foreign_keys = ON"
      end,
    }
  end
end

local VIOLATED = [[
SELECT "table" AS name, parent, count(*) AS n, min(rowid) AS example
FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2]]

local function check_violations(report)
  for _, row in ipairs(report.db:query(VIOLATED)) do
    local example = row.example and ", as row " .. tostring(row.example) or ""
    local rows = counted(row.n, "row")
    report:add {
      problem = "foreign_key_violated",
      severity = "error",
      table = row.name,
      message = ("%s of %s point to no row of %s%s"):format(rows, row.name, row.parent, example),
      remedy = "make the parents, or purge the rows",
    }
  end
end

--- Examines the database as a whole.
-- @tparam table report
-- @treturn boolean whether its rows can be asked at all
function M.examine(report)
  check_sqlite(report)
  if not is_sound(report) then
    return false
  end
  check_keys_are_on(report)
  check_violations(report)
  return true
end

return M
