--- `tombstone migrate`
-- @module tombstone.cli.migrate
local migrations = require "tombstone.cli.migrations"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "migrate",
  summary = "Apply the migrations that are pending.",
  epilog = "Each is a transaction: after a failure, mend the file and migrate again.",
}

function M.arguments(command)
  command:option("--to", "Go no further than this one: a name, or a number.")
  command:flag("--fake", "Note them as applied without running them.")
  command:flag("--dry-run", "Run them in a transaction that is taken back."):target "dry_run"
  command:flag("--accept-edited", "Take edited files as they are, and forget missing ones."):target "accept"
end

function M.run(context, arguments)
  if arguments.accept and arguments.dry_run then
    refusal.raise("--accept-edited writes, and --dry-run does not", "give one of them", refusal.USAGE)
  end
  local runner = migrations.runner(context, { create = true, look = arguments.dry_run })
  if arguments.accept then
    for _, name in ipairs(runner:accept()) do
      context.out:line("accepted " .. name)
    end
  end
  local names = runner:up { to = arguments.to, fake = arguments.fake, dry_run = arguments.dry_run }
  migrations.tell(context, names, "applied", arguments.dry_run)
end

return M
