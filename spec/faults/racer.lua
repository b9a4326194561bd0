-- One of two processes that race for the same few rows: racer.lua FILE ON_DELETE ROLE SEED MILLISECONDS
--
-- "parents" creates, deletes, restores and purges parents, "children" puts children under them.
-- Each goes by what it saw a few calls ago, when what it does was allowed: so what is refused was
-- forbidden by the other one meanwhile. It says:
--   tick                                          now and then
--   example restricted delete Cannot delete …     where a verb is refused like this for the first time
--   orphan after create child 7 lives under …     before it gives up
--   ok delete 7                                   at the end, what came of its calls and how often
local Random = require "laws.random"
local tombstone = require "tombstone"
local f = tombstone.field

local MOST_PARENTS, TITLES = 8, 6
local CALLS_OF_A_LOOK = 10
local LATEST_EVENTS = 4
local TICKS = 4

local racer = {}

--- Opens the file. Who waits for long comes too late for everything: then it is busy.
function racer.open(path, on_delete)
  local db = tombstone.open(path, { synchronous = "normal", busy_timeout = 20 })
  local Parent = db:model("Parent", { name = f.text { unique = true } })
  local Child = db:model("Child", {
    title = f.text { unique = true },
    parent = f.belongs_to("Parent", { on_delete = on_delete, related_name = "children" }),
  })
  return { db = db, Parent = Parent, Child = Child, on_delete = on_delete, events = {}, made = 0 }
end

local ORPHANS = [[SELECT child.id, child.parent_id FROM child JOIN parent ON parent.id = child.parent_id
  WHERE child.deleted_at IS NULL AND parent.deleted_at IS NOT NULL]]

--- What must never be: the first child that lives under a dead parent, in words, or nil.
function racer.orphan(db)
  local row = db:query(ORPHANS)[1]
  return row and ("child %d lives under parent %d"):format(row.id, row.parent_id)
end

-- ---- what is seen ----------------------------------------------------------------------

local looks = {}

-- Those that may be deleted, and those that are.
function looks.parents(s)
  local living = s.Parent.objects
  if s.on_delete == "restrict" then
    local taken = s.Child.objects:pluck "parent_id"
    taken.n = nil
    living = living:exclude { id = taken }
  end
  s.living, s.dead = living:all(), s.Parent.deleted_objects:all()
end

-- The parents that may be pointed to, children that may move and some that may come back.
function looks.children(s)
  s.living, s.children = s.Parent.objects:all(), s.Child.objects:all()
  s.dead = s.Child.deleted_objects:filter({ parent = s.living }):order_by("-id"):limit(20):all()
end

-- ---- parents ---------------------------------------------------------------------------

-- A name that no other row ever had.
local function fresh(s)
  s.made = s.made + 1
  return s.seed .. "/" .. s.made
end

local function note_event(s, event)
  s.events[#s.events + 1] = event
  return event ~= nil
end

-- Each answers whether it has changed anything.
local parents = {}

function parents.create(s)
  return #s.living + #s.dead < MOST_PARENTS and s.Parent:create { name = fresh(s) } ~= nil
end

function parents.delete(s, random)
  return #s.living > 0 and note_event(s, random:pick(s.living):delete())
end

function parents.delete_some(s, random)
  local keys = {}
  for _, parent in ipairs(random:some(s.living, 25)) do
    keys[#keys + 1] = parent.id
  end
  local _, event = s.Parent.objects:filter({ id = keys }):delete()
  return note_event(s, event)
end

-- Older ones hold next to nothing. A conflict leaves the event for another time.
function parents.undo(s, random)
  if #s.events == 0 then
    return false
  end
  local at = random:int(math.max(1, #s.events - LATEST_EVENTS + 1), #s.events)
  local n = s.events[at]:undo { on_conflict = random:pick { "fail", "skip" } }
  table.remove(s.events, at)
  return n > 0
end

function parents.restore(s, random)
  return #s.dead > 0 and random:pick(s.dead):restore()
end

-- Makes room for new ones.
function parents.purge(s, random)
  return #s.living + #s.dead >= MOST_PARENTS and #s.dead > 0 and random:pick(s.dead):purge()
end

-- ---- children --------------------------------------------------------------------------

local children = {}

function children.create(s, random)
  return s.Child:create { title = fresh(s), parent = random:pick(s.living) } ~= nil
end

function children.create_some(s, random)
  local list = {}
  for i = 1, 3 do
    list[i] = { title = fresh(s), parent = random:pick(s.living) }
  end
  return #s.Child:bulk_create(list) > 0
end

function children.upsert(s, random)
  local values = { title = "title " .. random:int(1, TITLES), parent = random:pick(s.living) }
  return s.Child:upsert(values, { on = "title" }) ~= nil
end

-- Staying where it is would be no move.
local function pick_move(s, random)
  if #s.children == 0 then
    return nil
  end
  local child, parent = random:pick(s.children), random:pick(s.living)
  if child and parent.id ~= child.parent_id then
    return child, parent
  end
end

function children.move(s, random)
  local child, parent = pick_move(s, random)
  return child and child:update { parent = parent } ~= nil
end

function children.save(s, random)
  local child, parent = pick_move(s, random)
  if child then
    child.parent_id = parent.id
    return child:save() ~= nil
  end
end

function children.move_all(s, random)
  local child, parent = pick_move(s, random)
  return child and s.Child.objects:filter({ parent_id = child.parent_id }):update { parent = parent } > 0
end

function children.restore(s, random)
  return #s.dead > 0 and random:pick(s.dead):restore()
end

function children.restore_all(s, random)
  return s.Child.deleted_objects:filter({ parent = random:pick(s.living) }):restore() > 0
end

-- Leaves a parent that may be deleted, and children that may be restored.
function children.delete_all(s, random)
  return s.Child.objects:filter({ parent = random:pick(s.living) }):delete() > 0
end

-- ---- the race --------------------------------------------------------------------------

local roles = {
  parents = {
    verbs = parents,
    names = { "create", "delete", "delete_some", "undo", "restore", "purge" },
    weights = { create = 4, delete = 6, delete_some = 2, undo = 6, restore = 8, purge = 2 },
  },
  children = {
    verbs = children,
    names = {
      "create", "create_some", "upsert", "move", "save", "move_all", "restore", "restore_all", "delete_all",
    },
    weights = {
      create = 2, create_some = 1, upsert = 3, move = 4, save = 4, move_all = 4, restore = 4,
      restore_all = 2, delete_all = 5,
    },
  },
}

--- The verbs of each role.
racer.verbs = { parents = roles.parents.names, children = roles.children.names }

local function tell(...)
  io.write(table.concat({ ... }, " "), "\n")
  io.flush()
end

-- Without a parent that is seen to live nothing can be done under one.
local function call(s, role, verb, random)
  if #s.living == 0 and role.verbs == children then
    return true, false
  end
  return pcall(role.verbs[verb], s, random)
end

-- What came of a call, in one word.
local function outcome(ok, done)
  if ok then
    return done and "ok" or "nothing"
  end
  return type(done) == "table" and done.kind or "error"
end

-- Counts it; the first of each kind is told, with what it says.
local function note(counts, verb, ok, done)
  local key = outcome(ok, done) .. " " .. verb
  counts[key] = (counts[key] or 0) + 1
  if not ok and counts[key] == 1 then
    tell("example", key, (tostring(done):gsub("\n", " ")))
  end
end

-- It looks for orphans after each call: soon a parent is back, and nothing would be seen.
local function race(s, role_name, random, seconds)
  local role, counts, calls, ticks = roles[role_name], {}, 0, 0
  local begun = s.db:now()
  repeat
    if calls % CALLS_OF_A_LOOK == 0 then
      looks[role_name](s)
    end
    local verb = random:weighted(role.names, role.weights)
    note(counts, verb, call(s, role, verb, random))
    local orphan = racer.orphan(s.db)
    if orphan then
      tell("orphan after", verb, orphan)
    end
    calls = calls + 1
    local gone = s.db:now() - begun
    if gone > ticks * seconds / TICKS then
      ticks = ticks + 1
      tell "tick"
    end
  until orphan or gone > seconds
  return counts
end

if arg and arg[0] and arg[0]:match "racer%.lua$" then
  local s = racer.open(arg[1], arg[2])
  s.seed = arg[4]
  local counts = race(s, arg[3], Random.new(tonumber(arg[4])), tonumber(arg[5]) / 1000)
  s.db:close()
  for key, n in pairs(counts) do
    tell(key, n)
  end
end

return racer
