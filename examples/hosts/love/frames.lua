--- How long frames take: the median, and what 99 of 100 stay below, of the last few hundred.
local M = {}
M.__index = M

local KEPT = 300

function M.new()
  return setmetatable({ at = 0, times = {}, median = 0, most = 0 }, M)
end

local function figures(times)
  local sorted = { unpack(times) }
  table.sort(sorted)
  local n = #sorted
  return sorted[math.ceil(n * 0.5)], sorted[math.ceil(n * 0.99)]
end

--- Notes one, in seconds; the figures are in milliseconds.
function M:add(seconds)
  self.at = self.at % KEPT + 1
  self.times[self.at] = seconds * 1000
  if self.at % 30 == 0 then
    self.median, self.most = figures(self.times)
  end
end

function M:text()
  return ("%.1f ms, 99 %% below %.1f"):format(self.median, self.most)
end

return M
