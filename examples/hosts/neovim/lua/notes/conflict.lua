--- What to do where a title in the trash is taken by a living note: asked, never guessed.
local message = require "notes.message"

local M = {}

local CHOICES = {
  { word = "rename", text = "rename: bring it back under another title" },
  { word = "replace", text = "replace: put the living note into the trash instead" },
  { word = "skip", text = "skip: leave it in the trash" },
}

local function question(err)
  local n = #err.conflicts
  if n > 1 then
    return ("%d titles are taken, '%s' among them:"):format(n, err.value)
  end
  return ("The title '%s' is taken:"):format(err.value)
end

local function ask(err, fn)
  vim.ui.select(CHOICES, {
    prompt = question(err),
    kind = "notes_conflict",
    format_item = function(choice)
      return choice.text
    end,
  }, function(choice)
    if choice then
      message.try(fn, choice.word)
    end
  end)
end

--- Calls `restore()`. Where a title is taken nothing has happened yet: the user is asked, and
-- `restore(word)` called with "rename", "replace" or "skip".
-- @tparam function restore raises an error of kind integrity
-- @tparam function done gets what `restore` answers
function M.resolve(restore, done)
  local ok, result = pcall(restore)
  if ok then
    return done(result)
  elseif type(result) ~= "table" or result.kind ~= "integrity" or not result.conflicts then
    error(result, 0)
  end
  ask(result, function(word)
    done(restore(word))
  end)
end

return M
