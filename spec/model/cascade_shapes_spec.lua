-- Deletions and their way back along diamonds, trees, rings, keys that are texts, and models
-- without events.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local function names(query)
  return table.concat(helper.list(query:order_by "name", "name"), " ")
end

describe("a row below two parents", function()
  local s, Leaf, left, right, leaf

  -- top has left and right; leaf hangs on both
  before_each(function()
    s = family.of {
      { "Top" },
      { "Left", "Top", "cascade" },
      { "Right", "Top", "cascade" },
    }
    Leaf = s.db:model("Leaf", {
      name = f.text { unique = true },
      left = f.belongs_to("Left", { on_delete = "cascade", null = true }),
      right = f.belongs_to("Right", { on_delete = "cascade", null = true }),
    })
    s.Leaf, s.names[#s.names + 1] = Leaf, "Leaf"
    s.db:create_tables()
    s.top = s:add("Top", "top")
    left, right = s:add("Left", "left", s.top), s:add("Right", "right", s.top)
    leaf = Leaf:create { name = "leaf", left = left, right = right }
  end)

  after_each(function()
    s:close()
  end)

  it("dies once, and comes back once", function()
    local event = s.top:delete()
    assert.are.same({ Top = 1, Left = 1, Right = 1, Leaf = 1 }, event:counts())
    assert.are.equal("", s:owners())
    assert.are.equal(4, event:undo())
    assert.are.equal("leaf left right top", s:living())
  end)

  it("stays dead until the last of its parents is back", function()
    for _, left_first in ipairs { true, false } do
      local events = { left:delete(), right:delete() }
      assert.are.equal("top", s:living())
      assert.are.equal(events[2].id .. " Leaf 1", s:owners())
      local first = left_first and 1 or 2
      assert.are.equal(1, events[first]:undo())
      assert.are.equal(left_first and "left top" or "right top", s:living())
      assert.are.equal("", s:owners())
      assert.are.equal(events[3 - first].id, leaf:reload().deleted_event)
      assert.are.equal(2, events[3 - first]:undo())
      assert.are.equal("leaf left right top", s:living())
      left:reload()
      right:reload()
    end
  end)

  it("needs both for its own return", function()
    left:delete()
    right:delete()
    local before = s:digest()
    leaf:reload()
    helper.raises("parent_deleted", leaf.restore, leaf)
    assert.are.equal(before, s:digest())
    left:restore()
    assert.are.equal("left top", s:living())
    local message = "Cannot restore record - Leaf 1 belongs to Right 1, which is deleted"
    local err = helper.refuses("parent_deleted", message, leaf.restore, leaf)
    assert.are.same({ "right_id" }, err.fields)
    assert.are.equal("left top", s:living())
    right:restore()
    assert.are.equal("leaf left right top", s:living())
  end)

  it("brings both of its parents back", function()
    left:delete()
    right:delete()
    s.top:delete()
    leaf:reload()
    assert.is_true(leaf:restore { parents = true })
    assert.are.equal("leaf left right top", s:living())
    assert.are.equal("", s:owners())
    assert.are.equal("leaf", leaf.name)
  end)
end)

describe("a tree in one table", function()
  local s, nodes, root

  -- A node for each of 1 to n, below the node of half its number.
  local function grow(n)
    s = family.of { { "Node", "Node", "cascade" } }
    nodes = {}
    for i = 1, n do
      nodes[i] = s:add("Node", string.format("n%03d", i), nodes[math.floor(i / 2)])
    end
    root = nodes[1]
  end

  after_each(function()
    s:close()
  end)

  it("dies and comes back below any node", function()
    grow(15)
    local count, event = s.Node.objects:filter({ id = 2 }):delete()
    assert.are.equal(7, count)
    assert.are.equal("n001 n003 n006 n007 n012 n013 n014 n015", s:living())
    local whole = root:delete()
    assert.are.same({ Node = 15 }, whole:counts())
    assert.are.equal(8, whole:undo())
    assert.are.same({ Node = 7 }, event:counts())
    assert.are.equal(7, event:undo())
    assert.are.equal(15, s.Node.objects:count())
    assert.are.equal("", s:owners())
  end)

  it("comes back around a branch that died alone", function()
    grow(15)
    nodes[4]:delete()
    root:delete()
    assert.is_true(root:restore())
    assert.are.equal(12, s.Node.objects:count())
    assert.are.same({ 4, 8, 9 }, helper.list(s.Node.deleted_objects:order_by "id", "id"))
  end)

  it("is restored up to the root, and counts the ancestors", function()
    grow(15)
    root:delete()
    local leaf = s.Node.deleted_objects:filter { id = 11 }
    helper.refuses(
      "parent_deleted",
      "Cannot restore record - Node 11 belongs to Node 5, which is deleted, as are Node 1, Node 2",
      leaf.restore,
      leaf
    )
    assert.are.equal(4, leaf:restore { parents = true })
    assert.are.equal(15, s.Node.objects:count())
  end)

  it("is purged from any node downwards", function()
    grow(15)
    root:delete()
    assert.is_true(nodes[3]:purge())
    assert.are.equal(8, s.Node.all_objects:count())
    assert.are.equal(8, s.Node.deleted_objects:purge { all = true })
    assert.are.equal(0, s.Node.all_objects:count())
  end)

  it("may be deep", function()
    s = family.of { { "Node", "Node", "cascade" } }
    local last
    local depth = helper.scaled(2000, 300)
    for i = 1, depth do
      last = s:add("Node", "n" .. i, last)
      root = i == 1 and last or root
    end
    local event = root:delete()
    assert.are.same({ Node = depth }, event:counts())
    assert.are.equal(0, s.Node.objects:count())
    last:reload()
    assert.is_true(last:restore { parents = true })
    assert.are.equal(depth, s.Node.objects:count())
    root:reload():delete()
    assert.is_true(root:purge())
    assert.are.equal(0, s.Node.all_objects:count())
  end)
end)

describe("a ring of rows", function()
  local s, nodes

  -- each node below the next one, the last below the first
  before_each(function()
    s = family.of { { "Node", "Node", "cascade" } }
    nodes = {}
    for i = 3, 1, -1 do
      nodes[i] = s:add("Node", "n" .. i, nodes[i + 1])
    end
    nodes[3]:update { parent = nodes[1] }
  end)

  after_each(function()
    s:close()
  end)

  it("dies and comes back at once", function()
    local event = nodes[2]:delete()
    assert.are.same({ Node = 3 }, event:counts())
    assert.are.equal("", s:owners())
    assert.are.equal(3, event:undo())
    assert.are.equal("n1 n2 n3", s:living())
  end)

  it("is restored whole, or with its parents", function()
    nodes[2]:delete()
    local before = s:digest()
    helper.raises("parent_deleted", nodes[2].restore, nodes[2])
    local two = s.Node.deleted_objects:filter { id__in = { 1, 2 } }
    helper.raises("parent_deleted", two.restore, two)
    assert.are.equal(before, s:digest())
    assert.are.equal(3, s.Node.deleted_objects:restore { all = true })
    nodes[2]:reload():delete()
    assert.is_true(nodes[2]:restore { parents = true })
    assert.are.equal("n1 n2 n3", s:living())
  end)

  it("is purged from each of its rows", function()
    nodes[1]:delete()
    nodes[3]:purge()
    assert.are.equal(0, s.Node.all_objects:count())
    local own = s:add("Node", "own")
    own:update { parent = own }
    own:delete()
    assert.is_true(own:restore())
    assert.are.equal("own", s:living())
    assert.is_true(own:purge())
    assert.are.equal(0, s.Node.all_objects:count())
  end)

  it("may go through two tables", function()
    local own = family.of { { "Man", "Dog", "cascade" }, { "Dog", "Man", "cascade" } }
    local man = own:add("Man", "man")
    local dog = own:add("Dog", "dog", man)
    man:update { parent = dog }
    own:add("Dog", "pup", own:add("Man", "boy", dog))
    local event = dog:delete()
    assert.are.equal("", own:living())
    assert.are.same({ Man = 2, Dog = 2 }, event:counts())
    assert.are.equal(4, event:undo())
    assert.are.equal("boy dog man pup", own:living())
    man:reload():delete()
    dog:reload()
    helper.raises("parent_deleted", dog.restore, dog)
    assert.is_true(dog:purge())
    assert.are.equal(0, own.Man.all_objects:count() + own.Dog.all_objects:count())
    own:close()
  end)

  it("through two tables comes back by its parents", function()
    local own = family.of { { "Man", "Dog", "cascade" }, { "Dog", "Man", "cascade" } }
    local man = own:add("Man", "man")
    local dog = own:add("Dog", "dog", man)
    man:update { parent = dog }
    man:delete()
    dog:reload()
    assert.is_true(dog:restore { parents = true })
    assert.are.equal("dog man", own:living())
    own:close()
  end)
end)

describe("keys that are texts", function()
  local s, Land, City

  local function living()
    return table.concat(Land.objects:order_by("code"):pluck "code", " ")
      .. "/"
      .. table.concat(City.objects:order_by("code"):pluck "code", " ")
      .. "/"
      .. names(s.Street.objects)
  end

  before_each(function()
    s = family.of {}
    Land = s.db:model("Land", { code = f.text { primary_key = true } })
    City = s.db:model("City", {
      code = f.text { primary_key = true },
      land = f.belongs_to("Land", { on_delete = "cascade" }),
    })
    s:model("Street", "City", "cascade")
    s.db:create_tables()
    for _, code in ipairs { "1", "it's __deleted_" } do
      local land = Land:create { code = code }
      for _, name in ipairs { "01", "ä" } do
        local city = City:create { code = code .. name, land = land }
        s:add("Street", code .. name, city)
      end
    end
  end)

  after_each(function()
    s:close()
  end)

  it("are followed down and up", function()
    local first = City.objects:get("101"):delete()
    local second = Land.objects:get("1"):delete()
    assert.are.equal(second.id .. " City 101, " .. second.id .. " Street 1", s:owners())
    assert.are.same({ Land = 1, City = 2, Street = 2 }, second:counts())
    assert.are.same({ "101", "1ä" }, helper.list(second:rows(City):order_by "code", "code"))
    assert.are.equal(3, second:undo())
    assert.are.equal(2, first:undo())
    local third = Land.objects:get("it's __deleted_"):delete()
    local whole = "1/101 1ä/101 1ä"
    assert.are.equal(whole, living())
    assert.are.equal(5, third:undo())
    assert.are.equal(4, City.objects:count())
  end)

  it("come back with their parents, and go with them", function()
    Land.objects:delete { all = true }
    local street = s:at("Street", 3)
    helper.refuses(
      "parent_deleted",
      "Cannot restore record - Street 3 belongs to City 'it's __deleted_01', which is deleted, "
        .. "as is Land 'it's __deleted_'",
      street.restore,
      street
    )
    assert.is_true(street:restore { parents = true })
    local both = "it's __deleted_01 it's __deleted_ä"
    assert.are.equal("it's __deleted_/" .. both .. "/" .. both, living())
    assert.are.equal(1, Land.deleted_objects:purge { all = true })
    assert.are.equal(2, City.all_objects:count())
    assert.are.equal(2, s.Street.all_objects:count())
    Land.objects:purge { all = true, living = true }
    assert.are.equal(0, City.all_objects:count() + s.Street.all_objects:count())
  end)
end)

it("keys of any size are told apart as texts", function()
  local s = family.tree()
  local posts = {}
  for i, id in ipairs { -5, 0, 4503599627370497 } do
    posts[i] = s.Post:create { id = id, name = "x" .. i, parent = s.b }
    s:add("Comment", "y" .. i, posts[i])
  end
  local count, first = s.Post.objects:filter({ name__startswith = "x" }):delete()
  assert.are.equal(3, count)
  local event = s.b:delete()
  assert.are.same({ Author = 1, Post = 3, Comment = 3 }, event:counts())
  assert.are.equal(1, event:undo())
  assert.are.equal("", s:owners())
  assert.are.equal(6, first:undo())
  s:close()
end)

describe("a parent without events", function()
  local s, t, pin, note

  before_each(function()
    s = family.of {
      { "Team", nil, nil, { soft_delete = { event = false } } },
      { "Pin", "Team", "restrict" },
      { "Note", "Team", "keep" },
    }
    t = s:add("Team", "t")
    pin, note = s:add("Pin", "n", t), s:add("Note", "k", t)
  end)

  after_each(function()
    s:close()
  end)

  it("is restricted by its living children", function()
    local before = s:digest()
    helper.refuses("restricted", "Cannot delete records - 1 of Pin still need them", t.delete, t)
    local every = s.Team.objects
    helper.raises("restricted", every.delete, every, { all = true })
    assert.are.equal(before, s:digest())
    pin:delete()
    assert.is_true(t:delete())
    assert.are.equal("k", s:living())
    assert.is_nil(note:parent())
    assert.are.equal(t.id, note:reload().parent_id)
  end)

  it("holds its children back while it is dead", function()
    local event = pin:delete()
    t:delete()
    local before = s:digest()
    local message = "Cannot restore record - Pin 1 belongs to Team 1, which is deleted"
    helper.refuses("parent_deleted", message, pin.restore, pin)
    assert.are.equal(before, s:digest())
    assert.are.equal(0, event:undo())
    assert.are.equal("k", s:living())
    assert.is_true(t:restore())
    assert.are.equal("k t", s:living())
    assert.is_true(pin:restore())
    assert.are.equal("k n t", s:living())
    pin:delete()
    t:delete()
    assert.is_true(pin:restore { parents = true })
    assert.are.equal("k n t", s:living())
  end)

  it("takes its dead children along when it is purged", function()
    pin:delete()
    t:delete()
    t:purge()
    assert.are.equal(0, s.Pin.all_objects:count())
    assert.is_nil(note:reload().parent_id)
  end)
end)
