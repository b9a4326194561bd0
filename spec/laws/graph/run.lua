--- Runs random sequences on related rows, shrinks one that fails and prints it as a program.
local helper = require "helper"
local Generator = require "laws.graph.generator"
local Random = require "laws.random"
local World = require "laws.graph.world"
local calls = require "laws.graph.calls"
local plain = require "laws.run"
local shapes = require "laws.graph.shapes"
local show = require "laws.show"

local M = {}

local message_of = plain.message_of

local function drive(world, next_operation)
  return plain.drive(world, next_operation, calls.apply)
end

-- `options` are `shape`, `strategy` and `world` (options of it).
local function run_list(options, list)
  local _, err = drive(World.new(options.shape, options.strategy, options.world), plain.from_list(list))
  return err
end

-- The operations as a program that replays them.
local function program(options, list)
  local lines = {
    'local run, null = require "laws.graph.run", require "tombstone".null',
    string.format("run.replay(%q, %q, {", options.shape, options.strategy),
  }
  for _, operation in ipairs(list) do
    lines[#lines + 1] = "  " .. show.show(operation) .. ","
  end
  lines[#lines + 1] = "}" .. (options.world and ", " .. show.show(options.world) or "") .. ")"
  return table.concat(lines, "\n")
end

--- Runs a list of operations, as a failure prints it; raises what breaks.
function M.replay(shape, strategy, list, world)
  local err = run_list({ shape = shape, strategy = strategy, world = world }, list)
  if err then
    error(message_of(err) .. (type(err) == "table" and err.at or ""), 0)
  end
end

-- What a failure is about, without its numbers: a sequence is not shrunk into another failure.
local function outline(err)
  return message_of(err):gsub("%[.*", ""):gsub("%d+", ""):sub(1, 80)
end

-- The list with the operations inside of the one at `at` in its place.
local function spliced(list, at)
  local flat = {}
  for i, operation in ipairs(list) do
    for _, one in ipairs(i == at and operation.ops or { operation }) do
      flat[#flat + 1] = one
    end
  end
  return flat
end

-- Without transactions and deletions of many calls, where what they hold fails alone.
local function flatten(list, fails)
  for at = #list, 1, -1 do
    local flat = list[at].ops and spliced(list, at)
    if flat and fails(flat) then
      list = flat
    end
  end
  return list
end

local function shrink(list, fails)
  return plain.shrink(flatten(plain.shrink(list, fails), fails), fails)
end

local function report(options, seed, err, list)
  local small = shrink(list, function(fewer)
    local other = run_list(options, fewer)
    return other ~= nil and outline(other) == outline(err)
  end)
  local last = run_list(options, small)
  error(string.format("laws 4 and 7, %s, %s, SPEC_SEED=%d: %s\n\n%s\n", options.shape, options.strategy,
    seed, message_of(last or err), program(options, small)), 0)
end

local function sequence(options, seed)
  local world = World.new(options.shape, options.strategy, options.world)
  local generator, left = Generator.new(world, Random.new(seed)), options.length
  local applied, err = drive(world, function()
    left = left - 1
    return left >= 0 and generator:operation() or nil
  end)
  if err then
    report(options, seed, err, applied)
  end
  return #applied
end

--- Runs sequences of random operations. `options`: `shape` and `strategy` (names), `steps` (in
-- all, scaled), `length` (of a sequence), `world` (options of it).
function M.run(options)
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

return M
