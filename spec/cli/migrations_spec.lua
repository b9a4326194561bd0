-- The commands on migrations, from an empty folder to a year of changes.
-- luacheck: no max string line length
local command = require "cli.command"
local lfs = require "lfs"

if not command.launcher then
  return
end

local folder

local function run(...)
  return command.run(folder, { ... })
end

local function says(expected, ...)
  local code, out, err = run(...)
  assert.equal(expected, out, err)
  return code, err
end

local function write(name, text)
  command.write(folder .. "/" .. name, text)
end

local MODELS = [[
local f = require("tombstone").field
return function(db)
  db:model("Post", { %s }, { table = "posts" })
end
]]

local function models(fields)
  write("models.lua", MODELS:format(fields))
end

-- Times of day are not golden.
local function plain(text)
  return (text:gsub("%d%d%d%d%-%d%d%-%d%d([ T])%d%d:%d%d:%d%d", "2026-01-02%103:04:05"))
end

local function golden(name, ...)
  local code, out, err = run("--json", ...)
  assert.equal(command.golden(name), plain(out), err)
  return code
end

before_each(function()
  folder = command.folder()
  run "init"
  models "title = f.char { max_length = 100, unique = true }"
end)

after_each(command.clean)

describe("the commands on migrations", function()
  it("go from nothing to a database and on", function()
    assert.equal(0, says("wrote migrations/0001_create_posts.lua\n", "diff"))
    assert.equal(3, says("pending     0001_create_posts\n", "status"))
    assert.equal(0, says("applied 0001_create_posts\n", "migrate"))
    assert.equal(0, says("Nothing to do.\n", "migrate"))
    assert.equal(3, says("The database is what the models say.\n", "diff"))
    local code, out = run "status"
    assert.equal(0, code)
    assert.equal("applied     0001_create_posts  2026-01-02 03:04:05 UTC\n", plain(out))
    models "title = f.char { max_length = 100, unique = true }, views = f.integer { default = 7 }"
    says("wrote migrations/0002_add_posts_views.lua\n", "diff")
    local sql = [[INSERT OR ABORT INTO "tombstone_new_posts" ("id", "title", "deleted_at", "deleted_event", ]]
    local _, shown = run "sql"
    assert.truthy(shown:find("-- 0002_add_posts_views\n", 1, true))
    assert.truthy(shown:find(sql, 1, true), shown)
    assert.equal(3, run "status")
    says("would be applied 0002_add_posts_views\n", "migrate", "--dry-run")
    says("applied 0002_add_posts_views\n", "migrate")
    says("nothing\n", "shell", "-e", "print(Post.objects:first() or 'nothing')")
  end)

  it("take back when told to", function()
    run "diff"
    run "migrate"
    local code, _, err = run "rollback"
    assert.equal(1, code)
    assert.truthy(err:find("nobody is there to be asked: Take back 0001_create_posts?", 1, true))
    run("shell", "-e", "Post:create { title = 'x' }")
    local losses = "drops table 'posts' and its 1 rows\ndrops table 'tombstone_event' and its 0 rows\n"
    says(losses .. "would be taken back 0001_create_posts\n", "rollback", "--dry-run")
    says(losses .. "taken back 0001_create_posts\n", "--yes", "rollback", "--to", "0")
    assert.equal(3, says("Nothing to take back.\n", "--yes", "rollback"))
    says("applied 0001_create_posts\n", "migrate", "--fake")
    says("taken back 0001_create_posts\n", "--yes", "rollback", "--fake")
  end)

  it("say what a new migration drops", function()
    run "diff"
    run "migrate"
    run("shell", "-e", "Post:create { title = 'x' }")
    models "headline = f.char { max_length = 100, default = '' }"
    local code, out = run "diff"
    assert.equal(0, code)
    assert.equal(
      "drops column 'title' of 'posts' and its values in 1 rows\n"
        .. "is it 'headline' now? then say renamed_from = "
        .. "\"title\" in the model of 'posts', remove this file, and diff again\n"
        .. "wrote migrations/0002_change_posts.lua\n",
      out
    )
    local _, _, err = run "diff"
    assert.truthy(err:find("Some migrations are not applied", 1, true))
    os.remove(folder .. "/migrations/0002_change_posts.lua")
    models "headline = f.char { max_length = 100, unique = true, renamed_from = 'title' }"
    local _, text = run("diff", "--dry-run")
    assert.truthy(text:find([[m:rename_column("posts", "title", "headline")]], 1, true))
    says("wrote migrations/0002_headlines.lua\n", "diff", "headlines")
    run "migrate"
    says("x\n", "shell", "-e", "print(Post.objects:first().headline)")
  end)

  it("write nothing where a diff is only looked at", function()
    local code, text = run("diff", "--dry-run")
    assert.equal(0, code)
    assert.truthy(text:find('m:create_table("posts"', 1, true), text)
    assert.is_nil(lfs.attributes(folder .. "/app.db"))
    write("app.db", "")
    run("shell", "-e", "db:exec 'CREATE TABLE other (id integer PRIMARY KEY)'")
    local made = command.read(folder .. "/app.db")
    local before = made:sub(1, 18) .. "\1\1" .. made:sub(21) -- its header says: not WAL
    assert.not_equal(made, before)
    write("app.db", before)
    code, text = run("diff", "--dry-run")
    assert.equal(0, code)
    assert.truthy(text:find('m:create_table("posts"', 1, true), text)
    assert.equal(before, command.read(folder .. "/app.db"))
    run "diff"
    assert.equal(made:sub(19, 20), command.read(folder .. "/app.db"):sub(19, 20))
  end)

  it("refuse in one line, with what to do", function()
    local function refuses(message, hint, ...)
      local code, out, err = run(...)
      assert.equal(1, code)
      assert.equal("", out)
      assert.equal("tombstone: " .. message .. "\nhint: " .. hint .. "\n", err)
    end
    run "diff"
    run "migrate"
    local path = "migrations/0001_create_posts.lua"
    local text = command.read(folder .. "/" .. path)
    write(path, text .. "-- edited\n")
    refuses(
      "Migration '0001_create_posts' was edited after it was applied",
      "put the file back and write a new migration; or migrate with --accept-edited",
      "migrate"
    )
    says("accepted 0001_create_posts\nNothing to do.\n", "migrate", "--accept-edited")
    write("migrations/0002_x.lua", "return { up = function(m) m:drop_table 'post' end }")
    refuses("0002_x: There is no table 'post'", "look at its name, or create it first", "migrate")
    write("migrations/0002_x.lua", "return { up = function(m) m:add_index('posts', { 'titel' }) end }")
    refuses("0002_x: Table 'posts' has no column 'titel'", "look at its name", "migrate")
    write("migrations/0002_x.lua", "return {")
    local code, _, err = run "migrate"
    assert.equal(1, code)
    assert.truthy(err:find("Migration '0002_x' is no Lua - ", 1, true))
    write("migrations/0002_x.lua", "return { up = function(m) m:create_table('z', { { 'a' } }) end,"
      .. " down = function() error 'no way back' end }")
    run "migrate"
    code, _, err = run("--yes", "rollback")
    assert.equal(1, code)
    assert.truthy(err:find("Migration '0002_x' failed - ", 1, true))
    assert.truthy(err:find("no way back", 1, true))
    local _, out = run "status"
    assert.truthy(out:find("applied     0002_x", 1, true))
  end)

  it("name the one that failed", function()
    local function fails(message, ...)
      local code, out, err = run(...)
      assert.same({ 1, "", "tombstone: " .. message }, { code, out, err:match "^[^\n]*" })
    end
    run "diff"
    run "migrate"
    write("migrations/0002_x.lua", "return { up = function(m) m:execute 'UPDATE posts SET x = 1' end }")
    fails("0002_x: no such column: x", "migrate")
    fails("0002_x: no such column: x", "migrate", "--dry-run")
    fails("0002_x: no such column: x", "sql")
    write("migrations/0002_x.lua", "return { up = function(m) m:execute 'SELECT 1' end,"
      .. " down = function(m) m:drop_table 'post' end }")
    run "migrate"
    fails("0002_x: There is no table 'post'", "--yes", "rollback")
  end)

  it("only look under --dry-run", function()
    run "diff"
    assert(os.remove(folder .. "/app.db"))
    says("would be applied 0001_create_posts\n", "migrate", "--dry-run")
    assert.is_nil(lfs.attributes(folder .. "/app.db"))
    local code, _, err = run("migrate", "--dry-run", "--accept-edited")
    assert.equal(2, code)
    assert.truthy(err:find("--accept-edited writes", 1, true))
  end)

  it("are looked at by the doctor", function()
    local function doctor()
      local code, out, err = run "doctor"
      assert.equal("", err)
      return code, out:match "%l+: migration[^\n]*\n[^\n]*" or ""
    end
    run "diff"
    run "migrate"
    assert.same({ 0, "" }, { doctor() })
    write("migrations/0002_x.lua", "return { up = function(m) m:execute('SELECT 1', 'SELECT 1') end }")
    assert.same({ 0, "info: migration 0002_x is not applied\n  migrate" }, { doctor() })
    run "migrate"
    os.remove(folder .. "/migrations/0002_x.lua")
    local code, said = doctor()
    assert.equal(1, code)
    assert.equal("error: migration 0002_x is applied, but its file is missing\n  put the file back", said)
  end)

  it("speak JSON to scripts", function()
    assert.equal(0, golden("diff", "diff"))
    assert.equal(3, golden("status_pending", "status"))
    assert.equal(0, golden("sql", "sql"))
    assert.equal(0, golden("migrate", "migrate"))
    assert.equal(0, golden("status", "status"))
    assert.equal(3, golden("diff_none", "diff"))
    assert.equal(0, golden("rollback", "--yes", "rollback"))
  end)
end)

describe("in a terminal", function()
  local LONG = [[return { up = function(m)
    m:create_table("t", { { "id", "integer", key = true }, { "n", "integer", null = true } })
    m:execute "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 200000)\
      INSERT INTO t (n) SELECT n FROM i"
    m:change_column("t", { "n", "text", null = true }, { using = "n || ''" })
    for _ = 1, 60 do m:update("t", { n = "n + 1" }) end
  end }]]

  it("rollback asks", function()
    run "diff"
    run "migrate"
    local asked = "wait:Take back 0001_create_posts? [y/N]"
    local screen = command.sit(folder, { "rollback" }, { asked, "send:n\\n" })
    assert.truthy(screen:find("not agreed, nothing was changed", 1, true), screen)
    screen = command.sit(folder, { "rollback" }, { asked, "send:y\\n" })
    assert.truthy(screen:find("taken back 0001_create_posts", 1, true), screen)
  end)

  it("a long step shows progress, and Ctrl-C leaves nothing of it", function()
    run "diff"
    run "migrate"
    write("migrations/0002_long.lua", LONG)
    local steps = { "wait:0002_long, t: ", "interrupt" }
    local screen = command.sit(folder, { "migrate" }, steps)
    assert.truthy(screen:find("of 200000", 1, true), screen)
    assert.truthy(screen:find("interrupted", 1, true), screen)
    assert.truthy(screen:find("\nexit 130\n", 1, true), screen)
    local _, out = run "status"
    assert.truthy(out:find("pending     0002_long", 1, true))
    local _, tables = run("shell", "-e", "print(#db:query \"SELECT 1 FROM sqlite_master WHERE name = 't'\")")
    assert.equal("0\n", tables)
  end)
end)
