--- A screen that nobody looks at, a program on it, keys for it, and the colours that it shows.
local helper = require "helper"
local host = require "hosts.host"
local server = require "hosts.server"

local M = {}

local Screen, Program = {}, {}
Screen.__index, Program.__index = Screen, Program

local PATIENCE = 60 -- seconds

local function wait_for(what, fn)
  return server.wait(what, fn, PATIENCE)
end

-- Runs beside this process; answers its id.
local function start(command, log)
  local in_background = "exec 3>&1; %s >%s 2>&1 </dev/null 3>&- & echo $! >&3"
  return host.must(in_background:format(command, helper.quote(log))):match "%d+"
end

local function stop(pid)
  host.run("kill " .. pid)
  wait_for("the end of process " .. pid, function()
    return not server.is_alive(pid)
  end)
end

-- ---- screens -------------------------------------------------------------------------------------

--- Calls `fn` with a screen of this size, and ends it, with all that runs on it.
function M.on_screen(size, fn)
  host.in_folder(function(folder)
    local self = setmetatable({ folder = folder, programs = {} }, Screen)
    local display = folder .. "/display"
    -- With -noreset: else it begins anew when a program ends, and the next one waits for ever.
    local xvfb = start(("Xvfb -displayfd 1 -screen 0 %s -nolisten tcp -noreset"):format(size), display)
    local ok, err = pcall(function()
      self.display = wait_for(function()
        return "Xvfb: " .. server.read(display)
      end, function()
        return server.read(display):match "(%d+)\n"
      end)
      fn(self)
    end)
    for _, program in ipairs(self.programs) do
      program:stop()
    end
    stop(xvfb)
    if not ok then
      error(err, 0)
    end
  end)
end

--- Starts a program on it.
-- @tparam string command its words, quoted for the shell; assignments of variables may stand first
-- @treturn program
function Screen:start(command)
  local log = ("%s/log%d"):format(self.folder, #self.programs + 1)
  local pid = start(("env DISPLAY=:%s %s"):format(self.display, command), log)
  local program = setmetatable({ screen = self, pid = pid, log = log, read = 0 }, Program)
  table.insert(self.programs, program)
  return program
end

-- How many points of the screen have a colour, as in "#cf5a43".
function Screen:points_of(colour)
  local command = "DISPLAY=:%s import -window root %s && /usr/bin/convert %s -fill black +opaque %s "
    .. "-fill white -opaque %s -format '%%[fx:round(mean*w*h)]' info:"
  local picture, shade = helper.quote(self.folder .. "/picture.png"), helper.quote(colour)
  return tonumber(host.must(command:format(self.display, picture, picture, shade, shade)))
end

--- Waits until a colour has at least so many points; or, with `most`, at most so many.
function Screen:wait_for_colour(colour, least, most)
  local points
  return wait_for(function()
    return ("%s, with %d points now"):format(colour, points)
  end, function()
    points = self:points_of(colour)
    return points >= least and points <= (most or points) and points
  end)
end

function Screen:tool(...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = helper.quote(word)
  end
  host.must(("DISPLAY=:%s xdotool %s"):format(self.display, table.concat(words, " ")))
end

-- ---- programs ------------------------------------------------------------------------------------

--- Waits until it says a line with `pattern`, after those that were waited for before.
-- @return what the pattern captures, or the matching text
function Program:says(pattern)
  local from, to, capture
  wait_for(function()
    return ("%q in:\n%s"):format(pattern, server.read(self.log))
  end, function()
    from, to, capture = server.read(self.log):find(pattern, self.read + 1)
    return from or (not server.is_alive(self.pid) and error("it has ended:\n" .. server.read(self.log), 0))
  end)
  local text = capture or server.read(self.log):sub(from, to)
  self.read = to
  return text
end

--- Presses keys, and waits for what it says then.
function Program:press(keys, pattern)
  local words = {}
  for key in keys:gmatch "%S+" do
    words[#words + 1] = key
  end
  self.screen:tool("key", helper.unpack(words))
  return pattern and self:says(pattern)
end

--- Types a text.
function Program:types(text)
  self.screen:tool("type", text)
end

--- Waits until it has ended by itself.
function Program:ends()
  wait_for(function()
    return "its end:\n" .. server.read(self.log)
  end, function()
    return not server.is_alive(self.pid)
  end)
end

function Program:stop()
  if server.is_alive(self.pid) then
    stop(self.pid)
  end
end

return M
