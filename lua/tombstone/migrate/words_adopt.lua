--- The word that takes over what other programs have deleted, and its way back.
-- @module tombstone.migrate.words_adopt
local adopted_events = require "tombstone.migrate.adopted_events"
local adoption = require "tombstone.migrate.adoption"
local core = require "tombstone.core"
local event_tables = require "tombstone.migrate.event_tables"
local finding = require "tombstone.migrate.finding"
local memo = require "tombstone.migrate.memo"
local migration = require "tombstone.migrate.migration"
local recognise = require "tombstone.migrate.recognise"
local refusal = require "tombstone.migrate.refusal"
local schema = require "tombstone.migrate.schema"
local schemes = require "tombstone.migrate.schemes"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"
local way_back = require "tombstone.migrate.way_back"

local Migration, inverse = migration.Migration, migration.inverse

local OPTIONS = { "scheme", "from", "flag", "unit", "sentinel", "ambiguous", "drop", "column", "event",
  "unique", "model", "dead" }

-- ---- refusing -------------------------------------------------------------------------------------

local function check(options)
  core.check_options(options, OPTIONS, "adopt")
  local ambiguous, unique = options.ambiguous, options.unique
  if ambiguous ~= nil and ambiguous ~= "living" and ambiguous ~= "dead" then
    core.misuse(("ambiguous is living or dead, not '%s'"):format(tostring(ambiguous)))
  end
  if unique ~= nil and unique ~= "mangle" and unique ~= "live" then
    core.misuse(("unique of adopt is mangle or live, not '%s'"):format(tostring(unique)))
  end
  if options.drop ~= nil and type(options.drop) ~= "boolean" then
    core.misuse(("drop of adopt is true or false, not a %s"):format(type(options.drop)))
  end
end

local function need_clear(self, t, reading, ambiguous)
  if reading.scheme == "tombstone" then
    self.job:refuse(("Table '%s' has soft delete already"):format(t.name), "leave the word out")
  end
  if reading.scheme == "active" and not reading.is_told then
    local message = "Column '%s' of '%s' may mean that rows are deleted, or something else"
    self.job:refuse(
      message:format(reading.active, t.name),
      'say scheme = "active", or scheme = "none"'
    )
  end
  local rows, count = recognise.ambiguous(self.db, t, reading)
  if count > 0 and not ambiguous then
    refusal.rows(
      ("Rows of '%s' do not say whether they are deleted (%s)"):format(t.name, rows[1].why),
      rows,
      count,
      'mend them, or say ambiguous = "living" or "dead"'
    )
  end
end

local function need_free(t, reading, name)
  if name and schema.column(t, name) and not finding.names(adoption.sources(reading), name) then
    finding.need_free(t, name)
  end
end

-- ---- what shall be -----------------------------------------------------------------------------------

local function plan_of(self, t, reading, options)
  local event = soft.event_column(options.event)
  local how = { stamp = options.column or "deleted_at", event = event, unique = options.unique }
  need_free(t, reading, how.stamp)
  need_free(t, reading, how.event)
  local plan = {
    reading = reading,
    how = how,
    drop = options.drop == true,
    texts = schemes.unique_texts(t),
    stamp = adoption.stamp(reading, options.ambiguous),
    living = {},
  }
  for _, column in ipairs(adoption.sources(reading)) do
    plan.living[tokens.fold(column)] = way_back.living(self.job, t, plan, column)
  end
  return plan
end

local function plan_values(self, t, tables, plan)
  local after, from = schema.copy(t), {}
  adoption.shape(tables, after, from, plan)
  plan.values = adoption.values(tables, after, plan)
  plan.values[tokens.fold(plan.how.stamp)] = plan.stamp
  adoption.need_unique(self.job, t, plan)
end

-- ---- keeping what takes it back ------------------------------------------------------------------------

-- Old marks that stay need not be made anew.
local function is_left_alone(plan, column)
  return not plan.drop
    and finding.names(adoption.sources(plan.reading), column)
    and not tokens.same(column, plan.how.stamp)
end

local function keep_way_back(self, t, plan)
  local recipes, lost = way_back.recipes(self.job, t, plan)
  local texts = { dead = plan.reading.dead }
  for column, recipe in pairs(recipes) do
    texts["recipe " .. column] = recipe
  end
  for _, column in ipairs(lost) do
    if not is_left_alone(plan, column) then
      texts.lost = column
    end
  end
  memo.put(self.job, "adopt", t, nil, texts)
end

-- ---- adopting -----------------------------------------------------------------------------------------

-- Values that stay as they are need no new table.
local function changing(self, t, values)
  local changes = {}
  for column, sql in pairs(values) do
    local there = schema.column(t, column)
    local differs = there and ("(%s) IS NOT %s"):format(sql, tokens.name(there.name))
    changes[column] = (not there or schemes.some(self.db, t, differs)) and sql or nil
  end
  return changes
end

local function adopt(self, t, reading, options)
  local plan, tables = plan_of(self, t, reading, options), schema.read(self.db).tables
  plan_values(self, t, tables, plan)
  keep_way_back(self, t, plan)
  local changes = changing(self, t, plan.values)
  self:alter(t.name, function(new, from)
    adoption.shape(tables, new, from, plan)
    for column, sql in pairs(changes) do
      from[column] = sql
    end
  end)
  self:flush()
  self:create_event_tables("adopt", t)
  if plan.how.event then
    local model = event_tables.model_of(self.db, t, options.model)
    adopted_events.make(self.job, t.name, model, reading.now)
  end
end

--- Takes over a table in which another program has deleted rows in its own way, or none has: it becomes
-- what `add_soft_delete` makes, its dead rows are dead, with events, and can be restored.
--
-- What is found is what `tombstone.migrate.recognise` says. Times become the engine's text; values that the
-- article has mangled bear the suffix of their time, values of the dead that were not get one where
-- models mangle. Rows of one time belong to one event, rows with their parent's time to the parent's
-- (so parents are adopted first), a row without a time gets that of the migration, and an event of its own.
-- @string name of the table
-- @tparam[opt] table options `scheme`, `from`, `flag`, `unit`, `sentinel` as of `recognise`; `ambiguous`
-- (`"living"` or `"dead"`: what rows become that do not say it), `drop` (true: the old marks go),
-- `column`, `event`, `unique`, `model` as of `add_soft_delete`, and `dead` where nothing was found
-- @raise migration with `rows` and `count` where rows are unclear or would collide; misuse
-- @usage m:adopt("legacy_posts", { drop = true, ambiguous = "dead" })
function Migration:adopt(name, options)
  options = options or {}
  check(options)
  self:need_transaction "adopt"
  local t = self:table(name)
  soft.key(t)
  local reading = recognise.read(self.db, t, options)
  need_clear(self, t, reading, options.ambiguous)
  if reading.scheme == "none" then
    return self:add_soft_delete(name, {
      column = options.column,
      event = options.event,
      unique = options.unique,
      model = options.model,
    })
  end
  adopt(self, t, reading, options)
end

function inverse.adopt(name, options)
  options = options or {}
  return "unadopt", name, { column = options.column, model = options.model, dead = options.dead }
end

-- ---- the way back ------------------------------------------------------------------------------

local function need_kept(self, t)
  local kept = memo.get(self.job, "adopt", t)
  if not kept then
    self.job:refuse(("Nothing is known of how '%s' was before"):format(t.name), "use remove_soft_delete")
  elseif kept.texts.lost then
    local message = "The adoption of '%s' cannot be taken back - its rows had more to say in '%s'"
    self.job:refuse(
      message:format(t.name, kept.texts.lost),
      "use remove_soft_delete, or a backup"
    )
  end
  return kept
end

-- An old mark that stays, and cannot be made of the new one, must still say the same.
local function need_unchanged(self, t, kept, is)
  for _, column in ipairs(kept.table.columns) do
    local name = column.name
    local is_mark = kept.texts.dead:find(tokens.name(name), 1, true)
    if is_mark and schema.column(t, name) and not kept.texts["recipe " .. tokens.fold(name)] then
      refusal.where(
        self.job,
        tokens.name(t.name),
        tokens.name(soft.key(t)),
        ("(%s) IS NOT (%s)"):format(kept.texts.dead, soft.dead(is.stamp)),
        ("Rows of '%s' were deleted or restored since, which '%s' does not know"):format(t.name, name),
        "set it by run first, or use remove_soft_delete"
      )
    end
  end
end

-- What the table was does not know what came since.
local function need_nothing_new(self, t, kept, is)
  for _, column in ipairs(t.columns) do
    local is_ours = tokens.same(column.name, is.stamp) or (is.event and tokens.same(column.name, is.event))
    if not is_ours and not schema.column(kept.table, column.name) then
      self.job:refuse(
        ("The adoption of '%s' cannot be taken back - column '%s' came since"):format(t.name, column.name),
        "drop it first, or use remove_soft_delete"
      )
    end
  end
end

local function put_back(new, from, kept, is)
  local here = {}
  for _, column in ipairs(new.columns) do
    here[tokens.fold(column.name)] = true
  end
  for _, column in ipairs(kept.table.columns) do
    local name = tokens.fold(column.name)
    local recipe = kept.texts["recipe " .. name]
    local as_it_is = here[name] and not column.generated and tokens.name(column.name) or nil
    from[name] = recipe and way_back.fill(recipe, tokens.name(is.stamp), tokens.name(column.name)) or as_it_is
  end
  for _, name in pairs { is.stamp, is.event } do
    if not schema.column(kept.table, name) then
      from[tokens.fold(name)] = nil
    end
  end
  for _, part in ipairs { "columns", "uniques", "indexes", "checks" } do
    new[part] = schema.copy(kept.table[part])
  end
end

-- A recipe that gives what is there needs no new table.
local function only_changes(self, t, kept, is)
  for key, recipe in pairs(kept.texts) do
    local column = key:match "^recipe (.*)$"
    local there = column and schema.column(t, column)
    local name = there and tokens.name(there.name)
    local sql = there and way_back.fill(recipe, tokens.name(is.stamp), name)
    if sql and not schemes.some(self.db, t, ("(%s) IS NOT %s"):format(sql, name)) then
      kept.texts[key] = nil
    end
  end
end

--- Takes `adopt` back: the table gets the columns and marks that it had. Refused where some of what they
-- said is not known any more.
-- @string name of the table
-- @tparam[opt] table options `column`, `model`; `dead`, as of `remove_soft_delete`, where it had no marks
-- @raise migration
function Migration:unadopt(name, options)
  options = options or {}
  core.check_options(options, { "column", "model", "dead" }, "unadopt")
  self:need_transaction "unadopt"
  local t = self:table(name)
  if not memo.get(self.job, "adopt", t) and memo.get(self.job, "add_soft_delete", t) then
    return self:remove_soft_delete(name, {
      dead = options.dead or "none",
      column = options.column,
      model = options.model,
    })
  end
  local is, kept = soft.need(t, options.column), need_kept(self, t)
  need_nothing_new(self, t, kept, is)
  need_unchanged(self, t, kept, is)
  if is.event then
    event_tables.forget(self.job, t, is.event, event_tables.model_of(self.db, t, options.model))
  end
  only_changes(self, t, kept, is)
  self:alter(t.name, function(new, from)
    put_back(new, from, kept, is)
  end)
  self:flush()
  memo.drop(self.job, "adopt", t)
  event_tables.drop_unused(self.job, kept.texts)
end

function inverse.unadopt()
  return nil, "unadopt does not say how it was adopted"
end

return Migration
