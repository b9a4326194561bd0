--- What is soft-deletable about a table of a schema: its marks, its key, what is unique in it.
-- @module tombstone.migrate.soft
local core = require "tombstone.core"
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local same = tokens.same

-- ---- small questions ------------------------------------------------------------------------------

--- The SQL by which a row lives.
-- @string stamp a column
function M.living(stamp)
  return tokens.name(stamp) .. " IS NULL"
end

--- The SQL by which it is dead.
function M.dead(stamp)
  return tokens.name(stamp) .. " IS NOT NULL"
end

--- True where SQL says this, in whichever spelling.
function M.says(sql, wanted)
  return sql ~= nil and tokens.bare(sql) == tokens.normal(wanted)
end

--- True for an index of the living alone.
function M.is_living(index, stamp)
  return M.says(index.where, M.living(stamp))
end

--- The column of the primary key.
-- @raise migration where there is none, or several
function M.key(t)
  local key = t.primary_key
  if not key or #key ~= 1 then
    core.fail(
      "migration",
      ("Table '%s' has no primary key of one column, as models want it"):format(t.name),
      "give it one by change_table"
    )
  end
  return key[1]
end

--- True for columns whose values a suffix can be put behind: those that models call char or text.
function M.is_text(t, name)
  local kind = tokens.fold(schema.column(t, name).type)
  local is_number = kind:find("int", 1, true)
  return not is_number and (kind:find "char" or kind:find "clob" or kind:find "text") ~= nil
end

-- ---- finding -------------------------------------------------------------------------------------------

--- True for an index that has this name behind its table's, and is not unique.
function M.is_named(index, t, ending)
  return same(index.name, t.name .. ending) and not index.unique
end

-- The column of the marks, by the index of the living.
local function stamp_of(t)
  for _, index in ipairs(t.indexes) do
    local second = M.is_named(index, t, "__living") and index.columns[2]
    if second and second.name and M.is_living(index, second.name) then
      return second.name
    end
  end
end

local function event_of(t)
  for _, index in ipairs(t.indexes) do
    local first = M.is_named(index, t, "__event") and index.columns[1]
    if first and first.name and M.says(index.where, M.dead(first.name)) then
      return first.name
    end
  end
end

local function spelled(t, name)
  local column = name and schema.column(t, name)
  return column and column.name
end

--- True for tables that have the index of the living, as models and migrations make it.
function M.is_made(t)
  return stamp_of(t) ~= nil
end

--- What is soft-deletable about a table.
-- @tparam table t of a schema
-- @string[opt] column of the marks, where no index tells it
-- @treturn table|nil `stamp` and `event`, names of columns; `event` may be missing
function M.of(t, column)
  local stamp = stamp_of(t) or spelled(t, column or "deleted_at")
  if not stamp then
    return nil
  end
  return { stamp = stamp, event = event_of(t) or spelled(t, "deleted_event") }
end

--- The same.
-- @raise migration where it is not
function M.need(t, column)
  local found = M.of(t, column)
  if not found then
    core.fail("migration", ("Table '%s' has no soft delete"):format(t.name), "use add_soft_delete or adopt")
  end
  return found
end

-- ---- what is unique ------------------------------------------------------------------------------------

--- The names of an index's columns, or nil where one is an expression.
function M.names(index)
  local names = {}
  for i, column in ipairs(index.columns) do
    if not column.name then
      return nil
    end
    names[i] = column.name
  end
  return names
end

-- "whole" binds the dead too, "live" the living, "other" are expressions and conditions of others.
local function kind_of(index, names, stamp)
  if names and not index.where then
    return "whole"
  end
  return names and stamp and M.is_living(index, stamp) and "live" or "other"
end

local function collations(t, names, given)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = given(i) or schema.column(t, name).collate
  end
  return list
end

--- All that is unique, but for the primary key.
-- @tparam table t of a schema
-- @string[opt] stamp
-- @treturn {table,...} `kind` (`"whole"`, `"live"`, `"other"`), `columns` (names, where all are), `collate`
-- by the place of a column, `place` in `t.uniques` or `t.indexes`, `constraint` or `index`
function M.groups(t, stamp)
  local list = {}
  for i, unique in ipairs(t.uniques) do
    list[#list + 1] = {
      kind = "whole",
      columns = unique.columns,
      constraint = unique,
      place = i,
      collate = collations(t, unique.columns, function(at)
        return unique.collate and unique.collate[at]
      end),
    }
  end
  for i, index in ipairs(t.indexes) do
    local names = index.unique and M.names(index)
    if index.unique then
      list[#list + 1] = {
        kind = kind_of(index, names, stamp),
        columns = names or nil,
        index = index,
        place = i,
        collate = names and collations(t, names, function(at)
          return index.columns[at].collate
        end),
      }
    end
  end
  return list
end

--- True where a foreign key, of this table or another, points at these columns: what it points at
-- must be unique among all rows.
-- @tparam table tables of a schema
-- @tparam table t
-- @tparam {string,...} columns
function M.is_pointed_at(tables, t, columns)
  for _, other in pairs(tables) do
    for _, key in ipairs(other.foreign_keys) do
      if same(key.table, t.name) and key.to and #key.to == #columns then
        local all = true
        for _, name in ipairs(key.to) do
          all = all and finding.names(columns, name)
        end
        if all then
          return true, other.name
        end
      end
    end
  end
  return false
end

--- The groups of a table that are unique among all its rows.
-- @tparam table t of a schema
-- @string stamp its column of the time
-- @treturn {table,...}
function M.whole_groups(t, stamp)
  local list = {}
  for _, group in ipairs(M.groups(t, stamp)) do
    list[#list + 1] = group.kind == "whole" and group or nil
  end
  return list
end

--- The column of the event that an option means: true and nil for the usual one, false for none.
-- @tparam ?boolean|string event
-- @treturn ?string
function M.event_column(event)
  if event == false then
    return nil
  end
  return type(event) == "string" and event or "deleted_event"
end

return M
