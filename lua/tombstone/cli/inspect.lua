--- `tombstone inspect`
-- @module tombstone.cli.inspect
local into = require "tombstone.cli.into"

local M = {
  name = "inspect",
  summary = "Write models from the tables of a database that is there.",
  epilog = "Nothing is changed in the database. What no model can express is said in comments.",
}

function M.arguments(command)
  into.option(command, "models.lua")
  into.force_option(command)
end

function M.run(context, arguments)
  into.keep(arguments)
  local db = context:db { models = false, read_only = true }
  into.put(context, arguments.output, require("tombstone.migrate.inspect").text(db))
end

return M
