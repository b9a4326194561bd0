--- What is wrong with a database: it looks, says what to do, and mends where that is safe.
--
--     for _, finding in ipairs(require("tombstone.migrate.doctor").check(db)) do
--       print(finding.severity, finding.message, finding.remedy)
--     end
--
-- @module tombstone.migrate.doctor
local core = require "tombstone.core"
local database = require "tombstone.migrate.doctor_database"
local events = require "tombstone.migrate.doctor_events"
local indexes = require "tombstone.migrate.doctor_indexes"
local migrations = require "tombstone.migrate.doctor_migrations"
local reports = require "tombstone.migrate.doctor_report"
local rows = require "tombstone.migrate.doctor_rows"
local tables = require "tombstone.migrate.doctor_tables"

local M = {}

local EXAMINATIONS = {
  tables.examine,
  indexes.examine,
  rows.examine,
  events.examine,
  migrations.examine,
}

-- What migrations make would be in their way, were it made without them.
local BY_MIGRATION = {
  table_missing = true,
  table_differs = true,
  index_missing = true,
  unique_missing = true,
  counter_trigger_missing = true,
}

local function leave_to_migrations(list)
  for _, finding in ipairs(list) do
    if BY_MIGRATION[finding.problem] then
      finding.fix, finding.remedy = nil, "tombstone diff writes the migration, tombstone migrate applies it"
    end
  end
end

local RANKS = { error = 1, warning = 2, info = 3 }

local function sort(list)
  for i, finding in ipairs(list) do
    finding.place = i
  end
  table.sort(list, function(a, b)
    if a.severity ~= b.severity then
      return RANKS[a.severity] < RANKS[b.severity]
    end
    return a.place < b.place
  end)
  for _, finding in ipairs(list) do
    finding.place = nil
  end
  return list
end

--- Examines a database whose models are declared. It writes nothing, and reads all tables.
--
-- A finding has `problem`, `severity` (`"error"`: data is wrong or calls will fail, `"warning"`,
-- `"info"`), `table` where it is of one, `message`, `remedy`, and `fix`, a function, where mending
-- is safe. The problems are
--
-- * of the database: `sqlite_too_old sqlite_bug damaged foreign_keys_off foreign_key_violated`
-- * of tables: `table_missing table_differs keys_again foreign_key_missing foreign_key_acts`
-- * of indexes: `index_missing unique_missing stamp_index unique_counts_dead unique_useless`
-- * of rows: `living_under_dead mangled_living mangled_missing counter_wrong
-- counter_trigger_missing`
-- * of events: `event_missing living_with_event owner_without_row event_unknown event_empty`
-- * of migrations: `migration_edited migration_missing migration_unfinished migration_pending`
--
-- @tparam database db
-- @tparam[opt] table options `migrations`, as of `migrate.open`; else they are not looked at, and what
-- they would make can be mended without them
-- @treturn {table,...} the errors first; empty where all is well
-- @raise misuse where a model points to one that is not declared; migration where a table or a file of
-- migrations cannot be read; busy, database
-- @usage assert(#require("tombstone.migrate.doctor").check(db) == 0)
function M.check(db, options)
  core.check_options(options, { "migrations" }, "check")
  local report = reports.new(db)
  report.migrations = options and options.migrations
  local is_sound = database.examine(report)
  for _, examine in ipairs(is_sound and EXAMINATIONS or {}) do
    examine(report)
  end
  if report.migrations then
    leave_to_migrations(report.list)
  end
  return sort(report.list)
end

-- Foreign keys are switched outside of transactions alone.
local function mend(db, finding)
  if finding.problem == "foreign_keys_off" then
    return finding.fix()
  end
  return db:transaction(finding.fix)
end

--- Mends what can be mended safely, each in a transaction of its own, and looks again.
-- @tparam database db
-- @tparam[opt] table options as of `check`
-- @tparam[opt] {table,...} findings of `check`, where not all are meant
-- @treturn {table,...} the findings that were mended
-- @treturn {table,...} what is still wrong
-- @raise misuse within a transaction: foreign keys are switched outside of one
-- @usage local mended, left = require("tombstone.migrate.doctor").fix(db)
function M.fix(db, options, findings)
  if db:depth() > 0 or db:in_transaction() then
    core.misuse("The doctor mends outside of transactions", "commit or roll back first")
  end
  local mended = {}
  for _, finding in ipairs(findings or M.check(db, options)) do
    if finding.fix then
      mend(db, finding)
      mended[#mended + 1] = finding
    end
  end
  return mended, M.check(db, options)
end

return M
