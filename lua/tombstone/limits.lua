--- How long a call may take: `timeout_ms` (milliseconds, fractions too) and `max_steps` (of SQLite's
-- virtual machine, counted roughly).
--
--     local db = tombstone.open("save.db", { timeout_ms = 5 })        -- every call
--     post:delete { timeout_ms = 5 }                                  -- one that takes options
--     local page = Post.objects:within({ timeout_ms = 5 }):all()      -- the calls of a query
--     db:within({ timeout_ms = 5 }, function() … end)                 -- several together
--
-- The calls whose options they are besides: `delete`, `restore`, `purge`, `forget`, `undo`, `update` of a
-- query, `upsert`, `get_or_create`, `bulk_create`, `db:deletion`, `db:purge_expired`.
--
-- A call that is stopped raises `interrupted` and leaves nothing of itself; a write takes the
-- transaction around it along, which SQLite rolls back. The limits are those of the whole call: all its
-- statements, what runs inside it, hooks too, and waiting for locks. Calls inside one with limits have
-- what is left of these. Looked at before each statement, the commit included, and within long ones:
-- Lua code that runs for long is not stopped, but what the call does next is.
-- @module tombstone.limits
local core = require "tombstone.core"

local M = {}
local Database = core.methods.db
local Query, Limited = core.methods.query, core.methods.limited

--- The names of the two options.
M.NAMES = { "timeout_ms", "max_steps" }

--- A list of options with these two behind it.
function M.also(names)
  local list = {}
  for _, name in ipairs(names) do
    list[#list + 1] = name
  end
  for _, name in ipairs(M.NAMES) do
    list[#list + 1] = name
  end
  return list
end

local function ask(options)
  return type(options) == "table" and (options.timeout_ms ~= nil or options.max_steps ~= nil)
end

-- ---- spans -----------------------------------------------------------------------------------

local function finish(db, span, ok, ...)
  db:span_end(span)
  if not ok then
    return error((...), 0)
  end
  return ...
end

--- Calls `fn`; all calls on the database inside it together may take so much.
-- @tparam database db
-- @tparam table|nil limits nil: what it does is part of the call that is running
-- @tparam function fn
-- @param ... its arguments
-- @return what it returned
function M.within(db, limits, fn, ...)
  return finish(db, Database.span_begin(db, limits), pcall(fn, ...)) -- which refuses what is no database
end

--- The same, as a part of the call that is running, which may have limits of its own.
function M.part(db, fn, ...)
  if core.is_bounded(db) then
    return M.within(db, nil, fn, ...)
  end
  return fn(...)
end

--- The same, as one call of many transactions: it has the limits of open once.
function M.whole(db, fn, ...)
  if core.is_bounded(db) then
    return M.within(db, {}, fn, ...)
  end
  return fn(...)
end

-- ---- calls with options ----------------------------------------------------------------------

-- Of a row or a query; a model's is itself.
local function model_of(value)
  if type(value) == "userdata" then
    return value:model()
  end
  local class = getmetatable(value)
  local is_row = type(class) == "table" and type(class.database) == "function"
  return is_row and class or value
end

-- Of what is none of ours the call itself says so.
local function database_of(value)
  local ok, db = pcall(function()
    return model_of(value):database()
  end)
  return ok and db or nil
end

--- The call with these limits, where its options have some.
-- @tparam function call a method
-- @tparam number at which of its arguments are the options, itself not counted
-- @tparam[opt] function find answers the database of what the method is called on
-- @treturn function
function M.of_call(call, at, find)
  find = find or database_of
  return function(self, ...)
    local options = select(at, ...)
    local db = ask(options) and find(self)
    if not db then
      return call(self, ...)
    end
    local limits = { timeout_ms = options.timeout_ms, max_steps = options.max_steps }
    return M.within(db, limits, call, self, ...)
  end
end

--- The same for several methods of a class.
function M.of_calls(class, places, find)
  for name, at in pairs(places) do
    class[name] = M.of_call(class[name], at, find)
  end
end

-- ---- queries -----------------------------------------------------------------------------------

--- The query with limits: each of its calls may take so much, and each of those that refine it.
-- @function Query:within
-- @tparam table limits `timeout_ms`, `max_steps`
-- @treturn query
-- @raise misuse
-- @usage local page = Post.objects:within({ timeout_ms = 5 }):limit(50):all()
function Query:within(limits)
  return core.limited(self, limits)
end

local CALLS = {
  "all", "first", "last", "get", "find", "values", "pluck", "count", "exists", "aggregate",
  "update", "delete", "restore", "purge", "delete_plan", "restore_plan", "explain", "explain_liveness",
}

-- What they are is asked when they are called: other files change them later. `add` and the like are
-- none: a query with limits is a refined one, which belongs to no row.
for _, name in ipairs(CALLS) do
  Limited[name] = function(query, ...)
    return M.within(query:model():database(), core.limits(query), Query[name], query, ...)
  end
end

function Limited.each()
  core.misuse(
    "each cannot have the limits of a query: the loop's own code would count",
    "db:within({ timeout_ms = 5 }, function() … end) around the loop, or limits of open, for each read"
  )
end

setmetatable(Limited, { __index = Query })

return M
