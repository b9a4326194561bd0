--- Rows that go along with a call on others, for the hooks of their models.
--
-- Where no model nearby has hooks, nothing is read: a call stays a few statements, however many
-- rows there are.
-- @module tombstone.along
local core = require "tombstone.core"
local strategy = require "tombstone.strategy"
local tables = require "tombstone.tables"

local M = {}
local raw = core.methods.model

--- The name of the model's key.
-- @tparam model model
-- @treturn string
function M.key_of(model)
  for _, field in ipairs(model:fields()) do
    if field.primary_key then
      return field.name
    end
  end
end

-- ---- models ------------------------------------------------------------------------------

-- True where rows of `child` need rows of `parent`, directly or not.
local function hangs_on(by_name, child, parent, seen)
  seen[child] = true
  for _, name in ipairs(by_name[child] and raw.parent_models(by_name[child]) or {}) do
    if name == parent or (not seen[name] and hangs_on(by_name, name, parent, seen)) then
      return true
    end
  end
  return false
end

-- Parents before children; models without events have no order of their own.
local function in_order(db, side, names)
  local list, listed = {}, {}
  for _, name in ipairs(db:undo_order()) do
    list[#list + 1] = names[name] and side.by_name[name] or nil
    listed[name] = true
  end
  for _, model in ipairs(side.models) do
    local name = rawget(model, "__name")
    list[#list + 1] = names[name] and not listed[name] and model or nil
  end
  return list
end

local function find_concerned(db, side, model, hooks_of)
  local own, names, any = rawget(model, "__name"), {}, false
  for name, other in pairs(side.by_name) do
    local near = name == own
      or hangs_on(side.by_name, name, own, {})
      or hangs_on(side.by_name, own, name, {})
    if hooks_of(other) and near then
      names[name], any = true, true
    end
  end
  return any and in_order(db, side, names)
end

--- The models with hooks whose rows may go along with the model's own, parents first; false where
-- there are none.
-- @tparam model model
-- @tparam function hooks_of answers a model's hooks, or nil
-- @treturn {model,...}|false
function M.concerned(model, hooks_of)
  local db = raw.database(model)
  local side = core.side(db)
  if side.concerned == nil or side.concerned_of ~= #side.models then
    side.concerned, side.concerned_of = {}, #side.models
  end
  local known = side.concerned[model]
  if known == nil then
    known = find_concerned(db, side, model, hooks_of)
    side.concerned[model] = known
  end
  return known
end

-- ---- rows ----------------------------------------------------------------------------------

local MANAGER = {
  delete = "objects",
  restore = "deleted_objects",
  purge = "all_objects",
  forget = "all_objects",
}

local function without(all, rows, key)
  local known = {}
  for _, row in ipairs(rows) do
    known[row[key]] = true
  end
  return tables.those(all, function(row)
    return not known[row[key]]
  end)
end

--- What `verb` reaches when it is called on the query's rows: for each model with hooks `own`, the
-- rows that the call is made on, `rows`, those that go along, and `query`, all of them.
-- @tparam query query
-- @string verb
-- @tparam[opt] {row,...} rows of the query, where they are in memory
-- @tparam function hooks_of
-- @treturn {table,...} parents first
function M.sets(query, verb, rows, hooks_of)
  local own, sets = query:model(), {}
  for _, model in ipairs(M.concerned(own, hooks_of) or {}) do
    local reached = model[MANAGER[verb]]:along(query, verb)
    local set = { model = model, query = reached, rows = reached:all(), own = {} }
    if model == own then
      set.own = rows or query:all()
      set.rows = without(set.rows, set.own, M.key_of(model))
    end
    sets[#sets + 1] = set
  end
  return sets
end

local TRIAL = {}
local REFUSALS = { integrity = true, parent_deleted = true, restricted = true }

local function keep_living(set)
  local key, living = M.key_of(set.model), {}
  for _, row in ipairs(set.query:everywhere():filter({ deleted_at = core.null }):all()) do
    living[row[key]] = true
  end
  set.rows = tables.those(set.rows, function(row)
    return living[row[key]]
  end)
end

local function has_rows(sets)
  for _, set in ipairs(sets) do
    if #set.rows > 0 then
      return true
    end
  end
  return false
end

-- A function that decides conflicts is asked by the call itself, and only once.
local function for_trial(options)
  local strategies = options and options.on_conflict
  return tables.copy(options, strategies and { on_conflict = strategy.without_functions(strategies, "fail") })
end

--- Of the rows that may come back with the query's, leaves those that will. Owners, dead parents
-- and conflicts all have a say in that, so it is tried, and taken back. Where the trial is refused,
-- a hook or a function may still make the call succeed: then all that may come back are left.
-- @tparam query query
-- @tparam {table,...} sets
-- @tparam[opt] table options of the restore
-- @tparam function plain restores without hooks
function M.leave_returning(query, sets, options, plain)
  if not has_rows(sets) then
    return
  end
  local db = raw.database(query:model())
  local _, why = pcall(db.transaction, db, function()
    plain(query, for_trial(options))
    for _, set in ipairs(sets) do
      keep_living(set)
    end
    error(TRIAL, 0)
  end)
  if why ~= TRIAL and not REFUSALS[type(why) == "table" and why.kind] then
    error(why, 0)
  end
end

return M
