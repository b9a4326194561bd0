-- The rock, built offline from a clean copy of the tree.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then
  return
end

local program = require "hosts.program"

local ROCKSPEC = "tombstone-scm-1.rockspec"
local VERSION = host.lua == "luajit" and "5.1" or host.lua
-- LuaRocks takes headers for the Lua that runs it.
local HEADERS = host.lua == "luajit" and "LUA_INCDIR=/usr/include/luajit-2.1" or ""

describe("The rock", function()
  it("is described without a fault", function()
    host.must("luarocks --lua-version=" .. VERSION .. " lint " .. ROCKSPEC)
  end)

  it("is built and installed, and serves from a foreign folder", function()
    host.in_folder(function(folder)
      local function run(text, ...)
        return host.must(("cd %s && "):format(folder) .. text:format(...), 500)
      end
      run("mkdir tree home away")
      run("(cd %s && cp -r CMakeLists.txt csrc lua *.rockspec *.md LICENSE %s/tree)", host.root, folder)
      -- No home and no network: nothing but what lies here.
      run("cd tree && HOME=%s/home http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 "
        .. "luarocks --lua-version=%s --tree=%s/rocks %s make %s", folder, VERSION, folder, HEADERS, ROCKSPEC)
      program.write(folder .. "/away/game.lua", program.read "spec/hosts/game.lua")
      local lua_dir = ("%s/rocks/share/lua/%s"):format(folder, VERSION)
      program.plays(folder .. "/away", ("LUA_PATH='%s/?.lua;%s/?/init.lua' "
        .. "LUA_CPATH='%s/rocks/lib/lua/%s/?.so' env -u LUA_PATH_5_2 -u LUA_PATH_5_3 "
        .. "-u LUA_PATH_5_4 %s game.lua"):format(
        lua_dir, lua_dir, folder, VERSION, helper.quote(helper.interpreter())))
      run("cd away && ../rocks/bin/tombstone --help")
      host.passed("LuaRocks", "luarocks make")
    end)
  end)
end)
