--- The models by themselves: what needs no rows needs no database.
-- @module tombstone.cli.declared
local config = require "tombstone.cli.config"
local refusal = require "tombstone.cli.refusal"

local M = {}

--- Calls `fn` with a database in memory in which the models are declared.
-- @tparam table context of the command
-- @tparam function fn
-- @return what it answers
-- @raise a refusal where models.lua is missing or fails
function M.with(context, fn)
  local settings = context:settings()
  local declare = config.models(settings)
  local db = require("tombstone").open ":memory:"
  local ok, err = pcall(declare, db)
  if not ok then
    db:close()
    refusal.of_file(settings.models, err)
  end
  local done, result = pcall(fn, db)
  db:close()
  return done and result or error(result, 0)
end

return M
