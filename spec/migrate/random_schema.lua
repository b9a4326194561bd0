--- Random schemas that SQLite takes, and rows for them.
--
--     local schema = random_schema.schema(Random.new(seed))
--     for _, sql in ipairs(ddl.schema(schema)) do db:exec(sql) end
--     random_schema.fill(db, schema, random, 20)
local tokens = require "tombstone.migrate.tokens"
local shape = require "tombstone.migrate.shape"

local M = {}
local quoted = tokens.name

local TABLES = { "posts", "Authors", "my table", "order", 'it"s', "Größe", "a.b", "[x]", "t`t", "s's" }
local COLUMNS = {
  "title", "Views", "group", "two words", 'q"q', "größe", "null", "a-b", "key", "check", "x", "author_id",
}
local TYPES = {
  "integer", "INT", "text", "varchar(20)", "decimal(10, 2)", "real", "double precision", "blob", "",
  "unsigned big int", "datetime", "boolean", "NUMERIC", "text",
}
local STRICT_TYPES = { "integer", "INT", "TEXT", "real", "blob", "any" }
local CONFLICTS = { "rollback", "fail", "ignore", "replace" }
local COLLATIONS = { "NOCASE", "RTRIM", "binary" }
local ACTIONS = { "cascade", "restrict", "set null", "set default" }

-- Takes one out of a list.
local function draw(random, list)
  return table.remove(list, random:int(1, #list))
end

local function list_of(list)
  return { (rawget(table, "unpack") or rawget(_G, "unpack"))(list) }
end

local function maybe(random, percent, list)
  return random:chance(percent) and random:pick(list) or nil
end

-- ---- columns --------------------------------------------------------------------------

local function is_number(column)
  return shape.type_of(column):match "int" or shape.type_of(column):match "real" ~= nil
end

local NUMBERS = { "0", "-5", "+7", "5.5", "1e3", "(2 + 3)", "abs(-4)" }
local TEXTS = { "'x'", "''", "'it''s'", "'--'", "lower('A')", "'a' || 'b'", "CURRENT_TIMESTAMP" }

local function default(random, column, strict)
  if is_number(column) then
    return strict and tostring(random:int(-9, 9)) or random:pick(NUMBERS)
  elseif strict and shape.type_of(column) == "blob" then
    return "x'00ff'"
  end
  return random:pick(TEXTS)
end

local function some_column(random, name, strict)
  local column = {
    name = name,
    type = random:pick(strict and STRICT_TYPES or TYPES),
    null = random:chance(60) or nil,
  }
  column.default = random:chance(30) and default(random, column, strict) or nil
  column.collate = maybe(random, 15, COLLATIONS)
  if not column.null then
    column.conflict = maybe(random, 5, CONFLICTS)
  end
  return column
end

local GENERATED = {
  'coalesce(%s, 0) || \'x\'', "length(%s)", "%s", "CASE WHEN %s IS NULL THEN 0 ELSE ')' END",
}

local function generate(random, made, column)
  local from = quoted(made.columns[random:int(1, #made.columns)].name)
  column.default, column.conflict, column.null = nil, nil, true
  column.type = made.strict and "any" or column.type
  column.generated = {
    sql = random:pick(GENERATED):format((from:gsub("%%", "%%%%"))),
    stored = random:chance(50) or nil,
  }
end

local function columns(random, made)
  local names = list_of(COLUMNS)
  for i = 1, random:int(1, 8) do
    local column = some_column(random, draw(random, names), made.strict)
    if i > 1 and random:chance(12) then
      generate(random, made, column)
    end
    made.columns[i] = column
  end
end

local function stored_columns(made)
  local list = {}
  for _, column in ipairs(made.columns) do
    list[#list + 1] = not column.generated and column or nil
  end
  return list
end

-- ---- keys -----------------------------------------------------------------------------

-- `id` in front, as most tables have it.
local function rowid_key(random, made)
  table.insert(made.columns, 1, { name = "id", type = random:pick { "integer", "INTEGER", '"integer"' } })
  made.columns[1].type = made.strict and "INTEGER" or made.columns[1].type
  made.primary_key = { "id", conflict = maybe(random, 5, CONFLICTS) }
  made.primary_key.name = maybe(random, 5, { "pk", "the key" })
  made.autoincrement = random:chance(60) or nil
end

local function close_key(made)
  for _, name in ipairs(made.primary_key) do
    local column = shape.column(made, name)
    if made.without_rowid or made.strict or column == shape.rowid_alias(made) then
      column.null = nil
    end
  end
end

local function column_key(random, made)
  local left, key = stored_columns(made), {}
  for i = 1, math.min(#left, random:int(1, 3)) do
    key[i] = draw(random, left).name
  end
  local single_integer = #key == 1 and shape.type_of(shape.column(made, key[1])) == "integer"
  if random:chance(20) and not (single_integer and not made.without_rowid) then
    key.desc = { [random:int(1, #key)] = true }
  elseif random:chance(15) and not single_integer then
    key.collate = { [random:int(1, #key)] = random:pick(COLLATIONS) }
  elseif single_integer and not made.without_rowid and random:chance(30) then
    key.desc = { true } -- no rowid
  end
  key.conflict = maybe(random, 5, CONFLICTS)
  made.primary_key = key
end

local function primary_key(random, made)
  if not made.without_rowid and random:chance(50) then
    rowid_key(random, made)
  elseif made.without_rowid or random:chance(70) then
    column_key(random, made)
  end
  if made.primary_key then
    close_key(made)
  end
end

local function mark_of(names)
  return tokens.fold(table.concat(names, "\0"))
end

local function some_names(random, made, most)
  local left, names = list_of(made.columns), {}
  for i = 1, math.min(#left, random:int(1, most)) do
    names[i] = draw(random, left).name
  end
  return names
end

local function uniques(random, made)
  local seen = { [mark_of(made.primary_key or {})] = true }
  for _ = 1, random:int(0, 3) do
    local names = some_names(random, made, 3)
    if not seen[mark_of(names)] then
      seen[mark_of(names)] = true
      made.uniques[#made.uniques + 1] = {
        columns = names,
        name = maybe(random, 20, { "one", "The Other", "unique" }),
        conflict = maybe(random, 10, CONFLICTS),
        collate = random:chance(10) and { [#names] = random:pick(COLLATIONS) } or nil,
        desc = random:chance(10) and { true } or nil,
      }
    end
  end
end

-- ---- checks and foreign keys ----------------------------------------------------------

local CHECKS = {
  "%s IS NULL OR length(%s) < 1000", "typeof(%s) <> 'a ) b'", "%s IS NULL OR (%s NOT IN ('(', '--'))",
  "(%s IS NOT 'never')", "coalesce(%s, 1) <> 'it''s'", "%s NOT LIKE '%%/*%%' OR %s IS NULL",
}

local function checks(random, made)
  for _ = 1, random:int(0, 2) do
    local name = quoted(random:pick(made.columns).name)
    made.checks[#made.checks + 1] = {
      sql = random:pick(CHECKS):format(name, name),
      name = maybe(random, 30, { "sound", "is it?", "check" }),
    }
  end
end

-- A column of its own for each of the parent's key, so that rows find parents.
local function foreign_key(random, made, parent)
  local key = { columns = {}, table = parent.name }
  key.to = random:chance(70) and list_of(parent.primary_key) or nil
  for i, name in ipairs(parent.primary_key) do
    local own = shape.copy((shape.column(parent, name)))
    own.name = "ref " .. #made.columns .. "." .. i
    own.null, own.default, own.conflict = true, nil, nil
    made.columns[#made.columns + 1] = own
    own.type = made.strict and "any" or own.type
    key.columns[i] = own.name
  end
  key.on_delete = maybe(random, 50, ACTIONS)
  key.on_update = maybe(random, 20, ACTIONS)
  key.deferrable = maybe(random, 20, { "deferred", "immediate" })
  key.match = maybe(random, 5, { "full" })
  key.name = maybe(random, 20, { "fk", "to the parent" })
  made.foreign_keys[#made.foreign_keys + 1] = key
end

local function foreign_keys(random, schema, made)
  for _, name in ipairs(schema.order) do
    local parent = schema.tables[name]
    -- SQLite finds no parent by a key whose collation is not the column's
    if parent.primary_key and not parent.primary_key.collate and random:chance(40) then
      foreign_key(random, made, parent)
    end
  end
end

-- ---- indexes --------------------------------------------------------------------------

local EXPRESSIONS = { "lower(%s)", "%s || ')'", "coalesce(%s, 'x, y')", "%s + 1" }
local WHERES = { "%s IS NULL", "%s IS NOT NULL AND %s <> 'a''b'", "%s > 0", "(%s = '--')" }

local function index_column(random, made)
  local name = random:pick(made.columns).name
  local column = { collate = maybe(random, 15, COLLATIONS), desc = random:chance(20) or nil }
  if random:chance(25) then
    column.sql = random:pick(EXPRESSIONS):format(quoted(name))
  else
    column.name = name
  end
  return column
end

local function index(random, made, n)
  local one = {
    name = made.name .. (random:chance(50) and "__" or " by ") .. n,
    columns = {},
    unique = random:chance(15) or nil,
  }
  for i = 1, random:int(1, 3) do
    one.columns[i] = index_column(random, made)
  end
  if random:chance(35) then
    local name = quoted(random:pick(made.columns).name)
    one.where = random:pick(WHERES):format(name, name)
  end
  return one
end

local function indexes(random, made)
  for n = 1, random:int(0, 3) do
    made.indexes[n] = index(random, made, n)
  end
end

-- ---- schemas --------------------------------------------------------------------------

--- A random table, with foreign keys to tables that the schema has.
-- @tparam Random random of `laws.random`
-- @tparam table schema is left as it is
-- @string name
function M.table(random, schema, name)
  local made = { name = name, columns = {}, uniques = {}, foreign_keys = {}, checks = {}, indexes = {} }
  made.strict = random:chance(15) or nil
  made.without_rowid = random:chance(15) or nil
  columns(random, made)
  primary_key(random, made)
  foreign_keys(random, schema, made)
  if made.primary_key and not made.primary_key.collate and random:chance(15) then
    foreign_key(random, made, made)
  end
  uniques(random, made)
  checks(random, made)
  indexes(random, made)
  return made
end

local function view(schema, made)
  local name = made.name .. " seen"
  schema.views[name] = "CREATE VIEW " .. quoted(name) .. " AS SELECT * FROM " .. quoted(made.name)
end

local function trigger(schema, made)
  local name = made.name .. ".touched"
  schema.triggers[name] = {
    table = made.name,
    sql = "CREATE TRIGGER " .. quoted(name) .. " AFTER DELETE ON " .. quoted(made.name)
      .. " BEGIN SELECT count(*) FROM " .. quoted(made.name) .. "; END",
  }
end

--- A random schema of 1 to 5 tables.
-- @tparam Random random of `laws.random`
-- @tparam[opt] table options `plain`: without views and triggers
-- @treturn table
function M.schema(random, options)
  local schema = { tables = {}, order = {}, views = {}, triggers = {}, others = {} }
  local names = list_of(TABLES)
  for i = 1, random:int(1, 5) do
    local made = M.table(random, schema, draw(random, names))
    schema.tables[made.name] = made
    schema.order[i] = made.name
    if not (options and options.plain) and random:chance(15) then
      view(schema, made)
    end
    if not (options and options.plain) and random:chance(15) then
      trigger(schema, made)
    end
  end
  return schema
end

-- ---- rows -----------------------------------------------------------------------------

local WORDS = { "a", "B", "ab ", "", "it's", "Größe", "--", "x" }

local function value(random, column)
  local kind = shape.type_of(column)
  if column.null and random:chance(20) then
    return nil
  elseif kind:match "int" or kind == "boolean" then
    return random:int(-40, 40)
  elseif kind == "real" or kind:match "^d[eo]" or kind == "numeric" then
    return random:int(-400, 400) / 4
  end
  return random:pick(WORDS) .. random:int(1, 99)
end

-- Columns that point to a parent take the key of one of its rows.
local function point(db, random, made, row)
  for _, key in ipairs(made.foreign_keys) do
    local to = {}
    for i, name in ipairs(key.to or {}) do
      to[i] = quoted(name) .. " AS c" .. i
    end
    local parents = #to > 0 and random:chance(80)
        and db:query("SELECT " .. table.concat(to, ", ") .. " FROM " .. quoted(key.table))
      or {}
    local parent = #parents > 0 and random:pick(parents) or {}
    for i, name in ipairs(key.columns) do
      row[name] = parent["c" .. i]
    end
  end
end

local function insert(db, made, row)
  local names, marks, values, n = {}, {}, {}, 0
  for _, column in ipairs(stored_columns(made)) do
    if row[column.name] ~= nil then
      n = n + 1
      names[n], marks[n], values[n] = quoted(column.name), "?", row[column.name]
    end
  end
  if n == 0 then
    return pcall(db.exec, db, "INSERT INTO " .. quoted(made.name) .. " DEFAULT VALUES")
  end
  local sql = ("INSERT INTO %s (%s) VALUES (%s)"):format(
    (quoted(made.name):gsub("%%", "%%%%")),
    table.concat(names, ", "),
    table.concat(marks, ", ")
  )
  return pcall(db.exec, db, sql, (rawget(table, "unpack") or rawget(_G, "unpack"))(values, 1, n))
end

--- Fills the tables with random rows; those that the database refuses are left out.
-- @tparam database db has the schema's tables
-- @tparam table schema
-- @tparam Random random
-- @int n rows that are tried for each table
-- @treturn number rows that are there now
function M.fill(db, schema, random, n)
  local kept = 0
  for _, name in ipairs(schema.order) do
    local made = schema.tables[name]
    for _ = 1, n do
      local row = {}
      for _, column in ipairs(stored_columns(made)) do
        row[column.name] = value(random, column)
      end
      point(db, random, made, row)
      kept = kept + (insert(db, made, row) and 1 or 0)
    end
  end
  return kept
end

return M
