--- SQL, functions and long updates.
-- @module tombstone.migrate.words_data
local core = require "tombstone.core"
local chunks = require "tombstone.migrate.chunks"
local finding = require "tombstone.migrate.finding"
local schema = require "tombstone.migrate.schema"
local migration = require "tombstone.migrate.migration"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

local ENDS = {
  begin = true,
  commit = true,
  ["end"] = true,
  rollback = true,
  savepoint = true,
  release = true,
}

-- The end of a trigger's body is no statement.
local function refuse_transactions(self, sql)
  local is_first, is_trigger = true, false
  for _, token in ipairs(self.db:depth() > 0 and tokens.list(sql) or {}) do
    is_trigger = (is_trigger or token.word == "trigger") and not (is_first and token.word == "end")
    if is_first and ENDS[token.word or ""] and not is_trigger and token.word ~= "end" then
      self.job:refuse(
        ("A migration is one transaction, and %s would end it"):format(token.word:upper()),
        "leave it out, or say transaction = false"
      )
    end
    is_first = token.text == ";" or (is_trigger and token.word == "begin")
  end
end

--- Runs SQL.
-- @string sql one or several statements
-- @string[opt] down the SQL that takes it back
function Migration:execute(sql, down) -- luacheck: no unused args
  self:flush()
  refuse_transactions(self, sql)
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
  local list = {}
  for i, column in ipairs(shape.keys(set)) do
    list[i] = tokens.name(column) .. " = " .. tokens.fragment(set[column])
  end
  return table.concat(list, ", ")
end

--- Sets columns of many rows, some thousands at a time, with progress. A sub-query sees what was set
-- before.
-- @string name of the table
-- @tparam {[string]=string} set SQL by column
-- @tparam[opt] table options `where`, SQL
-- @usage m:update("posts", { slug = "lower(title)" }, { where = "slug IS NULL" })
function Migration:update(name, set, options)
  if type(set) ~= "table" or next(set) == nil then
    core.misuse("update takes SQL for columns", 'as in m:update("posts", { slug = "lower(title)" })')
  end
  core.check_options(options, { "where" }, "update")
  local t = self:table(name)
  local alias = schema.rowid_alias(t)
  for column in pairs(set) do
    if alias and tokens.same(column, alias.name) then
      self.job:refuse(
        ("update walks along '%s' and cannot change it"):format(alias.name),
        "change keys by execute, in one statement"
      )
    end
    finding.find_column(t, column)
  end
  local sql = ("UPDATE OR ABORT %s SET %s WHERE (%s)"):format(
    tokens.name(t.name),
    assignments(set),
    options and options.where and tokens.fragment(options.where) or "1"
  )
  chunks.each(self.job, t, function(condition, ...)
    self.job:run(condition and (sql .. " AND " .. condition) or sql, ...)
  end)
end

function inverse.update()
  return nil, "update does not keep what was there"
end

return Migration
