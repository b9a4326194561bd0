--- Asks what becomes of items that cannot come back as they were, one after the other.
local paint = require "paint"
local utf8 = require "utf8"

local Dialog = {}
Dialog.__index = Dialog

local M = {}

local LONGEST = 28 -- characters of a name
local CHOICES = { "keep", "replace", "leave" }

local function show_next(self)
  self.at = self.at + 1
  self.choice = 1
  local conflict = self.conflicts[self.at]
  local name = conflict.item.name
  self.name = conflict.takers.name and "Old " .. name:lower() or name
end

-- Only now are keys text, too; the one that has opened the dialog is not.
local function open(self)
  love.keyboard.setTextInput(true)
  show_next(self)
  return self
end

local function close(self, answers)
  love.keyboard.setTextInput(false)
  self.done(answers)
end

--- Opens it.
-- @tparam table conflicts those of `Inventory:conflicts`
-- @tparam function done gets the answers, as `Inventory:undo` takes them, or nothing when the player
-- thinks better of it
function M.new(conflicts, done)
  return open(setmetatable({ conflicts = conflicts, done = done, answers = {}, at = 0 }, Dialog))
end

--- What is in the way, in one line.
function Dialog:summary()
  local conflict = self.conflicts[self.at]
  local parts = {}
  for _, field in ipairs { "name", "slot" } do
    if conflict.takers[field] then
      parts[#parts + 1] = ("%s %s"):format(field, conflict.item[field])
    end
  end
  return table.concat(parts, " and ")
end

-- ---- keys -------------------------------------------------------------------------------------

local ANSWERS = {
  keep = function(self)
    return self.name ~= "" and { name = self.name } or nil
  end,
  replace = function()
    return { word = "replace" }
  end,
  leave = function()
    return { word = "skip" }
  end,
}

local function answer(self)
  local given = ANSWERS[CHOICES[self.choice]](self)
  if not given then
    return -- an item has a name
  end
  self.answers[self.conflicts[self.at].item.id] = given
  if self.at == #self.conflicts then
    return close(self, self.answers)
  end
  show_next(self)
end

local function rub_out(self)
  self.name = self.name:sub(1, (utf8.offset(self.name, -1) or 1) - 1)
end

function Dialog:keypressed(key)
  if key == "up" or key == "down" then
    self.choice = (self.choice + (key == "down" and 0 or -2)) % #CHOICES + 1
  elseif key == "return" then
    answer(self)
  elseif key == "backspace" then
    rub_out(self)
  elseif key == "escape" then
    close(self)
  end
end

function Dialog:textinput(text)
  if CHOICES[self.choice] == "keep" and utf8.len(self.name .. text) <= LONGEST then
    self.name = self.name .. text
  end
end

-- ---- drawing ------------------------------------------------------------------------------------

local function reasons(conflict)
  local lines = {}
  local by_name, by_slot = conflict.takers.name, conflict.takers.slot
  if by_name then
    lines[#lines + 1] = ("Its name is that of the item in slot %d now."):format(by_name.slot)
  end
  if by_slot then
    lines[#lines + 1] = ("Its slot %d is taken by %s."):format(conflict.item.slot, by_slot.name)
  end
  return lines
end

local function labels(self, conflict)
  local taker = conflict.takers.name or conflict.takers.slot
  return {
    { "Keep both", "as", self.name },
    { "Replace", ("%s goes to the bin"):format(taker.name) },
    { "Leave it", "in the bin" },
  }
end

local X, Y, WIDTH, HEIGHT = 44, 132, 440, 340 -- over the meadow: satchel and bin stay in sight

local function draw_head(self, item)
  paint.box(X, Y, WIDTH, HEIGHT, "paper", 14)
  paint.box(X, Y, WIDTH, 56, "alarm", 14)
  paint.box(X, Y + 28, WIDTH, 28, "alarm", 0)
  paint.text(("%s cannot come back as it was"):format(item.name), X + 24, Y + 18, "paper", "middle")
  if #self.conflicts > 1 then
    paint.text_to(("%d of %d"):format(self.at, #self.conflicts), X + WIDTH - 20, Y + 20, "paper", "small")
  end
end

local function draw_choice(y, label, is_chosen)
  if is_chosen then
    paint.box(X + 16, y - 10, WIDTH - 32, 40, "chosen", 8)
  end
  paint.text(label[1], X + 28, y, "ink", "middle")
  paint.text(label[2], X + 122, y + 2, "faint", "small")
  if label[3] then
    paint.box(X + 144, y - 5, WIDTH - 166, 30, is_chosen and "paper" or "line", 6)
    paint.text(label[3] .. (is_chosen and paint.caret() or ""), X + 154, y, "ink", "middle")
  end
end

function Dialog:draw()
  local conflict = self.conflicts[self.at]
  draw_head(self, conflict.item)
  for i, line in ipairs(reasons(conflict)) do
    paint.text(line, X + 24, Y + 48 + i * 24, "ink", "small")
  end
  for i, label in ipairs(labels(self, conflict)) do
    draw_choice(Y + 100 + i * 48, label, i == self.choice)
  end
  paint.text("up, down: choose    enter: do it    escape: not now", X + 24, Y + 308, "faint", "small")
end

return M
