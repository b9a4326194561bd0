--- A table of a schema as the draft of a model: what it is called, its fields, what the engine's own
-- columns are; or why no model can express it.
-- @module tombstone.migrate.inspect_table
local names = require "tombstone.migrate.inspect_names"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"
local types = require "tombstone.migrate.inspect_types"

local M = {}
local fold = tokens.fold

-- ---- what no model can express ---------------------------------------------------------------

local KEY_WORDS = { integer = true, text = true, char = true }

local function odd_name(name)
  if #name > 63 then
    return "'" .. name .. "' is longer than 63 bytes"
  end
  local sign = name:match "[.,]"
  return sign and "'" .. name .. "' holds a '" .. sign .. "'" or nil
end

local function odd_column(column)
  if fold(column.name):sub(1, 10) == "tombstone_" then
    return "column " .. column.name .. " has a name that is reserved"
  elseif column.generated and not column.null then
    return "column " .. column.name .. " is generated and NOT NULL"
  end
  return odd_name(column.name)
end

local function odd_key(made)
  local key = made.primary_key
  if not key then
    return "it has no primary key"
  elseif #key > 1 then
    return "its primary key is of several columns: " .. table.concat(key, ", ")
  elseif made.without_rowid then
    return "it is WITHOUT ROWID"
  end
  local column = shape.column(made, key[1])
  local word = types.of(nil, made.name, column).word
  if not KEY_WORDS[word] then
    return ("its primary key %s is no integer or text, but %s"):format(column.name, column.type)
  elseif word == "integer" and not shape.rowid_alias(made) then
    return ("its primary key %s is %s, which SQLite does not number"):format(column.name, column.type)
  end
end

--- Why no model can express the table; nil where one can.
-- @tparam table made of a schema
-- @treturn string|nil
function M.refusal(made)
  local why = odd_name(made.name) or odd_key(made)
  for _, column in ipairs(made.columns) do
    why = why or odd_column(column)
  end
  return why
end

-- ---- the engine's own columns ----------------------------------------------------------------

local STAMPS = { deleted_at = true, deletedat = true }

local function is_word(draft, column, word)
  return types.of(draft.db, draft.table.name, column).word == word
end

-- The column of an index that every model with soft delete has, whatever the column is called.
local function indexed_column(draft, ending, place)
  for _, index in ipairs(draft.table.indexes or {}) do
    local part = index.columns[place]
    if fold(index.name) == fold(draft.table.name .. ending) and index.where and part and part.name then
      return shape.column(draft.table, part.name)
    end
  end
end

local function stamp_of(draft)
  local indexed = indexed_column(draft, "__living", 2)
  for _, column in ipairs(draft.table.columns) do
    if column == indexed or (not indexed and STAMPS[fold(column.name)] and not column.generated) then
      return column
    end
  end
end

local function find_stamp(draft)
  local column = stamp_of(draft)
  if column and column.null and is_word(draft, column, "datetime") then
    draft.stamp = column.name
  elseif column then
    draft:note(column.name .. " is no soft delete as it is: m:adopt in a migration converts it")
  end
end

local function find_event(draft)
  local column = indexed_column(draft, "__event", 1) or shape.column(draft.table, "deleted_event")
  if draft.stamp and column and column.null and is_word(draft, column, "integer") then
    draft.event = column.name
  end
end

local function is_needed_time(draft, name)
  local column = shape.column(draft.table, name)
  return column and column.name == name and not column.null and is_word(draft, column, "datetime")
end

-- The engine puts it before its own columns; elsewhere the word means something to the program.
local function find_version(draft)
  local column, at = shape.column(draft.table, "version")
  if not column or column.name ~= "version" or column.null or not is_word(draft, column, "integer") then
    return
  end
  for i = at + 1, #draft.table.columns do
    if not draft:has_role(draft.table.columns[i].name) then
      return
    end
  end
  draft.version = at < #draft.table.columns
end

-- ---- drafts ----------------------------------------------------------------------------------

local Draft = {}
Draft.__index = Draft

function Draft:note(text)
  self.notes[#self.notes + 1] = text
end

--- True for the columns that the options of a model make.
function Draft:has_role(column)
  return column == self.stamp
    or column == self.event
    or (self.times and (column == "created_at" or column == "updated_at"))
    or (self.version and column == "version")
    or (self.has_plain_key and column == self.table.primary_key[1])
    or false
end

--- The name that a column has in the model.
function Draft:field_name(column)
  local field = self.fields[fold(column)]
  if field then
    return field.relation and field.name .. "_id" or field.name
  elseif column == self.stamp then
    return "deleted_at"
  elseif column == self.event then
    return "deleted_event"
  end
  return column
end

-- A key `id` in front is what a model has without a word.
local function find_plain_key(draft)
  local first, key = draft.table.columns[1], draft.table.primary_key[1]
  draft.has_plain_key = first.name == "id" and key == "id" and shape.rowid_alias(draft.table) ~= nil
end

local function json_columns(made)
  local found = {}
  for _, check in ipairs(made.checks or {}) do
    for _, token in ipairs(tokens.list(check.sql)) do
      if fold(check.sql):find "json_valid" and token.value and shape.column(made, token.value) then
        found[fold(token.value)] = true
      end
    end
  end
  return found
end

local function add_fields(draft)
  local json = json_columns(draft.table)
  for _, column in ipairs(draft.table.columns) do
    if column.generated then
      draft:note(column.name .. " is generated, which no field is")
    elseif not draft:has_role(column.name) then
      local type_of = types.of(draft.db, draft.table.name, column, json[fold(column.name)])
      local field = { column = column, word = type_of.word, max_length = type_of.max_length, notes = {} }
      field.notes[1] = type_of.note
      field.is_key = fold(column.name) == fold(draft.table.primary_key[1])
      draft.fields[#draft.fields + 1] = field
      draft.fields[fold(column.name)] = field
    end
  end
end

--- The draft of a model. `fields` is in the order of the columns, and by the names of columns in
-- small letters.
-- @tparam database db
-- @tparam table made a table that is not refused
-- @tparam string name of the model
-- @treturn table
function M.draft(db, made, name)
  local draft = setmetatable({
    db = db,
    table = made,
    name = name,
    fields = {},
    notes = {},
    links = {},
    taken = {},
  }, Draft)
  find_plain_key(draft)
  find_stamp(draft)
  find_event(draft)
  draft.times = is_needed_time(draft, "created_at") and is_needed_time(draft, "updated_at") or false
  find_version(draft)
  add_fields(draft)
  return draft
end

-- ---- names of fields -------------------------------------------------------------------------

local function made_by_engine(draft)
  return {
    soft = draft.stamp ~= nil,
    events = draft.event ~= nil,
    times = draft.times,
    version = draft.version,
    id = draft.has_plain_key,
  }
end

-- A column that would hide a method keeps its name in the table, and gets another one in Lua.
local function rename(draft, field, wanted, ending, suffix)
  local made = made_by_engine(draft)
  local attr = names.is_method(wanted) and wanted .. ending
  local name = attr or wanted
  while draft.taken[name] or names.is_taken(name .. suffix, made) or names.is_method(name .. suffix) do
    name = name .. "2"
    attr = false
  end
  draft.taken[name], draft.taken[name .. suffix] = true, true
  field.name = name
  field.key = attr and wanted or name
  field.attr = attr or nil
  local column = (attr and wanted or name) .. suffix
  field.column_option = column ~= field.column.name and field.column.name or nil
end

--- Gives the fields of a draft their names.
-- @tparam table draft whose relations are known
function M.name_fields(draft)
  for _, field in ipairs(draft.fields) do
    local column = field.column.name
    if field.parent then
      field.relation = true
      rename(draft, field, names.relation_name(column), "_row", "_id")
    else
      rename(draft, field, names.clean(column, "c_"), "_value", "")
    end
  end
end

return M
