--- What the Lua side adds to queries: hooks, conflict functions, plans.
-- @module tombstone.query
local core = require "tombstone.core"
local hooks = require "tombstone.hooks"
local limits = require "tombstone.limits"
local strategy = require "tombstone.strategy"
local tables = require "tombstone.tables"
local trash = require "tombstone.trash"

local M = {}
local Query, Model = core.methods.query, core.methods.model
local raw_query, raw_model = hooks.raw_query, hooks.raw_model

local function need_meaning(query, options, verb)
  if query:is_whole() and not (type(options) == "table" and options.all) then
    core.misuse(verb .. " of all rows must be meant", "pass { all = true }, or filter first")
  end
end

-- ---- conflict functions -----------------------------------------------------------------

local function ask(job, db, strategies)
  while true do
    local pk, conflict = job:next()
    if pk == nil then
      return
    end
    local model = db:model(conflict.model)
    local answer = strategy.of(strategies, conflict.model)(model.all_objects:get(pk), conflict)
    if type(answer) ~= "string" and type(answer) ~= "table" then
      core.misuse(
        "on_conflict answered a " .. type(answer),
        'answer "fail", "skip", "rename", "replace" or a table of new values'
      )
    end
    job:resolve(answer, model)
  end
end

local RESTORE_OPTIONS = limits.also { "all", "actor", "reason", "on_conflict", "parents" }

local DELETE_OPTIONS = limits.also { "all", "actor", "reason", "max_rows" }
local GET_OPTIONS = limits.also { "on_deleted" }
local PURGE_OPTIONS = limits.also { "all", "living", "actor", "reason", "dry_run" }

-- What is no row, or no query, is refused by the engine, in its own words.
local function check_strategies(model, options)
  if type(options) == "table" and type(options.on_conflict) == "table" then
    strategy.check(raw_model.database(model), options.on_conflict)
  end
end

-- The function runs between the steps of the restore, never below the engine. The transaction
-- belongs to this coroutine: one that works on the handle meanwhile would be within it.
local function restore_asking(query, options)
  core.check_options(options, RESTORE_OPTIONS, "restore")
  need_meaning(query, options, "restore")
  local db = raw_model.database(query:model())
  return db:transaction(function()
    local job = query:restore_job(options)
    local ok, err = pcall(ask, job, db, options.on_conflict)
    if not ok then
      pcall(job.close, job)
      error(err, 0)
    end
    return job:close()
  end)
end

local function asks(options)
  return type(options) == "table" and strategy.asks(options.on_conflict)
end

local function plain_restore(query, options)
  if asks(options) then
    return restore_asking(query, options)
  end
  return raw_query.restore(query, options)
end

--- Restores the query's dead rows, all or none.
-- @tparam[opt] table options `on_conflict` (`"fail"`, `"skip"`, `"rename"`, `"replace"`, or a
-- function that gets the row and the conflict, which names its `model`, and answers one of these or
-- a table of new values; all rows that come back are meant, also those below; or a table by model,
-- `{ Post = "rename", default = "skip" }`: rows that need each other come back by `default`),
-- `parents` (dead parents come back first), `all`, `actor` and `reason` (of the deletions that
-- `"replace"` makes)
-- @treturn number rows restored
-- @raise integrity, with the rows in conflict; parent_deleted
function Query:restore(options)
  check_strategies(raw_query.model(self), options)
  if trash.concern(raw_query.model(self)) then
    core.check_options(options, RESTORE_OPTIONS, "restore")
    need_meaning(self, options, "restore")
    return trash.restore(self, options, plain_restore)
  end
  return plain_restore(self, options)
end

M.plain_restore = plain_restore

--- Soft-deletes the query's living rows in one event.
-- @tparam[opt] table options `actor`, `reason`, `max_rows`, `all`
-- @treturn number rows deleted
-- @treturn event|nil the event; nil when nothing was deleted
function Query:delete(options)
  if trash.concern(raw_query.model(self)) then
    core.check_options(options, DELETE_OPTIONS, "delete")
    need_meaning(self, options, "delete")
    return trash.delete(self, options)
  end
  return raw_query.delete(self, options)
end

--- The real DELETE, of the rows and of the dead ones that need them.
-- @tparam[opt] table options `living` (the query may reach living rows), `all`, `actor`,
-- `reason`, `dry_run` (writes nothing)
-- @treturn number rows of the query's model purged
-- @treturn table the report: `rows`, by model, that are gone; `kept`, by model, that have lost
-- their link to one of them; and `needed`, of a dry run: a list of `{ model, field, count,
-- example }`, the living rows that would make the purge raise
-- @raise restricted, while a living row needs one of them
function Query:purge(options)
  if trash.concern(raw_query.model(self)) then
    core.check_options(options, PURGE_OPTIONS, "purge")
    need_meaning(self, options, "purge")
    return trash.purge(self, options)
  end
  return raw_query.purge(self, options)
end

local function sum(counts)
  local total = 0
  for _, n in pairs(counts) do
    total = total + n
  end
  return total
end

--- What a deletion would take, by model: `{ Post = 12 }`. Writes nothing.
-- @treturn {[string]=number}
-- @treturn table `total`, the rows of all models, which is what `max_rows` counts; and `needed`, in
-- the order of the error: a list of `{ model, field, count, example }`, the living rows that would
-- make the deletion raise `restricted`
-- @raise misuse where the model has no soft delete
-- @usage local counts, report = ana:posts():delete_plan()
-- print(counts.Post, report.total, #report.needed)
function Query:delete_plan()
  local model = raw_query.model(self)
  local name = rawget(model, "__name")
  if not model:is_soft() then
    core.misuse(name .. " has no soft delete, so it cannot delete", "use purge, or turn soft_delete on")
  end
  local ahead = self:preview()
  local counts = ahead.rows
  counts[name] = counts[name] or 0
  return counts, { total = sum(counts), needed = ahead.needed }
end

--- What a restore would do, with what would come back below the rows. Writes nothing.
-- @tparam[opt] table options `parents`: as if they came back first, with what is below them
-- @treturn table `rows`, by model, that would come back; `held_back`, by model, rows below them that
-- would stay dead, since another event holds them too or a parent is dead; `conflicts`, of all models, a
-- list of `{ model, constraint, fields, value, dead_pk, live_pk }`, where `twin_pk` in place of
-- `live_pk` is another row of the same restore; and `parents`, a list of `{ model, pk }`, the dead rows
-- above, which must come back first, and above rows that are held back (these have `below = true`)
-- @raise misuse where the model has no soft delete
-- @usage for _, c in ipairs(ana:restore_plan().conflicts) do print(c.model, c.value) end
function Query:restore_plan(options)
  local name = rawget(raw_query.model(self), "__name")
  local plan = self:foresee(options)
  plan.rows[name] = plan.rows[name] or 0
  return plan
end

-- ---- rows -----------------------------------------------------------------------------------

-- What is no row is refused by the engine, in its own words.
local function is_concerned(row)
  local model = type(row) == "table" and getmetatable(row)
  return type(model) == "table" and rawget(model, "__name") and trash.concern(model)
end

local function plain_restore_row(row, options)
  if not asks(options) then
    return raw_model.restore(row, options)
  end
  raw_model.need_kept(row)
  return hooks.within(row, function()
    local count = restore_asking(trash.itself(row), options)
    if count > 0 then
      raw_model.reload(row)
    end
    return count > 0
  end)
end

--- Restores this row.
-- @tparam[opt] table options as for queries
-- @treturn boolean false when it was not deleted, or was skipped
function Model:restore(options)
  if type(options) == "table" and type(options.on_conflict) == "table" then
    raw_model.need_kept(self)
    check_strategies(getmetatable(self), options)
  end
  if is_concerned(self) then
    core.check_options(options, RESTORE_OPTIONS, "restore")
    return trash.restore_row(self, options, plain_restore_row)
  end
  return plain_restore_row(self, options)
end

local ROW_OPTIONS = {
  delete = limits.also { "actor", "reason", "max_rows" },
  purge = limits.also { "actor", "reason", "dry_run" },
  forget = limits.also { "actor", "reason", "dry_run" },
}

-- These three look for hooks first; what they do is the engine's.
for _, verb in ipairs { "delete", "purge", "forget" } do
  local plain, with_hooks = raw_model[verb], trash[verb .. "_row"]
  Model[verb] = function(row, options)
    if is_concerned(row) then
      core.check_options(options, ROW_OPTIONS[verb], verb)
      return with_hooks(row, options)
    end
    return plain(row, options)
  end
end

--- What a deletion of this row would take, by model, and what stands in its way.
-- @treturn {[string]=number}
-- @treturn table as for a query
-- @usage print(author:delete_plan().Post)
function Model:delete_plan()
  raw_model.need_kept(self)
  return trash.itself(self):delete_plan()
end

--- What a restore of this row would do, as that of a query.
-- @tparam[opt] table options `parents`
-- @treturn table
-- @usage print(#post:restore_plan().conflicts)
function Model:restore_plan(options)
  raw_model.need_kept(self)
  return trash.itself(self):restore_plan(options)
end

-- ---- get_or_create -----------------------------------------------------------------------------

-- Dead rows keep their texts with a suffix, so that these are asked for by their originals.
local function dead_twin(model, match)
  local originals = {}
  for _, field in ipairs(model:fields()) do
    local value = match[field.name]
    if value ~= nil then
      local text = field.type == "char" or field.type == "text"
      originals[field.name .. (text and value ~= core.null and "__original" or "")] = value
    end
  end
  return model.deleted_objects:filter(originals):order_by("-deleted_at"):first()
end

local function revive(model, match, policy)
  if policy == nil or policy == "new" then
    return nil
  end
  if policy ~= "restore" and policy ~= "refuse" then
    core.misuse 'on_deleted is "new", "restore" or "refuse"'
  end
  local twin = dead_twin(model, match)
  if twin and policy == "refuse" then
    core.fail(
      "deleted",
      "Cannot create record - a deleted row matches",
      "restore it, or pass on_deleted",
      rawget(model, "__name")
    )
  end
  if twin then
    twin:restore()
  end
  return twin
end

-- Somebody may create the row between the look and the insert: the unique index says so,
-- and then it is there to be found.
local function create_or_find(model, match, defaults)
  local ok, row = pcall(function()
    return model:create(tables.copy(match, defaults))
  end)
  if ok then
    return row, true
  end
  if type(row) == "table" and row.constraint == "unique" then
    local found = model.objects:find(match)
    if found then
      return found, false
    end
  end
  return error(row, 0)
end

--- The living row that matches, or a new one.
-- @tparam table match values of fields
-- @tparam[opt] table defaults more values for a new row
-- @tparam[opt] table options `on_deleted`: `"new"` (default), `"restore"` or `"refuse"` where
-- only a deleted row matches
-- @treturn row
-- @treturn boolean true when it was created
function Model:get_or_create(match, defaults, options)
  core.check_options(options, GET_OPTIONS, "get_or_create")
  if type(match) ~= "table" or (defaults ~= nil and type(defaults) ~= "table") then
    core.misuse("get_or_create takes tables of values", 'as in get_or_create({ title = "x" }, { views = 1 })')
  end
  match = core.rows_to_keys(self, match)
  defaults = defaults and core.rows_to_keys(self, defaults)
  return raw_model.database(self):transaction(function()
    local found = self.objects:find(match) or revive(self, match, options and options.on_deleted)
    if found then
      return found, false
    end
    return create_or_find(self, match, defaults)
  end)
end

-- ---- limits ------------------------------------------------------------------------------------

limits.of_calls(Query, { delete = 1, restore = 1, purge = 1, update = 2 })
limits.of_calls(Model, { delete = 1, restore = 1, purge = 1, forget = 1, upsert = 2, get_or_create = 3 })

local bulk_create = raw_model.bulk_create

--- Creates rows, all or none.
-- @tparam {table,...} list values
-- @tparam[opt] table options `timeout_ms`, `max_steps`
-- @treturn {row,...}
function Model:bulk_create(list, options)
  core.check_options(options, limits.NAMES, "bulk_create")
  return bulk_create(self, list)
end
limits.of_calls(Model, { bulk_create = 2 })

return M
