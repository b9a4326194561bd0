--- Functions of the program that run inside a model's writes.
--
-- `on = { before_save, after_save, before_delete, after_delete, before_restore,
-- after_restore, before_purge, after_purge, after_commit }`, each called with the row.
-- The rows of a call are fixed when it begins; all before-hooks run first and raising in one
-- vetoes the whole call. `after_delete` gets the event too, `after_commit` the verb; it runs
-- when nothing can be rolled back any more.
-- @module tombstone.hooks
local along = require "tombstone.along"
local core = require "tombstone.core"

local M = {}

local NAMES = {
  "before_save",
  "after_save",
  "before_delete",
  "after_delete",
  "before_restore",
  "after_restore",
  "before_purge",
  "after_purge",
  "after_commit",
}

-- A model holds its hooks under this key. A weak table by model would hold them for ever
-- before Lua 5.2: they refer to their model.
local HOOKS = {}
local raw_model, raw_query = {}, {}
for name, method in pairs(core.methods.model) do
  raw_model[name] = method
end
for name, method in pairs(core.methods.query) do
  raw_query[name] = method
end
M.raw_model, M.raw_query = raw_model, raw_query

--- The hooks of a model, or nil.
function M.of(model)
  return rawget(model, HOOKS)
end

local function run(model, name, row, more)
  local hook = rawget(model, HOOKS)[name]
  if hook then
    hook(row, more)
  end
end

local function run_all(model, name, rows, more)
  if rawget(model, HOOKS)[name] then
    for i = 1, #rows do
      run(model, name, rows[i], more)
    end
  end
end

local function queue_commit(model, rows, verb)
  local hook = rawget(model, HOOKS).after_commit
  if not hook then
    return
  end
  local db = model:database()
  for i = 1, #rows do
    db:after_commit(function()
      hook(rows[i], verb)
    end)
  end
end

-- ---- rows ------------------------------------------------------------------

local function copy(row)
  local fields = {}
  for name, value in pairs(row) do
    fields[name] = value
  end
  return fields
end

local function put_back(row, fields)
  for name in pairs(copy(row)) do
    row[name] = nil
  end
  for name, value in pairs(fields) do
    row[name] = value
  end
end

-- A refused call changes nothing in the row either, whatever a hook wrote there. What an
-- after_commit hook raises comes too late to refuse anything.
local function within(row, body)
  local db = getmetatable(row):database()
  local before, unsaved, committed = copy(row), core.is_unsaved(row), false
  local ok, result, report = pcall(db.transaction, db, function()
    db:after_commit(function()
      committed = true
    end)
    return body()
  end)
  if ok then
    return result, report
  end
  if not committed then
    put_back(row, before)
    if unsaved then
      core.unsave(row)
    end
  end
  return error(result, 0)
end

local function save(row, names)
  raw_model.is_deleted(row) -- refuses what is no row
  local model = getmetatable(row)
  return within(row, function()
    run(model, "before_save", row)
    raw_model.save(row, names)
    run(model, "after_save", row)
    queue_commit(model, { row }, "save")
    return row
  end)
end

-- What the call without hooks refuses at once, it refuses here in its own words.
local function create(model, values)
  if type(values) ~= "table" then
    return raw_model.create(model, values)
  end
  return save(raw_model.new(model, values))
end

-- A refusal says which row of the list it was.
local function numbered(i, call, ...)
  local ok, result = pcall(call, ...)
  if ok then
    return result
  end
  if getmetatable(result) == core.error then
    result.index = i
  end
  return error(result, 0)
end

local function bulk_create(model, list)
  if type(list) ~= "table" or #list == 0 then
    return raw_model.bulk_create(model, list)
  end
  return raw_model.database(model):transaction(function()
    local rows = {}
    for i = 1, #list do
      rows[i] = numbered(i, raw_model.new, model, list[i])
    end
    run_all(model, "before_save", rows)
    for i = 1, #rows do
      numbered(i, raw_model.save, rows[i])
    end
    run_all(model, "after_save", rows)
    queue_commit(model, rows, "save")
    return rows
  end)
end

local function is_expression(value)
  return type(value) == "table" and getmetatable(value) == core.expression
end

-- Names that begin with "_" are the program's own.
local function is_note(name)
  return type(name) == "string" and name:sub(1, 1) == "_"
end

-- What update{} writes after a hook has seen, and perhaps changed, the row.
local function changes(row, before, values)
  local changed = {}
  for name, value in pairs(values) do
    changed[name] = is_expression(value) and value or row[name]
    if changed[name] == nil then
      changed[name] = core.null
    end
  end
  for name, value in pairs(row) do
    if before[name] ~= value and not is_note(name) then
      changed[name] = value
    end
  end
  for name in pairs(before) do
    if row[name] == nil and not is_note(name) then
      changed[name] = core.null
    end
  end
  return changed
end

local function show(row, values)
  for name, value in pairs(values) do
    if value == core.null then
      row[name] = nil
    elseif not is_expression(value) then
      row[name] = value
    end
  end
end

local function update(row, values)
  raw_model.is_deleted(row)
  if type(values) ~= "table" then
    return raw_model.update(row, values)
  end
  raw_model.need_kept(row)
  local model = getmetatable(row)
  values = core.rows_to_keys(model, values)
  local before = copy(row)
  return within(row, function()
    show(row, values)
    run(model, "before_save", row)
    raw_model.update(row, changes(row, before, values))
    run(model, "after_save", row)
    queue_commit(model, { row }, "save")
    return row
  end)
end

local function upsert(model, values, options)
  if type(values) ~= "table" then
    return raw_model.upsert(model, values, options)
  end
  values = core.rows_to_keys(model, values)
  return raw_model.database(model):transaction(function()
    local row = raw_model.new(model, values)
    local before = copy(row)
    run(model, "before_save", row)
    local given = {}
    for name, value in pairs(values) do
      given[name] = value
    end
    for name, value in pairs(row) do
      if before[name] ~= value and not is_note(name) then
        given[name] = value
      end
    end
    row = raw_model.upsert(model, given, options)
    run(model, "after_save", row)
    queue_commit(model, { row }, "save")
    return row
  end)
end

-- ---- sets of rows ------------------------------------------------------------

M.key_of = along.key_of

-- The rows in memory show what has become of them; those that are gone stay as they were.
local function refresh(model, rows, fixed)
  local key, now = M.key_of(model), {}
  for _, row in ipairs(fixed:everywhere():all()) do
    now[row[key]] = row
  end
  for i = 1, #rows do
    if now[rows[i][key]] then
      put_back(rows[i], now[rows[i][key]])
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
      run_all(set.model, name, which and which(rows) or rows, event)
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
      queue_commit(set.model, which and which(rows) or rows, verb)
    end
  end
end

local function event_of(done, more)
  return type(more) == "table" and more or (type(done) == "table" and done or nil)
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
  run_sets(sets, "after_" .. how.name, how.which, how.name == "delete" and event_of(done, more) or nil)
  queue_sets(sets, how.which, how.word or how.name)
  return done, more
end

local function those(test)
  return function(rows)
    local list = {}
    for _, row in ipairs(rows) do
      list[#list + 1] = test(row) and row or nil
    end
    return list
  end
end

local dead_ones = those(function(row)
  return row.deleted_at ~= nil
end)
local living_ones = those(function(row)
  return row.deleted_at == nil
end)

-- For each model with hooks the rows that the call reaches, parents first.
local function sets_of(query, verb, rows)
  return along.sets(query, verb, rows, M.of)
end

local function delete(query, options)
  local model = query:model()
  if not raw_model.is_soft(model) then
    return raw_query.delete(query, options)
  end
  return model:database():transaction(function()
    local fixed = living(query)
    return around(sets_of(fixed, "delete"), { name = "delete", which = dead_ones }, function()
      return raw_query.delete(fixed, options)
    end)
  end)
end

local function returning(query, rows, options, plain)
  local sets = sets_of(query, "restore", rows)
  along.leave_returning(query, sets, options, plain)
  return sets
end

local function restore(query, options, plain)
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

-- A step of an event's undo, which comes to each model by itself: no other hooks run.
local function restore_own(query, options, plain)
  local model = query:model()
  if not M.of(model) then
    return plain(query, options)
  end
  return (model:database():transaction(function()
    local fixed = dead(query)
    local set = { model = model, query = fixed, own = fixed:all(), rows = {} }
    return around({ set }, { name = "restore", which = living_ones }, function()
      return plain(fixed, options)
    end)
  end))
end

local function delete_living(query, options)
  local soft = raw_model.is_soft(query:model())
  if soft and query:scope() ~= "deleted_objects" then
    delete(query, { all = true, actor = options.actor, reason = options.reason })
  end
end

local function purge(query, options)
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

local function itself(row)
  local model = getmetatable(row)
  local key = M.key_of(model)
  return model.all_objects:filter { [key] = row[key] }
end

local function lives(row)
  return itself(row):filter({ deleted_at = core.null }):exists()
end

local function delete_one(row, options)
  local how = { name = "delete", which = dead_ones, own_is_shown = true }
  return around(sets_of(itself(row), "delete", { row }), how, function()
    return raw_model.delete(row, options)
  end)
end

local function delete_row(row, options)
  raw_model.need_kept(row)
  if not getmetatable(row):is_soft() then
    return raw_model.delete(row, options)
  end
  return within(row, function()
    return lives(row) and delete_one(row, options) or nil
  end)
end

local function restore_row(row, options, plain)
  raw_model.need_kept(row)
  if not getmetatable(row):is_soft() then
    return plain(row, options)
  end
  return within(row, function()
    local query = itself(row):filter { deleted_at__isnull = false }
    if not query:exists() then
      return false
    end
    local sets = returning(query, { row }, options, function(_, trial)
      return plain(setmetatable(copy(row), getmetatable(row)), trial)
    end)
    local how = { name = "restore", which = living_ones, own_is_shown = true }
    return around(sets, how, function()
      local done = plain(row, options)
      return done, nil
    end)
  end)
end

local function looks(options)
  return type(options) == "table" and options.dry_run
end

local function purge_row(row, options)
  raw_model.need_kept(row)
  if looks(options) then
    return raw_model.purge(row, options)
  end
  return within(row, function()
    if getmetatable(row):is_soft() and lives(row) then
      delete_one(row, options)
    end
    if not itself(row):exists() then
      return raw_model.purge(row, options) -- which finds nothing
    end
    return around(sets_of(itself(row), "purge", { row }), { name = "purge" }, function()
      return raw_model.purge(row, options)
    end)
  end)
end

-- The hooks of a purge: to the program this is one.
local function forget_row(row, options)
  raw_model.need_kept(row)
  if looks(options) then
    return raw_model.forget(row, options)
  end
  return within(row, function()
    if not itself(row):exists() then
      return raw_model.forget(row, options) -- which finds nothing
    end
    local how = { name = "purge", word = "forget" }
    return (around(sets_of(itself(row), "forget", { row }), how, function()
      return raw_model.forget(row, options)
    end))
  end)
end

-- ---- installing --------------------------------------------------------------------------

local function check(on)
  core.check_options(on, NAMES, "on")
  for name, hook in pairs(on) do
    if type(hook) ~= "function" then
      core.misuse(name .. " is a function, not a " .. type(hook))
    end
  end
end

M.delete, M.restore, M.restore_own, M.purge = delete, restore, restore_own, purge
M.delete_row, M.restore_row, M.purge_row, M.forget_row = delete_row, restore_row, purge_row, forget_row

--- The models with hooks whose rows may go along with the model's own; false where there are none.
function M.concern(model)
  return along.concerned(model, M.of)
end

--- Runs a function in a transaction; when that fails, the row is what it was.
M.within = within

--- Makes the model's writes run its hooks.
function M.install(model, on)
  if on == nil then
    return
  end
  check(on)
  rawset(model, HOOKS, on)
  rawset(model, "save", save)
  rawset(model, "create", create)
  rawset(model, "bulk_create", bulk_create)
  rawset(model, "update", update)
  rawset(model, "upsert", upsert)
end

return M
