--- The doctor looks at deletions: rows without their event, events without their rows.
-- @module tombstone.migrate.doctor_events
local reports = require "tombstone.migrate.doctor_report"

local M = {}
local counted, column, table_of = reports.counted, reports.column, reports.table

-- ---- rows ------------------------------------------------------------------------------------

local function check_dead(report, described)
  local event = column(described, "deleted_event")
  local unknown = ("(%s IS NULL OR %s NOT IN (SELECT id FROM tombstone_event))"):format(event, event)
  local dead = column(described, "deleted_at") .. " IS NOT NULL AND "
  local from = table_of(described) .. " WHERE " .. dead .. unknown
  report:add_rows(described, {
    problem = "event_missing",
    severity = "error",
    message = function(n, keys)
      return ("%s of %s are dead without an event: %s"):format(counted(n, "row"), described.name, keys)
    end,
    remedy = "restore or purge them: nothing can undo their deletion",
  }, from, column(described, described.key))
end

local function check_living(report, described)
  local event = column(described, "deleted_event")
  local where = ("%s IS NULL AND %s IS NOT NULL"):format(column(described, "deleted_at"), event)
  local from = table_of(described) .. " WHERE " .. where
  report:add_rows(described, {
    problem = "living_with_event",
    severity = "error",
    message = function(n, keys)
      return ("%s of %s live, held by an event: %s"):format(counted(n, "row"), described.name, keys)
    end,
    remedy = "take the event out of them",
    fix = function()
      report.db:exec(("UPDATE %s SET %s = NULL WHERE "):format(table_of(described), event) .. where)
    end,
  }, from, column(described, described.key))
end

-- ---- further owners --------------------------------------------------------------------------

-- Owners of rows that are gone or live, and those whose event is gone.
local function check_owners(report, described)
  local where = ("model = ? AND (event NOT IN (SELECT id FROM tombstone_event) OR NOT EXISTS"
    .. " (SELECT 1 FROM %s AS r WHERE CAST(r.%s AS text) = tombstone_owner.pk AND r.%s IS NOT NULL))"):format(
    table_of(described),
    column(described, described.key),
    column(described, "deleted_at")
  )
  report:add_rows(described, {
    problem = "owner_without_row",
    severity = "warning",
    message = function(n, keys)
      return ("%s of dead rows of %s have no such row, or no event: %s"):format(
        counted(n, "owner"),
        described.name,
        keys
      )
    end,
    remedy = "take them away",
    fix = function()
      report.db:exec("DELETE FROM tombstone_owner WHERE " .. where, described.name)
    end,
  }, "tombstone_owner WHERE " .. where, "pk", described.name)
end

-- ---- events ----------------------------------------------------------------------------------

local function check_unknown(report)
  for _, row in ipairs(report.db:query "SELECT model, count(*) AS n FROM tombstone_event GROUP BY model") do
    local described = report.models[row.model]
    if not described or described.soft_delete ~= "events" then
      report:add {
        problem = "event_unknown",
        severity = "warning",
        message = ("%s of %s, which is no model with events"):format(counted(row.n, "event"), row.model),
        remedy = "declare the model, or rename it in tombstone_event",
      }
    end
  end
end

-- An event may be held up by rows of any model, and by further owners.
local function empty_events(report)
  local parts = { "model = ?", "at < strftime('%Y-%m-%d %H:%M:%S', ?, 'unixepoch')" }
  local function add(held)
    parts[#parts + 1] = "NOT EXISTS (SELECT 1 FROM " .. held .. " = tombstone_event.id)"
  end
  report:each_model(function(described)
    if described.soft_delete == "events" then
      add(("%s AS r WHERE r.%s"):format(table_of(described), column(described, "deleted_event")))
    end
  end)
  if report:is_whole "tombstone_owner" then
    add "tombstone_owner AS o WHERE o.event"
  end
  return "tombstone_event WHERE " .. table.concat(parts, " AND ")
end

local function check_empty(report, described)
  local before = report.db:now() - described.keep
  report:add_rows(described, {
    problem = "event_empty",
    severity = "info",
    message = function(n, ids)
      return ("%s of %s hold no row any more: %s"):format(counted(n, "event"), described.name, ids)
    end,
    remedy = "db:purge_expired()",
    fix = function()
      report.db:purge_events()
    end,
  }, empty_events(report), "id", described.name, before)
end

--- Examines deletions.
-- @tparam table report
function M.examine(report)
  if not report:is_whole "tombstone_event" then
    return
  end
  check_unknown(report)
  report:each_model(function(described)
    if described.soft_delete ~= "events" then
      return
    end
    check_dead(report, described)
    check_living(report, described)
    if report:is_whole "tombstone_owner" then
      check_owners(report, described)
    end
    if described.keep then
      check_empty(report, described)
    end
  end)
end

return M
