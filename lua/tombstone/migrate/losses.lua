--- What a change drops, said with its rows.
-- @module tombstone.migrate.losses
local tokens = require "tombstone.migrate.tokens"

local M = {}

local SQL_ERROR = 1 -- SQLite's code for a name that is not there

--- The column `n` of a question, or nil where a table is not there: it may be renamed on the way.
function M.count(db, sql)
  local ok, rows = pcall(db.query, db, sql)
  if ok then
    return rows[1].n
  elseif rows.code ~= SQL_ERROR then
    error(rows, 0)
  end
end

--- What is dropped, in words, with the rows that are there.
-- @tparam database db
-- @tparam table lost `table`, and `column` where it is not all of it
-- @treturn string
function M.say(db, lost)
  local from = tokens.name(lost.table)
  if not lost.column then
    local n = M.count(db, "SELECT count(*) AS n FROM " .. from)
    return ("drops table '%s'%s"):format(lost.table, n and (" and its %d rows"):format(n) or "")
  end
  local n = M.count(db, ("SELECT count(%s) AS n FROM %s"):format(tokens.name(lost.column), from))
  local values = n and (" and its values in %d rows"):format(n) or " and its values"
  return ("drops column '%s' of '%s'%s"):format(lost.column, lost.table, values)
end

return M
