--- Draws the game: the meadow, the satchel, the bin, and what is said.
local game = require "game"
local inventory = require "inventory"
local paint = require "paint"
local shapes = require "shapes"

local M = {}

local TILE, TOP, LEFT = 48, 72, 24
local SIDE, WIDTH = 528, 408 -- of the panels

local function tile_middle(place)
  return (place - 0.5) * TILE
end

local function draw_tile(x, y)
  local left, top = x * TILE, y * TILE
  paint.box(left, top, TILE, TILE, (x + y) % 2 == 0 and "grass" or "meadow", 0)
  if (x * 7 + y * 5) % 4 == 0 then
    paint.box(left + 12, top + 30, 2, 7, "blade", 1)
    paint.box(left + 17, top + 27, 2, 10, "blade", 1)
    paint.box(left + 22, top + 31, 2, 6, "blade", 1)
  end
end

-- The ground is the same in all frames, so that it is drawn once.
local ground

local function draw_ground()
  ground = love.graphics.newCanvas(game.SIZE * TILE, game.SIZE * TILE)
  love.graphics.setCanvas(ground)
  for x = 0, game.SIZE - 1 do
    for y = 0, game.SIZE - 1 do
      draw_tile(x, y)
    end
  end
  love.graphics.setCanvas()
end

--- Before the first frame.
function M.load()
  paint.load()
  draw_ground()
end

local function draw_meadow(state)
  paint.set "white"
  love.graphics.draw(ground, LEFT, TOP)
  for _, thing in ipairs(state.things) do
    shapes.thing(thing.kind, LEFT + tile_middle(thing.x), TOP + tile_middle(thing.y))
  end
  shapes.player(LEFT + tile_middle(state.x), TOP + tile_middle(state.y))
end

local function grouped(n)
  local text = tostring(n)
  repeat
    local changes
    text, changes = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until changes == 0
  return text
end

local function draw_head(title, note, y)
  paint.text(title, SIDE + 18, y + 12, "ink", "middle")
  paint.text_to(note, SIDE + WIDTH - 18, y + 15, "faint", "small")
end

local function draw_item(item, y)
  shapes.thing(item.kind, SIDE + 70, y + 15, 0.8)
  paint.text(item.name, SIDE + 94, y + 6, "ink", "middle")
end

local function draw_satchel(state)
  paint.box(SIDE, TOP, WIDTH, 296, "paper", 12)
  local items, page = state.inventory, state.inventory.page
  draw_head("In the satchel", ("%s items, page %d"):format(grouped(state.count), page), TOP)
  for i = 1, inventory.PAGE do
    local slot, y = items:first_slot() + i - 1, TOP + 10 + i * 31
    paint.box(SIDE + 12, y, WIDTH - 24, 29, i == state.slot and "chosen" or "line", 6)
    paint.text_to(tostring(slot), SIDE + 46, y + 8, "faint", "small")
    if state.items[slot] then
      draw_item(state.items[slot], y)
    end
  end
end

local function draw_bin(state)
  local top = TOP + 308
  paint.box(SIDE, top, WIDTH, 172, "bin", 12)
  draw_head("In the bin", "what was thrown away last", top)
  local marked = state.bin[state.marked]
  for i, item in ipairs(state.bin) do
    local y = top + 12 + i * 26
    if item.deleted_event == marked.deleted_event then -- they come back together
      paint.box(SIDE + 12, y, WIDTH - 24, 24, i == state.marked and "chosen" or "line", 6)
    end
    draw_item(item, y - 3)
    paint.text_to(("was in slot %d"):format(item.slot), SIDE + WIDTH - 26, y + 5, "faint", "small")
  end
end

local function draw_top(state)
  paint.text("Satchel", LEFT, 20, "paper", "large")
  if state.news then
    paint.box(LEFT + 130, 22, 350, 30, "good", 15)
    paint.text(state.news, LEFT + 150, 29, "paper", "small")
  end
  paint.text_to("frame " .. state.frames:text(), SIDE + WIDTH, 18, "line", "small")
  paint.text_to("its queries " .. state.queries:text(), SIDE + WIDTH, 38, "line", "small")
end

local KEYS = "arrows: walk   space: pick up   1-8: choose   x: throw away   e: turn the page out   "
  .. "tab, u: undo   page up, down   f: fill   esc"

local function draw_foot(state)
  paint.text(state.message, LEFT, 566, "paper", "middle")
  paint.text(KEYS, LEFT, 602, "stone", "small")
end

function M.draw(state)
  draw_top(state)
  draw_meadow(state)
  draw_satchel(state)
  draw_bin(state)
  draw_foot(state)
  if state.dialog then
    paint.shade(LEFT, TOP, game.SIZE * TILE, game.SIZE * TILE)
    state.dialog:draw()
  end
end

return M
