--- What a database shall be by its models, and what of it is none of their business.
--
-- The models' own schema, and with it what the database has besides and what differs without
-- meaning anything: tables, indexes and constraints of others, other names of the same type, a UNIQUE
-- in the place of a unique index.
-- @module tombstone.migrate.target
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local fold = tokens.fold

local function by_name(list)
  local found = {}
  for _, entry in ipairs(list) do
    found[fold(entry.name)] = entry
  end
  return found
end

local function warn(self, ...)
  self.warnings[#self.warnings + 1] = string.format(...)
end

-- ---- types ---------------------------------------------------------------------------------

local OURS = {
  text = true,
  integer = true,
  real = true,
  boolean = true,
  datetime = true,
  blob = true,
  varchar = true,
}

local NUMBERS = { integer = true, real = true, numeric = true }

local function is_ours(name)
  return OURS[fold(name or ""):match "^%l+"] or false
end

-- A decimal holds the numbers of ours as they are.
local function same_type(a, b)
  if shape.affinity(a) == "numeric" and not is_ours(a) and NUMBERS[shape.affinity(b)] then
    return true
  end
  return shape.affinity(a) == shape.affinity(b) and not (is_ours(a) and is_ours(b) and fold(a) ~= fold(b))
end

-- ---- columns --------------------------------------------------------------------------------

-- What the model does not speak of stays as the table has it.
local function settle_columns(t, there)
  local present = by_name(there.columns)
  for _, column in ipairs(t.columns) do
    local was = present[fold(column.name)]
    if was then
      column.type = same_type(was.type, column.type) and was.type or column.type
      column.default = column.default or was.default
    end
  end
end

-- Columns in the order of the table, those that are new at the end.
local function settle_order(t, there)
  local place = {}
  for i, column in ipairs(there.columns) do
    place[fold(column.name)] = i
  end
  for i, column in ipairs(t.columns) do
    place[fold(column.name)] = place[fold(column.name)] or (#there.columns + i)
  end
  table.sort(t.columns, function(a, b)
    return place[fold(a.name)] < place[fold(b.name)]
  end)
end

local function settle_key(self, t, there)
  local same = table.concat(t.primary_key or {}, "\0") == table.concat(there.primary_key or {}, "\0")
  if same and t.autoincrement and not there.autoincrement then
    warn(
      self,
      "table '%s' may give out a key twice: its key is not AUTOINCREMENT (m:change_table with key = true)",
      t.name
    )
    t.autoincrement = nil
  end
  t.without_rowid, t.strict = there.without_rowid, there.strict
end

-- ---- what is unique -------------------------------------------------------------------------

local function has_column(t, name)
  for _, column in ipairs(t.columns) do
    if fold(column.name) == fold(name) then
      return true
    end
  end
  return false
end

local function columns_of(entry)
  local list = {}
  for i, column in ipairs(entry.columns) do
    list[i] = fold(type(column) == "table" and (column.name or column.sql) or column)
  end
  return table.concat(list, "\0")
end

local function find_index(t, unique, whole)
  for i, index in ipairs(t.indexes) do
    if index.unique and (index.where == nil) == whole and columns_of(index) == columns_of(unique) then
      return i
    end
  end
end

local function is_whole(t, columns)
  for _, name in ipairs(columns) do
    if not has_column(t, name) then
      return false
    end
  end
  return true
end

-- A UNIQUE of the table is as good as the unique index of a model, and bars one of the living.
local function settle_uniques(self, t, there)
  for _, unique in ipairs(there.uniques) do
    local whole, living = find_index(t, unique, true), find_index(t, unique, false)
    if whole then
      table.remove(t.indexes, whole)
      t.uniques[#t.uniques + 1] = unique
    elseif not living and is_whole(t, unique.columns) then
      warn(self, "UNIQUE (%s) of '%s' is in no model: it stays", table.concat(unique.columns, ", "), t.name)
      t.uniques[#t.uniques + 1] = unique
    end
  end
end

-- ---- indexes and constraints of others ------------------------------------------------------

local function uses_only(t, index)
  for _, column in ipairs(index.columns) do
    if column.name and not has_column(t, column.name) then
      return false
    end
  end
  return true
end

-- The engine's own begin with the table's name, or with that before its rename.
local function is_own(index, t, before)
  local name = fold(index.name)
  return name:sub(1, #t.name + 2) == fold(t.name) .. "__"
    or (before ~= nil and name:sub(1, #before + 2) == fold(before) .. "__")
end

-- A unique index that does not come again under another name, though its columns stay.
local function goes_for_good(t, index)
  for _, other in ipairs(t.indexes) do
    if columns_of(other) == columns_of(index) then
      return false
    end
  end
  return index.unique and uses_only(t, index)
end

local function settle_indexes(self, t, there, before)
  local mine = by_name(t.indexes)
  for _, index in ipairs(there.indexes) do
    if mine[fold(index.name)] == nil and is_own(index, t, before) and goes_for_good(t, index) then
      warn(self, "index '%s' goes: no model has it, and it is called as theirs", index.name)
    elseif not mine[fold(index.name)] and not is_own(index, t, before) then
      if uses_only(t, index) then
        t.indexes[#t.indexes + 1] = index
      else
        warn(self, "index '%s' goes: it uses a column that goes", index.name)
      end
    end
  end
end

local function settle_checks(t, there, old_names)
  local mine, place = {}, {}
  for i, check in ipairs(t.checks) do
    mine[fold(check.name or "")] = true
    place[tokens.bare(check.sql)] = i
  end
  for _, check in ipairs(there.checks) do
    local same = place[tokens.bare(check.sql)]
    local name = fold(check.name or "")
    local is_models = check.name and (mine[name] or old_names[name] or has_column(t, check.name))
    if same then
      t.checks[same] = check -- whatever it is called
    elseif not is_models then
      t.checks[#t.checks + 1] = check
    end
  end
end

local function key_of(self, name)
  local t = self.target.tables[name] or self.there.tables[name]
  return t and t.primary_key or {}
end

local function same_key(self, a, b)
  local to_a, to_b = a.to or key_of(self, a.table), b.to or key_of(self, b.table)
  local same_to = fold(table.concat(to_a, "\0")) == fold(table.concat(to_b, "\0"))
  return fold(a.table) == fold(b.table) and columns_of(a) == columns_of(b) and same_to
end

-- NO ACTION: what a deletion means is the engine's business.
local function is_passive(key)
  local action = fold(key.on_delete or "no action")
  return action == "no action" or action == "restrict"
end

local function settle_foreign_keys(self, t, there)
  for _, key in ipairs(there.foreign_keys) do
    local is_known = false
    for i, mine in ipairs(t.foreign_keys) do
      if same_key(self, mine, key) then
        is_known = true
        t.foreign_keys[i] = is_passive(key) and key or mine
      end
    end
    if not is_known and is_whole(t, key.columns) then
      warn(self, "the foreign key of '%s' to '%s' is in no model: it stays", t.name, key.table)
      t.foreign_keys[#t.foreign_keys + 1] = key
    end
  end
end

-- ---- all of it ------------------------------------------------------------------------------

local function settle(self, t, there, before)
  settle_columns(t, there)
  settle_order(t, there)
  settle_key(self, t, there)
  settle_uniques(self, t, there)
  settle_indexes(self, t, there, before)
  settle_checks(t, there, self.old_names[t.name] or {})
  settle_foreign_keys(self, t, there)
end

--- What the database shall be.
-- @tparam table there its schema, with the renames done that models speak of
-- @tparam table models the schema of the models alone
-- @tparam[opt] {[string]=string} renamed tables: new name -> name before
-- @tparam[opt] table columns the same for columns: table -> new name -> name before
-- @treturn table a schema
-- @treturn {string,...} what is left alone and may surprise
function M.of(there, models, renamed, columns)
  local self = { target = schema.copy(models), there = there, warnings = {}, old_names = {} }
  for name, names in pairs(columns or {}) do
    self.old_names[name] = {}
    for _, before in pairs(names) do
      self.old_names[name][fold(before)] = true
    end
  end
  for _, name in ipairs(models.order) do
    local present = shape.table(there.tables, name)
    if present then
      settle(self, self.target.tables[name], present, (renamed or {})[name])
    end
  end
  for _, name in ipairs(there.order) do
    if not shape.table(self.target.tables, name) then
      self.target.tables[name] = schema.copy(there.tables[name])
      self.target.order[#self.target.order + 1] = name
    end
  end
  return self.target, self.warnings
end

return M
