--- `tombstone version`
-- @module tombstone.cli.version
local M = { name = "version", summary = "Print the versions of tombstone, Lua and SQLite." }

local function lua_version()
  local jit = rawget(_G, "jit")
  return jit and jit.version or _VERSION
end

function M.run(context)
  local tombstone = require "tombstone"
  local db = tombstone.open ":memory:"
  local info = db:info()
  db:close()
  context.out:line(("tombstone %s, %s, %s %s"):format(info.tombstone, lua_version(), "SQLite", info.version))
  if info.warning then
    context.out:line(info.warning, "yellow")
  end
  context.out:result {
    tombstone = info.tombstone,
    lua = lua_version(),
    sqlite = info.version,
    warning = info.warning,
  }
end

return M
