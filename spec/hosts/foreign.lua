--- The module as it is built for another Lua, for hosts that must say so when they are given it.
local helper = require "helper"
local host = require "hosts.host"

local M = {}

--- Builds it at `path`.
-- @tparam string lua "5.1" to "5.4", not that of this run
function M.build(path, lua)
  assert(lua ~= host.lua)
  local build = helper.quote(host.build)
  host.must(table.concat({
    "cc -O0 -w -shared -fPIC -D_GNU_SOURCE -I/usr/include/lua" .. lua,
    "-Icsrc -Icsrc/core -Icsrc/lua -I" .. build,
    "csrc/lua/*.c", build .. "/lua_sources.c", build .. "/libtombstone.a",
    "-lsqlite3 -lm -o", helper.quote(path),
  }, " "), 120)
end

return M
