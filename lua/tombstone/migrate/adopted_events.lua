--- Events for the dead rows of a table that is adopted.
--
-- Nobody has noted which of them went together. Rows with the time of a dead parent belong to the
-- parent's event; other rows of one time went by one deletion; a row whose time nobody knows went by
-- itself.
-- @module tombstone.migrate.adopted_events
local event_tables = require "tombstone.migrate.event_tables"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- What the events say as their reason.
M.REASON = "adopted"

-- ---- parents -----------------------------------------------------------------------------------

local BY_PARENT = [[UPDATE %s AS c SET %s = (SELECT p.%s FROM %s AS p WHERE p.%s = c.%s AND p.%s = c.%s)
WHERE c.%s IS NOT NULL AND c.%s IS NULL]]

local function by_parent(job, t, is, parent, their, key)
  local name = tokens.name
  job:run(
    BY_PARENT:format(
      name(t.name),
      name(is.event),
      name(their.event),
      name(parent.name),
      name(key.to and key.to[1] or soft.key(parent)),
      name(key.columns[1]),
      name(their.stamp),
      name(is.stamp),
      name(is.stamp),
      name(is.event)
    )
  )
end

local function take_from_parents(job, t, is)
  local found = schema.read(job.db)
  local with = event_tables.with_events(found)
  for _, key in ipairs(t.foreign_keys) do
    for name, their in pairs(with) do
      local is_parent = tokens.same(name, key.table) and not tokens.same(name, t.name)
      if is_parent and #key.columns == 1 then
        by_parent(job, t, is, found.tables[name], their, key)
      end
    end
  end
end

-- ---- by time, and one by one -------------------------------------------------------------------------

local function last_event(job)
  return job:value [[SELECT max(coalesce((SELECT max(id) FROM tombstone_event), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tombstone_event'), 0)) AS value]]
end

local INSERT = [[INSERT INTO tombstone_event (at, model, pk, reason)
SELECT %s, ?1, %s, ?2 FROM %s WHERE %s IS NOT NULL AND %s IS NULL AND %s %s ?3 %s]]
local UPDATE = [[UPDATE %s SET %s = e.id FROM
(SELECT id AS id, at AS at, pk AS pk FROM tombstone_event WHERE id > ?1) AS e
WHERE %s IS NOT NULL AND %s IS NULL AND %s %s ?2 AND %s]]

local function make(job, t, is, model, given)
  local name, before = tokens.name(t.name), last_event(job)
  local stamp, event = name .. "." .. tokens.name(is.stamp), name .. "." .. tokens.name(is.event)
  job:run(
    INSERT:format(stamp, given.pk, name, stamp, event, stamp, given.compare, given.group),
    model,
    M.REASON,
    given.now
  )
  job:run(
    UPDATE:format(name, tokens.name(is.event), stamp, event, stamp, given.compare, given.match),
    before,
    given.now
  )
end

--- Gives each dead row an event.
-- @tparam job job
-- @string name of the table
-- @string model its name
-- @string now the time of rows that had none
function M.make(job, name, model, now)
  local t = schema.read_table(job.db, name)
  local is, key = soft.of(t), tokens.name(t.name) .. "." .. tokens.name(soft.key(t))
  local stamp = tokens.name(t.name) .. "." .. tokens.name(is.stamp)
  take_from_parents(job, t, is)
  make(job, t, is, model, {
    pk = ("CASE WHEN count(*) = 1 THEN CAST(min(%s) AS text) END"):format(key),
    group = ("GROUP BY %s ORDER BY %s"):format(stamp, stamp),
    match = "e.at = " .. stamp,
    compare = "<>",
    now = now,
  })
  make(job, t, is, model, {
    pk = ("CAST(%s AS text)"):format(key),
    group = "ORDER BY " .. key,
    match = ("e.pk = CAST(%s AS text)"):format(key),
    compare = "=",
    now = now,
  })
end

return M
