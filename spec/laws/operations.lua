--- What each operation does with the library, and what should come of it.
local helper = require "helper"
local Mirror = require "laws.mirror"
local asked = require "laws.asked"
local failure = require "laws.failure"

local M = {}
local fail = failure.fail
local copy = Mirror.copy

for _, name in ipairs { "writes", "upserts", "trash" } do
  for verb, run in pairs(require("laws." .. name)) do
    M[verb] = run
  end
end

-- ---- rows again -------------------------------------------------------------------------

function M.reload(world, operation)
  local kept = world:row(operation.row)
  if world.locked and world.locked ~= kept.conn then
    return
  end
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    end
    return not plan.rows[asked.key_of(world, kept.row)] and "not_found" or nil
  end, function()
    return kept.row:reload()
  end, function()
    world:check_shown(kept.row)
  end)
end

--- Another row in Lua of the same row, on either handle.
function M.fetch(world, operation)
  local kept, conn = world:row(operation.row), world:conn(operation)
  if kept.lost or (world.locked and world.locked ~= conn) then
    return
  end
  local row = conn.model.all_objects:find(asked.key_of(world, kept.row))
  local there = world.mirror.rows[asked.key_of(world, kept.row)]
  asked.check_answer("find", row ~= nil, there ~= nil)
  if row then
    world:check_shown(row)
    world:keep(operation.as, row, conn, false)
  end
end

--- Makes a statement of the next call fail.
function M.inject(world, operation)
  world:inject(operation.nth, operation.kind)
end

--- Gives the next call few steps.
function M.limit(world, operation)
  world:limit(operation.steps)
end

function M.clock(world, operation)
  world:conn(operation).clock.now = operation.now
end

-- ---- transactions -----------------------------------------------------------------------

local ROLLBACK = { "rolled back on request" }

local function before_level(world, conn)
  return { mirror = world.mirror:clone(), shared = conn.shared and copy(conn.shared), depth = conn.depth }
end

-- Rows that were created in the level are lost; others that were read in it are forgotten, since
-- nothing tells them apart from what is in the database.
local function undo_level(world, conn, before)
  world.mirror = before.mirror
  conn.shared = before.shared
  for number, kept in pairs(world.rows) do
    if kept.conn == conn and kept.since > before.depth then
      kept.lost = kept.created
      if not kept.created then
        world.rows[number] = nil
      end
    end
  end
end

local function end_level(world, conn, before, kept_level)
  conn.depth = before.depth
  if not kept_level then
    undo_level(world, conn, before)
  end
  for _, kept in pairs(world.rows) do
    if kept.conn == conn and kept.since > before.depth then
      kept.since = before.depth
    end
  end
  if before.depth == 0 then
    world.locked = nil
  end
end

local function inside(world, conn, operation)
  return function()
    conn.depth = conn.depth + 1
    world.locked = conn
    for _, inner in ipairs(operation.ops) do
      M.apply(world, inner)
    end
    if operation.rollback then
      error(ROLLBACK, 0)
    end
    return "kept", operation
  end
end

local function check_end(operation, ok, err)
  if not ok and failure.is(err) then
    error(err, 0)
  elseif ok == (operation.rollback == true) then
    fail("a transaction ended with %s", tostring(err))
  elseif not ok and err ~= ROLLBACK then
    fail("an error of the program was raised as %s", tostring(err))
  end
end

function M.transaction(world, operation)
  local conn = world:conn(operation)
  if world.locked and world.locked ~= conn then
    return
  end
  local before = before_level(world, conn)
  local ok, a, b = pcall(conn.db.transaction, conn.db, inside(world, conn, operation))
  check_end(operation, ok, a)
  end_level(world, conn, before, ok)
  if ok and (a ~= "kept" or b ~= operation) then
    fail "a transaction lost what its function answered"
  end
end

local function check_shared(world, conn, operation, event)
  local id = conn.shared.id
  conn.shared = nil
  if (event and event.id) ~= id then
    fail("a deletion of many calls answers event %s and not %s", tostring(event and event.id), tostring(id))
  end
  asked.keep_event(world, operation, conn, event)
end

--- Many calls in one event. In another such deletion it is refused.
function M.deletion(world, operation)
  local conn = world:conn(operation)
  if world.locked and world.locked ~= conn then
    return
  end
  if conn.shared then
    helper.raises("misuse", conn.db.deletion, conn.db, {}, function() end)
    return
  end
  local before = before_level(world, conn)
  conn.shared = asked.pick(operation, "actor", "reason")
  local ok, a, b = pcall(conn.db.deletion, conn.db, asked.pick(operation, "actor", "reason"),
    inside(world, conn, operation))
  check_end(operation, ok, a)
  end_level(world, conn, before, ok)
  if ok and b ~= "kept" then
    fail "a deletion lost what its function answered"
  elseif ok then
    check_shared(world, conn, operation, a)
  end
end

-- ---- one operation ----------------------------------------------------------------------

--- Runs an operation and compares. One whose row is unknown is passed over: shrinking may have
-- dropped what made it.
function M.apply(world, operation)
  if operation.row and not world:row(operation.row) then
    return
  end
  world.current = operation
  M[operation.op](world, operation)
  world:check(world.locked or world:conn(operation))
  if world.after then
    world.after(world, operation)
  end
end

return M
