--- How migrations spell columns and tables, and how that becomes the table of a schema, and back.
--
--     { "id", "integer", key = true }                      -- the primary key, numbered by the database
--     { "title", "varchar(100)", check = "title <> ''" }   -- NOT NULL, as fields of models are
--     { "views", "integer", default = "0" }                -- SQL
--     { "author_id", "integer", null = true, references = "authors" }
--
-- @module tombstone.migrate.columns
local core = require "tombstone.core"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local COLUMN = { "key", "null", "default", "collate", "check", "references", "unique", "generated", "stored",
  "conflict", "after", "first" }
local TABLE = { "primary_key", "uniques", "foreign_keys", "checks", "indexes", "without_rowid",
  "strict", "autoincrement" }
local HINT = 'as in { "title", "varchar(100)", null = true }'

-- Named options of a table whose array part is something else.
local function check_named(given, known, what)
  local named = {}
  for name, value in pairs(given) do
    if type(name) ~= "number" then
      named[name] = value
    end
  end
  core.check_options(named, known, what)
end

-- ---- from the language to the schema --------------------------------------------------------

--- The column of a schema that `given` spells.
-- @tparam table given
-- @treturn table
-- @raise misuse
function M.column(given)
  if type(given) ~= "table" or type(given[1]) ~= "string" then
    core.misuse("A column is a name and a type", HINT)
  end
  check_named(given, COLUMN, "column " .. given[1])
  if given[2] ~= nil and type(given[2]) ~= "string" then
    core.misuse(("The type of column '%s' is SQL, not a %s"):format(given[1], type(given[2])), HINT)
  end
  if given.default ~= nil and type(given.default) ~= "string" then
    local hint = [[as in default = "0" or default = "'new'"]]
    core.misuse(("The default of column '%s' is SQL, not a %s"):format(given[1], type(given.default)), hint)
  end
  return {
    name = given[1],
    type = given[2] or "",
    null = given.null or nil,
    default = given.default,
    collate = given.collate,
    generated = given.generated and { sql = given.generated, stored = given.stored } or nil,
    conflict = given.conflict,
  }
end

local function is_integer(column)
  return (column.type or ""):lower() == "integer"
end

local function set_key(t, column)
  if t.primary_key then
    core.misuse(("Table '%s' has two keys"):format(t.name), "name them by primary_key = { … }")
  end
  t.primary_key = { column.name }
  t.autoincrement = is_integer(column) or nil
end

--- What a column's words say of its table: key, unique, check, reference.
-- @tparam table t of a schema, which is changed
-- @tparam table given
function M.add_words(t, given)
  local column = given[1]
  if given.key then
    set_key(t, { name = column, type = given[2] })
  end
  if given.unique then
    t.uniques[#t.uniques + 1] = { columns = { column } }
  end
  if given.check then
    t.checks[#t.checks + 1] = { sql = given.check }
  end
  if given.references then
    t.foreign_keys[#t.foreign_keys + 1] = M.foreign_key(column, given.references)
  end
end

local function as_list(value)
  return type(value) == "string" and { value } or value
end

--- A foreign key. `parent` is a table's name, or `{ table, column }`.
function M.foreign_key(columns, parent, options)
  core.check_options(options, { "on_delete", "on_update", "deferrable", "match", "name" }, "foreign key")
  options = options or {}
  local given = as_list(parent)
  if type(given) ~= "table" or type(given[1]) ~= "string" then
    core.misuse("A foreign key needs the parent's table", 'as in references = "authors"')
  end
  local to = {}
  for i = 2, #given do
    to[i - 1] = given[i]
  end
  return {
    columns = as_list(columns),
    table = given[1],
    to = #to > 0 and to or nil,
    on_delete = options.on_delete and tokens.fold(options.on_delete),
    on_update = options.on_update and tokens.fold(options.on_update),
    deferrable = options.deferrable,
    match = options.match,
    name = options.name,
  }
end

--- The table of a schema that `name`, `given` and `options` spell.
-- @string name
-- @tparam {table,...} given columns
-- @tparam[opt] table options `primary_key`, `uniques`, `foreign_keys`, `checks`, `indexes`,
-- `without_rowid`, `strict`
-- @treturn table
-- @raise misuse
function M.table(name, given, options)
  if type(name) ~= "string" or type(given) ~= "table" or #given == 0 then
    core.misuse(
      "A table is a name and a list of columns",
      'as in m:create_table("posts", { { "id", "integer" } })'
    )
  end
  core.check_options(options, TABLE, "table " .. name)
  options = options or {}
  local t = {
    name = name,
    columns = {},
    uniques = {},
    foreign_keys = {},
    checks = {},
    indexes = {},
    primary_key = options.primary_key,
    autoincrement = options.autoincrement,
    without_rowid = options.without_rowid,
    strict = options.strict,
  }
  for i, column in ipairs(given) do
    t.columns[i] = M.column(column)
    M.add_words(t, column)
  end
  for _, list in ipairs { "uniques", "foreign_keys", "checks", "indexes" } do
    for _, entry in ipairs(options[list] or {}) do
      t[list][#t[list] + 1] = entry
    end
  end
  return t
end

-- ---- indexes --------------------------------------------------------------------------------

-- The engine's own names, so that models find what migrations made.
local function index_name(table_name, columns, options)
  local parts = { table_name }
  for _, column in ipairs(columns) do
    if not column.name then
      core.misuse("An index on an expression needs a name", 'as in { name = "posts__lower_title" }')
    end
    parts[#parts + 1] = column.name
  end
  if options.unique then
    parts[#parts + 1] = options.where and "live" or "key"
  end
  return table.concat(parts, "__")
end

--- The index that a migration spells: columns by name, or as `{ name =, collate =, desc = }` or
-- `{ sql = "lower(title)" }`.
-- @string table_name
-- @tparam {string|table,...} given
-- @tparam[opt] table options `name`, `unique`, `where`
-- @treturn table of a schema
-- @raise misuse
function M.index(table_name, given, options)
  core.check_options(options, { "name", "unique", "where" }, "index")
  options = options or {}
  local columns = {}
  for i, column in ipairs(as_list(given) or {}) do
    columns[i] = type(column) == "string" and { name = column } or column
  end
  if #columns == 0 then
    core.misuse("An index needs columns", 'as in m:add_index("posts", { "title" })')
  end
  return {
    name = options.name or index_name(table_name, columns, options),
    columns = columns,
    unique = options.unique or nil,
    where = options.where,
  }
end

-- ---- from the schema to the language --------------------------------------------------------

--- The words that spell a column.
-- @tparam table column of a schema
-- @treturn table as migrations write it
function M.spell_column(column)
  return {
    column.name,
    column.type ~= "" and column.type or nil,
    null = column.null,
    default = column.default,
    collate = column.collate,
    generated = column.generated and column.generated.sql,
    stored = column.generated and column.generated.stored,
    conflict = column.conflict,
  }
end

local function spell_key(given, t)
  local key = t.primary_key
  if not key or #key ~= 1 or key.name or key.conflict or key.desc or key.collate then
    return key
  end
  for _, column in ipairs(given) do
    local is_same = tokens.same(column[1], key[1])
    if is_same and (t.autoincrement ~= nil) == is_integer { type = column[2] } then
      column.key = true
      return nil
    end
  end
  return key
end

local function has_word_key(given)
  for _, column in ipairs(given) do
    if column.key then
      return true
    end
  end
  return false
end

local function spell_references(given, t)
  local others = {}
  for _, key in ipairs(t.foreign_keys) do
    local is_plain = #key.columns == 1 and not (
      key.on_delete or key.on_update or key.deferrable or key.match or key.name
    )
    local column
    for _, candidate in ipairs(is_plain and given or {}) do
      if tokens.same(candidate[1], key.columns[1]) and not candidate.references then
        column = candidate
      end
    end
    if column then
      column.references = key.to and { key.table, key.to[1] } or key.table
    else
      others[#others + 1] = key
    end
  end
  return others
end

local function readable(checks)
  local list = {}
  for i, check in ipairs(checks) do
    list[i] = { name = check.name, sql = tokens.readable(check.sql) }
  end
  return list
end

local function unless_empty(list)
  return list and #list > 0 and list or nil
end

--- The columns and options that spell a table, without its indexes.
-- @tparam table t of a schema
-- @treturn {table,...} columns
-- @treturn table|nil options
function M.spell_table(t)
  local given = {}
  for i, column in ipairs(t.columns) do
    given[i] = M.spell_column(column)
  end
  local key = spell_key(given, t)
  local options = {
    primary_key = key,
    foreign_keys = unless_empty(spell_references(given, t)),
    uniques = unless_empty(t.uniques),
    checks = unless_empty(readable(t.checks)),
    autoincrement = not has_word_key(given) and t.autoincrement or nil,
    without_rowid = t.without_rowid,
    strict = t.strict,
  }
  return given, next(options) and options or nil
end

--- The columns and options that spell an index.
-- @string table_name
-- @tparam table index of a schema
-- @treturn {string|table,...} columns
-- @treturn table|nil options
function M.spell_index(table_name, index)
  local given, plain = {}, true
  for i, column in ipairs(index.columns) do
    local is_name = column.name and not column.collate and not column.desc
    given[i] = is_name and column.name or column
    plain = plain and column.name ~= nil
  end
  local where = index.where and tokens.readable(index.where)
  local options = { unique = index.unique, where = where }
  if not plain or index_name(table_name, index.columns, index) ~= index.name then
    options.name = index.name
  end
  return given, next(options) and options or nil
end

return M
