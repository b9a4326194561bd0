--- Two calls, statement by statement, in an order that is chosen.
local M = {}

-- ---- who waits ---------------------------------------------------------------------------

local LOOK = [[SELECT cardinality(pg_blocking_pids(pid)), CAST(state <> 'active' AS integer),
  CAST(state_change AS text) FROM pg_stat_activity WHERE pid = %d]]

local function look(monitor, pid)
  local row = monitor:ask(LOOK:format(pid)).rows[1]
  return { blocked = row[1] > 0, idle = row[2] == 1, since = row[3] }
end

-- ---- a call in steps ---------------------------------------------------------------------

-- These wait for nobody, and say nothing of rows.
local DULL = { BEGIN = true, SAVEPOINT = true, RELEASE = true }

-- A coroutine that stops before each statement, and again and again where that waits for a lock.
local function thread_of(live, monitor, call, player)
  local pid, before, dull = live.session.pid, nil, nil
  local gate = {}
  function gate.before(statement)
    dull = DULL[statement.sql:match "^%u+"]
    if not dull then
      coroutine.yield "ready"
      before = look(monitor, pid).since
    end
  end
  function gate.during()
    local now = dull
    while not (dull or now and now.idle and now.since ~= before) do
      now = look(monitor, pid)
      if now.blocked then
        player.waited = true
        coroutine.yield "blocked"
      end
    end
  end
  return coroutine.create(function()
    player.ok, player.result = live:run(call, gate)
    return "done"
  end)
end

local function player_of(live, monitor, call)
  local player = { state = "ready", steps = 0 }
  player.thread = thread_of(live, monitor, call, player)
  return player
end

local function go(player)
  player.steps = player.steps + (player.state == "ready" and 1 or 0)
  local ok, state = coroutine.resume(player.thread)
  assert(ok, state)
  player.state = state
end

-- Up to that many steps; it stops where it waits for the other.
local function go_some(player, n)
  while n > 0 and player.state == "ready" do
    go(player)
    n = n - 1
  end
end

-- Where both wait for each other the server ends it.
local function go_to_end(first, second)
  while first.state ~= "done" or second.state ~= "done" do
    for _, player in ipairs { first, second } do
      go_some(player, math.huge)
      if player.state == "blocked" then
        go(player)
      end
    end
  end
end

-- ---- two calls ---------------------------------------------------------------------------

--- Runs `i` steps of the first call, then `j` of the second, then the first to its end and the
-- second to its own. A call that has to wait lets the other go on.
-- @return how both went: `ok`, `result` (or what was raised), `waited` and the number of `steps`
function M.play(monitor, lives, calls, i, j)
  local first = player_of(lives[1], monitor, calls[1])
  local second = player_of(lives[2], monitor, calls[2])
  go_some(first, i)
  go_some(second, j)
  go_to_end(first, second)
  return first, second
end

local function shuffle(list, random)
  for i = #list, 2, -1 do
    local j = random:int(1, i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- Where the first has not begun, is before its first write or its COMMIT, or has ended; and where the
-- second has ended or is before its COMMIT.
local function is_telling(i, j, n, m)
  return (j == m and (i == 0 or i >= n - 1)) or (j == m - 1 and (i == 0 or i == 2))
end

--- Orders of calls with n and m steps, about `most`: those that tell something of every two calls,
-- more where the second runs in one go or up to its COMMIT, and if these are few some of the others.
function M.orders(n, m, most, random)
  local orders, whole, others = {}, {}, {}
  for i = 0, n do
    for j = 0, m do
      local to = is_telling(i, j, n, m) and orders or j >= m - 1 and whole or others
      to[#to + 1] = { i, j }
    end
  end
  for _, list in ipairs { shuffle(whole, random), shuffle(others, random) } do
    for _, order in ipairs(list) do
      orders[#orders + 1] = #orders < most and order or nil
    end
  end
  return orders
end

return M
