--- Builds hosts that have a SQLite of their own, and modules that have one or none.
local helper = require "helper"
local host = require "hosts.host"
local amalgamation = require "hosts.borrow.amalgamation"

local M = {}

local SOURCES = host.root .. "/spec/hosts/borrow"
local LUA = host.lua == "luajit" and "luajit" or "lua" .. host.lua
local ARCHIVE = host.lua == "luajit" and "libluajit-5.1.a" or "liblua" .. host.lua .. ".a"

local function output_of(command)
  return host.must(command):gsub("%s+$", "")
end

local function compile(what, output)
  local flags = "-I" .. helper.quote(host.root) .. "/csrc " .. output_of("pkg-config --cflags-only-I " .. LUA)
  host.must(("cc -std=c99 -g -Wall -Wextra -Wpedantic -Werror %s %s -o %s"):format(
    flags, what, helper.quote(output)), 120)
  return output
end

-- The Lua library that is linked into a program, and exported for the module.
local function lua_library()
  return output_of("cc -print-file-name=" .. ARCHIVE) .. " -Wl,-E -lm -ldl"
end

--- The kinds of hosts: what each is linked with.
M.kinds = {
  shared = function()
    return "-lsqlite3"
  end,
  exported = function()
    return amalgamation.object("sqlite3-exported", "")
  end,
  hidden = function()
    return amalgamation.object("sqlite3-hidden", "-fvisibility=hidden")
  end,
}

local function headers(kind)
  return kind == "shared" and "" or "-I" .. helper.quote(amalgamation.folder())
end

--- A host of that kind, as a program.
function M.host(kind, folder)
  return compile(("%s %s/host.c %s/lender.c %s %s"):format(
    headers(kind), SOURCES, SOURCES, M.kinds[kind](), lua_library()), folder .. "/host-" .. kind)
end

--- The lender alone, as a module for this interpreter.
function M.lender(folder)
  return compile(("-fPIC -shared %s/lender.c -lsqlite3"):format(SOURCES), folder .. "/lender.so")
end

local function configure(name, sqlite)
  local build = host.build .. "/module-" .. name
  host.must(("cmake -S %s -B %s -G Ninja -DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=OFF "
    .. "-DBUILD_SHARED_LIBS=ON -DTOMB_LUA=%s -DTOMB_WERROR=ON -DTOMB_SQLITE=%s"):format(
    helper.quote(host.root), helper.quote(build), host.lua, helper.quote(sqlite)), 120)
  host.must(("cmake --build %s --target tomb_lua tombstone"):format(helper.quote(build)), 500)
  return build
end

--- The build folder of a module with SQLite compiled in, or ("none") without one.
function M.module(name)
  return configure(name, name == "none" and "host" or amalgamation.folder())
end

return M
