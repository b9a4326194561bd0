--- What is unique: among the living, or among all rows.
-- @module tombstone.migrate.soft_unique
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- A name for an index of these columns, as the engine gives them.
-- @tparam table t
-- @tparam {string,...} columns
-- @string[opt] ending
function M.index_name(t, columns, ending)
  local name = t.name .. "__" .. table.concat(columns, "__") .. (ending and "__" .. ending or "")
  while finding.names(t.indexes, name) do
    name = name .. "_"
  end
  return name
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
  return tokens.fold(group.collate[i] or "binary")
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
  for _, other in ipairs(soft.groups(t, stamp)) do
    if other.kind == "live" and same_group(other, group) then
      return
    end
  end
  t.indexes[#t.indexes + 1] = {
    name = M.index_name(t, group.columns, "live"),
    columns = live_columns(group),
    unique = true,
    where = soft.living(stamp),
  }
end

-- There may have been several, by which the same was unique.
local function groups_before(before, group)
  local list = {}
  for _, was in ipairs(before and soft.groups(before) or {}) do
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

-- ---- all of a table's ------------------------------------------------------------------------------

-- Which of them bind the dead too, and make place by a suffix.
local function stays_whole(tables, t, group, strategy)
  if soft.is_pointed_at(tables, t, group.columns) then
    return true
  end
  if strategy == "live" then
    return false
  end
  local has_text = false
  for _, name in ipairs(group.columns) do
    has_text = has_text or soft.is_text(t, name)
  end
  return has_text and (#group.columns == 1 or strategy == "mangle")
end

--- Lets a table's dead rows give their values free: by a suffix, or by being unique among the living.
-- @tparam table tables of the schema
-- @tparam table t which is changed
-- @string stamp
-- @string[opt] strategy `"mangle"` or `"live"`, as of models
function M.free(tables, t, stamp, strategy)
  for _, group in ipairs(soft.groups(t, stamp)) do
    local index = group.index
    if group.kind == "other" then
      local living = soft.living(stamp)
      index.where = index.where and ("(%s) AND %s"):format(index.where, living) or living
    elseif group.kind == "whole" and not stays_whole(tables, t, group, strategy) then
      M.drop_group(t, group)
      M.make_live(t, group, stamp)
    end
  end
end

-- "(w) AND living" -> "w"
local function widened(where, stamp)
  local list = tokens.list(where)
  local close = list[1] and list[1].text == "(" and tokens.closing(list, 1)
  local rest = close and list[close + 1] and list[close + 1].word == "and" and tokens.join(list, close + 2)
  if rest and soft.says(rest, soft.living(stamp)) then
    return tokens.join(list, 2, close - 1)
  end
  return where
end

--- Makes all of it unique among all rows again.
-- @tparam table t which is changed
-- @string stamp
-- @tparam[opt] table before the table as it was
function M.widen(t, stamp, before)
  for _, group in ipairs(soft.groups(t, stamp)) do
    if group.kind == "live" then
      M.make_whole(t, group, before)
    elseif group.kind == "other" then
      local where = group.index.where
      group.index.where = where and not soft.says(where, soft.living(stamp)) and widened(where, stamp) or nil
    end
  end
end

return M
