--- Loads tombstone: one file, built for LuaJIT, with its Lua sources in it.
--
-- The environment variable TOMBSTONE says where it is.
local path = os.getenv "TOMBSTONE" or "build/luajit/lua/tombstone/core.so"
local entry, why = package.loadlib(path, "luaopen_tombstone")

return entry and entry "tombstone" or error("TOMBSTONE names no module for LuaJIT - " .. why, 0)
