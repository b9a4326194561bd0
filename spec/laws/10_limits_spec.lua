-- Law 10 under limits: a call that has too few steps did all or nothing, whichever step was its last.
local helper = require "helper"
local run = require "laws.run"

local function stopped(options, shape, strategy)
  local n = 0
  run.run {
    law = "law 10 under limits",
    shape = shape,
    strategy = strategy,
    steps = 1200,
    world = options,
    finish = function(world)
      n = n + (world.injected or 0)
    end,
    weights = { limit = 60, transaction = 2, deletion = 2 },
  }
  -- A short run may meet no call that is stopped.
  assert.is_true(n > 0 or helper.scaled(1200) < 300)
end

describe("law 10, all or nothing, whatever a call may take:", function()
  run.each_case(function(shape, strategy)
    it("random calls (" .. shape .. ", " .. strategy .. ")", function()
      stopped({}, shape, strategy)
    end)

    it("random calls of two handles on a file (" .. shape .. ", " .. strategy .. ")", function()
      stopped({ handles = 2 }, shape, strategy)
    end)
  end)
end)
