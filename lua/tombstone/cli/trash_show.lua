--- `tombstone trash show`
-- @module tombstone.cli.trash_show
local core = require "tombstone.core"
local moment = require "tombstone.cli.moment"
local output = require "tombstone.cli.output"
local plan = require "tombstone.cli.plan"
local refusal = require "tombstone.cli.refusal"
local selection = require "tombstone.cli.selection"

local M = { name = "show", summary = "Show a row in the trash, or an event, and what a restore would meet." }

function M.arguments(command)
  command:argument("model", "The model of the row."):args "?"
  command:argument("key", "Its key."):args "?"
  command:option("--event", "The event, instead of a row."):argname("ID"):convert(selection.event_id)
end

-- ---- values ----------------------------------------------------------------------------------

local function hex(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local function json_text(value)
  local ok, cjson = pcall(require, "cjson")
  return ok and cjson.encode(value) or tostring(value)
end

-- A value as text, number or boolean; blobs are shown by their bytes in hexadecimal.
local function readable(row, field)
  local value = row[field.name]
  if value == nil then
    return nil
  elseif field.type == "datetime" then
    return moment.iso(value)
  elseif field.type == "blob" then
    return hex(value)
  elseif type(value) == "string" then
    return row:original(field.name)
  end
  return type(value) == "table" and json_text(value) or value
end

local HIDDEN = { deleted_at = true, deleted_event = true }

-- ---- events -------------------------------------------------------------------------------------

local function event_line(event)
  local of = event.pk and event.model .. " " .. event.pk or "rows of " .. event.model
  local by = event.actor and " by " .. output.plain(event.actor) or ""
  local why = event.reason and ": " .. output.plain(event.reason) or ""
  return ("event %s, of %s, %s%s%s"):format(tostring(event.id), of, moment.text(event.at), by, why)
end

local function event_told(event)
  return {
    event = event.id,
    at = moment.iso(event.at),
    model = event.model,
    key = event.pk,
    actor = event.actor,
    reason = event.reason,
    undone_at = moment.iso_or_nil(event.undone_at),
  }
end

-- The first owner stands in the row, the further ones in a table of their own, which is there
-- where a model cascades.
local FURTHER = "SELECT event FROM tombstone_owner WHERE model = ? AND pk = ? ORDER BY event"

local function further_owners(db, name, key)
  if not db:query("SELECT 1 FROM sqlite_master WHERE name = 'tombstone_owner'")[1] then
    return {}
  end
  return db:query(FURTHER, name, key)
end

local function owners(db, row)
  local model = getmetatable(row)
  if not model:has_events() or row.deleted_event == nil then
    return {}
  end
  local name, key = selection.name_of(model), row[selection.key_field(model).name]
  local all, ids = core.side(db).events.all_objects, { row.deleted_event }
  for _, owner in ipairs(further_owners(db, name, selection.text_of(key))) do
    ids[#ids + 1] = owner.event
  end
  local events = {}
  for _, id in ipairs(ids) do
    events[#events + 1] = all:find(id) -- one that is gone is the doctor's business
  end
  return events
end

-- ---- a row ----------------------------------------------------------------------------------------

local function row_in_trash(db, arguments)
  if arguments.model and not arguments.key then
    local model = selection.name_of(selection.model(db, arguments.model))
    local hint = ("as in trash show %s 3; trash list %s has the keys"):format(model, model)
    refusal.raise(("which row of %s is not said"):format(model), hint, refusal.USAGE)
  elseif not arguments.model then
    local hint = "as in trash show Post 3, or trash show --event 7"
    refusal.raise("neither a row nor an event is named", hint, refusal.USAGE)
  end
  local model = selection.model(db, arguments.model)
  local key = selection.key(model, arguments.key)
  local query = model.deleted_objects:filter(selection.key_field(model).name, key)
  local row = query:first()
  if not row then
    refusal.raise(("%s %s is not in the trash"):format(arguments.model, arguments.key))
  end
  return row, query
end

local function show_row(out, found)
  local lines = {}
  for _, field in ipairs(getmetatable(found.row):fields()) do
    if not HIDDEN[field.name] then
      local value = readable(found.row, field)
      lines[#lines + 1] = { field.name, value == nil and "NULL" or tostring(value) }
    end
  end
  out:line(("%s, deleted %s"):format(found.title, moment.text(found.row.deleted_at)), "bright")
  out:table({ "FIELD", "VALUE" }, lines)
  for _, event in ipairs(found.events) do
    out:line("Held by " .. event_line(event))
  end
  plan.show_conflicts(out, found.plan.conflicts)
  plan.show_parents(out, found.plan.parents)
end

local function row_told(found)
  local values, events = {}, output.list {}
  for _, field in ipairs(getmetatable(found.row):fields()) do
    if not HIDDEN[field.name] then
      local value = readable(found.row, field)
      values[field.name] = value == nil and output.null or value
    end
  end
  for i, event in ipairs(found.events) do
    events[i] = event_told(event)
  end
  return {
    model = selection.name_of(getmetatable(found.row)),
    key = found.key,
    deleted_at = moment.iso(found.row.deleted_at),
    values = values,
    events = events,
    conflicts = plan.conflicts_told(found.plan.conflicts),
    parents = plan.parents_told(found.plan.parents),
  }
end

local function run_row(context, db, arguments)
  local row, query = row_in_trash(db, arguments)
  local found = {
    row = row,
    key = row[selection.key_field(getmetatable(row)).name],
    title = arguments.model .. " " .. arguments.key,
    events = owners(db, row),
    plan = query:restore_plan(),
  }
  show_row(context.out, found)
  context.out:result(row_told(found))
end

-- ---- an event ---------------------------------------------------------------------------------------

local function run_event(context, db, id)
  local event, out = selection.event(db, id), context.out
  local counts, ahead = event:counts(), event:restore_plan()
  local line = event_line(event)
  out:line(line:sub(1, 1):upper() .. line:sub(2), "bright")
  if event.undone_at then
    out:line("Undone " .. moment.text(event.undone_at))
  end
  plan.show_counts(out, counts, "HELD")
  plan.show_counts(out, ahead.held_back, "STAY AFTER AN UNDO")
  plan.show_conflicts(out, ahead.conflicts)
  plan.show_parents(out, ahead.parents)
  local told = event_told(event)
  told.rows, told.held_back = counts, ahead.held_back
  told.conflicts, told.parents = plan.conflicts_told(ahead.conflicts), plan.parents_told(ahead.parents)
  out:result(told)
end

function M.run(context, arguments)
  local db = context:db { read_only = true }
  if arguments.event then
    return run_event(context, db, arguments.event)
  end
  return run_row(context, db, arguments)
end

return M
