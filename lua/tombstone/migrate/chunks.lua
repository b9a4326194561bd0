--- Long work on a table in spans of its rowids, so that it can be watched and interrupted.
-- @module tombstone.migrate.chunks
local tokens = require "tombstone.migrate.tokens"

local M = {}

local SIZE = 10000
local ALIASES = { "rowid", "_rowid_", "oid" }

--- The word by which SQL reaches the rowid, or nil where there is none: columns may hide it.
-- @tparam table t of a schema
-- @treturn string|nil
function M.rowid(t)
  if t.without_rowid then
    return nil
  end
  local hidden = {}
  for _, column in ipairs(t.columns) do
    hidden[tokens.fold(column.name)] = true
  end
  for _, alias in ipairs(ALIASES) do
    if not hidden[alias] then
      return alias
    end
  end
end

local SPAN = "SELECT min(r) AS first, max(r) AS last, count(*) AS n FROM "
  .. "(SELECT %s AS r FROM %s WHERE %s <= ?%s ORDER BY %s LIMIT %d)"

-- The first and the last rowid of the next rows, and their number.
local function next_span(job, from, rowid, highest, after)
  local more = after and " AND " .. rowid .. " > ?" or ""
  local sql = SPAN:format(rowid, from, rowid, more, rowid, SIZE)
  local rows = after and job:rows(sql, highest, after) or job:rows(sql, highest)
  return rows[1]
end

--- Calls `step(condition, first, last)` for the rows of a table, some thousands at a time, in the
-- order of their rowids; `condition` is SQL with two `?` for `first` and `last`. A table without
-- rowids is one step, without condition. Rows that come meanwhile have no part in it.
-- @tparam job job
-- @tparam table t of a schema
-- @tparam function step
-- @bool[opt] whole all rows in one step, which looks at several at once
function M.each(job, t, step, whole)
  local from, rowid = tokens.name(t.name), M.rowid(t)
  local total = job:value("SELECT count(*) AS value FROM " .. from)
  local advance = job:steps(t.name, total)
  if not rowid or whole then
    step(nil)
    return advance(total)
  end
  local condition = rowid .. " BETWEEN ? AND ?"
  local highest = job:value(("SELECT max(%s) AS value FROM %s"):format(rowid, from))
  if highest == nil then
    return step(nil) -- for those who look at the SQL
  end
  local span = next_span(job, from, rowid, highest)
  while span.n > 0 do
    step(condition, span.first, span.last)
    advance(span.n)
    span = next_span(job, from, rowid, highest, span.last)
  end
end

return M
