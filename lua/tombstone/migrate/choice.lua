--- Which migrations a run takes, and in which order.
-- @module tombstone.migrate.choice
local core = require "tombstone.core"
local history = require "tombstone.migrate.history"

local M = {}

local function matches(name, wanted)
  local digits = wanted:match "^%d+$"
  return name == wanted or (digits ~= nil and tonumber(name:match "^%d+") == tonumber(digits))
end

-- The place of the migration that `to` names, by name or number; 0 is before the first.
local function place_of(list, to)
  local wanted = tostring(to)
  if wanted:match "^0+$" then
    return 0
  end
  for i, migration in ipairs(list) do
    if matches(migration.name, wanted) then
      return i
    end
  end
  return core.fail("migration", ("There is no migration '%s'"):format(wanted), "give its name or its number")
end

local function states(db, list)
  local entries, state = history.status(db, list), {}
  history.check(entries)
  for _, entry in ipairs(entries) do
    state[entry.name] = entry.state
  end
  return state
end

--- Those that `up` runs: what is not applied.
-- @tparam database db
-- @tparam {table,...} list of migrations
-- @tparam table options `to`
-- @treturn {table,...}
-- @raise migration where files were edited or are missing
function M.forward(db, list, options)
  local state, chosen = states(db, list), {}
  local last = options.to and place_of(list, options.to) or #list
  for i = 1, last do
    local migration = list[i]
    if state[migration.name] ~= "applied" then
      chosen[#chosen + 1] = migration
    end
  end
  return chosen
end

--- Those that `down` takes back, the last first.
-- @tparam database db
-- @tparam {table,...} list of migrations
-- @tparam table options `to`, `steps`
-- @treturn {table,...}
-- @raise migration where files were edited or are missing
function M.backward(db, list, options)
  local state, chosen = states(db, list), {}
  local first = options.to and place_of(list, options.to) + 1 or 1
  local steps = options.steps or (options.to and #list or 1)
  for i = #list, first, -1 do
    local migration = list[i]
    if #chosen < steps and state[migration.name] ~= "pending" then
      chosen[#chosen + 1] = migration
    end
  end
  return chosen
end

return M
