--- Are two tables the same, and if not, what is the first difference?
--
-- Names differ by more than the case of their letters, SQL by more than its spelling. The order of
-- columns counts, that of constraints and indexes does not.
-- @module tombstone.migrate.compare
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

-- ---- one text for each part ---------------------------------------------------------------

local function folded(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = fold(name)
  end
  return table.concat(list, ", ")
end

local function sql_text(sql)
  return sql and tokens.bare(sql) or "none"
end

local function how_text(names, how)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = fold(name)
      .. (how.collate and how.collate[i] and " collate " .. fold(how.collate[i]) or "")
      .. (how.desc and how.desc[i] and " desc" or "")
  end
  return "(" .. table.concat(list, ", ") .. ")"
end

local function name_text(one)
  return one.name and " called " .. fold(one.name) or ""
end

local function conflict_text(one)
  return one.conflict and " on conflict " .. one.conflict or ""
end

local function key_text(made)
  local key = made.primary_key
  if not key then
    return "none"
  end
  return how_text(key, key)
    .. name_text(key)
    .. conflict_text(key)
    .. (made.autoincrement and " autoincrement" or "")
end

local function unique_text(unique)
  return "unique " .. how_text(unique.columns, unique) .. name_text(unique) .. conflict_text(unique)
end

local function check_text(check)
  return "check (" .. tokens.bare(check.sql) .. ")" .. name_text(check)
end

local function foreign_text(key)
  return "foreign key ("
    .. folded(key.columns)
    .. ") to "
    .. fold(key.table)
    .. (key.to and " (" .. folded(key.to) .. ")" or "")
    .. (key.on_delete and " on delete " .. key.on_delete or "")
    .. (key.on_update and " on update " .. key.on_update or "")
    .. (key.match and " match " .. key.match or "")
    .. (key.deferrable and " deferrable " .. key.deferrable or "")
    .. name_text(key)
end

local function index_column_text(column)
  return (column.name and fold(column.name) or tokens.bare(column.sql))
    .. (column.collate and " collate " .. fold(column.collate) or "")
    .. (column.desc and " desc" or "")
end

local function index_text(index)
  local list = {}
  for i, column in ipairs(index.columns) do
    list[i] = index_column_text(column)
  end
  return (index.unique and "unique index " or "index ")
    .. fold(index.name)
    .. " ("
    .. table.concat(list, ", ")
    .. ")"
    .. (index.where and " where " .. tokens.bare(index.where) or "")
end

--- What a part of a table says, as one text: two parts that say the same have the same one.
-- `key` takes a table, the others the part.
M.text = {
  key = key_text,
  unique = unique_text,
  check = check_text,
  foreign_key = foreign_text,
  index = index_text,
}

-- ---- columns ------------------------------------------------------------------------------

local function generated_text(column)
  local made = column.generated
  return made and tokens.bare(made.sql) .. (made.stored and " stored" or " virtual") or "none"
end

-- What a column says, in the order in which it is compared.
local ASPECTS = {
  { "the type", function(column) return column.type == "" and "none" or shape.type_of(column) end },
  { "NULL", function(column) return column.null and "allowed" or "not allowed" end },
  { "the default", function(column) return sql_text(column.default) end },
  { "the collation", function(column) return column.collate and fold(column.collate) or "none" end },
  { "the generated value", generated_text },
  { "the conflict clause", function(column) return column.conflict or "none" end },
}

--- Compares two columns.
-- @treturn boolean
-- @treturn ?string the first difference in words
function M.columns(a, b)
  if fold(a.name) ~= fold(b.name) then
    return false, "column " .. a.name .. " here, " .. b.name .. " there"
  end
  for _, aspect in ipairs(ASPECTS) do
    local here, there = aspect[2](a), aspect[2](b)
    if here ~= there then
      return false, ("column %s: %s is %s here, %s there"):format(a.name, aspect[1], here, there)
    end
  end
  return true
end

local function all_columns(a, b)
  for i = 1, math.max(#a.columns, #b.columns) do
    local here, there = a.columns[i], b.columns[i]
    if not there or not here then
      return false, "column " .. (here or there).name .. " is only " .. (here and "here" or "there")
    end
    local same, why = M.columns(here, there)
    if not same then
      return false, why
    end
  end
  return true
end

-- ---- tables -------------------------------------------------------------------------------

local function counted(list, text_of)
  local counts, order = {}, {}
  for _, one in ipairs(list or {}) do
    local text = text_of(one)
    counts[text] = (counts[text] or 0) + 1
    order[#order + 1] = text
  end
  return counts, order
end

-- The same texts as often, in any order.
local function same_set(a, b, text_of)
  local here, order_here = counted(a, text_of)
  local there, order_there = counted(b, text_of)
  for _, text in ipairs(order_here) do
    if here[text] > (there[text] or 0) then
      return false, text .. " is only here"
    end
  end
  for _, text in ipairs(order_there) do
    if there[text] > (here[text] or 0) then
      return false, text .. " is only there"
    end
  end
  return true
end

local function same_value(what, here, there)
  if here == there then
    return true
  end
  return false, what .. " is " .. tostring(here) .. " here, " .. tostring(there) .. " there"
end

local function options(made)
  local words = {}
  words[1] = made.without_rowid and "WITHOUT ROWID" or nil
  words[#words + 1] = made.strict and "STRICT" or nil
  return #words > 0 and table.concat(words, ", ") or "none"
end

local STEPS = {
  function(a, b) return same_value("the name", fold(a.name), fold(b.name)) end,
  all_columns,
  function(a, b) return same_value("the primary key", key_text(a), key_text(b)) end,
  function(a, b) return same_value("the option", options(a), options(b)) end,
  function(a, b) return same_set(a.uniques, b.uniques, unique_text) end,
  function(a, b) return same_set(a.checks, b.checks, check_text) end,
  function(a, b) return same_set(a.foreign_keys, b.foreign_keys, foreign_text) end,
  function(a, b) return same_set(a.indexes, b.indexes, index_text) end,
}

--- Compares two tables.
-- @treturn boolean
-- @treturn ?string the first difference in words: "here" is `a`, "there" is `b`
-- @usage local same, why = compare.tables(a, b)
function M.tables(a, b)
  for _, step in ipairs(STEPS) do
    local same, why = step(a, b)
    if not same then
      return false, "table " .. a.name .. ": " .. why
    end
  end
  return true
end

-- ---- schemas ------------------------------------------------------------------------------

-- The same names, and for each the same value.
local function same_map(what, a, b, same)
  local here, there = shape.by_fold(a), shape.by_fold(b)
  for _, name in ipairs(shape.keys(here)) do
    if not there[name] then
      return false, what .. " " .. name .. " is only here"
    end
    local alike, why = same(here[name], there[name])
    if not alike then
      return false, why or what .. " " .. name .. " is another one"
    end
  end
  for _, name in ipairs(shape.keys(there)) do
    if not here[name] then
      return false, what .. " " .. name .. " is only there"
    end
  end
  return true
end

local function same_sql(a, b)
  return tokens.normal(a) == tokens.normal(b)
end

local function same_trigger(a, b)
  return fold(a.table) == fold(b.table) and same_sql(a.sql, b.sql)
end

--- Compares two schemas. The order of tables does not count, nor what is no table, view or
-- trigger.
-- @treturn boolean
-- @treturn ?string the first difference in words
function M.schemas(a, b)
  local same, why = same_map("table", a.tables, b.tables, M.tables)
  if same then
    same, why = same_map("view", a.views, b.views, same_sql)
  end
  if same then
    same, why = same_map("trigger", a.triggers, b.triggers, same_trigger)
  end
  return same, why
end

return M
