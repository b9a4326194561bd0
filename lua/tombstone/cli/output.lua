--- What a command prints: lines and tables for people, or one JSON document for scripts.
-- @module tombstone.cli.output
local json = require "tombstone.cli.json"
local refusal = require "tombstone.cli.refusal"

local M = {}
local Output = {}
Output.__index = Output

--- A list for `Output:result`, also where it is empty.
M.list = json.list
--- Null for `Output:result`.
M.null = json.null

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

--- Text of the database in one line: what would move the cursor is escaped.
-- @param value
-- @treturn string
function M.plain(value)
  local text = tostring(value):gsub("[%z\1-\31\127]", function(control)
    return ESCAPES[control] or ("\\%d"):format(control:byte())
  end)
  return (text:gsub("\194[\128-\159]", function(control)
    return ("\\u{%x}"):format(control:byte(2))
  end))
end

--- How many places a text takes: characters, not bytes.
function M.width(text)
  local continued = select(2, text:gsub("[\128-\191]", ""))
  return #text - continued
end

--- The text, cut to so many characters.
function M.short(text, most)
  if M.width(text) <= most then
    return text
  end
  local characters = {}
  for character in text:gmatch "[%z\1-\127\192-\255][\128-\191]*" do
    characters[#characters + 1] = character
    if #characters == most - 1 then
      break
    end
  end
  return table.concat(characters) .. "…"
end

--- The output of a command.
-- @tparam terminal terminal
-- @tparam boolean as_json whether `result` prints and the rest is silent
function M.new(terminal, as_json)
  return setmetatable({ terminal = terminal, as_json = as_json == true }, Output)
end

local function write(...)
  local ok, why = io.write(...)
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

--- A line for people; nothing under `--json`.
-- @tparam string text
-- @tparam[opt] string colour
function Output:line(text, colour)
  if not self.as_json then
    self.terminal:clear()
    write(colour and self.terminal:paint(colour, text) or text, "\n")
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
  for column, text in ipairs(row) do
    local blank = (" "):rep(most[column] - M.width(text))
    cells[column] = right[column] and blank .. text or text .. blank
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
