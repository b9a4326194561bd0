--- `tombstone trash stats`
-- @module tombstone.cli.trash_stats
local core = require "tombstone.core"
local expression = require "tombstone.expression"
local moment = require "tombstone.cli.moment"
local output = require "tombstone.cli.output"
local selection = require "tombstone.cli.selection"

local M = { name = "stats", summary = "Count what is in the trash, by model, age, actor and event." }

local DAY = 86400
local AGES = {
  { name = "less than a day", key = "day", most = DAY },
  { name = "less than 7 days", key = "week", most = 7 * DAY },
  { name = "less than 30 days", key = "month", most = 30 * DAY },
  { name = "less than 90 days", key = "quarter", most = 90 * DAY },
  { name = "90 days and more", key = "older" },
}
local MOST_EVENTS = 10

function M.arguments(command)
  command:argument("model", "The model of the rows; else all."):args "?"
  command:option("--model", "Rows of this model."):argname("MODEL"):target "only_model"
end

local function by_model(sets)
  local list = output.list {}
  for i, set in ipairs(sets) do
    local found = set.query:aggregate { n = expression.count "*", oldest = expression.min "deleted_at" }
    list[i] = {
      model = set.name,
      living = set.model.objects:count(),
      dead = found.n,
      oldest = moment.iso_or_nil(found.oldest),
      since = found.oldest,
    }
  end
  return list
end

local function by_age(sets, now)
  local list, before = output.list {}, 0
  for i, age in ipairs(AGES) do
    local up_to = 0
    for _, set in ipairs(sets) do
      local query = age.most and set.query:filter("deleted_at__gt", now - age.most) or set.query
      up_to = up_to + query:count()
    end
    list[i] = { age = age.key, name = age.name, rows = up_to - before }
    before = up_to
  end
  return list
end

local function rows_by_event(sets)
  local rows = {}
  for _, set in ipairs(sets) do
    if set.model:has_events() then
      local grouped = set.query:group_by("deleted_event"):aggregate { n = expression.count "*" }
      for _, group in ipairs(grouped) do
        local id = group.deleted_event
        if id then
          rows[id] = (rows[id] or 0) + group.n
        end
      end
    end
  end
  return rows
end

local function larger_first(a, b)
  if a.rows ~= b.rows then
    return a.rows > b.rows
  end
  return tostring(a.event or a.actor or "") < tostring(b.event or b.actor or "")
end

local function events_of(db, rows)
  local list, ids = output.list {}, {}
  for id in pairs(rows) do
    ids[#ids + 1] = id
  end
  if #ids == 0 then
    return list
  end
  for i, event in ipairs(core.side(db).events.all_objects:filter("id__in", ids):all()) do
    list[i] = {
      event = event.id,
      at = event.at,
      actor = event.actor,
      reason = event.reason,
      rows = rows[event.id],
    }
  end
  table.sort(list, larger_first)
  return list
end

local function by_actor(events)
  local counts, nobody = {}, 0
  for _, event in ipairs(events) do
    if event.actor then
      counts[event.actor] = (counts[event.actor] or 0) + event.rows
    else
      nobody = nobody + event.rows
    end
  end
  local list = output.list {}
  for actor, n in pairs(counts) do
    list[#list + 1] = { actor = actor, rows = n }
  end
  if nobody > 0 then
    list[#list + 1] = { rows = nobody }
  end
  table.sort(list, larger_first)
  return list
end

local function first_events(events)
  local list = output.list {}
  for i = 1, math.min(#events, MOST_EVENTS) do
    local event = events[i]
    list[i] = {
      event = event.event,
      at = moment.iso(event.at),
      actor = event.actor,
      reason = event.reason,
      rows = event.rows,
    }
  end
  return list
end

local function without(list, name)
  for _, entry in ipairs(list) do
    entry[name] = nil
  end
  return list
end

local function show(out, found, events, now)
  local models, ages, actors, largest = {}, {}, {}, {}
  for i, of in ipairs(found.models) do
    models[i] = { of.model, of.living, of.dead, of.since and moment.age(now - of.since) }
  end
  for i, age in ipairs(found.ages) do
    ages[i] = { age.name, age.rows }
  end
  for i, of in ipairs(found.actors) do
    actors[i] = { of.actor or "(nobody)", of.rows }
  end
  for i = 1, #found.events do
    local event = events[i]
    largest[i] = { event.event, event.rows, moment.age(now - event.at), event.actor, event.reason }
  end
  out:table({ "MODEL", "LIVING", "DEAD", "OLDEST" }, models)
  out:line ""
  out:table({ "AGE", "ROWS" }, ages)
  if #actors > 0 then
    out:line ""
    out:table({ "ACTOR", "ROWS" }, actors)
    out:line ""
    out:table({ "EVENT", "ROWS", "AGE", "ACTOR", "REASON" }, largest)
  end
end

function M.run(context, arguments)
  local db = context:db { read_only = true }
  local sets, now = selection.of(db, arguments), db:now()
  local events = events_of(db, rows_by_event(sets))
  local found = {
    models = by_model(sets),
    ages = by_age(sets, now),
    actors = by_actor(events),
    events = first_events(events),
  }
  show(context.out, found, events, now)
  without(found.models, "since")
  without(found.ages, "name")
  context.out:result(found)
end

return M
