-- The example of a database that another program has filled for years.
local helper = require "helper"

local PYTHON = "/usr/bin/python3" -- Debian's own, which has Debian's python3-django

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

describe("the example of a legacy database", function()
  it("goes up by twelve migrations, and every row comes back as it was", function()
    if output_of("exec env -u LD_PRELOAD " .. PYTHON .. " -c 'import django; print(1)'") ~= "1\n" then
      pending "needs Debian's python3-django"
      return
    end
    if os.getenv "ASAN_OPTIONS" then
      pending "Python leaks by itself"
      return
    end
    local said = output_of(helper.lua_command "examples/legacy.lua")
    for _, line in ipairs {
      "Django has left 10 tables and 267 rows.",
      "ana   writes, and has 5 rights",
      "mangled: 174 living, 40 dead",
      "Post 0__deleted_1551443415.25 was called Post 0",
      "Cannot restore record - title with value 'Post 0' already exists",
      "of 40 dead posts 14 find their title taken",
      "0012_first_names_that_may_be_missing.lua",
      "12 migrations taken back",
      "every row is as Django left it: true",
      "and up again: 12 migrations",
    } do
      assert.truthy(said:find(line, 1, true), line .. "\nis not in\n" .. said)
    end
  end)
end)
