--- How long ago something was, in words.
local M = {}

local UNITS = { { 60, "minute" }, { 3600, "hour" }, { 86400, "day" } }

--- @tparam number at seconds since the epoch
-- @tparam[opt] number now
-- @treturn string "just now", "5 minutes ago", "yesterday", "2026-03-01"
function M.of(at, now)
  local passed, text = (now or os.time()) - at, "just now"
  if passed >= 30 * 86400 then
    return os.date("%Y-%m-%d", math.floor(at))
  elseif passed >= 86400 and passed < 2 * 86400 then
    return "yesterday"
  end
  for _, unit in ipairs(UNITS) do
    local n = math.floor(passed / unit[1])
    if n >= 1 then
      text = ("%d %s%s ago"):format(n, unit[2], n == 1 and "" or "s")
    end
  end
  return text
end

return M
