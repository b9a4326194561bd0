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
