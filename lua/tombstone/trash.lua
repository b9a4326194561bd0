--- Hooks of deletions, restores and purges: for all rows that a call reaches, in every model.
--
-- All before-hooks run first, parents first by model; then the call; then the after-hooks of the
-- rows that it did something to.
-- @module tombstone.trash
local along = require "tombstone.along"
local core = require "tombstone.core"
local hooks = require "tombstone.hooks"
local tables = require "tombstone.tables"

local M = {}
local raw_query, raw_model = hooks.raw_query, hooks.raw_model
local key_of, within = along.key_of, hooks.within

-- ---- sets of rows ------------------------------------------------------------

-- The rows in memory show what has become of them; those that are gone stay as they were.
local function refresh(model, rows, fixed)
  local key, now = key_of(model), {}
  for _, row in ipairs(fixed:everywhere():all()) do
    now[row[key]] = row
  end
  for i = 1, #rows do
    if now[rows[i][key]] then
      tables.put_back(rows[i], now[rows[i][key]])
    end
  end
end

-- The rows of the call. What a limit cuts off is cut before the others are left out.
local function fixed_where(query, lookups)
  if query:scope() == "all_objects" then
    query = query:fixed()
  end
  return query:filter(lookups):fixed()
end

local function living(query)
  return fixed_where(query, { deleted_at = core.null })
end

local function dead(query)
  return fixed_where(query, { deleted_at__isnull = false })
end

-- ---- what a call does to rows ----------------------------------------------------------

-- Rows that a call is made on, and rows that go along.
local function run_sets(sets, name, which, event)
  for _, set in ipairs(sets) do
    for _, rows in ipairs { set.own, set.rows } do
      hooks.run_all(set.model, name, which and which(rows) or rows, event)
    end
  end
end

local function show_all(sets, own_is_shown)
  for _, set in ipairs(sets) do
    refresh(set.model, set.rows, set.query)
    if not own_is_shown then
      refresh(set.model, set.own, set.query)
    end
  end
end

local function queue_sets(sets, which, verb)
  for _, set in ipairs(sets) do
    for _, rows in ipairs { set.own, set.rows } do
      hooks.queue_commit(set.model, which and which(rows) or rows, verb)
    end
  end
end

local function event_of(done, more)
  return type(more) == "table" and more or (type(done) == "table" and done or nil)
end

local function that(test)
  return function(rows)
    return tables.those(rows, test)
  end
end

-- Rows that this deletion took, and not one that a before-hook made.
local function taken_by(event)
  local id = event and event.id
  return that(function(row)
    return row.deleted_at ~= nil and row.deleted_event == id
  end)
end

-- Runs `verb` between the hooks; where it says that it did nothing, none follow. `how` has the
-- hooks' `name`; `which`, that chooses the rows that it did something to; `own_is_shown`, where
-- the rows of the call show what became of them; and `word`, for after_commit.
local function around(sets, how, verb)
  run_sets(sets, "before_" .. how.name)
  local done, more = verb()
  if not done then
    return done, more
  end
  if how.name ~= "purge" then
    show_all(sets, how.own_is_shown)
  end
  local event = how.name == "delete" and event_of(done, more) or nil
  local which = how.name == "delete" and taken_by(event) or how.which
  run_sets(sets, "after_" .. how.name, which, event)
  queue_sets(sets, which, how.word or how.name)
  return done, more
end

local living_ones = that(function(row)
  return row.deleted_at == nil
end)

-- For each model with hooks the rows that the call reaches, parents first.
local function sets_of(query, verb, rows)
  return along.sets(query, verb, rows, hooks.of)
end

function M.delete(query, options)
  local model = query:model()
  if not raw_model.is_soft(model) then
    return raw_query.delete(query, options)
  end
  return model:database():transaction(function()
    local fixed = living(query)
    return around(sets_of(fixed, "delete"), { name = "delete" }, function()
      return raw_query.delete(fixed, options)
    end)
  end)
end

local function returning(query, rows, options, plain)
  local sets = sets_of(query, "restore", rows)
  along.leave_returning(query, sets, options, plain)
  return sets
end

function M.restore(query, options, plain)
  local model = query:model()
  if not raw_model.is_soft(model) then
    return plain(query, options)
  end
  return (model:database():transaction(function()
    local fixed = dead(query)
    local how = { name = "restore", which = living_ones }
    return around(returning(fixed, nil, options, plain), how, function()
      return plain(fixed, options)
    end)
  end))
end

--- Runs `verb`, which brings back the rows of the sets, between their hooks.
function M.around_restore(sets, verb)
  return around(sets, { name = "restore", which = living_ones }, verb)
end

local function delete_living(query, options)
  local soft = raw_model.is_soft(query:model())
  if soft and query:scope() ~= "deleted_objects" then
    M.delete(query, { all = true, actor = options.actor, reason = options.reason })
  end
end

function M.purge(query, options)
  local model = query:model()
  options = options or {}
  local refused = query:scope() ~= "deleted_objects" and not options.living
  if refused or options.dry_run then
    return raw_query.purge(query, options) -- refuses in its own words, or only looks
  end
  return model:database():transaction(function()
    local fixed = query:fixed()
    delete_living(fixed, options)
    local everywhere = fixed:everywhere()
    return around(sets_of(everywhere, "purge"), { name = "purge" }, function()
      return raw_query.purge(everywhere, { living = true, all = true })
    end)
  end)
end

-- ---- the same for one row -----------------------------------------------------------

--- The query of one row, dead or alive.
-- @param row
-- @treturn query
function M.itself(row)
  local model = getmetatable(row)
  local key = key_of(model)
  return model.all_objects:filter { [key] = row[key] }
end

local function lives(row)
  return M.itself(row):filter({ deleted_at = core.null }):exists()
end

local function delete_one(row, options)
  local how = { name = "delete", own_is_shown = true }
  return around(sets_of(M.itself(row), "delete", { row }), how, function()
    return raw_model.delete(row, options)
  end)
end

function M.delete_row(row, options)
  raw_model.need_kept(row)
  if not getmetatable(row):is_soft() then
    return raw_model.delete(row, options)
  end
  return within(row, function()
    if not lives(row) then
      return raw_model.delete(row, options) -- which finds nothing
    end
    return delete_one(row, options)
  end)
end

function M.restore_row(row, options, plain)
  raw_model.need_kept(row)
  if not getmetatable(row):is_soft() then
    return plain(row, options)
  end
  return (within(row, function()
    local query = M.itself(row):filter { deleted_at__isnull = false }
    if not query:exists() then
      return plain(row, options) -- which shows that it lives
    end
    local sets = returning(query, { row }, options, function(_, trial)
      return plain(setmetatable(tables.copy(row), getmetatable(row)), trial)
    end)
    local how = { name = "restore", which = living_ones, own_is_shown = true }
    return around(sets, how, function()
      return (plain(row, options))
    end)
  end))
end

local function looks(options)
  return type(options) == "table" and options.dry_run
end

function M.purge_row(row, options)
  raw_model.need_kept(row)
  if looks(options) then
    return raw_model.purge(row, options)
  end
  return within(row, function()
    if getmetatable(row):is_soft() and lives(row) then
      delete_one(row, options and { actor = options.actor, reason = options.reason })
    end
    if not M.itself(row):exists() then
      return raw_model.purge(row, options) -- which finds nothing
    end
    return around(sets_of(M.itself(row), "purge", { row }), { name = "purge" }, function()
      return raw_model.purge(row, options)
    end)
  end)
end

-- The hooks of a purge: to the program this is one.
function M.forget_row(row, options)
  raw_model.need_kept(row)
  if looks(options) then
    return raw_model.forget(row, options)
  end
  return within(row, function()
    if not M.itself(row):exists() then
      return raw_model.forget(row, options) -- which finds nothing
    end
    local how = { name = "purge", word = "forget" }
    return (around(sets_of(M.itself(row), "forget", { row }), how, function()
      return raw_model.forget(row, options)
    end))
  end)
end

--- The models with hooks whose rows may go along with the model's own; false where there are none.
function M.concern(model)
  return along.concerned(model, hooks.of)
end

return M
