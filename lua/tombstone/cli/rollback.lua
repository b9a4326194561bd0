--- `tombstone rollback`
-- @module tombstone.cli.rollback
local migrations = require "tombstone.cli.migrations"
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "rollback",
  summary = "Take applied migrations back, the last first.",
  epilog = "Ends with 3 where none is applied.",
}

function M.arguments(command)
  command:option("--to", "Stop at this one, which stays: a name, or a number; 0 for none.")
  command:option("--steps", "How many; one where neither is said."):convert(tonumber)
  command:flag("--fake", "Only forget that they were applied.")
  command:flag("--dry-run", "Run them in a transaction that is taken back."):target "dry_run"
end

local function question(names)
  local what = #names == 1 and names[1] or ("%d migrations, %s to %s"):format(#names, names[1], names[#names])
  return ("Take back %s?"):format(what)
end

function M.run(context, arguments)
  local runner = migrations.runner(context)
  local how = { to = arguments.to, steps = arguments.steps, fake = arguments.fake }
  local names = runner:plan("down", how)
  if #names == 0 then
    context.out:line "Nothing to take back."
    context.out:result { migrations = output.list {}, dry_run = arguments.dry_run or false }
    return refusal.NOTHING
  end
  local losses = arguments.fake and {} or runner:losses(how)
  for _, line in ipairs(losses) do
    context.out:line(line, "yellow")
  end
  if not arguments.dry_run and not context:agreed(question(names)) then
    refusal.raise "not agreed, nothing was changed"
  end
  how.dry_run = arguments.dry_run
  migrations.tell(context, runner:down(how), "taken back", arguments.dry_run)
end

return M
