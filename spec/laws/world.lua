--- A database and its mirror, driven by operations.
--
-- An operation is a plain table, `{ op = "create", as = 3, values = {…} }`, so that it can be
-- printed and run again; `laws.operations` says what each does and what should come of it. Rows
-- and events go by the numbers that the operations gave them (`as`). After each operation the
-- table and the events are compared with the mirror, and after a refusal the rows in Lua with
-- what they were.
local helper = require "helper"
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local plans = require "laws.plans"
local shapes = require "laws.shapes"
local show = require "laws.show"
local values = require "laws.values"

local World = {}
World.__index = World

-- ---- failures ------------------------------------------------------------------------------

local Failure = {}
Failure.__index = Failure
function Failure:__tostring()
  return self.message
end

--- Ends the run: a law is broken.
function World.fail(message, ...)
  if select("#", ...) > 0 then
    message = string.format(message, ...)
  end
  error(setmetatable({ message = message, at = debug.traceback("", 2) }, Failure), 0)
end

local fail = World.fail

local function is_failure(err)
  return type(err) == "table" and getmetatable(err) == Failure
end
World.is_failure = is_failure

local function describe(err)
  if type(err) ~= "table" then
    return tostring(err)
  end
  return tostring(err.kind) .. ": " .. tostring(err.message)
end

-- ---- life -----------------------------------------------------------------------------------

local START = 1763880000

local function connect(world, path, options)
  local clock = helper.clock(START)
  local db = tombstone.open(path, {
    clock = clock.tell,
    busy_timeout = 0,
    synchronous = "normal",
    log = options.log,
  })
  local model = shapes.declare(db, world.known.shape, world.known.strategy, options.model)
  db:create_tables()
  return { db = db, model = model, clock = clock, last_stamp = 0, guessed_stamp = 0, last_event = 0, depth = 0 }
end

--- A world of a shape (a name) and a strategy. `options`: `handles` (2: two handles on one file),
-- `log`, `model` (more options of the model).
function World.new(shape, strategy, options)
  options = options or {}
  local world = setmetatable({ rows = {}, events = {}, log = {} }, World)
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

-- ---- comparing -----------------------------------------------------------------------------------

local function quoted_columns(known)
  local list = {}
  for i, field in ipairs(known.fields) do
    list[i] = string.format('quote("%s") AS c%d', field.column:gsub('"', '""'), i)
  end
  return table.concat(list, ", ")
end

--- The stored bytes of every row, by key: `{ [pk] = { "…", … } }` in the order of the fields.
function World:bytes(conn)
  local known = self.known
  local key = known.key.column
  local sql = string.format('SELECT "%s" AS pk, %s FROM "%s"', key, quoted_columns(known), known.shape.name)
  local rows = {}
  for _, row in ipairs((conn or self.conns[1]).db:query(sql)) do
    local bytes = {}
    for i = 1, #known.fields do
      bytes[i] = row["c" .. i]
    end
    rows[row.pk] = bytes
  end
  return rows
end

--- One text of all that the database holds of rows and events.
function World:digest(conn)
  local lines, db = {}, (conn or self.conns[1]).db
  for pk, bytes in pairs(self:bytes(conn)) do
    lines[#lines + 1] = tostring(pk) .. ": " .. table.concat(bytes, " | ")
  end
  table.sort(lines)
  local sql = "SELECT id, quote(at) AS at, model, pk, actor, reason, undone_at FROM tombstone_event ORDER BY id"
  for _, event in ipairs(db:query(sql)) do
    lines[#lines + 1] = show.show(event)
  end
  return table.concat(lines, "\n")
end

local function check_row(world, pk, bytes)
  local all = world.mirror:fields(pk)
  for i, field in ipairs(world.known.fields) do
    if not values.is_quoted(field, all[field.name], bytes[i]) then
      fail("row %s: %s is %s in the database and should be %s", show.show(pk), field.name, bytes[i],
        show.show(all[field.name]))
    end
  end
end

local function check_rows(world, conn)
  local found = world:bytes(conn)
  for pk, bytes in pairs(found) do
    if not world.mirror.rows[pk] then
      fail("row %s is in the database and should not be there", show.show(pk))
    end
    check_row(world, pk, bytes)
  end
  for pk in pairs(world.mirror.rows) do
    if not found[pk] then
      fail("row %s is missing in the database", show.show(pk))
    end
  end
end

local function same_time(micro, seconds)
  return (micro == nil) == (seconds == nil) and (micro == nil or values.micro(seconds) == micro)
end

local function check_event(wanted, event)
  local same = wanted.model == event.model and wanted.pk == event.pk and wanted.actor == event.actor
    and wanted.reason == event.reason and same_time(wanted.at, event.at)
    and same_time(wanted.undone_at, event.undone_at)
  if not same then
    fail("event %d is %s and should be %s", event.id, show.show(event), show.show(wanted))
  end
end

local function check_events(world, conn)
  local n = 0
  for _, event in ipairs(conn.db:events()) do
    local wanted = world.mirror.events[event.id]
    if not wanted then
      fail("event %d should not be there", event.id)
    end
    check_event(wanted, event)
    n = n + 1
  end
  for id in pairs(world.mirror.events) do
    n = n - 1
    if n < 0 then
      fail("an event is missing: %d or another", id)
    end
  end
end

--- Fails where the database is not what the mirror says.
function World:check(conn)
  conn = conn or self.conns[1]
  check_rows(self, conn)
  check_events(self, conn)
  for i, each in ipairs(self.conns) do
    if each.db:depth() ~= each.depth then
      fail("handle %d is %d transactions deep and should be %d", i, each.db:depth(), each.depth)
    end
  end
end

-- ---- rows in Lua ------------------------------------------------------------------------------------

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

--- Fails where a row in Lua does not show what the mirror says; all fields, or these.
function World:check_shown(row, names)
  local all = self.mirror:fields(row[self.known.key.name])
  for _, field in ipairs(self.known.fields) do
    local asked = not names or names[field.name]
    if asked and not values.is_shown(field, all[field.name], row[field.name]) then
      fail("the row in Lua shows %s = %s and should show %s", field.name, show.show(row[field.name]),
        show.show(all[field.name]))
    end
  end
end

local function shown_rows(world)
  local shown = {}
  for number, kept in pairs(world.rows) do
    shown[number] = Mirror.copy(kept.row)
  end
  return shown
end

local function check_unchanged(world, shown)
  for number, before in pairs(shown) do
    local row = world.rows[number].row
    for name, value in pairs(before) do
      if row[name] ~= value then
        fail("a refused call changed row %d in Lua: %s was %s and is %s", number, name, show.show(value),
          show.show(row[name]))
      end
    end
    for name in pairs(row) do
      if before[name] == nil then
        fail("a refused call gave row %d in Lua a %s", number, name)
      end
    end
  end
end

-- ---- learning what only the database can know ----------------------------------------------------------

-- A stamp may be later than guessed, by the deletions that were refused or undone.
local MOST_LATE = 500

local function learn_stamp(world, conn, kill, stamp)
  local now = values.micro(conn.clock.now)
  local latest = math.max(now, conn.last_stamp + 1, conn.guessed_stamp + 1) + MOST_LATE
  if stamp < now or stamp <= conn.last_stamp or stamp > latest then
    fail("a deletion was stamped %.0f where %.0f was due", stamp, kill.at)
  end
  conn.last_stamp, conn.guessed_stamp = stamp, math.max(stamp, conn.guessed_stamp)
  kill.at = stamp
  for i, pk in ipairs(kill.pks) do
    local row = world.mirror.rows[pk]
    if row and row.event == kill.event then
      row.at, row.values = stamp, world.mirror:mangled(kill.originals[i], stamp)
    end
  end
end

local function new_events(world, conn)
  local found = {}
  for _, event in ipairs(conn.db:events()) do
    if not world.mirror.events[event.id] then
      found[#found + 1] = event
    end
  end
  return found
end

local function take_event(world, conn, plan, placeholder, event)
  if event.id <= conn.last_event then
    fail("event %d is not new: %d was there before", event.id, conn.last_event)
  end
  conn.last_event = event.id
  world.mirror.events[event.id], world.mirror.events[placeholder] = world.mirror.events[placeholder], nil
  world.mirror.events[event.id].at = values.micro(event.at)
  for _, row in pairs(world.mirror.rows) do
    row.event = row.event == placeholder and event.id or row.event
  end
  for _, kill in ipairs(plan.kills) do
    kill.event = kill.event == placeholder and event.id or kill.event
  end
  if plan.shared and plan.shared.id == placeholder then
    plan.shared.id = event.id
  end
end

-- The stamp of a deletion: its rows bear it, or the event that it opened. Nothing bears it when
-- the rows were purged in an event of others.
local function stamp_of(world, conn, kill, opened)
  for _, pk in ipairs(kill.pks) do
    local row = world.mirror.rows[pk]
    if row and row.event == kill.event then
      local there = conn.model.all_objects:find(pk)
      if not there or not there.deleted_at then
        fail "a row that should be dead bears no stamp"
      end
      return values.micro(there.deleted_at)
    end
  end
  return opened[kill.event] and world.mirror.events[kill.event].at
end

local function learn(world, conn, plan)
  local events, opened = new_events(world, conn), {}
  if #events ~= #plan.opened then
    fail("%d events were made and should be %d", #events, #plan.opened)
  end
  for i, event in ipairs(events) do
    take_event(world, conn, plan, plan.opened[i], event)
    opened[event.id] = true
  end
  for _, kill in ipairs(plan.kills) do
    local stamp = stamp_of(world, conn, kill, opened)
    if stamp then
      learn_stamp(world, conn, kill, stamp)
    end
    opened[kill.event] = nil -- the event bears the stamp of its first deletion
  end
  conn.shared = plan.shared
end

local function unquote(field, text)
  if text == "NULL" then
    return nil
  elseif field.kind == "blob" then
    return (text:sub(3, -2):gsub("%x%x", function(digits)
      return string.char(tonumber(digits, 16))
    end))
  elseif field.kind == "boolean" then
    return text == "1"
  elseif text:sub(1, 1) == "'" then
    return (text:sub(2, -2):gsub("''", "'"))
  end
  return helper.has_integers and tonumber(text) or (math.abs(tonumber(text)) > 2 ^ 53 and text or tonumber(text))
end

local function row_of(world, bytes)
  local row = { values = {} }
  for i, field in ipairs(world.known.fields) do
    row.values[field.name] = unquote(field, bytes[i])
  end
  row.values.deleted_at, row.values.deleted_event = nil, nil
  return row
end

local function adopt_events(world, conn)
  for _, event in ipairs(new_events(world, conn)) do
    world.mirror.events[event.id] = {
      at = values.micro(event.at),
      model = event.model,
      pk = event.pk,
      actor = event.actor,
      reason = event.reason,
      undone_at = event.undone_at and values.micro(event.undone_at),
    }
    conn.last_event = math.max(conn.last_event, event.id)
    if conn.shared and not conn.shared.id then
      conn.shared.id = event.id
    end
  end
end

-- Takes the rows over from the database, where two outcomes are right.
local function adopt(world, conn)
  world.mirror.rows = {}
  for pk, bytes in pairs(world:bytes(conn)) do
    local row, there = row_of(world, bytes), conn.model.all_objects:get(pk)
    row.at = there.deleted_at and values.micro(there.deleted_at)
    row.event = there.deleted_event
    world.mirror.rows[pk] = row
    conn.last_stamp = math.max(conn.last_stamp, row.at or 0)
  end
  adopt_events(world, conn)
end

-- ---- one call ----------------------------------------------------------------------------------------------

local function holds(list, pk)
  for i = 1, #list do
    if list[i] == pk then
      return true
    end
  end
  return false
end

local function names_group(err, group)
  if #err.fields ~= #group.names then
    return false
  end
  for _, name in ipairs(group.names) do
    if not holds(err.fields, name) then
      return false
    end
  end
  return true
end

local function find_conflict(err, conflicts)
  for _, conflict in ipairs(conflicts) do
    if names_group(err, conflict.group) then
      return conflict
    end
  end
end

-- Errors keep the beginning of a long text.
local LONG = 250

local function is_told(field, stored, told)
  if type(told) == "string" and #told >= LONG then
    return type(stored) == "string" and stored:sub(1, LONG) == told:sub(1, LONG)
  end
  return values.is_shown(field, stored, told)
end

local function check_row_told(world, err, why, conflict)
  local told = err.conflicts and err.conflicts[1] or {}
  local pk = told.live_pk == nil and told.dead_pk or told.live_pk
  if pk == nil and why.names_row then
    fail("a refusal names no row: %s", describe(err))
  elseif pk == nil or why.loose then
    return
  end
  for _, there in ipairs(conflict.pks) do
    if is_told(world.known.key, there, pk) then
      return
    end
  end
  if told.live_pk ~= nil then
    fail("a refusal names row %s: %s", show.show(told.live_pk), describe(err))
  end
end

-- Which of several refusals is told is the database's choice; what is told must be true.
local function check_integrity(world, err, why)
  if err.constraint ~= "unique" or err.model ~= world.known.shape.model or not err.fields then
    fail("a refusal says %s, of %s and %s", describe(err), tostring(err.model), tostring(err.constraint))
  end
  local conflict = find_conflict(err, why.conflicts)
  if not conflict then
    fail("a refusal names the fields %s: %s", show.show(err.fields), describe(err))
  end
  local field = conflict.group.fields[1]
  local alone = #conflict.group.fields == 1 and why.values
  if alone and err.value ~= nil and not is_told(field, why.values[field.name], err.value) then
    fail("a refusal names the value %s: %s", show.show(err.value), describe(err))
  end
  check_row_told(world, err, why, conflict)
end

local function check_refusal(world, err, kind, why, shown)
  if is_failure(err) then
    error(err, 0)
  elseif type(err) ~= "table" or err.kind ~= kind then
    fail("expected %s, but got %s", kind, describe(err))
  end
  if kind == "integrity" and why then
    check_integrity(world, err, why)
  end
  check_unchanged(world, shown)
end

-- What is refused before the database is asked.
local EARLY = { validation = true, misuse = true }

local function refused(world, results, kind, why, shown)
  if results[1] then
    fail("%s was expected and nothing was refused", kind)
  end
  check_refusal(world, results[2], kind, why, shown)
end

local function done(world, conn, plan, results, settle)
  if not results[1] then
    fail("a call was refused that should not be: %s", describe(results[2]))
  end
  world.mirror = plan
  learn(world, conn, plan)
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
  local shown = shown_rows(self)
  local results = { pcall(call) }
  if not results[1] and is_failure(results[2]) then
    error(results[2], 0)
  elseif plan.tangled and results[1] and kind ~= "busy" then
    self.tangles = self.tangles + 1
    adopt(self, conn)
  elseif kind or plan.tangled then
    self.refused = true
    refused(self, results, kind or "integrity", not plan.tangled and why or nil, shown)
  else
    done(self, conn, plan, results, settle)
  end
end

return World
