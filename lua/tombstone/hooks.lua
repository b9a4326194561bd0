--- Functions of the program that run inside a model's writes.
--
-- `on = { before_save, after_save, before_delete, after_delete, before_restore,
-- after_restore, before_purge, after_purge, after_commit }`, each called with the row.
-- The rows of a call are fixed when it begins; all before-hooks run first and raising in one
-- vetoes the whole call. `after_delete` gets the event too, `after_commit` the verb; it runs
-- when nothing can be rolled back any more.
-- @module tombstone.hooks
local core = require "tombstone.core"
local limits = require "tombstone.limits"
local tables = require "tombstone.tables"

local M = {}
local copy, put_back = tables.copy, tables.put_back

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
local raw_model, raw_query = copy(core.methods.model), copy(core.methods.query)
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

local function bulk_create(model, list, options)
  core.check_options(options, limits.NAMES, "bulk_create")
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
    local given = copy(values)
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

-- ---- installing --------------------------------------------------------------------------

local function check(on)
  core.check_options(on, NAMES, "on")
  for name, hook in pairs(on) do
    if type(hook) ~= "function" then
      core.misuse(name .. " is a function, not a " .. type(hook))
    end
  end
end

M.run_all, M.queue_commit = run_all, queue_commit
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
  rawset(model, "bulk_create", limits.of_call(bulk_create, 2))
  rawset(model, "update", update)
  rawset(model, "upsert", limits.of_call(upsert, 2))
end

return M
