--- One restore in several ways: with words by model, and with functions that answer these.
local failure = require "laws.failure"
local shapes = require "laws.graph.shapes"
local show = require "laws.show"
local snapshot = require "laws.graph.snapshot"

local M = {}

local ROLLBACK = {}

-- A living row of the model, or nil.
local function any_living(reference, model)
  local found
  for key, row in pairs(reference.rows[model]) do
    if reference.lives(row) and (found == nil or key < found) then
      found = key
    end
  end
  return found
end

-- A living row that has the tag of a dead one, unless there is one, or it needs what is not there.
local function add_rival(world, model, tag)
  local values = { tag = tag, [model.key_name] = model.key and "rival of " .. tag or nil }
  for _, relation in ipairs(model.relations) do
    if not relation.null then
      values[relation.column] = any_living(world.reference, relation.to)
    end
  end
  pcall(world.models[model.name].create, world.models[model.name], values)
end

local function add_rivals(world, numbers)
  for _, number in ipairs(numbers) do
    local known = world.rows[number]
    local row = known and world.reference:at(known.model, known.key)
    if row then
      add_rival(world, world.shape.by_name[row.model], row.tag)
    end
  end
end

local function has_conflict(plan, model)
  for _, conflict in ipairs(plan.conflicts) do
    if conflict.model == model then
      return true
    end
  end
  return false
end

-- Rows that need each other come back last where functions are asked, so that of the conflicts
-- that refuse a restore another may be the first: one that the plan knows.
local function refusal_of(world, subject, options, err)
  if err.kind ~= "integrity" or not shapes.has_rings(world.shape) then
    return err.kind .. " of " .. err.model
  end
  local plan = subject:restore_plan { parents = options.parents }
  if not has_conflict(plan, err.model) then
    failure.fail("%s is refused, and the plan knows no conflict of it", err.model)
  end
  return err.kind
end

local function outcome_of(world, subject, options)
  local ok, answer = pcall(subject.restore, subject, options)
  if not ok and (type(answer) ~= "table" or failure.is(answer)) then
    error(answer, 0)
  end
  return ok and show.show { answer, snapshot.take(world) } or refusal_of(world, subject, options, answer)
end

-- What the call comes to, of which nothing is left.
local function try(world, subject, operation, strategies)
  local outcome
  local options = { on_conflict = strategies, parents = operation.parents }
  local _, err = pcall(world.db.transaction, world.db, function()
    add_rivals(world, operation.rivals)
    outcome = outcome_of(world, subject, options)
    error(ROLLBACK, 0)
  end)
  if err ~= ROLLBACK then
    error(err, 0)
  end
  return outcome
end

local function answering(words, is_asked)
  local strategies = {}
  for name, word in pairs(words) do
    strategies[name] = word
    if name ~= "default" and is_asked(name) then
      strategies[name] = function()
        return word
      end
    end
  end
  return strategies
end

local WAYS = {
  ["functions for all"] = function()
    return true
  end,
  ["a function for its own rows"] = function(name, own)
    return name == own
  end,
  ["functions for the others"] = function(name, own)
    return name ~= own
  end,
}

local function compare_functions(world, subject, operation)
  local words, own = operation.words, operation.model
  local wanted = try(world, subject, operation, words)
  for what, is_asked in pairs(WAYS) do
    local found = try(world, subject, operation, answering(words, function(name)
      return is_asked(name, own)
    end))
    if found ~= wanted then
      failure.fail("%s end in %s, and words in %s", what, found, wanted)
    end
  end
end

-- One word, and a table that holds it for each model.
local function compare_word(world, subject, operation, word)
  local words = { default = word }
  for _, model in ipairs(world.shape.models) do
    words[model.name] = word
  end
  local one = try(world, subject, operation, word)
  local each = try(world, subject, operation, words)
  local rest = try(world, subject, operation, { default = word })
  if each ~= one or rest ~= one then
    failure.fail("%s for each model ends in %s, as default in %s, and alone in %s", word, each, rest, one)
  end
end

--- Compares the ways, with living rows in the way of some. Of all of it nothing is left.
function M.compare(world, subject, operation)
  compare_functions(world, subject, operation)
  compare_word(world, subject, operation, operation.words.default)
end

return M
