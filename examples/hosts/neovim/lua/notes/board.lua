--- A buffer that lists rows, one a line, with keys that do something to them.
local message = require "notes.message"

local M = {}

local SPACE = vim.api.nvim_create_namespace "notes"
local HEADER = 2 -- lines above the rows
local WIDEST = 48 -- cells of a title

local boards = {} -- by buffer
local origin -- the buffer that was shown before the boards

-- ---- drawing -------------------------------------------------------------------------------

local function cut(text)
  if vim.fn.strdisplaywidth(text) <= WIDEST then
    return text
  end
  local length = vim.fn.strchars(text)
  repeat
    length = length - 1
    text = vim.fn.strcharpart(text, 0, length)
  until vim.fn.strdisplaywidth(text) < WIDEST
  return text .. "…"
end

local function widths_of(table_of_cells)
  local widths = {}
  for _, cells in ipairs(table_of_cells) do
    for i, cell in ipairs(cells) do
      widths[i] = math.max(widths[i] or 0, vim.fn.strdisplaywidth(cell))
    end
  end
  return widths
end

-- The text of a line, and where its cells begin and end.
local function joined(cells, widths)
  local line, spans = "", {}
  for i, cell in ipairs(cells) do
    if widths[i] > 0 then
      spans[#spans + 1] = { column = i, from = #line, to = #line + #cell }
      line = line .. cell .. (" "):rep(widths[i] - vim.fn.strdisplaywidth(cell) + 2)
    end
  end
  return (line:gsub("%s+$", "")), spans
end

local function paint(buffer, line, from, to, group)
  if to > from then
    vim.api.nvim_buf_set_extmark(buffer, SPACE, line, from, { end_col = to, hl_group = group })
  end
end

local function set_lines(buffer, lines)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
end

local function draw(buffer, board)
  local cells = {}
  for i, row in ipairs(board.rows) do
    cells[i] = board.kind.cells(row, board.rows)
    cells[i][1] = cut(cells[i][1])
  end
  local widths, all_spans = widths_of(cells), {}
  local lines = { board.kind.header(board.rows, board.argument), "" }
  for i = 1, #cells do
    lines[HEADER + i], all_spans[i] = joined(cells[i], widths)
  end
  set_lines(buffer, lines)
  vim.api.nvim_buf_clear_namespace(buffer, SPACE, 0, -1)
  paint(buffer, 0, 0, #lines[1], "Comment")
  for i, spans in ipairs(all_spans) do
    for _, span in ipairs(spans) do
      paint(buffer, HEADER + i - 1, span.from, span.to, board.kind.groups[span.column])
    end
  end
end

-- Not on the header, where there is a row.
local function settle_cursor(buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    local line = vim.api.nvim_win_get_cursor(window)[1]
    if line <= HEADER then
      vim.api.nvim_win_set_cursor(window, { math.min(HEADER + 1, last), 0 })
    end
  end
end

-- ---- rows under the cursor -------------------------------------------------------------------

local function rows_between(board, first, last)
  local rows = {}
  for line = math.min(first, last), math.max(first, last) do
    rows[#rows + 1] = board.rows[line - HEADER]
  end
  return rows
end

local function chosen(board)
  local line = vim.fn.line "."
  if vim.fn.mode():match "^[vV\22]" then
    local from = vim.fn.line "v"
    vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes("<Esc>", true, false, true), "nx", false)
    return rows_between(board, from, line)
  end
  return rows_between(board, line, line + vim.v.count1 - 1)
end

-- A key calls `fn(rows, again)`; `again` draws the board anew, when the work is done. Where a key
-- needs rows and the cursor is on none, nothing happens.
local function bind(buffer, key)
  vim.keymap.set(key.modes or "n", key[1], function()
    local board = boards[buffer]
    local rows = key.free and {} or chosen(board)
    if key.free or #rows > 0 then
      message.try(key[2], rows, function()
        M.refresh(buffer)
      end, board.argument)
    end
  end, { buffer = buffer, nowait = true, desc = key.desc })
end

-- ---- the buffer ------------------------------------------------------------------------------

--- Reads the rows again and draws them.
-- @tparam number buffer
function M.refresh(buffer)
  local board = boards[buffer]
  if board and vim.api.nvim_buf_is_loaded(buffer) then
    board.rows = board.kind.rows(board.argument)
    draw(buffer, board)
    settle_cursor(buffer)
  end
end

--- The buffer of exactly this name, or nil.
function M.buffer_named(name)
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buffer) == name then
      return buffer
    end
  end
end

local function prepare(buffer, kind)
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].filetype = kind.filetype
  for _, key in ipairs(kind.keys) do
    bind(buffer, key)
  end
  local function look()
    message.try(M.refresh, buffer)
  end
  for _, event in ipairs { "BufEnter", "FocusGained", "BufReadCmd" } do
    vim.api.nvim_create_autocmd(event, { buffer = buffer, callback = look })
  end
end

local function settle_window()
  for _, setting in ipairs { "cursorline", "nowrap", "nonumber", "norelativenumber", "nolist" } do
    vim.cmd("setlocal " .. setting)
  end
end

--- Shows a board in this window.
-- @tparam table kind `name`, `filetype`, `rows(argument)`, `header(rows, argument)`,
-- `cells(row, rows)`, `groups` (of highlighting, by cell) and `keys`
-- @param argument what `rows` gets
function M.show(kind, argument)
  local buffer = M.buffer_named(kind.name)
  local rows = kind.rows(argument) -- before anything is shown
  if not buffer then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, kind.name)
    prepare(buffer, kind)
  end
  boards[buffer] = { kind = kind, argument = argument, rows = rows }
  draw(buffer, boards[buffer])
  origin = boards[vim.api.nvim_get_current_buf()] and origin or vim.api.nvim_get_current_buf()
  vim.api.nvim_set_current_buf(buffer)
  settle_window()
  settle_cursor(buffer)
end

--- Leaves the board for what was shown before.
function M.leave()
  if origin and vim.api.nvim_buf_is_valid(origin) then
    vim.api.nvim_set_current_buf(origin)
  else
    vim.cmd "enew"
  end
end

--- Shows a chapter of the help, also where nobody has run |:helptags|.
function M.help(tag)
  if not pcall(vim.cmd, "help " .. tag) then
    local file = vim.api.nvim_get_runtime_file("doc/notes.txt", false)[1]
    vim.cmd("sview " .. vim.fn.fnameescape(file))
    vim.fn.search("\\*" .. tag .. "\\*$")
  end
end

return M
