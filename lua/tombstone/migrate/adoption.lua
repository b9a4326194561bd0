--- What becomes of a table that is adopted: the values of its columns as SQL over what is there, and its
-- shape.
-- @module tombstone.migrate.adoption
local compare = require "tombstone.migrate.compare"
local finding = require "tombstone.migrate.finding"
local mangling = require "tombstone.migrate.mangling"
local refusal = require "tombstone.migrate.refusal"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_shape = require "tombstone.migrate.soft_shape"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local same = tokens.same

-- ---- the mark -------------------------------------------------------------------------------------

--- The SQL of a row's `deleted_at`.
-- @tparam table reading of `tombstone.migrate.recognise`
-- @string[opt] ambiguous what becomes of unclear rows: `"living"` or `"dead"`
function M.stamp(reading, ambiguous)
  local dead = ("coalesce(%s, %s)"):format(reading.time, tokens.text(reading.now))
  local unclear = ""
  if reading.why and ambiguous then
    unclear = ("WHEN (%s) IS NOT NULL THEN %s "):format(reading.why, ambiguous == "dead" and dead or "NULL")
  end
  return ("CASE %sWHEN %s THEN %s END"):format(unclear, reading.dead, dead)
end

-- ---- shape: what spoke of the old mark ------------------------------------------------------------------

-- What says, in an index of others, that a row lives.
local function living_texts(reading)
  local list = {}
  local function add(text, ...)
    list[tokens.normal(text:format(...))] = true
  end
  if reading.stamp then
    local name = tokens.name(reading.stamp)
    for _, text in ipairs { "%s IS NULL", "%s = 0", "%s = ''", "%s = '0000-00-00 00:00:00'" } do
      add(text, name)
    end
  end
  if reading.mark then
    local name = tokens.name(reading.mark)
    local plain = reading.is_inverted and { "%s", "%s = 1", "%s = true", "%s IS TRUE", "%s IS NOT NULL" }
      or { "NOT %s", "%s = 0", "%s = false", "%s IS FALSE", "%s IS NOT TRUE", "%s <> 1" }
    for _, text in ipairs(plain) do
      add(text, name)
    end
  end
  return list
end

local function sources(reading)
  local list = {}
  for _, part in ipairs { "stamp", "flag", "active", "cascade" } do
    list[#list + 1] = reading[part]
  end
  return list
end

M.sources = sources

local function without(names, dropped)
  local list = {}
  for _, name in ipairs(names) do
    list[#list + 1] = not finding.names(dropped, name) and name or nil
  end
  return list
end

-- UNIQUE (title, deleted_at) was unique by title among the living.
local function settle_uniques(t, marks)
  for i = #t.uniques, 1, -1 do
    local unique = t.uniques[i]
    local left = without(unique.columns, marks)
    if #left < #unique.columns then
      table.remove(t.uniques, i)
      if #left > 0 then
        t.uniques[#t.uniques + 1] = { columns = left }
      end
    end
  end
end

local function says(columns, is_unique)
  return compare.text.index { name = "", columns = columns, unique = is_unique }
end

local function settle_index(t, index, marks, living)
  local left, was = {}, #index.columns
  for _, column in ipairs(index.columns) do
    local is_mark = column.name and finding.names(marks, column.name)
    left[#left + 1] = not is_mark and column or nil
  end
  local is_alike = false
  for _, other in ipairs(t.indexes) do
    local is_other = other ~= index and #left < was and not other.where
    is_alike = is_alike or (is_other and says(other.columns, other.unique) == says(left, index.unique))
  end
  index.columns = left
  if index.where and living[tokens.bare(index.where)] then
    index.where = nil
  end
  return #left > 0 and not is_alike
end

-- Models look for a unique index by its name.
local function name_uniques(t)
  for _, group in ipairs(soft.groups(t)) do
    if group.index and group.kind == "whole" then
      group.index.name = ""
      group.index.name = soft_unique.index_name(t, group.columns, "key")
    end
  end
end

local function is_parents_index(t, index, stamp)
  local first, second = index.columns[1], index.columns[2]
  if not (second and second.name and same(second.name, stamp) and not index.unique) then
    return false
  end
  for _, key in ipairs(t.foreign_keys) do
    if #key.columns == 1 and first.name and same(key.columns[1], first.name) then
      return true
    end
  end
  return false
end

local function settle_indexes(t, reading, marks, stamp)
  local living = living_texts(reading)
  for i = #t.indexes, 1, -1 do
    local index = t.indexes[i]
    local stays = is_parents_index(t, index, stamp) or settle_index(t, index, marks, living)
    if not stays then
      table.remove(t.indexes, i)
    end
  end
  name_uniques(t)
end

-- A check of the old mark alone goes with it.
local function settle_checks(t, dropped)
  for i = #t.checks, 1, -1 do
    local speaks, of_others = false, false
    for _, column in ipairs(t.columns) do
      local is_named = finding.mentions(t.checks[i].sql, column.name)
      local is_dropped = finding.names(dropped, column.name)
      speaks = speaks or (is_named and is_dropped)
      of_others = of_others or (is_named and not is_dropped)
    end
    if speaks and not of_others then
      table.remove(t.checks, i)
    end
  end
end

-- ---- shape: columns ---------------------------------------------------------------------------------------

-- Types that do not store as datetime does, or mean something else.
local OTHERS = { "int", "char", "text", "clob", "blob", "real", "floa", "doub", "bool" }

local function has_word(kind, words)
  for _, word in ipairs(words) do
    if kind:find(word, 1, true) then
      return true
    end
  end
  return false
end

-- As models have it: where the time stands already, it may need another type, and be NULL.
local function settle_stamp(t, name)
  local column = schema.column(t, name)
  if not column then
    return
  end
  local kind = tokens.fold(column.type)
  local is_numeric = kind ~= "" and not has_word(kind, OTHERS)
  local is_theirs = is_numeric and kind:match "^%l*" ~= "datetime"
  column.type = t.strict and "text" or (is_theirs and column.type or "datetime")
  column.null, column.default, column.conflict = true, nil, nil
end

-- Nobody fills it any more.
local function make_optional(column, value)
  if not column.null and not column.default then
    column.default = value
  end
end

local function drop(t, from, name)
  local _, i = schema.column(t, name)
  finding.need_unused(t, name)
  table.remove(t.columns, i)
  from[tokens.fold(name)] = nil
end

--- Makes the table what it becomes.
-- @tparam table tables of the schema
-- @tparam table t which is changed
-- @tparam table from values by column, which is changed
-- @tparam table plan `reading`, `how` (as of `tombstone.migrate.soft_shape`), `drop`, `living` (SQL of
-- the old marks of the living, by column)
function M.shape(tables, t, from, plan)
  local marks, how = sources(plan.reading), plan.how
  local old = without(marks, { how.stamp })
  settle_uniques(t, marks)
  settle_indexes(t, plan.reading, marks, how.stamp)
  if plan.drop then
    settle_checks(t, old)
  end
  settle_stamp(t, how.stamp)
  for _, name in ipairs(old) do
    if plan.drop then
      drop(t, from, name)
    else
      make_optional(schema.column(t, name), plan.living[tokens.fold(name)])
    end
  end
  soft_shape.add(tables, t, how)
end

-- ---- values -----------------------------------------------------------------------------------

-- The value without a suffix of others.
local function base_of(plan, column)
  local name = tokens.name(column)
  if #plan.reading.marks > 0 and finding.names(plan.texts, column) then
    return ("coalesce(tombstone_unmarked(%s), %s)"):format(name, name)
  end
  return name
end

local function with_suffix(plan, column, base)
  local name, suffix = tokens.name(column), ("tombstone_suffix(%s)"):format(plan.stamp)
  local sql = "CASE WHEN tombstone_original(%s, %s) <> %s COLLATE BINARY THEN %s "
    .. "ELSE tombstone_mangled(%s, %s) END"
  return sql:format(
    name,
    plan.stamp,
    name,
    name,
    base,
    suffix
  )
end

--- The SQL of a column's new values, or nil where they stay.
-- @tparam table plan `reading`, `stamp` (SQL), `texts` (columns that the article mangles), `whole`
-- (groups that mangle after), `table` (as it shall be)
-- @string column
function M.value(plan, column)
  local base, name = base_of(plan, column), tokens.name(column)
  local chosen = mangling.chosen(plan.table, plan.whole, column)
  if base == name and chosen == "0" then
    return nil
  end
  local value = mangling.where(chosen, with_suffix(plan, column, base), column)
  if chosen == "0" then
    value = base
  end
  return ("CASE WHEN (%s) IS NULL THEN %s ELSE %s END"):format(plan.stamp, name, value)
end

-- A foreign key pointed at it before: its values stay.
local function mangling_groups(tables, t, stamp)
  local list = {}
  for _, group in ipairs(soft.whole_groups(t, stamp)) do
    local stays = soft.is_pointed_at(tables, t, group.columns)
    list[#list + 1] = not stays and #mangling.columns(t, { group }) > 0 and group or nil
  end
  return list
end

--- New values by column, in lower case, of those that change.
-- @tparam table tables of the schema
-- @tparam table after the table as it shall be
-- @tparam table plan
-- @treturn {[string]=string}
function M.values(tables, after, plan)
  plan.table, plan.whole = after, mangling_groups(tables, after, plan.how.stamp)
  local found = {}
  for _, column in ipairs(after.columns) do
    found[tokens.fold(column.name)] = soft.is_text(after, column.name) and M.value(plan, column.name) or nil
  end
  return found
end

--- Refuses rows that would collide by what is unique then.
-- @tparam job job
-- @tparam table before
-- @tparam table plan with `values`
function M.need_unique(job, before, plan)
  local from, key = tokens.name(before.name), tokens.name(soft.key(before))
  for _, group in ipairs(soft.groups(plan.table, plan.how.stamp)) do
    if group.columns then
      local among = group.kind == "live" and ("(%s) IS NULL"):format(plan.stamp) or nil
      local doubled = mangling.doubled(before, group, function(column)
        return plan.values[tokens.fold(column)] or tokens.name(column)
      end, among)
      refusal.where(
        job,
        from,
        key,
        (among and among .. " AND " or "") .. doubled,
        ("Rows of '%s' would collide in %s"):format(before.name, table.concat(group.columns, ", ")),
        "change or delete one of each first"
      )
    end
  end
end

return M
