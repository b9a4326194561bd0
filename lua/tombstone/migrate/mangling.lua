--- The suffix of dead rows' values as SQL over a table of a schema: which values of a row bear one, how
-- it comes off and on. What the engine does with the fields of a model.
--
-- A unique of one column mangles it; one of several its last text that is not NULL.
-- @module tombstone.migrate.mangling
local finding = require "tombstone.migrate.finding"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- The columns of groups that may bear a suffix.
-- @tparam table t of a schema
-- @tparam {table,...} groups of `tombstone.migrate.soft`
-- @treturn {string,...}
function M.columns(t, groups)
  local list = {}
  for _, group in ipairs(groups) do
    for _, name in ipairs(group.columns) do
      if soft.is_text(t, name) and not finding.names(list, name) then
        list[#list + 1] = name
      end
    end
  end
  return list
end

local function place_in(group, column)
  for i, name in ipairs(group.columns) do
    if tokens.same(name, column) then
      return i
    end
  end
end

local function texts_after_are_null(t, group, place)
  local list = {}
  for i = place + 1, #group.columns do
    if soft.is_text(t, group.columns[i]) then
      list[#list + 1] = tokens.name(group.columns[i]) .. " IS NULL"
    end
  end
  return #list > 0 and table.concat(list, " AND ") or "1"
end

--- The SQL by which a row's suffix is in this column: "0" for never, "1" for always.
-- @tparam table t of a schema
-- @tparam {table,...} groups those that mangle
-- @string column
function M.chosen(t, groups, column)
  local list = {}
  for _, group in ipairs(groups) do
    local place = soft.is_text(t, column) and place_in(group, column)
    local sql = place and texts_after_are_null(t, group, place)
    if sql == "1" then
      return "1"
    end
    list[#list + 1] = sql or nil
  end
  return #list > 0 and table.concat(list, " OR ") or "0"
end

--- A value where a condition holds, else the column as it is.
function M.where(condition, value, column)
  if condition == "0" then
    return tokens.name(column)
  elseif condition == "1" then
    return value
  end
  return ("CASE WHEN %s THEN %s ELSE %s END"):format(condition, value, tokens.name(column))
end

--- The value without the suffix of its row.
function M.stripped(column, stamp)
  return ("tombstone_original(%s, %s)"):format(tokens.name(column), tokens.name(stamp))
end

--- The value with it.
function M.mangled(column, stamp)
  return ("tombstone_mangled(%s, tombstone_suffix(%s))"):format(tokens.name(column), tokens.name(stamp))
end

--- What a row's column holds without suffixes, whether it is dead or not.
function M.original(t, groups, column, stamp)
  return M.where(M.chosen(t, groups, column), M.stripped(column, stamp), column)
end

local function collated(group, i, sql)
  local name = group.collate and group.collate[i]
  return name and ("(%s) COLLATE %s"):format(sql, tokens.name(name)) or "(" .. sql .. ")"
end

--- The SQL by which a row is one of several with the same values in a group's columns.
-- @tparam table t of a schema
-- @tparam table group
-- @tparam function value `value(column)`, SQL
-- @string[opt] among SQL, of the rows that are compared
function M.doubled(t, group, value, among)
  local left, inner, by, given = {}, {}, {}, {}
  for i, column in ipairs(group.columns) do
    local sql = collated(group, i, value(column))
    left[i] = sql
    inner[i] = sql .. " AS v" .. i
    by[i] = "v" .. i
    given[i] = "v" .. i .. " IS NOT NULL"
  end
  local sql = "(%s) IN (SELECT %s FROM (SELECT %s FROM %s WHERE %s) WHERE %s GROUP BY %s HAVING count(*) > 1)"
  return sql:format(
    table.concat(left, ", "),
    table.concat(by, ", "),
    table.concat(inner, ", "),
    tokens.name(t.name),
    among or "1",
    table.concat(given, " AND "),
    table.concat(by, ", ")
  )
end

return M
