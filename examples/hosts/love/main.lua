--- Satchel: a small game whose inventory lives in tombstone. See README.md.
io.stdout:setvbuf "line" -- for whoever reads along
require "native"
local game = require "game"
local save = require "save"
local screen = require "screen"

local db, state

local function has(options, name)
  for _, option in ipairs(options) do
    if option == name then
      return true
    end
  end
  return false
end

function love.load(options)
  local path = love.filesystem.getSaveDirectory() .. "/satchel.db"
  love.filesystem.createDirectory "" -- where the save lies
  if has(options, "--old-save") then
    save.write_version_1(path)
  end
  local models, was, is
  db, models, was, is = save.open(path)
  state = game.new(db, models, path)
  if was > 0 and was < is then
    state.news = ("save migrated from version %d to %d"):format(was, is)
    print(state.news)
  end
  screen.load()
  love.keyboard.setKeyRepeat(true)
  love.keyboard.setTextInput(false) -- until a dialog wants it
  state:say "Ready"
end

function love.update(dt)
  state:update(dt)
end

function love.draw()
  screen.draw(state)
end

function love.keypressed(key)
  state:keypressed(key)
end

function love.textinput(text)
  state:textinput(text)
end

function love.threaderror(_, message)
  error(message, 0)
end

function love.quit()
  state:stop()
  db:close()
  print "Goodbye"
end
