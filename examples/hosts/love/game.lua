--- The game: where the player stands, what the keys do.
local dialog = require "dialog"
local frames = require "frames"
local inventory = require "inventory"

local Game = {}
Game.__index = Game

local MANY = 100000
local STEPS = { left = { -1, 0 }, right = { 1, 0 }, up = { 0, -1 }, down = { 0, 1 } }

local M = { SIZE = 10 } -- of the meadow, in tiles

--- Begins, on a save.
-- @tparam database db
-- @tparam table models
-- @tparam string path of the save, for the thread that fills it
-- @tparam number budget milliseconds that the queries of a frame may take together
function M.new(db, models, path, budget)
  return setmetatable({
    db = db,
    path = path,
    budget = { timeout_ms = budget },
    inventory = inventory.new(db, models),
    x = 4,
    y = 4,
    slot = 1, -- chosen, of the page
    marked = 1, -- in the bin
    message = "",
    items = {},
    bin = {},
    things = {},
    count = 0,
    frames = frames.new(),
    queries = frames.new(),
    late = 0, -- frames whose queries were stopped
  }, Game)
end

--- Tells the player, and whoever reads the output.
function Game:say(text, ...)
  self.message = text:format(...)
  print(self.message)
end

-- ---- a frame ----------------------------------------------------------------------------------

local function read(self)
  self.items = self.inventory:items()
  self.count = self.inventory:count()
  self.bin = self.inventory:bin()
  self.things = self.inventory:things()
  self.marked = math.max(1, math.min(self.marked, #self.bin))
end

-- A frame is not held by its queries: where they are stopped, the screen shows what the last one read.
local function read_in_time(self)
  local ok, err = pcall(self.db.within, self.db, self.budget, read, self)
  if not ok and err.kind ~= "interrupted" then
    error(err, 0)
  end
  self.late = self.late + (ok and 0 or 1)
end

local function watch_filler(self)
  if self.filler and not self.filler:isRunning() then
    self.filler = nil
    self.frames, self.queries, self.late = frames.new(), frames.new(), 0 -- those with the full save
    self:say("%d items in the save", self.inventory:count())
  end
end

function Game:update(dt)
  local begun = love.timer.getTime()
  read_in_time(self)
  self.queries:add(love.timer.getTime() - begun)
  self.frames:add(dt)
  watch_filler(self)
end

--- Waits for the thread, before the save is closed.
function Game:stop()
  if self.filler then
    love.thread.getChannel("orders"):push "stop"
    self.filler:wait()
  end
end

-- ---- keys -------------------------------------------------------------------------------------

local function walk(self, step)
  self.x = math.max(1, math.min(M.SIZE, self.x + step[1]))
  self.y = math.max(1, math.min(M.SIZE, self.y + step[2]))
end

local function underfoot(self)
  for _, thing in ipairs(self.inventory:things()) do
    if thing.x == self.x and thing.y == self.y then
      return thing
    end
  end
end

local function pick_up(self)
  local thing = underfoot(self)
  if not thing then
    return self:say "Nothing lies here"
  end
  local item = self.inventory:pick_up(thing)
  if not item then
    return self:say("There is a %s in the satchel already", thing.name)
  end
  self:say("Picked up: %s, slot %d", item.name, item.slot)
end

local function throw_away(self)
  local item = self.inventory:throw_away(self.slot)
  if not item then
    return self:say "This slot is empty"
  end
  self.marked = 1
  self:say("Thrown away: %s, slot %d", item.name, item.slot)
end

local function turn_out(self)
  self.marked = 1
  self:say("Turned out: %d items", self.inventory:turn_out())
end

local bring_back

-- `again` is what the player's own answer has met with.
local function ask_player(self, event, again)
  self.dialog = dialog.new(self.inventory:conflicts(event), function(answers)
    self.dialog = nil
    if answers then
      return bring_back(self, event, answers)
    end
    self:say "It stays in the bin"
  end)
  if again then
    self:say("%s is taken as well", again)
  else
    self:say("In the way: %s", self.dialog:summary())
  end
end

function bring_back(self, event, answers)
  local names, err = self.inventory:undo(event, answers)
  if not names then
    return ask_player(self, event, answers and err.value)
  end
  self.marked = 1
  self:say(#names > 0 and "Back: %s" or "Nothing came back", table.concat(names, ", "))
end

local function undo(self)
  local row = self.inventory:bin()[self.marked]
  if not row then
    return self:say "The bin is empty"
  end
  bring_back(self, self.inventory:event_of(row))
end

local function mark_next(self)
  self.marked = self.marked % math.max(1, #self.bin) + 1
end

local function turn_page(self, by)
  local last = math.ceil((self.inventory:last_slot() + 1) / inventory.PAGE)
  self.inventory.page = math.max(1, math.min(last, self.inventory.page + by))
  self:say("Page %d", self.inventory.page)
end

local function fill(self)
  local missing = MANY - self.inventory:count()
  if self.filler or missing <= 0 then
    return
  end
  local last = self.inventory:last_slot()
  love.thread.getChannel("orders"):clear()
  self.filler = love.thread.newThread "filler.lua"
  self.filler:start(require "native", self.path, last + 1, last + missing)
  self:say "Filling the save"
end

local function tell_figures(self)
  local figures = "Frame %s; its queries %s, %d were stopped; %d items"
  self:say(figures, self.frames:text(), self.queries:text(), self.late, self.count)
end

local KEYS = {
  space = pick_up,
  x = throw_away,
  e = turn_out,
  u = undo,
  tab = mark_next,
  f = fill,
  t = tell_figures,
  pageup = function(self)
    turn_page(self, -1)
  end,
  pagedown = function(self)
    turn_page(self, 1)
  end,
  escape = function()
    love.event.quit()
  end,
}

function Game:keypressed(key)
  if self.dialog then
    return self.dialog:keypressed(key)
  end
  local digit = tonumber(key)
  if digit and digit >= 1 and digit <= inventory.PAGE then
    self.slot = digit
  elseif STEPS[key] then
    walk(self, STEPS[key])
  elseif KEYS[key] then
    KEYS[key](self)
  end
end

function Game:textinput(text)
  if self.dialog then
    self.dialog:textinput(text)
  end
end

return M
