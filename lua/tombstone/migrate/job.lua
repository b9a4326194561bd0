--- A run of migrations at work: the handle, the log of its statements, the progress of long steps.
-- @module tombstone.migrate.job
local core = require "tombstone.core"

local M = {}

local Job = {}
Job.__index = Job

--- A job on `db`.
-- @tparam database db
-- @tparam[opt] table options `log(sql, …)`, called with each statement and its values; `progress(step)`,
-- called in long steps with `migration`, `table`, `done` and `total` (rows), `seconds` and
-- `seconds_left`
-- @usage local job = job.new(db, { log = print })
function M.new(db, options)
  options = options or {}
  return setmetatable({ db = db, log = options.log, on_progress = options.progress, rebuilt = {} }, Job)
end

--- Runs statements that answer no rows. An error says which.
-- @string sql
-- @param ... a value for each `?`
-- @treturn number rows changed
function Job:run(sql, ...)
  if self.log then
    self.log(sql, ...)
  end
  local ok, result = pcall(self.db.exec, self.db, sql, ...)
  if not ok then
    if type(result) == "table" and rawget(result, "sql") == nil then
      rawset(result, "sql", sql)
    end
    error(result, 0)
  end
  return result
end

--- The rows of a question, which is not logged.
function Job:rows(sql, ...)
  return self.db:query(sql, ...)
end

--- The one value of a question: the column `value` of its first row.
function Job:value(sql, ...)
  local row = self.db:query(sql, ...)[1]
  return row and row.value
end

--- Begins to count the rows of a long step.
-- @string table_name
-- @int total rows
-- @treturn function that takes the number of rows done since
function Job:steps(table_name, total)
  local done, start = 0, self.db:now()
  return function(n)
    done = done + n
    if not self.on_progress then
      return
    end
    local seconds = self.db:now() - start
    self.on_progress {
      migration = self.name,
      table = table_name,
      done = done,
      total = total,
      seconds = seconds,
      seconds_left = done > 0 and seconds / done * math.max(total - done, 0) or nil,
    }
  end
end

--- Calls `fn`, which makes a new table of an old one: within the migration's transaction, or in one
-- of its own where the migration wants none.
function Job:guarded(fn)
  local run = self.guard
  if run then
    return run(fn)
  end
  return fn()
end

--- Raises `migration`.
-- @string message
-- @string[opt] hint
function Job:refuse(message, hint) -- luacheck: no self
  return core.fail("migration", message, hint)
end

return M
