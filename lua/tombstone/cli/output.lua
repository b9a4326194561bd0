--- What a command prints: lines and tables for people, or one JSON document for scripts.
-- @module tombstone.cli.output
local json = require "tombstone.cli.json"
local refusal = require "tombstone.cli.refusal"
local text = require "tombstone.cli.text"

local M = {}
local Output = {}
Output.__index = Output

--- A list for `Output:result`, also where it is empty.
M.list = json.list
--- Null for `Output:result`.
M.null = json.null

--- Text in one line; see `tombstone.cli.text`.
M.plain = text.plain
--- How many places a text takes.
M.width = text.width
--- The text, cut.
M.short = text.short

--- The output of a command.
-- @tparam terminal terminal
-- @tparam boolean as_json whether `result` prints and the rest is silent
function M.new(terminal, as_json)
  return setmetatable({ terminal = terminal, as_json = as_json == true }, Output)
end

local function write(...)
  local ok, why = io.stdout:write(...)
  if not ok then
    refusal.raise("cannot write the output - " .. tostring(why))
  end
end

--- Hands over what was written: a full disk is told of here at the latest.
-- @raise a refusal
function M.flush()
  local ok, why = io.stdout:flush()
  if not ok then
    refusal.raise("cannot write the output - " .. tostring(why))
  end
end

local function print_error(...)
  local texts = {}
  for i = 1, select("#", ...) do
    texts[i] = tostring((select(i, ...)))
  end
  io.stderr:write(table.concat(texts, "\t"), "\n")
end

--- Calls `fn` so that stdout is for the document alone: what files of the user print goes to stderr.
-- @tparam function fn it must not raise
-- @return what it answers
function M.reserved(fn)
  local environment = _G
  local printing, into = rawget(environment, "print"), io.output()
  rawset(environment, "print", print_error)
  io.output(io.stderr)
  local result = fn()
  rawset(environment, "print", printing)
  io.output(into)
  return result
end

--- A line for people; nothing under `--json`.
-- @tparam string words
-- @tparam[opt] string colour
function Output:line(words, colour)
  if not self.as_json then
    self.terminal:clear()
    write(colour and self.terminal:paint(colour, words) or words, "\n")
  end
end

local function widths(headers, rows)
  local most = {}
  for column, header in ipairs(headers) do
    most[column] = M.width(header)
    for _, row in ipairs(rows) do
      most[column] = math.max(most[column], M.width(row[column]))
    end
  end
  return most
end

local function aligned(row, most, right)
  local cells = {}
  for column, cell in ipairs(row) do
    local blank = (" "):rep(most[column] - M.width(cell))
    cells[column] = right[column] and blank .. cell or cell .. blank
  end
  return (table.concat(cells, "  "):gsub("%s+$", ""))
end

local function all_plain(rows, n_columns)
  local texts, right = {}, {}
  for column = 1, n_columns do
    right[column] = #rows > 0
  end
  for i, row in ipairs(rows) do
    texts[i] = {}
    for column = 1, n_columns do
      local value = row[column]
      texts[i][column] = value == nil and "" or M.plain(value)
      right[column] = right[column] and (value == nil or type(value) == "number")
    end
  end
  return texts, right
end

--- A table with aligned columns, numbers to the right; nothing under `--json`.
-- @tparam {string,...} headers
-- @tparam {table,...} rows lists of values; nil is an empty cell
-- @usage context.out:table({ "MODEL", "ROWS" }, { { "Post", 3 } })
function Output:table(headers, rows)
  local texts, right = all_plain(rows, #headers)
  local most = widths(headers, texts)
  self:line(aligned(headers, most, right), "bright")
  for _, row in ipairs(texts) do
    self:line(aligned(row, most, right))
  end
end

--- The result of the command: one JSON document under `--json`, nothing else.
-- @param value tables of strings, numbers and booleans; `output.list{}` for lists that may be empty
function Output:result(value)
  if self.as_json then
    write(json.encode(value), "\n")
  end
end

return M
