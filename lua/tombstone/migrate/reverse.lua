--- What takes a migration back, where it does not say so itself: the inverse words of its `up`, last
-- first.
-- @module tombstone.migrate.reverse
local core = require "tombstone.core"
local words = require "tombstone.migrate.words"

local M = {}

local function irreversible(migration, why)
  core.fail(
    "migration",
    ("Migration '%s' cannot be taken back - %s"):format(migration.name, why),
    "write its down, or tell the word what was there before"
  )
end

local function record(list)
  return setmetatable({}, {
    __index = function(_, word)
      if not words.inverse[word] then
        core.misuse(
          ("'%s' cannot be asked while up is reversed"):format(tostring(word)),
          "write the migration's down"
        )
      end
      return function(_, ...)
        list[#list + 1] = { word = word, n = select("#", ...), ... }
      end
    end,
  })
end

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local function inverse_of(migration, entry)
  local back = { words.inverse[entry.word](unpack(entry, 1, entry.n)) }
  if not back[1] then
    irreversible(migration, back[2])
  end
  back.n = 6 -- the most that a word takes, which may end in nothing
  return back
end

-- The words that take `up` back, the last first.
local function inverse_words(migration)
  if migration.irreversible then
    irreversible(migration, "it says so itself")
  end
  local list, back = {}, {}
  migration.up(record(list))
  for i = #list, 1, -1 do
    back[#back + 1] = inverse_of(migration, list[i])
  end
  return back
end

--- What taking a migration back drops, as far as its words say so: nothing where it has a `down` of
-- its own.
-- @tparam table migration
-- @treturn {table,...} each with `table`, and `column` where it is not all of it
-- @raise migration where it cannot be taken back
function M.lost(migration)
  local lost = {}
  for _, back in ipairs(migration.down and {} or inverse_words(migration)) do
    if back[1] == "drop_table" or back[1] == "drop_column" then
      lost[#lost + 1] = { table = back[2], column = back[1] == "drop_column" and back[3] or nil }
    end
  end
  return lost
end

--- The `down` of a migration.
-- @tparam table migration `name`, `up`, `down`, `irreversible`
-- @treturn function
-- @raise migration where it cannot be taken back
function M.down(migration)
  if migration.down then
    return migration.down
  end
  local words_back = inverse_words(migration)
  return function(m)
    for _, back in ipairs(words_back) do
      m[back[1]](m, unpack(back, 2, back.n))
    end
  end
end

return M
