--- The doctor looks at migrations: files that were edited, removed, or not finished.
-- @module tombstone.migrate.doctor_migrations
local files = require "tombstone.migrate.files"
local history = require "tombstone.migrate.history"

local M = {}

local KNOWN = {
  edited = {
    problem = "migration_edited",
    severity = "error",
    message = "migration %s was edited after it was applied",
    remedy = "put the file back and write a new migration; or migrate with --accept-edited",
  },
  missing = {
    problem = "migration_missing",
    severity = "error",
    message = "migration %s is applied, but its file is missing",
    remedy = "put the file back",
  },
  unfinished = {
    problem = "migration_unfinished",
    severity = "error",
    message = "migration %s was begun and has not finished",
    remedy = "migrate: it runs again",
  },
  pending = {
    problem = "migration_pending",
    severity = "info",
    message = "migration %s is not applied",
    remedy = "migrate",
  },
}

--- Adds what is wrong with the migrations that the report was told of.
function M.examine(report)
  local list = report.migrations and files.load(report.migrations)
  for _, entry in ipairs(list and history.status(report.db, list) or {}) do
    local known = KNOWN[entry.state]
    if known then
      report:add {
        problem = known.problem,
        severity = known.severity,
        message = known.message:format(entry.name),
        remedy = known.remedy,
      }
    end
  end
end

return M
