--- What only the database can know: stamps, ids, and which of two right outcomes it was.
local helper = require "helper"
local compare = require "laws.compare"
local failure = require "laws.failure"
local values = require "laws.values"

local M = {}
local fail = failure.fail

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

--- Takes over the ids and stamps that a plan has guessed.
function M.learn(world, conn, plan)
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
  local number = tonumber(text)
  local is_exact = helper.has_integers or math.abs(number) <= 2 ^ 53
  return is_exact and number or text
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
  local known = world.mirror.events
  for _, event in ipairs(conn.db:events()) do
    if not known[event.id] and conn.shared and not conn.shared.id then
      conn.shared.id = event.id
    end
    known[event.id] = {
      at = values.micro(event.at),
      model = event.model,
      pk = event.pk,
      actor = event.actor,
      reason = event.reason,
      undone_at = event.undone_at and values.micro(event.undone_at),
    }
    conn.last_event = math.max(conn.last_event, event.id)
  end
end

--- Takes the rows over from the database, where two outcomes are right.
function M.adopt(world, conn)
  world.mirror.rows = {}
  for pk, bytes in pairs(compare.bytes(world, conn)) do
    local row, there = row_of(world, bytes), conn.model.all_objects:get(pk)
    row.at = there.deleted_at and values.micro(there.deleted_at)
    row.event = there.deleted_event
    world.mirror.rows[pk] = row
    conn.last_stamp = math.max(conn.last_stamp, row.at or 0)
  end
  adopt_events(world, conn)
end

return M
