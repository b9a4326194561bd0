--- What fibers need that share a database.
--
-- A call on a handle does not yield: between calls fibers take turns by themselves, and one handle
-- serves them all. Two things are left: transactions that yield, and waiting for SQLite's lock.
local fiber = require "fiber"

local M = {}

local function give_back(token, ok, ...)
  token:put(true)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- A function that runs functions one at a time; fibers queue. For transactions that yield (sleep,
-- wait for a channel, a socket): without a turn another fiber's call meanwhile raises misuse.
-- @treturn function gets a function and its arguments, returns what that returns
-- @usage local in_turn = fibers.turns()
-- in_turn(db.transaction, db, function() … end)
function M.turns()
  local token = fiber.channel(1)
  token:put(true)
  return function(fn, ...)
    token:get()
    return give_back(token, pcall(fn, ...))
  end
end

local function is_busy(err)
  return type(err) == "table" and err.kind == "busy"
end

--- Calls a function until the database is not busy. For handles that are opened with
-- `busy_timeout = 0`: SQLite's own waiting would hold the thread, and all fibers with it.
-- @tparam number seconds how long
-- @tparam function fn one call or transaction
-- @param ... its arguments
-- @return what it returns first
-- @raise busy when the time is up; what `fn` raises
function M.patiently(seconds, fn, ...)
  local last, pause = fiber.clock() + seconds, 0.001
  while true do
    local ok, result = pcall(fn, ...)
    if ok then
      return result
    elseif not is_busy(result) or fiber.clock() + pause > last then
      error(result, 0)
    end
    fiber.sleep(pause)
    pause = math.min(2 * pause, 0.05)
  end
end

return M
