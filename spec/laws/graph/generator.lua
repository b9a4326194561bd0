--- Random operations on related rows: mostly what should succeed, sometimes what should not.
local tombstone = require "tombstone"

local Generator = {}
Generator.__index = Generator

local NAMES = {
  "create", "upsert", "update", "delete", "undo", "restore", "purge", "look", "transaction", "deletion",
}
local WEIGHTS = {
  create = 24, upsert = 3, update = 12, delete = 20, undo = 10, restore = 15, purge = 4, look = 4,
  transaction = 2, deletion = 3,
}
local CROWDED = { create = 2, update = 10, delete = 20, undo = 8, restore = 8, purge = 30, look = 2 }

local ROWS = 26 -- about so many are there
local TAGS = 14

--- A generator for a world.
function Generator.new(world, random)
  return setmetatable({ world = world, random = random, row = 0, event = 0 }, Generator)
end

-- ---- choices ----------------------------------------------------------------------------

local function by_number(a, b)
  return a.number < b.number
end

-- Rows of a model, in the order of their numbers: those that live, and the dead.
local function rows_of(generator, model)
  local living, dead, reference = {}, {}, generator.world.reference
  for _, row in pairs(reference.rows[model]) do
    local list = reference.lives(row) and living or dead
    list[#list + 1] = row
  end
  table.sort(living, by_number)
  table.sort(dead, by_number)
  return living, dead
end

local function pick_first_choice(generator, wanted, other, percent)
  local random = generator.random
  if #wanted > 0 and (#other == 0 or random:chance(percent)) then
    return random:pick(wanted)
  end
  return #other > 0 and random:pick(other) or nil
end

local function pick_model(generator)
  return generator.random:pick(generator.world.shape.models)
end

-- A model that has rows of the sort, if one of a few has: "living" or "dead".
local function pick_model_with(generator, sort)
  local model
  for _ = 1, 5 do
    model = pick_model(generator)
    local living, dead = rows_of(generator, model.name)
    if #(sort == "dead" and dead or living) > 0 then
      break
    end
  end
  return model
end

-- A tag of the model that no living row has, or any.
local function pick_tag(generator, model)
  local tag
  for _ = 1, generator.random:chance(70) and 6 or 1 do
    tag = "t" .. generator.random:int(1, TAGS)
    if not generator.world.reference:tagged(model.name, tag) then
      break
    end
  end
  return tag
end

local function pick_key(generator, model)
  local key
  for _ = 1, generator.random:chance(85) and 6 or 1 do
    key = tostring(generator.random:int(1, 14))
    if not generator.world.reference:at(model.name, key) then
      break
    end
  end
  return key
end

local function pick_target(generator, relation)
  if generator.random:chance(2) then
    return "nowhere"
  end
  local living, dead = rows_of(generator, relation.to)
  local row = pick_first_choice(generator, living, dead, 88)
  return row and row.number or nil
end

local function pick_points(generator, model, percent_null, null)
  local points = {}
  for _, relation in ipairs(model.relations) do
    if relation.null and generator.random:chance(percent_null) then
      points[relation.name] = null
    else
      points[relation.name] = pick_target(generator, relation)
    end
  end
  return points
end

-- Numbers of one to four rows of a model, mostly of the wanted sort; some may be gone.
local function pick_rows(generator, model, sort)
  local living, dead = rows_of(generator, model.name)
  local wanted, other = living, dead
  if sort == "dead" then
    wanted, other = dead, living
  end
  local numbers, seen = {}, {}
  for _ = 1, generator.random:chance(55) and 1 or generator.random:int(2, 4) do
    local row = pick_first_choice(generator, wanted, other, 90)
    if row and not seen[row.number] then
      seen[row.number] = true
      numbers[#numbers + 1] = row.number
    end
  end
  return numbers
end

-- Marks an operation on one row as its method's, in half of the cases.
local function by_row(generator, operation)
  if #operation.rows == 1 and generator.random:chance(50) then
    operation.by = "row"
  end
  return operation
end

local function next_row(generator)
  generator.row = generator.row + 1
  return generator.row
end

local function next_event(generator)
  generator.event = generator.event + 1
  return generator.event
end

-- ---- operations -------------------------------------------------------------------------

local make = {}

function make.create(generator)
  local model = pick_model(generator)
  return {
    op = "create",
    model = model.name,
    as = next_row(generator),
    key = model.key and pick_key(generator, model) or nil,
    tag = pick_tag(generator, model),
    points = pick_points(generator, model, 15),
    by = generator.random:chance(30) and "row" or nil,
  }
end

function make.upsert(generator)
  local model = pick_model(generator)
  if model.key then
    return make.create(generator)
  end
  local living = rows_of(generator, model.name)
  local twin = #living > 0 and generator.random:chance(60) and generator.random:pick(living)
  return {
    op = "upsert",
    model = model.name,
    as = next_row(generator),
    tag = twin and twin.tag or pick_tag(generator, model),
    points = pick_points(generator, model, 15, tombstone.null),
  }
end

function make.update(generator)
  local model = pick_model_with(generator, "living")
  local rows = pick_rows(generator, model, "living")
  local points = pick_points(generator, model, 15, tombstone.null)
  for _, relation in ipairs(model.relations) do
    if generator.random:chance(30) then
      points[relation.name] = nil
    end
  end
  local has_tag = #model.relations == 0 or next(points) == nil or generator.random:chance(25)
  return {
    op = "update",
    model = model.name,
    rows = rows,
    tag = has_tag and pick_tag(generator, model) or nil,
    points = points,
    by = #rows == 1 and generator.random:pick { "row", "save", "query" } or nil,
  }
end

function make.delete(generator)
  local model = pick_model_with(generator, "living")
  local operation = { op = "delete", model = model.name, event = next_event(generator) }
  operation.rows = pick_rows(generator, model, "living")
  return by_row(generator, operation)
end

-- The events that hold something, in order.
local function standing(generator)
  local seen, list = {}, {}
  for row in generator.world.reference:each() do
    for event in pairs(row.owners) do
      if not seen[event] then
        seen[event] = true
        list[#list + 1] = event
      end
    end
  end
  table.sort(list)
  return list
end

function make.undo(generator)
  local events = standing(generator)
  if #events > 0 and generator.random:chance(92) then
    local asks = generator.random:chance(10) or nil
    return { op = "undo", event = generator.random:pick(events), asks = asks }
  end
  return { op = "undo", event = generator.random:int(1, generator.event + 1) }
end

-- A strategy for each model. One that skips may leave a ring dead only where it skips for all.
local function pick_words(generator)
  local words, default = {}, generator.random:pick { "fail", "rename" }
  for _, model in ipairs(generator.world.shape.models) do
    words[model.name] = generator.random:pick { "skip", "rename", "rename", "fail" }
    default = words[model.name] == "skip" and "skip" or default
  end
  words.default = default
  return words
end

-- Numbers of about half of the dead rows.
local function pick_rivals(generator)
  local numbers = {}
  for _, model in ipairs(generator.world.shape.models) do
    local _, dead = rows_of(generator, model.name)
    for _, row in ipairs(dead) do
      numbers[#numbers + 1] = generator.random:chance(50) and row.number or nil
    end
  end
  return numbers
end

function make.restore(generator)
  local model = pick_model_with(generator, "dead")
  local operation = { op = "restore", model = model.name }
  operation.rows = pick_rows(generator, model, "dead")
  operation.parents = generator.random:chance(40) or nil
  operation.asks = generator.random:chance(10) or nil
  if generator.random:chance(30) then
    operation.words, operation.rivals = pick_words(generator), pick_rivals(generator)
  end
  return by_row(generator, operation)
end

function make.purge(generator)
  local sort = generator.random:chance(70) and "dead" or "living"
  local model = pick_model_with(generator, sort)
  local operation = { op = "purge", model = model.name, event = next_event(generator) }
  operation.rows = pick_rows(generator, model, sort)
  return by_row(generator, operation)
end

function make.look(generator)
  local events, model = standing(generator), pick_model(generator)
  if #events > 0 and generator.random:chance(50) then
    return { op = "look", event = generator.random:pick(events) }
  end
  return { op = "look", model = model.name, rows = pick_rows(generator, model, "living") }
end

function make.transaction(generator)
  local ops = {}
  for i = 1, generator.random:int(1, 4) do
    ops[i] = generator:operation "inside"
  end
  return { op = "transaction", ops = ops, rollback = generator.random:chance(60) or nil }
end

function make.deletion(generator)
  local operation = { op = "deletion", event = next_event(generator), ops = {} }
  for i = 1, generator.random:int(2, 4) do
    operation.ops[i] = make[generator.random:chance(80) and "delete" or "create"](generator)
  end
  return operation
end

-- By the query of a row's relation, from either side.
local function make_link(generator)
  local model
  local random = generator.random
  repeat
    model = random:pick(generator.world.shape.models)
  until next(model.ways)
  local names = {}
  for name in pairs(model.ways) do
    names[#names + 1] = name
  end
  table.sort(names)
  local living, dead = rows_of(generator, model.name)
  local row = pick_first_choice(generator, living, dead, 92)
  local operation = { op = "link", model = model.name, way = random:pick(names) }
  operation.row = row and row.number or 0
  operation.verb = random:pick { "add", "add", "add", "remove", "set", "create" }
  operation.as, operation.event = {}, next_event(generator)
  for i = 1, 4 do
    operation.as[i] = next_row(generator)
  end
  local to = generator.world.shape.by_name[model.ways[operation.way].to]
  if operation.verb == "create" then
    operation.tag = pick_tag(generator, to)
  else
    operation.rows = pick_rows(generator, to, "living")
  end
  return operation
end

local function how_many(reference)
  local n = 0
  for _ in reference:each() do
    n = n + 1
  end
  return n
end

--- The next operation.
function Generator:operation(inside)
  local crowded = how_many(self.world.reference) > ROWS
  if not crowded and self.world.shape.links and self.random:chance(25) then
    return make_link(self)
  end
  local name
  repeat
    name = self.random:weighted(NAMES, crowded and CROWDED or WEIGHTS)
  until not inside or (name ~= "transaction" and name ~= "deletion")
  return make[name](self)
end

return Generator
