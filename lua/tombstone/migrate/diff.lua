--- The words that make one schema another.
-- @module tombstone.migrate.diff
local columns = require "tombstone.migrate.columns"
local compare = require "tombstone.migrate.compare"
local rename = require "tombstone.migrate.rename"
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local Diff = {}
Diff.__index = Diff

local function fold(name)
  return name:lower()
end

function Diff:say(word, ...)
  self.words[#self.words + 1] = { word = word, n = select("#", ...), ... }
end

-- ---- lists of things that are known by what they are ----------------------------------------

-- Splits into those of `old` that are not in `new`, and the other way round. `key` answers a text.
local function compare_lists(old, new, key)
  local function missing(from, there)
    local known, left = {}, {}
    for _, entry in ipairs(there) do
      known[key(entry)] = (known[key(entry)] or 0) + 1
    end
    for _, entry in ipairs(from) do
      local n = known[key(entry)] or 0
      known[key(entry)] = n - 1
      if n <= 0 then
        left[#left + 1] = entry
      end
    end
    return left
  end
  return missing(old, new), missing(new, old)
end

local UNIQUE = { "name", "conflict", "collate", "desc" }
local FOREIGN_KEY = { "on_delete", "on_update", "deferrable", "match", "name" }

local function options_of(entry, names)
  local options = {}
  for _, name in ipairs(names) do
    options[name] = entry[name]
  end
  return next(options) and options or nil
end

local function say_foreign_key(self, word, t, key)
  local parent = key.table
  if key.to then
    parent = { key.table }
    for i, name in ipairs(key.to) do
      parent[i + 1] = name
    end
  end
  local own = #key.columns == 1 and key.columns[1] or key.columns
  self:say(word, t.name, own, parent, options_of(key, FOREIGN_KEY))
end

-- ---- columns --------------------------------------------------------------------------------

local function by_name(t)
  local found = {}
  for i, column in ipairs(t.columns) do
    found[fold(column.name)] = { column = column, place = i }
  end
  return found
end

-- Words on single columns keep those there are in place and add at the end.
local function is_in_order(old, new)
  local before, last, is_adding = by_name(old), 0, false
  for _, column in ipairs(new.columns) do
    local entry = before[fold(column.name)]
    if entry and (is_adding or entry.place < last) then
      return false
    end
    last = entry and entry.place or last
    is_adding = is_adding or not entry
  end
  return true
end

-- One word at a time would pass through tables in which a generated column lacks its source.
local function keeps_generated(old, new)
  local after = by_name(new)
  for _, column in ipairs(old.columns) do
    local entry = column.generated and after[fold(column.name)]
    if column.generated and not (entry and compare.columns(column, entry.column)) then
      return false
    end
  end
  return true
end

local function same_shape(old, new)
  return compare.text.key(old) == compare.text.key(new)
    and (old.without_rowid or false) == (new.without_rowid or false)
    and (old.strict or false) == (new.strict or false)
    and is_in_order(old, new)
    and keeps_generated(old, new)
end

local function spell(column, using)
  local given = columns.spell_column(column)
  given.using = using
  return given
end

local STAND_IN = { { "int", "0" }, { "bool", "0" }, { "date", "'1970-01-01 00:00:00'" }, { "char", "''" },
  { "text", "''" }, { "real", "0.0" }, { "blob", "x''" } }

-- What rows get when a column that they need is brought back: its values are gone.
local function stand_in(column)
  if column.null or column.default or column.generated then
    return nil
  end
  for _, entry in ipairs(STAND_IN) do
    if fold(column.type or ""):find(entry[1], 1, true) then
      return entry[2]
    end
  end
  return "''"
end

-- The column as it is to be brought back: where it stood among those that are left by then.
local function spell_dropped(column, left, place)
  local given = spell(column, stand_in(column))
  given.after = left[place - 1] and left[place - 1].name
  given.first = place == 1 or nil
  if place == #left then
    given.after, given.first = nil, nil
  end
  return given
end

function Diff:drop_columns(old, new)
  local after, left, place = by_name(new), shape.copy(old.columns), 1
  while place <= #left do
    local column = left[place]
    if after[fold(column.name)] then
      place = place + 1
    else
      self.lost[#self.lost + 1] = { table = old.name, column = column.name }
      self:say("drop_column", old.name, column.name, spell_dropped(column, left, place))
      table.remove(left, place)
    end
  end
end

function Diff:add_columns(old, new)
  local before, using = by_name(old), self.using[new.name] or {}
  for _, column in ipairs(new.columns) do
    if not before[fold(column.name)] then
      self:say("add_column", new.name, spell(column, using[column.name]))
    end
  end
end

-- What a column that may not be NULL any more gets where it is.
local function filled(old, new, using)
  if not (old.null and not new.null and using) then
    return nil
  end
  return ("coalesce(%s, %s)"):format(tokens.name(new.name), using)
end

function Diff:change_columns(old, new)
  local before, using = by_name(old), self.using[new.name] or {}
  for _, column in ipairs(new.columns) do
    local was = before[fold(column.name)]
    if was and not compare.columns(was.column, column) then
      local sql = filled(was.column, column, using[column.name])
      self:say("change_column", new.name, spell(column), { from = spell(was.column), using = sql })
    end
  end
end

-- ---- tables ---------------------------------------------------------------------------------

local function say_index(self, word, t, index)
  self:say(word, t.name, columns.spell_index(t.name, index))
end

local function merged(options, more)
  local all = {}
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  for key, value in pairs(more) do
    all[key] = value
  end
  return all
end

local function using_for_new(self, old, new)
  local before, using = by_name(old), {}
  for name, sql in pairs(self.using[new.name] or {}) do
    local was, now = before[fold(name)], by_name(new)[fold(name)]
    if now then
      using[name] = was and filled(was.column, now.column, sql) or (not was and sql or nil)
    end
  end
  return next(using) and using or nil
end

function Diff:replace(old, new)
  local given, options = columns.spell_table(new)
  local before, options_before = columns.spell_table(old)
  for _, index in ipairs(old.indexes) do
    say_index(self, "drop_index", old, index)
  end
  local after = by_name(new)
  for _, column in ipairs(old.columns) do
    if not after[fold(column.name)] then
      self.lost[#self.lost + 1] = { table = old.name, column = column.name }
    end
  end
  self:say("change_table", new.name, given, merged(options, {
    from = { before, options_before },
    using = using_for_new(self, old, new),
  }))
  for _, index in ipairs(new.indexes) do
    say_index(self, "add_index", new, index)
  end
end

function Diff:alter(old, new)
  local lost_indexes, new_indexes = compare_lists(old.indexes, new.indexes, compare.text.index)
  local lost_checks, new_checks = compare_lists(old.checks, new.checks, compare.text.check)
  local lost_uniques, new_uniques = compare_lists(old.uniques, new.uniques, compare.text.unique)
  local lost_keys, new_keys = compare_lists(old.foreign_keys, new.foreign_keys, compare.text.foreign_key)
  for _, index in ipairs(lost_indexes) do
    say_index(self, "drop_index", old, index)
  end
  for _, check in ipairs(lost_checks) do
    self:say("drop_check", old.name, check.sql, options_of(check, { "name" }))
  end
  for _, unique in ipairs(lost_uniques) do
    self:say("drop_unique", old.name, unique.columns, options_of(unique, UNIQUE))
  end
  for _, key in ipairs(lost_keys) do
    say_foreign_key(self, "drop_foreign_key", old, key)
  end
  self:drop_columns(old, new)
  self:add_columns(old, new)
  self:change_columns(old, new)
  for _, key in ipairs(new_keys) do
    say_foreign_key(self, "add_foreign_key", new, key)
  end
  for _, unique in ipairs(new_uniques) do
    self:say("add_unique", new.name, unique.columns, options_of(unique, UNIQUE))
  end
  for _, check in ipairs(new_checks) do
    self:say("add_check", new.name, check.sql, options_of(check, { "name" }))
  end
  for _, index in ipairs(new_indexes) do
    say_index(self, "add_index", new, index)
  end
end

function Diff:create(t)
  self:say("create_table", t.name, columns.spell_table(t))
  for _, index in ipairs(t.indexes) do
    say_index(self, "add_index", t, index)
  end
end

function Diff:drop(t)
  self.lost[#self.lost + 1] = { table = t.name }
  for _, index in ipairs(t.indexes) do
    say_index(self, "drop_index", t, index)
  end
  self:say("drop_table", t.name, columns.spell_table(t))
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

function Diff:rename_tables(old, new, renamed)
  for _, name in ipairs(new.order) do
    local before = renamed[name]
    if before and old.tables[before] and not find(old.tables, name) then
      self:say("rename_table", before, name)
      rename.table(old, before, name)
    end
  end
end

function Diff:rename_columns(old, new, renamed)
  for _, name in ipairs(new.order) do
    local t = old.tables[name]
    for _, column in ipairs(t and new.tables[name].columns or {}) do
      local before, there = (renamed[name] or {})[column.name], by_name(t)
      if before and there[fold(before)] and not there[fold(column.name)] then
        self:say("rename_column", name, before, column.name)
        rename.column(old, name, before, column.name)
      end
    end
  end
end

-- ---- all of it ------------------------------------------------------------------------------

local function begin(old, new, options)
  local self = setmetatable({ words = {}, lost = {}, using = options.using or {} }, Diff)
  local renamed = schema.copy(old)
  self:rename_tables(renamed, new, options.tables or {})
  self:rename_columns(renamed, new, options.columns or {})
  return self, renamed
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
  local self, renamed = begin(old, new, options or {})
  old = renamed
  local gone = missing_in(old, new)
  for i = #gone, 1, -1 do
    self:drop(gone[i])
  end
  for _, t in ipairs(missing_in(new, old)) do
    self:create(t)
  end
  for _, name in ipairs(new.order) do
    local before, after = find(old.tables, name), new.tables[name]
    if before then
      local how = same_shape(before, after) and self.alter or self.replace
      local is_same = schema.same_table(before, after)
      if not is_same then
        how(self, before, after)
      end
    end
  end
  return self.words, self.lost
end

return M
