--- `tombstone status`
-- @module tombstone.cli.status
local migrations = require "tombstone.cli.migrations"
local moment = require "tombstone.cli.moment"
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "status",
  summary = "Show which migrations are applied.",
  epilog = "Ends with 3 where some are not, or their files were edited or are missing.",
}

function M.arguments() end

local COLOURS = { applied = nil, pending = "yellow", unfinished = "red", edited = "red", missing = "red" }

function M.run(context)
  local entries = migrations.runner(context, { read_only = true }):status()
  local told, code = output.list {}, nil
  for i, entry in ipairs(entries) do
    local when = entry.applied_at and "  " .. entry.applied_at .. " UTC" or ""
    context.out:line(
      ("%-10s  %s%s"):format(entry.state, output.plain(entry.name), when),
      COLOURS[entry.state]
    )
    local at = entry.applied_at and moment.iso_of_text(entry.applied_at)
    told[i] = { name = entry.name, state = entry.state, applied_at = at or output.null }
    code = entry.state ~= "applied" and refusal.NOTHING or code
  end
  if #entries == 0 then
    context.out:line "There are no migrations."
  end
  context.out:result { migrations = told }
  return code
end

return M
