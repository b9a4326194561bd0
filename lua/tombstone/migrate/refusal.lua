--- Refusals that list rows.
-- @module tombstone.migrate.refusal
local core = require "tombstone.core"

local M = {}

--- How many rows a refusal shows.
M.SHOWN = 10

local function keys_text(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = tostring(row.key)
  end
  return table.concat(list, ", ")
end

--- Raises `migration` for rows: the message has their number and the keys of the first ones, the error
-- `rows` (`key` and what else is known of each) and `count`.
-- @string what of which table, with the word for it: "would collide"
-- @tparam {table,...} rows the first ones
-- @int count all of them
-- @string hint
function M.rows(what, rows, count, hint)
  local more = count > #rows and (", … %d in all"):format(count) or ""
  local number = count == 1 and "1 row" or ("%d rows"):format(count)
  local message = ("%s: %s, key %s%s"):format(what, number, keys_text(rows), more)
  local _, err = pcall(core.fail, "migration", message, hint)
  rawset(err, "rows", rows)
  rawset(err, "count", count)
  error(err, 0)
end

--- Raises for the rows that `condition` finds, where there are some.
-- @tparam job job
-- @string from a table, as SQL
-- @string key a column, as SQL
-- @string condition SQL
-- @string what as of `rows`
-- @string hint
-- @string[opt] value SQL of what is shown of each in the error's `rows`
function M.where(job, from, key, condition, what, hint, value)
  local sql = ("SELECT %s AS key, %s AS value FROM %s WHERE %s ORDER BY 1 LIMIT %d"):format(
    key,
    value or "NULL",
    from,
    condition,
    M.SHOWN
  )
  local rows = job:rows(sql)
  if #rows > 0 then
    local count = job:value(("SELECT count(*) AS value FROM %s WHERE %s"):format(from, condition))
    M.rows(what, rows, count, hint)
  end
end

return M
