-- The whole of a database as one text: its schema, as far as it means something, and its rows.
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local SQL = { sql = true, default = true, where = true }

local function sorted(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

-- Words are folded, SQL is normal, lists whose order means nothing are sorted.
local function show(value, key)
  if type(value) == "string" then
    return SQL[key] and tokens.normal(value) or value:lower()
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for _, name in ipairs(sorted(value)) do
    local text = show(value[name], name)
    parts[#parts + 1] = type(name) == "number" and text or name .. "=" .. text
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local UNORDERED = { "uniques", "foreign_keys", "checks", "indexes" }

local function show_table(t)
  local copy = schema.copy(t)
  for _, key in ipairs(UNORDERED) do
    for i, entry in ipairs(copy[key]) do
      copy[key][i] = show(entry)
    end
    table.sort(copy[key])
  end
  return show(copy)
end

--- The rows of a table, byte for byte, in the order of the columns' names.
function M.rows(db, t)
  local names, lines = {}, {}
  for i, column in ipairs(t.columns) do
    names[i] = column.name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = "quote(" .. tokens.name(name) .. ")"
  end
  local sql = "SELECT " .. table.concat(names, " || '|' || ") .. " AS line FROM " .. tokens.name(t.name)
  for i, row in ipairs(db:query(sql)) do
    lines[i] = row.line
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function sequences(db, lines)
  if #db:query "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'" > 0 then
    for _, row in ipairs(db:query "SELECT name, seq FROM sqlite_sequence WHERE seq > 0 ORDER BY name") do
      lines[#lines + 1] = ("sequence %s %s"):format(row.name, tostring(row.seq))
    end
  end
end

--- All of it but what migrations note of themselves.
function M.digest(db)
  local found, lines = schema.read(db), {}
  for _, name in ipairs(sorted(found.tables)) do
    if name ~= "tombstone_migration" then
      lines[#lines + 1] = show_table(found.tables[name])
      lines[#lines + 1] = M.rows(db, found.tables[name])
    end
  end
  for _, kind in ipairs { "views", "triggers" } do
    for _, name in ipairs(sorted(found[kind])) do
      local sql = found[kind][name].sql or found[kind][name]
      lines[#lines + 1] = name .. ": " .. tokens.normal(sql)
    end
  end
  sequences(db, lines)
  return table.concat(lines, "\n")
end

--- Raises where two digests part, which are long.
function M.must_be_same(a, b)
  local one, other = a:gmatch "[^\n]*", b:gmatch "[^\n]*"
  while a ~= b do
    local line, wanted = one(), other()
    if line ~= wanted then
      error(("instead of\n%s\nthere is\n%s"):format(tostring(line), tostring(wanted)), 2)
    end
  end
end

return M
