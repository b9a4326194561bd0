-- Posts in Tarantool: fibers that share a handle, and the prompt. Runs the commands of the README.
local helper = require "helper"
local host = require "hosts.host"
local terminal = require "hosts.terminal"
local tombstone = require "tombstone"

if not host.runs "luajit" then
  return
end

local quote = helper.quote

-- The command that the README has for a script, with a module and a database.
local function command(script, module, path)
  local readme = host.must "cat examples/hosts/tarantool/README.md"
  local shown = readme:match("\n    (tarantool [^\n]*" .. script .. ")\n")
  assert(shown, "the README runs " .. script)
  return ("env TOMBSTONE=%s %s %s"):format(quote(module), shown, quote(path))
end

local function query(path, sql)
  local db = tombstone.open(path)
  local rows = db:query(sql)
  db:close()
  return rows
end

local LIVING = "SELECT author, count(*) AS n FROM posts WHERE deleted_at IS NULL GROUP BY author"
local EVENTS = "SELECT actor, undone_at IS NOT NULL AS undone FROM tombstone_event ORDER BY id"

local REFUSED = "Another coroutine is in a transaction on this handle"
local HINT = "wait for its end, or open a handle for each coroutine"

local TOLD = [[
30 posts by 3 fibers
misuse	]] .. REFUSED .. "\t" .. HINT .. [[

false	changed my mind
first	came first
10 posts in the trash
Cannot restore record - title with value 'ana 3' already exists
10 posts came back
ana	ben
false	database is locked
the ticker went on
24 posts, 10 in the trash
false	fiber is cancelled
nil	true
]]

describe("Tarantool", function()
  it("has fibers that load, delete and undo on one handle, and wait for others", function()
    host.in_folder(function(folder)
      local path = folder .. "/posts.db"
      assert.equal(TOLD, host.must(command("story%.lua", host.module, path)))
      assert.same({
        { author = "ana", n = 10 },
        { author = "ben", n = 12 },
        { author = "eve", n = 1 },
        { author = "sam", n = 2 },
      }, query(path, LIVING))
      assert.same({
        { actor = "moderator", undone = 1 },
        { actor = "other", undone = 0 },
      }, query(path, EVENTS))
      assert.equal("ok", query(path, "PRAGMA integrity_check")[1].integrity_check)
      host.passed("Tarantool", "delete, undo")
      host.passed("Tarantool", "restore with conflict")
      host.passed("Tarantool", "fibers on one handle")
    end)
  end)

  it("has a prompt that shows rows and errors", function()
    host.in_folder(function(folder)
      local path = folder .. "/posts.db"
      terminal.with(folder, { command("console%.lua", host.module, path) }, function(prompt)
        prompt:shows "tarantool>"
        prompt:press('posts:add("Hello", "ana")', "Enter")
        prompt:shows "- 1"
        prompt:press('posts:add("Hello", "ben")', "Enter")
        prompt:shows "message: Cannot create record - title with value 'Hello' already exists"
        prompt:press('posts:delete("ana", "me") .. " is the event"', "Enter")
        prompt:shows "- 1 is the event"
        assert.same({ { actor = "me" } }, query(path, "SELECT actor FROM tombstone_event"))
        prompt:press("posts:trash()", "Enter")
        prompt:shows "title: Hello"
        prompt:press('posts:undo(1) .. " came back"', "Enter")
        prompt:shows "- 1 came back"
        prompt:press('posts:purge() .. " purged"', "Enter")
        prompt:shows "- 0 purged"
        assert.equal(1, query(path, "SELECT count(*) AS n FROM posts WHERE deleted_at IS NULL")[1].n)
      end)
    end)
  end)

  it("says what is wrong with the module", function()
    host.in_folder(function(folder)
      local text, code = host.run(command("story%.lua", folder .. "/none.so", folder .. "/posts.db"))
      assert.is_true(code ~= 0)
      assert.is_truthy(text:find("TOMBSTONE names no module for LuaJIT - ", 1, true), text)
    end)
  end)
end)
