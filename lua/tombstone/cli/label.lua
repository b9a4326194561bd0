--- How a row is called: by its first text.
-- @module tombstone.cli.label
local output = require "tombstone.cli.output"

local M = {}

local function is_text(field)
  return field.type == "text" or field.type == "char" or field.type:match "^varchar"
end

local function first_text(model)
  for _, field in ipairs(model:fields()) do
    if is_text(field) and not field.primary_key then
      return field.name
    end
  end
end

--- The row's first text, as it was before the deletion; nil where it has none.
-- @param row
-- @treturn string|nil
function M.of(row)
  local name = first_text(getmetatable(row))
  local value = name and row:original(name)
  return type(value) == "string" and value or nil
end

--- The same in a few characters, for tables.
function M.short(row)
  local text = M.of(row)
  return text and output.short(output.plain(text), 40) or nil
end

return M
