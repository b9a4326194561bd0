--- The word of a column's type, and what its rows say against it.
-- @module tombstone.migrate.inspect_types
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local SIZED = {
  varchar = true, char = true, nvarchar = true, nchar = true, character = true, varchar2 = true,
  ["character varying"] = true, ["varying character"] = true, ["native character"] = true,
}

local WORDS = {
  text = "text", clob = "text", uuid = "text", date = "text", time = "text",
  boolean = "boolean", bool = "boolean",
  datetime = "datetime", timestamp = "datetime", timestamptz = "datetime",
  ["timestamp with time zone"] = "datetime", ["timestamp without time zone"] = "datetime",
  json = "json", jsonb = "json",
  blob = "blob", bytea = "blob", binary = "blob", varbinary = "blob",
  decimal = "number", numeric = "number", number = "number",
}

local BY_AFFINITY = { integer = "integer", text = "text", blob = "blob", real = "number", numeric = "number" }

-- What SQLite makes of a type that nobody knows.
local function by_affinity(type_name)
  return type_name == "" and "text" or BY_AFFINITY[shape.affinity(type_name)]
end

-- "varchar (20)" -> "varchar", 20
local function parts_of(type_name)
  local folded = tokens.fold(type_name)
  local name = folded:gsub("%b()", ""):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  return name, tonumber(folded:match "%(%s*(%d+)")
end

-- ---- what the rows say -----------------------------------------------------------------------

local TIME = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-5][0-9]:[0-5][0-9]"

-- Rows that the word does not fit; %s is the column.
local UNFIT = {
  datetime = "typeof(%s) <> 'text' OR substr(%s, 1, 19) NOT GLOB '" .. TIME .. "' OR (substr(%s, 20) <> ''"
    .. " AND (substr(%s, 20) NOT GLOB '.[0-9]*' OR substr(%s, 21) GLOB '*[^0-9]*'))",
  boolean = "%s NOT IN (0, 1)",
  number = "typeof(%s) NOT IN ('integer', 'real')",
  integer = "typeof(%s) <> 'integer'",
  json = "typeof(%s) <> 'text' OR NOT json_valid(%s)",
  text = "typeof(%s) <> 'text'",
  char = "typeof(%s) <> 'text'",
}

local INSTEAD = { boolean = "integer", json = "text" }
local BY_STORAGE = { integer = "integer", real = "number", text = "text", blob = "blob" }

local function shown(value)
  local text = tostring(value):gsub("%c", " ")
  return #text > 40 and text:sub(1, 40):gsub("[\192-\255]?[\128-\191]*$", "") .. "…" or text
end

local function unfit_value(db, table_name, column, word)
  local name = tokens.name(column)
  local test = UNFIT[word] and UNFIT[word]:gsub("%%s", (name:gsub("%%", "%%%%")))
  if not test then
    return nil
  end
  local value = ("CASE typeof(%s) WHEN 'blob' THEN hex(%s) ELSE %s END AS value"):format(name, name, name)
  local from = " FROM " .. tokens.name(table_name) .. " WHERE " .. name .. " IS NOT NULL"
  local what = "SELECT typeof(" .. name .. ") AS kind, " .. value
  return db:query(what .. from .. " AND (" .. test .. ") LIMIT 1")[1]
end

-- The word that the rows bear, with what is to be said of it.
local function settle(db, table_name, column, word, said)
  local found = db and unfit_value(db, table_name, column.name, word)
  if not found then
    return word, nil
  end
  local instead = INSTEAD[word] or BY_STORAGE[found.kind]
  local why = ("%s there, and a row has %s"):format(said, shown(found.value))
  if instead == word or unfit_value(db, table_name, column.name, instead) then
    instead = word
  end
  return instead, why
end

-- ---- words -----------------------------------------------------------------------------------

local NOTES = {
  date = "a date there: its text", time = "a time of day there: its text",
  decimal = "decimal there: read as a binary number", numeric = "numeric there: read as a binary number",
}

local function word_of(name, size)
  if SIZED[name] and size and size > 0 then
    return "char", size
  elseif name == "tinyint" and size == 1 then
    return "boolean"
  end
  return WORDS[name] or by_affinity(name)
end

--- The word of `f.*` for a column.
-- @tparam database|nil db whose rows are looked at; nil: the type alone decides
-- @string table_name
-- @tparam table column of a schema
-- @tparam boolean is_json a check says that it is
-- @treturn table `word`, `max_length`, `note` (what is to be said, or nil)
function M.of(db, table_name, column, is_json)
  local name, size = parts_of(column.type)
  local word, length = word_of(name, size)
  if is_json then
    word, length = "json", nil
  end
  local settled, why = settle(db, table_name, column, word, name == "" and "no type" or column.type)
  return {
    word = settled,
    max_length = settled == "char" and length or nil,
    note = why or NOTES[name] or (name == "" and "no type there") or nil,
  }
end

return M
