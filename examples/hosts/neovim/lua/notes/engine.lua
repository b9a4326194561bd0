--- Finds and loads tombstone, which is one file: a module in C with its Lua sources in it.
local config = require "notes.config"

local M = {}

-- In a folder of 'runtimepath': the file alone, or a build folder of tombstone.
local PLACES = { "lua/tombstone.so", "lua/tombstone/core.so" }

local BUILD = "build it by 'cmake --preset luajit && cmake --build --preset luajit'"
local SEE = "see :help notes-module"

-- What the loader of shared objects says, and what it means.
local REASONS = {
  { "undefined symbol: luaopen_", "is a module, but not tombstone", SEE },
  { "undefined symbol: lua", "is built for another Lua than Neovim's LuaJIT", BUILD },
  { "version mismatch", "is built for another Lua than Neovim's LuaJIT", BUILD },
  { "ELF header", "is no module", SEE },
  { "file too short", "is no module", SEE },
  { "wrong ELF class", "is built for another machine", BUILD },
  { "No such file", "is not there", SEE },
}

local function reason_of(path, why)
  for _, reason in ipairs(REASONS) do
    if why:find(reason[1], 1, true) then
      return { message = path .. " " .. reason[2], hint = reason[3], cause = why }
    end
  end
  return { message = path .. " cannot be loaded: " .. why, hint = SEE, cause = why }
end

--- Where the module lies: the option `module`, else in 'runtimepath'.
-- @treturn string|nil nil where it is in neither
function M.path()
  local path = config.get "module"
  if path then
    return path
  end
  for _, place in ipairs(PLACES) do
    local found = vim.api.nvim_get_runtime_file(place, false)[1]
    if found then
      return vim.fn.fnamemodify(found, ":p")
    end
  end
end

local function open(path)
  local entry, why = package.loadlib(path, "luaopen_tombstone")
  if not entry then
    error(reason_of(path, why), 0)
  end
  local ok, tombstone = pcall(entry, "tombstone")
  if not ok then
    error(reason_of(path, tostring(tombstone)), 0)
  end
  package.loaded.tombstone = tombstone
  return tombstone
end

--- Loads the module once.
-- @treturn table
-- @raise `{ message, hint, cause }`: what is wrong with it, and what to do
function M.load()
  if package.loaded.tombstone then
    return package.loaded.tombstone
  end
  local path = M.path()
  if path then
    return open(path)
  end
  local ok, tombstone = pcall(require, "tombstone") -- as a rock is found
  if not ok then
    error({ message = "tombstone is not found", hint = SEE, cause = tombstone }, 0)
  end
  return tombstone
end

return M
