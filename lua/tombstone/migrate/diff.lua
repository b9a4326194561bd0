--- The words that make one schema another.
-- @module tombstone.migrate.diff
local changes = require "tombstone.migrate.diff_table"
local rename = require "tombstone.migrate.rename"
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local fold = tokens.fold

-- Parents before children, as far as they form no ring.
local function parents_first(tables)
  local list, state, by = {}, {}, {}
  for _, t in ipairs(tables) do
    by[fold(t.name)] = t
  end
  local function visit(t)
    if state[t] then
      return
    end
    state[t] = true
    for _, key in ipairs(t.foreign_keys) do
      local parent = by[fold(key.table)]
      if parent then
        visit(parent)
      end
    end
    list[#list + 1] = t
  end
  for _, t in ipairs(tables) do
    visit(t)
  end
  return list
end

local function missing_in(from, there)
  local known, list = {}, {}
  for name in pairs(there.tables) do
    known[fold(name)] = true
  end
  for _, name in ipairs(from.order) do
    if not known[fold(name)] then
      list[#list + 1] = from.tables[name]
    end
  end
  return parents_first(list)
end

-- ---- renames --------------------------------------------------------------------------------

-- Calls `follow(from, to)` for each of `pending`, in an order in which no name is taken. Those whose old
-- name is gone were done before. `is_there` answers how a name is spelled there, or false. Answers what is
-- left: names that change places.
local function in_order(pending, is_there, follow)
  local progress = true
  while progress do
    progress = false
    for i, entry in ipairs(pending) do
      local is_spelling = fold(entry.from) == fold(entry.to) and entry.from ~= entry.to
      local is_free = is_there(entry.to) == false or (is_spelling and is_there(entry.from) == entry.from)
      if not progress and is_there(entry.from) and is_free then
        follow(entry.from, entry.to)
        table.remove(pending, i)
        progress = true
      end
    end
  end
  local left = {}
  for _, entry in ipairs(pending) do
    for _, other in ipairs(pending) do
      local is_chained = fold(other.from) == fold(entry.to) and is_there(entry.from) and is_there(other.from)
      left[#left + 1] = is_chained and entry or nil
    end
  end
  return left
end

local function remark_places(words, left, what)
  for _, entry in ipairs(left) do
    local hint = "%s '%s' and '%s' change places: write rename words by hand, by way of a third name"
    words.remarks[#words.remarks + 1] = hint:format(what, entry.from, entry.to)
  end
end

local function rename_tables(words, old, new, renamed)
  local pending = {}
  for _, name in ipairs(new.order) do
    pending[#pending + 1] = renamed[name] and { from = renamed[name], to = name } or nil
  end
  local left = in_order(pending, function(name)
    local t = shape.table(old.tables, name)
    return t ~= nil and t.name
  end, function(from, to)
    words:say("rename_table", from, to)
    rename.table(old, shape.table(old.tables, from).name, to)
  end)
  remark_places(words, left, "tables")
end

local function rename_columns(words, old, new, renamed)
  for _, name in ipairs(new.order) do
    local t, pending = old.tables[name], {}
    for _, column in ipairs(t and new.tables[name].columns or {}) do
      local before = (renamed[name] or {})[column.name]
      pending[#pending + 1] = before and { from = before, to = column.name } or nil
    end
    local left = in_order(pending, function(name_of)
      local column = schema.column(t, name_of)
      return column ~= nil and column.name
    end, function(from, to)
      words:say("rename_column", name, from, to)
      rename.column(old, name, from, to)
    end)
    remark_places(words, left, "columns of '" .. name .. "',")
  end
end

-- ---- all of it ------------------------------------------------------------------------------

local function begin(old, new, options)
  local words, renamed = changes.new(options.using or {}), schema.copy(old)
  rename_tables(words, renamed, new, options.tables or {})
  rename_columns(words, renamed, new, options.columns or {})
  return words, renamed
end

--- What the schema `old` is after the renames that the options speak of.
-- @tparam table old
-- @tparam table new
-- @tparam table options as of `schemas`
-- @treturn table a schema
function M.renamed(old, new, options)
  local _, renamed = begin(old, new, options)
  return renamed
end

--- The words that make the schema `old` the schema `new`, in order.
-- @tparam table old
-- @tparam table new
-- @tparam[opt] table options `tables` (new name -> name before), `columns` (table -> new name -> name
-- before), `using` (table -> column -> SQL of its values where there were none)
-- @treturn {table,...} each a `word` and its arguments, `n` of them
-- @treturn {table,...} what is lost: `table`, and `column` where it is not all of it
-- @treturn {string,...} renames that were not followed, in words
function M.schemas(old, new, options)
  local words, renamed = begin(old, new, options or {})
  local gone = missing_in(renamed, new)
  for i = #gone, 1, -1 do
    words:drop(gone[i])
  end
  for _, t in ipairs(missing_in(new, renamed)) do
    words:create(t)
  end
  for _, name in ipairs(new.order) do
    local before = shape.table(renamed.tables, name)
    if before then
      words:change(before, new.tables[name])
    end
  end
  return words.words, words.lost, words.remarks
end

return M
