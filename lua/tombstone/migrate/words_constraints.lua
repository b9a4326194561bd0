--- Words on indexes, foreign keys, checks and UNIQUE.
-- @module tombstone.migrate.words_constraints
local core = require "tombstone.core"
local columns = require "tombstone.migrate.columns"
local compare = require "tombstone.migrate.compare"
local finding = require "tombstone.migrate.finding"
local migration = require "tombstone.migrate.migration"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

--- Creates an index, under the name that models give it: `posts__title`, with `__key` where it is
-- unique, `__live` where it is unique among some.
-- @string name of the table
-- @tparam {string|table,...} given columns, or `{ sql = "lower(title)" }`
-- @tparam[opt] table options `name`, `unique`, `where`
-- @usage m:add_index("posts", { "title" }, { unique = true, where = "deleted_at IS NULL" })
function Migration:add_index(name, given, options)
  self:alter(name, function(t)
    local index = columns.index(t.name, given, options)
    if finding.names(t.indexes, index.name) then
      core.fail("migration", ("Table '%s' has an index '%s' already"):format(t.name, index.name))
    end
    self:need_free_name(index.name, t.name)
    for _, column in ipairs(index.columns) do
      if column.name then
        finding.find_column(t, column.name)
      end
    end
    t.indexes[#t.indexes + 1] = index
  end)
end

function inverse.add_index(name, given, options)
  return "drop_index", name, given, options
end

--- Drops an index: of these columns, or of the name that the options say.
-- @string name of the table
-- @tparam {string|table,...} given
-- @tparam[opt] table options as of `add_index`
function Migration:drop_index(name, given, options)
  self:alter(name, function(t)
    local wanted = options and options.name or columns.index(t.name, given, options).name
    for i, index in ipairs(t.indexes) do
      if tokens.same(index.name, wanted) then
        table.remove(t.indexes, i)
        return
      end
    end
    core.fail(
      "migration",
      ("Table '%s' has no index '%s'"):format(t.name, wanted),
      'name it by { name = "…" }'
    )
  end)
end

function inverse.drop_index(name, given, options)
  if not given then
    return nil, "drop_index does not say of which columns"
  end
  return "add_index", name, given, options
end

--- Adds a foreign key.
-- @string name of the table
-- @tparam string|{string,...} given columns
-- @tparam string|{string,...} parent a table, or table and columns
-- @tparam[opt] table options `on_delete`, `on_update`, `deferrable`, `name`
-- @usage m:add_foreign_key("posts", "author_id", "authors")
function Migration:add_foreign_key(name, given, parent, options)
  self:alter(name, function(t)
    local key = columns.foreign_key(given, parent, options)
    for _, column in ipairs(key.columns) do
      finding.find_column(t, column)
    end
    t.foreign_keys[#t.foreign_keys + 1] = key
  end)
end

function inverse.add_foreign_key(...)
  return "drop_foreign_key", ...
end

--- Drops a foreign key. Arguments as of `add_foreign_key`.
function Migration:drop_foreign_key(name, given, parent, options)
  local key = columns.foreign_key(given, parent, options)
  self:alter(name, function(t)
    finding.take(t, t.foreign_keys, ("foreign key to '%s'"):format(key.table), function(entry)
      return options and compare.text.foreign_key(entry) == compare.text.foreign_key(key)
        or not options and tokens.same(entry.table, key.table) and finding.same_list(
          entry.columns,
          key.columns
        )
    end)
  end)
end

function inverse.drop_foreign_key(...)
  return "add_foreign_key", ...
end

--- Adds a check.
-- @string name of the table
-- @string sql
-- @tparam[opt] table options `name`
-- @usage m:add_check("posts", "views >= 0")
function Migration:add_check(name, sql, options)
  core.check_options(options, { "name" }, "check")
  migration.need_name(sql, "A check", 'SQL, as in m:add_check("posts", "views >= 0")')
  self:alter(name, function(t)
    t.checks[#t.checks + 1] = { sql = sql, name = options and options.name }
  end)
end

function inverse.add_check(...)
  return "drop_check", ...
end

--- Drops a check. Arguments as of `add_check`.
function Migration:drop_check(name, sql, options)
  local wanted = options and options.name
  self:alter(name, function(t)
    finding.take(t, t.checks, "check " .. tostring(sql), function(check)
      local is_named = not wanted or (check.name ~= nil and tokens.same(check.name, wanted))
      return is_named and tokens.bare(check.sql) == tokens.bare(sql)
    end)
  end)
end

function inverse.drop_check(...)
  return "add_check", ...
end

local function unique_of(given, options)
  core.check_options(options, { "name", "conflict", "collate", "desc" }, "unique")
  local unique = { columns = type(given) == "string" and { given } or given }
  for key, value in pairs(options or {}) do
    unique[key] = value
  end
  return unique
end

--- Adds a UNIQUE constraint to the table itself. An index is the better choice: it comes and goes
-- without a new table.
-- @string name of the table
-- @tparam string|{string,...} given columns
-- @tparam[opt] table options `name`, `conflict`, `collate` and `desc` (lists)
function Migration:add_unique(name, given, options)
  local unique = unique_of(given, options)
  self:alter(name, function(t)
    for _, column in ipairs(unique.columns) do
      finding.find_column(t, column)
    end
    t.uniques[#t.uniques + 1] = unique
  end)
end

function inverse.add_unique(...)
  return "drop_unique", ...
end

--- Drops a UNIQUE constraint. Arguments as of `add_unique`.
function Migration:drop_unique(name, given, options)
  local wanted = unique_of(given, options)
  self:alter(name, function(t)
    local what = "UNIQUE constraint on " .. table.concat(wanted.columns, ", ")
    finding.take(t, t.uniques, what, function(unique)
      return options and compare.text.unique(unique) == compare.text.unique(wanted)
        or not options and finding.same_list(unique.columns, wanted.columns)
    end)
  end)
end

function inverse.drop_unique(...)
  return "add_unique", ...
end

return Migration
