--- Writing CREATE TABLE and CREATE INDEX.
--
-- Each function answers a text; nothing is run.
-- @module tombstone.migrate.ddl
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local quoted, fragment = tokens.name, tokens.fragment

-- ---- parts ---------------------------------------------------------------------------

local function named(name)
  return name and "CONSTRAINT " .. quoted(name) .. " " or ""
end

local function conflict(word)
  return word and " ON CONFLICT " .. word:upper() or ""
end

local function name_list(names, how)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = quoted(name)
    if how and how.collate and how.collate[i] then
      list[i] = list[i] .. " COLLATE " .. quoted(how.collate[i])
    end
    if how and how.desc and how.desc[i] then
      list[i] = list[i] .. " DESC"
    end
  end
  return " (" .. table.concat(list, ", ") .. ")"
end

local CONSTANTS = {
  ["null"] = true, ["true"] = true, ["false"] = true,
  ["current_time"] = true, ["current_date"] = true, ["current_timestamp"] = true,
}
local LITERALS = { number = true, text = true, blob = true }

local function is_literal(list)
  local sign = #list == 2 and (list[1].text == "-" or list[1].text == "+")
  if sign then
    return list[2].kind == "number"
  end
  return #list == 1 and (LITERALS[list[1].kind] or CONSTANTS[list[1].word or ""] or false)
end

local function default(sql)
  if not sql then
    return ""
  end
  local text = fragment(sql)
  return " DEFAULT " .. (is_literal(tokens.list(text)) and text or "(" .. text .. ")")
end

local function generated(made)
  if not made then
    return ""
  end
  return " GENERATED ALWAYS AS (" .. fragment(made.sql) .. ")" .. (made.stored and " STORED" or "")
end

--- A column as it stands in CREATE TABLE and behind ADD COLUMN: name, type, NOT NULL, DEFAULT,
-- COLLATE, what generates it. What the table holds of it (keys, checks) is not in it.
-- @tparam table column
-- @string[opt] key what says that it is the primary key
-- @treturn string
-- @usage ddl.column { name = "views", type = "integer", default = "0" }
--   --> "views" integer NOT NULL DEFAULT 0
function M.column(column, key)
  return quoted(column.name)
    .. (column.type ~= "" and " " .. column.type or "")
    .. (column.null and "" or " NOT NULL" .. conflict(column.conflict))
    .. (key or "")
    .. default(column.default)
    .. (column.collate and " COLLATE " .. quoted(column.collate) or "")
    .. generated(column.generated)
end

--- CHECK, with its name.
-- @tparam table check `sql`, `name`
function M.check(check)
  return named(check.name) .. "CHECK (" .. fragment(check.sql) .. ")"
end

--- UNIQUE of a table, with its name.
-- @tparam table unique `columns`, `name`, `conflict`
function M.unique(unique)
  return named(unique.name) .. "UNIQUE" .. name_list(unique.columns, unique) .. conflict(unique.conflict)
end

local DEFERRED = {
  immediate = " DEFERRABLE INITIALLY IMMEDIATE",
  deferred = " DEFERRABLE INITIALLY DEFERRED",
}

--- REFERENCES with all that follows, as it stands behind a column.
-- @tparam table key a foreign key
function M.references(key)
  return "REFERENCES "
    .. quoted(key.table)
    .. (key.to and name_list(key.to) or "")
    .. (key.on_delete and " ON DELETE " .. key.on_delete:upper() or "")
    .. (key.on_update and " ON UPDATE " .. key.on_update:upper() or "")
    .. (key.match and " MATCH " .. quoted(key.match) or "")
    .. (key.deferrable and DEFERRED[key.deferrable] or "")
end

--- FOREIGN KEY of a table, with its name.
-- @tparam table key a foreign key
function M.foreign_key(key)
  return named(key.name) .. "FOREIGN KEY" .. name_list(key.columns) .. " " .. M.references(key)
end

-- ---- CREATE TABLE ----------------------------------------------------------------------

-- A key of one column stands at it: AUTOINCREMENT and DESC mean something only there.
local function stands_inside(key)
  return key ~= nil and #key == 1 and not (key.collate and key.collate[1])
end

local function inside_key(made)
  local key = made.primary_key
  return " "
    .. named(key.name)
    .. "PRIMARY KEY"
    .. (key.desc and key.desc[1] and " DESC" or "")
    .. conflict(key.conflict)
    .. (made.autoincrement and " AUTOINCREMENT" or "")
end

local function columns(made, parts)
  local key = made.primary_key
  local inside = stands_inside(key) and tokens.fold(key[1])
  for _, column in ipairs(made.columns) do
    local is_key = inside == tokens.fold(column.name)
    parts[#parts + 1] = M.column(column, is_key and inside_key(made) or nil)
  end
end

local function constraints(made, parts)
  local key = made.primary_key
  if key and not stands_inside(key) then
    parts[#parts + 1] = named(key.name) .. "PRIMARY KEY" .. name_list(key, key) .. conflict(key.conflict)
  end
  for _, unique in ipairs(made.uniques or {}) do
    parts[#parts + 1] = M.unique(unique)
  end
  for _, check in ipairs(made.checks or {}) do
    parts[#parts + 1] = M.check(check)
  end
  for _, foreign in ipairs(made.foreign_keys or {}) do
    parts[#parts + 1] = M.foreign_key(foreign)
  end
end

local function options(made)
  local words = {}
  words[1] = made.without_rowid and "WITHOUT ROWID" or nil
  words[#words + 1] = made.strict and "STRICT" or nil
  return #words > 0 and " " .. table.concat(words, ", ") or ""
end

--- CREATE TABLE.
-- @tparam table made a table of a schema
-- @string[opt] name another name for it
-- @treturn string
-- @raise migration where an expression of it is none
-- @usage ddl.create_table(schema.read_table(db, "posts"), "posts_copy")
function M.create_table(made, name)
  local parts = {}
  columns(made, parts)
  constraints(made, parts)
  local head = "CREATE TABLE " .. quoted(name or made.name)
  return head .. " (" .. table.concat(parts, ", ") .. ")" .. options(made)
end

-- ---- CREATE INDEX ----------------------------------------------------------------------

-- COLLATE behind `a || b` would be b's.
local function expression(column)
  local text = fragment(column.sql)
  local list = tokens.list(text)
  local alone = not column.collate or tokens.is_whole(list, 1, #list)
  return alone and text or "(" .. text .. ")"
end

local function index_column(column)
  return (column.name and quoted(column.name) or expression(column))
    .. (column.collate and " COLLATE " .. quoted(column.collate) or "")
    .. (column.desc and " DESC" or "")
end

--- CREATE INDEX.
-- @tparam table|string made the table, or its name
-- @tparam table index
-- @treturn string
-- @raise migration where an expression of it is none
-- @usage ddl.create_index("posts", { name = "posts__views", columns = { { name = "views" } } })
function M.create_index(made, index)
  local list = {}
  for i, column in ipairs(index.columns) do
    list[i] = index_column(column)
  end
  return (index.unique and "CREATE UNIQUE INDEX " or "CREATE INDEX ")
    .. quoted(index.name)
    .. " ON "
    .. quoted(type(made) == "table" and made.name or made)
    .. " ("
    .. table.concat(list, ", ")
    .. ")"
    .. (index.where and " WHERE " .. fragment(index.where) or "")
end

--- The statements that make a table with its indexes.
-- @tparam table made
-- @treturn {string,...}
function M.table(made)
  local list = { M.create_table(made) }
  for _, index in ipairs(made.indexes or {}) do
    list[#list + 1] = M.create_index(made, index)
  end
  return list
end

--- The statements that make a whole schema: tables in order, views, triggers. Virtual tables are
-- not among them.
-- @tparam table schema
-- @treturn {string,...}
-- @usage for _, sql in ipairs(ddl.schema(schema.read(db))) do other:exec(sql) end
function M.schema(schema)
  local list = {}
  for _, name in ipairs(schema.order) do
    for _, sql in ipairs(M.table(schema.tables[name])) do
      list[#list + 1] = sql
    end
  end
  for _, name in ipairs(shape.keys(schema.views)) do
    list[#list + 1] = schema.views[name]
  end
  for _, name in ipairs(shape.keys(schema.triggers)) do
    list[#list + 1] = schema.triggers[name].sql
  end
  return list
end

return M
