--- The schema of a database as a plain table, read from SQLite's catalogue.
--
--     schema = { tables = { [name] = table }, order = { name, … }, views = { [name] = sql },
--                triggers = { [name] = { table =, sql = } }, others = { [name] = sql } }
--     table  = { name =, columns = { column, … }, primary_key = { "id" }, autoincrement = true,
--                uniques = { { columns = {…}, name = } }, checks = { { sql =, name = } },
--                foreign_keys = { { columns = {…}, table =, to = {…}, on_delete =, on_update =,
--                                   deferrable = "deferred" or "immediate", match =, name = } },
--                indexes = { { name =, columns = { { name = } or { sql = }, … }, unique =, where = } },
--                without_rowid =, strict = }
--     column = { name =, type =, null = true, default =, collate =, generated = { sql =, stored = } }
--
-- A column is NOT NULL unless `null`, as in models. What stands at a column in SQL (CHECK,
-- REFERENCES, UNIQUE, PRIMARY KEY) is the table's here. Where they differ from the usual, keys and
-- UNIQUE have `conflict`, and `collate` and `desc` by the place of a column; columns have
-- `conflict` for NOT NULL. Virtual tables are `others`.
-- @module tombstone.migrate.schema
local audit = require "tombstone.migrate.audit"
local compare = require "tombstone.migrate.compare"
local core = require "tombstone.core"
local parse = require "tombstone.migrate.parse"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

-- ---- the catalogue -----------------------------------------------------------------------

local MASTER = [[
SELECT type, name, tbl_name, sql FROM main.sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid]]

-- A pragma of a virtual table would need its module.
local TABLES = [[
 FROM main.sqlite_master AS m JOIN %s
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%%' ESCAPE '\'
AND m.sql NOT LIKE 'CREATE VIRTUAL %%' AND (?1 IS NULL OR m.name = ?1 COLLATE NOCASE)
ORDER BY %s]]

local COLUMNS = 'SELECT m.name AS "table_name", p.name, p.type, p."notnull", p.dflt_value, p.pk, p.hidden'
  .. TABLES:format("pragma_table_xinfo(m.name, 'main') AS p", "m.rowid, p.cid")

local FOREIGN_KEYS = 'SELECT m.name AS "table_name", p.id, p."table", p."from", p."to",'
  .. " p.on_update, p.on_delete"
  .. TABLES:format("pragma_foreign_key_list(m.name, 'main') AS p", "m.rowid, p.id, p.seq")

local INDEXES = 'SELECT m.name AS "table_name", l.name AS "index", l."unique", l.origin, l.partial,'
  .. ' x.name, x.coll, x."desc"'
  .. TABLES:format(
    "pragma_index_list(m.name, 'main') AS l JOIN pragma_index_xinfo(l.name, 'main') AS x ON x.key = 1",
    "m.rowid, l.seq, x.seqno"
  )

local function by_table(rows)
  local found = {}
  for _, row in ipairs(rows) do
    local list = found[row.table_name] or {}
    found[row.table_name] = list
    list[#list + 1] = row
  end
  return found
end

-- What the pragmas say of all tables, or of one.
local function catalogue(db, name)
  local columns = by_table(db:query(COLUMNS, name))
  local foreign_keys = by_table(db:query(FOREIGN_KEYS, name))
  local indexes = by_table(db:query(INDEXES, name))
  return function(of)
    return {
      columns = columns[of] or {},
      foreign_keys = foreign_keys[of] or {},
      indexes = indexes[of] or {},
    }
  end
end

-- ---- virtual tables ------------------------------------------------------------------------

-- The tables in which a module keeps the rows of a virtual one, by their endings.
local SHADOWS = {
  fts3 = { "content", "docsize", "segdir", "segments", "stat" },
  fts5 = { "config", "content", "data", "docsize", "idx" },
  rtree = { "node", "parent", "rowid" },
}
SHADOWS.fts4, SHADOWS.geopoly, SHADOWS.rtree_i32 = SHADOWS.fts3, SHADOWS.rtree, SHADOWS.rtree

local function is_virtual(row)
  return row.type == "table" and row.sql:upper():match "^CREATE VIRTUAL " ~= nil
end

local function module_of(sql)
  local list = tokens.list(sql)
  for i, token in ipairs(list) do
    if token.word == "using" then
      return list[i + 1] and tokens.fold(list[i + 1].value or "")
    end
  end
end

local function shadows_of(rows)
  local found = {}
  for _, row in ipairs(rows) do
    local endings = is_virtual(row) and SHADOWS[module_of(row.sql)] or {}
    for _, ending in ipairs(endings) do
      found[tokens.fold(row.name) .. "_" .. ending] = true
    end
  end
  return found
end

-- ---- reading -----------------------------------------------------------------------------

local function read_one(row, indexes, known)
  local made = parse.table(row.sql)
  made.name = row.name
  for i, index in ipairs(indexes) do
    made.indexes[i] = parse.index(index.sql, made)
  end
  audit.check(made, known(row.name))
  return made
end

local function indexes_of(rows)
  local found = {}
  for _, row in ipairs(rows) do
    if row.type == "index" then
      found[row.tbl_name] = found[row.tbl_name] or {}
      table.insert(found[row.tbl_name], row)
    end
  end
  return found
end

local PUT = {
  view = function(made, row)
    made.views[row.name] = row.sql
  end,
  trigger = function(made, row)
    made.triggers[row.name] = { table = row.tbl_name, sql = row.sql }
  end,
  index = function() end, -- is with its table
}

local function read_all(db)
  local rows = db:query(MASTER)
  local shadows, indexes, known = shadows_of(rows), indexes_of(rows), catalogue(db, nil)
  local made = { tables = {}, order = {}, views = {}, triggers = {}, others = {} }
  for _, row in ipairs(rows) do
    if PUT[row.type] then
      PUT[row.type](made, row)
    elseif is_virtual(row) then
      made.others[row.name] = row.sql
    elseif not shadows[tokens.fold(row.name)] then
      made.tables[row.name] = read_one(row, indexes[row.name] or {}, known)
      made.order[#made.order + 1] = row.name
    end
  end
  return made
end

local function read_named(db, name)
  local rows = db:query(MASTER)
  for _, row in ipairs(rows) do
    if row.type == "table" and not is_virtual(row) and tokens.fold(row.name) == tokens.fold(name) then
      return read_one(row, indexes_of(rows)[row.name] or {}, catalogue(db, row.name))
    end
  end
  return nil
end

local function version_of(db)
  return db:query("PRAGMA main.schema_version")[1].schema_version
end

-- What is read by several queries is one picture only where nobody has changed the schema
-- meanwhile. A transaction would shut writers out.
local function at_one_time(read, db, name)
  local before, ok, made
  repeat
    before = version_of(db)
    ok, made = pcall(read, db, name)
  until version_of(db) == before
  if not ok then
    error(made, 0)
  end
  return made
end

--- Reads the schema of a database. Temporary tables, SQLite's own and those in which virtual
-- tables keep their rows are left out.
-- @tparam database db
-- @treturn table schema
-- @raise migration, naming the table, where its text cannot be read with certainty; busy, database
-- @usage print(schema.read(db).tables.posts.columns[1].name)
function M.read(db)
  return at_one_time(read_all, db)
end

--- Reads one table.
-- @tparam database db
-- @string name in whichever case
-- @treturn table|nil the table, nil where there is none of that name
-- @raise as `read`
-- @usage local posts = schema.read_table(db, "posts")
function M.read_table(db, name)
  return at_one_time(read_named, db, name)
end

local function made_in(scratch, statements)
  for _, sql in ipairs(statements) do
    scratch:exec(sql)
  end
  return M.read(scratch)
end

--- True where the database has a table of that name, in whichever case.
-- @tparam database db
-- @string name
-- @treturn boolean
function M.has(db, name)
  local sql = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
  return #db:query(sql, name) > 0
end

--- The schema that the handle's models want, read from an empty database in memory.
-- @tparam database db
-- @treturn table schema
-- @raise misuse where a model points to one that is not declared
-- @usage schema.same(schema.read(db), schema.of_models(db))
function M.of_models(db)
  local statements = db:ddl()
  local scratch = core.open ":memory:"
  local ok, made = pcall(made_in, scratch, statements)
  scratch:close()
  if not ok then
    error(made, 0)
  end
  return made
end

-- ---- comparing ---------------------------------------------------------------------------

--- Compares two schemas: tables, views, triggers, in any order.
-- @function same
-- @tparam table a
-- @tparam table b
-- @treturn boolean
-- @treturn ?string the first difference in words: "here" is `a`, "there" is `b`
-- @usage assert(schema.same(schema.read(db), schema.read(copy)))
M.same = compare.schemas

--- Compares two tables.
-- @function same_table
-- @tparam table a
-- @tparam table b
-- @treturn boolean
-- @treturn ?string the first difference in words
-- @usage local same, why = schema.same_table(a, b)
M.same_table = compare.tables

--- A copy of a table or schema that shares nothing with it.
-- @function copy
-- @tparam table value
-- @treturn table
M.copy = shape.copy

--- The column of a table by its name in whichever case, and its place; nil where there is none.
-- @function column
-- @tparam table table
-- @string name
M.column = shape.column

--- The column that is another name of the rowid, or nil.
-- @function rowid_alias
-- @tparam table table
M.rowid_alias = shape.rowid_alias

return M
