--- The words that make one table of a schema another.
-- @module tombstone.migrate.diff_table
local columns = require "tombstone.migrate.columns"
local compare = require "tombstone.migrate.compare"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local Diff = {}
Diff.__index = Diff

local fold = tokens.fold

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

-- How many columns of `a` are not in `b`, and whether all generated ones are there as they are.
local function missing(a, b)
  local there, n, has_generated = by_name(b), 0, true
  for _, column in ipairs(a.columns) do
    local entry = there[fold(column.name)]
    n = n + (entry and 0 or 1)
    if column.generated and not (entry and compare.columns(column, entry.column)) then
      has_generated = false
    end
  end
  return n, has_generated
end

-- One word at a time would pass through tables in which a generated column lacks its source.
local function keeps_generated(old, new)
  local dropped, keeps = missing(old, new)
  local added, adds_none = missing(new, old)
  return keeps and (adds_none or (added == 1 and dropped == 0))
end

-- Words would empty the table on their way.
local function keeps_some(old, new)
  local after = by_name(new)
  for _, column in ipairs(old.columns) do
    if after[fold(column.name)] and not column.generated then
      return true
    end
  end
  return false
end

local function same_shape(old, new)
  return compare.text.key(old) == compare.text.key(new)
    and (old.without_rowid or false) == (new.without_rowid or false)
    and (old.strict or false) == (new.strict or false)
    and is_in_order(old, new)
    and keeps_generated(old, new)
    and keeps_some(old, new)
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

-- What columns that go get when they are brought back.
local function stand_ins(old, new)
  local after, using = by_name(new), {}
  for _, column in ipairs(old.columns) do
    using[column.name] = not after[fold(column.name)] and stand_in(column) or nil
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
    from = { before, merged(options_before, { using = stand_ins(old, new) }) },
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

--- A new list of words.
-- @tparam table using table -> column -> SQL of its values where there were none
-- @treturn table with `words` and `lost`; its methods `create`, `drop`, `alter`, `replace` and `say` add
function Diff.new(using)
  return setmetatable({ words = {}, lost = {}, remarks = {}, using = using }, Diff)
end

--- Says what makes `old` the table `new`.
function Diff:change(old, new)
  if not compare.tables(old, new) then
    local how = same_shape(old, new) and self.alter or self.replace
    how(self, old, new)
  end
end

return Diff
