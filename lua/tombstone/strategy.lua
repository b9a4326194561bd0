--- What to do on conflict: a word, a function, or a table with one of these for each model.
-- @module tombstone.strategy
local core = require "tombstone.core"

local M = {}

local function check_one(name, strategy)
  if type(strategy) ~= "string" and type(strategy) ~= "function" then
    core.misuse("on_conflict of " .. name .. " is a word or a function, not a " .. type(strategy))
  end
end

--- Refuses a table that names what is no model, or holds what is no strategy.
-- @tparam database db
-- @param strategies what `on_conflict` is
-- @raise misuse
function M.check(db, strategies)
  local side = core.side(db)
  for name, strategy in pairs(type(strategies) == "table" and strategies or {}) do
    local shown = type(name) == "string" and name or "a " .. type(name)
    if name ~= "default" and not side.by_name[name] then
      core.misuse("on_conflict names " .. shown .. ", which is no model", 'names of models, or "default"')
    end
    check_one(shown, strategy)
  end
end

--- What it says for the rows of one model, or nil.
-- @param strategies what `on_conflict` is
-- @string name of the model, or "default"
-- @treturn string|function|nil
function M.of(strategies, name)
  if type(strategies) ~= "table" then
    return strategies
  end
  return strategies[name] or strategies.default
end

--- True where it has a function to ask.
function M.asks(strategies)
  if type(strategies) ~= "table" then
    return type(strategies) == "function"
  end
  for _, strategy in pairs(strategies) do
    if type(strategy) == "function" then
      return true
    end
  end
  return false
end

--- The same, where a word stands in place of each function.
function M.without_functions(strategies, word)
  if type(strategies) ~= "table" then
    return type(strategies) == "function" and word or strategies
  end
  local words = {}
  for name, strategy in pairs(strategies) do
    words[name] = type(strategy) == "function" and word or strategy
  end
  return words
end

return M
