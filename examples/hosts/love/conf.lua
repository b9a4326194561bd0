-- What LÖVE is asked for.
local NOT_NEEDED = { "audio", "joystick", "physics", "sound", "touch", "video" }

function love.conf(t)
  t.identity = "tombstone-satchel" -- the folder of the save
  t.version = "11.4"
  t.window.title = "Satchel"
  t.window.width, t.window.height = 960, 640
  for _, module in ipairs(NOT_NEEDED) do
    t.modules[module] = false
  end
end
