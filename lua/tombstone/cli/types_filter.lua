--- The keys of filters: fields with lookups, and those one relation away.
-- @module tombstone.cli.types_filter
local models = require "tombstone.migrate.declared"

local M = {}

local OF_TEXT = {
  "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like", "original",
}

local LUA = {
  char = "string",
  text = "string",
  blob = "string",
  integer = "integer",
  number = "number",
  datetime = "number",
  boolean = "boolean",
  json = "any",
}

local function literals(choices)
  local words = {}
  for i, choice in ipairs(choices) do
    if type(choice) ~= "string" or choice:find '[%c"\\]' then
      return nil
    end
    words[i] = '"' .. choice .. '"'
  end
  return #words > 0 and table.concat(words, "|") or nil
end

--- The Lua type of a field's values; choices of texts are these texts.
-- @tparam table field
-- @treturn string
-- @treturn boolean true where it is a union
function M.type_of(field)
  local words = field.choices and literals(field.choices)
  if words then
    return words, words:find("|", 1, true) ~= nil
  end
  return LUA[field.type], false
end

--- "string[]", `("a"|"b")[]`
function M.list_of(type_name)
  return (type_name:find("|", 1, true) and "(" .. type_name .. ")" or type_name) .. "[]"
end

local function compared(add, key, plain)
  for _, lookup in ipairs { "lt", "lte", "gt", "gte" } do
    add(key .. "__" .. lookup, plain .. "|tombstone.Expression")
  end
  add(key .. "__range", M.list_of(plain))
end

local function add_field(add, key, field)
  local exact, plain = M.type_of(field), LUA[field.type]
  local null = field.null and "|tombstone.Null" or ""
  add(key .. "__isnull", "boolean")
  if field.type == "json" then
    return
  end
  add(key, exact .. "|" .. M.list_of(exact) .. "|tombstone.Expression" .. null)
  add(key .. "__ne", exact .. "|tombstone.Expression" .. null)
  add(key .. "__in", M.list_of(exact))
  compared(add, key, plain)
  if field.type == "char" or field.type == "text" then
    for _, lookup in ipairs(OF_TEXT) do
      add(key .. "__" .. lookup, "string")
    end
  end
end

-- Rows stand for themselves at the end of a way.
local function add_way(add, way, row)
  local null = way.kind == "parent" and "|tombstone.Null" or ""
  add(way.name, row .. "|" .. row .. "[]" .. null)
  add(way.name .. "__ne", row)
  add(way.name .. "__in", row .. "[]")
  add(way.name .. "__isnull", "boolean")
end

--- The keys that a model's filter takes, each with its type, in the order of fields and ways.
-- @tparam {table,...} list of models
-- @tparam table described
-- @tparam function row_class model name -> name of the class of its rows
-- @treturn {{string,string},...}
function M.keys(list, described, row_class)
  local keys, known = {}, {}
  local function add(key, type_name)
    if not known[key] then
      known[key] = true
      keys[#keys + 1] = { key, type_name }
    end
  end
  for _, field in ipairs(described.fields) do
    add_field(add, field.name, field)
  end
  for _, way in ipairs(models.ways(list, described)) do
    local target = list[way.model]
    if target then
      add_way(add, way, row_class(way.model))
      for _, field in ipairs(target.fields) do
        add_field(add, way.name .. "__" .. field.name, field)
      end
    end
  end
  return keys
end

return M
