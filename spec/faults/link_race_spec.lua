-- Two processes on one file: one deletes tags and brings them back, the other links posts to them.
-- Whoever comes second is refused; no link lives under a dead tag, and none lives twice.
local helper = require "helper"
local linker = require "faults.linker"

local MILLISECONDS = helper.scaled(900, 150) * (os.getenv "ASAN_OPTIONS" and 3 or 1)
local LEGS, MOST_LEGS = 2, 60

local REFUSALS = { parent_deleted = true, busy = true }

local function start(race, role, seed)
  local command = helper.lua_command("spec/faults/linker.lua", race.path, role, seed, MILLISECONDS)
  return assert(io.popen(command .. " 2>&1"))
end

local function note_line(race, role, line)
  local result, verb = line:match "^([%l_]+) ([%l_]+) %d+$"
  local example = line:match "^example ([%l_]+) "
  if result then
    race.seen[role .. ": " .. result .. " " .. verb] = true
  elseif not (example and REFUSALS[example]) then
    race.faults[#race.faults + 1] = role .. " said: " .. line
  end
end

local function run_leg(race, seed)
  local pipes = { tags = start(race, "tags", seed * 2), links = start(race, "links", seed * 2 + 1) }
  for role, pipe in pairs(pipes) do
    for line in pipe:lines() do
      note_line(race, role, line)
    end
    pipe:close()
  end
  race.faults[#race.faults + 1] = linker.wrong(race.db)
end

-- All verbs, and a tag that died after the other process had seen it alive.
local function missing(race)
  local keys = { "links: parent_deleted add", "links: parent_deleted set" }
  for role, verbs in pairs(linker.verbs) do
    for _, verb in ipairs(verbs) do
      keys[#keys + 1] = role .. ": ok " .. verb
    end
  end
  local unseen = {}
  for _, key in ipairs(keys) do
    unseen[#unseen + 1] = not race.seen[key] and key or nil
  end
  return table.concat(unseen, ", ")
end

describe("links, two processes on one file", function()
  after_each(helper.clean)

  it("leave no living link of a dead tag, and none twice", function()
    local path, seed, leg = helper.path(), os.time() % 100000, 0
    local s = linker.open(path)
    s.db:create_tables()
    for i = 1, linker.tags do
      s.Tag:create { name = "tag " .. i }
    end
    for i = 1, linker.posts do
      s.Post:create { title = "post " .. i }
    end
    local race = { path = path, db = s.db, seen = {}, faults = {} }
    repeat
      leg = leg + 1
      run_leg(race, seed * 100 + leg)
    until #race.faults > 0 or (leg >= LEGS and missing(race) == "") or leg == MOST_LEGS
    local sound = s.db:query("PRAGMA integrity_check")[1].integrity_check
    s.db:close()
    assert.equal("", table.concat(race.faults, "\n"))
    assert.equal("ok", sound)
    assert.equal("", missing(race))
  end)
end)
