-- Law 7 between processes: one deletes parents and brings them back, the other puts children
-- under them. Whoever comes second is refused; no child lives under a dead parent.
local helper = require "helper"
local racer = require "faults.racer"

-- A race has legs, with processes of their own, and more of them where something has not
-- happened yet: what meets what is up to the machine. A sanitizer makes them slow.
local MILLISECONDS = helper.scaled(900, 150) * (os.getenv "ASAN_OPTIONS" and 3 or 1)
local LEGS, MOST_LEGS = 3, 60

-- What the other one can bring about; anything else is a fault.
local REFUSALS = { parent_deleted = true, restricted = true, busy = true, deleted = true }
REFUSALS.not_found, REFUSALS.integrity = true, true

-- ---- what must not be ------------------------------------------------------------------

local function note_orphan(race, when)
  local orphan = racer.orphan(race.db)
  if orphan then
    race.faults[#race.faults + 1] = when .. ": " .. orphan
  end
end

local function note_damage(race)
  local sound = race.db:query("PRAGMA integrity_check")[1].integrity_check
  if sound ~= "ok" then
    race.faults[#race.faults + 1] = sound
  end
  for _ in ipairs(race.db:query "PRAGMA foreign_key_check") do
    race.faults[#race.faults + 1] = "a row points to no row"
  end
end

-- ---- running ---------------------------------------------------------------------------

local function start(race, role, seed)
  local command = helper.lua_command(
    "spec/faults/racer.lua", race.path, race.on_delete, role, seed, MILLISECONDS
  )
  return assert(io.popen(command .. " 2>&1"))
end

-- Takes what a process says: "ok create 12", "example parent_deleted create Cannot …".
local function note_line(race, role, line)
  local result, verb, n = line:match "^([%l_]+) ([%l_]+) (%d+)$"
  local example = line:match "^example ([%l_]+) "
  if result then
    local key = role .. ": " .. result .. " " .. verb
    race.seen[key] = (race.seen[key] or 0) + n
    race.calls = race.calls + n
  elseif not (example and REFUSALS[example]) then
    race.faults[#race.faults + 1] = role .. " said: " .. line
  end
end

-- Both run at once; what the second says waits in its pipe.
local function run_leg(race, seed)
  local pipes = {
    parents = start(race, "parents", seed * 2),
    children = start(race, "children", seed * 2 + 1),
  }
  for _, role in ipairs { "children", "parents" } do
    for line in pipes[role]:lines() do
      if line == "tick" then
        note_orphan(race, "during the race")
      else
        note_line(race, role, line)
      end
    end
    pipes[role]:close()
  end
  note_orphan(race, "after the race")
end

-- ---- what must have been ---------------------------------------------------------------

-- What must have been refused, and how: each of these was allowed when the process had its last
-- look, so that the other one was in between.
local PUTS = { "create", "create_some", "upsert", "move", "save", "move_all", "restore", "restore_all" }
local DELETIONS = { cascade = {}, restrict = { "delete", "delete_some" } }

local function missing(race)
  local keys = {}
  local function need(role, result, verbs)
    for _, verb in ipairs(verbs) do
      local key = role .. ": " .. result .. " " .. verb
      keys[#keys + 1] = not race.seen[key] and key or nil
    end
  end
  need("parents", "ok", racer.verbs.parents)
  need("children", "ok", racer.verbs.children)
  need("parents", "restricted", DELETIONS[race.on_delete])
  need("children", "parent_deleted", PUTS)
  return table.concat(keys, ", ")
end

local function run(on_delete)
  local path, seed = helper.path(), os.time() % 100000
  local s = racer.open(path, on_delete)
  s.db:create_tables()
  local race = { db = s.db, path = path, on_delete = on_delete, seen = {}, faults = {}, calls = 0 }
  local leg = 0
  repeat
    leg = leg + 1
    run_leg(race, seed * 100 + leg)
  until #race.faults > 0 or (leg >= LEGS and missing(race) == "") or leg == MOST_LEGS
  note_damage(race)
  s.db:close()
  assert.equal("", table.concat(race.faults, "\n"))
  assert.equal("", missing(race), "did not happen in " .. race.calls .. " calls")
end

describe("law 7, two processes on one file", function()
  after_each(helper.clean)

  for _, on_delete in ipairs { "cascade", "restrict" } do
    it("leave no living child under a dead parent, on_delete = " .. on_delete, function()
      run(on_delete)
    end)
  end
end)
