--- A lock for a migration that runs outside of a transaction: two runners must not both run it.
--
-- It is the write lock of an empty database beside the file, which the system frees when its process
-- dies. The file goes when the migration is done; who has waited for it sees that then.
-- @module tombstone.migrate.lock
local database = require "tombstone.database"

local M = {}

local function nothing() end

local ATTEMPTS = 5

local function hold(file)
  local holder = database.open ":memory:"
  local ok, err = pcall(function()
    holder:exec("ATTACH DATABASE ? AS held", file)
    holder:begin()
  end)
  if ok then
    return holder
  end
  holder:close()
  return nil, err
end

-- Whoever is done removes the file, perhaps while we open it, which SQLite calls an I/O error.
local function hold_at_last(file)
  local holder, err
  for _ = 1, ATTEMPTS do
    holder, err = hold(file)
    if holder or err.kind ~= "database" then
      break
    end
  end
  return holder or error(err, 0)
end

--- Waits for the lock, as long as a handle waits for others.
-- @tparam ?string path of the database; nil for one in memory, which nobody shares
-- @treturn function `release(done)`: with `done` the lock's file is removed
-- @raise busy
-- @usage local release = lock.take("blog.db")
function M.take(path)
  if not path then
    return nothing
  end
  local file = path .. "-migrating"
  local holder = hold_at_last(file)
  return function(done)
    if done then
      os.remove(file)
    end
    holder:close()
  end
end

return M
