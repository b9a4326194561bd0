-- Law 7: a living child has a living parent. Law 4, for several tables: a row is alive exactly
-- when no deletion that took it still stands.
local helper = require "helper"
local run = require "laws.graph.run"
local tombstone = require "tombstone"

local f = tombstone.field

describe("laws 4 and 7, related rows are what plain sets of owners say", function()
  run.each_case(function(shape, strategy)
    it("(" .. shape .. ", " .. strategy .. ")", function()
      run.run { shape = shape, strategy = strategy, steps = 7000, length = 60 }
    end)

    it("(" .. shape .. ", " .. strategy .. ", with hooks)", function()
      run.run { shape = shape, strategy = strategy, steps = 1000, length = 60, world = { hooks = true } }
    end)
  end)
end)

-- ---- fixed scenes -----------------------------------------------------------------------

-- A child of as many parents as there are names, each a model of its own.
local function family(names)
  local db, models, fields = tombstone.open ":memory:", {}, { name = f.text { unique = true } }
  for _, name in ipairs(names) do
    models[name] = db:model(name, { name = f.text { unique = true } })
    fields[name:lower()] = f.belongs_to(name, { on_delete = "cascade" })
  end
  models.Child = db:model("Child", fields)
  db:create_tables()
  local parents, values = {}, { name = "child" }
  for _, name in ipairs(names) do
    parents[name] = models[name]:create { name = name }
    values[name:lower()] = parents[name]
  end
  local child = models.Child:create(values)
  return { db = db, models = models, parents = parents, child = child }
end

local function lives(row)
  return not row:reload():is_deleted()
end

local function each_two_orders(names, fn)
  helper.each_order(names, function(deleted)
    local order = { helper.unpack(deleted) }
    helper.each_order({ helper.unpack(names) }, function(undone)
      fn(order, undone)
    end)
  end)
end

describe("law 4, a shared child", function()
  local function try(deleted, undone)
    local home = family(deleted)
    local events = {}
    for _, name in ipairs(deleted) do
      events[name] = assert(home.parents[name]:delete())
      assert.is_false(lives(home.child))
    end
    for i, name in ipairs(undone) do
      assert.equal(i == #undone and 2 or 1, events[name]:undo())
      assert.is_true(lives(home.parents[name]))
      assert.equal(i == #undone, lives(home.child))
    end
    assert.equal("child", home.child:reload().name)
    assert.equal(0, #home.db:query "SELECT 1 FROM tombstone_owner")
    home.db:close()
  end

  it("of two parents stays dead until both deletions are undone, in every order", function()
    each_two_orders({ "P", "Q" }, try)
  end)

  it("of three parents stays dead until all deletions are undone, in every order", function()
    each_two_orders({ "P", "Q", "R" }, try)
  end)

  it("that died on its own has a third owner, which goes in every order too", function()
    helper.each_order({ "P", "Q", "Child" }, function(deleted)
      helper.each_order({ "P", "Q", "Child" }, function(undone)
        local home = family { "P", "Q" }
        local events, standing = {}, 3
        home.parents.Child = home.child
        for _, name in ipairs(deleted) do
          events[name] = home.parents[name]:reload():delete()
          standing = standing - (events[name] and 0 or 1) -- a dead child does not die again
        end
        for _, name in ipairs(undone) do
          if events[name] then
            events[name]:undo()
            standing = standing - 1
          end
          assert.equal(standing == 0, lives(home.child))
        end
        home.db:close()
      end)
    end)
  end)
end)

describe("law 4, a row that was deleted on its own before its parent", function()
  local function scene()
    local home = family { "P" }
    home.own = assert(home.child:delete())
    home.event = assert(home.parents.P:delete())
    return home
  end

  it("stays dead after the parent's restore", function()
    local home = scene()
    assert.is_true(home.parents.P:restore())
    assert.is_false(lives(home.child))
    assert.equal(1, home.own:undo())
    assert.is_true(lives(home.child))
    home.db:close()
  end)

  it("stays dead after the undo of the parent's deletion", function()
    local home = scene()
    assert.equal(1, home.event:undo())
    assert.is_false(lives(home.child))
    assert.is_true(home.child:restore())
    assert.is_true(lives(home.child))
    home.db:close()
  end)

  it("stays dead when its own deletion is undone first", function()
    local home = scene()
    assert.equal(0, home.own:undo())
    assert.is_false(lives(home.child))
    assert.equal(2, home.event:undo())
    assert.is_true(lives(home.child))
    home.db:close()
  end)

  it("cannot be restored below its dead parent, but with it", function()
    local home = scene()
    local err = helper.raises("parent_deleted", home.child.restore, home.child)
    assert.equal("Child", err.model)
    assert.is_false(lives(home.child))
    assert.is_true(home.child:restore { parents = true })
    assert.is_true(lives(home.child))
    assert.is_true(lives(home.parents.P))
    home.db:close()
  end)

  it("has both events as owners", function()
    local home = scene()
    local Child = home.models.Child
    assert.same({ Child = 1 }, home.own:counts())
    assert.same({ Child = 1, P = 1 }, home.event:counts())
    assert.equal(home.child.id, home.event:rows(Child):first().id)
    assert.equal(home.own.id, home.child:reload().deleted_event)
    home.own:undo()
    assert.equal(home.event.id, home.child:reload().deleted_event)
    assert.equal(0, home.own:rows(Child):count())
    home.db:close()
  end)
end)

-- ---- law 7: writes ----------------------------------------------------------------------

describe("law 7, no row is moved under a dead parent:", function()
  local function scene()
    local db = tombstone.open ":memory:"
    local Author = db:model("Author", {
      name = f.text { unique = true },
      mentor = f.belongs_to("Author", { on_delete = "keep", null = true }),
    })
    db:create_tables()
    local ana = Author:create { name = "ana" }
    local bea = Author:create { name = "bea", mentor = ana }
    local cleo = Author:create { name = "cleo" }
    ana:delete()
    return db, Author, ana, bea, cleo
  end

  it("a query's update moves all rows or none", function()
    local db, Author, ana, _, cleo = scene()
    local others = Author.objects:filter { name__in = { "bea", "cleo" } }
    helper.raises("parent_deleted", others.update, others, { mentor_id = ana.id })
    assert.is_nil(cleo:reload().mentor_id)
    db:close()
  end)

  it("a row may stay under a dead parent that it keeps", function()
    local db, Author, ana, bea = scene()
    assert.equal(1, Author.objects:filter({ name = "bea" }):update { mentor_id = ana.id })
    bea:update { mentor_id = ana.id }
    bea:save()
    Author:upsert({ name = "bea", mentor_id = ana.id }, { on = "name" })
    assert.equal(ana.id, bea:reload().mentor_id)
    db:close()
  end)

  it("an update that reaches no row refuses nothing", function()
    local db, Author, ana = scene()
    assert.equal(0, Author.objects:filter({ name = "dora" }):update { mentor_id = ana.id })
    db:close()
  end)
end)
