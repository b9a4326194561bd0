-- The notebook in C, built and run as its README says.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs "5.4" then
  return
end

-- The commands of the README, each with its folder in place of build/; the first builds what this
-- run has built already, and installs it.
local function commands(folder)
  local found = {}
  for line in io.lines "examples/hosts/c/README.md" do
    local command = line:match "^    (%S.*)$"
    if command then
      command = command:gsub("^cmake %-%-preset test && cmake %-%-build %-%-preset test && ", "")
      command = command:gsub("build/test", host.build):gsub('"%$PWD/build/prefix"', folder .. "/prefix")
      found[#found + 1] = (command:gsub("%f[%w/]build/", folder .. "/"))
    end
  end
  return found
end

local NOTEBOOK = "the notebook:\n  1. Milk\n  2. Call Ana\n  3. Old idea\n"

local TIDY = [[
2 notes went into the bin
2	Call Ana (restored)
4	Call Ana
what the script did:
  1. Milk
  2. Call Ana (restored)
  3. Old idea__deleted_STAMP (in the bin)
  4. Call Ana
]]

local TIDIED = [[
the notebook:
  1. Milk
  2. Call Ana (restored)
  3. Old idea__deleted_STAMP (in the bin)
  4. Call Ana
]]

local function without_stamps(text)
  return (text:gsub("__deleted_%d+%.%d+", "__deleted_STAMP"))
end

local function rows(folder, sql)
  return host.must(("sqlite3 %s %s"):format(helper.quote(folder .. "/notes.db"), helper.quote(sql)))
end

local function refuses(command, what)
  local output, code = host.run(command)
  assert.equal(1, code, output)
  assert.truthy(output:find(what, 1, true), output)
  assert.truthy(without_stamps(output):find(TIDIED, 1, true), output)
end

-- What a script may not do, and what it is told.
local REACHES = {
  ["io.open '/etc/passwd'"] = "attempt to index",
  ["os.execute 'true'"] = "attempt to index",
  ["debug.getregistry()"] = "attempt to index",
  ["package.loadlib('x', 'y')"] = "attempt to index",
  ["require 'tombstone'"] = "attempt to call",
  ["load 'return 1'"] = "attempt to call",
  ["loadfile 'x'"] = "attempt to call",
  ["dofile 'x'"] = "attempt to call",
  ["getmetatable(db).open 'x'"] = "attempt to index",
  ["db:backup 'x'"] = "attempt to call",
  ["db:exec 'ATTACH \"x\" AS x'"] = "not authorized",
}

local function check_reaches(folder, run)
  for code, what in pairs(REACHES) do
    local file = assert(io.open(folder .. "/reach.lua", "w"))
    file:write(code, "\n")
    file:close()
    refuses(run:gsub("%S+$", folder .. "/reach.lua"), what)
  end
end

describe("a C program that lends its connection to scripts", function()
  it("is built by its README, tries, keeps, rolls back and stops them", function()
    host.in_folder(function(folder)
      local install, configure, build, try, run, list, loop, query = helper.unpack(commands(folder))
      host.must(install)
      host.must(configure)
      host.must(build, 120)

      assert.equal(TIDY .. NOTEBOOK, without_stamps(host.must(try)))
      assert.equal("0\n", rows(folder, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tombstone%'"))
      assert.equal(NOTEBOOK, host.must(list))

      assert.equal(TIDY .. TIDIED, without_stamps(host.must(run)))
      assert.equal(TIDIED, without_stamps(host.must(list)))
      assert.equal("unseen|0\nold|1\n", rows(folder, "SELECT reason, undone_at IS NULL FROM tombstone_event"))
      assert.equal("ok\n", rows(folder, "PRAGMA integrity_check"))

      refuses(loop, "the script took too long")
      refuses(query, "interrupted")
      check_reaches(folder, run)
      assert.equal(TIDIED, without_stamps(host.must(list)))
    end)
    host.passed("C program", "a notebook that lends its connection and stops scripts")
  end)
end)
