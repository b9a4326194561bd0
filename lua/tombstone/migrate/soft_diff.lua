--- The part of the difference between a database and its models that is soft delete: tables get it or lose
-- it, uniques are freed in another way. What rows hold changes with it, which words on indexes and columns
-- would not see to.
-- @module tombstone.migrate.soft_diff
local event_tables = require "tombstone.migrate.event_tables"
local finding = require "tombstone.migrate.finding"
local mangling = require "tombstone.migrate.mangling"
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local soft = require "tombstone.migrate.soft"
local soft_shape = require "tombstone.migrate.soft_shape"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local function say(self, word, ...)
  self.words[#self.words + 1] = { word = word, n = select("#", ...), ... }
end

-- ---- uniques ----------------------------------------------------------------------------------

local function kinds(t, stamp, columns)
  local found = {}
  for _, group in ipairs(soft.groups(t, stamp)) do
    if group.columns and finding.same_list(group.columns, columns) then
      found[group.kind] = true
    end
  end
  return found
end

-- Groups of `old` that `new` has, of the other kind.
local function changed(old, new, stamp)
  local list = {}
  for _, group in ipairs(soft.groups(old, stamp)) do
    local other = group.kind == "whole" and "live" or "whole"
    local wanted = group.columns and kinds(new, stamp, group.columns) or {}
    list[#list + 1] = wanted[other] and not wanted[group.kind] and group or nil
  end
  return list
end

local function strategy(self, new, group, told)
  local single = #group.columns == 1 and group.columns[1]
  local is_always = single and (told.unique[new.name] or {})[single] == "always"
    or soft.is_pointed_at(self.models.tables, new, group.columns)
    or #mangling.columns(new, { group }) == 0
  return is_always and "always" or "mangle"
end

local function change_uniques(self, old, new, told)
  local stamp = soft.of(new).stamp
  for _, group in ipairs(changed(old, new, stamp)) do
    local columns = #group.columns == 1 and group.columns[1] or group.columns
    local is_live = group.kind == "whole"
    say(self, "change_unique", old.name, columns, is_live and "live" or strategy(self, new, group, told))
    if is_live then
      soft_unique.drop_group(old, group)
      soft_unique.make_live(old, group, stamp)
    else
      soft_unique.make_whole(old, group)
    end
  end
end

-- ---- tables -----------------------------------------------------------------------------------

local function replace(t, by)
  for _, part in ipairs { "columns", "uniques", "indexes", "checks" } do
    t[part] = by[part]
  end
end

-- The strategy after which the least is left to change.
local function best(self, old, new, is)
  local least, chosen, made
  for _, unique in ipairs { false, "mangle", "live" } do
    local copy = schema.copy(old)
    soft_shape.add(self.there.tables, copy, { stamp = is.stamp, event = is.event, unique = unique or nil })
    local n = #changed(copy, new, is.stamp)
    if not least or n < least then
      least, chosen, made = n, unique, copy
    end
  end
  return chosen, made
end

local function add(self, old, new, is)
  local unique, made = best(self, old, new, is)
  local options = {
    unique = unique or nil,
    column = is.stamp ~= "deleted_at" and is.stamp or nil,
  }
  if is.event ~= "deleted_event" then
    options.event = is.event or false
  end
  say(self, "add_soft_delete", old.name, next(options) ~= nil and options or nil)
  replace(old, made)
  event_tables.add(self.there)
end

local function remove(self, old, model)
  local is = soft.of(old)
  say(self, "remove_soft_delete", old.name, { dead = "purge, revive or keep?", model = model })
  soft_shape.remove(old, {}, is)
  local remark = "'%s' loses its soft delete: say what becomes of its dead rows"
  self.remarks[#self.remarks + 1] = remark:format(old.name)
end

-- What was renamed long ago is told for ever.
local function is_renaming(told, name, old)
  for column, before in pairs(told.columns[name] or {}) do
    if schema.column(old, before) and not schema.column(old, column) then
      return true
    end
  end
  return false
end

local function has_columns(old, is)
  return schema.column(old, is.stamp) ~= nil or (is.event ~= nil and schema.column(old, is.event) ~= nil)
end

local function compare(self, old, new, told)
  local is = soft.is_made(new) and soft.of(new)
  if not is then
    if soft.is_made(old) and not schema.column(new, soft.of(old).stamp) then
      remove(self, old, told.models[new.name])
    end
    return
  end
  if not has_columns(old, is) and old.primary_key and #old.primary_key == 1 then
    add(self, old, new, is)
  end
  if soft.is_made(old) and tokens.same(soft.of(old).stamp, is.stamp) then
    change_uniques(self, old, new, told)
  end
end

--- The words on soft delete that a database needs for its models. Tables and columns that are renamed
-- meanwhile are left to other words.
-- @tparam table there the schema of the database, which becomes what it is after these words
-- @tparam table models the schema of the models
-- @tparam table told what models tell, of `tombstone.migrate.hints`
-- @treturn {table,...} words, as of `tombstone.migrate.diff`
-- @treturn {string,...} remarks
function M.words(there, models, told)
  local self = { there = there, models = models, words = {}, remarks = {} }
  for _, name in ipairs(models.order) do
    local old = shape.table(there.tables, name)
    if old and not is_renaming(told, name, old) then
      compare(self, old, models.tables[name], told)
    end
  end
  return self.words, self.remarks
end

return M
