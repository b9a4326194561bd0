-- The runner: what is applied and what not, in order, all or nothing.
local digests = require "migrate.digests"
local helper = require "helper"
local lfs = require "lfs"
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"

local db, folder, files

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  files[name] = true
end

local function create(name)
  return ([[return { up = function(m)
    m:create_table("%s", { { "id", "integer", key = true }, { "name", "text", null = true } })
  end }
]]):format(name)
end

local function open(options)
  options = options or {}
  options.migrations = options.migrations or folder
  return migrate.open(db, options)
end

local function states()
  local list = {}
  for i, entry in ipairs(open():status()) do
    list[i] = entry.name:sub(1, 4) .. " " .. entry.state
  end
  return list
end

local function has_table(name)
  return #db:query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name) > 0
end

local function three()
  write("0001_a.lua", create "a")
  write("0002_b.lua", create "b")
  write("0003_c.lua", create "c")
end

before_each(function()
  db, folder, files = tombstone.open(":memory:"), os.tmpname(), {}
  os.remove(folder)
  assert(lfs.mkdir(folder))
end)

after_each(function()
  db:close()
  for name in pairs(files) do
    os.remove(folder .. "/" .. name)
  end
  lfs.rmdir(folder)
  helper.clean()
end)

describe("the runner", function()
  it("applies what is pending, in order, once", function()
    write("0002_b.lua", create "b")
    write("0001_a.lua", create "a")
    write("README.md", "no migration")
    assert.same({ "0001 pending", "0002 pending" }, states())
    assert.is_false(has_table "tombstone_migration") -- a look writes nothing
    assert.same({ "0001_a", "0002_b" }, open():up())
    assert.same({ "0001 applied", "0002 applied" }, states())
    assert.same({}, open():up())
    write("0003_c.lua", create "c")
    assert.same({ "0003_c" }, open():up())
    local entry = open():status()[3]
    assert.truthy(entry.applied_at:match "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$")
    assert.is_true(entry.seconds >= 0)
  end)

  it("stops where it is told to, and takes back", function()
    three()
    assert.same({ "0001_a", "0002_b" }, open():up { to = "0002" })
    assert.same({ "0003_c" }, open():up { to = "0003_c" })
    assert.same({ "0003_c" }, open():down())
    assert.same({ "0002_b", "0001_a" }, open():down { to = 0 })
    assert.is_false(has_table "a")
    assert.same({}, open():down())
    open():up()
    assert.same({ "0003_c", "0002_b" }, open():down { steps = 2 })
    assert.same({ "0001 applied", "0002 pending", "0003 pending" }, states())
    helper.refuses("migration", "There is no migration '7'", function()
      open():up { to = 7 }
    end)
  end)

  it("goes on where it failed", function()
    three()
    write("0002_b.lua", [[return { up = function(m)
      m:create_table("b", { { "id", "integer", key = true } })
      error "no such luck"
    end }]])
    local err = helper.raises("migration", function()
      open():up()
    end)
    assert.equal("0002_b", err.migration)
    assert.truthy(err.message:find("Migration '0002_b' failed - ", 1, true))
    assert.truthy(err.message:find("no such luck", 1, true))
    assert.truthy(tostring(err.cause):find("no such luck", 1, true))
    assert.is_false(has_table "b")
    assert.same({ "0001 applied", "0002 pending", "0003 pending" }, states())
    write("0002_b.lua", create "b")
    assert.same({ "0002_b", "0003_c" }, open():up())
  end)

  it("says which statement failed", function()
    local err = helper.raises("database", function()
      open({ migrations = { { name = "0001_a", up = function(m)
        m:execute "UPDAT t"
      end } } }):up()
    end)
    assert.equal("UPDAT t", err.sql)
    assert.equal("0001_a", err.migration)
  end)

  it("keeps errors that programs raise as they are", function()
    local thrown = {}
    local ok, err = pcall(function()
      open({ migrations = { { name = "0001_a", up = function()
        error(thrown)
      end } } }):up()
    end)
    assert.is_false(ok)
    assert.equal(thrown, err)
  end)

  it("refuses when an applied file was edited, or is missing", function()
    three()
    open():up()
    write("0001_a.lua", "-- edited\n" .. create "a")
    assert.same({ "0001 edited", "0002 applied", "0003 applied" }, states())
    helper.refuses("migration", "Migration '0001_a' was edited after it was applied", function()
      open():up()
    end)
    helper.refuses("migration", "Migration '0001_a' was edited after it was applied", function()
      open():down()
    end)
    assert.same({ "0001_a" }, open():accept())
    assert.same({}, open():up())
    os.remove(folder .. "/0002_b.lua")
    assert.same({ "0001 applied", "0002 missing", "0003 applied" }, states())
    helper.refuses("migration", "Migration '0002_b' is applied, but its file is missing", function()
      open():up()
    end)
  end)

  it("forgets what is missing, where told so", function()
    three()
    open():up()
    os.remove(folder .. "/0003_c.lua")
    assert.same({ "0003_c" }, open():accept())
    assert.same({ "0001 applied", "0002 applied" }, states())
    assert.same({ "0002_b" }, open():down())
  end)

  it("says what taking back drops", function()
    three()
    open():up()
    db:exec "INSERT INTO b (name) VALUES ('x')"
    assert.same(
      { "drops table 'c' and its 0 rows", "drops table 'b' and its 1 rows" },
      open():losses { to = 1 }
    )
    helper.refuses("misuse", "steps is a number of migrations, not 'x'", function()
      open():down { steps = "x" }
    end)
  end)

  it("bears other ends of lines", function()
    write("0001_a.lua", create "a")
    open():up()
    write("0001_a.lua", (create("a"):gsub("\n", "\r\n")))
    assert.same({ "0001 applied" }, states())
  end)

  it("notes without running, where told so", function()
    three()
    assert.same({ "0001_a", "0002_b" }, open():up { fake = true, to = 2 })
    assert.is_false(has_table "a")
    assert.same({ "0003_c" }, open():up())
    assert.is_true(has_table "c")
    assert.same({ "0003_c", "0002_b" }, open():down { fake = true, steps = 2 })
    assert.is_true(has_table "c")
  end)

  it("tries in a transaction that is taken back", function()
    three()
    write("0004_d.lua", [[return { transaction = false, up = function(m) m:execute "VACUUM" end }]])
    open():up { to = 1 }
    local before, statements = digests.digest(db), {}
    local names = open({
      log = function(sql)
        statements[#statements + 1] = sql
      end,
    }):up { dry_run = true }
    assert.same({ "0002_b", "0003_c" }, names)
    assert.truthy(table.concat(statements, "\n"):find('CREATE TABLE "c"', 1, true))
    assert.equal(before, digests.digest(db))
    assert.equal(1, db:query("PRAGMA foreign_keys")[1].foreign_keys)
    assert.same({ "0001_a" }, open():down { dry_run = true })
    assert.equal(before, digests.digest(db))
    write("0002_b.lua", "return { up = function(m) m:drop_table 'nothing' end }")
    helper.refuses("migration", "There is no table 'nothing'", function()
      open():up { dry_run = true }
    end)
    assert.equal(before, digests.digest(db))
  end)

  it("shows the SQL without touching the database", function()
    write("0001_a.lua", create "a")
    open():up()
    write("0002_a.lua", [[return { up = function(m)
      m:add_column("a", { "n", "integer", default = "1" })
      m:rename_table("a", "z")
    end }]])
    write(
      "0003_d.lua",
      [[return { transaction = false, up = function(m) m:execute("VACUUM", "VACUUM") end }]]
    )
    local before = digests.digest(db)
    local found = open():sql()
    assert.equal("0002_a", found[1].name)
    assert.same({
      [[ALTER TABLE "a" ADD COLUMN "n" integer NOT NULL DEFAULT 1]],
      [[ALTER TABLE "a" RENAME TO "z"]],
    }, found[1].statements)
    assert.same({ name = "0003_d", statements = { "VACUUM" } }, found[2])
    assert.equal(before, digests.digest(db))
    open():up()
    assert.same({ [[ALTER TABLE "z" RENAME TO "a"]] }, {
      open():sql({ down = true, steps = 2 })[2].statements[1],
    })
  end)

  it("runs outside of a transaction where told so, and again after a failure", function()
    local runs = 0
    local fails = true
    local migrations = {
      {
        name = "0001_a",
        transaction = false,
        up = function(m)
          runs = runs + 1
          assert(m.db:depth() == 0)
          m:execute "CREATE TABLE IF NOT EXISTS a (x)"
          if fails then
            error "half done"
          end
          m:execute "VACUUM"
        end,
        down = function(m)
          m:execute "DROP TABLE a"
        end,
      },
    }
    local path = helper.path()
    local own = tombstone.open(path)
    local runner = migrate.open(own, { migrations = migrations })
    helper.raises("migration", runner.up, runner)
    assert.equal("unfinished", runner:status()[1].state)
    fails = false
    assert.same({ "0001_a" }, runner:up())
    assert.equal(2, runs)
    assert.equal("applied", runner:status()[1].state)
    assert.is_nil(lfs.attributes(path .. "-migrating"))
    assert.same({ "0001_a" }, runner:down())
    assert.equal("pending", runner:status()[1].state)
    own:close()
  end)

  it("takes back by words turned round, or by down", function()
    write("0001_a.lua", [[return {
      up = function(m)
        m:create_table("a", { { "id", "integer", key = true } })
        m:add_column("a", { "x", "text", null = true })
        m:add_index("a", { "x" })
      end,
    }]])
    local before = digests.digest(db)
    open():up()
    open():down()
    assert.equal(before, digests.digest(db))
    local asked = {
      {
        name = "0001_a",
        up = function(m)
          if #m.db:query "SELECT 1" > 0 then
            m:execute "CREATE TABLE a (x)"
          end
        end,
      },
    }
    local runner = open { migrations = asked }
    runner:up()
    local err = helper.raises("misuse", runner.down, runner)
    assert.equal("'db' cannot be asked while up is reversed", err.message)
  end)

  it("leaves the foreign keys as the handle had them", function()
    write("0001_a.lua", create "a")
    open():up()
    assert.equal(1, db:query("PRAGMA foreign_keys")[1].foreign_keys)
    open():down()
    db:exec "PRAGMA foreign_keys = OFF"
    open():up()
    assert.equal(0, db:query("PRAGMA foreign_keys")[1].foreign_keys)
  end)

  it("is refused inside of a transaction", function()
    write("0001_a.lua", create "a")
    db:transaction(function()
      helper.refuses("misuse", "Migrations begin their own transactions", function()
        open():up()
      end)
    end)
  end)
end)

describe("files of migrations", function()
  local function refused(message, kind)
    local err = helper.raises(kind or "migration", open)
    assert.equal(message, (err.message:gsub("^(.-) %- .*$", "%1")))
    assert.is_string(err.hint)
  end

  it("are Lua that returns up", function()
    write("0001_a.lua", "return { up = ")
    refused "Migration '0001_a' is no Lua"
    write("0001_a.lua", "error 'no'")
    refused "Migration '0001_a' cannot be loaded"
    write("0001_a.lua", "return 5")
    refused "Migration '0001_a' is no table"
    write("0001_a.lua", "return {}")
    refused "Migration '0001_a' has no up"
    write("0001_a.lua", "return { up = 'x' }")
    refused "Migration '0001_a' has a up that is no function"
    write("0001_a.lua", "return { up = print, dwn = print }")
    assert.equal("down", helper.raises("misuse", open).hint:match "down")
  end)

  it("have a number of their own and a name", function()
    write("create.lua", create "a")
    refused "Migration 'create.lua' has no name like 0001_create_posts.lua"
    os.remove(folder .. "/create.lua")
    write("0001_a.lua", create "a")
    write("0001_b.lua", create "b")
    helper.raises("migration", open)
    os.remove(folder .. "/0001_b.lua")
    assert.same({ "0001_a" }, open():up())
  end)

  it("stand in a folder that is there", function()
    local err = helper.raises("migration", function()
      open { migrations = folder .. "/nowhere" }
    end)
    assert.truthy(err.message:find("There is no folder", 1, true))
    helper.raises("misuse", function()
      open { migrations = 5 }
    end)
    helper.raises("misuse", function()
      migrate.open(db)
    end)
  end)
end)
