--- Time that passes, waits for the disk and for other processes included. `ngx.now` counts whole
--- milliseconds, `os.clock` only what the processor does.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { long seconds, nanoseconds; } blog_time;
int clock_gettime(int clock, blog_time *time);
]]

local CLOCK_MONOTONIC = 1 -- of Linux
local time = ffi.new "blog_time"

local M = {}

--- Seconds since some moment.
function M.now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

return M
