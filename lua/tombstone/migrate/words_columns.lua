--- Words on columns.
-- @module tombstone.migrate.words_columns
local core = require "tombstone.core"
local columns = require "tombstone.migrate.columns"
local finding = require "tombstone.migrate.finding"
local migration = require "tombstone.migrate.migration"
local tokens = require "tombstone.migrate.tokens"

local Migration, inverse = migration.Migration, migration.inverse

-- SQL of `using` speaks of the table as the words before have left it.
local function before_using(self, options)
  if options and options.using then
    self:flush()
  end
end

local function split_using(given)
  local rest = {}
  for key, value in pairs(type(given) == "table" and given or {}) do
    rest[key] = key ~= "using" and value or nil
  end
  return type(given) == "table" and rest or given, type(given) == "table" and given.using or nil
end

local function need_values(self, t, column, using)
  local is_filled = using or column.null or column.default or column.generated
  if is_filled then
    return
  end
  local some = self.job:value(("SELECT EXISTS (SELECT 1 FROM %s) AS value"):format(tokens.name(t.name)))
  if some == 1 then
    self.job:refuse(
      ("Column '%s' is NOT NULL and says nothing of the rows that '%s' has"):format(column.name, t.name),
      [[give it using = "SQL", a default, or null = true]]
    )
  end
end

-- Where a new column stands: at the end, unless it says otherwise.
local function place_of(t, spelled)
  if spelled.first then
    return 1
  elseif spelled.after then
    local _, i = finding.find_column(t, spelled.after)
    return i + 1
  end
  return #t.columns + 1
end

--- Adds a column, at the end.
-- @string name of the table
-- @tparam table given the column; with `using = "SQL"` over the other columns, which gives the rows
-- that are there their values; with `after`, a column's name, or `first = true` elsewhere than at the end
-- @usage m:add_column("posts", { "slug", "text", using = "lower(title)" })
function Migration:add_column(name, given)
  local spelled, using = split_using(given)
  local column = columns.column(spelled)
  before_using(self, given)
  self:alter(name, function(t, from)
    finding.need_free(t, column.name)
    need_values(self, t, column, using)
    table.insert(t.columns, place_of(t, spelled), column)
    columns.add_words(t, spelled)
    from[tokens.fold(column.name)] = using and tokens.fragment(using)
  end)
end

function inverse.add_column(name, given)
  return "drop_column", name, given[1], given
end

-- The check and the UNIQUE that stand in the column's own words.
local function drop_words(t, given)
  if given.check then
    finding.take(t, t.checks, "check " .. given.check, function(check)
      return tokens.bare(check.sql) == tokens.bare(given.check)
    end)
  end
  if given.unique then
    finding.take(t, t.uniques, "UNIQUE constraint on " .. given[1], function(unique)
      return finding.same_list(unique.columns, { given[1] })
    end)
  end
end

--- Drops a column and its values. Indexes and checks that use it have to go before.
-- @string name of the table
-- @string column_name
-- @tparam[opt] table given the column as `add_column` takes it, so that the migration can be taken
-- back; a check and a UNIQUE that stand in it go too
function Migration:drop_column(name, column_name, given)
  migration.need_name(column_name, "A column", 'as in m:drop_column("posts", "title")')
  self:alter(name, function(t, from)
    local column, i = finding.find_column(t, column_name)
    drop_words(t, given or {})
    finding.need_unused(t, column.name)
    finding.drop_constraints(t, column.name)
    table.remove(t.columns, i)
    from[tokens.fold(column.name)] = nil
  end)
end

function inverse.drop_column(name, _, given)
  if not given then
    return nil, "drop_column does not say what the column was"
  end
  return "add_column", name, given
end

local function need_no_words(given)
  for _, word in ipairs { "key", "unique", "check", "references" } do
    if given[word] ~= nil then
      core.misuse("change_column does not take " .. word, "there are words of their own for it, as add_check")
    end
  end
end

--- Changes a column's type, NULL, default or collation; its values stay, or become what `using` says.
-- @string name of the table
-- @tparam table given the column as it shall be
-- @tparam[opt] table options `using`, SQL over the columns as they are; `from`, the column as it was,
-- so that the migration can be taken back
-- @usage m:change_column("posts", { "views", "integer" }, { using = "coalesce(views, 0)" })
function Migration:change_column(name, given, options)
  core.check_options(options, { "using", "from" }, "change_column")
  local column = columns.column(given)
  need_no_words(given)
  before_using(self, options)
  self:alter(name, function(t, from)
    local old, i = finding.find_column(t, column.name)
    column.name = old.name
    t.columns[i] = column
    local key, using = tokens.fold(column.name), options and options.using
    local sql = using and tokens.fragment(using) or from[key] or tokens.name(old.name)
    from[key] = not column.generated and sql or nil
  end)
end

function inverse.change_column(name, given, options)
  local before = options and options.from
  if not before then
    return nil, "change_column does not say by from what the column was"
  end
  return "change_column", name, before, { from = given }
end

--- Gives a column another name; indexes, checks, foreign keys, views and triggers follow.
-- @string name of the table
-- @string old_name
-- @string new_name
function Migration:rename_column(name, old_name, new_name)
  migration.need_name(new_name, "The new name", 'as in m:rename_column("posts", "title", "headline")')
  local t = self:table(name)
  local column = finding.find_column(t, old_name)
  if not tokens.same(column.name, new_name) then
    finding.need_free(t, new_name)
  end
  self.job:run(
    ("ALTER TABLE %s RENAME COLUMN %s TO %s"):format(
      tokens.name(t.name),
      tokens.name(column.name),
      tokens.name(new_name)
    )
  )
end

function inverse.rename_column(name, old_name, new_name)
  return "rename_column", name, new_name, old_name
end

return Migration
