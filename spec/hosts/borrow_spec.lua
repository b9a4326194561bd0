-- The connection of a host, lent to a script: hosts that share SQLite with the module, and hosts that
-- have a copy of their own.
local helper = require "helper"
local host = require "hosts.host"
local build = require "hosts.borrow.build"
if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then return end

local SCRIPT = helper.quote(host.root .. "/spec/hosts/borrow/script.lua")

local function exported_by(path)
  local names = {}
  for name in host.must("nm -D --defined-only " .. helper.quote(path)):gmatch " %u ([%w_]+)" do
    names[#names + 1] = name
  end
  assert(#names > 0, path)
  return names
end

local function uses_sqlite(path)
  return host.must("nm " .. helper.quote(path)):find " U sqlite3_" ~= nil
end

local function runs_on(kind, module, what)
  it("works in a host whose SQLite is " .. kind .. ", with " .. what, function()
    host.in_folder(function(folder)
      local program = build.host(kind, folder)
      local path = module == "own" and host.module or build.module(module) .. "/lua/tombstone/core.so"
      host.must(("%s %s %s"):format(program, SCRIPT, helper.quote(path)))
      if module == "own" then
        host.passed("C program", "a lent connection, SQLite " .. kind)
      end
    end)
  end)
end

describe("a lent connection", function()
  for _, kind in ipairs { "shared", "exported", "hidden" } do
    runs_on(kind, "own", "a module that links the system's")
    if host.runs "5.4" then
      runs_on(kind, "bundled", "a module that has its own inside")
      runs_on(kind, "none", "a module that has none")
    end
  end
end)

if not host.runs "5.4" then return end

describe("a module with SQLite inside", function()
  it("shows none of it", function()
    local folder = build.module "bundled"
    local module = folder .. "/lua/tombstone/core.so"
    assert.same({ "luaopen_tombstone", "luaopen_tombstone_core" }, exported_by(module))
    assert.is_false(uses_sqlite(module))
    for _, name in ipairs(exported_by(folder .. "/libtombstone.so")) do
      assert.truthy(name:find "^tomb_", name)
    end
  end)

  it("passes the specs of the verbs", function()
    local folder = build.module "bundled"
    local command = ("env SPEC_SCALE=0.05 %s %s --output=TAP --cpath=%s/lua/?.so '--lpath=%s' %s"):format(
      helper.interpreter(), host.must("command -v busted"):match "%S+", folder,
      "lua/?.lua;lua/?/init.lua;spec/?.lua",
      "spec/core spec/model/trash_spec.lua spec/model/transaction_spec.lua")
    local text = host.must(command, 300)
    assert.truthy(text:find "\n1%.%.%d%d" or text:find "^1%.%.%d%d", text)
  end)
end)

describe("a module without SQLite", function()
  it("calls none, and says so when it shall open a file", function()
    local folder = build.module "none"
    assert.is_false(uses_sqlite(folder .. "/lua/tombstone/core.so"))
    assert.is_nil(host.must("ldd " .. folder .. "/lua/tombstone/core.so"):find "sqlite")
    local text = host.must(("%s -e %s"):format(helper.interpreter(), helper.quote(([[
      local module = assert(package.loadlib("%s/lua/tombstone/core.so", "luaopen_tombstone"))("tombstone")
      print(pcall(module.open, ":memory:"))]]):format(folder))))
    assert.truthy(text:find "This build has no SQLite of its own", text)
  end)
end)
