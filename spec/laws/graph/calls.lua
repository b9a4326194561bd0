--- What each operation on related rows does with the library, and with the reference.
--
--     { op = "create", model = "B", as = 3, tag = "t1", points = { a = 1 }, by = "row" }
--     { op = "update", model = "B", rows = { 3 }, tag = "t2", points = { a = null }, by = "save" }
--     { op = "upsert", model = "B", as = 4, tag = "t1", points = { a = 1 } }
--     { op = "delete", model = "B", rows = { 3 }, event = 7, by = "row" }
--     { op = "undo", event = 7, asks = true }
--     { op = "restore", model = "B", rows = { 3 }, parents = true, asks = true, words = { B = "skip" },
--       rivals = { 4 } }
--     { op = "purge", model = "B", rows = { 3 }, event = 8 }
--     { op = "look", model = "B", rows = { 3 } } { op = "look", event = 7 }
--     { op = "transaction", rollback = true, ops = { … } }
--     { op = "deletion", event = 7, ops = { … } }    deletions and creations; all die in event 7
--
--     { op = "link", … }    see laws.graph.links
--
-- Rows and events are numbers; in `points`, "nowhere" is a key that no row has. `by = "row"`
-- calls a method of the row, or passes a row where a key would do; `asks` passes a function as
-- on_conflict; `words`, by model, are tried before in all ways, where the tags of `rivals` are taken, and
-- taken back.
local tombstone = require "tombstone"
local ahead = require "laws.graph.ahead"
local failure = require "laws.failure"
local links = require "laws.graph.links"
local snapshot = require "laws.graph.snapshot"
local strategies = require "laws.graph.strategies"

local M = {}
local fail = failure.fail

-- ---- values -----------------------------------------------------------------------------

local function target(world, relation, number)
  if number == "nowhere" then
    return world:nowhere(relation.to)
  end
  return world.rows[number] and world.rows[number].key
end

-- The keys that an operation wants its rows to point to; nil when one was never made.
local function points_of(world, operation)
  local points = {}
  for _, relation in ipairs(world.shape.by_name[operation.model].relations) do
    local number = operation.points and operation.points[relation.name]
    if number == tombstone.null then
      points[relation.name] = "null"
    elseif number ~= nil then
      points[relation.name] = target(world, relation, number)
      if points[relation.name] == nil then
        return nil
      end
    end
  end
  return points
end

-- Values for the library: keys of columns, or rows of relations.
local function given(world, operation, points)
  local values = { tag = operation.tag }
  for _, relation in ipairs(world.shape.by_name[operation.model].relations) do
    local key = points[relation.name]
    local parent = key and key ~= "null" and operation.by == "row" and world:fetch(relation.to, key)
    if key == "null" then
      values[operation.by == "row" and relation.name or relation.column] = tombstone.null
    elseif parent then
      values[relation.name] = parent
    elseif key ~= nil then
      values[relation.column] = key
    end
  end
  return values
end

local function query_of(world, model, keys)
  return world.models[model].all_objects:filter { [world.shape.by_name[model].key_name .. "__in"] = keys }
end

-- ---- create, update, upsert -------------------------------------------------------------

function M.create(world, operation)
  local model, points = world.shape.by_name[operation.model], points_of(world, operation)
  if not points then
    return
  end
  local values = given(world, operation, points)
  values[model.key_name] = operation.key
  local results = { pcall(world.models[model.name].create, world.models[model.name], values) }
  local key = operation.key or (results[1] and results[2].id) or "no key yet"
  local refusal = world.reference:create(model.name, key, { tag = operation.tag, points = points },
    operation.as)
  if world.settle(results, refusal) then
    world:know_row(operation.as, model.name, key)
  end
end

local function write_row(row, values, by)
  if by == "row" then
    return row:update(values)
  end
  for name, value in pairs(values) do
    row[name] = value
  end
  return row:save()
end

local function update_one(world, operation, points, key)
  local row = world:fetch(operation.model, key)
  if not row then
    return
  end
  local dead = not world.reference.lives(world.reference:at(operation.model, key))
  local results = { pcall(write_row, row, given(world, operation, points), operation.by) }
  local values = { tag = operation.tag, points = points }
  local refusal = world.reference:update(operation.model, { key }, values)
  world.settle(results, dead and { deleted = true } or refusal)
end

function M.update(world, operation)
  local keys, points = world:keys(operation.rows), points_of(world, operation)
  if not keys or not points then
    return
  elseif operation.by == "row" or operation.by == "save" then
    return update_one(world, operation, points, keys[1])
  end
  local model, key_name = world.models[operation.model], world.shape.by_name[operation.model].key_name
  local query = model.objects:filter { [key_name .. "__in"] = keys }
  local results = { pcall(query.update, query, given(world, operation, points)) }
  local values = { tag = operation.tag, points = points }
  world.settle(results, world.reference:update(operation.model, keys, values))
end

--- The living row with that tag gets the values, else there is a new one. Not for text keys.
function M.upsert(world, operation)
  local points, model = points_of(world, operation), world.models[operation.model]
  if not points then
    return
  end
  local values = { tag = operation.tag, points = points }
  local results = { pcall(model.upsert, model, given(world, operation, points), { on = "tag" }) }
  local twin = world.reference:tagged(operation.model, operation.tag)
  local key = twin and twin.key or results[1] and results[2].id or "no key yet"
  local refusal
  if twin then
    refusal = world.reference:update(operation.model, { twin.key }, values)
  else
    refusal = world.reference:create(operation.model, key, values, operation.as)
  end
  if world.settle(results, refusal) then
    world:know_row(operation.as, operation.model, key)
  end
end

-- ---- delete, undo, restore, purge -------------------------------------------------------

-- A function that is asked about each conflict and lets it be is as good as none.
local function on_conflict(operation)
  return operation.asks and function()
    return "fail"
  end or nil
end

-- The ways to the same end, before it is gone for good.
local function try_strategies(world, operation, keys)
  if operation.words then
    strategies.compare(world, query_of(world, operation.model, keys), operation)
  end
end

-- The one row, or the query of the rows; nothing when the row is gone.
local function subject_of(world, operation, keys)
  if operation.by == "row" then
    return world:fetch(operation.model, keys[1])
  end
  return query_of(world, operation.model, keys)
end

-- Calls a verb on it. Answers the results of pcall.
local function call(world, operation, keys, verb, options)
  local subject = subject_of(world, operation, keys)
  if subject and verb == "restore" then
    ahead.restore(world, subject, operation, keys)
  end
  return subject and { pcall(subject[verb], subject, options) }
end

-- As its plan says, which first lets one row too few go.
local function delete_as_planned(world, operation, keys)
  local subject, few = subject_of(world, operation, keys), nil
  if not subject then
    return nil
  end
  local plan = ahead.delete(world, subject, operation.model, keys)
  if plan.total > 1 then
    few = { pcall(subject.delete, subject, { max_rows = plan.total - 1 }) }
  end
  local options = { actor = "ana", max_rows = plan.total > 0 and plan.total or nil }
  local results = { pcall(subject.delete, subject, options) }
  ahead.deleted(plan, results, few)
  return results
end

function M.delete(world, operation)
  local keys = world:keys(operation.rows)
  local results = keys and delete_as_planned(world, operation, keys)
  if not results then
    return
  end
  local event = results[1] and (operation.by == "row" and results[2] or results[3]) or nil
  local number = world.shared or operation.event
  world:know_event(number, event)
  local refusal, count = world.reference:delete(operation.model, keys, number)
  if operation.by == "row" then
    world.settle(results, refusal)
  else
    world.settle(results, refusal, count)
  end
  if not refusal and (event ~= nil) ~= (count > 0) then
    fail("a deletion of %d rows answered the event %s", count, tostring(event))
  end
end

function M.undo(world, operation)
  local event = world.events[operation.event]
  if event then
    ahead.undo(world, event, operation.event)
    local results = { pcall(event.undo, event, { on_conflict = on_conflict(operation) }) }
    world.settle(results, world.reference:undo(operation.event))
  end
end

-- A row's method answers whether it was done, a query's how often.
local function settle_count(world, operation, results, refusal, count)
  local answer = count
  if operation.by == "row" and count then
    answer = count > 0
  end
  world.settle(results, refusal, answer)
end

function M.restore(world, operation)
  local keys = world:keys(operation.rows)
  local options = { parents = operation.parents, on_conflict = on_conflict(operation) }
  if keys then
    try_strategies(world, operation, keys)
  end
  local results = keys and call(world, operation, keys, "restore", options)
  if not results then
    return
  end
  local refusal, count = world.reference:restore(operation.model, keys, operation.parents)
  settle_count(world, operation, results, refusal, count)
end

-- Those that are living need an event to die in; then all that it holds is gone.
function M.purge(world, operation)
  local keys = world:keys(operation.rows)
  local options = operation.by ~= "row" and { living = true } or nil
  local results = keys and call(world, operation, keys, "purge", options)
  if not results then
    return
  end
  local refusal, count = world.reference:purge(operation.model, keys, operation.event)
  settle_count(world, operation, results, refusal, count)
end

M.link = links.link

-- ---- reading, transactions --------------------------------------------------------------

function M.look(world, operation)
  local event, keys = world.events[operation.event], world:keys(operation.rows or {})
  if event then
    snapshot.check_event(world, operation.event, event)
  end
  for _, key in ipairs(keys or {}) do
    local row = world:fetch(operation.model, key)
    if row then
      snapshot.check_row(world, operation.model, row)
    end
  end
end

local ROLLBACK = { "rolled back on request" }

function M.transaction(world, operation)
  local savepoint = world:savepoint()
  local ok, err = pcall(world.db.transaction, world.db, function()
    for _, inner in ipairs(operation.ops) do
      M.apply(world, inner)
    end
    if operation.rollback then
      error(ROLLBACK, 0)
    end
  end)
  if not ok and err ~= ROLLBACK then
    error(err, 0)
  elseif not ok then
    world:rollback(savepoint)
  end
end

--- Many calls in one event.
function M.deletion(world, operation)
  world.shared = operation.event
  local ok, event = pcall(world.db.deletion, world.db, { actor = "ana" }, function()
    for _, inner in ipairs(operation.ops) do
      M.apply(world, inner)
    end
  end)
  world.shared = nil
  if not ok then
    error(event, 0)
  end
  local known = world.events[operation.event]
  if (event and event.id) ~= (known and known.id) then
    fail("a deletion of many calls answered the event %s", tostring(event and event.id))
  end
end

--- Runs an operation and compares.
function M.apply(world, operation)
  M[operation.op](world, operation)
  world:check()
end

return M
