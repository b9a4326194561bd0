--- Making a table of a schema soft-deletable, and taking that off again.
--
-- It is what models want: the columns, the indexes of the living and of the dead by event, indexes
-- partial on the living, checks that bind the living only.
-- @module tombstone.migrate.soft_shape
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_parents = require "tombstone.migrate.soft_parents"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local same = tokens.same

-- ---- checks --------------------------------------------------------------------------------------------

local function bind_living(t, stamp)
  for _, check in ipairs(t.checks) do
    local list = tokens.list(check.sql)
    check.sql = ("%s OR (%s)"):format(soft.dead(stamp), tokens.join(list, tokens.inside(list)))
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
-- ---- their own indexes --------------------------------------------------------------------------------

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

local function add_own_indexes(t, stamp, event)
  free(t, t.name .. "__living")
  t.indexes[#t.indexes + 1] = {
    name = t.name .. "__living",
    columns = soft_parents.columns { soft.key(t), stamp },
    where = soft.living(stamp),
  }
  if event then
    free(t, t.name .. "__event")
    t.indexes[#t.indexes + 1] = {
      name = t.name .. "__event",
      columns = soft_parents.columns { event },
      where = soft.dead(event),
    }
  end
end

local function drop_own(t, ending, where)
  for i, index in ipairs(t.indexes) do
    if soft.is_named(index, t, ending) and soft.says(index.where, where) then
      table.remove(t.indexes, i)
      return give_back(t, t.name .. ending)
    end
  end
end

local function drop_own_indexes(t, how)
  drop_own(t, "__living", soft.living(how.stamp))
  if how.event then
    drop_own(t, "__event", soft.dead(how.event))
  end
end

-- ---- adding -------------------------------------------------------------------------------------------

local function add_columns(t, stamp, event)
  local kind = t.strict and "text" or "datetime"
  if not schema.column(t, stamp) then
    t.columns[#t.columns + 1] = { name = stamp, type = kind, null = true }
  end
  if event and not schema.column(t, event) then
    t.columns[#t.columns + 1] = { name = event, type = "integer", null = true }
  end
end

-- Indexes that models know are of the living.
local function narrow_indexes(t, stamp)
  for _, index in ipairs(t.indexes) do
    local is_parents = index.columns[2] and index.columns[2].name and same(index.columns[2].name, stamp)
    if soft_parents.is_own(index, t) and not index.unique and not index.where and not is_parents then
      index.where = soft.living(stamp)
    end
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
  soft_unique.free(tables, t, how.stamp, how.unique)
  soft_parents.add(t, how.stamp)
  narrow_indexes(t, how.stamp)
  add_own_indexes(t, how.stamp, how.event)
end

-- ---- taking off ---------------------------------------------------------------------------------------

local function widen_indexes(t, stamp)
  for _, index in ipairs(t.indexes) do
    if not index.unique and soft.is_living(index, stamp) then
      index.where = nil
    end
  end
end

local function drop_column(t, from, name)
  local column, i = schema.column(t, name)
  if column then
    finding.need_unused(t, name)
    table.remove(t.columns, i)
    from[tokens.fold(name)] = nil
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
  soft_parents.remove(t, how.stamp, before)
  soft_unique.widen(t, how.stamp, before)
  widen_indexes(t, how.stamp)
  if not how.keep then
    drop_column(t, from, how.stamp)
    if how.event then
      drop_column(t, from, how.event)
    end
  end
end

return M
