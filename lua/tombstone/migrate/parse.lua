--- Reading CREATE TABLE and CREATE INDEX, as SQLite keeps them.
--
-- It reads what SQLite has taken, and is no judge of what SQLite would refuse.
-- @module tombstone.migrate.parse
local constraint = require "tombstone.migrate.constraint"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"
local walk_of = require("tombstone.migrate.walk").new

local M = {}

-- ---- columns -----------------------------------------------------------------------

-- What ends the words of a type; all others belong to it.
local ENDS = {
  ["constraint"] = true, ["primary"] = true, ["not"] = true, ["null"] = true, ["unique"] = true,
  ["check"] = true, ["default"] = true, ["collate"] = true, ["references"] = true, ["as"] = true,
  ["deferrable"] = true,
}

local function in_type(walk)
  local token = walk.list[walk.at]
  if not token or not token.value then
    return false
  end
  local generated = token.word == "generated" and walk:peek(1) == "always" and walk:peek(2) == "as"
  return not generated and not ENDS[token.word]
end

local function type_of(walk)
  local from = walk.at
  while in_type(walk) do
    walk.at = walk.at + 1
  end
  if walk.at > from and walk:peek() == "(" then
    walk:enclosed()
  end
  return tokens.join(walk.list, from, walk.at - 1)
end

local function column(walk, made)
  local one = { name = walk:name(), type = type_of(walk), null = true }
  made.columns[#made.columns + 1] = one
  constraint.of_column(walk, made, one)
end

-- ---- double quotes --------------------------------------------------------------------

-- What stands in double quotes and is no name of the table's is a text to SQLite, as long as it
-- is in an old schema: a new statement must say so.
local ROWID = { ["rowid"] = true, ["oid"] = true, ["_rowid_"] = true }

local function is_name(list, i, made)
  local before, after = list[i - 1], list[i + 1]
  local called = after and (after.text == "(" or after.text == ".")
  local named = before and (before.word == "collate" or before.word == "as" or before.text == ".")
  local name = list[i].value
  return called or named or ROWID[tokens.fold(name)] or shape.column(made, name) ~= nil
end

local function settled(sql, made)
  if not sql:find('"', 1, true) then
    return sql
  end
  local list = tokens.list(sql)
  for i, token in ipairs(list) do
    if token.kind == "name" and token.text:sub(1, 1) == '"' and not is_name(list, i, made) then
      token.text = tokens.text(token.value)
    end
  end
  return tokens.join(list)
end

local function settle(made)
  for _, check in ipairs(made.checks) do
    check.sql = settled(check.sql, made)
  end
  for _, one in ipairs(made.columns) do
    if one.generated then
      one.generated.sql = settled(one.generated.sql, made)
    end
    one.default = one.default and settled(one.default, { columns = {} })
  end
end

-- ---- one spelling ----------------------------------------------------------------------

local function spell(names, made)
  for i, name in ipairs(names) do
    local own = shape.column(made, name)
    names[i] = own and own.name or name
  end
end

-- A rowid knows no order and no collation where the key stands behind the columns.
local function plain_rowid(made, key)
  local behind = key.behind
  key.behind = nil
  if behind and shape.rowid_alias { columns = made.columns, primary_key = { key[1], key[2] } } then
    key.collate = nil
    key.desc = made.without_rowid and key.desc or nil
  end
end

-- Keys are NOT NULL where SQLite says so by itself.
local function close_key(made)
  local key = made.primary_key
  if not key then
    return
  end
  plain_rowid(made, key)
  local alias = shape.rowid_alias(made)
  for _, name in ipairs(key) do
    local own = shape.column(made, name)
    if own and (own == alias or made.without_rowid or made.strict) then
      own.null = nil
    end
  end
end

local function unique_mark(unique)
  local parts = {}
  for i, name in ipairs(unique.columns) do
    parts[i] = tokens.name(tokens.fold(name)) .. tokens.fold(unique.collate and unique.collate[i] or "")
  end
  return table.concat(parts, ",")
end

-- SQLite makes one index of two that are alike.
local function drop_doubles(made)
  local seen, kept = {}, {}
  for _, unique in ipairs(made.uniques) do
    local mark = unique_mark(unique)
    kept[#kept + 1] = not seen[mark] and unique or nil
    seen[mark] = true
  end
  made.uniques = kept
end

local function finish(made)
  if made.primary_key then
    spell(made.primary_key, made)
  end
  for _, group in ipairs { made.uniques, made.foreign_keys } do
    for _, one in ipairs(group) do
      spell(one.columns, made)
    end
  end
  close_key(made)
  drop_doubles(made)
  settle(made)
  return made
end

-- ---- CREATE TABLE ----------------------------------------------------------------------

local function begin(walk, ...)
  walk:need "create"
  for _, word in ipairs { ... } do
    walk:take(word)
  end
end

-- schema.name -> name
local function full_name(walk)
  local name = walk:name()
  return walk:take "." and walk:name() or name
end

local function options(walk, made)
  repeat
    if walk:take("without", "rowid") then
      made.without_rowid = true
    elseif walk:take "strict" then
      made.strict = true
    end
  until not walk:take ","
end

local function body(walk, made)
  walk:need "("
  repeat
    local constrained = constraint.of_table(walk, made)
    if not constrained then
      column(walk, made)
    end
    while constrained do -- commas between constraints may be missing
      constrained = constraint.of_table(walk, made)
    end
  until not walk:take ","
  walk:need ")"
end

--- Reads CREATE TABLE.
-- @string sql
-- @treturn table a table of a schema, without its indexes
-- @raise migration for what it does not know
-- @usage parse.table('CREATE TABLE a (id INTEGER PRIMARY KEY)').columns[1].name == "id"
function M.table(sql)
  local walk = walk_of(sql)
  begin(walk, "temp", "temporary")
  walk:need "table"
  walk:take("if", "not", "exists")
  local made = {
    name = full_name(walk),
    columns = {},
    uniques = {},
    foreign_keys = {},
    checks = {},
    indexes = {},
  }
  body(walk, made)
  options(walk, made)
  walk:take ";"
  if walk.at <= #walk.list then
    walk:refuse "the end"
  end
  return finish(made)
end

-- ---- CREATE INDEX ----------------------------------------------------------------------

local DIRECTIONS = { asc = false, desc = true }

-- Takes ASC, DESC and COLLATE off the end of an item.
local function endings(list, from, to, item)
  local direction = DIRECTIONS[list[to].word]
  if direction ~= nil and to > from then
    item.desc = direction or nil
    to = to - 1
  end
  from, to = tokens.inside(list, from, to)
  local collated = to - from >= 2 and list[to - 1].word == "collate"
  if collated and tokens.is_whole(list, from, to - 2) then
    item.collate = list[to].value
    to = to - 2
  end
  return tokens.inside(list, from, to)
end

local function is_column(token, made)
  if not token.value then
    return false
  end
  return token.kind == "text" or not made or shape.column(made, token.value) ~= nil
end

local function index_column(walk, item, made)
  local list, one = walk.list, {}
  local from, to = endings(list, item[1], item[2], one)
  if from == to and is_column(list[from], made) then
    local own = made and shape.column(made, list[from].value)
    one.name = own and own.name or list[from].value
  else
    one.sql = tokens.join(list, from, to)
    one.sql = made and settled(one.sql, made) or one.sql
  end
  return one
end

--- Reads CREATE INDEX.
-- @string sql
-- @tparam[opt] table made the index's table, which says what is a column
-- @treturn table an index
-- @treturn string the name of its table
-- @raise migration for what it does not know
-- @usage parse.index("CREATE INDEX i ON a (lower(b) DESC)").columns[1].desc == true
function M.index(sql, made)
  local walk = walk_of(sql)
  walk:need "create"
  local index = { unique = walk:take "unique" or nil, columns = {} }
  walk:need "index"
  walk:take("if", "not", "exists")
  index.name = full_name(walk)
  walk:need "on"
  local of = walk:name()
  for i, item in ipairs(walk:items()) do
    index.columns[i] = index_column(walk, item, made)
  end
  if walk:take "where" then
    index.where = tokens.join(walk.list, walk.at)
    index.where = made and settled(index.where, made) or index.where
  end
  return index, of
end

return M
