--- Which rows of the trash a command is about: models, keys, and options that narrow them.
-- @module tombstone.cli.selection
local core = require "tombstone.core"
local moment = require "tombstone.cli.moment"
local refusal = require "tombstone.cli.refusal"

local M = {}

-- ---- the command line ------------------------------------------------------------------------

--- Reads the number of an event, for lua-argparse.
function M.event_id(text)
  if not text:match "^%d+$" then
    return nil, ("'%s' is no number of an event"):format(text)
  end
  return tonumber(text)
end

--- Declares the arguments of a selection.
-- @param command that of lua-argparse
function M.arguments(command)
  command:argument("model", "The model of the rows; else all."):args "?"
  command:argument("keys", "The keys of its rows; else all that fit."):args "*"
  command:option("--model", "Rows of this model.", nil, nil, 1):argname("MODEL"):target "only_model"
  command:option("--actor", "Rows that this actor deleted."):argname "NAME"
  command:option("--reason", "Rows that were deleted for this reason."):argname "TEXT"
  command:option("--event", "Rows that this event holds."):argname("ID"):convert(M.event_id)
  command
    :option("--older-than", "Rows that were deleted longer ago, as in 90d, 12h, 30m.")
    :argname("AGE")
    :target("older_than")
    :convert(moment.duration)
  command
    :option("--newer-than", "Rows that were deleted since.")
    :argname("AGE")
    :target("newer_than")
    :convert(moment.duration)
end

--- Declares `--all` for commands that change something: all of the trash must be meant.
function M.all_argument(command)
  command:flag("--all", "All rows in the trash.")
end

local NARROW = { "model", "only_model", "actor", "reason", "event", "older_than", "newer_than" }

--- Whether arguments say which rows.
-- @treturn boolean
function M.is_said(arguments)
  for _, name in ipairs(NARROW) do
    if arguments[name] then
      return true
    end
  end
  return arguments.all ~= nil
end

--- Refuses arguments that say nothing of it.
-- @raise a refusal with exit code 2
function M.need_narrow(arguments)
  if M.is_said(arguments) then
    return
  end
  local hint = "name a model and keys, narrow by an option, or give --all"
  refusal.raise("which rows is not said", hint, refusal.USAGE)
end

-- ---- models --------------------------------------------------------------------------------------

--- The name of a model.
function M.name_of(model)
  return rawget(model, "__name")
end

--- The field of a model's key.
function M.key_field(model)
  for _, field in ipairs(model:fields()) do
    if field.primary_key then
      return field
    end
  end
end

local function soft_models(db)
  local list = {}
  for _, model in ipairs(db:models()) do
    if model:is_soft() then
      list[#list + 1] = model
    end
  end
  return list
end

local function names_of(models)
  local names = {}
  for i, model in ipairs(models) do
    names[i] = M.name_of(model)
  end
  return table.concat(names, ", ")
end

--- The model of this name, which has a trash.
-- @tparam database db
-- @tparam string name
-- @treturn model
-- @raise a refusal that lists the models
function M.model(db, name)
  local models = soft_models(db)
  for _, model in ipairs(models) do
    if M.name_of(model) == name then
      return model
    end
  end
  for _, model in ipairs(db:models()) do
    if M.name_of(model) == name then
      refusal.raise(name .. " has no trash: its deletions are real ones")
    end
  end
  local hint = #models > 0 and "the models with a trash are " .. names_of(models) or "no model has a trash"
  refusal.raise(("there is no model '%s'"):format(name), hint)
end

local function chosen_models(db, arguments)
  local name, other = arguments.model, arguments.only_model
  if name and other and name ~= other then
    refusal.raise(("two models are named, %s and %s"):format(name, other), "name one", refusal.USAGE)
  end
  name = name or other
  return name and { M.model(db, name) } or soft_models(db)
end

-- ---- rows ---------------------------------------------------------------------------------------

--- A key as the model has it: a number where its field is an integer.
-- @raise a refusal where the text is no such key
function M.key(model, text)
  local field = M.key_field(model)
  if field.type ~= "integer" then
    return text
  elseif not text:match "^%-?%d+$" then
    refusal.raise(("'%s' is no key of %s, which are integers"):format(text, M.name_of(model)))
  end
  local number = tonumber(text)
  local is_exact = math.abs(number) < 2 ^ 53 or tostring(number) == text
  return is_exact and number or text
end

local function by_keys(query, model, texts)
  if #texts == 0 then
    return query
  end
  local keys = {}
  for i, text in ipairs(texts) do
    keys[i] = M.key(model, text)
  end
  return query:filter(M.key_field(model).name .. "__in", keys)
end

-- The ids of events that an actor made or that have a reason; nil where neither is asked for.
local function events_asked_for(db, arguments)
  if not arguments.actor and not arguments.reason then
    return nil
  end
  local ids = {}
  for i, event in ipairs(db:events { actor = arguments.actor, reason = arguments.reason }) do
    ids[i] = event.id
  end
  return ids
end

--- The event of this number.
-- @raise a refusal where there is none
function M.event(db, id)
  local event = core.side(db).events.all_objects:find(id)
  if not event then
    refusal.raise(("there is no event %s"):format(tostring(id)), "tombstone trash list names the events")
  end
  return event
end

local function by_time(query, db, arguments)
  local now = db:now()
  if arguments.older_than then
    query = query:filter("deleted_at__lte", now - arguments.older_than)
  end
  if arguments.newer_than then
    query = query:filter("deleted_at__gte", now - arguments.newer_than)
  end
  return query
end

local function one(db, model, arguments, event, events)
  if (event or events) and not model:has_events() then
    return nil
  end
  local query = event and event:rows(model) or model.deleted_objects
  if events then
    query = query:filter("deleted_event__in", events)
  end
  return by_time(by_keys(query, model, arguments.keys or {}), db, arguments)
end

-- Parents before their children, so that these come back to living ones; then what has no events.
local function in_order(db, models)
  local place = {}
  for i, name in ipairs(db:undo_order()) do
    place[name] = i
  end
  local list = {}
  for i, model in ipairs(models) do
    list[i] = { model = model, at = place[M.name_of(model)] or 1e9, i = i }
  end
  table.sort(list, function(a, b)
    if a.at ~= b.at then
      return a.at < b.at
    end
    return a.i < b.i
  end)
  return list
end

--- What is chosen, parents first: for each model a query of its dead rows.
-- @tparam database db
-- @tparam table arguments parsed, as declared by `arguments`
-- @treturn {table,...} each with `model`, `name` and `query`
-- @raise a refusal for names, keys and events that are not there
function M.of(db, arguments)
  local models = chosen_models(db, arguments)
  local event = arguments.event and M.event(db, arguments.event)
  local events = events_asked_for(db, arguments)
  local chosen = {}
  for _, entry in ipairs(in_order(db, models)) do
    local query = one(db, entry.model, arguments, event, events)
    if query then
      chosen[#chosen + 1] = { model = entry.model, name = M.name_of(entry.model), query = query }
    end
  end
  return chosen
end

-- A float that is an integer is one in the text, too.
--- A key as text, exact on every Lua.
function M.text_of(key)
  return type(key) == "number" and ("%.0f"):format(key) or tostring(key)
end

local function refuse_missing(set, arguments)
  local found = {}
  for _, key in ipairs(set.query:pluck(M.key_field(set.model).name)) do
    found[M.text_of(key)] = true
  end
  local missing = {}
  for _, text in ipairs(arguments.keys) do
    if not found[M.text_of(M.key(set.model, text))] then
      missing[#missing + 1] = set.name .. " " .. text
    end
  end
  if #missing > 0 then
    local verb = #missing == 1 and " is" or " are"
    refusal.raise(table.concat(missing, ", ") .. verb .. " not in the trash, or not among what is asked for")
  end
end

--- The same with `count`, without models that have no such rows. Keys that are named must be there.
-- @treturn {table,...} each with `model`, `name`, `query`, `count`
-- @treturn number of rows
function M.counted(db, arguments)
  local list, total = {}, 0
  for _, set in ipairs(M.of(db, arguments)) do
    if #(arguments.keys or {}) > 0 then
      refuse_missing(set, arguments)
    end
    set.count = set.query:count()
    if set.count > 0 then
      list[#list + 1] = set
      total = total + set.count
    end
  end
  return list, total
end

--- Refuses to go on where the trash is not what was shown. For the transaction that changes it.
-- @raise a refusal
function M.need_same(db, arguments, sets)
  local now, total = M.counted(db, arguments)
  local is_same = #now == #sets
  for i, set in ipairs(is_same and sets or {}) do
    is_same = is_same and now[i].name == set.name and now[i].count == set.count
  end
  if not is_same then
    local message = ("the trash has changed meanwhile, and %d rows fit now"):format(total)
    refusal.raise(message, "look again")
  end
end

--- Rows by model, of sets.
-- @treturn {[string]=number}
function M.counts(sets)
  local counts = {}
  for _, set in ipairs(sets) do
    counts[set.name] = set.count
  end
  return counts
end

return M
