--- The command `tombstone`: reads its arguments, runs one command, answers an exit code.
--
-- The library knows nothing of this folder. What the command needs besides: lua-argparse (help,
-- usage, completion), lua-term (is it a terminal, colours), lua-cjson (`--json`), lua-filesystem
-- (folders), and lua-readline for `shell`, where it is there.
-- @module tombstone.cli
local commands = require "tombstone.cli.commands"
local context_of = require "tombstone.cli.context"
local output = require "tombstone.cli.output"
local parser = require "tombstone.cli.parser"
local refusal = require "tombstone.cli.refusal"

local function complain(context, message, hint)
  local function red(text)
    return context and context.terminal:paint_error("red", text) or text
  end
  io.stderr:write(red("tombstone: " .. message:gsub("\n", " ")), "\n")
  if hint then
    io.stderr:write("hint: ", (hint:gsub("\n", " ")), "\n")
  end
end

local function read(state, arguments)
  state.command, state.parsed = parser.parse(arguments, commands)
  state.context = context_of.new(state.parsed)
  state.context.commands = commands
end

local function run(state)
  local code = state.command.run(state.context, state.parsed) or refusal.DONE
  output.flush()
  return code
end

-- Only the first Ctrl-C comes as an error; what follows it here is short.
local function fail(context, err)
  local message, hint, code = refusal.explain(err)
  if context then
    context.terminal:clear()
    if code == refusal.INTERRUPTED then
      hint = context:outcome()
    end
  end
  complain(context, message, hint)
  return code
end

--- Runs the command with these arguments.
-- @tparam {string,...} arguments
-- @treturn number the exit code: 0 done, 1 refused or failed, 2 wrong usage, 3 nothing to do,
-- 130 interrupted
-- @usage os.exit(require "tombstone.cli" { "trash", "list" })
return function(arguments)
  local state = {}
  local function attempt()
    local ok, result = pcall(run, state)
    return ok and result or fail(state.context, result)
  end
  local ok, why = pcall(read, state, arguments)
  local code
  if not ok then
    code = fail(nil, why)
  elseif state.parsed.json and not state.command.prints then
    code = output.reserved(attempt)
  else
    code = attempt()
  end
  if state.context then
    state.context:close()
  end
  return code
end
