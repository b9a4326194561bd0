-- kill -9 at random moments: nothing half-done, no acknowledged change lost.
local helper = require "helper"
local tombstone = require "tombstone"
local writer = require "faults.writer"

local KILLS = helper.scaled(200, 5) -- for each way of writing
local RUNS_OF_A_FILE = 25

-- A sanitizer's process takes its time to begin.
local SLOW = os.getenv "ASAN_OPTIONS" and 8 or 1

-- Runs a writer to its death. Answers the states of batches that it has told of, and what it
-- had begun then: a verb and a batch, or nil.
local function run_and_kill(path, synchronous, seed, milliseconds, states)
  local command = helper.lua_command("spec/faults/writer.lua", path, synchronous, seed, milliseconds)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local begun, batch_begun
  local told = 0
  for line in pipe:lines() do
    local sign, verb, batch = line:match "^([<>]) (%l+) (%d+)$"
    assert(sign, "the writer said: " .. line)
    batch = tonumber(batch)
    if sign == ">" then
      begun, batch_begun = verb, batch
    else
      states[batch] = writer.leaves[verb]
      begun, batch_begun = nil, nil
      told = told + 1
    end
  end
  pipe:close()
  return told, begun, batch_begun
end

local function is_sound(db)
  return db:query("PRAGMA integrity_check")[1].integrity_check
end

-- "living", "dead", "gone", or what is wrong with the batch.
local function state_of(db, batch)
  local posts = db:query(
    [[SELECT count(*) AS n, count(deleted_at) AS dead, count(DISTINCT deleted_event) AS events,
      max(deleted_event) AS event, total(views) AS views,
      total((deleted_at IS NULL) = (title LIKE '%\_\_deleted\_%' ESCAPE '\')) AS odd
      FROM post WHERE batch = ?]],
    batch
  )[1]
  local seats = db:query(
    "SELECT count(*) AS n, count(deleted_at) AS dead, max(deleted_event) AS event FROM seat WHERE batch = ?",
    batch
  )[1]
  local flights = db:query(
    [[SELECT count(*) AS n, count(deleted_at) AS dead, max(deleted_event) AS event,
      total(seat_count <> (SELECT count(*) FROM seat WHERE flight_id = flight.id AND deleted_at IS NULL))
      AS miscounted FROM flight WHERE number = ?]],
    batch
  )[1]
  if posts.n == 0 and seats.n == 0 and flights.n == 0 then
    return "gone"
  elseif flights.n ~= 1 or flights.miscounted > 0 then
    return ("%d flights, miscounted: %d"):format(flights.n, flights.miscounted)
  elseif (flights.dead > 0) ~= (posts.dead > 0) or flights.event ~= posts.event then
    return "a flight and posts that died apart"
  elseif posts.n ~= writer.POSTS or seats.n ~= writer.SEATS then
    return ("%d posts and %d seats"):format(posts.n, seats.n)
  elseif posts.odd > 0 or posts.views ~= writer.VIEWS then
    return ("%d odd titles, %d views"):format(posts.odd, posts.views)
  elseif posts.dead == 0 and seats.dead == 0 then
    return "living"
  elseif posts.dead ~= writer.POSTS or seats.dead ~= writer.SEATS then
    return ("%d posts and %d seats dead"):format(posts.dead, seats.dead)
  elseif posts.events ~= 1 or posts.event ~= seats.event then
    return "dead by several events"
  end
  local event = db:query("SELECT undone_at FROM tombstone_event WHERE id = ?", posts.event)[1]
  return (event and not event.undone_at) and "dead" or "dead without an event"
end

-- What was begun has happened whole or not at all; all else is as it was told.
local function check(path, states, begun, batch_begun)
  local db = tombstone.open(path)
  assert.equal("ok", is_sound(db))
  if begun then
    local found = state_of(db, batch_begun)
    local before = states[batch_begun] or "gone"
    if found ~= before then
      assert.equal(writer.leaves[begun], found, begun .. " " .. batch_begun)
    end
    states[batch_begun] = found
  end
  for batch, state in pairs(states) do
    assert.equal(state, state_of(db, batch), "batch " .. batch)
  end
  db:close()
end

-- Kills writers of one file; answers how many changes were told of.
local function kill_writers_of_a_file(synchronous, seed, kills)
  local path, states, done = helper.path(), {}, 0
  writer.open(path, synchronous).db:close()
  for run = 1, kills do
    local milliseconds = (2 + math.random() * 40) * SLOW
    local told, begun, batch = run_and_kill(path, synchronous, seed + run, milliseconds, states)
    done = done + told
    check(path, states, begun, batch)
  end
  helper.clean()
  return done
end

local function kill_often(synchronous)
  local seed = os.time()
  math.randomseed(seed)
  local done, kills = 0, 0
  -- A busy machine leaves some no time for a change: then more of them.
  while kills < KILLS or (done <= KILLS and kills < 4 * KILLS) do
    local some = math.min(RUNS_OF_A_FILE, KILLS)
    done = done + kill_writers_of_a_file(synchronous, seed, some)
    kills = kills + some
  end
  -- Or it has always died before its first change, and nothing was proved.
  assert.is_true(done > KILLS, done .. " changes before " .. kills .. " kills, seed " .. seed)
end

describe("a writer that is killed", function()
  after_each(helper.clean)

  it("leaves whole changes and loses none, synchronous = full", function()
    kill_often "full"
  end)

  it("leaves whole changes and loses none, synchronous = normal", function()
    kill_often "normal"
  end)
end)
