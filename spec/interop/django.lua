--- The Django application `django_app.py` as a process that the specs talk to.
local found, cjson = pcall(require, "cjson")

local M = {}

-- Debian's own, which has Debian's python3-django; another may stand first in the PATH.
local PYTHON = "/usr/bin/python3"

local calls, answers

--- Starts it: one process for all of a file, since Django takes its time to begin. A preloaded
-- sanitizer is not for Python, and `exec` leaves no shell to be searched for leaks.
function M.start()
  local fifo = os.tmpname()
  os.remove(fifo)
  io.popen("exec mkfifo " .. fifo):close()
  calls = io.popen("exec env -u LD_PRELOAD " .. PYTHON .. " spec/interop/django_app.py > " .. fifo, "w")
  answers = assert(io.open(fifo))
  os.remove(fifo)
end

--- Makes calls on a file: its path, then lists of a name and arguments. Answers what they return.
function M.ask(...)
  calls:write(cjson.encode { ... }, "\n")
  calls:flush()
  local line = answers:read "*l"
  assert(line, "Django is gone")
  return cjson.decode(line)
end

--- Ends it.
function M.stop()
  calls:close()
  answers:close()
end

local function has_django()
  local pipe = io.popen("exec env -u LD_PRELOAD " .. PYTHON .. " -c 'import django; print(1)' 2>&1")
  local output = pipe:read "*a"
  pipe:close()
  return output == "1\n"
end

--- False where Django or lua-cjson is missing.
M.is_there = found and has_django()

return M
