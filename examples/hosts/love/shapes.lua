--- The player and the things, as simple shapes around a middle.
local paint = require "paint"
local graphics = love.graphics

local M = {}

local function circle(x, y, radius, colour)
  paint.fill(colour, "circle", x, y, radius)
end

local function half_disc(x, y, radius, colour)
  paint.fill(colour, "arc", "closed", x, y, radius, math.pi, 2 * math.pi)
end

local function ring(x, y, width, height, colour)
  paint.set(colour)
  graphics.setLineWidth(4)
  graphics.ellipse("line", x, y, width, height)
end

local function stroke(width, colour, ...)
  paint.set(colour)
  graphics.setLineWidth(width)
  graphics.line(...)
end

local THINGS = {
  apple = function()
    circle(-3, 2, 8, "red")
    circle(4, 2, 8, "red")
    stroke(2, "leather", 0, -4, 2, -11)
    paint.fill("leaf", "polygon", 2, -9, 9, -13, 8, -7)
  end,
  pear = function()
    circle(0, 4, 8, "gold")
    circle(0, -4, 5, "gold")
    stroke(2, "leather", 0, -7, 2, -13)
  end,
  rope = function()
    ring(0, -1, 12, 8, "straw")
    ring(0, -1, 7, 4, "leather")
    stroke(4, "straw", 9, 4, 14, 10)
  end,
  key = function()
    ring(-7, 0, 5, 5, "gold")
    stroke(4, "gold", -2, 0, 13, 0)
    stroke(3, "gold", 8, 0, 8, 6)
    stroke(3, "gold", 12, 0, 12, 5)
  end,
  gem = function()
    paint.fill("red", "polygon", -11, -3, -6, -9, 6, -9, 11, -3, 0, 11)
    paint.fill("alarm", "polygon", -4, -3, 0, -9, 4, -3, 0, 11)
  end,
  mushroom = function()
    paint.box(-4, 0, 8, 11, "paper", 3)
    half_disc(0, 1, 12, "red")
    circle(-5, -3, 2, "white")
    circle(2, -7, 2, "white")
    circle(6, -2, 2, "white")
  end,
  lantern = function()
    stroke(2, "ink", -4, -8, 0, -13, 4, -8)
    paint.box(-8, -8, 16, 20, "ink", 4)
    paint.box(-5, -4, 10, 12, "chosen", 3)
  end,
  quill = function()
    paint.fill("white", "polygon", -9, 9, -6, -3, 10, -12, 4, 4)
    stroke(2, "faint", -12, 12, 8, -10)
  end,
  pebble = function()
    paint.fill("stone", "ellipse", 0, 2, 10, 7)
    paint.fill("bin", "ellipse", -3, 0, 4, 2)
  end,
}

--- Draws a thing of this kind, 28 points wide, `scale` as large.
function M.thing(kind, x, y, scale)
  graphics.push()
  graphics.translate(x, y)
  graphics.scale(scale or 1)
  THINGS[kind]()
  graphics.pop()
end

--- Draws the player, who carries a satchel.
function M.player(x, y)
  graphics.push()
  graphics.translate(x, y)
  paint.fill("blade", "ellipse", 0, 17, 14, 4)
  paint.box(-10, -4, 20, 21, "coat", 8)
  circle(0, -9, 9, "skin")
  half_disc(0, -11, 9.5, "leather")
  stroke(3, "leather", -8, -3, 9, 8)
  paint.box(4, 5, 12, 10, "leather", 3)
  graphics.pop()
end

return M
