--- A database: models, transactions, events, retention.
--
-- What the C side gives a handle besides: `create_tables()`, `ddl()` (the statements that it
-- would run in an empty database), `query(sql, …)` (an array of
-- plain tables), `each(sql, …)` (the rows one by one), `exec(sql, …)` (rows changed),
-- `backup(path)`, `info()`, `is_open()`, `close()`, `now()`.
-- @module tombstone.database
local core = require "tombstone.core"
local event = require "tombstone.event"
local limits = require "tombstone.limits"
local model = require "tombstone.model"
require "tombstone.query"

local M = {}
local Database = core.methods.db
local EXPIRED_OPTIONS = limits.also { "dry_run" }

-- What a handle knows of its Lua side.
local side_of = core.side

local function attach(db)
  local side = side_of(db)
  side.models, side.by_name, side.queue = {}, {}, {}
  side.specs = {} -- what the engine was told of each model
  side.names, side.waiting = {}, {} -- of relations
  side.warned = {} -- places of loops that ask each row
  side.events = event.attach(db)
  return db
end

core.set_attach(attach) -- also of what a host lends

--- Opens a database.
-- @tparam string address a path, or ":memory:"
-- @tparam[opt] table options `busy_timeout` (milliseconds, 5000), `synchronous` (`"full"` or
-- `"normal"`), `read_only`, `statement_cache` (statements, 64), `clock` (a function that
-- answers seconds), `log` (a function that gets each statement and its values), `lazy` (what
-- becomes of a loop that asks each row of a result of `all` or `each` for a relation that is not
-- loaded: `"allow"`, `"warn"` or `"refuse"`), `warn` (a function that gets each warning; else the
-- `warn` of Lua 5.4), `timeout_ms` and `max_steps` (what each call may take; see `within`),
-- `cache_kb` (pages kept in memory, in kilobytes, 2000)
-- @treturn database
-- @raise connection, busy
function M.open(address, options)
  if type(address) == "string" and address:match "^postgres[a-z]*://" then
    core.misuse("This build has no PostgreSQL driver", "give the path of an SQLite file")
  end
  return attach(core.open(address, options))
end

--- Declares a model; without fields, the model of that name that is declared already.
-- @see tombstone.model
function Database:model(name, fields, options)
  local side = side_of(self)
  if fields == nil and side.by_name[name] then
    return side.by_name[name]
  end
  local made, links = model.declare(self, name, fields, options)
  side.models[#side.models + 1] = made
  side.by_name[name] = made
  for _, link in ipairs(links) do
    self:model(link.name, link.fields, link.options)
  end
  return made
end

--- The models in the order of their declaration.
function Database:models()
  return side_of(self).models
end

-- ---- transactions ----------------------------------------------------------------------------

--- Calls `fn` when the outermost transaction has committed; at once outside of one. Where a host has lent
-- its connection within a transaction of its own, that is when the handle's part ends: the host may still
-- roll it back.
function Database:after_commit(fn)
  local queue = side_of(self).queue
  if type(fn) ~= "function" then
    core.misuse("after_commit takes a function, not a " .. type(fn))
  end
  if self:depth() == 0 then
    return fn()
  end
  queue[#queue + 1] = fn
end

local function drop_from(queue, from)
  for i = #queue, from, -1 do
    queue[i] = nil
  end
end

-- All of them: what they belong to is committed, whatever one of them raises.
local function run_queue(side)
  local queue = side.queue
  side.queue = {}
  local failed, why = false, nil
  for i = 1, #queue do
    local ok, err = pcall(queue[i])
    if not ok and not failed then
      failed, why = true, err
    end
  end
  if failed then
    error(why, 0)
  end
end

-- The way to the rollback calls no Lua function: where memory is gone, Lua has kept as many
-- call records as pcall and one C function need, and can make no more.
local function finish(db, side, mark, depth, ok, ...)
  local why
  if ok then
    ok, why = pcall(db.commit, db)
  else
    why = (...)
  end
  if not ok then
    if db:is_open() and db:depth() > depth then
      pcall(db.rollback, db)
    end
    drop_from(side.queue, mark)
    return error(why, 0)
  end
  if db:depth() == 0 then
    run_queue(side)
  end
  return ...
end

-- Below pcall from the first statement on, so that no failure leaves it open.
local function begin_and_call(db, fn, ...)
  db:begin()
  return fn(...)
end

--- Runs `fn` in a transaction, nested calls in a savepoint. An error rolls back and is raised
-- again as it was; else what `fn` returned is returned.
-- @tparam function fn
-- @param ... its arguments
function Database:transaction(fn, ...)
  local side = side_of(self)
  if type(fn) ~= "function" then
    core.misuse("transaction takes a function, not a " .. type(fn))
  end
  local mark = #side.queue + 1
  return finish(self, side, mark, self:depth(), pcall(begin_and_call, self, fn, ...))
end

--- Runs `fn` in a transaction; all that it deletes belongs to one event.
-- @tparam table options `actor`, `reason`
-- @tparam function fn
-- @treturn event|nil nil when nothing was deleted
-- @return what `fn` returned
function Database:deletion(options, fn)
  if type(fn) ~= "function" then
    core.misuse("deletion takes options and a function", 'as in db:deletion({ actor = "ana" }, fn)')
  end
  local side = side_of(self)
  return self:transaction(function()
    self:deletion_begin(options)
    local function close(...)
      local id = self:deletion_end()
      return id and side.events.all_objects:get(id), ...
    end
    return close(fn())
  end)
end

-- ---- events ------------------------------------------------------------------------------------

local EVENT_FILTERS = { "id", "actor", "reason", "model", "pk", "since", "before", "undone" }

--- The events of the database, oldest first.
-- @tparam[opt] table filter `id`, `actor`, `reason`, `model` (or its name), `pk`, `since`, `before`
-- (seconds), `undone` (true or false)
-- @treturn {event,...}
function Database:events(filter)
  core.check_options(filter, EVENT_FILTERS, "events")
  local query = side_of(self).events.all_objects
  for name, value in pairs(filter or {}) do
    if name == "since" then
      query = query:filter("at__gte", value)
    elseif name == "before" then
      query = query:filter("at__lt", value)
    elseif name == "undone" then
      query = query:filter("undone_at__isnull", not value)
    elseif name == "pk" then
      query = query:filter("pk", tostring(value))
    elseif name == "model" and type(value) == "table" then
      query = query:filter("model", rawget(value, "__name"))
    else
      query = query:filter(name, value)
    end
  end
  return query:all()
end

-- ---- retention -----------------------------------------------------------------------------------

local function add_counts(to, counts)
  for name, n in pairs(counts) do
    to[name] = (to[name] or 0) + n
  end
end

-- How many went, what was said of them, and how many are left by now.
local function purge_batch(kept, left)
  local batch, stay = kept.deleted_objects:expired(left)
  if not batch then
    return 0, nil, stay
  end
  local count, report = batch:purge()
  return count, report, stay
end

local function purge_model(db, kept, report)
  local left = 0
  while true do
    local count, done, stay = db:transaction(purge_batch, kept, left)
    if count == 0 then
      return stay
    end
    add_counts(report.rows, done.rows)
    add_counts(report.kept, done.kept)
    left = stay
  end
end

-- So that a child's hooks run before its parent takes it along.
local function children_first(db)
  local models, list = side_of(db).models, {} -- which refuses what is no database
  local order = db:undo_order()
  for i = #order, 1, -1 do
    list[#list + 1] = db:model(order[i])
  end
  for _, declared in ipairs(models) do
    if not declared:has_events() then
      list[#list + 1] = declared
    end
  end
  return list
end

local function purge_all(db)
  local report, left = { rows = {}, kept = {}, needed = {}, left = {} }, 0
  for _, declared in ipairs(children_first(db)) do
    if declared:keep() then
      left = left + purge_model(db, declared, report)
    end
  end
  if left > 0 then
    local after = db:preview_expired()
    report.left, report.needed = after.left, after.needed
  end
  report.events = { removed = db:purge_events(), cleared = 0 }
  return report
end

--- Purges what is longer in the trash than its model's `keep`, in batches of their own
-- transactions, and the events that hold no row any more. What hangs on an expired row goes
-- along, but for living rows and for those that the `keep` of their own model protects: these hold
-- it, and it stays.
-- @tparam[opt] table options `dry_run` writes nothing
-- @treturn {[string]=number} rows by model with a `keep`, and `events`
-- @treturn table the report, as that of `query:purge`, with `left`, by model, the expired rows
-- that stay, `needed`, the rows that hold them (`dead` where these are in the trash), and `events`
function Database:purge_expired(options)
  core.check_options(options, EXPIRED_OPTIONS, "purge_expired")
  local models = side_of(self).models -- which refuses what is no database
  local dry_run = options ~= nil and options.dry_run == true
  local report = dry_run and self:preview_expired() or limits.whole(self, purge_all, self)
  local counts = { events = report.events.removed }
  for _, declared in ipairs(models) do
    if declared:keep() then
      local name = rawget(declared, "__name")
      counts[name] = report.rows[name] or 0
    end
  end
  return counts, report
end

-- ---- limits --------------------------------------------------------------------------------------

local function itself(db)
  return db
end
limits.of_calls(Database, { purge_expired = 1, deletion = 1 }, itself)

--- Calls `fn`; all calls on the handle inside it together may take so much. One that goes beyond raises
-- `interrupted`. It is no transaction: what was done before stays done.
-- @function Database:within
-- @tparam table limits `timeout_ms` (milliseconds), `max_steps` (of SQLite's virtual machine)
-- @tparam function fn
-- @param ... its arguments
-- @return what `fn` returned
-- @see tombstone.limits
-- @usage local rows = db:within({ timeout_ms = 5 }, Post.objects.all, Post.objects)
function Database:within(given, fn, ...)
  if type(fn) ~= "function" or type(given) ~= "table" then
    core.misuse("within takes limits and a function", "as in db:within({ timeout_ms = 5 }, fn)")
  end
  return limits.within(self, given, fn, ...)
end

--- A handle of the fake driver with models and transactions, for specs.
-- @see tombstone.core
function M.fake(path, options, dialect)
  return attach(core.fake.open(path, options, dialect))
end

return M
