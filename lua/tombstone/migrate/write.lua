--- The text of a migration.
-- @module tombstone.migrate.write
local M = {}

local WIDTH = 100

local function places(words)
  local found, n = {}, 0
  for word in words:gmatch "%S+" do
    n = n + 1
    found[word] = n
  end
  return found, n
end

-- What stands first in a table.
local PLACE, LAST = places [[
  key null default collate unique check references generated stored after first using
  primary_key uniques foreign_keys checks indexes without_rowid strict where name columns
  table to sql on_delete on_update deferrable from
]]
local RESERVED = places [[
  and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while
]]

-- The quotes that need the fewest escapes.
local function text(value)
  local is_plain = not value:find "[%c\\]"
  if is_plain and value:find '"' and not value:find "'" then
    return "'" .. value .. "'"
  elseif is_plain and value:find '"' and not value:find "%]%]" and value:sub(-1) ~= "]" then
    return "[[" .. value .. "]]"
  end
  local escaped = ("%q"):format(value):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("\t", "\\t")
  return escaped
end

local function keys_of(value)
  local keys, n = {}, 0
  while value[n + 1] ~= nil do
    n = n + 1
  end
  for key in pairs(value) do
    if type(key) == "string" or key > n then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    local pa, pb = PLACE[a] or LAST + 1, PLACE[b] or LAST + 1
    if pa ~= pb then
      return pa < pb
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function key_text(key)
  if type(key) == "number" then
    return "[" .. key .. "]"
  elseif key:match "^[%a_][%w_]*$" and not RESERVED[key] then
    return key
  end
  return "[" .. text(key) .. "]"
end

local function parts_of(value, indent)
  local parts = {}
  for _, entry in ipairs(value) do -- up to a hole; what is behind it is named
    parts[#parts + 1] = M.value(entry, indent)
  end
  for _, key in ipairs(keys_of(value)) do
    parts[#parts + 1] = key_text(key) .. " = " .. M.value(value[key], indent)
  end
  return parts
end

-- Lists of columns are read one by one.
local function is_long(value, line)
  return #line > WIDTH or line:find("\n", 1, true) or (type(value[1]) == "table" and #value > 1)
end

--- A value as Lua source.
-- @param value text, number, boolean or table
-- @string[opt] indent of the lines after the first
-- @bool[opt] wide a line for each part
-- @treturn string
function M.value(value, indent, wide)
  indent = indent or ""
  if type(value) == "string" then
    return text(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local line = "{ " .. table.concat(parts_of(value, indent), ", ") .. " }"
  if next(value) == nil then
    return "{}"
  elseif not wide and not is_long(value, indent .. line) then
    return line
  end
  local deeper = indent .. "  "
  return "{\n" .. deeper .. table.concat(parts_of(value, deeper), ",\n" .. deeper) .. ",\n" .. indent .. "}"
end

local function spelled(word, indent, n, wide)
  local arguments = {}
  for i = 1, n do
    local is_wide = i == wide and type(word[i]) == "table"
    arguments[i] = word[i] == nil and "nil" or M.value(word[i], indent, is_wide)
  end
  return ("%sm:%s(%s)"):format(indent, word.word, table.concat(arguments, ", "))
end

local function is_wide(lines)
  for line in lines:gmatch "[^\n]+" do
    if #line > WIDTH then
      return true
    end
  end
  return false
end

--- A word and its arguments as a line of Lua, or several.
-- @tparam table word of `tombstone.migrate.diff`
-- @string indent
-- @treturn string
function M.word(word, indent)
  local n = word.n
  while n > 0 and word[n] == nil do
    n = n - 1
  end
  local line = spelled(word, indent, n)
  return is_wide(line) and spelled(word, indent, n, n) or line
end

--- A file of words.
-- @tparam {table,...} words
-- @tparam {string,...} remarks, each a line of comment at its top
-- @treturn string
function M.file(words, remarks)
  local lines = {}
  for _, remark in ipairs(remarks) do
    lines[#lines + 1] = "-- " .. remark
  end
  lines[#lines + 1] = "return {\n  up = function(m)"
  for _, word in ipairs(words) do
    lines[#lines + 1] = M.word(word, "    ")
  end
  lines[#lines + 1] = "  end,\n}\n"
  return table.concat(lines, "\n")
end

return M
