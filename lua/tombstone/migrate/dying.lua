--- What becomes of dead rows when their table loses its soft delete.
-- @module tombstone.migrate.dying
local chunks = require "tombstone.migrate.chunks"
local mangling = require "tombstone.migrate.mangling"
local refusal = require "tombstone.migrate.refusal"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- Runs a statement on the rows that a condition finds, some thousands at a time.
function M.each(job, t, sql, condition)
  chunks.each(job, t, function(span, ...)
    job:run(("%s WHERE (%s)%s"):format(sql, condition, span and " AND " .. span or ""), ...)
  end)
end

-- ---- purge ---------------------------------------------------------------------------------------

local function pairs_of(t, stamp, other, key)
  local list, to = {}, key.to or t.primary_key
  for i, column in ipairs(key.columns) do
    list[i] = ("c.%s = p.%s"):format(tokens.name(column), tokens.name(to[i]))
  end
  if other == t.name then -- dead rows of its own go along
    list[#list + 1] = "c." .. tokens.name(stamp) .. " IS NULL"
  end
  return table.concat(list, " AND ")
end

-- Rows that stay must not point at rows that go.
local function need_no_children(job, t, stamp, other, key)
  local from = ("%s AS p JOIN %s AS c ON %s"):format(
    tokens.name(t.name),
    tokens.name(other.name),
    pairs_of(t, stamp, other.name, key)
  )
  refusal.where(
    job,
    from,
    "p." .. tokens.name(soft.key(t)),
    "p." .. soft.dead(stamp),
    ("Dead rows of '%s' cannot be purged while rows of '%s' point at them"):format(t.name, other.name),
    ("purge or mend the rows of '%s' first"):format(other.name)
  )
end

local function purge(job, t, is)
  local found = schema.read(job.db)
  for _, name in ipairs(found.order) do
    local other = found.tables[name]
    for _, key in ipairs(other.foreign_keys) do
      if tokens.same(key.table, t.name) then
        need_no_children(job, t, is.stamp, other, key)
      end
    end
  end
  M.each(job, t, "DELETE FROM " .. tokens.name(t.name), soft.dead(is.stamp))
end

-- ---- revive --------------------------------------------------------------------------------------

-- Dead rows whose values others have would not be unique any more.
local function need_free_values(job, t, stamp, value)
  for _, group in ipairs(soft.groups(t, stamp)) do
    if group.columns then
      local columns = table.concat(group.columns, ", ")
      refusal.where(
        job,
        tokens.name(t.name),
        tokens.name(soft.key(t)),
        soft.dead(stamp) .. " AND " .. mangling.doubled(t, group, value),
        ("Dead rows of '%s' cannot stay: others have their %s"):format(t.name, columns),
        "purge or change these rows first"
      )
    end
  end
end

local function revive(job, t, is)
  local mangled = soft.whole_groups(t, is.stamp)
  need_free_values(job, t, is.stamp, function(column)
    return mangling.original(t, mangled, column, is.stamp)
  end)
  local set = {}
  for _, column in ipairs(mangling.columns(t, mangled)) do
    set[#set + 1] = tokens.name(column) .. " = " .. mangling.original(t, mangled, column, is.stamp)
  end
  set[#set + 1] = tokens.name(is.stamp) .. " = NULL"
  if is.event then
    set[#set + 1] = tokens.name(is.event) .. " = NULL"
  end
  local sql = ("UPDATE %s SET %s"):format(tokens.name(t.name), table.concat(set, ", "))
  M.each(job, t, sql, soft.dead(is.stamp))
end

-- ---- keep, or none -------------------------------------------------------------------------------

local function keep(job, t, is)
  need_free_values(job, t, is.stamp, tokens.name)
end

local function none(job, t, is)
  refusal.where(
    job,
    tokens.name(t.name),
    tokens.name(soft.key(t)),
    soft.dead(is.stamp),
    ("Dead rows of '%s', and nothing says what becomes of them"):format(t.name),
    'purge or restore them, or give add_soft_delete dead = "purge", "revive" or "keep" for its way back'
  )
end

--- By the word that says what becomes of them: functions of job, table, and what is soft about it.
M.ways = { purge = purge, revive = revive, keep = keep, none = none }

return M
