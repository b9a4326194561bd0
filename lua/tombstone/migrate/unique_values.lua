--- The values of dead rows when their unique is freed in another way: which of them bear a suffix, which
-- rows say no, how they are rewritten.
--
-- A change has `job`, `table`, `tables`, `stamp`, `group`, `detail`, `from`, `to` (strategies), `others`
-- (groups that mangle besides), `ambiguous`, `before` (the table as it was) and `is_back`.
-- @module tombstone.migrate.unique_values
local core = require "tombstone.core"
local dying = require "tombstone.migrate.dying"
local finding = require "tombstone.migrate.finding"
local mangling = require "tombstone.migrate.mangling"
local memo = require "tombstone.migrate.memo"
local refusal = require "tombstone.migrate.refusal"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- What the change is about, for people.
function M.name(change)
  return ("%s of '%s'"):format(table.concat(change.group.columns, ", "), change.table.name)
end

-- ---- which values -----------------------------------------------------------------------------

-- Other uniques of all rows whose suffix the same columns may bear.
local function others_of(change)
  local list, own = {}, mangling.columns(change.table, { change.group })
  for _, group in ipairs(soft.groups(change.table, change.stamp)) do
    local is_other = group.kind == "whole" and group.index ~= change.group.index
      or group.kind == "whole" and group.constraint ~= change.group.constraint
    for _, column in ipairs(is_other and own or {}) do
      if finding.names(group.columns, column) and list[#list] ~= group then
        list[#list + 1] = group
      end
    end
  end
  return list
end

--- The groups that put a suffix on the same columns.
-- @raise migration where it is not said
function M.others(change, said)
  local others = others_of(change)
  if #others > 0 and not said then
    local columns = table.concat(others[1].columns, ", ")
    core.fail(
      "migration",
      ("The values of %s are unique by (%s) too"):format(M.name(change), columns),
      'say others = "mangle" where that frees them by a suffix too, else others = "always"'
    )
  end
  return said == "mangle" and others or {}
end

-- The SQL by which this unique alone decides on a suffix in that column.
local function decides(change, column)
  local ours = mangling.chosen(change.table, { change.group }, column)
  local theirs = mangling.chosen(change.table, change.others, column)
  if theirs == "1" or ours == "0" then
    return "0"
  end
  return theirs == "0" and ours or ("(%s) AND NOT (%s)"):format(ours, theirs)
end

local function each_column(change, fn)
  for _, column in ipairs(mangling.columns(change.table, { change.group })) do
    local condition = decides(change, column)
    if condition ~= "0" then
      fn(column, condition)
    end
  end
end

-- ---- rows that say no ----------------------------------------------------------------------------

local function refuse_rows(change, column, condition, what, hint)
  local value = tokens.name(column)
  local dead = ("%s AND (%s) AND %s IS NOT NULL"):format(soft.dead(change.stamp), condition, value)
  refusal.where(
    change.job,
    tokens.name(change.table.name),
    tokens.name(soft.key(change.table)),
    ("%s AND (%s)"):format(dead, what.sql),
    what.text:format(M.name(change)),
    hint,
    value
  )
end

local function need_suffixes(change, column, condition)
  if change.ambiguous == "keep" then
    return
  end
  refuse_rows(change, column, condition, {
    sql = ("%s = %s COLLATE BINARY"):format(mangling.stripped(column, change.stamp), tokens.name(column)),
    text = "Dead rows bear no suffix of their own in %s",
  }, 'say ambiguous = "keep" to leave them as they are, or from = "always" where none has one')
end

local function need_stamps(change, column, condition)
  refuse_rows(change, column, condition, {
    sql = ("tombstone_suffix(%s) IS NULL"):format(tokens.name(change.stamp)),
    text = "The time of dead rows cannot be read, for a suffix in %s",
  }, "mend them by run: times are 'YYYY-MM-DD HH:MM:SS.ffffff'")
end

-- With the suffix on, two rows of one deletion could not be told apart.
local function need_plain(change, column, condition)
  local value, stamp = tokens.name(column), tokens.name(change.stamp)
  local suffix = ("tombstone_suffix(%s)"):format(stamp)
  refuse_rows(change, column, condition, {
    sql = ("%s <> %s COLLATE BINARY OR lower(substr(rtrim(%s, ' '), -length(%s))) = %s"):format(
      mangling.stripped(column, change.stamp),
      value,
      value,
      suffix,
      suffix
    ),
    text = "Dead rows bear the suffix of their deletion already in %s",
  }, 'if all of them do, say from = "mangle"; else mend these')
end

-- ---- rewriting ------------------------------------------------------------------------------------

--- Rewrites the dead rows by `value(column, stamp)`, SQL.
function M.rewrite(change, value)
  local set = {}
  each_column(change, function(column, condition)
    local sql = mangling.where(condition, value(column, change.stamp), column)
    set[#set + 1] = tokens.name(column) .. " = " .. sql
  end)
  if #set > 0 then
    local sql = ("UPDATE %s SET %s"):format(tokens.name(change.table.name), table.concat(set, ", "))
    dying.each(change.job, change.table, sql, soft.dead(change.stamp))
  end
end

--- Looks whether all rows can be rewritten; answers how, or nil where nothing is.
-- @raise migration
function M.plan(change)
  if change.to == "mangle" then
    each_column(change, function(column, condition)
      need_stamps(change, column, condition)
      need_plain(change, column, condition)
    end)
  elseif change.from == "mangle" then
    each_column(change, function(column, condition)
      need_suffixes(change, column, condition)
    end)
  end
  return change.to == "mangle" and mangling.mangled or (change.from == "mangle" and mangling.stripped or nil)
end

--- Keeps suffixes that are spelled otherwise: the article's code writes fewer digits than six.
function M.keep_spellings(change)
  each_column(change, function(column, condition)
    local value, stamp = tokens.name(column), tokens.name(change.stamp)
    local original = mangling.stripped(column, change.stamp)
    local sql = "%s AND (%s) AND %s <> %s COLLATE BINARY "
      .. "AND %s <> %s || tombstone_suffix(%s) COLLATE BINARY"
    local where = sql:format(
      soft.dead(change.stamp),
      condition,
      original,
      value,
      value,
      original,
      stamp
    )
    memo.put_rows(change.job, "change_unique", change.table, change.detail, {
      column = tokens.text(tokens.fold(column)),
      key = tokens.name(soft.key(change.table)),
      value = ("substr(%s, length(%s) + 1)"):format(value, original),
      where = where,
    })
  end)
end

local SPELL = [[UPDATE %s AS t SET %s = tombstone_original(t.%s, t.%s) || s.value FROM %s AS s
WHERE CAST(t.%s AS text) = s.pk AND t.%s IS NOT NULL
AND tombstone_original(tombstone_original(t.%s, t.%s) || s.value, t.%s)
  = tombstone_original(t.%s, t.%s) COLLATE BINARY]]

--- Spells them so again, where the row is still dead by the same deletion.
function M.spell_as_before(change)
  each_column(change, function(column)
    local value, stamp = tokens.name(column), tokens.name(change.stamp)
    local kept = memo.rows(
      change.job,
      "change_unique",
      change.table,
      change.detail,
      tokens.text(tokens.fold(column))
    )
    local key, name = tokens.name(soft.key(change.table)), tokens.name(change.table.name)
    change.job:run(
      SPELL:format(name, value, value, stamp, kept, key, stamp, value, stamp, stamp, value, stamp)
    )
  end)
end

--- An index that comes says that values are taken; here are the rows.
-- @raise migration, or the error as it was
function M.refuse_doubles(change, err)
  local t = change.table
  if type(err) == "table" and err.kind == "migration" then
    local among = change.to == "live" and soft.living(change.stamp) or nil
    refusal.where(
      change.job,
      tokens.name(t.name),
      tokens.name(soft.key(t)),
      (among and among .. " AND " or "") .. mangling.doubled(t, change.group, tokens.name, among),
      ("Rows would collide in %s"):format(M.name(change)),
      "purge or change one of each"
    )
  end
  error(err, 0)
end

return M
