-- A process that forks after opening: see fork.lua.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then
  return
end

local LIBRARY = host.lua == "luajit" and "luajit" or "lua" .. host.lua

describe("a host that forks", function()
  it("goes on undisturbed, and its children are refused", function()
    host.in_folder(function(folder)
      host.must(([[cc -std=c99 -Wall -Wextra -D_POSIX_C_SOURCE=200809L -o %s/fork spec/hosts/fork.c \
        $(pkg-config --cflags --libs %s) -ldl -lm]]):format(folder, LIBRARY))
      local output, code = host.run(("%s/fork %s spec/hosts/fork.lua %s/a.db"):format(
        folder, helper.quote(host.module), folder))
      assert.are.equal("passed\n", output)
      assert.are.equal(0, code)
    end)
    host.passed("C program", "a fork")
  end)
end)
