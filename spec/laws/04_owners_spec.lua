-- Law 4, for one table: a row is alive exactly when no deletion that took it still stands.
local helper = require "helper"
local World = require "laws.world"
local failure = require "laws.failure"
local run = require "laws.run"
local show = require "laws.show"
local shapes = require "laws.shapes"

local fail = failure.fail

local function same_keys(what, found, wanted)
  if show.show(found) ~= show.show(wanted) then
    fail("%s are %s and should be %s", what, show.show(found), show.show(wanted))
  end
end

-- What every event says that it holds, against the mirror; together they hold all the dead.
local function check(world)
  local conn = world.locked or world.conns[1]
  local name, model = world.known.key.name, conn.model
  local held = 0
  for _, event in ipairs(conn.db:events()) do
    local wanted = world.mirror:held_by(event.id)
    same_keys("the rows of event " .. event.id, helper.list(event:rows(model), name), wanted)
    local counted = event:counts()[world.known.shape.model] or 0
    if counted ~= #wanted then
      fail("event %d counts %d rows and should count %d", event.id, counted, #wanted)
    end
    held = held + #wanted
  end
  if held ~= model.deleted_objects:count() then
    fail("the events hold %d rows and %d are dead", held, model.deleted_objects:count())
  end
end

-- ---- every order of undoing -------------------------------------------------------------

local function values_of(shape, i)
  local made = { rank = i }
  for _, field in ipairs(shapes.named(shape).fields) do
    if shapes.is_text(field) then
      made[field.name] = "v" .. i
    end
  end
  return made
end

-- Six rows; each deletion asks for more than is still alive.
local function deletions(model)
  local first = model.objects:filter { rank__lte = 2 }
  local events = {}
  local function add(_, event)
    events[#events + 1] = assert(event)
  end
  add(nil, model.objects:get { rank = 1 }:delete())
  add(first:delete { actor = "ana" })
  add(model.objects:filter({ rank__lte = 4 }):delete())
  add(model.all_objects:delete { all = true })
  return events
end

local TAKEN = { { 1 }, { 2 }, { 3, 4 }, { 5, 6 } }

local function alive(model)
  return helper.list(model.objects:order_by "rank", "rank")
end

local function wanted_alive(undone)
  local ranks = {}
  for number in pairs(undone) do
    for _, rank in ipairs(TAKEN[number]) do
      ranks[#ranks + 1] = rank
    end
  end
  table.sort(ranks)
  return ranks
end

local function try_order(shape, strategy, order)
  local world = World.new(shape, strategy)
  local model = world.conns[1].model
  for i = 1, 6 do
    model:create(values_of(shape, i))
  end
  local before = show.show(world:bytes())
  local events, undone = deletions(model), {}
  for _, number in ipairs(order) do
    assert.equal(#TAKEN[number], events[number]:undo())
    undone[number] = true
    assert.same(wanted_alive(undone), alive(model))
    assert.equal(0, events[number]:undo()) -- it holds nothing any more
  end
  assert.equal(before, show.show(world:bytes()))
  world:close()
end

describe("law 4, owners:", function()
  run.each_case(function(shape, strategy)
    local case = " (" .. shape .. ", " .. strategy .. ")"

    it("a row is dead while the event that took it stands" .. case, function()
      run.run {
        law = "law 4",
        shape = shape,
        strategy = strategy,
        steps = 1200,
        after = check,
        weights = { undo = 20, delete_query = 14, delete_row = 12, deletion = 12, transaction = 8 },
      }
    end)

    it("deletions are undone in any order" .. case, function()
      helper.each_order({ 1, 2, 3, 4 }, function(order)
        try_order(shape, strategy, order)
      end)
    end)

    it("a row that died on its own stays dead when a later deletion is undone" .. case, function()
      local world = World.new(shape, strategy)
      local model = world.conns[1].model
      local one, two = model:create(values_of(shape, 1)), model:create(values_of(shape, 2))
      one:delete()
      local count, event = model.all_objects:delete { all = true }
      assert.equal(1, count)
      event:undo()
      assert.is_true(one:reload():is_deleted())
      assert.is_false(two:reload():is_deleted())
      world:close()
    end)

    it("a row that was restored on its own is not the event's any more" .. case, function()
      local world = World.new(shape, strategy)
      local model = world.conns[1].model
      local one, two = model:create(values_of(shape, 1)), model:create(values_of(shape, 2))
      local _, event = model.objects:delete { all = true }
      one:reload():restore()
      local other = one:delete()
      assert.equal(1, event:undo())
      assert.is_true(one:reload():is_deleted())
      assert.is_false(two:reload():is_deleted())
      assert.equal(1, other:undo())
      world:close()
    end)
  end)
end)
