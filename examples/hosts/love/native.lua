--- Finds tombstone: one file of native code with all of its Lua inside, `tombstone.so`, which is the
--- build's core.so. It may lie
---
--- 1. where the environment says: TOMBSTONE=build/luajit/lua/tombstone/core.so love examples/hosts/love
--- 2. in the folder of the game, or beside a fused game;
--- 3. in native/ of a .love file. The system cannot load what lies in an archive, so it is copied
---    into the folder of the save first.
local files = love.filesystem

local NAME = jit.os == "Windows" and "tombstone.dll" or "tombstone.so"

local function is_file(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

-- Written only where it differs: another game that runs may have this very file loaded.
local function copied_out()
  local shipped = files.read("native/" .. NAME)
  if shipped and files.read(NAME) ~= shipped then
    assert(files.write(NAME, shipped))
  end
  return shipped and files.getSaveDirectory() .. "/" .. NAME
end

local function find()
  local told = os.getenv "TOMBSTONE"
  if told then
    return told
  end
  local folder = files.isFused() and files.getSourceBaseDirectory() or files.getSource()
  local beside = folder .. "/" .. NAME
  return is_file(beside) and beside or copied_out()
end

-- `require` would do for a file that is sound. For one that was built for another Lua, LÖVE's says
-- just "not found"; loadlib has the system's own words.
local function load_from(path)
  local open, why = package.loadlib(path, "luaopen_tombstone")
  if not open then
    error(("tombstone cannot be loaded: %s"):format(why), 0)
  end
  package.loaded.tombstone = open "tombstone"
end

local path = find() or error("There is no " .. NAME .. ", and TOMBSTONE names none: see README.md", 0)
load_from(path)

--- The path, for threads: each has a Lua of its own, and loads it there.
return path
