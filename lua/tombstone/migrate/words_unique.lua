--- The word that changes how a deletion frees a unique value.
-- @module tombstone.migrate.words_unique
local core = require "tombstone.core"
local finding = require "tombstone.migrate.finding"
local mangling = require "tombstone.migrate.mangling"
local memo = require "tombstone.migrate.memo"
local migration = require "tombstone.migrate.migration"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_unique = require "tombstone.migrate.soft_unique"
local tokens = require "tombstone.migrate.tokens"
local values = require "tombstone.migrate.unique_values"

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

-- The schema tells a partial index from a whole one; of the whole ones texts are taken for mangled.
local function strategy_before(change, said)
  local has_text = #mangling.columns(change.table, { change.group }) > 0
  local seen = change.group.kind == "live" and "live" or (has_text and "mangle" or "always")
  if said and (said == "live") ~= (seen == "live") then
    local message = ("What is unique by %s is not '%s'"):format(values.name(change), said)
    core.fail("migration", message, "look at its index")
  end
  return said or seen
end

local function need_sense(change)
  if change.to == change.from then
    core.fail(
      "migration",
      ("What is unique by %s is '%s' already"):format(values.name(change), change.to),
      change.to == "mangle" and 'if the dead bear no suffix yet, say from = "always"' or "leave the word out"
    )
  end
  if change.to == "mangle" and #mangling.columns(change.table, { change.group }) == 0 then
    core.fail("migration", ("A suffix needs a text: %s has none"):format(values.name(change)), 'use "live"')
  end
  local is_parent, child = soft.is_pointed_at(change.tables, change.table, change.group.columns)
  if change.to ~= "always" and is_parent then
    core.fail(
      "migration",
      ("Rows of '%s' point at %s, which must stay unique among all rows"):format(child, values.name(change)),
      'let it be "always", or drop the foreign key'
    )
  end
end

-- ---- changing -------------------------------------------------------------------------------------

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
    values.refuse_doubles(change, err)
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
  local value = values.plan(change)
  drop_index(self, change)
  if value then
    values.rewrite(change, value)
  end
  if change.is_back and change.to == "mangle" then
    values.spell_as_before(change)
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
  change.detail = tokens.fold(table.concat(change.group.columns, ","))
  return change
end

local function keep_before(self, change)
  memo.put(self.job, "change_unique", change.table, change.detail, { strategy = change.from })
  if change.from == "mangle" then
    values.keep_spellings(change)
  end
end

local function to_before(self, change)
  local kept = memo.get(self.job, "change_unique", change.table, change.detail)
  if not kept then
    self.job:refuse(
      ("Nothing is known of how %s was unique before"):format(values.name(change)),
      'say it: "mangle", "live" or "always"'
    )
  end
  change.to, change.before, change.is_back = kept.texts.strategy, kept.table, true
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
  end
  local stays_whole = change.from ~= "live" and change.to ~= "live"
  change.before = change.before or (stays_whole and change.table or nil)
  change.others = values.others(change, options.others)
  if not change.is_back then
    keep_before(self, change)
  end
  carry_out(self, change)
  if change.is_back then
    memo.drop(self.job, "change_unique", change.table, change.detail)
  end
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
