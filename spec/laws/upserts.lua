--- Operations that look for a row and make one.
local Mirror = require "laws.mirror"
local asked = require "laws.asked"
local failure = require "laws.failure"
local plans = require "laws.plans"
local values = require "laws.values"

local M = {}
local fail = failure.fail
local copy = Mirror.copy

local function have(plan, field_names, made, row_values)
  for _, name in ipairs(field_names) do
    local one, other = made[name], row_values[name]
    if one == nil or other == nil or not values.same(plan.known.by_name[name], one, other) then
      return false
    end
  end
  return true
end

local function rank_of_death(plan, pk)
  local field = plan.known.key
  return function(other)
    local a, b = plan.rows[pk], plan.rows[other]
    return a.at > b.at or (a.at == b.at and values.before(field, other, pk))
  end
end

-- The row of these values that died last.
local function dead_twin(plan, names, made)
  local found
  for pk, row in pairs(plan.rows) do
    local is_twin = row.at and have(plan, names, made, plan:originals(row))
    if is_twin and (not found or rank_of_death(plan, pk)(found)) then
      found = pk
    end
  end
  return found
end

local function living_twin(plan, names, made)
  for pk, row in pairs(plan.rows) do
    if not row.at and have(plan, names, made, row.values) then
      return pk
    end
  end
end

local function revive_twin(plan, names, made, policy)
  local twin = not living_twin(plan, names, made) and dead_twin(plan, names, made)
  if not twin then
    return nil
  elseif policy == "refuse" then
    return "deleted"
  end
  return plans.restore(plan, { twin }, {})
end

local function is_by(operation, name)
  for _, by in ipairs(operation.by) do
    if by == name then
      return true
    end
  end
  return false
end

-- What an upsert writes into the row that is there.
local function upsert_changes(world, operation, given)
  local changes = operation.update and copy(operation.update) or {}
  for _, field in ipairs(operation.update and {} or world.known.fields) do
    local value = given[field.name]
    if value ~= nil and not is_by(operation, field.name) and field.role ~= "key" then
      changes[field.name] = value
    end
  end
  return changes
end

local function strategy_of(plan, names)
  for _, group in ipairs(plan.known.groups) do
    if table.concat(group.names, ",") == table.concat(names, ",") then
      return group.strategy
    end
  end
end

local function in_the_way(plan, operation, made)
  local strategy = strategy_of(plan, operation.by)
  for pk, row in pairs(plan.rows) do
    local is_asked = strategy ~= "live" or not row.at
    if is_asked and have(plan, operation.by, made, row.values) then
      return pk
    end
  end
end

local function insert_or_update(plan, operation, made, changes)
  local there = in_the_way(plan, operation, made)
  if there and plan.rows[there].at then
    return "deleted"
  elseif there and not next(changes) then
    return nil, nil, there
  elseif there then
    local kind, why = plans.edit(plan, there, nil, changes)
    return kind, why, there
  end
  local conflicts = plan:conflicts(made)
  if #conflicts > 0 then
    return "integrity", { conflicts = conflicts, values = made }
  end
end

local function predict_upsert(plan, world, operation, given)
  local changes = upsert_changes(world, operation, given)
  local made, kind = plans.prepare(plan, given)
  if not made or plans.misfits(plan, changes) then
    return kind or "validation"
  end
  if (operation.on_deleted or "new") ~= "new" then
    local refusal, why = revive_twin(plan, operation.by, made, operation.on_deleted)
    if refusal then
      return refusal, why
    end
  end
  local refusal, why, there = insert_or_update(plan, operation, made, changes)
  return refusal, why, there, made
end

-- The values of an upsert by a key that the database has given are known when it runs.
local function given_to_upsert(world, operation)
  local given, kept = copy(operation.values), operation.row_key and world:row(operation.row_key)
  if kept and not kept.lost then
    given[world.known.key.name] = kept.row[world.known.key.name]
  end
  return given
end

-- An upsert answers a row as it is now: what a rollback makes of it cannot be known to it.
function M.upsert(world, operation)
  local conn, there, made = world:conn(operation), nil, nil
  local given = given_to_upsert(world, operation)
  world:perform(conn, function(plan)
    local kind, why
    kind, why, there, made = predict_upsert(plan, world, operation, given)
    return kind, why
  end, function()
    local options = { on = operation.by, on_deleted = operation.on_deleted }
    options.update = operation.update and asked.lua_values(operation.update)
    return conn.model:upsert(given, options)
  end, function(row)
    if not there then
      asked.new_key(world, made, row)
    elseif asked.key_of(world, row) ~= there then
      fail "an upsert wrote another row"
    end
    world:check_shown(row)
    world:keep(operation.as, row, conn, false)
  end)
end

local function merged(match, defaults)
  local all = copy(match)
  for name, value in pairs(defaults or {}) do
    all[name] = value
  end
  return all
end

local function predict_get(plan, operation)
  local names, made = {}, {}
  for name, value in pairs(operation.match) do
    local fits, stored = values.store(plan.known.by_name[name], value)
    if not fits then
      return "misuse"
    end
    names[#names + 1] = name
    made[name] = stored
  end
  local found = living_twin(plan, names, made)
  if not found and (operation.on_deleted or "new") ~= "new" then
    local twin = dead_twin(plan, names, made)
    local kind, why = revive_twin(plan, names, made, operation.on_deleted)
    return kind, why, not kind and twin or nil
  end
  return nil, nil, found
end

function M.get_or_create(world, operation)
  local conn, there, made = world:conn(operation), nil, nil
  world:perform(conn, function(plan)
    local kind, why
    kind, why, there = predict_get(plan, operation)
    if kind or there then
      return kind, why
    end
    made, kind, why = plans.row(plan, merged(operation.match, operation.defaults))
    return kind, why
  end, function()
    return conn.model:get_or_create(operation.match, operation.defaults, asked.pick(operation, "on_deleted"))
  end, function(row, created)
    if created ~= (there == nil) then
      fail("get_or_create says %s", tostring(created))
    elseif created then
      asked.new_key(world, made, row)
    elseif asked.key_of(world, row) ~= there then
      fail "get_or_create found another row"
    end
    world:check_shown(row)
    world:keep(operation.as, row, conn, created)
  end, true)
end

return M
