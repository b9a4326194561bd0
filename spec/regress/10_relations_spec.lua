-- What an attack on the first version of relations found.
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local function open()
  return tombstone.open ":memory:"
end

local function child_of(name, on_delete)
  return f.belongs_to(name, { on_delete = on_delete or "cascade", null = true })
end

describe("a deletion", function()
  it("is no business of a parent that nobody has declared", function()
    local path = helper.path()
    local db = tombstone.open(path)
    local fields = { a = child_of "A", b = child_of "B" }
    db:model("A", { name = f.text() })
    db:model("B", { name = f.text() })
    db:model("C", fields)
    db:create_tables()
    db:close()
    db = tombstone.open(path)
    local A = db:model("A", { name = f.text() })
    db:model("C", fields) -- it crashed on the parent B
    local a = A:create { name = "x" }
    assert.is_truthy(a:delete())
    db:close()
    helper.clean()
  end)

  it("can begin in a ring of tables at one that nothing cascades to", function()
    local db = open()
    db:model("User", { team = child_of "Team" })
    local Team = db:model("Team", { boss = child_of("User", "restrict") })
    db:create_tables()
    assert.is_truthy(Team:create({}):delete())
    assert.are.equal(0, Team.objects:count())
  end)
end)

describe("a restore", function()
  it("brings no row back under a parent that its replacement has killed", function()
    local db = open()
    local Node = db:model("Node", { name = f.text { unique = true }, up = child_of "Node" })
    db:create_tables()
    Node:create({ name = "x" }):delete()
    local new = Node:create { name = "x" }
    local kid = Node:create { name = "kid", up = new }
    kid:delete()
    Node.deleted_objects:restore { all = true, on_conflict = "replace" }
    assert.is_true(kid:reload():is_deleted())
    assert.is_true(new:reload():is_deleted())
    assert.are.equal(1, Node.objects:count())
  end)

  it("may run inside the conflict function of another", function()
    local db = open()
    local A = db:model("A", { name = f.text { unique = true } })
    local C = db:model("C", { name = f.text(), a = child_of "A" })
    db:create_tables()
    local a, y = A:create { name = "x" }, A:create { name = "y" }
    C:create { name = "child", a = a }
    y:delete()
    a:delete()
    A:create { name = "x" }
    A.deleted_objects:filter({ id = a.id }):restore {
      on_conflict = function()
        y:restore()
        return "rename"
      end,
    }
    assert.are.equal(3, A.objects:count())
    assert.are.equal(1, C.objects:count()) -- it stayed dead
  end)
end)

it("a purge in a database with a ring leaves other foreign keys at once", function()
  local db = open()
  local A = db:model("A", { b = child_of("B", "restrict") })
  db:model("B", { a = child_of("A", "restrict") })
  db:model("Hard", { name = f.text() }, { soft_delete = false })
  local C = db:model("C", { hard = child_of("Hard", "restrict") })
  db:create_tables()
  local a = A:create {}
  a:delete()
  db:transaction(function()
    a:purge()
    local err = helper.raises("integrity", C.create, C, { hard_id = 77 })
    assert.are.equal("foreign_key", err.constraint)
  end)
end)

it("an insert that a trigger leaves out is refused, and not tried for ever", function()
  local db = open()
  local A = db:model("A", { name = f.text() })
  local C = db:model("C", { a = child_of "A" })
  db:create_tables()
  db:exec "CREATE TRIGGER out BEFORE INSERT ON c BEGIN SELECT raise(IGNORE); END"
  helper.raises("database", C.create, C, { a = A:create { name = "x" } })
  assert.are.equal(0, C.all_objects:count())
end)

it("an upsert is not refused for a parent that it would not write", function()
  local db = open()
  local A = db:model("A", { name = f.text() })
  local X = db:model("X", { title = f.text { unique = true }, n = f.integer(), a = child_of("A", "keep") })
  db:create_tables()
  local dead = A:create { name = "dead" }
  local x = X:create { title = "t", n = 1 }
  dead:delete()
  X:upsert({ title = "t", n = 3, a_id = dead.id }, { on = "title", update = { "n" } })
  assert.are.equal(3, x:reload().n)
  assert.is_nil(x.a_id)
  helper.raises("parent_deleted", X.upsert, X, { title = "t", n = 3, a_id = dead.id }, { on = "title" })
end)

it("a plan of an undo sees rows that come back in a ring of tables", function()
  local db = open()
  local A = db:model("A", { b = child_of "B" })
  local B = db:model("B", { a = child_of "A" })
  db:create_tables()
  local a = A:create {}
  local b = B:create { a = a }
  a:update { b = b }
  local event = a:delete()
  assert.are.same({ A = 1, B = 1 }, event:restore_plan().rows)
  assert.are.equal(2, event:undo())
end)

it("rows of an event are asked of models that have events", function()
  local db = open()
  local A = db:model("A", { name = f.text() })
  local Stamped = db:model("Stamped", { name = f.text() }, { soft_delete = { event = false } })
  local Hard = db:model("Hard", { name = f.text() }, { soft_delete = false })
  db:create_tables()
  local event = A:create({ name = "x" }):delete()
  for name, model in pairs { Stamped = Stamped, Hard = Hard } do
    helper.refuses("misuse", name .. " has no events", event.rows, event, model) -- it crashed
  end
  helper.raises("misuse", A.objects.coming, A.objects)
end)

it("names of the engine's own are refused", function()
  local db = open()
  local err = helper.raises("misuse", db.model, db, "Mine", { a = f.text() }, { table = "tombstone_taken_1" })
  assert.are.equal("Mine: the name 'tombstone_taken_1' is reserved", err.message)
  helper.raises("misuse", db.model, db, "Mine", { tombstone_pk = f.text() })
end)

it("a deletion, a plan and a purge of a deep tree do not walk it row by row", function()
  local statements = 0
  local db = tombstone.open(":memory:", {
    log = function()
      statements = statements + 1
    end,
  })
  local Node = db:model("Node", { name = f.text(), up = child_of "Node" })
  db:create_tables()
  local rows = {}
  for i = 1, 500 do
    rows[i] = { name = "n" .. i, up_id = i > 1 and i - 1 or nil }
  end
  for i = 1, #rows do
    Node:create(rows[i])
  end
  statements = 0
  assert.are.equal(500, Node.objects:filter({ id = 1 }):delete_plan().Node)
  Node.objects:filter({ id = 1 }):delete()
  assert.are.equal(500, Node.deleted_objects:filter({ id = 500 }):restore { parents = true })
  assert.are.equal(500, Node.objects:count())
  Node.objects:filter({ id = 1 }):delete()
  assert.are.equal(500, Node.deleted_objects:filter({ id = 1 }):purge())
  assert.is_true(statements < 120, tostring(statements))
end)
