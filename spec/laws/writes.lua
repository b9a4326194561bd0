--- Operations that create and edit rows.
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local asked = require "laws.asked"
local failure = require "laws.failure"
local plans = require "laws.plans"

local M = {}
local null = tombstone.null
local fail = failure.fail
local copy = Mirror.copy

-- ---- creating ---------------------------------------------------------------------------

local function create_by(world, operation, call)
  local conn, made = world:conn(operation), nil
  world:perform(conn, function(plan)
    local kind, why
    made, kind, why = plans.row(plan, operation.values)
    return kind, why
  end, function()
    return call(conn.model, operation.values)
  end, function(row)
    asked.new_key(world, made, row)
    world:check_shown(row)
    world:keep(operation.as, row, conn, true)
  end)
end

function M.create(world, operation)
  create_by(world, operation, function(model, given)
    return model:create(given)
  end)
end

function M.new_save(world, operation)
  create_by(world, operation, function(model, given)
    local row = model:new(given)
    local answer = row:save()
    if answer ~= row then
      fail "save answers something else than the row"
    end
    return row
  end)
end

-- Keys that the database gives are unknown before: negative numbers stand for them.
local function predict_rows(plan, list)
  local all = {}
  for i, given in ipairs(list) do
    local made, kind, why = plans.row(plan, given)
    if not made then
      return kind, why, i
    end
    local pk = made[plan.known.key.name] or -i
    plans.insert(plan, pk, made)
    all[i] = pk
  end
  return nil, nil, nil, all
end

function M.bulk_create(world, operation)
  local conn, refusal, index, pks = world:conn(operation), nil, nil, nil
  world:perform(conn, function(plan)
    local why
    refusal, why, index, pks = predict_rows(plan, operation.values)
    return refusal, why and { conflicts = why.conflicts, loose = true }
  end, function()
    local results = { pcall(conn.model.bulk_create, conn.model, operation.values) }
    if not results[1] and results[2].kind == refusal and results[2].index ~= index then
      fail("bulk_create names row %s and should name row %d", tostring(results[2].index), index)
    end
    if not results[1] then
      error(results[2], 0)
    end
    return results[2]
  end, function(rows)
    for i, row in ipairs(rows) do
      local made = world.mirror.rows[pks[i]].values
      world.mirror.rows[pks[i]] = nil
      asked.new_key(world, made, row)
      world:check_shown(row)
      world:keep(operation.as and operation.as[i], row, conn, true)
    end
  end, true)
end

-- ---- editing ----------------------------------------------------------------------------

local function put(row, changes)
  local before = {}
  for name, value in pairs(changes) do
    before[name] = row[name] == nil and null or row[name]
    if value == null then
      value = nil
    end
    row[name] = value
  end
  return before
end

-- What a save writes: what the row in Lua holds, absent fields as NULL.
local function held(world, row, names)
  local changes = {}
  for _, field in ipairs(world.known.fields) do
    local ours = field.role == nil or field.role == "created_at"
    if ours and (names == nil or names[field.name]) then
      changes[field.name] = row[field.name] == nil and null or row[field.name]
    end
  end
  return changes
end

local function save(world, operation, names)
  local kept = world:row(operation.row)
  local before = put(kept.row, operation.changes)
  local set = names and {}
  for _, name in ipairs(names or {}) do
    set[name] = true
  end
  local saved = false
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    elseif kept.row.deleted_at then
      return "deleted", { early = true }
    end
    local pk, changes = asked.key_of(world, kept.row), held(world, kept.row, set)
    return plans.edit(plan, pk, kept.row.version, changes)
  end, function()
    return kept.row:save(names)
  end, function()
    saved = true
    if not kept.lost then
      local shown = { version = true, updated_at = true }
      world:check_shown(kept.row, set or shown)
      world:check_shown(kept.row, shown)
    end
  end)
  if not saved then
    put(kept.row, before)
  end
end

function M.save(world, operation)
  save(world, operation, nil)
end

function M.save_some(world, operation)
  local names = {}
  for name in pairs(operation.changes) do
    names[#names + 1] = name
  end
  table.sort(names)
  save(world, operation, names)
end

function M.update_row(world, operation)
  local kept = world:row(operation.row)
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    end
    return plans.edit(plan, asked.key_of(world, kept.row), kept.row.version, operation.changes)
  end, function()
    return kept.row:update(asked.lua_values(operation.changes))
  end, function()
    local shown = copy(operation.changes)
    shown.version, shown.updated_at = true, true
    world:check_shown(kept.row, shown)
  end)
end

local function edit_all(plan, pks, changes)
  for _, pk in ipairs(pks) do
    local made, kind = plans.edited(plan, pk, changes)
    if not made then
      return kind
    end
    plan.rows[pk].values = made
  end
  local conflicts = {}
  for _, pk in ipairs(pks) do
    for _, conflict in ipairs(plan:conflicts(plan.rows[pk].values, pk)) do
      conflicts[#conflicts + 1] = conflict
    end
  end
  if #conflicts > 0 then
    return "integrity", { conflicts = conflicts, loose = true }
  end
end

function M.update_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    if described.scope ~= "objects" or (asked.is_whole(described) and not operation.all) then
      return "misuse"
    elseif plans.misfits(plan, operation.changes) then
      return "validation"
    end
    local pks = plan:select(asked.described_for(world, described))
    n = #pks
    return edit_all(plan, pks, operation.changes)
  end, function()
    local changes = asked.lua_values(operation.changes)
    return asked.query_of(world, conn, described):update(changes, asked.pick(operation, "all"))
  end, function(count)
    if count ~= n then
      fail("update answers %s and should answer %d", tostring(count), n)
    end
  end)
end

return M
