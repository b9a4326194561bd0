-- Time, memory and reading only, for programs that must not be held up: a game's frame, a request.
local tombstone = require "tombstone"
local f = tombstone.field

local path = os.tmpname() .. ".db"
local db = tombstone.open(path, { timeout_ms = 60000, cache_kb = 1024 }) -- for every call
local Item = db:model("Item", {
  name = f.text { unique = true },
  weight = f.integer { default = 1 },
})
db:create_tables()

local items = {}
for i = 1, 1000 do
  items[i] = { name = "item " .. i, weight = i % 7 }
end
Item:bulk_create(items)

-- A call that takes too long, or too many steps of SQLite, is stopped: all of it is undone.
local ok, err = pcall(Item.objects.delete, Item.objects, { all = true, max_steps = 500 })
print(ok, err.kind, err) --> false interrupted The call was stopped - it took more than 500 steps
print(err.hint) --> nothing of it was kept: allow more with max_steps, or do less in one call
print(Item.objects:count()) --> 1000

-- A query carries its limits along; what comes of it has them too.
local quick = Item.objects:within { timeout_ms = 1000 }
print(quick:filter({ weight = 3 }):count()) --> 143

-- Several calls share one budget: what a frame may take for its trash.
local function tidy(frame_ms)
  local gone = 0
  pcall(db.within, db, { timeout_ms = frame_ms }, function()
    for item in Item.objects:filter({ weight = 0 }):limit(20):each() do
      item:delete()
      gone = gone + 1
    end
  end)
  return gone
end
print(tidy(5000)) --> 20

-- SQLite's memory, of the whole process.
print(tombstone.memory_limit(64 * 1024 * 1024) == 0) --> true
print(tombstone.memory_limit(0) == 64 * 1024 * 1024) --> true
db:close()

-- A handle that only reads: tables are compared and not made, a write is refused.
db = tombstone.open(path, { read_only = true })
Item = db:model("Item", { name = f.text { unique = true }, weight = f.integer { default = 1 } })
db:create_tables()
print(Item.objects:count()) --> 980
print(select(2, pcall(Item.create, Item, { name = "new" }))) --> attempt to write a readonly database
db:close()
os.remove(path)
