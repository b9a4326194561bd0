--- A second copy of SQLite, as hosts compile it in: the amalgamation that is in a package of npm.
local helper = require "helper"
local host = require "hosts.host"

local M = {}

local PACKAGE = "better-sqlite3-12.11.1"
local SHA512 = "76af40b40a608393c616d0733c54819771d94231e893981a40233ace1d989346"
  .. "929830acd426e7548f3f1e001242434ab16169b1e20ef5b7a0e71c696216c87c"

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

-- Another run of the specs may be about the same: whoever is done moves all in place at once.
local FETCH = [[set -e
new=$(mktemp -d %s.XXXXXX)
trap 'rm -rf "$new"' EXIT
cd "$new"
npm pack better-sqlite3@12.11.1 >npm.log 2>&1 || { cat npm.log; exit 1; }
echo '%s  %s.tgz' | sha512sum -c -
tar xzf %s.tgz package/deps/sqlite3
mv package/deps/sqlite3 %s 2>/dev/null || test -f %s/sqlite3.c]]

--- The folder of sqlite3.c, sqlite3.h and sqlite3ext.h; it stays in the build folder.
-- @raise where the package cannot be had
function M.folder()
  local folder = host.build .. "/sqlite-3.53.2"
  if not exists(folder .. "/sqlite3.c") then
    local to = helper.quote(folder)
    local text, code = host.run(FETCH:format(to, SHA512, PACKAGE, PACKAGE, to, to), 300)
    assert(code == 0, "SQLite's amalgamation cannot be had: npm pack of " .. PACKAGE .. " failed\n" .. text)
  end
  return folder
end

--- The object file of it with these flags; it stays in the build folder.
-- @string name of the file
-- @string flags
function M.object(name, flags)
  local path = ("%s/%s.o"):format(host.build, name)
  if not exists(path) then
    host.must(("cc -w -O0 -fPIC %s -c %s/sqlite3.c -o %s.$$ && mv %s.$$ %s"):format(
      flags, M.folder(), path, path, path), 500)
  end
  return path
end

return M
