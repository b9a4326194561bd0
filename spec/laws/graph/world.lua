--- A database of related rows and its reference, driven by operations.
--
-- An operation is a plain table that can be printed and run again. Rows and events go by the
-- numbers that operations gave them (`as`); one that speaks of rows which no operation made is
-- passed over, since shrinking may have dropped those. `laws.graph.calls` makes the calls.
local helper = require "helper"
local tombstone = require "tombstone"
local Reference = require "laws.graph.reference"
local failure = require "laws.failure"
local shapes = require "laws.graph.shapes"
local snapshot = require "laws.graph.snapshot"

local World = {}
World.__index = World

local fail = failure.fail

--- A world of a shape and a strategy, by name. `options`: `hooks` (true: idle ones).
function World.new(shape, strategy, options)
  local world = setmetatable({ strategy = strategy, rows = {}, events = {}, numbers = {} }, World)
  world.shape = shapes.named(shape)
  world.reference = Reference.new(world.shape)
  world.db = tombstone.open(":memory:", { clock = helper.clock().tell })
  world.models = shapes.declare(world.db, world.shape, strategy, options and options.hooks)
  world.db:create_tables()
  world.last = snapshot.take(world)
  return world
end

function World:close()
  self.db:close()
end

-- ---- names ------------------------------------------------------------------------------

--- Gives a row a number: `{ model =, key = }` stands for it, also when it is gone.
function World:know_row(number, model, key)
  self.rows[number] = { model = model, key = key }
end

--- Gives an event of the library a number. The event is nil where nothing was deleted.
function World:know_event(number, event)
  if event then
    self.events[number] = event
    self.numbers[event.id] = number
  end
end

--- The keys of the rows of these numbers, or nil when one was never made.
function World:keys(numbers)
  local keys = {}
  for i, number in ipairs(numbers) do
    local row = self.rows[number]
    if not row then
      return nil
    end
    keys[i] = row.key
  end
  return keys
end

--- A key that no row of a model has.
function World:nowhere(model)
  return self.shape.by_name[model].key and "nowhere" or 999999999
end

--- A row in Lua, freshly read, or nil when it is gone.
function World:fetch(model, key)
  return self.models[model].all_objects:find(key)
end

-- ---- calls ------------------------------------------------------------------------------

local function list_of(kinds)
  local names = {}
  for kind in pairs(kinds) do
    names[#names + 1] = kind
  end
  table.sort(names)
  return table.concat(names, " or ")
end

--- Compares the outcome of a call (`results` of its pcall) with what the reference says. The
-- answer is what the call should answer; nil is not compared. Answers whether it was done.
function World.settle(results, refusal, answer)
  local ok, found = results[1], results[2]
  if not ok and failure.is(found) then
    error(found, 0)
  elseif refusal and ok then
    fail("%s was expected and nothing was refused", list_of(refusal))
  elseif refusal and not (type(found) == "table" and refusal[found.kind]) then
    fail("%s was expected, and it was %s", list_of(refusal), failure.describe(found))
  elseif not refusal and not ok then
    fail("a call was refused that should not be: %s", failure.describe(found))
  elseif not refusal and answer ~= nil and found ~= answer then
    fail("a call answered %s and should answer %s", tostring(found), tostring(answer))
  end
  return ok
end

-- ---- comparing --------------------------------------------------------------------------

-- Law 7, by SQL on the tables themselves.
local function check_orphans(world)
  for _, model in ipairs(world.shape.models) do
    for _, relation in ipairs(model.relations) do
      local parent = world.shape.by_name[relation.to]
      local found = world.db:query(string.format(
        'SELECT c."%s" AS k FROM "%s" AS c LEFT JOIN "%s" AS p ON p."%s" = c."%s" WHERE c."%s" IS NOT NULL'
          .. " AND (p.%s IS NULL OR (p.deleted_at IS NOT NULL AND c.deleted_at IS NULL AND %s))",
        model.key_name, shapes.table_of(model), shapes.table_of(parent), parent.key_name, relation.column,
        relation.column, parent.key_name, relation.on_delete == "keep" and "0" or "1"))
      if found[1] then
        fail("law 7: %s %s lives while its %s is dead or missing", model.name, tostring(found[1].k),
          relation.name)
      end
    end
  end
end

-- Each counter is a count of the living children, also that of a dead parent.
local function check_counters(world)
  for _, model in ipairs(world.shape.models) do
    for _, relation in ipairs(model.relations) do
      local parent, counter = world.shape.by_name[relation.to], shapes.counter_of(relation)
      local found = world.db:query(string.format(
        'SELECT p."%s" AS k, p."%s" AS n FROM "%s" AS p WHERE n IS NOT (SELECT count(*) FROM "%s" AS c'
          .. ' WHERE c."%s" = p."%s" AND c.deleted_at IS NULL)',
        parent.key_name, counter, shapes.table_of(parent), shapes.table_of(model), relation.column,
        parent.key_name))
      if found[1] then
        fail("%s of %s %s is %d, which is no count of the living", counter, parent.name,
          tostring(found[1].k), found[1].n)
      end
    end
  end
end

--- Compares the database with the reference, and with what it was before the operation.
function World:check()
  check_orphans(self)
  check_counters(self)
  local now = snapshot.take(self)
  snapshot.compare(self, now)
  snapshot.check_frozen(self, self.last, now)
  self.last = now
  if self.reference:orphan() then
    fail "the reference itself breaks law 7"
  end
end

--- What every event says that it holds.
function World:finish()
  for number, event in pairs(self.events) do
    snapshot.check_event(self, number, event)
  end
end

-- ---- transactions -----------------------------------------------------------------------

--- What a rollback goes back to.
function World:savepoint()
  local function copy(from)
    local to = {}
    for key, value in pairs(from) do
      to[key] = value
    end
    return to
  end
  return {
    reference = self.reference:clone(),
    rows = copy(self.rows),
    events = copy(self.events),
    numbers = copy(self.numbers),
    last = self.last,
  }
end

function World:rollback(savepoint)
  for name, value in pairs(savepoint) do
    self[name] = value
  end
end

return World
