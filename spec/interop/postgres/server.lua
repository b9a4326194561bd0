--- A PostgreSQL server for one spec, on a unix socket in a folder of its own. Root starts it as
-- the user that Debian's package makes.
local helper = require "helper"

local M = {}
local quote = helper.quote

local function output_of(command)
  local pipe = assert(io.popen("exec env -u LD_PRELOAD " .. command))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function sh(script, ...)
  local words = { "sh -c", quote(script), "sh" }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return table.concat(words, " ")
end

local FIND = [[
for bin in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb)")"; do
  [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/psql" ] && found=$bin
done
echo "$found"
]]

--- The folder of the programs, or nil.
function M.programs()
  local bin = output_of(sh(FIND) .. " 2>/dev/null"):match "^[^\n]+"
  return bin
end

local function script()
  local file = assert(io.open "spec/interop/postgres/serve.sh")
  local text = file:read "*a"
  file:close()
  return text
end

local WAIT = 'while [ ! -s "$1/state" ]; do sleep 0.02; done; cat "$1/state"'

-- In a session of its own, which what ends the spec's does not reach.
local function command(folder, bin)
  local as_other = "setpriv --reuid postgres --regid postgres --init-groups "
  local is_root = output_of "id -u" == "0\n"
  return "exec env -u LD_PRELOAD setsid " .. (is_root and as_other or "") .. sh(script(), folder, bin)
end

--- Starts one.
function M.start(bin)
  local folder = os.tmpname()
  os.remove(folder)
  local pipe = assert(io.popen(command(folder, bin), "w"))
  assert(output_of("timeout 60 " .. sh(WAIT, folder)) == "up\n", "PostgreSQL did not start")
  return { folder = folder, bin = bin, pipe = pipe }
end

--- Stops it, and waits until nothing is left.
function M.stop(server)
  server.pipe:close()
end

return M
