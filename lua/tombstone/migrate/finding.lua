--- Finding things in the table of a schema.
-- @module tombstone.migrate.finding
local core = require "tombstone.core"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- The column of that name, and its place.
-- @raise migration
function M.find_column(t, name)
  local column, i = shape.column(t, name)
  if not column then
    core.fail("migration", ("Table '%s' has no column '%s'"):format(t.name, name), "look at its name")
  end
  return column, i
end

--- Refuses a name that a column has.
-- @raise migration
function M.need_free(t, name)
  if shape.column(t, name) then
    core.fail("migration", ("Table '%s' has a column '%s' already"):format(t.name, name))
  end
end

--- True where a list of names, or of things with a name, has this one.
function M.names(list, name)
  for _, entry in ipairs(list or {}) do
    if tokens.same(type(entry) == "table" and entry.name or entry, name) then
      return true
    end
  end
  return false
end

--- True where SQL speaks of this name.
function M.mentions(sql, name)
  for _, token in ipairs(sql and tokens.list(sql) or {}) do
    local is_name = token.kind == "word" or token.kind == "name"
    if is_name and tokens.same(token.value, name) then
      return true
    end
  end
  return false
end

local function uses(index, name)
  for _, column in ipairs(index.columns) do
    if (column.name and tokens.same(column.name, name)) or M.mentions(column.sql, name) then
      return true
    end
  end
  return M.mentions(index.where, name)
end

local function refuse_use(t, name, what, hint)
  core.fail("migration", ("Column '%s' of '%s' is used by %s"):format(name, t.name, what), hint)
end

--- Takes a column's own foreign keys off its table.
-- @raise migration
function M.drop_constraints(t, name)
  for i = #t.foreign_keys, 1, -1 do
    local key = t.foreign_keys[i]
    if M.names(key.columns, name) then
      if #key.columns > 1 then
        refuse_use(t, name, "a foreign key of several columns", "drop_foreign_key first")
      end
      table.remove(t.foreign_keys, i)
    end
  end
end

--- Refuses to drop a column that something else needs.
-- @raise migration
function M.need_unused(t, name)
  if M.names(t.primary_key, name) then
    refuse_use(t, name, "the primary key", "say by change_table what the key shall be")
  end
  for _, index in ipairs(t.indexes) do
    if uses(index, name) then
      refuse_use(t, name, ("index '%s'"):format(index.name), "drop_index first")
    end
  end
  for _, unique in ipairs(t.uniques) do
    if M.names(unique.columns, name) then
      refuse_use(t, name, "a UNIQUE constraint", "drop_unique first")
    end
  end
  for _, check in ipairs(t.checks) do
    if M.mentions(check.sql, name) then
      refuse_use(t, name, "the check " .. check.sql, "drop_check first")
    end
  end
  for _, column in ipairs(t.columns) do
    if column.generated and not tokens.same(column.name, name) and M.mentions(column.generated.sql, name) then
      refuse_use(t, name, ("the generated column '%s'"):format(column.name), "drop that first")
    end
  end
end

--- True for two lists of the same names.
function M.same_list(a, b)
  for i = 1, math.max(#a, #b) do
    if not (a[i] and b[i] and tokens.same(a[i], b[i])) then
      return false
    end
  end
  return true
end

--- Takes the first of `list` that `is_it` says it is out of it.
-- @raise migration where there is none
function M.take(t, list, what, is_it)
  for i, entry in ipairs(list) do
    if is_it(entry) then
      return table.remove(list, i)
    end
  end
  return core.fail(
    "migration",
    ("Table '%s' has no %s"):format(t.name, what),
    "look at what it has by inspect"
  )
end

return M
