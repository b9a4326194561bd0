-- Migrations that are killed, raced, or meet a bad disk.
local digests = require "migrate.digests"
local helper = require "helper"
local lfs = require "lfs"
local migrate = require "tombstone.migrate"
local migrator = require "faults.migrator"
local tombstone = require "tombstone"

local ROWS = helper.scaled(30000, 3000)
local KILLS = helper.scaled(60, 4)

local function command(path)
  return helper.lua_command("spec/faults/migrator.lua", path, ROWS)
end

local function applied(db)
  local n = 0
  for _, entry in ipairs(migrate.open(db, { migrations = migrator.migrations(ROWS) }):status()) do
    n = n + (entry.state == "applied" and 1 or 0)
  end
  return n
end

local function check(path)
  local db = tombstone.open(path)
  local done = applied(db)
  assert.is_nil(migrator.fault(db, ROWS, done))
  assert.equal("ok", db:query("PRAGMA integrity_check")[1].integrity_check)
  db:close()
  return done
end

local function run(path)
  local pipe = assert(io.popen(command(path) .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function run_and_kill(path, seconds)
  os.execute(("timeout -s KILL %.3f sh -c %s >/dev/null 2>&1"):format(seconds, helper.quote(command(path))))
end

after_each(helper.clean)

describe("migrations that are killed", function()
  it("leave the old or the new, and the next run finishes", function()
    local path = helper.path()
    local start = os.time()
    local clock = tombstone.open ":memory:"
    local begun = clock:now()
    run(path)
    local whole = clock:now() - begun
    clock:close()
    assert.equal(5, check(path))
    local reached = {}
    for i = 1, KILLS do
      local file = helper.path()
      -- in even steps over the time that all of it takes
      run_and_kill(file, 0.01 + whole * i / KILLS)
      reached[check(file)] = true
      if i % 2 == 0 then
        run_and_kill(file, 0.01 + whole / 3)
        check(file)
      end
      local output = run(file)
      assert.equal(5, check(file), output)
      assert.is_nil(lfs.attributes(file .. "-migrating"))
      helper.clean()
    end
    assert.is_true(os.time() >= start)
    local n = 0
    for _ in pairs(reached) do
      n = n + 1
    end
    assert.is_true(n > 1) -- some were killed on the way
  end)
end)

describe("two runners at once", function()
  it("apply each migration once", function()
    for _ = 1, helper.scaled(10, 2) do
      local path = helper.path()
      local pipes = {}
      for i = 1, 3 do
        pipes[i] = assert(io.popen(command(path) .. " 2>&1"))
      end
      local lines = {}
      for i = 1, 3 do
        for line in pipes[i]:lines() do
          lines[#lines + 1] = line
        end
        pipes[i]:close()
      end
      table.sort(lines)
      assert.same(
        { "0001_create", "0002_rebuild", "0003_double", "0004_outside", "0005_rebuild_again" },
        lines
      )
      check(path)
      helper.clean()
    end
  end)

  it("say so where one has to wait too long", function()
    local path = helper.path()
    local first = tombstone.open(path)
    local second = tombstone.open(path, { busy_timeout = 20 })
    local runner = migrate.open(second, { migrations = migrator.migrations(10) })
    first:transaction(function()
      local err = helper.raises("busy", runner.up, runner)
      assert.equal("0001_create", err.migration)
    end)
    assert.equal(5, #runner:up())
    first:close()
    second:close()
  end)
end)

describe("a bad disk", function()
  local function refused(db, kind)
    local before = digests.digest(db)
    local runner = migrate.open(db, { migrations = migrator.migrations(ROWS) })
    local err = helper.raises(kind, runner.up, runner)
    assert.equal(before, digests.digest(db))
    return err
  end

  it("that is full leaves the migration before", function()
    local path = helper.path()
    local db = tombstone.open(path)
    migrate.open(db, { migrations = migrator.migrations(ROWS) }):up { to = 1 }
    db:exec("PRAGMA max_page_count = " .. db:query("PRAGMA page_count")[1].page_count + 3)
    local err = refused(db, "database")
    assert.equal("0002_rebuild", err.migration)
    assert.truthy(err.hint:find("disk", 1, true))
    db:exec "PRAGMA max_page_count = 1000000000"
    assert.equal(4, #migrate.open(db, { migrations = migrator.migrations(ROWS) }):up())
    db:close()
    assert.equal(5, check(path))
  end)

  it("that is read-only refuses in one line", function()
    local path = helper.path()
    local db = tombstone.open(path)
    migrate.open(db, { migrations = migrator.migrations(ROWS) }):up { to = 1 }
    db:close()
    db = tombstone.open(path, { read_only = true })
    assert.equal("pending", migrate.open(db, { migrations = migrator.migrations(ROWS) }):status()[2].state)
    local err = refused(db, "database")
    assert.is_nil(err.message:find "\n")
    db:close()
  end)
end)
