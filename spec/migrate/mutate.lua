-- Changes a schema a little, as years of work do, and says what diffs must be told.
local random_schema = require "migrate.random_schema"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local function mentions(value, name)
  if type(value) == "string" then
    local text, bare = value:lower(), name:lower()
    return text:find(bare, 1, true) ~= nil or text:find((bare:gsub('"', '""')), 1, true) ~= nil
  end
  for _, part in pairs(type(value) == "table" and value or {}) do
    if mentions(part, name) then
      return true
    end
  end
  return false
end

-- Nothing but the column itself speaks of it, in no table.
local function is_free(made, column, whole)
  for _, key in ipairs { "primary_key", "uniques", "foreign_keys", "checks", "indexes" } do
    if mentions(made[key], column.name) then
      return false
    end
  end
  for _, other in ipairs(made.columns) do
    if other ~= column and other.generated and mentions(other.generated, column.name) then
      return false
    end
  end
  for _, other in pairs(whole.tables) do
    local keys = other ~= made and other.foreign_keys or {}
    if mentions(keys, made.name) and mentions(keys, column.name) then
      return false
    end
  end
  return true
end

local function free_column(random, made, whole)
  local column = random:pick(made.columns)
  return is_free(made, column, whole) and not column.generated and column or nil
end

local function fresh(made, stem)
  local n = 1
  while schema.column(made, stem .. n) do
    n = n + 1
  end
  return stem .. n
end

local TYPES = { "text", "integer", "varchar(30)", "real", "" }
local VALUES = { "'new'", "0", "length('abc')" }

local ways = {}

function ways.add_column(random, made, _, told)
  local column = { name = fresh(made, "new"), type = random:pick(TYPES), null = random:chance(50) or nil }
  column.type = made.strict and "any" or column.type
  if not column.null and random:chance(50) then
    column.default = "'d'"
  elseif not column.null or random:chance(30) then
    told.using[made.name][column.name] = random:pick(VALUES)
  end
  made.columns[#made.columns + 1] = column
end

function ways.drop_column(random, made, whole)
  local column = free_column(random, made, whole)
  if column and #made.columns > 1 then
    local _, place = schema.column(made, column.name)
    table.remove(made.columns, place)
  end
end

function ways.change_column(random, made, whole)
  local column = free_column(random, made, whole)
  if column and not made.strict then
    column.type = random:pick(TYPES)
    column.collate = random:chance(30) and "NOCASE" or nil
    column.default = random:chance(30) and "'other'" or nil
  end
end

function ways.allow_null(random, made, whole, told)
  local column = free_column(random, made, whole)
  if column then
    column.null, column.conflict = not column.null or nil, nil
    told.using[made.name][column.name] = not column.null and "'filled'" or nil
  end
end

function ways.rename_column(random, made, whole, told)
  local column = free_column(random, made, whole)
  if column and not told.columns[made.name][column.name] and not column.name:find "^new" then
    local name = fresh(made, "renamed")
    told.using[made.name][name] = told.using[made.name][column.name]
    told.columns[made.name][name] = column.name
    column.name = name
  end
end

function ways.add_check(random, made)
  local name = tokens.name(random:pick(made.columns).name)
  made.checks[#made.checks + 1] = { sql = name .. " IS NULL OR " .. name .. " <> 'never'" }
end

function ways.add_index(random, made)
  local column = random:pick(made.columns)
  made.indexes[#made.indexes + 1] = {
    name = fresh({ columns = made.indexes }, made.name .. "__more"),
    columns = { { name = column.name, desc = random:chance(30) or nil } },
    unique = random:chance(30) or nil,
    where = random:chance(30) and tokens.name(column.name) .. " IS NOT NULL" or nil,
  }
end

-- SQLite keeps one of two that say the same.
local function is_unique(made, name)
  if made.primary_key and #made.primary_key == 1 and made.primary_key[1] == name then
    return true
  end
  for _, unique in ipairs(made.uniques) do
    if #unique.columns == 1 and unique.columns[1] == name then
      return true
    end
  end
  return false
end

function ways.add_unique(random, made)
  local name = random:pick(made.columns).name
  if not is_unique(made, name) then
    made.uniques[#made.uniques + 1] = { columns = { name }, name = random:chance(50) and "u" or nil }
  end
end

function ways.drop_constraint(random, made)
  local list = made[random:pick { "checks", "uniques", "indexes", "foreign_keys" }]
  if #list > 0 then
    table.remove(list, random:int(1, #list))
  end
end

function ways.move_column(random, made)
  local column = table.remove(made.columns, random:int(1, #made.columns))
  table.insert(made.columns, random:int(1, #made.columns + 1), column)
end

function ways.change_kind(_, made)
  local key = made.primary_key
  if made.autoincrement then
    made.autoincrement = nil
  elseif key and schema.rowid_alias(made) and not key.conflict then
    made.autoincrement = true
  end
end

function ways.rename_table(random, made, whole, told)
  if told.tables[made.name] or whole.tables[made.name .. "2"] or not random:chance(40) then
    return
  end
  local old, name = made.name, made.name .. "2"
  whole.tables[old], whole.tables[name], made.name = nil, made, name
  for i, other in ipairs(whole.order) do
    whole.order[i] = other == old and name or other
  end
  for _, other in pairs(whole.tables) do
    for _, key in ipairs(other.foreign_keys) do
      key.table = key.table == old and name or key.table
    end
  end
  told.tables[name] = old
  told.columns[name], told.using[name] = told.columns[old], told.using[old]
end

local function points_to(whole, made)
  for _, other in pairs(whole.tables) do
    for _, key in ipairs(other ~= made and other.foreign_keys or {}) do
      if key.table == made.name then
        return true
      end
    end
  end
  return false
end

function ways.drop_table(random, made, whole)
  if #whole.order > 1 and not points_to(whole, made) and random:chance(40) then
    whole.tables[made.name] = nil
    for i = #whole.order, 1, -1 do
      if whole.order[i] == made.name then
        table.remove(whole.order, i)
      end
    end
  end
end

function ways.add_table(random, _, whole, told)
  local name = "table " .. #whole.order + 1
  if not whole.tables[name] and random:chance(40) then
    whole.tables[name] = random_schema.table(random, whole, name)
    whole.order[#whole.order + 1] = name
    told.columns[name], told.using[name] = {}, {}
  end
end

local NAMES = {}
for name in pairs(ways) do
  NAMES[#NAMES + 1] = name
end
table.sort(NAMES)

--- A changed copy of a schema, and what `diff.schemas` must be told of it.
function M.mutated(random, old)
  local whole = schema.copy(old)
  local told = { tables = {}, columns = {}, using = {} }
  for _, name in ipairs(whole.order) do
    told.columns[name], told.using[name] = {}, {}
  end
  for _ = 1, random:int(1, 6) do
    local made = whole.tables[random:pick(whole.order)]
    ways[random:pick(NAMES)](random, made, whole, told)
  end
  return whole, told
end

return M
