-- Law 7 on PostgreSQL at read committed: the engine's own statements, on a server of this spec. There
-- is no driver yet; live.lua hands the statements on.
local Live = require "interop.postgres.live"
local Random = require "laws.random"
local Session = require "interop.postgres.session"
local calls = require "interop.postgres.calls"
local changes = require "interop.postgres.changes"
local family = require "interop.postgres.family"
local helper = require "helper"
local interleave = require "interop.postgres.interleave"
local server = require "interop.postgres.server"

local BIN = server.programs()
local SEED = helper.seed()
local ORDERS = 16 -- of two calls
local CASES = helper.scaled(100) -- at most
local SECONDS = helper.scaled(4) -- of a race
local ALL = math.huge

local random = Random.new(SEED)

if not BIN then
  describe("law 7 on PostgreSQL", function()
    pending "needs PostgreSQL's programs"
  end)
  return
end

-- ---- what comes of a call ----------------------------------------------------------------

-- Why it may fail: the other came first, or each waited for the other.
local REFUSALS = { parent_deleted = true, not_found = true, deleted = true, restricted = true }

local function outcome(player)
  local err = player.result
  if player.ok then
    return err and "ok" or "late"
  elseif type(err) == "table" and (REFUSALS[err.kind] or err.message == "deadlock detected") then
    return "late"
  end
  error(err, 0)
end

local function all_cases()
  local list = {}
  for _, case in ipairs(calls.cases) do
    for _, put in ipairs(case[3]) do
      list[#list + 1] = { deletion = case[1], on_delete = case[2], put = put, few = case.few }
    end
  end
  return list
end

-- All cases where there is time, else some.
local function some_cases()
  local list, some = all_cases(), {}
  while #list > 0 and #some < CASES do
    some[#some + 1] = table.remove(list, CASES < #list and random:int(1, #list) or 1)
  end
  return some
end

describe("law 7 on PostgreSQL", function()
  local running, monitor, sessions
  local round = 0

  setup(function()
    running = server.start(BIN)
    monitor = Session.open(running.folder, BIN)
    sessions = { Session.open(running.folder, BIN), Session.open(running.folder, BIN) }
    family.create(Live.on(monitor, family.declare("cascade", "live")))
  end)

  teardown(function()
    server.stop(running)
  end)

  -- ---- in a chosen order -----------------------------------------------------------------

  -- How both went, and an orphan, if there is one.
  local function play(case, i, j)
    round = round + 1
    local id, lives = family.fill(monitor, round), {}
    local declare = case.few and family.declare_few or family.declare
    for k, session in ipairs(sessions) do
      lives[k] = Live.on(session, declare(case.on_delete, "live"), case.change)
    end
    local first, second = interleave.play(monitor, lives, {
      function(s)
        return calls.deletions[case.deletion](s, id)
      end,
      function(s)
        return calls.puts[case.put](s, id)
      end,
    }, i, j)
    return first, second, family.orphan(monitor, id[0])
  end

  local function orders_of(case)
    local _, alone = play(case, 0, ALL)
    local first = play(case, ALL, 0)
    return interleave.orders(first.steps, alone.steps, ORDERS, random)
  end

  local function note(seen, role, player)
    seen[role .. " " .. outcome(player)] = true
    seen[role .. " waits"] = seen[role .. " waits"] or player.waited
  end

  -- Answers the first orphan, or nil, and what else was seen.
  local function run(case)
    local seen = {}
    for _, order in ipairs(orders_of(case)) do
      local first, second, orphan = play(case, order[1], order[2])
      note(seen, "deletion", first)
      note(seen, "put", second)
      if orphan then
        return ("seed %d, %d and %d steps: %s"):format(SEED, order[1], order[2], orphan), seen
      end
    end
    return nil, seen
  end

  for _, case in ipairs(some_cases()) do
    it(("holds for %s during a deletion of %s"):format(case.put, case.deletion), function()
      local orphan, seen = run(case)
      assert.is_nil(orphan)
      for _, what in ipairs { "deletion ok", "deletion waits", "put ok", "put late", "put waits" } do
        assert.is_true(seen[what], "never: " .. what)
      end
    end)
  end

  local function breaks(change, case)
    case.change = changes[change]
    assert.is_string(run(case), case.put .. " holds " .. change)
  end

  it("is broken without the locks", function()
    for _, case in ipairs(some_cases()) do
      breaks("without_locks", case)
    end
  end)

  it("is broken by the locks of foreign keys alone", function()
    for _, put in ipairs { "create", "move", "restore", "undo" } do
      breaks("with_locks_of_keys", { deletion = "parent", on_delete = "cascade", few = true, put = put })
    end
  end)

  it("is broken where a twin may die before it is updated", function()
    breaks("without_locks_of_twins", {
      deletion = "parent", on_delete = "cascade", few = true, put = "upsert_of_a_child",
    })
  end)

  it("lets nothing be put under a kept parent that dies", function()
    for _, put in ipairs { "create", "bulk_create", "upsert", "move", "save", "move_all" } do
      local case = { deletion = "parent", on_delete = "keep", few = true, put = put }
      local alone = play(case, ALL, 0)
      local first, second = play(case, alone.steps - 1, ALL)
      assert.is_true(first.ok)
      assert.is_true(second.waited)
      assert.equal("parent_deleted", second.result.kind, put)
    end
  end)

  it("lets go on what has waited for a deletion that is taken back", function()
    for _, put in ipairs { "create", "upsert", "move", "save", "restore" } do
      local case = { deletion = "none", on_delete = "cascade", few = true, put = put }
      local alone = play(case, ALL, 0)
      local first, second = play(case, alone.steps - 1, ALL)
      assert.equal("taken back", first.result)
      assert.is_true(second.waited)
      assert.is_true(second.ok, put)
    end
  end)

  -- ---- at random -------------------------------------------------------------------------

  local function start(how, role, seed)
    local command = helper.lua_command(
      "spec/interop/postgres/racer.lua", running.folder, BIN, how.on_delete, how.unique, role, seed,
      how.seconds * 1000, how.change or "none"
    )
    return assert(io.popen(command .. " 2>&1"))
  end

  local function note_line(race, role, line)
    local key, n = line:match "^(%l[%l_]* [%l_]+) (%d+)$"
    if key then
      race.seen[key] = (race.seen[key] or 0) + n
      race.calls = race.calls + n
    else
      race.faults[#race.faults + 1] = role .. ": " .. line
    end
  end

  -- Both run at once; what the second says waits in its pipe.
  local function run_leg(race, how, seed)
    local pipes = {
      parents = start(how, "parents", seed * 2),
      children = start(how, "children", seed * 2 + 1),
    }
    for role, pipe in pairs(pipes) do
      for line in pipe:lines() do
        note_line(race, role, line)
      end
      pipe:close()
    end
    race.faults[#race.faults + 1] = family.orphan(monitor, 0)
  end

  -- Another leg where nobody has come too late yet, or no orphan where there must be one.
  local function race_of(how)
    family.create(Live.on(monitor, family.declare(how.on_delete, how.unique)))
    local race, leg = { faults = {}, seen = {}, calls = 0 }, 0
    local function is_done()
      return #race.faults > 0 or not how.change and race.seen[how.refused]
    end
    repeat
      leg = leg + 1
      run_leg(race, how, SEED * 100 + leg)
    until is_done() or leg == 20
    return race
  end

  for _, how in ipairs {
    { on_delete = "cascade", unique = "live", refused = "parent_deleted create" },
    { on_delete = "cascade", unique = "mangle", refused = "parent_deleted create" },
    { on_delete = "restrict", unique = "live", refused = "restricted delete" },
  } do
    it(("holds between two processes, %s, %s"):format(how.on_delete, how.unique), function()
      how.seconds = SECONDS
      local race = race_of(how)
      assert.equal("", table.concat(race.faults, "\n"))
      assert.is_number(race.seen[how.refused], "never: " .. how.refused)
    end)
  end

  it("is broken between two processes without the locks", function()
    local race = race_of { on_delete = "cascade", unique = "live", seconds = 1, change = "without_locks" }
    assert.is_truthy(table.concat(race.faults, "\n"):find "lives under")
  end)
end)
