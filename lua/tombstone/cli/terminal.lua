--- The terminal: is there one, colours, questions, a line of progress.
--
-- Colours and redrawn lines are for people: neither a pipe nor a file gets them.
-- @module tombstone.cli.terminal
local M = {}
local Terminal = {}
Terminal.__index = Terminal

local CLEAR = "\r\27[K"

-- lua-term knows whether a stream is a terminal, and the colours. Without it none is.
local function library()
  local ok, term = pcall(require, "term")
  return ok and term or nil
end

local function wants_colour(no_colour)
  local off = os.getenv "NO_COLOR"
  return not no_colour and (off == nil or off == "") and os.getenv "TERM" ~= "dumb"
end

--- The terminal of this process.
-- @tparam[opt] table options `no_colour`
-- @treturn table with `input`, `output` and `errors`: whether each of the streams is a terminal
function M.open(options)
  local term = library()
  local function is_terminal(stream)
    return term ~= nil and term.isatty(stream) == true
  end
  local colour = wants_colour(options and options.no_colour)
  return setmetatable({
    input = is_terminal(io.stdin),
    output = is_terminal(io.stdout),
    errors = is_terminal(io.stderr),
    colours = colour and term and term.colors or nil,
    drawn = false,
    drawn_at = 0,
  }, Terminal)
end

local function painted(self, stream, colour, text)
  if not self.colours or not self[stream] then
    return text
  end
  return tostring(self.colours[colour]) .. text .. tostring(self.colours.reset)
end

--- The text in a colour of lua-term ("red", "bright", "green" …), where stdout shows colours.
-- @tparam string colour
-- @tparam string text
-- @treturn string
function Terminal:paint(colour, text)
  return painted(self, "output", colour, text)
end

--- The same for stderr.
function Terminal:paint_error(colour, text)
  return painted(self, "errors", colour, text)
end

--- Whether somebody sits there who can be asked.
function Terminal:can_ask()
  return self.input and self.errors
end

--- Asks yes or no on stderr, so that stdout may be a file. The end of the input is a no.
-- @tparam string question
-- @treturn boolean
function Terminal:ask(question)
  self:clear()
  io.stdout:flush()
  while true do
    io.stderr:write(question, " [y/N] ")
    io.stderr:flush()
    self.asking = true
    local answer = io.read()
    self.asking = false
    if answer == nil then
      io.stderr:write "\n"
      return false
    end
    answer = answer:lower():match "^%s*(.-)%s*$"
    if answer == "y" or answer == "yes" then
      return true
    elseif answer == "" or answer == "n" or answer == "no" then
      return false
    end
  end
end

local function seconds_left(done, total, since)
  local passed = os.time() - since
  if passed < 2 or done == 0 then
    return ""
  end
  return (", %d s left"):format(math.ceil(passed * (total - done) / done))
end

--- Draws the line of progress anew; nothing where stderr is no terminal.
-- @tparam string what as in "Purging Post"
-- @tparam number done
-- @tparam number total
function Terminal:progress(what, done, total)
  local now = os.clock()
  if not self.errors or (self.drawn and now - self.drawn_at < 0.1) then
    return
  end
  if self.of ~= what then
    self.of, self.since = what, os.time()
  end
  self.drawn, self.drawn_at = true, now
  local left = seconds_left(done, total, self.since)
  io.stderr:write(CLEAR, ("%s: %d of %d%s"):format(what, done, total, left))
  io.stderr:flush()
end

--- Takes the line of progress away, and leaves that of a question where Ctrl-C ended it.
function Terminal:clear()
  if self.asking then
    io.stderr:write "\n"
    self.asking = false
  elseif self.drawn then
    io.stderr:write(CLEAR)
    io.stderr:flush()
    self.drawn = false
  end
end

return M
