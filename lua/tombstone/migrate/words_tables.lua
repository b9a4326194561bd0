--- Words on whole tables.
-- @module tombstone.migrate.words_tables
local change = require "tombstone.migrate.change"
local columns = require "tombstone.migrate.columns"
local finding = require "tombstone.migrate.finding"
local migration = require "tombstone.migrate.migration"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

--- Creates a table.
-- @string name
-- @tparam {table,...} given columns, see `tombstone.migrate.columns`
-- @tparam[opt] table options `primary_key`, `uniques`, `foreign_keys`, `checks`, `without_rowid`,
-- `strict`
-- @usage m:create_table("posts", { { "id", "integer", key = true }, { "title", "text" } })
function Migration:create_table(name, given, options)
  self:flush()
  local t = columns.table(name, given, options)
  self:need_free_name(name)
  change.create(self.job, t)
end

function inverse.create_table(name, given, options)
  return "drop_table", name, given, options
end

--- Drops a table and its rows.
-- @string name
-- @tparam[opt] {table,...} given its columns, so that the migration can be taken back
-- @tparam[opt] table options as of `create_table`
function Migration:drop_table(name, given, options) -- luacheck: no unused args
  local t = self:table(name)
  self.job:run("DROP TABLE " .. tokens.name(t.name))
end

function inverse.drop_table(name, given, options)
  if not given then
    return nil, "drop_table does not say what the table was"
  end
  return "create_table", name, given, options
end

local BETWEEN = "tombstone_between"

--- Gives a table another name; foreign keys, views and triggers follow.
-- @string name
-- @string new_name
function Migration:rename_table(name, new_name)
  migration.need_name(new_name, "The new name", 'as in m:rename_table("posts", "articles")')
  local t = self:table(name)
  if tokens.same(t.name, new_name) then -- SQLite sees no difference in the case of letters
    self.job:run(("ALTER TABLE %s RENAME TO %s"):format(tokens.name(t.name), tokens.name(BETWEEN)))
    t.name = BETWEEN
  else
    self:need_free_name(new_name)
  end
  self.job:run(("ALTER TABLE %s RENAME TO %s"):format(tokens.name(t.name), tokens.name(new_name)))
end

function inverse.rename_table(name, new_name)
  return "rename_table", new_name, name
end

--- Makes a table what `given` and `options` say, whatever it was: columns of the same name keep
-- their values, its indexes go. For what no other word says.
-- @string name
-- @tparam {table,...} given
-- @tparam[opt] table options as of `create_table`, and `using` (SQL for columns, by name), `from`
-- (`{ columns, options }` of the table before, so that the migration can be taken back)
function Migration:change_table(name, given, options)
  self:flush()
  local rest, using = {}, options and options.using or {}
  for key, value in pairs(options or {}) do
    rest[key] = key ~= "using" and key ~= "from" and value or nil
  end
  local after = columns.table(name, given, rest)
  self:alter(name, function(t, from)
    for key in pairs(t) do
      t[key] = key == "name" and t.name or nil
    end
    for key, value in pairs(after) do
      t[key] = key == "name" and t.name or value
    end
    for column, sql in pairs(using) do
      finding.find_column(t, column)
      from[tokens.fold(column)] = tokens.fragment(sql)
    end
  end)
  self:flush()
end

function inverse.change_table(name, given, options)
  local before = options and options.from
  if not before then
    return nil, "change_table does not say by from what the table was"
  end
  local back = { from = { given, options } }
  for key, value in pairs(before[2] or {}) do
    back[key] = value
  end
  return "change_table", name, before[1], back
end

return Migration
