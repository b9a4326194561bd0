--- Colours, fonts, and the few things that all drawing is made of.
local graphics = love.graphics

local M = {}

local function colour(hex)
  local r, g, b = hex:match "(%x%x)(%x%x)(%x%x)"
  return { tonumber(r, 16) / 255, tonumber(g, 16) / 255, tonumber(b, 16) / 255 }
end

local COLOURS = {
  night = colour "26363a",
  grass = colour "86a95f",
  meadow = colour "7da058",
  blade = colour "6a8c49",
  paper = colour "f5ecd9",
  line = colour "e2d4b8",
  bin = colour "d9cdb6",
  chosen = colour "f0c66b",
  ink = colour "3a2f2b",
  faint = colour "8b7a68",
  alarm = colour "cf5a43",
  good = colour "4f8a5b",
  skin = colour "f3c9a0",
  coat = colour "3f6d8e",
  leather = colour "8a5a36",
  red = colour "c8433a",
  gold = colour "d8a431",
  leaf = colour "5b8f4a",
  straw = colour "b99562",
  stone = colour "9a9a94",
  white = colour "ffffff",
}

local fonts

function M.load()
  graphics.setBackgroundColor(COLOURS.night)
  fonts = {
    small = graphics.newFont(13),
    middle = graphics.newFont(16),
    large = graphics.newFont(26),
  }
end

function M.set(name)
  graphics.setColor(COLOURS[name])
end

function M.text(text, x, y, name, font)
  M.set(name)
  graphics.setFont(fonts[font])
  graphics.print(text, x, y)
end

--- Text that ends at `x`.
function M.text_to(text, x, y, name, font)
  M.text(text, x - fonts[font]:getWidth(text), y, name, font)
end

--- Draws a filled shape: "circle", "ellipse", "rectangle", "polygon" or "arc". The line round it is
--- smooth where the shape alone has steps, at less cost than msaa.
function M.fill(name, shape, ...)
  M.set(name)
  graphics[shape]("fill", ...)
  graphics.setLineWidth(1)
  graphics[shape]("line", ...)
end

function M.box(x, y, width, height, name, radius)
  if radius == 0 then
    M.set(name)
    return graphics.rectangle("fill", x, y, width, height)
  end
  M.fill(name, "rectangle", x + 0.5, y + 0.5, width - 1, height - 1, radius, radius)
end

--- Darkens what lies behind a dialog.
function M.shade(x, y, width, height)
  graphics.setColor(0.08, 0.11, 0.12, 0.5)
  graphics.rectangle("fill", x, y, width, height)
end

function M.caret()
  return love.timer.getTime() % 1 < 0.5 and "|" or ""
end

return M
