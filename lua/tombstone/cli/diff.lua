--- `tombstone diff`
-- @module tombstone.cli.diff
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "diff",
  summary = "Write the next migration: what makes the database what the models say.",
  epilog = "Ends with 3 where nothing is to do. Read the file before you migrate: what it drops\n"
    .. "stands at its top.",
}

function M.arguments(command)
  command:argument("name", "Words for the file's name; else they come from what it does."):args "?"
  command:flag("--dry-run", "Print the file and write nothing."):target "dry_run"
end

-- A database that is not there yet is an empty one.
local function find(context, arguments)
  local migrate = require "tombstone.migrate"
  local db = context:db { create = true, look = arguments.dry_run, read_only = arguments.dry_run }
  if arguments.dry_run then
    return nil, migrate.diff(db)
  end
  return migrate.write(db, context:settings().migrations, arguments.name)
end

function M.run(context, arguments)
  local path, change = find(context, arguments)
  for _, remark in ipairs(change.remarks) do
    context.out:line(remark, "yellow")
  end
  if change.empty then
    context.out:line "The database is what the models say."
  elseif path then
    context.out:line("wrote " .. path, "green")
  else
    context.out:line((change.text:gsub("\n$", "")))
  end
  context.out:result {
    file = path or output.null,
    empty = change.empty,
    remarks = output.list(change.remarks),
    text = not change.empty and change.text or output.null,
  }
  return change.empty and refusal.NOTHING or nil
end

return M
