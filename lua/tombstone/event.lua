--- Deletions are events, and events can be undone.
--
-- An event is a row: `id`, `at`, `model`, `pk` (of a row's own deletion), `actor`, `reason`,
-- `undone_at`.
-- @module tombstone.event
local core = require "tombstone.core"
local hooks = require "tombstone.hooks"
local limits = require "tombstone.limits"
local query = require "tombstone.query"
local strategy = require "tombstone.strategy"
local trash = require "tombstone.trash"

local M = {}
local Event = {}
local UNDO_OPTIONS = limits.also { "on_conflict" }

-- The models whose rows an event can hold.
local function holders(db)
  local list = {}
  for _, model in ipairs(db:models()) do
    if model:has_events() then
      list[#list + 1] = model
    end
  end
  return list
end

-- Its database; what is no row is refused.
local function database_of(event)
  core.methods.model.is_deleted(event)
  return getmetatable(event):database()
end

local function held(event, model)
  return model:event_rows(event.id, "held")
end

local function needs_lua(db, options)
  local kind = options and type(options.on_conflict)
  if kind == "function" or kind == "table" then
    return true
  end
  for _, model in ipairs(holders(db)) do
    if hooks.of(model) then
      return true
    end
  end
  return false
end

-- The options for the rows of one model.
local function options_for(name, options)
  local strategies = options and options.on_conflict
  if type(strategies) ~= "table" then
    return options
  end
  local own = strategy.of(strategies, name) or "fail"
  if own == "fail" and type(strategies.default) == "string" then
    own = { [name] = own, default = strategies.default }
  end
  return { on_conflict = own }
end

-- The strategy for all is for rows that need each other, unless it would have them fail.
local function note_skip(seen)
  if seen.word == nil or seen.word == "fail" then
    seen.word = "skip"
  end
end

-- The same options, with a function that tells of rows that it has skipped: rows that need each
-- other and one of these stay dead with it.
local function watched(options, seen)
  local decide = options and options.on_conflict
  if type(decide) ~= "function" then
    if decide == "skip" then
      note_skip(seen)
    end
    return options
  end
  return {
    on_conflict = function(row, conflict)
      local answer = decide(row, conflict)
      if answer == "skip" then
        note_skip(seen)
      end
      return answer
    end,
  }
end

-- Parents first: a child does not come back below a dead one. Rows that need each other come
-- last, together, by the one strategy that is for all models.
local function restore_models(event, db, options)
  local all = options_for("default", options)
  local seen = { word = all and type(all.on_conflict) == "string" and all.on_conflict or nil }
  local restored = 0
  for _, name in ipairs(db:undo_order()) do
    local own = watched(options_for(name, options), seen)
    restored = restored + query.plain_restore(db:model(name):event_rows(event.id, "back"), own)
  end
  return restored + db:undo_end(event.id, seen.word)
end

-- The rows of models with hooks that are about to come back, parents first, rings last.
local function hooked_sets(event, db)
  local sets, seen = {}, {}
  local function add(model)
    if hooks.of(model) and not seen[model] then
      seen[model] = true
      local back = model:event_rows(event.id, "back"):coming()
      sets[#sets + 1] = { model = model, query = back, own = back:all(), rows = {} }
    end
  end
  for _, name in ipairs(db:undo_order()) do
    add(db:model(name))
  end
  for _, model in ipairs(holders(db)) do
    add(model)
  end
  return sets
end

-- Conflict functions run between the restores of the models, hooks around them all.
local function undo_in_lua(event, db, options)
  return db:transaction(function()
    return trash.around_restore(hooked_sets(event, db), function()
      local now = db:undo_begin(event.id)
      return restore_models(event, db, options), now
    end)
  end)
end

local function undo_in_one(event, db, options)
  return db:undo(event.id, options and options.on_conflict)
end

--- Restores exactly what this deletion took and still holds.
-- @tparam[opt] table options `on_conflict`, as for `restore`, of all models, or a table of
-- strategies by model: `{ Post = "rename", Comment = "skip", default = "fail" }`; rows that need each
-- other come back by the one for all, `default`
-- @treturn number rows restored
-- @raise integrity, with the rows in conflict; then nothing was restored
function Event:undo(options)
  core.check_options(options, UNDO_OPTIONS, "undo")
  local db = database_of(self)
  strategy.check(db, options and options.on_conflict)
  local undo = needs_lua(db, options) and undo_in_lua or undo_in_one
  local count, now = undo(self, db, options)
  self.undone_at = now
  return count
end

limits.of_calls(Event, { undo = 1 })

--- The rows of a model that this event still holds dead, as a query.
-- @tparam model|string model the model, or its name
-- @treturn query
-- @usage for post in event:rows("Post"):each() do print(post:original "title") end
function Event:rows(model)
  if type(model) == "string" then
    model = database_of(self):model(model)
  end
  core.methods.model.has_events(model) -- refuses what is no model
  return held(self, model)
end

--- How many rows this event still holds dead, by model.
-- @treturn {[string]=number}
function Event:counts()
  local counts = {}
  for _, model in ipairs(holders(database_of(self))) do
    local n = held(self, model):count()
    if n > 0 then
      counts[rawget(model, "__name")] = n
    end
  end
  return counts
end

--- What undoing would do: `rows` by model; `conflicts`, each with `model`, `constraint`, `fields`,
-- `value`, `dead_pk` and `live_pk` (or `twin_pk`); `held_back`, by model, the rows that would stay dead
-- below a dead parent or because another event holds them too; and `parents`, a list of `{ model, pk }`,
-- the dead rows above these that the event does not hold. Writes nothing.
function Event:restore_plan()
  local db = database_of(self)
  local plan = db:foresee_undo(self.id)
  for _, model in ipairs(holders(db)) do
    local name = rawget(model, "__name")
    plan.rows[name] = plan.rows[name] or 0
  end
  for _, parent in ipairs(plan.parents) do
    parent.below = nil -- they all are
  end
  return plan
end

--- Makes the model of events of a database.
function M.attach(db)
  local model = { __name = "TombstoneEvent" }
  for name, method in pairs(Event) do
    model[name] = method
  end
  db:attach(setmetatable(model, { __index = core.methods.model }))
  return model
end

return M
