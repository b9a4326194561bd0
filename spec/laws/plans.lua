--- What a verb should do, carried out on a copy of the mirror: the plan.
--
-- Stamps and ids that only the database can know are guessed or stand as negative numbers
-- until `world` has seen the real ones. A verb that should be refused answers the kind of the
-- error, and for `integrity` the conflicts.
local tombstone = require "tombstone"
local values = require "laws.values"
local Mirror = require "laws.mirror"

local M = {}
local copy = Mirror.copy

--- A plan for a call on `conn`, which says the time and what it has stamped and opened.
function M.new(mirror, conn)
  local plan = mirror:clone()
  plan.now = values.micro(conn.clock.now)
  plan.last_stamp = conn.guessed_stamp
  plan.shared = conn.shared and copy(conn.shared)
  plan.kills = {} -- `{ pks =, originals =, at =, event = }`, in order
  plan.killed = {} -- by key
  plan.opened = {} -- ids of new events, in order, negative
  return plan
end

-- ---- new values -------------------------------------------------------------------------

local function default(plan, field)
  if field.role == "version" then
    return 1
  elseif field.role == "created_at" or field.role == "updated_at" then
    return values.time_of_micro(plan.now)
  end
  return field.default
end

--- The stored values of a new row, or nil and the kind of refusal. The key may be missing.
function M.prepare(plan, given)
  local made = {}
  for _, field in ipairs(plan.known.fields) do
    local value = given[field.name]
    if field.role == "deleted_at" or field.role == "event" then
      made[field.name] = nil
    elseif value == nil and (field.role ~= "key" or field.kind ~= "integer") then
      made[field.name] = default(plan, field)
      value = made[field.name]
      if value == nil and not field.null then
        return nil, "validation"
      end
    elseif value ~= nil then
      local fits, stored = values.store(field, value)
      if not fits then
        return nil, "validation"
      end
      made[field.name] = stored
    end
  end
  return made
end

--- Adds a row; its key may be one that stands for the database's.
function M.insert(plan, pk, made)
  made[plan.known.key.name] = pk
  plan.rows[pk] = { values = made }
end

--- The row to be, or the kind of refusal. `others` are rows to be that come before it.
function M.row(plan, given)
  local made, kind = M.prepare(plan, given)
  if not made then
    return nil, kind
  end
  local conflicts = plan:conflicts(made)
  if #conflicts > 0 then
    return nil, "integrity", { conflicts = conflicts, values = made, names_row = true }
  end
  return made
end

local function is_expression(value)
  return type(value) == "table" and value.plus ~= nil
end

--- The values of a living row after an edit, or nil and the kind of refusal.
function M.edited(plan, pk, changes)
  local made = copy(plan.rows[pk].values)
  for name, value in pairs(changes) do
    if is_expression(value) then
      made[name] = made[name] + value.plus
    else
      local fits, stored = values.store(plan.known.by_name[name], value)
      if not fits then
        return nil, "validation"
      end
      made[name] = stored
    end
  end
  if made.version then
    made.version = made.version + 1
  end
  if plan.known.by_name.updated_at then
    made.updated_at = values.time_of_micro(plan.now)
  end
  return made
end

--- True when a field would refuse one of these.
function M.misfits(plan, changes)
  for name, value in pairs(changes) do
    local fits = type(value) == "table" or values.store(plan.known.by_name[name], value)
    if not fits then
      return true
    end
  end
  return false
end

--- Writes `changes` into the row that a program knows by key and version; else the refusal.
function M.edit(plan, pk, version, changes)
  for name, value in pairs(changes) do
    if not is_expression(value) and not values.store(plan.known.by_name[name], value) then
      return "validation"
    end
  end
  local row = plan.rows[pk]
  if not row then
    return "not_found"
  elseif row.at then
    return "deleted"
  elseif version ~= nil and row.values.version ~= version then
    return "stale"
  end
  local made = M.edited(plan, pk, changes)
  local conflicts = plan:conflicts(made, pk)
  if #conflicts > 0 then
    return "integrity", { conflicts = conflicts, values = made }
  end
  row.values = made
end

-- ---- deletion ---------------------------------------------------------------------------

local function next_stamp(plan)
  plan.last_stamp = math.max(plan.now, plan.last_stamp + 1)
  return plan.last_stamp
end

local function mark(plan, kill)
  for i, pk in ipairs(kill.pks) do
    local row = plan.rows[pk]
    row.values = plan:mangled(kill.originals[i], kill.at)
    row.at, row.event = kill.at, kill.event
  end
end
M.mark = mark

-- A dead row can be in the way of another: its text, with the suffix, is unique as well.
local function clashes(plan, kill)
  for _, pk in ipairs(kill.pks) do
    for _, conflict in ipairs(plan:conflicts(plan.rows[pk].values, pk)) do
      if conflict.group.strategy == "mangle" then
        return true
      end
    end
  end
  return false
end

local function open_event(plan, deletion)
  local shared = plan.shared
  if shared and shared.id then
    return shared.id
  end
  local id = -#plan.opened - 1
  plan.opened[#plan.opened + 1] = id
  plan.events[id] = {
    at = plan.last_stamp,
    model = plan.known.shape.model,
    pk = not shared and deletion.pk ~= nil and tostring(deletion.pk) or nil,
    actor = (shared or deletion).actor,
    reason = (shared or deletion).reason,
  }
  if shared then
    shared.id = id
  end
  return id
end

--- Kills these living rows in one event.
function M.kill(plan, pks, deletion)
  local kill = { pks = pks, originals = {}, at = next_stamp(plan) }
  if #pks == 0 then
    return 0
  end
  for i, pk in ipairs(pks) do
    kill.originals[i] = copy(plan.rows[pk].values)
  end
  mark(plan, kill)
  while clashes(plan, kill) do
    kill.at = next_stamp(plan)
    mark(plan, kill)
  end
  kill.event = open_event(plan, deletion)
  mark(plan, kill)
  plan.kills[#plan.kills + 1] = kill
  for _, pk in ipairs(pks) do
    plan.killed[pk] = true
  end
  return #pks
end

-- ---- restore ----------------------------------------------------------------------------

local function revive(plan, pk, made)
  plan.rows[pk] = { values = made }
end

local function refuse(conflicts, made)
  return "integrity", { conflicts = conflicts, values = made }
end

local function prefix(text, n)
  local at, count = 1, 0
  while at <= #text and count < n do
    at = at + 1
    while at <= #text and text:byte(at) >= 128 and text:byte(at) < 192 do
      at = at + 1
    end
    count = count + 1
  end
  return text:sub(1, at - 1)
end

local function renamed(field, text, n)
  local tail = n == 1 and " (restored)" or string.format(" (restored %d)", n)
  if not field.max_length then
    return text .. tail
  elseif field.max_length >= #tail then
    return prefix(text, field.max_length - #tail) .. tail
  end
end

local function clashes_in(plan, group, made, pk)
  for _, conflict in ipairs(plan:conflicts(made, pk)) do
    if conflict.group == group then
      return true
    end
  end
  return false
end

local function last_text(group, made)
  for i = #group.fields, 1, -1 do
    local field = group.fields[i]
    if (field.kind == "char" or field.kind == "text") and made[field.name] ~= nil then
      return field
    end
  end
end

-- The groups of the shapes share no field that a rename would choose, so each is helped alone.
local function rename(plan, pk, made, conflicts)
  for _, conflict in ipairs(conflicts) do
    local field, n = last_text(conflict.group, made), 0
    local text = field and made[field.name]
    repeat
      n = n + 1
      local name = field and renamed(field, text, n)
      if not name then
        return refuse(conflicts, made)
      end
      made[field.name] = name
    until not clashes_in(plan, conflict.group, made, pk)
  end
  revive(plan, pk, made)
end

-- A row of the same call that is still dead can be in the way, by its text with the suffix. One
-- UPDATE may meet the two in another order than row by row: then both outcomes are right. Of a
-- row that this call has killed the suffix is only guessed.
local function note_tangle(plan, conflicts, waiting)
  for _, conflict in ipairs(conflicts) do
    for _, pk in ipairs(conflict.pks) do
      local is_tangled = plan:is_dead(pk) and (waiting[pk] or plan.killed[pk])
      plan.tangled = plan.tangled or is_tangled or false
    end
  end
end

-- A row that is in the way twice is asked to die twice, which takes a stamp each time.
local function replace(plan, pk, made, conflicts, how)
  for _, conflict in ipairs(conflicts) do
    for _, twin in ipairs(conflict.pks) do
      if plan.rows[twin].at == nil or plan.killed[twin] then
        local deletion = { pk = twin, actor = how.actor, reason = how.reason }
        M.kill(plan, plan:lives(twin) and { twin } or {}, deletion)
      end
    end
  end
  local left = plan:conflicts(made, pk)
  if #left > 0 then
    note_tangle(plan, left, {})
    return refuse(left, made)
  end
  revive(plan, pk, made)
end

local function restore_with(plan, pk, made, new)
  for name, value in pairs(new) do
    local fits, stored = values.store(plan.known.by_name[name], value)
    if not fits then
      return "validation"
    end
    made[name] = stored
  end
  local conflicts = plan:conflicts(made, pk)
  if #conflicts > 0 then
    return refuse(conflicts, made)
  end
  revive(plan, pk, made)
end

--- What a conflict function of the specs answers for a row.
function M.answer(answers, rank)
  return answers[rank % #answers + 1]
end

local function restore_one(plan, pk, how, waiting)
  local made = plan:originals(plan.rows[pk])
  local conflicts = plan:conflicts(made, pk)
  local word = how.on_conflict or "fail"
  if #conflicts == 0 then
    revive(plan, pk, made)
    return nil, nil, true
  end
  note_tangle(plan, conflicts, waiting)
  if type(word) == "table" then
    word = M.answer(word, made.rank)
  end
  if type(word) == "table" then
    local kind, why = restore_with(plan, pk, made, word)
    return kind, why, true
  elseif word == "skip" then
    return nil, nil, false
  elseif word == "rename" then
    local kind, why = rename(plan, pk, made, conflicts)
    return kind, why, true
  elseif word == "replace" then
    local kind, why = replace(plan, pk, made, conflicts, how)
    return kind, why, true
  end
  return refuse(conflicts, made)
end

--- Restores the dead among these rows, in this order. Answers the kind of refusal and what is
-- in the way, or nil, nil and the count.
function M.restore(plan, pks, how)
  local dead, waiting, count = {}, {}, 0
  for _, pk in ipairs(pks) do
    if plan:is_dead(pk) then
      dead[#dead + 1] = pk
      waiting[pk] = true
    end
  end
  for _, pk in ipairs(dead) do
    waiting[pk] = nil
    local kind, why, restored = restore_one(plan, pk, how, waiting)
    if kind then
      return kind, why
    end
    count = count + (restored and 1 or 0)
  end
  return nil, nil, count
end

-- ---- purge ------------------------------------------------------------------------------

--- Removes these rows; the living ones die first.
function M.purge(plan, pks, deletion)
  local living = {}
  for _, pk in ipairs(pks) do
    if plan:lives(pk) then
      living[#living + 1] = pk
    end
  end
  M.kill(plan, living, deletion)
  for _, pk in ipairs(pks) do
    plan.rows[pk] = nil
  end
  return #pks
end

M.null = tombstone.null
return M
