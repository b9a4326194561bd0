--- A program that a spec of a host starts, talks to and stops, by its process id.
local helper = require "helper"
local host = require "hosts.host"

local M = {}
local Server = {}
Server.__index = Server

local function sleep_a_little()
  os.execute "sleep 0.05"
end

--- Calls `fn` until it answers something, for at most `seconds` (30).
-- @param what is waited for: a text, or a function that answers one when it is in vain
-- @return what it answered
function M.wait(what, fn, seconds)
  local until_time = os.time() + (seconds or 30)
  repeat
    local answer = fn()
    if answer then
      return answer
    end
    sleep_a_little()
  until os.time() > until_time
  error("waited in vain for " .. (type(what) == "function" and what() or what), 0)
end

--- All that a file holds; "" where there is none.
function M.read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- A port of loopback that nobody listens on.
function M.free_port()
  local script = [[import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])]]
  return tonumber(host.must("python3 -c " .. helper.quote(script)))
end

--- The commands that a README shows, which are its indented lines.
function M.commands(readme)
  local commands = {}
  for line in ("\n" .. M.read(readme)):gmatch "\n    ([^\n]+)" do
    commands[#commands + 1] = line
  end
  assert(#commands > 0, readme .. " shows no commands")
  return commands
end

--- A folder that everyone may enter, for `fn`; servers do not run as root.
function M.in_open_folder(fn)
  host.in_folder(function(folder)
    host.must("chmod 755 " .. helper.quote(folder))
    fn(folder)
  end)
end

--- A command that does not run as root: before it stands what hands over to nobody.
function M.as_nobody(command)
  local is_root = host.must "id -u":match "^0"
  return (is_root and "setpriv --reuid=nobody --regid=nogroup --clear-groups " or "") .. command
end

--- Puts an example and the module, as core.so, into a folder that all may write to.
function M.lay_out(name, folder)
  local quoted = helper.quote(folder)
  host.must(("mkdir -p %s/examples/hosts && cp -R examples/hosts/%s %s/examples/hosts"):format(
    quoted, name, quoted))
  host.must(("cp %s %s/core.so && chmod -R a+rX,a+w %s"):format(helper.quote(host.module), quoted, quoted))
end

--- Runs a script of the shell in a folder, not as root; what it has started ends with it.
-- @treturn string what it printed, on both streams
function M.script(folder, text)
  M.write(folder .. "/script", "set -e; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" .. text)
  local home = "env HOME=" .. helper.quote(folder) .. " "
  return host.must(("cd %s && %s"):format(helper.quote(folder), M.as_nobody(home .. "bash script")))
end

--- Runs the commands of an example's README, but for those that build, in a folder where it is laid
-- out: with that folder for /tmp, and free ports for 8080 and 8081.
function M.follow(name, folder)
  M.lay_out(name, folder)
  local lines, ports = {}, { ["8080"] = M.free_port(), ["8081"] = M.free_port() }
  for _, line in ipairs(M.commands(("examples/hosts/%s/README.md"):format(name))) do
    if not line:match "^cmake " then
      line = line:gsub("/tmp/", folder .. "/"):gsub("808[01]", ports)
      lines[#lines + 1] = line:gsub("%$PWD/build/%w+/lua/tombstone/core%.so", folder .. "/core.so")
    end
  end
  return M.script(folder, table.concat(lines, "\n"))
end

--- Starts a command in the background; what it prints goes to the file `output`.
function M.start(command, output)
  local started = host.must(("exec %s </dev/null >%s 2>&1 & echo $!"):format(command, helper.quote(output)))
  return setmetatable({ pid = tonumber(started), output = output }, Server)
end

--- Whether a process is there, and not only waits to be looked at by its parent.
function M.is_alive(pid)
  local state = M.read(("/proc/%d/stat"):format(pid)):match "^%d+ %b() (%a)"
  return state ~= nil and state ~= "Z"
end

function Server:is_alive()
  return M.is_alive(self.pid)
end

--- The processes that it has started, in order.
function Server:children()
  local pids = {}
  for pid in M.read(("/proc/%d/task/%d/children"):format(self.pid, self.pid)):gmatch "%d+" do
    pids[#pids + 1] = tonumber(pid)
  end
  table.sort(pids)
  return pids
end

--- Waits until `fn` answers something; fails at once where the server has ended.
function Server:wait(what, fn, seconds)
  return M.wait(what, function()
    if not self:is_alive() then
      error(("the server has ended:\n%s"):format(M.read(self.output)), 0)
    end
    return fn()
  end, seconds)
end

--- Ends it, and fails where it does not end by itself.
function Server:stop()
  os.execute(("kill -TERM %d 2>/dev/null"):format(self.pid))
  local ok, err = pcall(M.wait, "the end of the server", function()
    return not self:is_alive()
  end)
  if not ok then
    os.execute(("kill -KILL %d"):format(self.pid))
    error(err, 0)
  end
end

--- Starts a command, calls `fn` with it, and stops it, also where `fn` fails.
function M.during(command, output, fn)
  local server = M.start(command, output)
  local ok, err = pcall(fn, server)
  server:stop()
  if not ok then
    error(err, 0)
  end
end

return M
