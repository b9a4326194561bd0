--- Operations as Lua source, so that a failing sequence can be run again.
local tombstone = require "tombstone"

local M = {}

local function quoted(value)
  return '"' .. value:gsub('[%c"\\\128-\255]', function(c)
    return string.format("\\%03d", c:byte())
  end) .. '"'
end

-- Long texts of the generator are one piece again and again.
local function text(value)
  for size = 1, 12 do
    local piece, times = value:sub(1, size), math.floor(#value / size)
    if #value > 40 and piece:rep(times) == value then
      return string.format("(%s):rep(%d)", quoted(piece), times)
    end
  end
  return quoted(value)
end

local function number(value)
  if value ~= value then
    return "0/0"
  elseif value == 1 / 0 or value == -1 / 0 then
    return value > 0 and "1/0" or "-1/0"
  elseif value == math.floor(value) and math.abs(value) < 1e15 then
    return string.format("%.0f", value)
  end
  local whole = rawget(math, "type") and rawget(math, "type")(value) == "integer"
  return whole and string.format("%d", value) or string.format("%.17g", value)
end

local function key(name)
  return type(name) == "string" and name:match "^[%a_][%w_]*$" and name .. " = "
    or "[" .. M.show(name) .. "] = "
end

local function sorted_keys(value)
  local keys = {}
  for name in pairs(value) do
    if type(name) ~= "number" or name < 1 or name > #value then
      keys[#keys + 1] = name
    end
  end
  table.sort(keys, function(a, b)
    if (a == "op") ~= (b == "op") then
      return a == "op" -- the verb leads
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function table_of(value)
  local parts = {}
  for i = 1, #value do
    parts[#parts + 1] = M.show(value[i])
  end
  for _, name in ipairs(sorted_keys(value)) do
    parts[#parts + 1] = key(name) .. M.show(value[name])
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- Any value of an operation as Lua source.
function M.show(value)
  if value == tombstone.null then
    return "null"
  elseif type(value) == "string" then
    return text(value)
  elseif type(value) == "number" then
    return number(value)
  elseif type(value) == "table" then
    return table_of(value)
  end
  return tostring(value)
end

--- A program that runs the operations on that shape.
function M.program(shape, strategy, operations, options)
  local lines = {
    'local run, null = require "laws.run", require "tombstone".null',
    string.format("run.replay(%q, %q, {", shape, strategy),
  }
  for _, operation in ipairs(operations) do
    lines[#lines + 1] = "  " .. M.show(operation) .. ","
  end
  lines[#lines + 1] = "}" .. (options and ", " .. M.show(options) or "") .. ")"
  return table.concat(lines, "\n")
end

return M
