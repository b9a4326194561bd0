--- SQL, functions and long updates.
-- @module tombstone.migrate.words_data
local core = require "tombstone.core"
local chunks = require "tombstone.migrate.chunks"
local migration = require "tombstone.migrate.migration"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

--- Runs SQL.
-- @string sql one or several statements
-- @string[opt] down the SQL that takes it back
function Migration:execute(sql, down) -- luacheck: no unused args
  self:flush()
  self.job:run(sql)
end

function inverse.execute(sql, down)
  if not down then
    return nil, "execute does not say what takes it back"
  end
  return "execute", down, sql
end

--- Calls `fn(db, m)`, for data.
-- @tparam function fn
-- @tparam[opt] function down takes it back
-- @usage m:run(function(db) db:exec "UPDATE posts SET slug = lower(title)" end)
function Migration:run(fn, down) -- luacheck: no unused args
  if type(fn) ~= "function" then
    core.misuse("run takes a function, not a " .. type(fn), "as in m:run(function(db) … end)")
  end
  self:flush()
  fn(self.db, self)
  self:flush()
end

function inverse.run(fn, down)
  if not down then
    return nil, "run does not say what takes it back"
  end
  return "run", down, fn
end

local function assignments(set)
  local sorted, list = {}, {}
  for column in pairs(set) do
    sorted[#sorted + 1] = column
  end
  table.sort(sorted)
  for i, column in ipairs(sorted) do
    list[i] = tokens.name(column) .. " = " .. set[column]
  end
  return table.concat(list, ", ")
end

--- Sets columns of many rows, some thousands at a time, with progress.
-- @string name of the table
-- @tparam {[string]=string} set SQL by column
-- @tparam[opt] table options `where`, SQL
-- @usage m:update("posts", { slug = "lower(title)" }, { where = "slug IS NULL" })
function Migration:update(name, set, options)
  core.check_options(options, { "where" }, "update")
  local t = self:table(name)
  local sql = ("UPDATE OR ABORT %s SET %s WHERE (%s)"):format(
    tokens.name(t.name),
    assignments(set),
    options and options.where or "1"
  )
  chunks.each(self.job, t, function(condition, ...)
    self.job:run(condition and (sql .. " AND " .. condition) or sql, ...)
  end)
end

function inverse.update()
  return nil, "update does not keep what was there"
end

return Migration
