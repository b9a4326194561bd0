--- Values as a person reads them, for the shell.
-- @module tombstone.cli.readable
local core = require "tombstone.core"
local output = require "tombstone.cli.output"

local M = {}

-- Items of a list, and levels of tables, that are shown.
local MOST, DEEPEST = 20, 3

local function quoted(text)
  return '"' .. output.plain((text:gsub('[\\"]', "\\%0"))) .. '"'
end

-- A row's metatable is its model, which is made by the engine.
local function model_of(value)
  local model = getmetatable(value)
  local is_model = type(model) == "table" and rawget(model, "__name") and core.methods.model.fields
  local ok, fields = pcall(is_model or error, model)
  return ok and model or nil, ok and fields or nil
end

local describe

local function name_of(key)
  return type(key) == "string" and key:match "^[%a_][%w_]*$" and key or "[" .. describe(key, DEEPEST) .. "]"
end

local function row_text(row, model, fields, depth)
  local parts, seen = {}, {}
  for _, field in ipairs(fields) do
    seen[field.name] = true
    if row[field.name] ~= nil and rawget(row, field.name) ~= nil then
      parts[#parts + 1] = field.name .. " = " .. describe(row[field.name], depth + 1)
    end
  end
  for key, value in pairs(row) do
    if not seen[key] then
      parts[#parts + 1] = name_of(key) .. " = " .. describe(value, depth + 1)
    end
  end
  return rawget(model, "__name") .. " { " .. table.concat(parts, ", ") .. " }"
end

local function by_name(a, b)
  return tostring(a) < tostring(b)
end

local function list_text(list, depth)
  local lines = {}
  for i = 1, math.min(#list, MOST) do
    lines[i] = "  " .. describe(list[i], depth + 1)
  end
  if #list > MOST then
    lines[#lines + 1] = ("  … and %d more"):format(#list - MOST)
  end
  return "{\n" .. table.concat(lines, ",\n") .. "\n}"
end

local function table_text(value, depth)
  local parts, keys = {}, {}
  for i = 1, #value do
    parts[i] = describe(value[i], depth + 1)
  end
  for key in pairs(value) do
    if not (type(key) == "number" and key % 1 == 0 and key >= 1 and key <= #value) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, by_name)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = name_of(key) .. " = " .. describe(value[key], depth + 1)
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

local function describe_table(value, depth)
  local model, fields = model_of(value)
  if model then
    return row_text(value, model, fields, depth)
  elseif getmetatable(value) ~= nil and getmetatable(value).__tostring then
    return output.plain(tostring(value))
  elseif depth >= DEEPEST then
    return "{…}"
  elseif depth == 0 and type(value[1]) == "table" then
    return list_text(value, depth)
  end
  return table_text(value, depth)
end

-- A query is shown by its statement, and not run: what runs is a call.
local function describe_userdata(value)
  local ok, text, bound = pcall(function()
    return value:sql()
  end)
  if not ok or type(text) ~= "string" then
    return tostring(value)
  end
  return type(bound) == "table" and #bound > 0 and text .. " -- " .. table_text(bound, 1) or text
end

function describe(value, depth)
  if value == core.null then
    return "null"
  elseif type(value) == "string" then
    return quoted(value)
  elseif type(value) == "table" then
    return describe_table(value, depth)
  elseif type(value) == "userdata" then
    return describe_userdata(value)
  end
  return tostring(value)
end

--- A value as text: rows by their fields, lists of rows a line each, queries by their SQL.
-- @param value
-- @treturn string
-- @usage print(readable.text(Post.objects:first())) --> Post { id = 1, title = "Hello" }
function M.text(value)
  return describe(value, 0)
end

return M
