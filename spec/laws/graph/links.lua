--- What a relation's query does with links, with the library and with the reference.
--
--     { op = "link", verb = "add", model = "Post", way = "words", row = 3, rows = { 5, 6 }, as = { 8, 9 } }
--     { op = "link", verb = "remove", …, event = 7 } { op = "link", verb = "set", …, as = …, event = 7 }
--     { op = "link", verb = "create", model = "Post", way = "words", row = 3, tag = "t1", as = { 8, 9 } }
--
-- A link is a row with two parents, and the reference knows no more about it: adding creates the
-- links that no living one stands for, removing deletes the living ones.
local failure = require "laws.failure"
local helper = require "helper"

local M = {}
local fail = failure.fail

-- The living links from a row to those with the keys, or to all others, by the far key.
local function living(world, way, near, is_wanted)
  local keys, found = {}, {}
  for key, link in pairs(world.reference.rows[way.through]) do
    local far = link.points[way.far]
    if world.reference.lives(link) and link.points[way.near] == near and is_wanted(far) then
      keys[#keys + 1] = key
      found[far] = true
    end
  end
  return keys, found
end

local function set_of(keys)
  local set = {}
  for _, key in ipairs(keys) do
    set[key] = true
  end
  return set
end

-- The key and the tag of the n-th link that the library has made, or would have.
local function made(world, way, near, far, done, n)
  if not done then
    return "no key yet, " .. n, "no tag yet, " .. n
  end
  local link = world.models[way.through].objects:get {
    [way.near .. "_id"] = near,
    [way.far .. "_id"] = far,
  }
  return link.id, link.tag
end

-- Creates what is missing in the reference. Answers its refusal, or nil and how many.
local function create(world, way, near, fars, as, done)
  local wanted = set_of(fars)
  local _, there = living(world, way, near, function(far)
    return wanted[far]
  end)
  local n = 0
  for _, far in ipairs(fars) do
    if not there[far] then
      there[far], n = true, n + 1
      local key, tag = made(world, way, near, far, done, n)
      local points = { [way.near] = near, [way.far] = far }
      local refusal = world.reference:create(way.through, key, { tag = tag, points = points }, as[n])
      if refusal then
        return refusal
      end
      world:know_row(as[n], way.through, key)
    end
  end
  return nil, n
end

local verbs = {}

function verbs.add(world, operation, way, near, fars, done)
  return create(world, way, near, fars, operation.as, done)
end

function verbs.remove(world, operation, way, near, fars)
  local wanted = set_of(fars)
  return world.reference:delete(way.through, (living(world, way, near, function(far)
    return wanted[far]
  end)), operation.event)
end

function verbs.set(world, operation, way, near, fars, done)
  local wanted = set_of(fars)
  local others = living(world, way, near, function(far)
    return not wanted[far]
  end)
  world.reference:delete(way.through, others, operation.event)
  return create(world, way, near, fars, operation.as, done)
end

-- The new row is the first of its numbers.
function verbs.create(world, operation, way, near, _, done, row)
  local key = done and row.id or "new"
  local refusal = world.reference:create(way.to, key, { tag = operation.tag, points = {} }, operation.as[1])
  if refusal then
    return refusal
  end
  world:know_row(operation.as[1], way.to, key)
  return create(world, way, near, { key }, { operation.as[2] }, done)
end

-- The event that the call has made. Older ones without a number are there, too: the purge of a
-- living row leaves the event of its deletion.
local function new_event(world)
  local newest
  for _, event in ipairs(world.db:events()) do
    if not world.numbers[event.id] and (newest == nil or event.id > newest.id) then
      newest = event
    end
  end
  return newest
end

local function call(world, operation, query, keys, way)
  if operation.verb == "create" then
    return { pcall(query.create, query, { tag = operation.tag }) }
  end
  local rows = {}
  for i, key in ipairs(keys) do
    rows[i] = world:fetch(way.to, key)
    if not rows[i] then
      return nil
    end
  end
  if operation.verb == "set" then
    return { pcall(query.set, query, rows) }
  end
  return { pcall(query[operation.verb], query, helper.unpack(rows)) }
end

--- Runs the operation and compares what came of it.
function M.link(world, operation)
  local way = world.shape.by_name[operation.model].ways[operation.way]
  local from, keys = world.rows[operation.row], world:keys(operation.rows or {})
  local row = from and from.model == operation.model and world:fetch(operation.model, from.key)
  local results = row and keys and call(world, operation, row[operation.way](row), keys, way)
  if not results then
    return
  end
  local savepoint = world:savepoint()
  local refusal, n = verbs[operation.verb](world, operation, way, from.key, keys, results[1], results[2])
  if refusal then
    world:rollback(savepoint)
  end
  local answer = operation.verb ~= "create" and n or nil
  if world.settle(results, refusal, answer) then
    world:know_event(operation.event, new_event(world))
  end
end

--- What a row answers for its links: the living rows behind the living ones.
function M.check(world, model, row, same_keys)
  for name, way in pairs(model.ways) do
    local _, found = living(world, way, row[model.key_name], function(far)
      return world.reference.lives(world.reference:at(way.to, far))
    end)
    local wanted, keys = {}, row[name](row):pluck "id"
    for far in pairs(world.reference.lives(world.reference:at(model.name, row.id)) and found or {}) do
      wanted[#wanted + 1] = far
    end
    keys.n = nil
    if row[name](row):count() ~= #keys then
      fail("%s:%s() counts other than it lists", model.name, name)
    end
    same_keys(model.name .. ":" .. name .. "()", keys, wanted)
  end
end

return M
