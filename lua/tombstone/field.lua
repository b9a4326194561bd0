--- The words that declare fields.
--
--     title = f.char { max_length = 100, unique = true }
--     views = f.integer { default = 0, index = true }
--
-- Columns stand in the order of these calls. A field is NOT NULL unless `null = true`.
--
-- Options of every field: `null`, `default` (a value, or a function that makes one),
-- `unique` (`true`: among the living, by the model's strategy; `"mangle"`, `"live"`,
-- `"always"`), `index`, `choices` (a list), `check` (an SQL expression that the living obey,
-- or a function `value -> ok, why`), `collate` (`"NOCASE"` …), `column` (its name in the
-- table), `attr` (its name in Lua), `primary_key`, and for texts `max_length` (characters).
-- @module tombstone.field
local core = require "tombstone.core"

local M = {}

local OPTIONS = {
  "null",
  "default",
  "unique",
  "index",
  "max_length",
  "choices",
  "check",
  "collate",
  "column",
  "attr",
  "primary_key",
}

local Field = { __name = "tombstone.field" }

--- True for what these words make.
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Field
end

local made = 0

local function word(type_name)
  return function(options)
    core.check_options(options, OPTIONS, type_name)
    made = made + 1
    local field = { type = type_name, place = made }
    for name, value in pairs(options or {}) do
      field[name] = value
    end
    return setmetatable(field, Field)
  end
end

--- Text of at most `max_length` characters.
-- @function char
M.char = word "char"
--- Text: valid UTF-8 without zero bytes.
-- @function text
M.text = word "text"
--- A 64-bit integer.
-- @function integer
M.integer = word "integer"
--- A finite double.
-- @function number
M.number = word "number"
--- True or false.
-- @function boolean
M.boolean = word "boolean"
--- Seconds since the epoch, UTC, to the microsecond.
-- @function datetime
M.datetime = word "datetime"
--- Any bytes.
-- @function blob
M.blob = word "blob"
--- A value that JSON can hold.
-- @function json
M.json = word "json"

return M
