--- Notes in a database, with a trash.
--
--     require("notes").setup { database = "~/notes.db" }   -- all of it may be left out
--
-- The commands are in plugin/notes.lua, and `:help notes` describes them.
local message = require "notes.message"

local M = {}

--- Takes the options: `database`, `module`, `filetype`, `keep`; see `:help notes-options`.
-- @tparam[opt] table options
function M.setup(options)
  message.try(function()
    require("notes.config").set(options)
  end)
end

local COMMANDS = {
  Note = function(call)
    if call.args == "" then
      return require("notes.note").ask()
    end
    require("notes.note").open(call.args)
  end,
  Notes = function(call)
    require("notes.list").show(call.args)
  end,
  NotesTrash = function()
    require("notes.trash").show()
  end,
  NoteRename = function(call)
    require("notes.note").rename(call.args)
  end,
  NotesBackup = function(call)
    require("notes.backup").start(call.args, call.bang)
  end,
}

--- Runs a command; what fails is told in one line.
-- @tparam string name
-- @tparam table call what `nvim_create_user_command` hands over
function M.run(name, call)
  message.try(COMMANDS[name], call)
end

--- Runs what belongs to an event of a note's buffer.
-- @tparam string name a function of `notes.note`
-- @tparam table args what `nvim_create_autocmd` hands over
function M.on(name, args)
  message.try(function()
    require("notes.note")[name](args)
  end)
end

local function titles(lead, typed)
  local found = {}
  for i, title in ipairs(require("notes.store").titles(typed)) do
    found[i] = title:sub(#typed - #lead + 1)
  end
  return found
end

local function tags(lead)
  local name = lead:match "^#(.*)$"
  local found = name and require("notes.store").tags(name) or {}
  for i, tag in ipairs(found) do
    found[i] = "#" .. tag
  end
  return found
end

--- Completes what stands behind a command.
-- @tparam string what "titles" or "tags"
-- @tparam string lead the word that is typed
-- @tparam string line the whole line
-- @treturn {string,...}
function M.complete(what, lead, line)
  local typed = line:match "^%s*%S+%s+(.*)$" or lead
  local found = {}
  message.try(function()
    found = what == "titles" and titles(lead, typed) or tags(lead)
  end)
  return found
end

return M
