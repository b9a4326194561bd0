--- SQLite's own amalgamation, another version than the system's, for the specs that compile it in.
local host = require "hosts.host"

local M = {}

local PACKAGE = "better-sqlite3@12.11.1"

--- The folder of sqlite3.c, sqlite3.h and sqlite3ext.h, which the npm package better-sqlite3 brings.
-- It is fetched once a build folder.
function M.folder()
  local place = host.build .. "/better-sqlite3"
  local folder = place .. "/package/deps/sqlite3"
  local file = io.open(folder .. "/sqlite3.c")
  if file then
    file:close()
    return folder
  end
  host.must(("mkdir -p %s && cd %s && npm pack --silent %s && tar xzf *.tgz package/deps"):format(
    place, place, PACKAGE), 120)
  return folder
end

return M
