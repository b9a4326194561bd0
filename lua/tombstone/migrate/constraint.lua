--- Reading the constraints of columns and tables, for `tombstone.migrate.parse`.
-- @module tombstone.migrate.constraint
local tokens = require "tombstone.migrate.tokens"

local M = {}

local function add(list, item)
  list[#list + 1] = item
  return item
end

-- ---- clauses -------------------------------------------------------------------------

-- ON CONFLICT …; ABORT is what none means.
local function conflict(walk)
  if not walk:take("on", "conflict") then
    return nil
  end
  local word = walk:next().word
  return word ~= "abort" and word or nil
end

local function action(walk)
  if walk:take("set", "null") then
    return "set null"
  elseif walk:take("set", "default") then
    return "set default"
  elseif walk:take("no", "action") then
    return nil
  end
  return walk:next().word
end

local function reference_options(walk, key)
  while true do
    if walk:take("on", "delete") then
      key.on_delete = action(walk)
    elseif walk:take("on", "update") then
      key.on_update = action(walk)
    elseif walk:take("on", "insert") then
      action(walk) -- means nothing to SQLite
    elseif walk:take "match" then
      local word = tokens.fold(walk:name())
      key.match = word ~= "simple" and word or nil
    else
      return
    end
  end
end

-- NOT DEFERRABLE is what none means, INITIALLY IMMEDIATE what DEFERRABLE does.
local function deferrable(walk, key)
  local negated = walk:take("not", "deferrable")
  if not negated and not walk:take "deferrable" then
    return false
  end
  local deferred = walk:take("initially", "deferred")
  if not deferred then
    walk:take("initially", "immediate")
  end
  if key then
    key.deferrable = not negated and (deferred and "deferred" or "immediate") or nil
  end
  return true
end

local function names(walk)
  local list = {}
  for i, item in ipairs(walk:items()) do
    list[i] = walk.list[item[1]].value
  end
  return list
end

local function reference(walk, key)
  key.table = walk:name()
  key.to = walk:peek() == "(" and names(walk) or nil
  reference_options(walk, key)
  return key
end

-- ---- defaults ---------------------------------------------------------------------------

local CONSTANTS = {
  ["null"] = true, ["true"] = true, ["false"] = true,
  ["current_time"] = true, ["current_date"] = true, ["current_timestamp"] = true,
}

-- A bare name is a text here.
local function default(walk)
  if walk:peek() == "(" then
    return walk:enclosed_text()
  end
  local token = walk:next()
  if token.kind == "sign" then
    return token.text .. walk:next().text
  elseif token.kind == "name" or (token.word and not CONSTANTS[token.word]) then
    return tokens.text(token.value)
  end
  return token.text
end

-- ---- columns ----------------------------------------------------------------------------

local Column = {}

function Column.primary(walk, made, column, name)
  walk:need "key"
  local key = { column.name, name = name }
  if walk:take "desc" then
    key.desc = { true }
  else
    walk:take "asc"
  end
  key.conflict = conflict(walk)
  made.autoincrement = walk:take "autoincrement" or nil
  made.primary_key = key
end

Column["not"] = function(walk, made, column)
  if walk:take "null" then
    column.null = nil
    column.conflict = conflict(walk)
    return
  end
  walk.at = walk.at - 1
  deferrable(walk, made.foreign_keys[#made.foreign_keys])
end

Column["null"] = function(walk)
  conflict(walk)
end

function Column.unique(walk, made, column, name)
  add(made.uniques, { columns = { column.name }, name = name, conflict = conflict(walk) })
end

function Column.check(walk, made, _, name)
  add(made.checks, { sql = walk:enclosed_text(), name = name })
end

function Column.default(walk, _, column)
  local sql = default(walk)
  column.default = tokens.fold(sql) ~= "null" and sql or nil -- as without one
end

function Column.collate(walk, _, column)
  column.collate = walk:name()
end

function Column.references(walk, made, column, name)
  add(made.foreign_keys, reference(walk, { columns = { column.name }, name = name }))
end

function Column.deferrable(walk, made)
  walk.at = walk.at - 1
  deferrable(walk, made.foreign_keys[#made.foreign_keys])
end

function Column.as(walk, _, column)
  column.generated = { sql = walk:enclosed_text(), stored = walk:take "stored" or nil }
  if not column.generated.stored then
    walk:take "virtual"
  end
end

function Column.generated(walk, made, column)
  walk:need "always"
  walk:need "as"
  Column.as(walk, made, column)
end

-- The word of the constraint here, and its name where it has one; a name alone is none.
local function begin(walk)
  local name
  while walk:take "constraint" do
    name = walk:name()
  end
  return walk:peek(), name
end

--- Reads the constraints behind the type of a column.
function M.of_column(walk, made, column)
  while true do
    local word, name = begin(walk)
    if not word or not Column[word] then
      return
    end
    walk.at = walk.at + 1
    Column[word](walk, made, column, name)
  end
end

-- ---- tables ---------------------------------------------------------------------------

-- COLLATE and DESC of the i-th column go to lists of their own.
local function key_column(walk, item, key, i)
  local first = item[1]
  while walk.list[first].text == "(" do
    first = first + 1
  end
  local at = first + 1
  while at <= item[2] do
    local word = walk.list[at].word
    if word == "collate" then
      key.collate = key.collate or {}
      key.collate[i] = walk.list[at + 1].value
    elseif word == "desc" then
      key.desc = key.desc or {}
      key.desc[i] = true
    end
    at = at + (word == "collate" and 2 or 1)
  end
  return walk.list[first].value
end

local function key_columns(walk, list, key)
  for i, item in ipairs(walk:items()) do
    list[i] = key_column(walk, item, key, i)
  end
end

local Table = {}

-- AUTOINCREMENT may stand between the parentheses.
function Table.primary(walk, made, name)
  walk:need "key"
  local key, close = { name = name }, tokens.closing(walk.list, walk.at)
  made.autoincrement = close and walk.list[close - 1].word == "autoincrement" or nil
  key_columns(walk, key, key)
  key.conflict = conflict(walk)
  key.behind = true -- the columns, until all is read
  made.primary_key = key
end

function Table.unique(walk, made, name)
  local unique = { columns = {}, name = name }
  key_columns(walk, unique.columns, unique)
  unique.conflict = conflict(walk)
  add(made.uniques, unique)
end

function Table.check(walk, made, name)
  Column.check(walk, made, nil, name)
  conflict(walk) -- means nothing to SQLite
end

function Table.foreign(walk, made, name)
  walk:need "key"
  local key = add(made.foreign_keys, { columns = names(walk), name = name })
  walk:need "references"
  reference(walk, key)
  deferrable(walk, key)
end

--- Reads one constraint of a table, if one is here.
-- @treturn boolean
function M.of_table(walk, made)
  local word, name = begin(walk)
  if not Table[word or ""] then
    return name ~= nil
  end
  walk.at = walk.at + 1
  Table[word](walk, made, name)
  return true
end

return M
