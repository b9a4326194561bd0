-- One of two processes that race for the same few rows of a PostgreSQL server:
--   racer.lua FOLDER BIN ON_DELETE UNIQUE ROLE SEED MILLISECONDS [CHANGE]
--
-- "parents" creates, deletes and restores parents, "children" puts children under them. Each goes by
-- what it saw a call ago. It says:
--   fault after create child 7 lives under parent 3   what must not be
--   ok delete 7                                       at the end, what came of its calls, how often
local Random = require "laws.random"
local Live = require "interop.postgres.live"
local Session = require "interop.postgres.session"
local changes = require "interop.postgres.changes"
local family = require "interop.postgres.family"

local MOST_PARENTS, LATEST_EVENTS = 6, 3

-- ---- what is seen ------------------------------------------------------------------------

local function ids(session, sql)
  local list = {}
  for i, row in ipairs(session:ask(sql).rows) do
    list[i] = row[1]
  end
  return list
end

local function look(r)
  r.living = ids(r.session, "SELECT id FROM parent WHERE deleted_at IS NULL")
  r.dead = ids(r.session, "SELECT id FROM parent WHERE deleted_at IS NOT NULL")
  r.children = ids(r.session, "SELECT id FROM child WHERE deleted_at IS NULL")
  r.lost = ids(r.session, [[SELECT c.id FROM child AS c JOIN parent AS p ON p.id = c.parent_id
    WHERE c.deleted_at IS NOT NULL AND p.deleted_at IS NULL ORDER BY c.id DESC LIMIT 10]])
end

-- A text that no other row ever had.
local function fresh(r)
  r.made = r.made + 1
  return ("%s%d of %d"):format(r.role, r.made, r.seed)
end

-- ---- calls -------------------------------------------------------------------------------

-- Each chooses, and answers a call of the engine that says whether it changed anything; or nil.
local parents, children = {}, {}

function parents.create(r)
  local name = fresh(r)
  return #r.living + #r.dead < MOST_PARENTS and function(s)
    return s.Parent:create { name = name }
  end
end

function parents.delete(r)
  local id = r.random:pick(r.living)
  return function(s)
    return s.Parent.objects:get(id):delete()
  end
end

function parents.delete_some(r)
  local some = r.random:some(r.living, 40)
  return function(s)
    return s.Parent.objects:filter({ id = some }):delete() > 0
  end
end

-- One of the latest; older ones hold next to nothing.
function parents.undo(r)
  local at = r.random:int(1, LATEST_EVENTS)
  return function(s)
    local events = s.db:events { undone = false }
    local event = events[#events - at + 1]
    return event and event:undo { on_conflict = "skip" } > 0
  end
end

function parents.restore(r)
  local id = #r.dead > 0 and r.random:pick(r.dead)
  return id and function(s)
    return s.Parent.deleted_objects:get(id):restore()
  end
end

function children.create(r)
  local title, parent = fresh(r), r.random:pick(r.living)
  return function(s)
    return s.Child:create { title = title, parent_id = parent }
  end
end

function children.create_some(r)
  local list = {}
  for i = 1, 3 do
    list[i] = { title = fresh(r), parent_id = r.random:pick(r.living) }
  end
  return function(s)
    return #s.Child:bulk_create(list) > 0
  end
end

function children.upsert(r)
  local title, parent = "title " .. r.random:int(1, 4) .. "th", r.random:pick(r.living)
  return function(s)
    return s.Child:upsert({ title = title, parent_id = parent }, { on = "title" })
  end
end

function children.move(r)
  local child, parent = #r.children > 0 and r.random:pick(r.children), r.random:pick(r.living)
  return child and function(s)
    return s.Child.objects:get(child):update { parent_id = parent }
  end
end

function children.save(r)
  local id, parent = #r.children > 0 and r.random:pick(r.children), r.random:pick(r.living)
  return id and function(s)
    local child = s.Child.objects:get(id)
    child.parent_id = parent
    child:save()
    return true
  end
end

function children.move_all(r)
  local from, to = r.random:pick(r.living), r.random:pick(r.living)
  return function(s)
    return s.Child.objects:filter({ parent_id = from }):update { parent_id = to } > 0
  end
end

function children.restore(r)
  local id = #r.lost > 0 and r.random:pick(r.lost)
  return id and function(s)
    return s.Child.deleted_objects:get(id):restore()
  end
end

function children.restore_all(r)
  local parent = r.random:pick(r.living)
  return function(s)
    return s.Child.deleted_objects:filter({ parent_id = parent }):restore { on_conflict = "skip" } > 0
  end
end

function children.toy(r)
  local id = #r.children > 0 and r.random:pick(r.children)
  return id and function(s)
    return s.Toy:create { child_id = id }
  end
end

-- Leaves a parent that may be deleted, and children that may be restored.
function children.delete_all(r)
  local parent = r.random:pick(r.living)
  return function(s)
    return s.Child.objects:filter({ parent_id = parent }):delete() > 0
  end
end

-- ---- the race ----------------------------------------------------------------------------

local roles = {
  parents = { verbs = parents, names = { "create", "delete", "delete_some", "undo", "restore" } },
  children = {
    verbs = children,
    names = {
      "create", "create_some", "upsert", "move", "save", "move_all", "restore", "restore_all", "toy",
      "delete_all",
    },
  },
}
local WEIGHTS = { create = 3, delete = 4, delete_some = 2, undo = 5, restore = 5, delete_all = 3 }
for _, role in pairs(roles) do
  for _, name in ipairs(role.names) do
    WEIGHTS[name] = WEIGHTS[name] or 2
  end
end

-- What the other one can bring about; anything else is a fault.
local REFUSALS = { parent_deleted = true, restricted = true, deleted = true, not_found = true }
REFUSALS.integrity = true

local function outcome(ok, result)
  if ok then
    return result and "ok" or "nothing"
  elseif type(result) == "table" and result.message == "deadlock detected" then
    return "deadlock"
  end
  return type(result) == "table" and REFUSALS[result.kind] and result.kind or "fault"
end

local function tell(...)
  io.write(table.concat({ ... }, " "), "\n")
  io.flush()
end

-- These need no parent that lives.
local FREE = { ["parents create"] = true, ["parents restore"] = true, ["parents undo"] = true }

local function call(r, verb)
  local fn = (#r.living > 0 or FREE[r.role .. " " .. verb]) and roles[r.role].verbs[verb](r)
  if not fn then
    return
  end
  local ok, result = r.live:run(fn)
  local what = outcome(ok, result)
  if what == "fault" then
    tell("fault after", verb, (tostring(result):gsub("\n", " ")))
  end
  local key = what .. " " .. verb
  r.counts[key] = (r.counts[key] or 0) + 1
end

-- It looks for orphans after each call: soon a parent is back, and nothing would be seen.
local function race(r, seconds)
  local role, ending = roles[r.role], os.time() + seconds
  repeat
    look(r)
    local verb = r.random:weighted(role.names, WEIGHTS)
    call(r, verb)
    local orphan = family.orphan(r.session, 0)
    if orphan then
      tell("fault after", verb, orphan)
    end
  until orphan or os.time() >= ending
end

local function run(folder, bin, on_delete, unique, role, seed, milliseconds, change)
  local session = Session.open(folder, bin)
  local r = { role = role, seed = tonumber(seed), session = session, made = 0, counts = {} }
  r.random = Random.new(r.seed)
  r.live = Live.on(session, family.declare_few(on_delete, unique), changes[change])
  r.live.now = r.live.now + r.seed -- no two processes delete at the same time
  race(r, tonumber(milliseconds) / 1000)
  for key, n in pairs(r.counts) do
    tell(key, n)
  end
  session:close()
end

run(arg[1], arg[2], arg[3], arg[4], arg[5], arg[6], arg[7], arg[8])
