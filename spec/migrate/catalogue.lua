--- What SQLite says of the tables of a database, without the reader that the specs test.
local tokens = require "tombstone.migrate.tokens"

local M = {}

local COLUMNS = [[SELECT m.name AS t, x.cid, x.name, x.type, x."notnull", x.pk, x.hidden
  FROM sqlite_master m JOIN pragma_table_xinfo(m.name, 'main') x WHERE m.type = 'table'
  AND m.sql NOT LIKE 'create virtual%']]
local KEYS = [[SELECT m.name AS t, x."table", x.seq, x."from", x."to", x.on_update, x.on_delete
  FROM sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') x WHERE m.type = 'table'
  AND m.sql NOT LIKE 'create virtual%']]
-- Of a key that an earlier UNIQUE has made the index for, the order counts for nothing.
local INDEXES = [[SELECT m.name AS t, iif(l.origin = 'c', l.name, '') AS name, l."unique", l.origin,
  l.partial, (SELECT group_concat(seqno || ifnull(name, '-') || cid || iif(l.origin = 'pk', '', "desc")
  || coll || "key") FROM pragma_index_xinfo(l.name, 'main')) AS parts
  FROM sqlite_master m JOIN pragma_index_list(m.name, 'main') l WHERE m.type = 'table'
  AND m.sql NOT LIKE 'create virtual%']]

local function line(row, names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = tostring(row[name])
  end
  return table.concat(list, "|")
end

-- Of types the letters alone: SQLite itself reads [varchar](5) and [varchar] (5) in two ways, and
-- keeps GENERATED where a comment stands behind it.
local function plain_type(text)
  return (text:gsub("/%*.-%*/", ""):gsub("%A", ""):upper():gsub("GENERATED$", ""))
end

-- Keys that are NOT NULL anyway say so when they are written.
local function plain(row)
  row.notnull = row.pk and row.pk > 0 and "?" or row.notnull
  row.type = row.type and plain_type(row.type)
  return row
end

--- A line for each column, foreign key and index, sorted.
-- @tparam database db
-- @treturn {string,...}
function M.of(db)
  local lines = {}
  local function add(sql, ...)
    for _, row in ipairs(db:query(sql)) do
      lines[#lines + 1] = line(plain(row), { ... })
    end
  end
  add(COLUMNS, "t", "cid", "name", "type", "notnull", "pk", "hidden")
  add(KEYS, "t", "table", "seq", "from", "to", "on_update", "on_delete")
  add(INDEXES, "t", "name", "unique", "origin", "partial", "parts")
  table.sort(lines)
  return lines
end

--- The row that defaults alone make, without the time of it; empty where the table takes none.
-- @tparam database db
-- @string name
-- @treturn table
function M.default_row(db, name)
  local values = {}
  if pcall(db.exec, db, "INSERT INTO " .. tokens.name(name) .. " DEFAULT VALUES") then
    for column, value in pairs(db:query("SELECT * FROM " .. tokens.name(name))[1]) do
      values[column] = tostring(value):match "^%d+[-:]%d+[-:]%d+" and "a time" or value
    end
  end
  return values
end

return M
