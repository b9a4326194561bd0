--- Operations that delete, restore and purge.
local asked = require "laws.asked"
local plans = require "laws.plans"
local values = require "laws.values"

local M = {}

-- ---- delete -----------------------------------------------------------------------------

function M.delete_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local pk = asked.key_of(world, kept.row)
    local deletion = { pk = pk, actor = operation.actor, reason = operation.reason }
    if kept.lost or asked.is_foreign(plan, operation) then
      return "misuse"
    end
    n = plans.kill(plan, plan:lives(pk) and { pk } or {}, deletion)
  end, function()
    return kept.row:delete(asked.pick(operation, "actor", "reason"))
  end, function(event)
    asked.check_answer("delete", event ~= nil, n == 1)
    if n == 1 then
      local marks = world.mirror:bearers(world.mirror.rows[asked.key_of(world, kept.row)].values)
      marks.deleted_at, marks.deleted_event = true, true
      world:check_shown(kept.row, marks)
    end
    asked.keep_event(world, operation, kept.conn, event)
  end)
end

local function living_of(plan, pks)
  local living = {}
  for _, pk in ipairs(pks) do
    if plan:lives(pk) then
      living[#living + 1] = pk
    end
  end
  return living
end

function M.delete_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    if (asked.is_whole(described) and not operation.all) or asked.is_foreign(plan, operation) then
      return "misuse"
    elseif described.scope == "deleted_objects" then
      return nil, { early = true }
    end
    local pks = living_of(plan, plan:select(asked.described_for(world, described)))
    n = plans.kill(plan, pks, asked.pick(operation, "actor", "reason"))
    if operation.max_rows and n > operation.max_rows then
      return "too_many"
    end
  end, function()
    local options = asked.pick(operation, "actor", "reason", "max_rows", "all")
    return asked.query_of(world, conn, described):delete(options)
  end, function(count, event)
    asked.check_answer("delete", count, n)
    asked.check_answer("delete's event", event ~= nil, n > 0)
    asked.keep_event(world, operation, conn, event)
  end)
end

-- ---- restore ----------------------------------------------------------------------------

function M.restore_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local kind, why
    if kept.lost or asked.is_foreign(plan, operation) then
      return "misuse"
    end
    kind, why, n = plans.restore(plan, { asked.key_of(world, kept.row) }, operation)
    return kind, why
  end, function()
    return kept.row:restore(asked.how_of(world, operation))
  end, function(answer)
    asked.check_answer("restore", answer, n == 1)
    if n == 1 then
      world:check_shown(kept.row)
    end
  end)
end

function M.restore_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    local kind, why
    local unmeant = asked.is_whole(described) and not operation.all
    if described.scope == "objects" or unmeant or asked.is_foreign(plan, operation) then
      return "misuse"
    end
    kind, why, n = plans.restore(plan, plan:select(asked.described_for(world, described)), operation)
    return kind, why and { conflicts = why.conflicts, loose = true }
  end, function()
    return asked.query_of(world, conn, described):restore(asked.how_of(world, operation))
  end, function(count)
    asked.check_answer("restore", count, n)
  end)
end

function M.undo(world, operation)
  local known, n = world.events[operation.event], 0
  if not known then
    return
  end
  local event, conn = known.event, known.conn
  world:perform(conn, function(plan)
    local kind, why
    if not plan.events[event.id] then
      return "not_found"
    end
    kind, why, n = plans.restore(plan, plan:held_by(event.id), { on_conflict = operation.on_conflict })
    plan.events[event.id].undone_at = plan.now
    return kind, why and { conflicts = why.conflicts, loose = true }
  end, function()
    return event:undo { on_conflict = asked.how_of(world, operation).on_conflict }
  end, function(count)
    asked.check_answer("undo", count, n)
    local undone_at = values.micro(event.undone_at or 0)
    asked.check_answer("the event's undone_at", undone_at, values.micro(conn.clock.now))
  end)
end

-- ---- purge ------------------------------------------------------------------------------

function M.purge_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local pk = asked.key_of(world, kept.row)
    if kept.lost or asked.is_foreign(plan, { actor = operation.actor }) then
      return "misuse"
    end
    n = plans.purge(plan, plan.rows[pk] and { pk } or {}, { pk = pk, actor = operation.actor })
  end, function()
    return kept.row:purge(asked.pick(operation, "actor"))
  end, function(answer)
    asked.check_answer("purge", answer, n == 1)
  end)
end

function M.purge_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    local needs = described.scope ~= "deleted_objects" and not operation.living
    local unmeant = asked.is_whole(described) and not operation.all
    local dies = described.scope ~= "deleted_objects"
    if needs or unmeant or (dies and asked.is_foreign(plan, operation)) then
      return "misuse"
    end
    local pks = plan:select(asked.described_for(world, described))
    n = plans.purge(plan, pks, asked.pick(operation, "actor", "reason"))
  end, function()
    local options = asked.pick(operation, "living", "all", "actor", "reason")
    return asked.query_of(world, conn, described):purge(options)
  end, function(count)
    asked.check_answer("purge", count, n)
  end)
end

return M
