-- Law 6: uniqueness is the database's word, with other writers about; a refusal says what was
-- refused and by which row, and changes nothing.
local core = require "tombstone.core"
local helper = require "helper"
local database = require "tombstone.database"
local World = require "laws.world"
local failure = require "laws.failure"
local run = require "laws.run"
local shapes = require "laws.shapes"
local values = require "laws.values"

local fail = failure.fail

-- What both handles see is what the mirror says; a refused call left every byte as it was.
local function check(world, operation)
  local digest = world:digest(world.locked)
  local is_same = digest == world.last_digest
  if world.refused and not operation.ops and world.last_digest and not is_same then
    fail("%s was refused and changed the database", operation.op)
  end
  world.last_digest = digest
  if not world.locked then
    for _, conn in ipairs(world.conns) do
      world:check(conn)
    end
  end
end

-- ---- one refusal of each verb, of each unique field -------------------------------------

local made = 0

-- The values given, and texts of its own where the model wants some.
local function complete(world, given)
  for _, field in ipairs(world.known.shape.fields) do
    if given[field.name] == nil and not field.null and field.default == nil then
      made = made + 1
      given[field.name] = "text " .. made
    end
  end
  return given
end

local SAMPLES = {
  char = "é",
  text = "it's",
  integer = 7,
  number = 1.5,
  boolean = true,
  datetime = 1763880000.25,
  blob = "\0\255",
}

-- Each answers the error of a write of a value that another row has.
local VERBS = {
  create = function(world, model, field, value)
    return helper.raises("integrity", model.create, model, complete(world, { [field.name] = value }))
  end,
  save = function(world, model, field, value)
    local row = model:create(complete(world, {}))
    row[field.name] = value
    return helper.raises("integrity", row.save, row)
  end,
  save_some = function(world, model, field, value)
    local row = model:create(complete(world, {}))
    row[field.name] = value
    return helper.raises("integrity", row.save, row, { field.name })
  end,
  update_row = function(world, model, field, value)
    local row = model:create(complete(world, {}))
    return helper.raises("integrity", row.update, row, { [field.name] = value })
  end,
  update_query = function(world, model, field, value)
    local row = model:create(complete(world, {}))
    local query = model.objects:filter { [world.known.key.name] = row[world.known.key.name] }
    return helper.raises("integrity", query.update, query, { [field.name] = value })
  end,
  bulk_create = function(world, model, field, value)
    local list = { complete(world, {}), complete(world, { [field.name] = value }) }
    local err = helper.raises("integrity", model.bulk_create, model, list)
    assert.equal(2, err.index)
    return err
  end,
  restore = function(world, model, field, value)
    local holder = model.objects:get { [field.name] = value }
    holder:delete()
    local row = model:create(complete(world, { [field.name] = value }))
    row:delete()
    holder:restore()
    return helper.raises("integrity", row.restore, row)
  end,
}

local function unique_fields(world)
  local list = {}
  for _, field in ipairs(world.known.fields) do
    if field.unique then
      list[#list + 1] = field
    end
  end
  return list
end

local function try_refusal(shape, strategy, name, field)
  local world = World.new(shape, strategy)
  local model, key = world.conns[1].model, world.known.key.name
  local value = SAMPLES[field.kind]
  local holder = model:create(complete(world, { [field.name] = value }))
  local err = VERBS[name](world, model, field, value)
  assert.equal("unique", err.constraint)
  assert.equal(shapes.named(shape).model, err.model)
  assert.same({ field.name }, err.fields)
  assert.equal(value, err.value)
  assert.equal(holder[key], err.conflicts[1].live_pk)
  local shown = field.kind == "datetime" and values.time(value) or field.kind == "boolean" and tostring(value)
  assert.truthy(err.message:find(field.name .. " with value ", 1, true))
  assert.truthy(not shown or err.message:find(shown, 1, true))
  assert.falsy(err.message:find "\n")
  world:close()
end

-- ---- no look before the write -----------------------------------------------------------

local function recorded(strategy)
  local db = database.fake(":memory:")
  local model = shapes.declare(db, shapes.named "texts", strategy)
  db:create_tables()
  core.fake.statements(db)
  return db, model
end

local function verbs_of(db)
  local verbs = {}
  for i, statement in ipairs(core.fake.statements(db)) do
    verbs[i] = statement.sql:match "^%u+"
  end
  return table.concat(verbs, " ")
end

-- What runs before the index can say no.
local function check_statements(strategy)
  local db, model = recorded(strategy)
  local row = model:create { name = "a", nick = "b" }
  assert.equal("INSERT", verbs_of(db))
  row.name = "c"
  row:save()
  assert.equal("UPDATE", verbs_of(db))
  row:update { name = "d" }
  assert.equal("UPDATE", verbs_of(db))
  model.objects:filter({ name = "d" }):update { nick = "e" }
  assert.equal("UPDATE", verbs_of(db))
  model:upsert({ name = "d", nick = "f" }, { on = "name" })
  assert.equal("INSERT", (verbs_of(db):gsub("BEGIN ", ""):match "^%u+"))
  local _, event = model.objects:delete { all = true }
  verbs_of(db)
  event:undo()
  local undone = verbs_of(db):gsub("BEGIN ", "")
  assert.falsy(undone:find "SELECT")
  model.objects:delete { all = true }
  verbs_of(db)
  model.deleted_objects:restore { all = true }
  assert.falsy(verbs_of(db):find "SELECT")
  db:close()
end

describe("law 6, the database decides:", function()
  teardown(helper.clean)

  run.each_case(function(shape, strategy)
    it("a refused call changes nothing, with two writers (" .. shape .. ", " .. strategy .. ")", function()
      run.run {
        law = "law 6",
        shape = shape,
        strategy = strategy,
        steps = 1500,
        after = check,
        world = { handles = 2 },
        weights = { fetch = 12, transaction = 10, bulk_create = 8, restore_row = 16, restore_query = 12 },
      }
    end)
  end)

  run.each_case(function(shape, strategy)
    local world = World.new(shape, strategy)
    local fields = unique_fields(world)
    world:close()
    for name in pairs(VERBS) do
      it(name .. " names what was refused and by whom (" .. shape .. ", " .. strategy .. ")", function()
        for _, field in ipairs(fields) do
          try_refusal(shape, strategy, name, field)
        end
      end)
    end
  end)

  for _, strategy in ipairs(shapes.strategies) do
    it("nothing is looked up before a write (" .. strategy .. ")", function()
      check_statements(strategy)
    end)
  end
end)
