--- The words that make one schema another.
-- @module tombstone.migrate.diff
local changes = require "tombstone.migrate.diff_table"
local rename = require "tombstone.migrate.rename"
local schema = require "tombstone.migrate.schema"

local M = {}

local function fold(name)
  return name:lower()
end

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

local function find(tables, name)
  for other, t in pairs(tables) do
    if fold(other) == fold(name) then
      return t
    end
  end
end

-- ---- renames --------------------------------------------------------------------------------

local function rename_tables(words, old, new, renamed)
  for _, name in ipairs(new.order) do
    local before = renamed[name]
    if before and old.tables[before] and not find(old.tables, name) then
      words:say("rename_table", before, name)
      rename.table(old, before, name)
    end
  end
end

local function rename_columns(words, old, new, renamed)
  for _, name in ipairs(new.order) do
    local t = old.tables[name]
    for _, column in ipairs(t and new.tables[name].columns or {}) do
      local before = (renamed[name] or {})[column.name]
      if before and schema.column(t, before) and not schema.column(t, column.name) then
        words:say("rename_column", name, before, column.name)
        rename.column(old, name, before, column.name)
      end
    end
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
    local before = find(renamed.tables, name)
    if before then
      words:change(before, new.tables[name])
    end
  end
  return words.words, words.lost
end

return M
