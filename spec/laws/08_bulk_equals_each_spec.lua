-- Law 8: a query's delete, restore and purge end where the same calls row by row, in the query's
-- order, end; and their statements do not grow with the rows.
--
-- Two databases live through the same operations. Then one is asked by the query and the other
-- row by row. What is compared knows no stamps and no events: which rows are there, which live,
-- and what they would be or are without their suffixes.
local core = require "tombstone.core"
local database = require "tombstone.database"
local Generator = require "laws.generator"
local Random = require "laws.random"
local World = require "laws.world"
local asked = require "laws.asked"
local failure = require "laws.failure"
local helper = require "helper"
local operations = require "laws.operations"
local plans = require "laws.plans"
local run = require "laws.run"
local shapes = require "laws.shapes"
local show = require "laws.show"

local fail = failure.fail

-- ---- what the two are compared by -------------------------------------------------------

local function state(world)
  local lines, known = {}, world.known
  for _, row in ipairs(world.conns[1].model.all_objects:order_by(known.key.name):all()) do
    local texts = { row:is_deleted() and "dead" or "alive" }
    for _, field in ipairs(known.fields) do
      if field.role == nil or field.role == "key" or field.role == "version" then
        texts[#texts + 1] = show.show(row:original(field.name))
      end
    end
    lines[#lines + 1] = table.concat(texts, " ")
  end
  return table.concat(lines, "\n")
end

-- ---- the same operations twice ----------------------------------------------------------

local function populate(world, list)
  for _, operation in ipairs(list) do
    operations.apply(world, operation)
  end
end

local WEIGHTS = { undo = 3, purge_query = 0, purge_row = 0, delete_row = 18, reload = 0, fetch = 0 }

local function random_past(shape, strategy, random)
  local world = World.new(shape, strategy)
  local generator, list = Generator.new(world, random, WEIGHTS), {}
  for i = 1, random:int(8, 30) do
    list[i] = generator:operation()
    operations.apply(world, list[i])
  end
  world:close()
  return list, generator
end

-- ---- the calls --------------------------------------------------------------------------

local function how_of(bulk, key)
  local how = { on_conflict = bulk.on_conflict }
  if type(bulk.on_conflict) == "table" then
    function how.on_conflict(row, conflict)
      assert(conflict.dead_pk == row[key])
      return plans.answer(bulk.on_conflict, row.rank)
    end
  end
  return how
end

local function bulk_call(world, bulk)
  local conn = world.conns[1]
  local query = asked.query_of(world, conn, bulk.query)
  local options = bulk.verb == "restore" and how_of(bulk, world.known.key.name) or {}
  options.all = true
  options.living = bulk.verb == "purge" or nil
  return query[bulk.verb](query, options)
end

-- Rows are fixed when the call begins; of a restore they are those that are dead then.
local function rows_of(world, bulk)
  local rows = {}
  for _, row in ipairs(asked.query_of(world, world.conns[1], bulk.query):all()) do
    if bulk.verb ~= "restore" or row:is_deleted() then
      rows[#rows + 1] = row
    end
  end
  return rows
end

local function each_call(world, bulk)
  local db, count = world.conns[1].db, 0
  db:transaction(function()
    for _, row in ipairs(rows_of(world, bulk)) do
      local options = bulk.verb == "restore" and how_of(bulk, world.known.key.name) or nil
      count = count + (row[bulk.verb](row, options) and 1 or 0)
    end
  end)
  return count
end

-- A dead row of the call may be in the way of another, by its text with the suffix: then one
-- statement may do what row by row is refused.
local function is_tangled(world, bulk)
  local plan = plans.new(world.mirror, world.conns[1])
  plans.restore(plan, plan:select(asked.described_for(world, bulk.query)), bulk)
  return plan.tangled
end

-- ---- one try ----------------------------------------------------------------------------

local function compare(one, other, bulk)
  local tangled = bulk.verb == "restore" and is_tangled(one, bulk)
  local ok, count = pcall(bulk_call, one, bulk)
  local each_ok, each_count = pcall(each_call, other, bulk)
  if not ok and (type(count) ~= "table" or count.kind == nil) then
    error(count, 0)
  elseif tangled then
    return
  elseif ok ~= each_ok then
    fail("the bulk call says %s and row by row says %s", tostring(count), tostring(each_count))
  elseif ok and count ~= each_count then
    fail("the bulk call counts %d and row by row counts %d", count, each_count)
  elseif not ok and count.kind ~= each_count.kind then
    fail("the bulk call is refused as %s, row by row as %s", count.kind, tostring(each_count.kind))
  end
  local a, b = state(one), state(other)
  if a ~= b then
    fail("the bulk call ends in\n%s\nand row by row in\n%s", a, b)
  end
end

local function try(shape, strategy, past, bulk, options)
  local one, other = World.new(shape, strategy, options), World.new(shape, strategy, options)
  local ok, err = pcall(function()
    populate(one, past)
    populate(other, past)
    compare(one, other, bulk)
  end)
  one:close()
  other:close()
  return not ok and err or nil
end

local VERBS = { "delete", "restore", "restore", "restore", "purge" }
local SCOPES = {
  delete = { "objects", "objects", "all_objects" },
  restore = { "deleted_objects", "deleted_objects", "all_objects" },
  purge = { "deleted_objects", "all_objects", "objects" },
}

local function random_bulk(generator)
  local verb = generator.random:pick(VERBS)
  local bulk = { verb = verb, query = generator:query(SCOPES[verb]) }
  if generator.random:chance(50) then
    bulk.query.rows, bulk.query.where = nil, nil -- more rows
  end
  bulk.on_conflict = verb == "restore" and generator:on_conflict() or nil
  return bulk
end

local function report(case, seed, err, past, bulk, options)
  local small = run.shrink(past, function(fewer)
    return try(case.shape, case.strategy, fewer, bulk, options) ~= nil
  end)
  local last = try(case.shape, case.strategy, small, bulk, options) or err
  error(string.format("law 8, SPEC_SEED=%d: %s\n\n%s\n-- then %s\n", seed,
    tostring(last.message or last), show.program(case.shape, case.strategy, small), show.show(bulk)), 0)
end

local function tries(case, n, options)
  for i = 1, helper.scaled(n) do
    local seed = helper.seed() + i - 1
    local past, generator = random_past(case.shape, case.strategy, Random.new(seed))
    local bulk = random_bulk(generator)
    local err = try(case.shape, case.strategy, past, bulk, options)
    if err then
      report(case, seed, err, past, bulk, options)
    end
  end
end

-- Hooks that only look: the Lua side then takes the calls apart.
local function looks()
  local on = {}
  for _, verb in ipairs { "delete", "restore", "purge" } do
    for _, time in ipairs { "before_", "after_" } do
      on[time .. verb] = function(row)
        assert(row.rank)
      end
    end
  end
  return on
end

-- ---- statements -------------------------------------------------------------------------

local function recorded(strategy, n)
  local db = database.fake(":memory:")
  local model = shapes.declare(db, shapes.named "texts", strategy)
  db:create_tables()
  local list = {}
  for i = 1, n do
    list[i] = { name = "name " .. i, nick = "nick " .. i, a = "a", b = i, c = "c", rank = i }
  end
  model:bulk_create(list)
  return db, model
end

local function statements_of(db, fn, ...)
  core.fake.statements(db)
  fn(...)
  return #core.fake.statements(db)
end

-- How many statements each bulk call takes, by its name.
local function count_all(strategy, n)
  local db, model = recorded(strategy, n)
  local counts, event = {}, nil
  local function note(name, fn)
    counts[name] = statements_of(db, fn)
  end
  local function delete()
    event = select(2, model.objects:delete { all = true })
  end
  note("delete", delete)
  note("undo", function()
    event:undo()
  end)
  for _, word in ipairs { "fail", "skip", "rename", "replace" } do
    delete()
    note("restore with " .. word, function()
      assert(model.deleted_objects:restore { all = true, on_conflict = word } == n)
    end)
  end
  delete()
  note("restore with a function", function()
    assert(model.deleted_objects:restore { all = true, on_conflict = error } == n)
  end)
  note("delete of a slice", function()
    model.objects:order_by("-rank"):limit(n - 1):delete()
  end)
  note("purge of the dead", function()
    model.deleted_objects:purge { all = true }
  end)
  note("purge of the living", function()
    model.objects:purge { all = true, living = true }
  end)
  assert(model.all_objects:count() == 0)
  db:close()
  return counts
end

-- Three rows of `n` are refused: how many statements does it take to find them?
local function count_conflicts(strategy, n, word)
  local db, model = recorded(strategy, n)
  model.objects:delete { all = true }
  for _, i in ipairs { 2, math.floor(n / 2), n } do
    model:create { name = "name " .. i }
  end
  local count = statements_of(db, function()
    model.deleted_objects:restore { all = true, on_conflict = word }
  end)
  db:close()
  return count
end

describe("law 8, bulk equals each:", function()
  run.each_case(function(shape, strategy)
    local case = { shape = shape, strategy = strategy }
    local name = " (" .. shape .. ", " .. strategy .. ")"

    it("a query ends where row by row ends" .. name, function()
      tries(case, 100)
    end)

    it("also with hooks" .. name, function()
      tries(case, 40, { model = { on = looks() } })
    end)

    it("hooks that only look change nothing" .. name, function()
      run.run {
        law = "law 8",
        shape = shape,
        strategy = strategy,
        steps = 600,
        world = { model = { on = looks() } },
        weights = { delete_query = 16, restore_query = 16, purge_query = 6, undo = 10 },
      }
    end)
  end)

  for _, strategy in ipairs(shapes.strategies) do
    it("statements do not grow with the rows (" .. strategy .. ")", function()
      assert.same(count_all(strategy, 10), count_all(strategy, 150))
    end)

    it("a conflict is found in few statements (" .. strategy .. ")", function()
      for _, word in ipairs { "skip", "rename", "replace" } do
        local few, many = count_conflicts(strategy, 32, word), count_conflicts(strategy, 512, word)
        -- halving four more times on each side of three conflicts
        assert.is_true(many - few <= 3 * 2 * 4, word .. ": " .. few .. " and " .. many)
      end
    end)
  end
end)
