--- What a rename does to the value of a schema: the database does the same to its own.
-- @module tombstone.migrate.rename
local tokens = require "tombstone.migrate.tokens"

local M = {}

local same = tokens.same

local function in_list(list, old, new)
  for i, name in ipairs(list or {}) do
    list[i] = same(name, old) and new or name
  end
end

-- In a check or an index a name can only be a column's, or a function's, which a parenthesis follows.
local function in_sql(sql, old, new)
  if not sql then
    return nil
  end
  local list = tokens.list(sql)
  for i, token in ipairs(list) do
    local is_name = token.kind == "name" or token.kind == "word"
    local is_call = list[i + 1] and list[i + 1].text == "("
    if is_name and not is_call and same(token.value, old) then
      token.text = tokens.name(new)
    end
  end
  return tokens.join(list)
end

local function in_indexes(t, old, new)
  for _, index in ipairs(t.indexes) do
    for _, column in ipairs(index.columns) do
      column.name = column.name and (same(column.name, old) and new or column.name)
      column.sql = in_sql(column.sql, old, new)
    end
    index.where = in_sql(index.where, old, new)
  end
end

local function in_columns(t, old, new)
  for _, column in ipairs(t.columns) do
    column.name = same(column.name, old) and new or column.name
    if column.generated then
      column.generated.sql = in_sql(column.generated.sql, old, new)
    end
  end
end

local function in_constraints(t, old, new)
  in_list(t.primary_key, old, new)
  for _, unique in ipairs(t.uniques) do
    in_list(unique.columns, old, new)
  end
  for _, check in ipairs(t.checks) do
    check.sql = in_sql(check.sql, old, new)
  end
  for _, key in ipairs(t.foreign_keys) do
    in_list(key.columns, old, new)
  end
end

--- Renames a column, also where others point to it.
-- @tparam table schema is changed
-- @string table_name
-- @string old
-- @string new
function M.column(schema, table_name, old, new)
  local t = schema.tables[table_name]
  in_columns(t, old, new)
  in_constraints(t, old, new)
  in_indexes(t, old, new)
  for _, other in pairs(schema.tables) do
    for _, key in ipairs(other.foreign_keys) do
      if same(key.table, table_name) then
        in_list(key.to, old, new)
      end
    end
  end
end

--- Renames a table, also where others point to it.
-- @tparam table schema is changed
-- @string old
-- @string new
function M.table(schema, old, new)
  local t = schema.tables[old]
  schema.tables[old], schema.tables[new], t.name = nil, t, new
  in_list(schema.order, old, new)
  for _, other in pairs(schema.tables) do
    for _, key in ipairs(other.foreign_keys) do
      key.table = same(key.table, old) and new or key.table
    end
  end
end

return M
