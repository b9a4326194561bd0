--- Times and ages as text.
-- @module tombstone.cli.moment
local declaring = require "tombstone.model"

local M = {}

local UNITS = {
  { name = "d", seconds = 86400 },
  { name = "h", seconds = 3600 },
  { name = "min", seconds = 60 },
}

--- How long ago, in one unit: "3 d", "5 h", "12 min", "7 s".
-- @tparam number seconds
-- @treturn string
function M.age(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit.seconds then
      return ("%d %s"):format(math.floor(seconds / unit.seconds), unit.name)
    end
  end
  return ("%d s"):format(math.max(0, math.floor(seconds)))
end

--- A time for people, in UTC: "2025-11-23 06:40:00".
-- @tparam number time seconds since the epoch
-- @treturn string
function M.text(time)
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(time))
end

--- A time for scripts, in UTC to the microsecond: "2025-11-23T06:40:00.250000Z".
-- @tparam number time seconds since the epoch
-- @treturn string
function M.iso(time)
  local seconds = math.floor(time)
  local micros = math.floor((time - seconds) * 1e6 + 0.5)
  if micros == 1000000 then
    seconds, micros = seconds + 1, 0
  end
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. (".%06dZ"):format(micros)
end

--- The same, or nil for nil.
function M.iso_or_nil(time)
  return time and M.iso(time) or nil
end

--- A time that is a text in UTC, as "2025-11-23 06:40:00", for scripts: "2025-11-23T06:40:00Z".
-- @tparam string text
-- @treturn string
function M.iso_of_text(text)
  return (text:gsub("^(%d+%-%d+%-%d+) (%d+:%d+:[%d.]+)$", "%1T%2Z"))
end

--- Reads a duration, for lua-argparse: "90d" -> seconds.
-- @tparam string text
-- @treturn number|nil
-- @treturn string|nil what is wrong with it
function M.duration(text)
  local ok, seconds = pcall(declaring.seconds, text)
  if not ok then
    return nil, ("'%s' is no duration, as in 90d, 12h, 30m"):format(text)
  end
  return seconds
end

return M
