--- The word that changes how a deletion frees a unique value.
-- @module tombstone.migrate.words_unique
local core = require "tombstone.core"
local dying = require "tombstone.migrate.dying"
local finding = require "tombstone.migrate.finding"
local mangling = require "tombstone.migrate.mangling"
local memo = require "tombstone.migrate.memo"
local migration = require "tombstone.migrate.migration"
local refusal = require "tombstone.migrate.refusal"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

local STRATEGIES = { mangle = true, live = true, always = true }
local HINT = 'as in m:change_unique("posts", "title", "live")'

-- ---- what is asked for ----------------------------------------------------------------------

local function check(columns, strategy, options)
  core.check_options(options, { "from", "others", "ambiguous", "column" }, "change_unique")
  if #columns == 0 then
    core.misuse("change_unique needs columns", HINT)
  end
  if not STRATEGIES[strategy] and strategy ~= "before" then
    core.misuse(("unique is mangle, live or always, not '%s'"):format(tostring(strategy)), HINT)
  end
  if options.from ~= nil and not STRATEGIES[options.from] then
    core.misuse(("from is mangle, live or always, not '%s'"):format(tostring(options.from)), HINT)
  end
  if options.others ~= nil and options.others ~= "mangle" and options.others ~= "always" then
    core.misuse(("others is mangle or always, not '%s'"):format(tostring(options.others)), HINT)
  end
  if options.ambiguous ~= nil and options.ambiguous ~= "keep" then
    core.misuse(("ambiguous is keep, not '%s'"):format(tostring(options.ambiguous)), HINT)
  end
end

local function find(t, stamp, columns)
  local found
  for _, group in ipairs(soft.groups(t, stamp)) do
    local is_it = group.kind ~= "other" and finding.same_list(group.columns, columns)
    found = found or (is_it and group or nil)
  end
  if not found then
    core.fail(
      "migration",
      ("Table '%s' has nothing unique by %s"):format(t.name, table.concat(columns, ", ")),
      "add_index or add_unique first"
    )
  end
  return found
end

local function name_of(change)
  return ("%s of '%s'"):format(table.concat(change.group.columns, ", "), change.table.name)
end

-- The schema tells a partial index from a whole one; of the whole ones texts are taken for mangled.
local function strategy_before(change, said)
  local has_text = #mangling.columns(change.table, { change.group }) > 0
  local seen = change.group.kind == "live" and "live" or (has_text and "mangle" or "always")
  if said and (said == "live") ~= (seen == "live") then
    local message = ("What is unique by %s is not '%s'"):format(name_of(change), said)
    core.fail("migration", message, "look at its index")
  end
  return said or seen
end

local function need_sense(change)
  if change.to == change.from then
    core.fail(
      "migration",
      ("What is unique by %s is '%s' already"):format(name_of(change), change.to),
      change.to == "mangle" and 'if the dead bear no suffix yet, say from = "always"' or "leave the word out"
    )
  end
  if change.to == "mangle" and #mangling.columns(change.table, { change.group }) == 0 then
    core.fail("migration", ("A suffix needs a text: %s has none"):format(name_of(change)), 'use "live"')
  end
  local is_parent, child = soft.is_pointed_at(change.tables, change.table, change.group.columns)
  if change.to ~= "always" and is_parent then
    core.fail(
      "migration",
      ("Rows of '%s' point at %s, which must stay unique among all rows"):format(child, name_of(change)),
      'let it be "always", or drop the foreign key'
    )
  end
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

local function mangling_others(change, said)
  local others = others_of(change)
  if #others > 0 and not said then
    local columns = table.concat(others[1].columns, ", ")
    core.fail(
      "migration",
      ("The values of %s are unique by (%s) too"):format(name_of(change), columns),
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
    what.text:format(name_of(change)),
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

-- ---- changing -------------------------------------------------------------------------------------

local function rewrite(change, value)
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

local function rewrite_values(change)
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

-- An index that comes says which values are taken; here are the rows.
local function refuse_doubles(change, err)
  local t = change.table
  if type(err) == "table" and err.kind == "migration" then
    local among = change.to == "live" and soft.living(change.stamp) or nil
    refusal.where(
      change.job,
      tokens.name(t.name),
      tokens.name(soft.key(t)),
      (among and among .. " AND " or "") .. mangling.doubled(t, change.group, tokens.name, among),
      ("Rows would collide in %s"):format(name_of(change)),
      "purge or change one of each"
    )
  end
  error(err, 0)
end

local function put_index(self, change)
  local ok, err = pcall(function()
    self:alter(change.table.name, function(t)
      if change.to == "live" then
        soft_unique.make_live(t, change.group, change.stamp)
      else
        soft_unique.make_whole(t, change.group, change.before)
      end
    end)
    self:flush()
  end)
  if not ok then
    refuse_doubles(change, err)
  end
end

local function drop_index(self, change)
  self:alter(change.table.name, function(t)
    soft_unique.drop_group(t, find(t, change.stamp, change.group.columns))
  end)
  self:flush()
end

-- Indexes go first: a value may take the place of another that has not moved yet.
local function carry_out(self, change)
  local value = rewrite_values(change)
  drop_index(self, change)
  if value then
    rewrite(change, value)
  end
  put_index(self, change)
end

local function spelled(t, columns)
  local names = {}
  for i, name in ipairs(columns) do
    names[i] = finding.find_column(t, name).name
  end
  return names
end

local function plan(self, name, columns, options)
  local t = self:table(name)
  local change = {
    job = self.job,
    table = t,
    tables = schema.read(self.db).tables,
    stamp = soft.need(t, options.column).stamp,
    ambiguous = options.ambiguous,
  }
  change.group = find(t, change.stamp, spelled(t, columns))
  change.detail = table.concat(change.group.columns, ","):lower()
  return change
end

local function to_before(self, change)
  local kept = memo.get(self.job, "change_unique", change.table, change.detail)
  if not kept then
    self.job:refuse(
      ("Nothing is known of how %s was unique before"):format(name_of(change)),
      'say it: "mangle", "live" or "always"'
    )
  end
  change.to, change.before = kept.texts.strategy, kept.table
  memo.drop(self.job, "change_unique", change.table, change.detail)
end

--- Changes how a deletion frees the values of a unique column, or of several: `"mangle"` (the dead bear a
-- suffix), `"live"` (they are not counted) or `"always"` (they keep their values). The dead rows' values
-- are rewritten, some thousands at a time.
--
-- Refused with the list of rows: dead ones without the suffix of their deletion, where it is to come
-- off, or with it, where it is to be put on; rows that would collide.
-- @string name of the table
-- @tparam string|{string,...} given columns
-- @string strategy
-- @tparam[opt] table options `from` (the strategy now; a unique text of all rows is taken for
-- `"mangle"`), `others` (`"mangle"` or `"always"`, where another unique has the same column),
-- `ambiguous = "keep"` (dead rows without a suffix are left as they are), `column`
-- @raise migration with `rows` and `count`; misuse
-- @usage m:change_unique("posts", "title", "live")
function Migration:change_unique(name, given, strategy, options)
  local columns = type(given) == "table" and given or { given }
  options = options or {}
  check(columns, strategy, options)
  self:need_transaction "change_unique"
  local change = plan(self, name, columns, options)
  change.from = strategy_before(change, options.from)
  change.to = strategy
  if strategy == "before" then
    to_before(self, change)
  else
    need_sense(change)
    local texts = { strategy = change.from }
    memo.put(self.job, "change_unique", change.table, change.detail, texts)
  end
  local stays_whole = change.from ~= "live" and change.to ~= "live"
  change.before = change.before or (stays_whole and change.table or nil)
  change.others = mangling_others(change, options.others)
  carry_out(self, change)
end

function inverse.change_unique(name, given, strategy, options)
  options = options or {}
  if options.ambiguous then
    return nil, "change_unique has left rows that it could not tell apart"
  end
  local back = { from = strategy, others = options.others, column = options.column }
  return "change_unique", name, given, "before", back
end

return Migration
