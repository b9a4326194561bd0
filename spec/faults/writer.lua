-- A process that writes until it is killed: writer.lua FILE SYNCHRONOUS SEED MILLISECONDS
--
-- Rows come in batches of a known size, a flight with what hangs on it in two models, and every
-- change takes a whole batch: of even ones by a call on the flight, of odd ones by one for each.
-- A line says what is about to happen, another that it was committed:
--   > delete 7
--   < delete 7
local tombstone = require "tombstone"
local f = tombstone.field

local POSTS, SEATS = 4, 3

local writer = {}

function writer.open(path, synchronous)
  local db = tombstone.open(path, { synchronous = synchronous })
  local function to_flight(related_name)
    return f.belongs_to("Flight", { on_delete = "cascade", related_name = related_name })
  end
  local Flight = db:model("Flight", { number = f.integer { unique = true }, seat_count = f.counter "seats" })
  local Post = db:model("Post", {
    title = f.char { max_length = 40, unique = true },
    batch = f.integer { index = true },
    views = f.integer { default = 10 },
    flight = to_flight "posts",
  })
  local Seat = db:model("Seat", {
    place = f.integer { unique = true },
    batch = f.integer { index = true },
    flight = to_flight "seats",
  })
  db:create_tables()
  return { db = db, Flight = Flight, Post = Post, Seat = Seat }
end

local function is_even(batch)
  return batch % 2 == 0
end

--- What a batch holds: its rows, and the sum of their views, which only moves.
writer.POSTS, writer.SEATS, writer.VIEWS = POSTS, SEATS, POSTS * 10

local verbs = {}

function verbs.create(s, batch)
  s.db:transaction(function()
    local flight, posts = s.Flight:create { number = batch }, {}
    for i = 1, POSTS do
      posts[i] = { title = batch .. "/" .. i, batch = batch, flight = flight }
    end
    s.Post:bulk_create(posts)
    for i = 1, SEATS do
      flight:seats():create { place = batch * 10 + i, batch = batch }
    end
  end)
end

function verbs.delete(s, batch)
  local flights = s.Flight.objects:filter { number = batch }
  local why = { actor = "writer", reason = tostring(batch) }
  if is_even(batch) then
    flights:get({ number = batch }):delete(why)
    return
  end
  s.db:deletion(why, function()
    s.Post.objects:filter({ flight__number = batch }):delete()
    s.Seat.objects:filter({ batch = batch }):delete()
    flights:delete()
  end)
end

function verbs.undo(s, batch)
  local post = s.Post.deleted_objects:filter({ batch = batch }):first()
  for _, event in ipairs(s.db:events { reason = tostring(batch), undone = false }) do
    if event.id == post.deleted_event then
      event:undo()
    end
  end
end

function verbs.restore(s, batch)
  if is_even(batch) then
    s.Flight.deleted_objects:filter({ number = batch }):restore()
    return
  end
  s.db:transaction(function()
    local post = s.Post.deleted_objects:filter({ batch = batch }):first()
    post:restore { parents = true }
    s.Post.deleted_objects:filter({ batch = batch }):restore()
    for _, seat in ipairs(s.Seat.deleted_objects:filter({ batch = batch }):all()) do
      seat:restore()
    end
  end)
end

function verbs.move(s, batch)
  local rows = s.Post.objects:filter({ batch = batch }):all()
  s.db:transaction(function()
    rows[1]:update { views = rows[1].views - 1 }
    rows[2]:update { views = rows[2].views + 1 }
  end)
end

function verbs.purge(s, batch)
  local flights = s.Flight.all_objects:filter { number = batch }
  if is_even(batch) then
    flights:first():forget()
    return
  end
  s.db:transaction(function()
    s.Post.all_objects:filter({ batch = batch }):purge { living = true }
    s.Seat.all_objects:filter({ batch = batch }):purge { living = true }
    flights:purge { living = true }
  end)
end

local LIVING = { "delete", "delete", "delete", "move", "purge" }
local DEAD = { "undo", "undo", "restore", "purge" }

--- What a verb leaves of a batch.
writer.leaves = {
  create = "living",
  delete = "dead",
  undo = "living",
  restore = "living",
  move = "living",
  purge = "gone",
}

local function tell(sign, verb, batch)
  io.write(sign, " ", verb, " ", batch, "\n")
  io.flush()
end

-- The batches that are there, and whether they live.
local function survey(s)
  local known, newest = {}, 0
  local sql = "SELECT batch, count(deleted_at) AS dead FROM post GROUP BY batch"
  for _, row in ipairs(s.db:query(sql)) do
    known[#known + 1] = { batch = row.batch, state = row.dead > 0 and "dead" or "living" }
    newest = math.max(newest, row.batch)
  end
  return known, newest
end

local function write_on(s, random)
  local known, newest = survey(s)
  while true do
    local verb, entry = "create"
    if #known >= 20 or (#known > 5 and random(3) > 1) then
      entry = known[random(#known)]
      local choice = entry.state == "dead" and DEAD or LIVING
      verb = choice[random(#choice)]
    else
      newest = newest + 1
      entry = { batch = newest }
      known[#known + 1] = entry
    end
    tell(">", verb, entry.batch)
    verbs[verb](s, entry.batch)
    tell("<", verb, entry.batch)
    entry.state = writer.leaves[verb]
    for i = #known, 1, -1 do
      if known[i].state == "gone" then
        table.remove(known, i)
      end
    end
  end
end

-- The one that will kill us: a shell whose parent we are. It holds no pipe of ours open.
local function wait_for_death(milliseconds)
  local killer = ("(sleep %.4f; kill -9 $PPID) </dev/null >/dev/null 2>&1 &"):format(milliseconds / 1000)
  os.execute("exec env -u LD_PRELOAD sh -c '" .. killer .. "'")
end

if arg and arg[0] and arg[0]:match "writer%.lua$" then
  local s = writer.open(arg[1], arg[2])
  math.randomseed(tonumber(arg[3]))
  wait_for_death(tonumber(arg[4]))
  write_on(s, math.random)
end

return writer
