--- An empty copy of a database in memory, to try things on.
-- @module tombstone.migrate.scratch
local database = require "tombstone.database"
local history = require "tombstone.migrate.history"
local memo = require "tombstone.migrate.memo"

local M = {}

local SCHEMA = [[SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
  ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid]]

--- The same tables, indexes, views and triggers without rows, but for the notes of migrations.
-- @tparam database db
-- @treturn database to be closed
-- @raise database where SQLite cannot make a table, as one of a module that is not there
function M.of(db)
  local copy = database.open ":memory:"
  for _, row in ipairs(db:query(SCHEMA)) do
    local ok, err = pcall(copy.exec, copy, row.sql)
    if not ok and not tostring(err):find "already exists" then -- as those that virtual tables have made
      copy:close()
      error(err, 0)
    end
  end
  for _, row in pairs(history.read(db)) do
    history.note(copy, row, row.finished == 1)
  end
  memo.copy(db, copy)
  return copy
end

return M
