--- `tombstone trash list`
-- @module tombstone.cli.trash_list
local core = require "tombstone.core"
local label = require "tombstone.cli.label"
local moment = require "tombstone.cli.moment"
local output = require "tombstone.cli.output"
local selection = require "tombstone.cli.selection"

local M = { name = "list", summary = "List rows in the trash, the latest deletion first." }

local function limit(text)
  local number = tonumber(text)
  if not number or number < 0 or number % 1 ~= 0 then
    return nil, ("'%s' is no number of rows"):format(text)
  end
  return number
end

function M.arguments(command)
  selection.arguments(command)
  command:option("--limit", "At most so many rows, else 50; 0: all."):argname("N"):convert(limit)
end

local function key_of(row)
  return row[selection.key_field(getmetatable(row)).name]
end

local function latest_first(a, b)
  if a.row.deleted_at ~= b.row.deleted_at then
    return a.row.deleted_at > b.row.deleted_at
  elseif a.at ~= b.at then
    return a.at < b.at
  end
  return a.i < b.i
end

-- The latest rows of each model, and of these the latest.
local function latest(sets, most)
  local rows = {}
  for at, set in ipairs(sets) do
    local query = set.query:order_by("-deleted_at", selection.key_field(set.model).name)
    for i, row in ipairs((most > 0 and query:limit(most) or query):all()) do
      rows[#rows + 1] = { row = row, name = set.name, at = at, i = i }
    end
  end
  table.sort(rows, latest_first)
  for i = #rows, most > 0 and most + 1 or #rows + 1, -1 do
    rows[i] = nil
  end
  return rows
end

local function events_of(db, rows)
  local ids, seen, found = {}, {}, {}
  for _, entry in ipairs(rows) do
    local id = entry.row.deleted_event
    if id and not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  if #ids > 0 then
    for _, event in ipairs(core.side(db).events.all_objects:filter("id__in", ids):all()) do
      found[event.id] = event
    end
  end
  return found
end

local function shown(entry, events, now)
  local row, event = entry.row, events[entry.row.deleted_event] or {}
  return {
    entry.name,
    key_of(row),
    label.short(row),
    moment.age(now - row.deleted_at),
    event.actor,
    event.reason and output.short(event.reason, 30),
    event.id,
  }
end

local function told(entry, events)
  local row, event = entry.row, events[entry.row.deleted_event] or {}
  return {
    model = entry.name,
    key = key_of(row),
    label = label.of(row),
    deleted_at = moment.iso(row.deleted_at),
    actor = event.actor,
    reason = event.reason,
    event = event.id,
  }
end

local function all(rows, fn, ...)
  local list = output.list {}
  for i, entry in ipairs(rows) do
    list[i] = fn(entry, ...)
  end
  return list
end

function M.run(context, arguments)
  local db = context:db { read_only = true }
  local sets, total = selection.counted(db, arguments)
  local rows = latest(sets, arguments.limit or 50)
  local events = events_of(db, rows)
  local headers = { "MODEL", "KEY", "ROW", "DELETED", "ACTOR", "REASON", "EVENT" }
  if total == 0 then
    context.out:line "Nothing in the trash fits."
  else
    context.out:table(headers, all(rows, shown, events, db:now()))
  end
  if total > #rows then
    context.out:line(("… and %d more; --limit 0 lists all."):format(total - #rows))
  end
  context.out:result { rows = all(rows, told, events), total = total }
end

return M
