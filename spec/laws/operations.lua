--- What each operation does with the library, and what should come of it.
local helper = require "helper"
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local World = require "laws.world"
local plans = require "laws.plans"
local values = require "laws.values"

local M = {}
local null = tombstone.null
local fail = World.fail
local copy = Mirror.copy

-- ---- words --------------------------------------------------------------------------------

-- The query of the library that an operation describes.
local function query_of(world, conn, described)
  local query = conn.model[described.scope]
  if described.rows then
    query = query:filter(world.known.key.name .. "__in", world:keys_of(described.rows))
  end
  if described.where then
    query = query:filter(described.where)
  end
  if described.exclude then
    query = query:exclude(described.exclude)
  end
  if described.order then
    query = query:order_by(helper.unpack(described.order))
  end
  query = described.limit and query:limit(described.limit) or query
  return described.offset and query:offset(described.offset) or query
end
M.query_of = query_of

-- The same for the mirror.
local function described_for(world, described)
  local with_keys = copy(described)
  with_keys.pks = described.rows and world:keys_of(described.rows)
  return with_keys
end
M.described_for = described_for

local function is_whole(described)
  return not (described.rows or described.limit or described.offset or next(described.where or {})
    or next(described.exclude or {}))
end

-- `{ plus = 1 }` stands for an expression over the field.
local function lua_values(given)
  local made = {}
  for name, value in pairs(given) do
    local is_expression = type(value) == "table" and value.plus ~= nil
    made[name] = is_expression and tombstone.F(name) + value.plus or value
  end
  return made
end

local function pick(from, ...)
  local made = {}
  for _, name in ipairs { ... } do
    made[name] = from[name]
  end
  return made
end

-- The options of a restore; a list of answers becomes a function.
local function how_of(world, operation)
  local how = pick(operation, "on_conflict", "actor", "reason", "all")
  local answers = operation.on_conflict
  if type(answers) == "table" then
    function how.on_conflict(row, conflict)
      if not row:is_deleted() or conflict.dead_pk ~= row[world.known.key.name] or #conflict.fields == 0 then
        fail "a conflict function was told of another row"
      end
      return plans.answer(answers, row.rank)
    end
  end
  return how
end

-- ---- rows that are known by number -----------------------------------------------------------

local function is_refused(kept)
  return kept.lost and "misuse" or nil
end

local function key_of(world, row)
  return row[world.known.key.name]
end

local function new_key(world, plan, made, row)
  local pk = key_of(world, row)
  if plan.rows[pk] then
    fail("the key %s was given out twice", tostring(pk))
  end
  plans.insert(plan, pk, made)
end

-- ---- creating --------------------------------------------------------------------------------------

-- The row to be, or the kind of refusal. `others` are rows to be that come before it.
local function predict_row(plan, given)
  local made, kind = plans.prepare(plan, given)
  if not made then
    return nil, kind
  end
  local conflicts = plan:conflicts(made)
  if #conflicts > 0 then
    return nil, "integrity", { conflicts = conflicts, values = made, names_row = true }
  end
  return made
end

local function create_by(world, operation, call)
  local conn, made = world:conn(operation), nil
  world:perform(conn, function(plan)
    local kind, why
    made, kind, why = predict_row(plan, operation.values)
    return kind, why
  end, function()
    return call(conn.model, operation.values)
  end, function(row)
    new_key(world, world.mirror, made, row)
    world:check_shown(row)
    world:keep(operation.as, row, conn, true)
  end)
end

function M.create(world, operation)
  create_by(world, operation, function(model, given)
    return model:create(given)
  end)
end

function M.new_save(world, operation)
  create_by(world, operation, function(model, given)
    local row = model:new(given)
    local answer = row:save()
    if answer ~= row then
      fail "save answers something else than the row"
    end
    return row
  end)
end

-- Keys that the database gives are unknown before: negative numbers stand for them.
local function predict_rows(plan, list)
  local all = {}
  for i, given in ipairs(list) do
    local made, kind, why = predict_row(plan, given)
    if not made then
      return kind, why, i
    end
    local pk = made[plan.known.key.name] or -i
    plans.insert(plan, pk, made)
    all[i] = pk
  end
  return nil, nil, nil, all
end

function M.bulk_create(world, operation)
  local conn, index, pks = world:conn(operation), nil, nil
  world:perform(conn, function(plan)
    local kind, why
    kind, why, index, pks = predict_rows(plan, operation.values)
    return kind, why and { conflicts = why.conflicts, values = why.values, loose = true }
  end, function()
    local results = { pcall(conn.model.bulk_create, conn.model, operation.values) }
    if not results[1] and index and results[2].kind ~= "busy" and results[2].index ~= index then
      fail("bulk_create names row %s and should name row %d", tostring(results[2].index), index)
    end
    if not results[1] then
      error(results[2], 0)
    end
    return results[2]
  end, function(rows)
    for i, row in ipairs(rows) do
      local made = world.mirror.rows[pks[i]].values
      world.mirror.rows[pks[i]] = nil
      new_key(world, world.mirror, made, row)
      world:check_shown(row)
      world:keep(operation.as and operation.as[i], row, conn, true)
    end
  end, true)
end

-- ---- editing -----------------------------------------------------------------------------------------

local function put(row, changes)
  local before = {}
  for name, value in pairs(changes) do
    before[name] = row[name] == nil and null or row[name]
    if value == null then
      value = nil
    end
    row[name] = value
  end
  return before
end

-- What a save writes: what the row in Lua holds, absent fields as NULL.
local function held(world, row, names)
  local changes = {}
  for _, field in ipairs(world.known.fields) do
    local ours = field.role == nil or field.role == "created_at"
    if ours and (names == nil or names[field.name]) then
      changes[field.name] = row[field.name] == nil and null or row[field.name]
    end
  end
  return changes
end

local function save(world, operation, names)
  local kept = world:row(operation.row)
  local before = put(kept.row, operation.changes)
  local set = names and {}
  for _, name in ipairs(names or {}) do
    set[name] = true
  end
  local saved = false
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    end
    local kind, why = plans.edit(plan, key_of(world, kept.row), kept.row.version, held(world, kept.row, set))
    if kept.row.deleted_at and kind ~= "validation" then
      return "deleted", { early = true }
    end
    return kind, why
  end, function()
    return kept.row:save(names)
  end, function()
    saved = true
    if not kept.lost then
      local shown = { version = true, updated_at = true }
      world:check_shown(kept.row, set or shown)
      world:check_shown(kept.row, shown)
    end
  end)
  if not saved then
    put(kept.row, before)
  end
end

function M.save(world, operation)
  save(world, operation, nil)
end

function M.save_some(world, operation)
  local names = {}
  for name in pairs(operation.changes) do
    names[#names + 1] = name
  end
  table.sort(names)
  save(world, operation, names)
end

function M.update_row(world, operation)
  local kept = world:row(operation.row)
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    end
    return plans.edit(plan, key_of(world, kept.row), kept.row.version, operation.changes)
  end, function()
    return kept.row:update(lua_values(operation.changes))
  end, function()
    local shown = copy(operation.changes)
    shown.version, shown.updated_at = true, true
    world:check_shown(kept.row, shown)
  end)
end

local function edit_all(plan, pks, changes)
  for _, pk in ipairs(pks) do
    local made, kind = plans.edited(plan, pk, changes)
    if not made then
      return kind
    end
    plan.rows[pk].values = made
  end
  for _, pk in ipairs(pks) do
    local conflicts = plan:conflicts(plan.rows[pk].values, pk)
    if #conflicts > 0 then
      return "integrity", { conflicts = conflicts, loose = true }
    end
  end
end

local function misfits(world, changes)
  for name, value in pairs(changes) do
    local fits = type(value) == "table" or values.store(world.known.by_name[name], value)
    if not fits then
      return true
    end
  end
  return false
end

function M.update_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    if described.scope ~= "objects" or (is_whole(described) and not operation.all) then
      return "misuse"
    elseif misfits(world, operation.changes) then
      return "validation"
    end
    local pks = plan:select(described_for(world, described))
    n = #pks
    return edit_all(plan, pks, operation.changes)
  end, function()
    return query_of(world, conn, described):update(lua_values(operation.changes), pick(operation, "all"))
  end, function(count)
    if count ~= n then
      fail("update answers %s and should answer %d", tostring(count), n)
    end
  end)
end

-- ---- upsert and get_or_create ------------------------------------------------------------------------------

local function have(plan, field_names, made, row_values)
  for _, name in ipairs(field_names) do
    local one, other = made[name], row_values[name]
    if one == nil or other == nil or not values.same(plan.known.by_name[name], one, other) then
      return false
    end
  end
  return true
end

local function rank_of_death(plan, pk)
  local field = plan.known.key
  return function(other)
    local a, b = plan.rows[pk], plan.rows[other]
    return a.at > b.at or (a.at == b.at and values.before(field, other, pk))
  end
end

-- The row of these values that died last.
local function dead_twin(plan, names, made)
  local found
  for pk, row in pairs(plan.rows) do
    local is_twin = row.at and have(plan, names, made, plan:originals(row))
    if is_twin and (not found or rank_of_death(plan, pk)(found)) then
      found = pk
    end
  end
  return found
end

local function living_twin(plan, names, made)
  for pk, row in pairs(plan.rows) do
    if not row.at and have(plan, names, made, row.values) then
      return pk
    end
  end
end

local function revive_twin(plan, names, made, policy)
  local twin = not living_twin(plan, names, made) and dead_twin(plan, names, made)
  if not twin then
    return nil
  elseif policy == "refuse" then
    return "deleted"
  end
  return plans.restore(plan, { twin }, {})
end

local function is_by(operation, name)
  for _, by in ipairs(operation.by) do
    if by == name then
      return true
    end
  end
  return false
end

-- What an upsert writes into the row that is there.
local function upsert_changes(world, operation, given)
  local changes = operation.update and copy(operation.update) or {}
  for _, field in ipairs(operation.update and {} or world.known.fields) do
    local value = given[field.name]
    if value ~= nil and not is_by(operation, field.name) and field.role ~= "key" then
      changes[field.name] = value
    end
  end
  return changes
end

local function strategy_of(plan, names)
  for _, group in ipairs(plan.known.groups) do
    if table.concat(group.names, ",") == table.concat(names, ",") then
      return group.strategy
    end
  end
end

local function in_the_way(plan, operation, made)
  local strategy = strategy_of(plan, operation.by)
  for pk, row in pairs(plan.rows) do
    local asked = strategy ~= "live" or not row.at
    if asked and have(plan, operation.by, made, row.values) then
      return pk
    end
  end
end

local function insert_or_update(plan, operation, made, changes)
  local there = in_the_way(plan, operation, made)
  if there and plan.rows[there].at then
    return "deleted"
  elseif there and not next(changes) then
    return nil, nil, there
  elseif there then
    local kind, why = plans.edit(plan, there, nil, changes)
    return kind, why, there
  end
  local conflicts = plan:conflicts(made)
  if #conflicts > 0 then
    return "integrity", { conflicts = conflicts, values = made }
  end
end

local function predict_upsert(plan, world, operation, given)
  local changes = upsert_changes(world, operation, given)
  local made, kind = plans.prepare(plan, given)
  if not made or misfits(world, changes) then
    return kind or "validation"
  end
  if (operation.on_deleted or "new") ~= "new" then
    local refusal, why = revive_twin(plan, operation.by, made, operation.on_deleted)
    if refusal then
      return refusal, why
    end
  end
  local refusal, why, there = insert_or_update(plan, operation, made, changes)
  return refusal, why, there, made
end

-- The values of an upsert by a key that the database has given are known when it runs.
local function given_to_upsert(world, operation)
  local given, kept = copy(operation.values), operation.row_key and world:row(operation.row_key)
  if kept and not kept.lost then
    given[world.known.key.name] = kept.row[world.known.key.name]
  end
  return given
end

-- An upsert answers a row as it is now: what a rollback makes of it cannot be known to it.
function M.upsert(world, operation)
  local conn, there, made = world:conn(operation), nil, nil
  local given = given_to_upsert(world, operation)
  world:perform(conn, function(plan)
    local kind, why
    kind, why, there, made = predict_upsert(plan, world, operation, given)
    return kind, why
  end, function()
    local options = { on = operation.by, on_deleted = operation.on_deleted }
    options.update = operation.update and lua_values(operation.update)
    return conn.model:upsert(given, options)
  end, function(row)
    if not there then
      new_key(world, world.mirror, made, row)
    elseif key_of(world, row) ~= there then
      fail "an upsert wrote another row"
    end
    world:check_shown(row)
    world:keep(operation.as, row, conn, false)
  end)
end

local function merged(match, defaults)
  local all = copy(match)
  for name, value in pairs(defaults or {}) do
    all[name] = value
  end
  return all
end

local function predict_get(plan, operation)
  local names, made = {}, {}
  for name, value in pairs(operation.match) do
    local fits, stored = values.store(plan.known.by_name[name], value)
    if not fits then
      return "misuse"
    end
    names[#names + 1] = name
    made[name] = stored
  end
  local found = living_twin(plan, names, made)
  if not found and (operation.on_deleted or "new") ~= "new" then
    local twin = dead_twin(plan, names, made)
    local kind, why = revive_twin(plan, names, made, operation.on_deleted)
    return kind, why, not kind and twin or nil
  end
  return nil, nil, found
end

function M.get_or_create(world, operation)
  local conn, there, made = world:conn(operation), nil, nil
  world:perform(conn, function(plan)
    local kind, why
    kind, why, there = predict_get(plan, operation)
    if kind or there then
      return kind, why
    end
    made, kind, why = predict_row(plan, merged(operation.match, operation.defaults))
    return kind, why
  end, function()
    return conn.model:get_or_create(operation.match, operation.defaults, pick(operation, "on_deleted"))
  end, function(row, created)
    if created ~= (there == nil) then
      fail("get_or_create says %s", tostring(created))
    elseif created then
      new_key(world, world.mirror, made, row)
    elseif key_of(world, row) ~= there then
      fail "get_or_create found another row"
    end
    world:check_shown(row)
    world:keep(operation.as, row, conn, created)
  end, true)
end

-- ---- delete --------------------------------------------------------------------------------------------------

local function keep_event(world, operation, conn, event)
  if operation.as and event then
    world.events[operation.as] = { event = event, conn = conn }
  end
end

local function check_answer(what, answer, wanted)
  if answer ~= wanted then
    fail("%s answers %s and should answer %s", what, tostring(answer), tostring(wanted))
  end
end

function M.delete_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local pk = key_of(world, kept.row)
    local deletion = { pk = pk, actor = operation.actor, reason = operation.reason }
    n = is_refused(kept) and 0 or plans.kill(plan, plan:lives(pk) and { pk } or {}, deletion)
    return is_refused(kept)
  end, function()
    return kept.row:delete(pick(operation, "actor", "reason"))
  end, function(event)
    check_answer("delete", event ~= nil, n == 1)
    if n == 1 then
      local marks = world.mirror:bearers(world.mirror.rows[key_of(world, kept.row)].values)
      marks.deleted_at, marks.deleted_event = true, true
      world:check_shown(kept.row, marks)
    end
    keep_event(world, operation, kept.conn, event)
  end)
end

local function living_of(plan, pks)
  local living = {}
  for _, pk in ipairs(pks) do
    if plan:lives(pk) then
      living[#living + 1] = pk
    end
  end
  return living
end

function M.delete_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    if is_whole(described) and not operation.all then
      return "misuse"
    elseif described.scope == "deleted_objects" then
      return nil, { early = true }
    end
    local pks = living_of(plan, plan:select(described_for(world, described)))
    n = plans.kill(plan, pks, pick(operation, "actor", "reason"))
    if operation.max_rows and n > operation.max_rows then
      return "too_many"
    end
  end, function()
    return query_of(world, conn, described):delete(pick(operation, "actor", "reason", "max_rows", "all"))
  end, function(count, event)
    check_answer("delete", count, n)
    check_answer("delete's event", event ~= nil, n > 0)
    keep_event(world, operation, conn, event)
  end)
end

-- ---- restore ---------------------------------------------------------------------------------------------------

function M.restore_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local kind, why
    if kept.lost then
      return "misuse"
    end
    kind, why, n = plans.restore(plan, { key_of(world, kept.row) }, operation)
    return kind, why
  end, function()
    return kept.row:restore(how_of(world, operation))
  end, function(answer)
    check_answer("restore", answer, n == 1)
    if n == 1 then
      world:check_shown(kept.row)
    end
  end)
end

function M.restore_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    local kind, why
    if described.scope == "objects" or (is_whole(described) and not operation.all) then
      return "misuse"
    end
    kind, why, n = plans.restore(plan, plan:select(described_for(world, described)), operation)
    return kind, why and { conflicts = why.conflicts, values = why.values, loose = true }
  end, function()
    return query_of(world, conn, described):restore(how_of(world, operation))
  end, function(count)
    check_answer("restore", count, n)
  end)
end

local function held_by(plan, id)
  local pks = {}
  for _, pk in ipairs(plan:select { scope = "deleted_objects" }) do
    if plan.rows[pk].event == id then
      pks[#pks + 1] = pk
    end
  end
  return pks
end
M.held_by = held_by

function M.undo(world, operation)
  local known, n = world.events[operation.event], 0
  if not known then
    return
  end
  local event, conn = known.event, known.conn
  world:perform(conn, function(plan)
    local kind, why
    if not plan.events[event.id] then
      return "not_found"
    end
    kind, why, n = plans.restore(plan, held_by(plan, event.id), { on_conflict = operation.on_conflict })
    plan.events[event.id].undone_at = plan.now
    return kind, why and { conflicts = why.conflicts, values = why.values, loose = true }
  end, function()
    return event:undo { on_conflict = how_of(world, operation).on_conflict }
  end, function(count)
    check_answer("undo", count, n)
    check_answer("the event's undone_at", values.micro(event.undone_at or 0), values.micro(conn.clock.now))
  end)
end

-- ---- purge -----------------------------------------------------------------------------------------------------

function M.purge_row(world, operation)
  local kept, n = world:row(operation.row), 0
  world:perform(kept.conn, function(plan)
    local pk = key_of(world, kept.row)
    if kept.lost then
      return "misuse"
    end
    n = plans.purge(plan, plan.rows[pk] and { pk } or {}, { pk = pk, actor = operation.actor })
  end, function()
    return kept.row:purge(pick(operation, "actor"))
  end, function(answer)
    check_answer("purge", answer, n == 1)
  end)
end

function M.purge_query(world, operation)
  local conn, described, n = world:conn(operation), operation.query, 0
  world:perform(conn, function(plan)
    local needs = described.scope ~= "deleted_objects" and not operation.living
    if needs or (is_whole(described) and not operation.all) then
      return "misuse"
    end
    n = plans.purge(plan, plan:select(described_for(world, described)), pick(operation, "actor", "reason"))
  end, function()
    return query_of(world, conn, described):purge(pick(operation, "living", "all", "actor", "reason"))
  end, function(count)
    check_answer("purge", count, n)
  end)
end

-- ---- rows again ----------------------------------------------------------------------------------------------------

function M.reload(world, operation)
  local kept = world:row(operation.row)
  if world.locked and world.locked ~= kept.conn then
    return
  end
  world:perform(kept.conn, function(plan)
    if kept.lost then
      return "misuse"
    end
    return not plan.rows[key_of(world, kept.row)] and "not_found" or nil
  end, function()
    return kept.row:reload()
  end, function()
    world:check_shown(kept.row)
  end)
end

--- Another row in Lua of the same row, on either handle.
function M.fetch(world, operation)
  local kept, conn = world:row(operation.row), world:conn(operation)
  if kept.lost or (world.locked and world.locked ~= conn) then
    return
  end
  local row = conn.model.all_objects:find(key_of(world, kept.row))
  local there = world.mirror.rows[key_of(world, kept.row)]
  check_answer("find", row ~= nil, there ~= nil)
  if row then
    world:check_shown(row)
    world:keep(operation.as, row, conn, false)
  end
end

function M.clock(world, operation)
  world:conn(operation).clock.now = operation.now
end

-- ---- transactions --------------------------------------------------------------------------------------------------

local ROLLBACK = { "rolled back on request" }

local function before_level(world, conn)
  return { mirror = world.mirror:clone(), shared = conn.shared and copy(conn.shared), depth = conn.depth }
end

-- Rows that were created in the level are lost; others that were read in it are forgotten, since
-- nothing tells them apart from what is in the database.
local function undo_level(world, conn, before)
  world.mirror = before.mirror
  conn.shared = before.shared
  for number, kept in pairs(world.rows) do
    if kept.conn == conn and kept.since > before.depth then
      kept.lost = kept.created
      if not kept.created then
        world.rows[number] = nil
      end
    end
  end
end

local function end_level(world, conn, before, kept_level)
  conn.depth = before.depth
  if not kept_level then
    undo_level(world, conn, before)
  end
  for _, kept in pairs(world.rows) do
    if kept.conn == conn and kept.since > before.depth then
      kept.since = before.depth
    end
  end
  if before.depth == 0 then
    world.locked = nil
  end
end

local function inside(world, conn, operation)
  return function()
    conn.depth = conn.depth + 1
    world.locked = conn
    for _, inner in ipairs(operation.ops) do
      M.apply(world, inner)
    end
    if operation.rollback then
      error(ROLLBACK, 0)
    end
    return "kept", operation
  end
end

local function check_end(operation, ok, err)
  if not ok and World.is_failure(err) then
    error(err, 0)
  elseif ok == (operation.rollback == true) then
    fail("a transaction ended with %s", tostring(err))
  elseif not ok and err ~= ROLLBACK then
    fail("an error of the program was raised as %s", tostring(err))
  end
end

function M.transaction(world, operation)
  local conn = world:conn(operation)
  if world.locked and world.locked ~= conn then
    return
  end
  local before = before_level(world, conn)
  local ok, a, b = pcall(conn.db.transaction, conn.db, inside(world, conn, operation))
  check_end(operation, ok, a)
  end_level(world, conn, before, ok)
  if ok and (a ~= "kept" or b ~= operation) then
    fail "a transaction lost what its function answered"
  end
end

local function check_shared(world, conn, operation, event)
  local id = conn.shared.id
  conn.shared = nil
  if (event and event.id) ~= id then
    fail("a deletion of many calls answers event %s and not %s", tostring(event and event.id), tostring(id))
  end
  keep_event(world, operation, conn, event)
end

--- Many calls in one event. In another such deletion it is refused.
function M.deletion(world, operation)
  local conn = world:conn(operation)
  if world.locked and world.locked ~= conn then
    return
  end
  if conn.shared then
    helper.raises("misuse", conn.db.deletion, conn.db, {}, function() end)
    return
  end
  local before = before_level(world, conn)
  conn.shared = pick(operation, "actor", "reason")
  local ok, a, b = pcall(conn.db.deletion, conn.db, pick(operation, "actor", "reason"),
    inside(world, conn, operation))
  check_end(operation, ok, a)
  end_level(world, conn, before, ok)
  if ok and b ~= "kept" then
    fail "a deletion lost what its function answered"
  elseif ok then
    check_shared(world, conn, operation, a)
  end
end

-- ---- one operation ---------------------------------------------------------------------------------------------------

--- Runs an operation and compares. One whose row is unknown is passed over: shrinking may have
-- dropped what made it.
function M.apply(world, operation)
  if operation.row and not world:row(operation.row) then
    return
  end
  world.current = operation
  M[operation.op](world, operation)
  world:check(world.locked or world:conn(operation))
  if world.after then
    world.after(world, operation)
  end
end

return M
