--- Conditions that combine.
--
--     Post.objects:filter(Q { views__gte = 10 } | Q { title = "Hello" })   -- Lua 5.3 and later
--     Post.objects:filter(any { { views__gte = 10 }, { title = "Hello" } })
--
-- A condition is a plain value: it may be kept, shared and used for several models.
-- @module tombstone.condition
local core = require "tombstone.core"

local M = {}
local Condition = core.condition

-- A condition in place of the list, or a hole in it, would be lost without a word.
local function is_list(parts)
  local n = 0
  for _ in pairs(type(parts) == "table" and parts or { x = 1 }) do
    n = n + 1
  end
  return type(parts) == "table" and n == #parts
end

local function make(kind, parts)
  if not is_list(parts) then
    core.misuse(kind .. " takes a list of conditions", "as in " .. kind .. "{ { a = 1 }, { b = 2 } }")
  end
  local made = { kind = kind }
  for i = 1, #parts do
    made[i] = parts[i]
  end
  return setmetatable(made, Condition)
end

--- One table of lookups, ready to be combined with `|`, `&` and `~`.
-- @tparam table lookups as in `filter`
-- @treturn condition
function M.Q(lookups)
  if type(lookups) ~= "table" then
    core.misuse("Q takes a table of lookups, not a " .. type(lookups), "as in Q{ views__gte = 10 }")
  end
  return make("all", { lookups })
end

--- All of these hold. `all {}` holds for every row.
-- @tparam {table|condition,...} parts
-- @treturn condition
function M.all(parts)
  return make("all", parts)
end

--- One of these holds at least. `any {}` holds for no row.
-- @tparam {table|condition,...} parts
-- @treturn condition
function M.any(parts)
  return make("any", parts)
end

--- None of these holds: the exact complement of `any`, NULLs included.
-- @tparam {table|condition,...} parts
-- @treturn condition
function M.none(parts)
  return make("none", parts)
end

function Condition.__bor(a, b)
  return M.any { a, b }
end

function Condition.__band(a, b)
  return M.all { a, b }
end

function Condition.__bnot(a)
  return M.none { a }
end

return M
