--- The satchel and its bin, as the game asks for them. All that it knows is in the save.
local tombstone = require "tombstone"

local Inventory = {}
Inventory.__index = Inventory

local PAGE = 8 -- slots
local BIN = 5 -- rows that are shown

local M = { PAGE = PAGE, BIN = BIN }

function M.new(db, models)
  return setmetatable({ db = db, Item = models.Item, Thing = models.Thing, page = 1 }, Inventory)
end

-- ---- what a frame shows ----------------------------------------------------------------------

function Inventory:first_slot()
  return (self.page - 1) * PAGE + 1
end

local function on_page(self)
  local first = self:first_slot()
  return self.Item.objects:filter { slot__range = { first, first + PAGE - 1 } }
end

--- The items of the page, by slot.
function Inventory:items()
  local by_slot = {}
  for _, item in ipairs(on_page(self):all()) do
    by_slot[item.slot] = item
  end
  return by_slot
end

--- How many there are on all pages.
function Inventory:count()
  return self.Item.objects:count()
end

--- What was thrown away last.
function Inventory:bin()
  local thrown_away = self.Item.deleted_objects:filter { deleted_event__gt = 0 } -- an index has those
  return thrown_away:order_by("-deleted_event", "slot"):limit(BIN):all()
end

--- What lies on the meadow.
function Inventory:things()
  return self.Thing.objects:all()
end

function Inventory:last_slot()
  return self.Item.objects:aggregate({ slot = tombstone.max "slot" }).slot or 0
end

-- ---- what the player does ------------------------------------------------------------------

-- The first free slot of the page, else the one behind the last; but none that is `spoken_for`.
local function free_slot(self, spoken_for)
  local first, items = self:first_slot(), self:items()
  for slot = first, first + PAGE - 1 do
    if not (items[slot] or spoken_for[slot]) then
      return slot
    end
  end
  local slot = self:last_slot() + 1
  while spoken_for[slot] do
    slot = slot + 1
  end
  return slot
end

local function is_conflict(err)
  return type(err) == "table" and err.kind == "integrity"
end

--- Takes a thing from the meadow.
-- @treturn item|nil nil where the satchel has one of that name
function Inventory:pick_up(thing)
  local ok, item = pcall(self.db.transaction, self.db, function()
    thing:purge()
    return self.Item:create { name = thing.name, kind = thing.kind, slot = free_slot(self, {}) }
  end)
  if not ok and not is_conflict(item) then
    error(item, 0)
  end
  return ok and item or nil
end

--- Throws away what is in a slot.
-- @tparam integer place from 1, on the page
-- @treturn item|nil nil where nothing is
function Inventory:throw_away(place)
  local item = self:items()[self:first_slot() + place - 1]
  if item then
    item:delete { reason = "thrown away" }
  end
  return item
end

--- Throws all of the page away, in one event.
-- @treturn integer how many
function Inventory:turn_out()
  return (on_page(self):delete { reason = "turned out" })
end

--- The deletion that took what lies in the bin.
function Inventory:event_of(item)
  return self.db:events({ id = item.deleted_event })[1]
end

local function names(query)
  return query:order_by("slot"):pluck "name"
end

-- How each row in conflict comes back: a word of tombstone, or the player's name for it, with
-- another slot.
local function decider(self, event, answers)
  local spoken_for = {}
  for _, slot in ipairs(event:rows("Item"):pluck "slot") do
    spoken_for[slot] = true
  end
  return function(row)
    local answer = answers[row.id] or { word = "fail" }
    return answer.word or { name = answer.name, slot = free_slot(self, spoken_for) }
  end
end

--- Undoes a deletion. The save decides whether that can be: nothing is looked up before.
-- @param event
-- @tparam[opt] table answers to conflicts, by the item's id: { word = "skip" }, { word = "replace" }
-- or { name = "Old rope" }
-- @treturn {string,...}|nil the names of what is back; nil where something is in the way
-- @treturn table what tombstone says of that
function Inventory:undo(event, answers)
  local ids = event:rows("Item"):pluck "id"
  local ok, err = pcall(event.undo, event, answers and { on_conflict = decider(self, event, answers) })
  if not ok and not is_conflict(err) then
    error(err, 0)
  end
  if not ok then
    return nil, err
  end
  return names(self.Item.objects:filter { id__in = ids })
end

--- What is in the way of an undo: a list of `{ item =, takers = }`, an item for each that cannot come
--- back as it was, and by field, "name" or "slot", the living one that has it now.
function Inventory:conflicts(event)
  local list, by_id = {}, {}
  for _, conflict in ipairs(event:restore_plan().conflicts) do
    local id = conflict.dead_pk
    if not by_id[id] then
      by_id[id] = { item = self.Item.all_objects:get(id), takers = {} }
      list[#list + 1] = by_id[id]
    end
    by_id[id].takers[conflict.fields[1]] = self.Item.all_objects:get(conflict.live_pk or conflict.twin_pk)
  end
  return list
end

return M
