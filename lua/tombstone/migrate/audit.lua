--- Is what was read out of CREATE TABLE what SQLite has understood?
--
-- The catalogue knows less than the text (no checks, no names of constraints), but what it knows
-- must agree: a wrong picture of a table would lose a part of it when the table is rebuilt.
-- @module tombstone.migrate.audit
local core = require "tombstone.core"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

local function differs(made, what)
  core.fail(
    "migration",
    "Cannot read table \"" .. made.name .. "\": its text and the catalogue disagree on " .. what,
    "report the text of its CREATE statement"
  )
end

-- ---- columns --------------------------------------------------------------------------

-- Of a type like [nvarchar](50), which begins in quotes and goes on, SQLite cuts off both ends; of
-- GENERATED ALWAYS it leaves a word where a comment stands between them.
local function same_type(column, row)
  local list = tokens.list(column.type)
  if list[1] and list[1].kind ~= "word" then
    return #list > 1 or fold(list[1].value) == fold(row.type)
  end
  local here, there = tokens.normal(column.type), tokens.normal(row.type)
  return here == there or (column.generated ~= nil and here == there:gsub(" ?generated$", ""))
end

-- A name alone is a text there.
local function same_default(column, row)
  local there = row.dflt_value and tokens.list(row.dflt_value) or {}
  local alone = #there == 1 and there[1]
  if #there == 0 or (alone and alone.word == "null") then
    return not column.default
  elseif not alone then
    return column.default ~= nil and tokens.bare(column.default) == tokens.bare(row.dflt_value)
  end
  return column.default == alone.text
    or (alone.value ~= nil and column.default == tokens.text(alone.value))
end

local function key_place(made, name)
  for i, key in ipairs(made.primary_key or {}) do
    if fold(key) == fold(name) then
      return i
    end
  end
  return 0
end

-- 2 is generated, 3 generated and stored.
local function hidden_of(column)
  return column.generated and (column.generated.stored and 3 or 2) or 0
end

local function check_column(made, column, row)
  local what = "column " .. row.name
  if not column or column.name ~= row.name then
    return differs(made, what)
  elseif not same_type(column, row) then
    return differs(made, "the type of " .. what)
  elseif row.notnull == 1 and column.null then
    return differs(made, "NOT NULL of " .. what)
  elseif row.notnull == 0 and not column.null and column ~= shape.rowid_alias(made) then
    return differs(made, "NOT NULL of " .. what)
  elseif not same_default(column, row) then
    return differs(made, "the default of " .. what)
  elseif row.pk ~= key_place(made, column.name) then
    return differs(made, "the primary key")
  elseif row.hidden ~= hidden_of(column) then
    return differs(made, "how " .. what .. " is generated")
  end
end

local function check_columns(made, rows)
  if #rows ~= #made.columns then
    differs(made, "the number of columns")
  end
  for i, row in ipairs(rows) do
    check_column(made, made.columns[i], row)
  end
end

-- ---- foreign keys ----------------------------------------------------------------------

local function action_text(word)
  return word == "no action" and "" or word
end

local function key_text(columns, to, table_name, on_delete, on_update)
  return fold(table.concat(columns, ",") .. ">" .. table_name .. ">" .. table.concat(to, ","))
    .. action_text(on_delete)
    .. ">"
    .. action_text(on_update)
end

-- The catalogue has a row for each column of a key.
local function catalogued_keys(rows)
  local keys, texts = {}, {}
  for _, row in ipairs(rows) do
    local key = keys[row.id] or { from = {}, to = {}, row = row }
    keys[row.id] = key
    key.from[#key.from + 1] = row.from
    key.to[#key.to + 1] = row.to
  end
  for _, key in pairs(keys) do
    local row = key.row
    texts[#texts + 1] = key_text(key.from, key.to, row.table, fold(row.on_delete), fold(row.on_update))
  end
  return texts
end

local function check_foreign_keys(made, rows)
  local here = {}
  for i, key in ipairs(made.foreign_keys) do
    here[i] = key_text(key.columns, key.to or {}, key.table, key.on_delete or "", key.on_update or "")
  end
  local there = catalogued_keys(rows)
  table.sort(here)
  table.sort(there)
  if table.concat(here, "\n") ~= table.concat(there, "\n") then
    differs(made, "foreign keys")
  end
end

-- ---- indexes ---------------------------------------------------------------------------

-- The rows of the catalogue as { name =, origin =, columns = { … } }.
local function catalogued_indexes(rows)
  local list, by_name = {}, {}
  for _, row in ipairs(rows) do
    local index = by_name[row.index]
    if not index then
      index = { name = row.index, origin = row.origin, columns = {} }
      index.unique, index.partial = row.unique, row.partial
      by_name[row.index] = index
      list[#list + 1] = index
    end
    index.columns[#index.columns + 1] = row
  end
  return list
end

local function column_names(columns)
  local names = {}
  for i, column in ipairs(columns) do
    names[i] = fold(column.name or "")
  end
  return table.concat(names, ",")
end

local function find_index(made, name)
  for _, index in ipairs(made.indexes) do
    if index.name == name then
      return index
    end
  end
end

local function same_index(here, there)
  if not here or #here.columns ~= #there.columns then
    return false
  end
  for i, column in ipairs(here.columns) do
    local row = there.columns[i]
    if (column.desc and 1 or 0) ~= row.desc or fold(column.name or "") ~= fold(row.name or "") then
      return false
    elseif column.collate and fold(column.collate) ~= fold(row.coll) then
      return false
    end
  end
  return (here.unique and 1 or 0) == there.unique and (here.where and 1 or 0) == there.partial
end

-- Of the UNIQUE constraints and the key, those that have an index.
local function constrained(made)
  local found = {}
  for _, unique in ipairs(made.uniques) do
    found[fold(table.concat(unique.columns, ","))] = true
  end
  if made.primary_key and not shape.rowid_alias(made) then
    found[fold(table.concat(made.primary_key, ","))] = true
  end
  return found
end

local function is_key(made, names)
  return made.primary_key ~= nil and fold(table.concat(made.primary_key, ",")) == names
end

local function check_constrained(made, there)
  local here = constrained(made)
  for names in pairs(there) do
    if not here[names] then
      differs(made, "what is unique: (" .. names .. ")")
    end
  end
  for names in pairs(here) do
    if not there[names] and not is_key(made, names) then
      differs(made, "what is unique: (" .. names .. ")")
    end
  end
end

local function check_indexes(made, rows)
  local unique, n = {}, 0
  for _, index in ipairs(catalogued_indexes(rows)) do
    if index.origin ~= "c" then
      unique[column_names(index.columns)] = true
    elseif same_index(find_index(made, index.name), index) then
      n = n + 1
    else
      differs(made, "index " .. index.name)
    end
  end
  if n ~= #made.indexes then
    differs(made, "the number of indexes")
  end
  check_constrained(made, unique)
end

--- Raises where table and catalogue disagree.
-- @tparam table made a table of a schema
-- @tparam table catalogue rows of the pragmas: `columns`, `foreign_keys`, `indexes`
-- @raise migration
function M.check(made, catalogue)
  check_columns(made, catalogue.columns)
  check_foreign_keys(made, catalogue.foreign_keys)
  check_indexes(made, catalogue.indexes)
end

return M
