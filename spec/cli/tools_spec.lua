-- tombstone types, graph, inspect and doctor, as processes.
local blog = require "cli.blog"
local command = require "cli.command"
local graph = require "tombstone.cli.graph"
local lfs = require "lfs"
local inspect = require "tombstone.migrate.inspect"
local tombstone = require "tombstone"
local types = require "tombstone.cli.types"
local cjson = require "cjson"

if not command.launcher then
  return
end

local function run(folder, ...)
  local code, out, err = command.run(folder, { ... })
  assert.equal("", err)
  return out, code
end

local function raw(folder, sql)
  local db = tombstone.open(folder .. "/blog.db")
  for statement in (sql .. ";"):gmatch "(.-);" do
    db:exec(statement)
  end
  db:close()
end

describe("the tools of the command", function()
  local folder

  before_each(function()
    folder = blog.filled()
  end)

  after_each(command.clean)

  local function text_of(writer, ...)
    local db = blog.open(folder)
    local text = writer(db, ...)
    db:close()
    return text
  end

  it("print types, or write them", function()
    local text = text_of(types.text)
    assert.equal(text, (run(folder, "types")))
    assert.equal("wrote types.lua\n", (run(folder, "types", "-o", "types.lua")))
    assert.equal(text, command.read(folder .. "/types.lua"))
    assert.same({ written = "b.lua" }, cjson.decode((run(folder, "types", "-o", "b.lua", "--json"))))
    assert.same({ text = text }, cjson.decode((run(folder, "types", "--json"))))
  end)

  it("say where they cannot write", function()
    local code, out, err = command.run(folder, { "types", "-o", "no/types.lua" })
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find "^tombstone: cannot write no/types.lua %- .*No such file")
  end)

  it("need models, and no database, for types and graphs", function()
    os.remove(folder .. "/blog.db")
    assert.truthy((run(folder, "types")):find "class Post:")
    assert.equal(text_of(graph.text), (run(folder, "graph")))
    command.write(folder .. "/models.lua", "return function() error 'no models today' end")
    local code, _, err = command.run(folder, { "graph" })
    assert.equal(1, code)
    assert.truthy(err:find("models.lua fails", 1, true) and err:find("no models today", 1, true), err)
  end)

  it("draw in two ways", function()
    assert.equal(text_of(graph.text, "dot"), (run(folder, "graph", "--format", "dot")))
    local code = command.run(folder, { "graph", "--format", "svg" })
    assert.equal(2, code)
  end)

  it("write models that the command takes", function()
    local text = text_of(inspect.text)
    assert.equal("wrote other.lua\n", (run(folder, "inspect", "-o", "other.lua")))
    assert.equal(text, command.read(folder .. "/other.lua"))
    assert.truthy((run(folder, "--models", "other.lua", "graph")):find "^erDiagram")
  end)

  it("write over models only when forced", function()
    local mine = command.read(folder .. "/models.lua")
    local code, out, err = command.run(folder, { "inspect", "-o", "models.lua" })
    local hint = "hint: name another file, or give --force to write over it\n"
    assert.same({ 1, "", "tombstone: models.lua is there already\n" .. hint }, { code, out, err })
    assert.equal(mine, command.read(folder .. "/models.lua"))
    run(folder, "inspect", "--force", "-o", "models.lua")
    assert.equal(text_of(inspect.text), command.read(folder .. "/models.lua"))
    run(folder, "types", "-o", "types.lua")
    assert.equal("wrote types.lua\n", (run(folder, "types", "-o", "types.lua")))
  end)
end)

-- What this machine's SQLite is like is no illness of the database.
local function plain(out)
  return (out:gsub("warning: SQLite %d[^\n]*\n[^\n]*\n", ""):gsub("^$", "Nothing is wrong.\n"))
end

describe("tombstone doctor", function()
  local folder

  before_each(function()
    folder = blog.filled()
  end)

  after_each(command.clean)

  it("finds nothing wrong", function()
    local out, code = run(folder, "doctor")
    assert.equal("Nothing is wrong.\n", plain(out))
    assert.equal(0, code)
  end)

  it("says what to do, and ends with 1 for an error", function()
    raw(folder, "DROP INDEX posts__living; UPDATE posts SET deleted_event = 99 WHERE deleted_at IS NULL")
    local out, code = run(folder, "doctor")
    assert.equal(1, code)
    assert.truthy(out:find("warning: table posts has no index of the living\n"
      .. "  CREATE INDEX posts__living (--fix does it)\n", 1, true), out)
    assert.truthy(out:find "error: %d+ rows? of Post live, held by an event: ")
  end)

  it("ends with 0 for a warning", function()
    raw(folder, "DROP INDEX posts__living")
    assert.equal(0, select(2, run(folder, "doctor")))
  end)

  it("mends when it may", function()
    raw(folder, "DROP INDEX posts__living")
    local code, _, err = command.run(folder, { "doctor", "--fix" })
    assert.equal(1, code)
    assert.equal("tombstone: nobody is there to be asked: Mend this?\n"
      .. "hint: give --yes, or leave --fix out to look only\n", err)
    local out = run(folder, "doctor", "--fix", "--yes")
    assert.truthy(out:find("mended: table posts has no index of the living\n", 1, true))
    out, code = run(folder, "doctor")
    assert.same({ "Nothing is wrong.\n", 0 }, { plain(out), code })
  end)

  it("says each finding once", function()
    lfs.mkdir(folder .. "/migrations")
    command.write(folder .. "/migrations/0001_x.lua", "return { up = function(m) m:execute 'SELECT 1' end }")
    local function times(out, words)
      return select(2, out:gsub(words, ""))
    end
    local out = command.sit(folder, { "doctor", "--fix" }, {})
    assert.equal(1, times(out, "migration 0001_x is not applied"))
    assert.falsy(out:find("Nothing is wrong", 1, true) or out:find("[y/N]", 1, true), out)
    raw(folder, "UPDATE posts SET deleted_event = 99 WHERE deleted_at IS NULL")
    out = command.sit(folder, { "doctor", "--fix" }, { "wait:Mend this? [y/N]", "send:y\\n" })
    assert.equal(1, times(out, "migration 0001_x is not applied"))
    assert.equal(1, times(out, "mended: 1 row of Post live, held by an event"), out)
    assert.equal(1, times(out, "error: 1 row of Post live, held by an event"))
  end)

  it("tells scripts", function()
    raw(folder, "DROP INDEX posts__living")
    local function without_sqlite(list)
      for i = #list, 1, -1 do
        if list[i].problem == "sqlite_bug" then
          table.remove(list, i)
        end
      end
      return list
    end
    local finding = {
      problem = "index_missing",
      severity = "warning",
      table = "posts",
      message = "table posts has no index of the living",
      remedy = "CREATE INDEX posts__living",
      fixable = true,
    }
    local told = cjson.decode((run(folder, "doctor", "--json")))
    assert.same({ finding }, without_sqlite(told.findings))
    told = cjson.decode((run(folder, "doctor", "--fix", "--yes", "--json")))
    assert.same({ finding }, told.mended)
    assert.same({}, without_sqlite(told.findings))
  end)
end)
