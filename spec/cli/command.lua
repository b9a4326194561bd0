--- The command as a process: its launcher of this build, run in a folder of its own.
local helper = require "helper"
local lfs = require "lfs"

local command = {}

local BUILD = package.cpath:match "([^;]+)/lua/%?%.so"

--- The launcher of the build that this suite runs on; nil where it runs from none.
command.launcher = BUILD and lfs.attributes(BUILD .. "/tombstone", "mode") == "file" and BUILD .. "/tombstone"
  or nil

-- ---- folders -----------------------------------------------------------------------------------

local folders = {}

--- A new empty folder; `clean` removes it.
function command.folder()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  folders[#folders + 1] = path
  return path
end

--- Removes the folders; for teardown.
function command.clean()
  for i = #folders, 1, -1 do
    os.execute("exec rm -rf " .. helper.quote(folders[i]))
    folders[i] = nil
  end
end

function command.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function command.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- The text of a golden file.
function command.golden(name)
  return command.read("spec/cli/golden/" .. name .. ".json")
end

-- ---- processes -----------------------------------------------------------------------------------

local function words_of(list)
  local words = {}
  for i, word in ipairs(list) do
    words[i] = helper.quote(word)
  end
  return table.concat(words, " ")
end

-- The environment of a user: nothing of this suite leads to modules.
local function environment(settings, unset)
  local words = { "env -u TOMBSTONE_DATABASE -u NO_COLOR" }
  for _, name in ipairs { "LUA_PATH", "LUA_CPATH", "LUA_INIT" } do
    for _, version in ipairs { "", "_5_2", "_5_3", "_5_4" } do
      words[#words + 1] = "-u " .. name .. version
    end
  end
  words[#words + 1] = unset and "-u " .. unset or nil
  words[#words + 1] = "TERM=xterm"
  for name, value in pairs(settings or {}) do
    words[#words + 1] = helper.quote(name .. "=" .. value)
  end
  return table.concat(words, " ")
end

-- Lua 5.1 answers what the system says, the others the code.
local function code_of(a, _, code)
  if type(a) == "number" then
    return a % 256 == 0 and a / 256 or a
  end
  return code
end

local function execute(folder, line, input)
  local out, err, into = os.tmpname(), os.tmpname(), os.tmpname()
  command.write(into, input or "")
  local code = code_of(
    os.execute(("cd %s && exec %s >%s 2>%s <%s"):format(helper.quote(folder), line, out, err, into))
  )
  local texts = { command.read(out), command.read(err) }
  os.remove(out)
  os.remove(err)
  os.remove(into)
  return code, texts[1], texts[2]
end

--- Runs the command without a terminal.
-- @tparam string folder where it runs
-- @tparam {string,...} arguments
-- @tparam[opt] table options `input`, `environment`, and `program` in place of the command
-- @treturn number the exit code
-- @treturn string what it wrote to stdout
-- @treturn string and to stderr
function command.run(folder, arguments, options)
  options = options or {}
  local line = ("%s %s %s"):format(
    environment(options.environment),
    helper.quote(options.program or command.launcher),
    words_of(arguments)
  )
  return execute(folder, line, options.input)
end

--- Runs the command in a terminal, where somebody sits who takes these steps (see terminal.py).
-- @treturn string what the screen has shown, and the exit code in its last line
function command.sit(folder, arguments, steps, settings)
  local with = { SPEC_PRELOAD = os.getenv "LD_PRELOAD", HOME = folder }
  if rawget(_G, "jit") then
    -- LuaJIT unloads readline, which keeps what it has taken, before anybody looks for leaks.
    with.ASAN_OPTIONS = "detect_leaks=0"
  end
  for name, value in pairs(settings or {}) do
    with[name] = value
  end
  local line = ("%s python3 %s %s -- %s %s"):format(
    environment(with, "LD_PRELOAD"),
    helper.quote(lfs.currentdir() .. "/spec/cli/terminal.py"),
    words_of(steps),
    helper.quote(command.launcher),
    words_of(arguments)
  )
  local _, out, err = execute(folder, line)
  return (out:gsub("\r\n", "\n")) .. err
end

return command
