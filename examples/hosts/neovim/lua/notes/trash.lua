--- `:NotesTrash`: the dead notes, and the ways back.
local age = require "notes.age"
local board = require "notes.board"
local conflict = require "notes.conflict"
local message = require "notes.message"
local store = require "notes.store"

local M = {}

local KEYS = "<CR> look  r restore  u undo  P purge  t notes  q leave  g? help"

local function header(rows)
  return message.count(#rows) .. " in the trash   " .. KEYS
end

-- How many of the rows the same deletion took.
local function companions(row, rows)
  local n = -1
  for _, other in ipairs(rows) do
    n = n + (other.deleted_event == row.deleted_event and 1 or 0)
  end
  return n
end

local function cells(row, rows)
  local others = companions(row, rows)
  local with = others == 0 and "" or ("with %d other%s"):format(others, others == 1 and "" or "s")
  return { row.title, "deleted " .. age.of(row.deleted_at), with }
end

local function look(rows)
  local note = store.again(rows[1])
  if not note then
    return message.warn("'%s' was purged", rows[1].title)
  end
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(note.text, "\n", { plain = true }))
  vim.bo[buffer].filetype = require("notes.config").get "filetype"
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].bufhidden = "wipe"
  vim.cmd "split"
  vim.api.nvim_set_current_buf(buffer)
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = buffer, nowait = true })
  message.say("'%s', as it was deleted; q closes", note.title)
end

local function bring_back(verb, again)
  conflict.resolve(verb, function(count)
    again()
    message.say(count == 0 and "nothing was restored" or "%s restored", message.count(count))
  end)
end

local function restore(rows, again)
  bring_back(function(word)
    return store.restore(rows, word)
  end, again)
end

-- The whole deletion that took the note: what was deleted together comes back together.
local function undo(rows, again)
  local event = store.event_of(rows[1])
  if not event then
    return again()
  end
  bring_back(function(word)
    return store.undo(event, word)
  end, again)
end

local function purge(rows, again)
  local what = #rows == 1 and "'" .. rows[1].title .. "'" or message.count(#rows)
  if vim.fn.confirm(("Purge %s for good?"):format(what), "&Yes\n&No", 2) == 1 then
    local count = store.purge(rows)
    again()
    message.say("%s purged", message.count(count))
  end
end

local BOTH = { "n", "x" }

local KIND = {
  name = "notes://trash",
  filetype = "notes",
  rows = store.trash,
  header = header,
  cells = cells,
  groups = { "Title", "Comment", "Comment" },
  keys = {
    { "<CR>", look, desc = "Look at the note" },
    { "r", restore, modes = BOTH, desc = "Restore notes" },
    { "u", undo, desc = "Undo the deletion that took the note" },
    { "P", purge, modes = BOTH, desc = "Purge notes" },
  },
}

local function free(key, fn, description)
  table.insert(KIND.keys, { key, fn, free = true, desc = description })
end

free("R", function(_, again)
  again()
end, "Read the trash again")
free("t", function()
  require("notes.list").show ""
end, "Show the notes")
free("q", board.leave, "Leave the trash")
free("g?", function()
  board.help "notes-trash"
end, "Help")

--- Shows the trash.
function M.show()
  board.show(KIND)
end

return M
