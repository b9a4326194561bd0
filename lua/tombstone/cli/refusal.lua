--- What the command refuses, and the codes that it ends with.
-- @module tombstone.cli.refusal
local text = require "tombstone.cli.text"

local M = {}

-- The exit codes: all commands have the same.
M.DONE, M.FAILED, M.USAGE, M.NOTHING, M.INTERRUPTED = 0, 1, 2, 3, 130

local Refusal = {}
Refusal.__index = Refusal

function Refusal:__tostring()
  return self.message
end

--- Ends the command with one line on stderr, and a second one that says what to do.
-- @tparam string message one line
-- @tparam[opt] string hint
-- @tparam[opt] number code the exit code, 1
-- @raise always
-- @usage refusal.raise("blog.db is not there", "give --database")
function M.raise(message, hint, code)
  error(setmetatable({ message = message, hint = hint, code = code or M.FAILED }, Refusal), 0)
end

-- The interpreter raises this in the middle of what runs, by its handler of Ctrl-C.
local function is_ctrl_c(err)
  return type(err) == "string" and err:match "interrupted!$" ~= nil
end

--- Whether an error comes from Ctrl-C.
-- @param err what was raised
-- @treturn boolean
function M.is_interruption(err)
  return is_ctrl_c(err) or (type(err) == "table" and err.kind == "interrupted")
end

-- A failed migration is looked for by its name.
local function named(err)
  local message, name = tostring(err.message), err.migration
  if not name or message:find(name, 1, true) then
    return message
  end
  return name .. ": " .. message
end

local LAUNCHER = arg and arg[0] and arg[0]:match "[^/]*$"

-- Neither the launcher nor what runs here is the user's.
local function is_own(place)
  local file = place:match "^(.*):%d+$"
  local is_module = file:match "tombstone/cli/[%w_]+%.lua$" or file:match "tombstone/migrate/[%w_]+%.lua$"
  return is_module ~= nil or file:match "[^/]*$" == LAUNCHER
end

-- Where the user's code was when the library raised an error.
local function place_of(err)
  local is_ours = type(err) == "table" and getmetatable(err) ~= Refusal and not M.is_interruption(err)
  local place = is_ours and rawget(err, "where") or nil
  return place and not is_own(place) and place or nil
end

-- Lua cuts long paths at their beginning.
local function is_in(place, path)
  local file = place:match "^(.*):%d+$"
  return file == path or (file:sub(1, 3) == "..." and path:sub(-#file + 3) == file:sub(4))
end

--- Raises anew what a file of the user raised, with the place that an error of the library knows.
-- @tparam string path the file
-- @param err what was raised
-- @raise a refusal; an interruption and other refusals as they are
-- @usage refusal.of_file("models.lua", err)
function M.of_file(path, err)
  if M.is_interruption(err) then
    error(err, 0)
  end
  local message, hint, code = M.explain(err)
  local place = place_of(err)
  if place then
    message = place .. ": " .. message
  end
  if not (place and is_in(place, path)) then
    message = path .. " fails - " .. message
  end
  M.raise(message, hint, code)
end

--- The same for a script, of which Lua's own errors say the place.
-- @param err what was raised
-- @raise always
function M.of_script(err)
  local place = place_of(err)
  if not place then
    error(err, 0)
  end
  local message, hint, code = M.explain(err)
  M.raise(place .. ": " .. message, hint, code)
end

local MOST_SQL = 200

-- What SQLite says of a statement is little without it.
local function hint_of(err)
  if err.hint or err.kind ~= "database" or not err.sql then
    return err.hint
  end
  return "it is about " .. text.short(text.plain((err.sql:gsub("%s+", " "))), MOST_SQL)
end

--- What any error comes to: message, hint and exit code.
-- @param err what was raised
-- @treturn string message
-- @treturn string|nil hint
-- @treturn number code
function M.explain(err)
  if M.is_interruption(err) then
    return "interrupted", nil, M.INTERRUPTED
  elseif getmetatable(err) == Refusal then
    return err.message, err.hint, err.code
  elseif type(err) == "table" and err.message then
    return named(err), hint_of(err), M.FAILED
  end
  return tostring(err), nil, M.FAILED
end

return M
