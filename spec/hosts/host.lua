--- What the specs of hosts share: which of them this run is for, where the module lies, commands,
--- and the list of what passed, from which the matrix of the README is made.
local helper = require "helper"
local tombstone = require "tombstone"

local M = {}

local is_luajit = rawget(_G, "jit") ~= nil

--- The Lua that runs this: "5.1", "5.2", "5.3", "5.4" or "luajit".
M.lua = is_luajit and "luajit" or _VERSION:match "%d%.%d"

local function module_path()
  for template in package.cpath:gmatch "[^;]+" do
    local path = template:gsub("%?", "tombstone/core")
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path
    end
  end
  error("there is no tombstone/core.so on package.cpath", 0)
end

--- The module that this run tests, with the Lua sources in it, as an absolute path.
M.module = module_path()
--- The build folder that it lies in.
M.build = assert(M.module:match "^(.*)/lua/tombstone/core%.so$", "the module lies in a build folder")
--- The tree.
M.root = assert(io.popen("pwd")):read "*l"

-- Hosts are not built with the sanitizers, nor run by valgrind.
local is_plain = os.getenv "LD_PRELOAD" == nil and os.getenv "SPEC_VALGRIND" == nil

--- Runs a command of the shell for at most `seconds` (60).
-- @treturn string all that it printed on both streams
-- @treturn integer its exit code; 124 where the time was up
function M.run(command, seconds)
  local pipe = assert(io.popen(("timeout -k 5 %d sh -c %s 2>&1; echo \"exit $?\""):format(
    seconds or 60, helper.quote(command))))
  local output = pipe:read "*a"
  pipe:close()
  local text, code = output:match "^(.*)exit (%d+)\n$"
  return text, tonumber(code)
end

--- Runs a command that must end well.
-- @treturn string what it printed
function M.must(command, seconds)
  local text, code = M.run(command, seconds)
  assert(code == 0, ("%s\nended with %d:\n%s"):format(command, code, text))
  return text
end

--- Calls `fn` with the path of a new folder, which is removed after it.
function M.in_folder(fn)
  local path = M.must("mktemp -d"):match "^[^\n]+"
  local ok, err = pcall(fn, path)
  M.must("rm -rf " .. helper.quote(path))
  if not ok then
    error(err, 0)
  end
end

--- Compiles spec/hosts/NAME.c with the Lua of this run to a program of that name in `folder`.
function M.compile(name, folder)
  M.must(([[cc -std=c99 -Wall -Wextra -D_POSIX_C_SOURCE=200809L -o %s/%s spec/hosts/%s.c \
    $(pkg-config --cflags --libs %s) -ldl -lm]]):format(
    folder, name, name, M.lua == "luajit" and "luajit" or "lua" .. M.lua))
end

--- Opens the database of a host and calls `fn(db, model)`, `model` being what `declare(db)` answers;
-- closes it in any case.
function M.with_database(path, declare, fn)
  local db = tombstone.open(path)
  local ok, err = pcall(fn, db, declare(db))
  db:close()
  if not ok then
    error(err, 0)
  end
end

--- Notes that `host` passed `what`; the matrix reads it. `lua` is the host's, if it has another than
-- the one that runs this.
function M.passed(host, what, lua)
  local file = assert(io.open(M.build .. "/hosts.tsv", "a"))
  file:write(lua or M.lua, "\t", host, "\t", what, "\n")
  file:close()
end

--- Whether this run is for a host that loads the module of one of these Luas. A spec of a host
-- begins with it.
-- @usage if not host.runs("luajit") then return end
function M.runs(...)
  for _, lua in ipairs { ... } do
    if lua == M.lua then
      return is_plain
    end
  end
  return false
end

return M
