--- A note in a buffer, `note://title`: `:w` writes it into the database.
local board = require "notes.board"
local config = require "notes.config"
local conflict = require "notes.conflict"
local message = require "notes.message"
local store = require "notes.store"

local M = {}

-- The row that a buffer holds, as it was read or written last; none for a note not yet written.
local rows = {}

local function title_of(name)
  return name:match "^note://(.*)$"
end

local function title_in(buffer)
  return title_of(vim.api.nvim_buf_get_name(buffer))
end

-- ---- texts ---------------------------------------------------------------------------------

local function text_of(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
end

-- Not a change that `u` takes back to an empty buffer.
local function fill(buffer, text)
  local levels = vim.bo[buffer].undolevels
  vim.bo[buffer].undolevels = -1
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text, "\n", { plain = true }))
  vim.bo[buffer].undolevels = levels
  vim.bo[buffer].modified = false
end

local function show(buffer, row)
  rows[buffer] = row
  fill(buffer, row and row.text or "")
end

-- ---- reading ---------------------------------------------------------------------------------

local function greet(title)
  if store.is_in_trash(title) then
    message.say("new note; one of this title is in the trash (:NotesTrash)")
  else
    message.say "new note; :w writes it"
  end
end

--- BufReadCmd
function M.read(args)
  local buffer = args.buf
  local title = title_in(buffer)
  local row = store.find(title)
  vim.bo[buffer].buftype = "acwrite"
  vim.bo[buffer].swapfile = false -- the database keeps it, and tells of other editors
  show(buffer, row)
  vim.bo[buffer].filetype = config.get "filetype"
  if not row then
    greet(title)
  end
end

local function is_free(buffer)
  return not vim.bo[buffer].modified
end

--- BufEnter and the like: a buffer without changes follows what others have written.
function M.look(args)
  local buffer, row = args.buf, rows[args.buf]
  local now = row and is_free(buffer) and store.again(row)
  if now and not now:is_deleted() and now.version ~= row.version then
    show(buffer, now)
    message.say("'%s' was written elsewhere; read again", now.title)
  end
end

--- BufWipeout
function M.wiped(args)
  rows[args.buf] = nil
end

--- Shows a note, or begins one.
-- @tparam string title in letters of any case
function M.open(title)
  title = vim.trim(title)
  local row = store.find(title)
  local buffer = vim.fn.bufadd("note://" .. (row and row.title or title))
  vim.bo[buffer].buflisted = true
  local is_other = rows[buffer] and row and rows[buffer].id ~= row.id
  local is_gone = rows[buffer] and not row
  vim.api.nvim_set_current_buf(buffer)
  if (is_other or is_gone) and is_free(buffer) then
    M.read { buf = buffer }
  end
end

--- Asks for a title, and opens that note.
function M.ask()
  vim.ui.input({ prompt = "Title: " }, function(title)
    if title and title:find "%S" then
      message.try(M.open, title)
    end
  end)
end

-- ---- writing ---------------------------------------------------------------------------------

local function written(buffer, row)
  rows[buffer] = row
  vim.bo[buffer].modified = false
  message.say("'%s' written", row.title)
end

local REFUSED = {
  stale = { "'%s' was written elsewhere meanwhile", ":e! reads that, :w! writes over it" },
  deleted = { "'%s' is in the trash", ":w! brings it back and writes it" },
  not_found = { "'%s' was purged", ":w! writes it anew" },
}

local function explain(err, row)
  local refused = type(err) == "table" and REFUSED[err.kind]
  if refused then
    err = { message = refused[1]:format(row.title), hint = refused[2] }
  end
  error(err, 0)
end

local function write(buffer, text)
  local row = rows[buffer]
  local ok, err = pcall(store.write, row, text)
  if not ok then
    explain(err, row)
  end
  written(buffer, row)
end

-- `:w!`: over what others have written, out of the trash, or anew.
local function force(buffer, text)
  local now = store.again(rows[buffer])
  local function over(row)
    store.write(row, text)
    written(buffer, row)
  end
  if not now then
    return written(buffer, store.create(title_in(buffer), text))
  elseif not now:is_deleted() then
    return over(now)
  end
  conflict.resolve(function(word)
    return store.restore({ now }, word)
  end, function(count)
    if count > 0 then
      over(store.again(now))
    end
  end)
end

--- BufWriteCmd
function M.write(args)
  local buffer, target = args.buf, title_of(args.match)
  local text = text_of(buffer)
  if target ~= title_in(buffer) then
    store.create(target, text)
    message.say("'%s' written", target)
  elseif not rows[buffer] then
    written(buffer, store.create(target, text))
  elseif vim.v.cmdbang == 1 then
    force(buffer, text)
  else
    write(buffer, text)
  end
end

-- ---- another title -----------------------------------------------------------------------------

local function rename_buffer(buffer, title)
  local old = vim.api.nvim_buf_get_name(buffer)
  vim.api.nvim_buf_set_name(buffer, "note://" .. title)
  local left = board.buffer_named(old) -- Vim keeps the old name in a buffer of its own
  if left and left ~= buffer then
    vim.api.nvim_buf_delete(left, { force = true })
  end
end

--- Gives the note in this buffer another title.
-- @tparam string title
function M.rename(title)
  title = vim.trim(title)
  local buffer = vim.api.nvim_get_current_buf()
  local row = rows[buffer]
  if not title_in(buffer) then
    error({ message = "This buffer holds no note", hint = "open one by :Note" }, 0)
  elseif row then
    local ok, err = pcall(store.rename, row, title)
    if not ok then
      explain(err, row)
    end
  end
  rename_buffer(buffer, title)
end

return M
