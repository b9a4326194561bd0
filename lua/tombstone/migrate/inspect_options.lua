--- The options of fields as Lua, for `tombstone.migrate.inspect_write`.
-- @module tombstone.migrate.inspect_options
local names = require "tombstone.migrate.inspect_names"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local quote = names.quote

-- ---- defaults --------------------------------------------------------------------------------

local NOW = { current_timestamp = true, ["datetime('now')"] = true }

local function boolean_of(text)
  local values = { ["0"] = "false", ["1"] = "true", ["false"] = "false", ["true"] = "true" }
  return values[text]
end

local function number_of(text, word)
  local number = text:match "^[+-]?%d+$" or (word == "number" and text:match "^[+-]?%d*%.?%d+$")
  return number and (number:gsub("^%+", ""):gsub("^(%-?)%.", "%10."))
end

local function text_of(list)
  return #list == 1 and list[1].kind == "text" and list[1].value or nil
end

-- A default in Lua; nil where it cannot be one.
local function default_of(field)
  local sql, word = field.column.default, field.word
  local list = tokens.list(sql)
  local text = tokens.join(list, tokens.inside(list))
  if word == "boolean" then
    return boolean_of(tokens.fold(text))
  elseif word == "integer" or word == "number" then
    return number_of(text, word)
  elseif word == "datetime" then
    return NOW[tokens.fold(text)] and "function() return os.time() end" or nil
  elseif word == "text" or word == "char" then
    local value = text_of(list)
    return value and quote(value)
  end
end

local function is_null(sql)
  return tokens.fold(sql) == "null"
end

-- ---- options ---------------------------------------------------------------------------------

local function value_text(value)
  return type(value) == "string" and quote(value) or tostring(value)
end

local function shared_options(field, add)
  if field.column.null and not field.is_key then
    add "null = true"
  end
  if field.unique then
    add("unique = " .. value_text(field.unique))
  end
  if field.index then
    add "index = true"
  end
end

local function place_options(field, add)
  if field.column_option then
    add("column = " .. quote(field.column_option))
  end
  if field.attr then
    add("attr = " .. quote(field.attr))
  end
end

local function add_default(field, add)
  local sql = field.column.default
  if not sql or is_null(sql) then
    return
  end
  local default = default_of(field)
  if default then
    add("default = " .. default)
  else
    field.notes[#field.notes + 1] = "DEFAULT " .. sql:gsub("%s+", " ") .. " there"
  end
end

--- The options of a field that is no relation. What cannot be one is added to its notes.
-- @tparam table field of a draft
-- @treturn {string,...}
function M.plain(field)
  local options = {}
  local function add(text)
    options[#options + 1] = text
  end
  if field.max_length then
    add("max_length = " .. field.max_length)
  end
  if field.is_key then
    add "primary_key = true"
  end
  shared_options(field, add)
  add_default(field, add)
  if field.check then
    add("check = " .. quote(field.check))
  end
  local collate = field.column.collate
  if collate and tokens.fold(collate) ~= "binary" then
    add("collate = " .. quote(collate))
  end
  place_options(field, add)
  return options
end

--- The options of a relation.
-- @tparam table field of a draft
-- @treturn {string,...}
function M.relation(field)
  local options = { "on_delete = " .. quote(field.on_delete) }
  local function add(text)
    options[#options + 1] = text
  end
  if field.related_name then
    add("related_name = " .. quote(field.related_name))
  end
  shared_options(field, add)
  place_options(field, add)
  return options
end

--- The options of a counter.
-- @tparam table field of a draft
-- @treturn {string,...}
function M.counter(field)
  local options = {}
  local function add(text)
    options[#options + 1] = text
  end
  if field.index then
    add "index = true"
  end
  place_options(field, add)
  return options
end

return M
