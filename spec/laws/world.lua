--- A database and its mirror, driven by operations.
--
-- An operation is a plain table, `{ op = "create", as = 3, values = {…} }`, so that it can be
-- printed and run again; `laws.operations` says what each does and what should come of it. Rows
-- and events go by the numbers that the operations gave them (`as`). After each operation the
-- table and the events are compared with the mirror, and after a refusal the rows in Lua with
-- what they were.
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local compare = require "laws.compare"
local failure = require "laws.failure"
local learning = require "laws.learning"
local plans = require "laws.plans"
local refusals = require "laws.refusals"
local shapes = require "laws.shapes"

local World = {}
World.__index = World

local fail = failure.fail

World.bytes, World.digest, World.check = compare.bytes, compare.digest, compare.check
World.check_shown = compare.check_shown

-- ---- life -------------------------------------------------------------------------------

local START = 1763880000

local function connect(world, path, options)
  local clock = helper.clock(START)
  local open = options.fake and database.fake or tombstone.open
  local db = open(path, {
    clock = clock.tell,
    busy_timeout = 0,
    synchronous = "normal",
    log = options.log,
  })
  local model = shapes.declare(db, world.known.shape, world.known.strategy, options.model)
  db:create_tables()
  return {
    db = db,
    model = model,
    clock = clock,
    depth = 0,
    last_event = 0,
    last_stamp = 0, -- that was seen
    guessed_stamp = 0, -- that a deletion may have taken, seen or not
  }
end

--- A world of a shape (a name) and a strategy. `options`: `handles` (2: two handles on one file),
-- `log`, `model` (more options of the model), `fake` (the driver that fails on request).
function World.new(shape, strategy, options)
  options = options or {}
  local world = setmetatable({ rows = {}, events = {} }, World)
  world.known = shapes.describe(shapes.named(shape), strategy)
  world.mirror = Mirror.new(world.known)
  world.tangles = 0 -- calls of which two outcomes were right
  local path = options.handles == 2 and helper.path() or ":memory:"
  world.conns = {}
  for i = 1, options.handles or 1 do
    world.conns[i] = connect(world, path, options)
  end
  return world
end

function World:close()
  for _, conn in ipairs(self.conns) do
    conn.db:close()
  end
  if #self.conns > 1 then
    helper.clean()
  end
end

--- The connection that an operation is for.
function World:conn(operation)
  return self.conns[operation.on or 1]
end

-- ---- rows in Lua ------------------------------------------------------------------------

--- Keeps a row under a number. `created` says that a rollback loses it.
function World:keep(number, row, conn, created)
  if number then
    self.rows[number] = { row = row, conn = conn, created = created or false, since = conn.depth }
  end
end

--- The row of that number, or nil when the operations do not know it.
function World:row(number)
  return self.rows[number]
end

--- The keys of the rows of these numbers.
function World:keys_of(numbers)
  local keys, seen, name = {}, {}, self.known.key.name
  for _, number in ipairs(numbers) do
    local kept = self.rows[number]
    local pk = kept and not kept.lost and kept.row[name]
    if pk and not seen[pk] then
      seen[pk] = true
      keys[#keys + 1] = pk
    end
  end
  return keys
end

-- ---- failures on request ----------------------------------------------------------------

local INJECTED = "a failure that a law injects"

--- Makes a statement of the next call fail, on a fake handle: the `nth` of it, from 1.
function World:inject(nth, kind)
  self.injection = { nth = nth, kind = kind }
end

--- Gives the next call so many steps, on a handle of SQLite.
function World:limit(steps)
  self.injection = { steps = steps }
end

-- What a refusal would say of the row in the way may be the reading that fails.
local function begin_injection(world, conn, why)
  local injection = world.injection
  if injection and conn.depth == 0 then
    if injection.steps then
      injection.conn, injection.span = conn, conn.db:span_begin { max_steps = injection.steps }
    else
      core.fake.fail(conn.db, injection.nth, injection.kind, INJECTED)
    end
    return why and { conflicts = why.conflicts, values = why.values, loose = true }
  end
  return why
end

-- True when the call met the failure; later ones do not.
local function end_injection(world, conn, results)
  if not world.injection or conn.depth > 0 then
    return false
  end
  local injection, err = world.injection, results[2]
  world.injection = nil
  if injection.steps then
    injection.conn.db:span_end(injection.span)
    return not results[1] and type(err) == "table" and err.kind == "interrupted"
  end
  core.fake.fail(conn.db, 0)
  return not results[1] and type(err) == "table" and err.message == INJECTED
end

-- ---- one call ---------------------------------------------------------------------------

-- What is refused before the database is asked.
local EARLY = { validation = true, misuse = true }

local function refused(world, results, kind, why, shown)
  if results[1] then
    fail("%s was expected and nothing was refused", kind)
  end
  refusals.check(world, results[2], kind, why, shown)
end

local function done(world, conn, plan, results, settle)
  if not results[1] then
    fail("a call was refused that should not be: %s", failure.describe(results[2]))
  end
  world.mirror = plan
  learning.learn(world, conn, plan)
  if settle then
    settle(helper.unpack(results, 2, 5))
  end
end

--- Calls the library as a plan says: `predict(plan)` carries the call out on the plan, or answers
-- the kind of refusal and why; `call()` is the call; `settle(…)` gets its results. `begins` says
-- that the call begins a transaction before it looks at anything.
function World:perform(conn, predict, call, settle, begins)
  local plan = plans.new(self.mirror, conn)
  local kind, why = predict(plan)
  local is_early = EARLY[kind] or (why and why.early)
  if self.locked and self.locked ~= conn and (begins or not is_early) then
    kind, why = "busy", nil
  end
  conn.guessed_stamp = math.max(conn.guessed_stamp, plan.last_stamp)
  self.refused = false
  local shown = compare.shown_rows(self)
  why = begin_injection(self, conn, why)
  local results = { pcall(call) }
  if not results[1] and failure.is(results[2]) then
    error(results[2], 0)
  elseif end_injection(self, conn, results) then
    self.refused, self.injected = true, (self.injected or 0) + 1
    compare.check_unchanged(self, shown)
  elseif plan.tangled and results[1] and kind ~= "busy" then
    self.tangles = self.tangles + 1
    learning.adopt(self, conn)
  elseif kind or plan.tangled then
    self.refused = true
    refused(self, results, kind or "integrity", not plan.tangled and why or nil, shown)
  else
    done(self, conn, plan, results, settle)
  end
end

return World
