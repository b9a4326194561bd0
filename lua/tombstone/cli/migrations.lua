--- What the commands on migrations share.
-- @module tombstone.cli.migrations
local output = require "tombstone.cli.output"

local M = {}

--- The runner for the folder of the settings.
-- @tparam context context
-- @tparam[opt] table options of `context:db`
-- @treturn runner
-- @raise a refusal, migration
function M.runner(context, options)
  local how = { models = false }
  for key, value in pairs(options or {}) do
    how[key] = value
  end
  local db = context:db(how)
  return require("tombstone.migrate").open(db, {
    migrations = context:settings().migrations,
    progress = function(step)
      local what = ("%s, %s"):format(step.migration, step.table)
      context.terminal:progress(what, step.done, step.total)
    end,
  })
end

--- Says which migrations were done, or would be.
-- @tparam context context
-- @tparam {string,...} names
-- @string verb as in "applied"
-- @tparam boolean is_dry
function M.tell(context, names, verb, is_dry)
  for _, name in ipairs(names) do
    context.out:line((is_dry and "would be " .. verb or verb) .. " " .. name, not is_dry and "green" or nil)
  end
  if #names == 0 then
    context.out:line "Nothing to do."
  end
  context.out:result { migrations = output.list(names), dry_run = is_dry or false }
end

return M
