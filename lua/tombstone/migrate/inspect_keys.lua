--- What keeps rows apart and finds them: unique constraints and indexes of a draft.
-- @module tombstone.migrate.inspect_keys
local finding = require "tombstone.migrate.finding"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold
local MOST_FIELDS = 16

-- ---- columns ---------------------------------------------------------------------------------

local function holds(columns, name)
  return name ~= nil and finding.names(columns, name)
end

-- The names of an index's columns, nil where it holds expressions; and how it compares or orders them
-- where that is not as they do.
local function columns_of(draft, index)
  local columns, odd = {}, nil
  for i, part in ipairs(index.columns) do
    local column = part.name and shape.column(draft.table, part.name)
    if not column then
      return nil
    end
    if part.collate and fold(part.collate) ~= fold(column.collate or "binary") then
      odd = "compares by " .. part.collate
    end
    odd = odd or (part.desc and "orders downwards") or nil
    columns[i] = column.name
  end
  return columns, odd
end

-- A generated column is no field.
local function are_fields(draft, columns)
  for _, column in ipairs(columns) do
    if not draft.fields[fold(column)] and not draft:has_role(column) then
      return false
    end
  end
  return true
end

-- "living", "event", "all", or "some".
local function rows_of(draft, index)
  local where = index.where and tokens.bare(index.where)
  if not where then
    return "all"
  elseif draft.stamp and where == tokens.bare(tokens.name(draft.stamp) .. " IS NULL") then
    return "living"
  elseif draft.event and where == tokens.bare(tokens.name(draft.event) .. " IS NOT NULL") then
    return "event"
  end
  return "some"
end

-- ---- strategies ------------------------------------------------------------------------------

local function is_text(field)
  return field and (field.word == "text" or field.word == "char") and not field.relation and not field.is_key
end

-- "mangled", "kept" or nil, by the dead rows that are there.
local function dead_values(draft, column)
  local name = tokens.name(column)
  local sql = ("SELECT count(*) AS n, total(%s GLOB '*__deleted_[0-9]*') AS mangled FROM %s"):format(
    name,
    tokens.name(draft.table.name)
  ) .. (" WHERE %s IS NOT NULL AND %s IS NOT NULL"):format(tokens.name(draft.stamp), name)
  local found = draft.db:query(sql)[1]
  return found.n > 0 and (found.mangled > 0 and "mangled" or "kept") or nil
end

local function last_text(draft, columns)
  for i = #columns, 1, -1 do
    if is_text(draft.fields[fold(columns[i])]) then
      return columns[i]
    end
  end
end

-- Of a UNIQUE that holds the dead too: a text is freed by a suffix, unless its dead rows show none.
local function whole_strategy(draft, columns)
  local text = last_text(draft, columns)
  if not text or draft.referenced[fold(text)] then
    return "always"
  end
  local dead = dead_values(draft, text)
  if #columns > 1 then
    return dead == "mangled" and "mangle" or "always"
  end
  return dead == "kept" and "always" or "mangle"
end

local function strategy(draft, columns, rows)
  if not draft.stamp then
    return true
  end
  return rows == "living" and "live" or whole_strategy(draft, columns)
end

-- ---- unique ----------------------------------------------------------------------------------

local function is_key(draft, columns)
  return finding.same_list(columns, draft.table.primary_key)
end

local function field_names(draft, columns)
  local list = {}
  for i, column in ipairs(columns) do
    list[i] = draft:field_name(column)
  end
  return list
end

local function add_together(draft, columns, unique)
  local fields = field_names(draft, columns)
  for _, group in ipairs(draft.together) do
    if table.concat(group, ",") == table.concat(fields, ",") then
      return
    end
  end
  fields.unique, fields.columns = unique, columns
  draft.together[#draft.together + 1] = fields
end

local function add_unique(draft, columns, rows)
  if is_key(draft, columns) then
    return
  elseif draft.stamp and rows == "all" and holds(columns, draft.stamp) then
    local list = table.concat(columns, ", ")
    draft:note("UNIQUE (" .. list .. ") tells no living rows apart: each NULL is another one")
    return
  end
  local field = #columns == 1 and draft.fields[fold(columns[1])]
  local unique = strategy(draft, columns, rows)
  if field then
    field.unique = (field.unique and field.unique ~= "live") and field.unique or unique
  elseif #columns > 1 and #columns <= MOST_FIELDS then
    add_together(draft, columns, unique)
  end
end

-- A constraint as an index, which it is to SQLite.
local function read_constraint(draft, unique)
  local as_index = { columns = {} }
  for i, name in ipairs(unique.columns) do
    as_index.columns[i] = { name = name, collate = unique.collate and unique.collate[i] }
  end
  local columns, odd = columns_of(draft, as_index)
  local list = "UNIQUE (" .. table.concat(columns, ", ") .. ")"
  odd = unique.conflict and "has ON CONFLICT " .. unique.conflict:upper() or odd
  if odd then
    draft:note(list .. " " .. odd)
  end
  if are_fields(draft, columns) then
    add_unique(draft, columns, "all")
  else
    draft:note(list .. " is the table's alone")
  end
end

-- ---- indexes ---------------------------------------------------------------------------------

local function not_in_model(draft, index, why)
  draft:note(("index %s is not in the model: %s"):format(index.name, why))
end

-- The engine adds the key to an index where rows have no number.
local function without_key(draft, columns)
  local key = draft.table.primary_key[1]
  if #columns > 1 and not shape.rowid_alias(draft.table) and fold(columns[#columns]) == fold(key) then
    local list = {}
    for i = 1, #columns - 1 do
      list[i] = columns[i]
    end
    return list
  end
  return columns
end

-- Those that every such model has.
local function is_made_anyway(draft, columns, rows)
  local key = draft.table.primary_key[1]
  if rows == "living" and draft.stamp then
    return finding.same_list(columns, { key, draft.stamp })
  elseif rows == "event" then
    return finding.same_list(columns, { draft.event })
  end
  local first = draft.fields[fold(columns[1])]
  local alone = #columns == 1 or (#columns == 2 and draft.stamp and fold(columns[2]) == fold(draft.stamp))
  return rows == "all" and first ~= nil and first.relation and alone or false
end

local function add_index(draft, index, columns, rows)
  local field = #columns == 1 and draft.fields[fold(columns[1])]
  if draft.stamp and finding.same_list(columns, { draft.stamp }) then
    not_in_model(draft, index, "it misleads SQLite on " .. draft.stamp .. "; `tombstone doctor` drops it")
  elseif rows == "some" or rows == "event" or (draft.stamp and holds(columns, draft.stamp)) then
    not_in_model(draft, index, "the model has indexes of all living rows")
  elseif field then
    field.index = true
  elseif #columns <= MOST_FIELDS and not is_key(draft, columns) then
    draft.indexes[#draft.indexes + 1] = field_names(draft, columns)
  end
end

local function read_unique_index(draft, index, columns, odd)
  local rows = rows_of(draft, index)
  if rows == "some" or rows == "event" or (odd and rows == "living") then
    not_in_model(draft, index, odd and "it " .. odd or "it is unique among some rows only")
    return
  end
  if odd then
    draft:note("index " .. index.name .. " " .. odd)
  end
  add_unique(draft, columns, rows)
end

local function read_plain_index(draft, index, columns)
  local rows = rows_of(draft, index)
  if is_made_anyway(draft, columns, rows) then
    return
  end
  columns = without_key(draft, columns)
  if not is_made_anyway(draft, columns, rows) then
    add_index(draft, index, columns, rows)
  end
end

local function read_index(draft, index)
  local columns, odd = columns_of(draft, index)
  if not columns then
    not_in_model(draft, index, "it holds expressions")
  elseif not are_fields(draft, columns) then
    not_in_model(draft, index, "it holds a generated column")
  elseif index.unique then
    read_unique_index(draft, index, columns, odd)
  elseif odd then
    not_in_model(draft, index, "it " .. odd)
  else
    read_plain_index(draft, index, columns)
  end
end

--- Reads uniques and indexes into a draft, whose fields have names by now.
-- @tparam table draft
function M.read(draft)
  draft.together, draft.indexes = {}, {}
  for _, unique in ipairs(draft.table.uniques or {}) do
    read_constraint(draft, unique)
  end
  for _, index in ipairs(draft.table.indexes or {}) do
    read_index(draft, index)
  end
end

return M
