--- A terminal that a spec types into and reads: tmux without a screen, on a server of its own.
local helper = require "helper"
local host = require "hosts.host"

local quote = helper.quote
local Terminal = {}
Terminal.__index = Terminal

function Terminal:tmux(...)
  local words = { "env -u TMUX LC_ALL=C.UTF-8 tmux -u -f /dev/null -S", quote(self.socket) }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  return host.must(table.concat(words, " "))
end

--- What stands on the screen.
function Terminal:screen()
  return self:tmux("capture-pane", "-p", "-t", "spec")
end

--- Presses keys by their names ("Enter", "Escape", "C-w"), other words letter by letter.
function Terminal:press(...)
  for _, key in ipairs { ... } do
    local name = key:match "^%u%l+$" or key:match "^C%-%l$"
    self:tmux("send-keys", "-t", "spec", name and "-N1" or "-l", name or key)
  end
end

-- Looks at the screen until `is_right`, for at most half a minute.
function Terminal:wait(is_right, what)
  local screen
  for _ = 1, 600 do
    screen = self:screen()
    if is_right(screen) then
      return screen
    end
    host.run "sleep 0.05"
  end
  error(("%s after half a minute:\n%s"):format(what, screen), 0)
end

--- Waits until a text is on the screen.
-- @treturn string the screen
function Terminal:shows(text)
  return self:wait(function(screen)
    return screen:find(text, 1, true)
  end, ("'%s' is not there"):format(text))
end

--- Waits until a text is gone from the screen.
function Terminal:hides(text)
  return self:wait(function(screen)
    return not screen:find(text, 1, true)
  end, ("'%s' is still there"):format(text))
end

function Terminal:close()
  pcall(self.tmux, self, "kill-server")
end

local M = {}

--- Runs a command in terminals of 100 by 30 and closes them after `fn`.
-- @string folder for the sockets
-- @tparam {string,...} commands one a terminal
-- @tparam function fn gets the terminals
function M.with(folder, commands, fn)
  local terminals = {}
  local ok, err = pcall(function()
    for i, command in ipairs(commands) do
      terminals[i] = setmetatable({ socket = ("%s/tmux%d"):format(folder, i) }, Terminal)
      terminals[i]:tmux("new-session", "-d", "-s", "spec", "-x", "100", "-y", "30", command)
    end
    fn(helper.unpack(terminals))
  end)
  for _, terminal in ipairs(terminals) do
    terminal:close()
  end
  if not ok then
    error(err, 0)
  end
end

return M
