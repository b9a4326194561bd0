--- The indexes by which children are found by their parent.
-- @module tombstone.migrate.soft_parents
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local function same_columns(index, names)
  local own = soft.names(index)
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

--- Columns of an index.
function M.columns(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = { name = name }
  end
  return list
end

--- True for an index that is called as models call theirs.
function M.is_own(index, t)
  return tokens.same(index.name:sub(1, #t.name + 2), t.name .. "__")
end

-- The index by which children are found now, as far as models know it.
local function parents_index(t, name, stamp)
  local index = find_plain(t, with_key(t, { name, stamp }))
  if index then
    return index
  end
  index = find_plain(t, with_key(t, { name }))
  return index and M.is_own(index, t) and index or nil
end

--- Children are found by their parent, the living ones and the dead.
-- @tparam table t which is changed
-- @string stamp
function M.add(t, stamp)
  for _, name in ipairs(parent_columns(t)) do
    local index = parents_index(t, name, stamp)
    if not index then
      index = {}
      t.indexes[#t.indexes + 1] = index
    end
    index.columns = M.columns(with_key(t, { name, stamp }))
    index.name = "" -- gives its own name back
    index.name = soft_unique.index_name(t, { name, stamp })
  end
end

-- An index of another name has stayed all the time.
local function parents_index_before(t, name, before)
  local names = with_key(t, { name })
  if not before then
    return { name = soft_unique.index_name(t, { name }), columns = M.columns(names) }
  end
  local was = find_plain(before, names)
  return was and not finding.names(t.indexes, was.name) and schema.copy(was) or nil
end

--- As they were before, or as models have them that delete for good.
-- @tparam table t which is changed
-- @string stamp
-- @tparam[opt] table before the table as it was
function M.remove(t, stamp, before)
  for _, name in ipairs(parent_columns(t)) do
    local index, i = find_plain(t, with_key(t, { name, stamp }))
    if index then
      table.remove(t.indexes, i)
      t.indexes[#t.indexes + 1] = parents_index_before(t, name, before)
    end
  end
end

return M
