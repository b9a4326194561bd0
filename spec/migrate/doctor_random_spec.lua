-- Whatever the library has done to its rows, the doctor finds nothing.
local Generator = require "laws.generator"
local Random = require "laws.random"
local RelatedGenerator = require "laws.graph.generator"
local RelatedWorld = require "laws.graph.world"
local World = require "laws.world"
local calls = require "laws.graph.calls"
local doctor = require "tombstone.migrate.doctor"
local helper = require "helper"
local operations = require "laws.operations"
local related = require "laws.graph.run"
local run = require "laws.run"

local SEQUENCES, LENGTH = helper.scaled(12, 2), 40

-- `pardoned` is what sequences may do on purpose.
local function examined(pardoned)
  return function(world)
    for _, finding in ipairs(doctor.check(world.db or world.conns[1].db)) do
      if finding.problem ~= pardoned then
        error(finding.problem .. ": " .. finding.message, 0)
      end
    end
  end
end

local function try(world, generator, apply, pardoned)
  local left = LENGTH
  world.finish = examined(pardoned)
  local _, err = run.drive(world, function()
    left = left - 1
    return left >= 0 and generator:operation() or nil
  end, apply)
  return err
end

describe("the doctor after random sequences", function()
  related.each_case(function(shape, strategy)
    it("finds nothing in related rows, " .. shape .. ", " .. strategy, function()
      for i = 1, SEQUENCES do
        local seed = helper.seed() + i
        local world = RelatedWorld.new(shape, strategy)
        local generator = RelatedGenerator.new(world, Random.new(seed))
        local err = try(world, generator, calls.apply)
        assert.is_nil(err, "seed " .. seed .. ": " .. run.message_of(err))
      end
    end)
  end)

  run.each_case(function(shape, strategy)
    -- Texts of living rows may end like a deletion's: the sequences write such.
    it("finds nothing in single tables, " .. shape .. ", " .. strategy, function()
      for i = 1, SEQUENCES do
        local seed = helper.seed() + i
        local world = World.new(shape, strategy)
        local generator = Generator.new(world, Random.new(seed))
        local err = try(world, generator, operations.apply, "mangled_living")
        assert.is_nil(err, "seed " .. seed .. ": " .. run.message_of(err))
      end
    end)
  end)
end)
