-- The inventory of names of examples/hosts/tshark.
local host = require "hosts.host"
if not host.runs "5.2" then
  return
end

local foreign = require "hosts.foreign"
local server = require "hosts.server"
local f = require("tombstone").field

local SETTING = [[
export TOMBSTONE=$PWD/core.so NAMES=$PWD/names.db
names() { tshark -q -X lua_script:examples/hosts/tshark/names.lua "$@"; }
capture() { lua5.2 examples/hosts/tshark/capture.lua "$@"; }
: >none
]]

-- Calls `fn` with the folder of an example that is laid out, and how to run commands there.
local function with_names(fn)
  server.in_open_folder(function(folder)
    server.lay_out("tshark", folder)
    fn(folder, function(commands)
      return server.script(folder, SETTING .. commands)
    end)
  end)
end

-- The inventory, as another process sees it.
local function with_database(folder, fn)
  host.with_database(folder .. "/names.db", function(db)
    return db:model("Name", {
      name = f.text { unique = true },
      asked = f.integer(),
      first = f.datetime(),
      last = f.datetime(),
    }, { order_by = "name" })
  end, fn)
end

describe("the inventory of names in tshark", function()
  it("is filled, thinned and undone by the commands of its README", function()
    server.in_open_folder(function(folder)
      local output = server.follow("tshark", folder)
      local function has(text)
        assert.is_truthy(output:find(text, 1, true), output)
      end
      has "event 1: 2 in the trash"
      has "    1  event 1  a.ads.example"
      has "2 back"
      has "Cannot restore record - name with value 'a.ads.example' already exists"
      has "    4  2025-11-23 06:40  www.example"
      has "    1  event 3  a.ads.example"
      with_database(folder, function(db, Name)
        assert.equal("a.ads.example b.ads.example www.example", table.concat(Name.objects:pluck "name", " "))
        assert.equal("1 2 4", table.concat(Name.objects:pluck "asked", " "))
        assert.equal(3, #db:events())
      end)
    end)
    host.passed("tshark", "delete, undo")
    host.passed("tshark", "restore with conflict")
  end)

  it("keeps whatever a packet holds as a name", function()
    with_names(function(folder, run)
      run [[
        capture strange "it's--'" WWW.Example www.example \
          $'\xff\xfe.example' "a b.example" é.example "%.example"
        names -r strange
        names -r none -X lua_script1:"delete=it's--'"
      ]]
      with_database(folder, function(_, Name)
        assert.equal(2, Name.objects:get({ name = "www.example" }).asked)
        assert.equal(5, Name.objects:count())
        assert.equal("it's--'", Name.deleted_objects:first():original "name")
        assert.is_truthy(Name.objects:find { name = "%.example" })
      end)
    end)
  end)

  it("counts a long capture, and says what it was not asked well", function()
    with_names(function(folder, run)
      local output = run [[
        capture long $(seq -f 'host%.0f.example' 1 500) $(seq -f 'host%.0f.example' 1 500)
        names -r long -X lua_script1:bogus -X lua_script1:undo=7 -X lua_script1:delete=nothing%
      ]]
      assert.is_truthy(output:find("bogus is not one of list", 1, true))
      assert.is_truthy(output:find("there is no event 7", 1, true))
      assert.is_truthy(output:find("nothing is like that", 1, true))
      with_database(folder, function(db, Name)
        assert.equal(500, Name.objects:filter({ asked = 2 }):count())
        assert.equal(0, #db:events())
      end)
    end)
  end)

  it("says what is wrong with a module for another Lua", function()
    with_names(function(folder, run)
      foreign.build(folder .. "/core.so", "5.4")
      local output = run "names -r none; echo went on"
      assert.is_truthy(output:find("undefined symbol: lua_", 1, true), output)
      assert.is_truthy(output:find("went on", 1, true), output)
    end)
    host.passed("tshark", "a module for another Lua refused")
  end)
end)
