--- Plain tables.
-- @module tombstone.tables
local M = {}

--- A table of the same pairs, and of those of another one over them.
-- @tparam[opt] table from
-- @tparam[opt] table over
-- @treturn table
function M.copy(from, over)
  local copied = {}
  for name, value in pairs(from or {}) do
    copied[name] = value
  end
  for name, value in pairs(over or {}) do
    copied[name] = value
  end
  return copied
end

--- Gives a table other pairs in place of its own; it stays the same table.
-- @tparam table into
-- @tparam table from
function M.put_back(into, from)
  for name in pairs(M.copy(into)) do
    into[name] = nil
  end
  for name, value in pairs(from) do
    into[name] = value
  end
end

--- Those of a list that pass a test.
-- @tparam table list
-- @tparam function test
-- @treturn table
function M.those(list, test)
  local passed = {}
  for _, value in ipairs(list) do
    passed[#passed + 1] = test(value) and value or nil
  end
  return passed
end

return M
