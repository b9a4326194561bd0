-- The bookmarks of examples/hosts/mpv.
local host = require "hosts.host"
if not host.runs "5.2" then
  return
end

local foreign = require "hosts.foreign"
local helper = require "helper"
local server = require "hosts.server"
local f = require("tombstone").field

-- The bookmarks, as another process sees them.
local function with_database(folder, fn)
  host.with_database(folder .. "/bookmarks.db", function(db)
    return db:model("Bookmark", { file = f.text(), name = f.text(), at = f.number() }, {
      unique_together = { { "file", "name" } }, order_by = "at",
    })
  end, fn)
end

local SCRIPT = "examples/hosts/mpv/bookmarks.lua"

-- An mpv that plays silence in `folder`, for `fn`, which gets how to say a command to it, how to wait for
-- a line that the script prints, and the process.
local function with_mpv(folder, fn)
  local said = {}
  local command = ("env -C %s HOME=%s TOMBSTONE=./core.so BOOKMARKS=bookmarks.db "):format(
    helper.quote(folder), helper.quote(folder))
  command = command .. server.as_nobody("mpv --no-config --no-input-terminal --vo=null --ao=null --pause "
    .. "--start=10 --input-ipc-server=mpv.sock --script=" .. SCRIPT .. " silence.wav")

  local function say(words)
    return host.run(("python3 examples/hosts/mpv/say.py %s/mpv.sock %s"):format(helper.quote(folder), words))
  end

  server.during(command, folder .. "/output", function(mpv)
    local function wait_for(line)
      said[line] = (said[line] or 0) + 1
      mpv:wait(line, function()
        local _, times = server.read(folder .. "/output"):gsub("%[bookmarks%] " .. line, "")
        return times >= said[line]
      end)
    end
    mpv:wait("the file", function()
      return say "get_property time-pos" == "10.0\n"
    end)
    fn(say, wait_for, mpv)
  end)
end

local function in_layout(fn)
  server.in_open_folder(function(folder)
    server.lay_out("mpv", folder)
    server.script(folder, "lua5.2 examples/hosts/mpv/silence.lua silence.wav 60")
    fn(folder)
  end)
end

describe("the bookmarks in mpv", function()
  it("are set, deleted and undone by the commands of its README", function()
    server.in_open_folder(function(folder)
      local output = server.follow("mpv", folder)
      local said = {}
      for line in output:gmatch "%[bookmarks%] ([^\n]-) *\n" do
        said[#said + 1] = line
      end
      assert.same({
        "intro at 0:10.00", "intro is in the trash; U brings it back", "1 back",
        "intro is in the trash; U brings it back", "intro at 0:10.00",
        "Cannot restore record - file, name with values '" .. folder
          .. "/silence.wav', 'intro' already exist",
        "1 back", "0:10.00  intro (restored)", "0:10.00  intro",
      }, said)
      with_database(folder, function(db, Bookmark)
        assert.equal(2, Bookmark.objects:filter({ at = 10 }):count())
        assert.equal(0, #db:events { undone = false })
      end)
    end)
    host.passed("mpv", "delete, undo")
    host.passed("mpv", "restore with conflict")
  end)

  it("have keys", function()
    in_layout(function(folder)
      with_mpv(folder, function(say, wait_for, mpv)
        local function wait_at(at)
          mpv:wait("second " .. at, function()
            local now = tonumber((say "get_property time-pos"))
            return now and math.abs(now - at) < 0.01
          end)
        end
        local function go_to(at)
          say(("seek %d absolute+exact"):format(at))
          wait_at(at)
        end
        say "keypress B"
        wait_for "0:10.00 at 0:10.00"
        go_to(30)
        say "keypress B"
        wait_for "0:30.00 at 0:30.00"
        say "keypress B" -- the same name again
        wait_for "Cannot create record"
        say "keypress N"
        wait_for "0:10.00 *\n"
        wait_at(10)
        go_to(29)
        say "keypress D"
        wait_for "0:10.00 is in the trash"
        say "keypress U"
        wait_for "1 back"
        say "keypress U"
        wait_for "nothing to undo"
      end)
      with_database(folder, function(db, Bookmark)
        assert.same({ "0:10.00", "0:30.00" }, helper.list(Bookmark.objects, "name"))
        assert.is_number(db:events({ id = 1 })[1].undone_at)
      end)
    end)
  end)

  it("are there after mpv was killed", function()
    in_layout(function(folder)
      with_mpv(folder, function(say, wait_for, mpv)
        say "script-message bookmark-add 'one'"
        wait_for "one at"
        say "script-message bookmark-delete"
        wait_for "one is in the trash"
        os.execute("kill -KILL " .. mpv.pid)
      end)
      with_mpv(folder, function(say, wait_for)
        say "script-message bookmark-undo"
        wait_for "1 back"
        say "script-message bookmark-list"
        wait_for "0:10.00  one"
      end)
    end)
    host.passed("mpv", "a killed player")
  end)

  it("leave mpv playing where the module is for another Lua", function()
    in_layout(function(folder)
      foreign.build(folder .. "/core.so", "5.4")
      with_mpv(folder, function(say)
        local output = server.read(folder .. "/output")
        assert.is_truthy(output:find("undefined symbol: lua_", 1, true), output)
        assert.equal("true\n", (say "get_property pause"))
      end)
    end)
    host.passed("mpv", "a module for another Lua refused")
  end)
end)
