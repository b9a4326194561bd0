-- A thread that fills the save with pebbles while the game goes on. A thread of LÖVE has a Lua of its
-- own, so it loads tombstone itself, and has its own connection to the file.
local native, path, first, last = ...

local tombstone = assert(package.loadlib(native, "luaopen_tombstone"))()
package.loaded.tombstone = tombstone

local BATCH = 1000 -- short transactions: the game can write between two of them

local orders = love.thread.getChannel "orders"
local db = tombstone.open(path, { synchronous = "normal" })
local Item = require "models"(db).Item

local function pebbles(from, to)
  local rows = {}
  for slot = from, to do
    rows[#rows + 1] = { name = "Pebble " .. slot, kind = "pebble", slot = slot }
  end
  return rows
end

for slot = first, last, BATCH do
  if orders:pop() == "stop" then
    break
  end
  Item:bulk_create(pebbles(slot, math.min(slot + BATCH - 1, last)))
end
db:close()
