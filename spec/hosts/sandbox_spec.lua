-- A sandbox: a state without io, os, debug, package and require runs models that its host hands in, in
-- memory that its host counts and limits.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then
  return
end

local function run(folder, script, limit)
  return host.run(("%s/sandbox %s spec/hosts/%s %s/a.db %s"):format(
    folder, helper.quote(host.module), script, folder, limit or ""))
end

-- LuaJIT loses count of the bytes of some blocks, for itself alone.
local function assert_nothing_left(output)
  if host.lua ~= "luajit" then
    assert.truthy(output:find("left: 0 bytes", 1, true), output)
  end
end

describe("a sandbox", function()
  it("runs models that its host hands in", function()
    host.in_folder(function(folder)
      host.compile("sandbox", folder)
      local output, code = run(folder, "sandbox.lua")
      assert.are.equal(0, code, output)
      assert.truthy(output:find("one one (restored)/Ana three two/Ana\n", 1, true), output)
      assert_nothing_left(output)
    end)
    host.passed("C program", "a sandbox")
  end)

  it("has no more memory than its host gives, and leaks none", function()
    host.in_folder(function(folder)
      host.compile("sandbox", folder)
      local output, code = run(folder, "hoard.lua", 6000000)
      assert.are.equal(0, code, output)
      assert.truthy(output:find("refused and went on\n", 1, true), output)
      assert_nothing_left(output)
    end)
    host.passed("C program", "a limit of memory")
  end)

  it("says so where it has too little for the module itself, and leaks none", function()
    host.in_folder(function(folder)
      host.compile("sandbox", folder)
      for _, limit in ipairs { 150000, 300000, 500000 } do
        local output = run(folder, "sandbox.lua", limit)
        assert.truthy(output:find("failed: not enough memory", 1, true) or output:find "/Ana", output)
        assert_nothing_left(output)
      end
    end)
  end)
end)
