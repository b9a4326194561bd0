--- JSON with keys in order, so that two runs give the same text.
--
-- lua-cjson writes the strings: what to escape is its trade.
-- @module tombstone.cli.json
local refusal = require "tombstone.cli.refusal"

local M = {}
local List = {}

--- Says that a table is a list, also where it is empty.
-- @tparam table items
-- @treturn table the same one
function M.list(items)
  return setmetatable(items, List)
end

--- What stands for null.
M.null = setmetatable({}, {
  __tostring = function()
    return "null"
  end,
})

local function library()
  local ok, cjson = pcall(require, "cjson")
  if not ok then
    refusal.raise("--json needs lua-cjson", "install it: on Debian, apt install lua-cjson")
  end
  return cjson
end

-- The shortest text that reads back as the same number.
local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    return "null"
  elseif value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then
    return ("%.0f"):format(value)
  elseif value % 1 == 0 and tostring(value):match "^%-?%d+$" then
    return tostring(value) -- an integer of 64 bits
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      return text
    end
  end
end

-- lua-cjson escapes each slash, which nobody needs.
local function text(value, cjson)
  return (cjson.encode(value):gsub("\\/", "/"))
end

local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

local write

local function write_all(items, open, close, indent)
  if #items == 0 then
    return open .. close
  end
  local inner = indent .. "  "
  return open .. "\n" .. inner .. table.concat(items, ",\n" .. inner) .. "\n" .. indent .. close
end

local function write_list(list, indent, cjson)
  local items = {}
  for i, item in ipairs(list) do
    items[i] = write(item, indent .. "  ", cjson)
  end
  return write_all(items, "[", "]", indent)
end

local function write_object(object, indent, cjson)
  local items = {}
  for i, key in ipairs(sorted_keys(object)) do
    items[i] = text(key, cjson) .. ": " .. write(object[key], indent .. "  ", cjson)
  end
  return write_all(items, "{", "}", indent)
end

function write(value, indent, cjson)
  local kind = type(value)
  if value == M.null then
    return "null"
  elseif kind == "table" then
    local is_list = getmetatable(value) == List or #value > 0
    return (is_list and write_list or write_object)(value, indent, cjson)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return text(tostring(value), cjson)
end

--- A value as JSON, with keys in the order of the alphabet.
-- @param value table, string, number, boolean or `json.null`
-- @treturn string
-- @raise a refusal where lua-cjson is missing
-- @usage print(json.encode { rows = json.list {}, total = 0 })
function M.encode(value)
  return write(value, "", library())
end

return M
