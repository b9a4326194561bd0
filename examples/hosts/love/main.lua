--- Satchel: a small game whose inventory lives in tombstone. See README.md.
io.stdout:setvbuf "line" -- for whoever reads along
require "native"
local game = require "game"
local save = require "save"
local screen = require "screen"

local db, state

-- What stands behind an option, or true.
local function option(options, name)
  for i, given in ipairs(options) do
    if given == name then
      return options[i + 1] or true
    end
  end
end

function love.load(options)
  local path = love.filesystem.getSaveDirectory() .. "/satchel.db"
  love.filesystem.createDirectory "" -- where the save lies
  if option(options, "--old-save") then
    save.write_version_1(path)
  end
  local models, was, is
  db, models, was, is = save.open(path)
  state = game.new(db, models, path, tonumber(option(options, "--budget") or 8))
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
