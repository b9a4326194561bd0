--- How a law says that it is broken.
local M = {}

local Failure = {}
Failure.__index = Failure
function Failure:__tostring()
  return self.message
end

--- Ends the run: a law is broken.
function M.fail(message, ...)
  if select("#", ...) > 0 then
    message = string.format(message, ...)
  end
  error(setmetatable({ message = message, at = debug.traceback("", 2) }, Failure), 0)
end

--- True for what `fail` raises.
function M.is(err)
  return type(err) == "table" and getmetatable(err) == Failure
end

--- An error of the library in a few words.
function M.describe(err)
  if type(err) ~= "table" then
    return tostring(err)
  end
  return tostring(err.kind) .. ": " .. tostring(err.message)
end

return M
