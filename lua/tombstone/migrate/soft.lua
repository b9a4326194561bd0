--- What makes a table soft-deletable, as a part of its schema: found, added and taken off again.
--
-- It is what models want: the columns, the indexes of the living and of the dead by event, indexes
-- partial on the living, checks that bind the living only.
-- @module tombstone.migrate.soft
local core = require "tombstone.core"
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local same = finding.same

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

local function says(sql, wanted)
  return sql ~= nil and tokens.bare(sql) == tokens.normal(wanted)
end

--- True for an index of the living alone.
function M.is_living(index, stamp)
  return says(index.where, M.living(stamp))
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
  local kind = schema.column(t, name).type:lower()
  local is_number = kind:find("int", 1, true)
  return not is_number and (kind:find "char" or kind:find "clob" or kind:find "text") ~= nil
end

-- ---- finding -------------------------------------------------------------------------------------------

local function is_named(index, t, ending)
  return same(index.name, t.name .. ending) and not index.unique
end

-- The column of the marks, by the index of the living.
local function stamp_of(t)
  for _, index in ipairs(t.indexes) do
    local second = is_named(index, t, "__living") and index.columns[2]
    if second and second.name and M.is_living(index, second.name) then
      return second.name
    end
  end
end

local function event_of(t)
  for _, index in ipairs(t.indexes) do
    local first = is_named(index, t, "__event") and index.columns[1]
    if first and first.name and says(index.where, M.dead(first.name)) then
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
    core.fail("migration", ("Table '%s' has no soft delete"):format(t.name), "add_soft_delete or adopt it first")
  end
  return found
end

-- ---- what is unique ------------------------------------------------------------------------------------

local function names_of(index)
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
    local names = index.unique and names_of(index)
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

-- ---- names of indexes -----------------------------------------------------------------------------------

local function is_taken(t, name)
  return finding.names(t.indexes, name)
end

--- A name for an index of these columns, as the engine gives them.
-- @tparam table t
-- @tparam {string,...} columns
-- @string[opt] ending
function M.index_name(t, columns, ending)
  local name = t.name .. "__" .. table.concat(columns, "__") .. (ending and "__" .. ending or "")
  while is_taken(t, name) do
    name = name .. "_"
  end
  return name
end

-- The engine's own come first: a field may be called "event", and has an index too.
local function free(t, name)
  for _, index in ipairs(t.indexes) do
    if same(index.name, name) then
      free(t, name .. "_")
      index.name = name .. "_"
    end
  end
end

local function give_back(t, name)
  for _, index in ipairs(t.indexes) do
    if same(index.name, name .. "_") then
      index.name = name
      give_back(t, name .. "_")
      return
    end
  end
end

-- ---- checks --------------------------------------------------------------------------------------------

local function bind_living(t, stamp)
  for _, check in ipairs(t.checks) do
    local list = tokens.list(check.sql)
    check.sql = ("%s OR (%s)"):format(M.dead(stamp), tokens.join(list, tokens.inside(list)))
  end
end

-- What a check says of the living, or nil.
local function of_living(sql, stamp)
  local list = tokens.list(sql)
  local first, last = tokens.inside(list)
  local is_ours = list[first + 5] ~= nil
    and (list[first].kind == "name" or list[first].kind == "word")
    and same(list[first].value, stamp)
    and list[first + 4].word == "or"
    and tokens.normal(tokens.join(list, first + 1, first + 3)) == "is not null"
    and list[first + 5].text == "("
  if is_ours and tokens.closing(list, first + 5) == last then
    return tokens.join(list, first + 6, last - 1)
  end
end

local function as_before(sql, before)
  for _, check in ipairs(before and before.checks or {}) do
    if tokens.bare(check.sql) == tokens.bare(sql) then
      return check.sql
    end
  end
  return sql
end

local function bind_all(t, stamp, before)
  for _, check in ipairs(t.checks) do
    local sql = of_living(check.sql, stamp)
    check.sql = sql and as_before(sql, before) or check.sql
  end
end

-- ---- indexes of foreign keys --------------------------------------------------------------------------------

local function same_columns(index, names)
  local own = names_of(index)
  return own ~= nil and finding.same_list(own, names)
end

-- A key that the database does not number by itself stands at the end of each index.
local function with_key(t, names)
  local key = t.primary_key[1]
  if not schema.rowid_alias(t) and not finding.names(names, key) then
    names[#names + 1] = key
  end
  return names
end

local function parent_columns(t)
  local list = {}
  for _, key in ipairs(t.foreign_keys) do
    if #key.columns == 1 and not finding.names(list, key.columns[1]) then
      list[#list + 1] = key.columns[1]
    end
  end
  return list
end

local function find_plain(t, names)
  for i, index in ipairs(t.indexes) do
    if not index.unique and not index.where and same_columns(index, names) then
      return index, i
    end
  end
end

local function as_columns(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = { name = name }
  end
  return list
end

local function is_own(index, t)
  return same(index.name:sub(1, #t.name + 2), t.name .. "__")
end

-- The index by which children are found now, as far as models know it.
local function parents_index(t, name, stamp)
  local index = find_plain(t, with_key(t, { name, stamp }))
  if index then
    return index
  end
  index = find_plain(t, with_key(t, { name }))
  return index and is_own(index, t) and index or nil
end

-- Children are found by their parent, the living ones and the dead.
local function index_parents(t, stamp)
  for _, name in ipairs(parent_columns(t)) do
    local index = parents_index(t, name, stamp)
    if not index then
      index = {}
      t.indexes[#t.indexes + 1] = index
    end
    index.columns = as_columns(with_key(t, { name, stamp }))
    index.name = "" -- gives its own name back
    index.name = M.index_name(t, { name, stamp })
  end
end

-- ---- adding ------------------------------------------------------------------------------------------------

local function add_columns(t, stamp, event)
  local kind = t.strict and "text" or "datetime"
  if not schema.column(t, stamp) then
    t.columns[#t.columns + 1] = { name = stamp, type = kind, null = true }
  end
  if event and not schema.column(t, event) then
    t.columns[#t.columns + 1] = { name = event, type = "integer", null = true }
  end
end

--- Takes a group's constraint or index off its table.
function M.drop_group(t, group)
  for _, list in ipairs { t.uniques, t.indexes } do
    for i, entry in ipairs(list) do
      if entry == group.constraint or entry == group.index then
        table.remove(list, i)
        return
      end
    end
  end
end

local function collation(group, i)
  return (group.collate[i] or "binary"):lower()
end

local function same_group(a, b)
  if not finding.same_list(a.columns, b.columns) then
    return false
  end
  for i = 1, #a.columns do
    if collation(a, i) ~= collation(b, i) then
      return false
    end
  end
  return true
end

local function live_columns(group)
  local columns = {}
  for i, name in ipairs(group.columns) do
    local column = group.index and group.index.columns[i]
    local how = group.constraint or {}
    columns[i] = {
      name = name,
      collate = column and column.collate or how.collate and how.collate[i] or nil,
      desc = column and column.desc or how.desc and how.desc[i] or nil,
    }
  end
  return columns
end

--- Makes a group, which is off its table, unique among the living by an index.
function M.make_live(t, group, stamp)
  for _, other in ipairs(M.groups(t, stamp)) do
    if other.kind == "live" and same_group(other, group) then
      return
    end
  end
  t.indexes[#t.indexes + 1] = {
    name = M.index_name(t, group.columns, "live"),
    columns = live_columns(group),
    unique = true,
    where = M.living(stamp),
  }
end

-- Which of them bind the dead too, and make place by a suffix.
local function stays_whole(tables, t, group, strategy)
  if M.is_pointed_at(tables, t, group.columns) then
    return true
  end
  if strategy == "live" then
    return false
  end
  local has_text = false
  for _, name in ipairs(group.columns) do
    has_text = has_text or M.is_text(t, name)
  end
  return has_text and (#group.columns == 1 or strategy == "mangle")
end

local function free_uniques(tables, t, stamp, strategy)
  for _, group in ipairs(M.groups(t, stamp)) do
    local index = group.index
    if group.kind == "other" then
      index.where = index.where and ("(%s) AND %s"):format(index.where, M.living(stamp)) or M.living(stamp)
    elseif group.kind == "whole" and not stays_whole(tables, t, group, strategy) then
      M.drop_group(t, group)
      M.make_live(t, group, stamp)
    end
  end
end

-- Indexes that models know are of the living.
local function narrow_indexes(t, stamp)
  for _, index in ipairs(t.indexes) do
    local is_parents = index.columns[2] and index.columns[2].name and same(index.columns[2].name, stamp)
    if is_own(index, t) and not index.unique and not index.where and not is_parents then
      index.where = M.living(stamp)
    end
  end
end

local function add_own_indexes(t, stamp, event)
  free(t, t.name .. "__living")
  t.indexes[#t.indexes + 1] = {
    name = t.name .. "__living",
    columns = as_columns { M.key(t), stamp },
    where = M.living(stamp),
  }
  if event then
    free(t, t.name .. "__event")
    t.indexes[#t.indexes + 1] = {
      name = t.name .. "__event",
      columns = as_columns { event },
      where = M.dead(event),
    }
  end
end

--- Makes a table soft-deletable.
-- @tparam table tables of its schema
-- @tparam table t which is changed
-- @tparam table how `stamp`, `event` (names of columns, `event` may be missing), `unique`
-- (`"mangle"`, `"live"` or nil, as of models)
function M.add(tables, t, how)
  add_columns(t, how.stamp, how.event)
  bind_living(t, how.stamp)
  free_uniques(tables, t, how.stamp, how.unique)
  index_parents(t, how.stamp)
  narrow_indexes(t, how.stamp)
  add_own_indexes(t, how.stamp, how.event)
end

-- ---- taking off -------------------------------------------------------------------------------------------

-- There may have been several, by which the same was unique.
local function groups_before(before, group)
  local list = {}
  for _, was in ipairs(before and M.groups(before) or {}) do
    list[#list + 1] = was.kind == "whole" and same_group(was, group) and was or nil
  end
  return list
end

local function put_back(t, groups)
  for _, was in ipairs(groups) do
    if was.constraint then
      t.uniques[#t.uniques + 1] = schema.copy(was.constraint)
    else
      t.indexes[#t.indexes + 1] = schema.copy(was.index)
    end
  end
end

--- Makes a group unique among all rows: as it was before, or by an index.
-- @tparam table t which is changed
-- @tparam table group
-- @tparam[opt] table before the table as it was
function M.make_whole(t, group, before)
  local was = groups_before(before, group)
  M.drop_group(t, group)
  if #was > 0 then
    return put_back(t, was)
  end
  local index = schema.copy(group.index)
  index.where = nil
  index.name = M.index_name(t, group.columns, "key")
  t.indexes[#t.indexes + 1] = index
end

-- "(w) AND living" -> "w"
local function widened(where, stamp)
  local list = tokens.list(where)
  local close = list[1] and list[1].text == "(" and tokens.closing(list, 1)
  local rest = close and list[close + 1] and list[close + 1].word == "and" and tokens.join(list, close + 2)
  if rest and says(rest, M.living(stamp)) then
    return tokens.join(list, 2, close - 1)
  end
  return where
end

local function widen_uniques(t, stamp, before)
  for _, group in ipairs(M.groups(t, stamp)) do
    if group.kind == "live" then
      M.make_whole(t, group, before)
    elseif group.kind == "other" then
      local where = group.index.where
      group.index.where = where and not says(where, M.living(stamp)) and widened(where, stamp) or nil
    end
  end
end

local function widen_indexes(t, stamp)
  for _, index in ipairs(t.indexes) do
    if not index.unique and M.is_living(index, stamp) then
      index.where = nil
    end
  end
end

-- An index of another name has stayed all the time.
local function parents_index_before(t, name, before)
  local names = with_key(t, { name })
  if not before then
    return { name = M.index_name(t, { name }), columns = as_columns(names) }
  end
  local was = find_plain(before, names)
  return was and not is_taken(t, was.name) and schema.copy(was) or nil
end

local function parents_by_themselves(t, stamp, before)
  for _, name in ipairs(parent_columns(t)) do
    local index, i = find_plain(t, with_key(t, { name, stamp }))
    if index then
      table.remove(t.indexes, i)
      t.indexes[#t.indexes + 1] = parents_index_before(t, name, before)
    end
  end
end

local function drop_own(t, ending, where)
  for i, index in ipairs(t.indexes) do
    if is_named(index, t, ending) and says(index.where, where) then
      table.remove(t.indexes, i)
      return give_back(t, t.name .. ending)
    end
  end
end

local function drop_own_indexes(t, how)
  drop_own(t, "__living", M.living(how.stamp))
  if how.event then
    drop_own(t, "__event", M.dead(how.event))
  end
end

local function drop_column(t, from, name)
  local column, i = schema.column(t, name)
  if column then
    finding.need_unused(t, name)
    table.remove(t.columns, i)
    from[name:lower()] = nil
  end
end

--- Makes a table one whose rows are deleted for good.
-- @tparam table t which is changed
-- @tparam table from as of `tombstone.migrate.change`
-- @tparam table how `stamp`, `event`, `keep` (the columns stay)
-- @tparam[opt] table before the table as it was before it was made soft-deletable
function M.remove(t, from, how, before)
  bind_all(t, how.stamp, before)
  drop_own_indexes(t, how)
  parents_by_themselves(t, how.stamp, before)
  widen_uniques(t, how.stamp, before)
  widen_indexes(t, how.stamp)
  if not how.keep then
    drop_column(t, from, how.stamp)
    if how.event then
      drop_column(t, from, how.event)
    end
  end
end

return M
