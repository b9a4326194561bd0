--- The command line: options of all commands, and the commands.
--
-- lua-argparse reads it, because help, mistakes and completion of shells come with that.
-- @module tombstone.cli.parser
local refusal = require "tombstone.cli.refusal"

local M = {}

local EPILOG = [[
The options above go with every command. TOMBSTONE_DATABASE names the database as well; NO_COLOR
switches colours off.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 nothing to do, 130 interrupted.]]

local function library()
  local ok, argparse = pcall(require, "argparse")
  if not ok then
    refusal.raise("the command needs lua-argparse", "install it: on Debian, apt install lua-argparse")
  end
  return argparse
end

local function add_options(parser)
  parser:option("--config", "The configuration, instead of tombstone.config.lua."):argname "FILE"
  parser:option("--database", "The database, instead of the configured one."):argname "FILE"
  parser:option("--models", "The Lua file that declares the models."):argname "FILE"
  parser:option("--migrations", "The folder of the migrations."):argname "FOLDER"
  parser:flag("--json", "Print one JSON document, for scripts.")
  parser:flag("-y --yes", "Do not ask.")
  parser:flag("--no-color", "No colours, on a terminal either.")
end

-- `level` keeps the chosen command of each depth apart.
local function add_commands(parser, commands, level)
  parser:command_target("command_" .. level)
  parser:require_command(true)
  for _, entry in ipairs(commands) do
    local command = parser:command(entry.name, entry.summary)
    command:summary(entry.summary)
    if entry.epilog then
      command:epilog(entry.epilog)
    end
    if entry.arguments then
      entry.arguments(command)
    end
    if entry.commands then
      add_commands(command, entry.commands, level + 1)
    end
  end
end

local function named(commands, name)
  for _, entry in ipairs(commands) do
    if entry.name == name then
      return entry
    end
  end
end

--- The parser of lua-argparse.
-- @tparam {table,...} commands as in `tombstone.cli.commands`
-- @raise a refusal where lua-argparse is missing
function M.make(commands)
  local parser = library()("tombstone", "Models, migrations and the trash of a database.")
  parser:epilog(EPILOG)
  add_options(parser)
  add_commands(parser, commands, 1)
  return parser
end

-- What was meant before the first word that is an option.
local function help_of(arguments, commands)
  local words, known = { "tombstone" }, commands
  for _, word in ipairs(arguments) do
    local entry = known and named(known, word)
    if entry then
      words[#words + 1] = word
      known = entry.commands
    end
  end
  return table.concat(words, " ") .. " --help"
end

--- Reads the arguments.
-- @tparam {string,...} arguments
-- @tparam {table,...} commands
-- @treturn table the command to run
-- @treturn table what lua-argparse made of the arguments
-- @raise a refusal with exit code 2 for wrong usage
function M.parse(arguments, commands)
  local ok, parsed = M.make(commands):pparse(arguments)
  if not ok then
    refusal.raise(parsed, "see " .. help_of(arguments, commands), refusal.USAGE)
  end
  local known, level, entry = commands, 1, nil
  while known do
    entry = named(known, parsed["command_" .. level])
    known, level = entry.commands, level + 1
  end
  return entry, parsed
end

return M
