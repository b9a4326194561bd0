--- The database and the rows in Lua, compared with the mirror.
local Mirror = require "laws.mirror"
local failure = require "laws.failure"
local show = require "laws.show"
local values = require "laws.values"

local M = {}
local fail = failure.fail

-- ---- the database -----------------------------------------------------------------------

local function quoted_columns(known)
  local list = {}
  for i, field in ipairs(known.fields) do
    list[i] = string.format('quote("%s") AS c%d', field.column:gsub('"', '""'), i)
  end
  return table.concat(list, ", ")
end

--- The stored bytes of every row, by key: `{ [pk] = { "…", … } }` in the order of the fields.
function M.bytes(world, conn)
  local known = world.known
  local key = known.key.column
  local columns = quoted_columns(known)
  local sql = string.format('SELECT "%s" AS pk, %s FROM "%s"', key, columns, known.shape.name)
  local rows = {}
  for _, row in ipairs((conn or world.conns[1]).db:query(sql)) do
    local bytes = {}
    for i = 1, #known.fields do
      bytes[i] = row["c" .. i]
    end
    rows[row.pk] = bytes
  end
  return rows
end

local EVENTS = [[SELECT id, quote(at) AS at, model, pk, actor, reason, quote(undone_at) AS undone_at
  FROM tombstone_event ORDER BY id]]

--- One text of all that the database holds of rows and events.
function M.digest(world, conn)
  local lines, db = {}, (conn or world.conns[1]).db
  for pk, bytes in pairs(M.bytes(world, conn)) do
    lines[#lines + 1] = tostring(pk) .. ": " .. table.concat(bytes, " | ")
  end
  table.sort(lines)
  for _, event in ipairs(db:query(EVENTS)) do
    lines[#lines + 1] = show.show(event)
  end
  return table.concat(lines, "\n")
end

local function check_row(world, pk, bytes)
  local all = world.mirror:fields(pk)
  for i, field in ipairs(world.known.fields) do
    if not values.is_quoted(field, all[field.name], bytes[i]) then
      fail("row %s: %s is %s in the database and should be %s", show.show(pk), field.name, bytes[i],
        show.show(all[field.name]))
    end
  end
end

local function check_rows(world, conn)
  local found = M.bytes(world, conn)
  for pk, bytes in pairs(found) do
    if not world.mirror.rows[pk] then
      fail("row %s is in the database and should not be there", show.show(pk))
    end
    check_row(world, pk, bytes)
  end
  for pk in pairs(world.mirror.rows) do
    if not found[pk] then
      fail("row %s is missing in the database", show.show(pk))
    end
  end
end

local function same_time(micro, seconds)
  return (micro == nil) == (seconds == nil) and (micro == nil or values.micro(seconds) == micro)
end

local function check_event(wanted, event)
  local same = wanted.model == event.model and wanted.pk == event.pk and wanted.actor == event.actor
    and wanted.reason == event.reason and same_time(wanted.at, event.at)
    and same_time(wanted.undone_at, event.undone_at)
  if not same then
    fail("event %d is %s and should be %s", event.id, show.show(event), show.show(wanted))
  end
end

local function check_events(world, conn)
  local seen = {}
  for _, event in ipairs(conn.db:events()) do
    local wanted = world.mirror.events[event.id]
    if not wanted then
      fail("event %d should not be there", event.id)
    end
    check_event(wanted, event)
    seen[event.id] = true
  end
  for id in pairs(world.mirror.events) do
    if not seen[id] then
      fail("event %d is missing", id)
    end
  end
end

--- Fails where the database is not what the mirror says.
function M.check(world, conn)
  conn = conn or world.conns[1]
  check_rows(world, conn)
  check_events(world, conn)
  for i, each in ipairs(world.conns) do
    if each.db:depth() ~= each.depth then
      fail("handle %d is %d transactions deep and should be %d", i, each.db:depth(), each.depth)
    end
  end
end

-- ---- rows in Lua ------------------------------------------------------------------------

--- Fails where a row in Lua does not show what the mirror says; all fields, or these.
function M.check_shown(world, row, names)
  local all = world.mirror:fields(row[world.known.key.name])
  for _, field in ipairs(world.known.fields) do
    local is_asked = not names or names[field.name]
    if is_asked and not values.is_shown(field, all[field.name], row[field.name]) then
      fail("the row in Lua shows %s = %s and should show %s", field.name, show.show(row[field.name]),
        show.show(all[field.name]))
    end
  end
end

--- Copies of all rows in Lua, by number.
function M.shown_rows(world)
  local shown = {}
  for number, kept in pairs(world.rows) do
    shown[number] = Mirror.copy(kept.row)
  end
  return shown
end

--- Fails where a row in Lua is not what it was.
function M.check_unchanged(world, shown)
  for number, before in pairs(shown) do
    local row = world.rows[number].row
    for name, value in pairs(before) do
      if row[name] ~= value then
        fail("a refused call changed row %d in Lua: %s was %s and is %s", number, name, show.show(value),
          show.show(row[name]))
      end
    end
    for name in pairs(row) do
      if before[name] == nil then
        fail("a refused call gave row %d in Lua a %s", number, name)
      end
    end
  end
end

return M
