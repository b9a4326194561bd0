-- A process that forks after opening: see fork.lua.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then
  return
end

describe("a host that forks", function()
  it("goes on undisturbed, and its children are refused", function()
    host.in_folder(function(folder)
      host.compile("fork", folder)
      local output, code = host.run(("%s/fork %s spec/hosts/fork.lua %s/a.db"):format(
        folder, helper.quote(host.module), folder))
      assert.are.equal("passed\n", output)
      assert.are.equal(0, code)
    end)
    host.passed("C program", "a fork")
  end)
end)
