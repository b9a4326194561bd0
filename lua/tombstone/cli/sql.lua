--- `tombstone sql`
-- @module tombstone.cli.sql
local migrations = require "tombstone.cli.migrations"
local output = require "tombstone.cli.output"

local M = {
  name = "sql",
  summary = "Print the SQL of pending migrations, without touching the database.",
  epilog = "They run on an empty copy in memory: what functions do with rows is not shown.",
}

function M.arguments(command)
  command:option("--to", "Go no further than this one: a name, or a number.")
  command:flag("--down", "The SQL that takes the applied ones back.")
  command:option("--steps", "How many to take back; one where --to does not say."):convert(tonumber)
end

function M.run(context, arguments)
  local runner = migrations.runner(context, { read_only = true })
  local found = runner:sql { to = arguments.to, down = arguments.down, steps = arguments.steps }
  local told = output.list {}
  for i, step in ipairs(found) do
    context.out:line("-- " .. step.name, "bright")
    for _, sql in ipairs(step.statements) do
      context.out:line(sql .. ";")
    end
    told[i] = { name = step.name, statements = output.list(step.statements) }
  end
  context.out:result { migrations = told }
end

return M
