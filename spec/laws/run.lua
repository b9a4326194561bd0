--- Runs random sequences, shrinks one that fails and prints it as a program.
local helper = require "helper"
local Generator = require "laws.generator"
local Random = require "laws.random"
local World = require "laws.world"
local operations = require "laws.operations"
local shapes = require "laws.shapes"
local show = require "laws.show"

local M = {}

--- What an error says.
function M.message_of(err)
  return tostring(type(err) == "table" and (err.message or err) or err)
end
local message_of = M.message_of

--- Applies operations from a source until it ends or a law breaks. Answers what was applied and
-- the error.
function M.drive(world, next_operation, apply)
  local applied = {}
  local ok, err = pcall(function()
    for operation in next_operation do
      applied[#applied + 1] = operation
      apply(world, operation)
    end
    if world.finish then
      world:finish()
    end
  end)
  world:close()
  return applied, not ok and err or nil
end

local function drive(world, next_operation)
  return M.drive(world, next_operation, operations.apply)
end

--- A source of the operations of a list.
function M.from_list(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end
local from_list = M.from_list

local function prepared(options)
  local world = World.new(options.shape, options.strategy, options.world)
  world.after = options.after
  world.finish = options.finish
  if options.prepare then
    options.prepare(world)
  end
  return world
end

-- ---- shrinking --------------------------------------------------------------------------

local SECONDS = 20 -- of shrinking

local function without(list, from, to)
  local rest = {}
  for i = 1, #list do
    if i < from or i > to then
      rest[#rest + 1] = list[i]
    end
  end
  return rest
end

local function with(list, at, operation)
  local copy = without(list, 0, 0)
  copy[at] = operation
  return copy
end

local function replaced_ops(operation, ops)
  local copy = {}
  for name, value in pairs(operation) do
    copy[name] = value
  end
  copy.ops = ops
  return copy
end

-- Drops runs of operations, long ones first, while what is left still fails.
local function drop(list, fails)
  local size = math.floor(#list / 2)
  while size >= 1 do
    local at = 1
    while at <= #list do
      local fewer = without(list, at, at + size - 1)
      if fails(fewer) then
        list = fewer
      else
        at = at + size
      end
    end
    size = math.floor(size / 2)
  end
  return list
end

local function drop_inside(list, fails)
  for i = 1, #list do
    if list[i].ops then
      local ops = drop(list[i].ops, function(fewer)
        return fails(with(list, i, replaced_ops(list[i], fewer)))
      end)
      ops = drop_inside(ops, function(fewer)
        return fails(with(list, i, replaced_ops(list[i], fewer)))
      end)
      list = with(list, i, replaced_ops(list[i], ops))
    end
  end
  return list
end

--- A shorter list of operations that still fails, as `fails(list)` tells.
function M.shrink(list, fails)
  local stop, before = os.clock() + SECONDS
  local function in_time(fewer)
    return os.clock() < stop and fails(fewer)
  end
  repeat
    before = #show.show(list)
    list = drop_inside(drop(list, in_time), in_time)
  until #show.show(list) == before
  return list
end

local function shrink(list, options)
  return M.shrink(list, function(fewer)
    local _, err = drive(prepared(options), from_list(fewer))
    return err ~= nil
  end)
end

-- ---- running ----------------------------------------------------------------------------

local function report(options, seed, err, list)
  local small = shrink(list, options)
  local _, last = drive(prepared(options), from_list(small))
  error(string.format("%s, %s, %s, SPEC_SEED=%d: %s\n\n%s\n", options.law, options.shape, options.strategy,
    seed, message_of(last or err), show.program(options.shape, options.strategy, small, options.world)), 0)
end

local function sequence(options, seed)
  local world = prepared(options)
  local generator = Generator.new(world, Random.new(seed), options.weights)
  local left = options.length
  local applied, err = drive(world, function()
    left = left - 1
    return left >= 0 and generator:operation() or nil
  end)
  if err then
    report(options, seed, err, applied)
  end
  return #applied
end

--- Runs sequences of random operations. `options`: `law` (its name, for people), `shape`,
-- `strategy`, `steps` (in all, scaled), `length` (of a sequence), `weights`, `after(world,
-- operation)` (the law's own check), `prepare(world)`, `finish(world)`, `world` (options of it).
function M.run(options)
  options.length = options.length or 60
  local steps, seed = helper.scaled(options.steps, options.length), helper.seed()
  while steps > 0 do
    steps = steps - sequence(options, seed)
    seed = seed + 1
  end
end

--- Calls `fn(shape, strategy)`, names, for each that the laws are tried on.
function M.each_case(fn)
  for _, shape in ipairs(shapes.all) do
    for _, strategy in ipairs(shapes.strategies) do
      fn(shape.name, strategy)
    end
  end
end

--- Runs a list of operations, as a failure prints it, in a world with these options; raises what
-- breaks. `after(world, operation)` is the law's own check.
function M.replay(shape, strategy, list, options, after)
  local world = prepared { shape = shape, strategy = strategy, world = options, after = after }
  local _, err = drive(world, from_list(list))
  if err then
    error(message_of(err) .. (err.at or ""), 0)
  end
end

return M
