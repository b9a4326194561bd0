--- `:Notes`: the living notes.
local age = require "notes.age"
local board = require "notes.board"
local conflict = require "notes.conflict"
local message = require "notes.message"
local note = require "notes.note"
local store = require "notes.store"

local M = {}

-- The deletions of this session that still stand, the latest last.
local deletions = {}

local KEYS = "<CR> open  o new  dd delete  u undo  t trash  q leave  g? help"

local function header(rows, pattern)
  local which = pattern == "" and "" or " with " .. pattern
  return message.count(#rows) .. which .. "   " .. KEYS
end

local function cells(row)
  local tags = {}
  for i, tag in ipairs(row:tags():all()) do
    tags[i] = "#" .. tag.name
  end
  table.sort(tags)
  return { row.title, table.concat(tags, " "), age.of(row.updated_at) }
end

local function open(rows)
  note.open(rows[1].title)
end

local function delete(rows, again)
  local count, event = store.delete(rows)
  deletions[#deletions + 1] = event
  again()
  message.say("%s deleted; u undoes it", message.count(count))
end

local function undo(_, again)
  local event = deletions[#deletions]
  if not event then
    return message.say "nothing was deleted here; t shows the trash"
  end
  conflict.resolve(function(word)
    return store.undo(event, word)
  end, function(count)
    deletions[#deletions] = nil
    again()
    message.say(count == 0 and "nothing was restored" or "%s restored", message.count(count))
  end)
end

local KIND = {
  name = "notes://list",
  filetype = "notes",
  rows = store.list,
  header = header,
  cells = cells,
  groups = { "Title", "Identifier", "Comment" },
  keys = {
    { "<CR>", open, desc = "Open the note" },
    { "dd", delete, desc = "Delete notes" },
    { "d", delete, modes = "x", desc = "Delete notes" },
    { "u", undo, free = true, desc = "Undo the last deletion of this session" },
  },
}

local function free(key, fn, description)
  table.insert(KIND.keys, { key, fn, free = true, desc = description })
end

free("o", note.ask, "Begin a note")
free("R", function(_, again)
  again()
end, "Read the notes again")
free("t", function()
  require("notes.trash").show()
end, "Show the trash")
free("q", board.leave, "Leave the list")
free("g?", function()
  board.help "notes-list"
end, "Help")

--- Shows the notes that have all words of a pattern.
-- @tparam string pattern
function M.show(pattern)
  board.show(KIND, pattern)
end

return M
