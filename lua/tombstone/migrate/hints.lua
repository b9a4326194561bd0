--- What models tell their migrations: names before a rename, and what rows get in a new column.
-- @module tombstone.migrate.hints
local core = require "tombstone.core"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local NOW = "strftime('%Y-%m-%d %H:%M:%S', 'now')"

-- A default as SQL, where it is a value that SQL spells as the engine stores it.
local function literal(field, default)
  local kind = type(default)
  if kind == "boolean" then
    return default and "1" or "0"
  elseif kind == "string" and (field.type == "char" or field.type == "text") then
    return tokens.text(default)
  elseif kind == "number" and (field.type == "integer" or field.type == "number") then
    local math_type = rawget(math, "type")
    local is_integer = math_type and math_type(default) == "integer"
    return (is_integer and "%d" or "%.17g"):format(default)
  end
end

-- Columns that models keep by themselves.
local function own_value(field, hint)
  if hint then
    return literal(field, hint.default)
  elseif field.type == "datetime" and not field.null then
    return NOW
  elseif field.name == "version" then
    return "1"
  end
end

local function of_model(found, model, spec)
  local t = core.table_of(model)
  found.tables[t] = spec.renamed_from
  found.models[t] = spec.name
  found.columns[t], found.using[t], found.unique[t] = {}, {}, {}
  for _, field in ipairs(model:fields()) do
    local hint = spec.hints[field.name]
    found.columns[t][field.column] = hint and hint.renamed_from
    found.using[t][field.column] = own_value(field, hint)
    found.unique[t][field.column] = hint and hint.unique
  end
end

--- The hints of a database's models.
-- @tparam database db
-- @treturn table `tables` (new name -> name before), `columns` (table -> column -> name before),
-- `using` (table -> column -> SQL), `unique` (table -> column -> what its field says)
function M.of(db)
  local found, side = { tables = {}, columns = {}, models = {}, using = {}, unique = {} }, core.side(db)
  for _, model in ipairs(db:models()) do
    of_model(found, model, side.specs[rawget(model, "__name")])
  end
  return found
end

return M
