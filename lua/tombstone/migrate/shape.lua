--- What a table of a schema says of itself.
-- @module tombstone.migrate.shape
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

--- A copy that shares nothing.
-- @tparam table value a schema, a table, or a part of one
function M.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, part in pairs(value) do
    made[key] = M.copy(part)
  end
  return made
end

--- The column of that name, in whichever case, and its place.
-- @tparam table table
-- @string name
function M.column(table, name)
  for i, column in ipairs(table.columns) do
    if fold(column.name) == fold(name) then
      return column, i
    end
  end
  return nil
end

--- The names of a map, in order.
-- @tparam ?table map
-- @treturn {string,...}
function M.keys(map)
  local names = {}
  for name in pairs(map or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- A map by its names in small letters.
-- @tparam ?table map
-- @treturn table
function M.by_fold(map)
  local found = {}
  for name, value in pairs(map or {}) do
    found[fold(name)] = value
  end
  return found
end

--- The table of that name, in whichever case, or nil.
-- @tparam {[string]=table} tables of a schema
-- @string name
function M.table(tables, name)
  for other, t in pairs(tables) do
    if fold(other) == fold(name) then
      return t
    end
  end
  return nil
end

--- How SQLite stores values in a column of a type.
-- @string name the type, as it is written
-- @treturn string `"integer"`, `"text"`, `"blob"` (as they come), `"real"` or `"numeric"`
function M.affinity(name)
  local folded = fold(name or "")
  if folded:find "int" then
    return "integer"
  elseif folded:find "char" or folded:find "clob" or folded:find "text" then
    return "text"
  elseif folded == "" or folded:find "blob" then
    return "blob"
  elseif folded:find "real" or folded:find "floa" or folded:find "doub" then
    return "real"
  end
  return "numeric"
end

--- The type of a column for comparison: `[integer]` is an integer too.
-- @tparam table column
-- @treturn string
function M.type_of(column)
  local list = tokens.list(column.type)
  if #list == 1 and list[1].kind ~= "sign" then
    return fold(list[1].value)
  end
  return tokens.normal(column.type)
end

--- The column that is another name of SQLite's rowid, or nil. `INTEGER PRIMARY KEY` alone is
-- one: not `INT`, not with DESC, and not in a table WITHOUT ROWID.
-- @tparam table table
-- @treturn table|nil
function M.rowid_alias(table)
  local key = table.primary_key
  if not key or #key ~= 1 or table.without_rowid or (key.desc and key.desc[1]) then
    return nil
  end
  local column = M.column(table, key[1])
  return column and M.type_of(column) == "integer" and column or nil
end

return M
