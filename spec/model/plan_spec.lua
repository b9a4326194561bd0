-- What plans of restores say of rows below and above, and that they write nothing.
local family = require "model.family"
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

describe("the plan of a restore", function()
  local s

  -- t has a and b; a has p and q; p has c, q has d.
  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  local function plans_of(name, row)
    local query = s[name].deleted_objects:filter { id = row.id }
    return { query:restore_plan(), s[name].all_objects:get(row.id):restore_plan() }
  end

  it("looks below its rows, whose conflicts it lists by model", function()
    s.a:delete()
    s:add("Comment", "d", s:add("Post", "q", s.b))
    local before = s:digest()
    for _, plan in ipairs(plans_of("Author", s.a)) do
      assert.are.same({ Author = 1, Post = 2, Comment = 2 }, plan.rows)
      assert.are.same({}, plan.held_back)
      assert.are.same({}, plan.parents)
      local function of(model, name, dead, living)
        return {
          model = model,
          constraint = "unique",
          fields = { "name" },
          value = name,
          dead_pk = dead,
          live_pk = living,
        }
      end
      assert.are.same({ of("Post", "q", s.q.id, 3), of("Comment", "d", s.d.id, 3) }, plan.conflicts)
    end
    assert.are.equal(before, s:digest())
    helper.raises("integrity", s.a.restore, s.a)
  end)

  it("counts what another event holds, and what a dead parent does", function()
    s.d:delete()
    s.a:delete()
    for _, plan in ipairs(plans_of("Author", s.a)) do
      assert.are.same({ Author = 1, Post = 2, Comment = 1 }, plan.rows)
      assert.are.same({ Comment = 1 }, plan.held_back)
      assert.are.same({}, plan.parents)
    end
    assert.are.equal(1, s.Author.deleted_objects:restore { all = true })
    assert.are.equal("a b c p q t", s:living())
  end)

  it("speaks of rows as if dead parents lived, and with parents of these as well", function()
    s.t:delete()
    s:add("Author", "b")
    s:add("Comment", "c", s:add("Post", "x", s.Author.objects:first()))
    local query = s.Comment.deleted_objects:filter { id = s.c.id }
    local plan = query:restore_plan()
    assert.are.same({ Comment = 1 }, plan.rows)
    assert.are.same({ "Comment" }, { plan.conflicts[1].model, plan.conflicts[2] })
    local parents = {
      { model = "Team", pk = 1 },
      { model = "Author", pk = 1 },
      { model = "Post", pk = 1 },
    }
    assert.are.same(parents, plan.parents)
    helper.raises("parent_deleted", query.restore, query)
    plan = query:restore_plan { parents = true }
    assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, plan.rows)
    assert.are.same({ "Author", "Comment" }, { plan.conflicts[1].model, plan.conflicts[2].model })
    assert.are.same(parents, plan.parents)
    local err = helper.raises("integrity", query.restore, query, { parents = true })
    assert.is_truthy(err.hint:find("; restore_plan{ parents = true } lists all conflicts", 1, true), err.hint)
  end)

  it("lists all that its error means", function()
    s.a:delete()
    s:add("Comment", "c", s:add("Post", "q", s.b))
    local err = helper.raises("integrity", s.a.restore, s.a)
    assert.is_truthy(err.hint:find("restore_plan() lists all conflicts", 1, true))
    local plan, named = s.a:restore_plan(), false
    for _, conflict in ipairs(plan.conflicts) do
      named = named or conflict.model == err.model and conflict.dead_pk == err.conflicts[1].dead_pk
        and conflict.live_pk == err.conflicts[1].live_pk
    end
    assert.is_true(named)
    assert.are.equal(2, #plan.conflicts)
  end)

  it("takes no other option", function()
    s.a:delete()
    helper.refuses("misuse", "restore_plan has no option 'parent'", s.a.restore_plan, s.a, { parent = true })
    helper.raises("misuse", s.Author.objects.restore_plan, s.Author.objects, 5)
  end)

  it("says of living rows that nothing comes back", function()
    local nothing = { rows = { Author = 0 }, held_back = {}, conflicts = {}, parents = {} }
    assert.are.same(nothing, s.a:restore_plan())
    assert.are.same({ Author = 0 }, s.Author.objects:restore_plan().rows)
    s.a:delete()
    s.b:delete()
    assert.are.same({ Author = 1, Post = 2, Comment = 2 }, s.Author.all_objects:limit(1):restore_plan().rows)
  end)

  it("can be asked for while a snapshot is read", function()
    s.a:delete()
    for _ in s.Team.objects:each { snapshot = true } do
      assert.are.equal(2, s.a:restore_plan().rows.Post)
      assert.are.same({ Author = 1 }, (s.b:delete_plan()))
    end
  end)
end)

describe("a plan of rows that need each other", function()
  it("names the parents of links that stay, which are not its own", function()
    local db = tombstone.open ":memory:"
    local Tag = db:model("Tag", { name = f.text { unique = true } })
    local Post = db:model("Post", { title = f.text(), tags = f.many_to_many "Tag" })
    db:create_tables()
    local post, red, blue = Post:create { title = "p" }, Tag:create { name = "r" }, Tag:create { name = "b" }
    post:tags():add(red, blue)
    local of_post = post:delete()
    red:delete()
    local plan = post:restore_plan()
    assert.are.same({ Post = 1, Post_tags = 1 }, plan.rows)
    assert.are.same({ Post_tags = 1 }, plan.held_back)
    -- the link belongs to both deletions, so that its tag keeps it
    assert.are.same({ { model = "Tag", pk = red.id, below = true } }, plan.parents)
    assert.are.same({ { model = "Tag", pk = red.id } }, of_post:restore_plan().parents)
    assert.is_true(post:restore())
    assert.are.equal(1, post:tags():count())
    db:close()
  end)

  it("lists twins among rows asked for, which are first, and those below", function()
    local db = tombstone.open ":memory:"
    local Node = db:model("Node", {
      name = f.text { unique = true },
      up = f.belongs_to("Node", { on_delete = "cascade", null = true }),
    })
    db:create_tables()
    local old = Node:create { name = "root" }
    local child = Node:create { name = "x", up = old }
    old:delete()
    local twin = Node:create { name = "x" }
    twin:delete()
    local roots = Node.deleted_objects:filter { id__in = { old.id, twin.id } }
    local plan = roots:order_by("-id"):restore_plan()
    assert.are.same({ Node = 3 }, plan.rows)
    assert.are.equal(1, #plan.conflicts)
    assert.are.same({ child.id, twin.id }, { plan.conflicts[1].dead_pk, plan.conflicts[1].twin_pk })
    helper.raises("integrity", Node.deleted_objects.restore, Node.deleted_objects, { all = true })
    db:close()
  end)

  it("counts a ring of tables", function()
    local db = tombstone.open ":memory:"
    local function child_of(name)
      return f.belongs_to(name, { on_delete = "cascade", null = true })
    end
    local A = db:model("A", { b = child_of "B" })
    local B = db:model("B", { a = child_of "A" })
    db:create_tables()
    local a = A:create {}
    a:update { b = B:create { a = a } }
    a:delete()
    local plan = a:restore_plan()
    assert.are.same({ A = 1, B = 1 }, plan.rows) -- it is below as well
    assert.are.same({ { model = "B", pk = 1 } }, plan.parents)
    helper.raises("parent_deleted", a.restore, a)
    assert.are.same({ A = 1, B = 1 }, a:restore_plan({ parents = true }).rows)
    assert.is_true(a:restore { parents = true })
    assert.are.equal(1, B.objects:count())
    db:close()
  end)

  it("is made of a database that may only be read", function()
    local path = helper.path()
    local function open(options)
      local db = tombstone.open(path, options)
      local A = db:model("A", { name = f.text { unique = true } })
      db:model("B", { a = f.belongs_to("A", { on_delete = "cascade" }) })
      return db, A
    end
    local db, A = open()
    db:create_tables()
    local a = A:create { name = "n" }
    db:model("B"):create { a = a }
    a:delete()
    db:close()
    db, A = open { read_only = true }
    assert.are.same({ A = 1, B = 1 }, A.deleted_objects:restore_plan().rows)
    db:close()
    helper.clean()
  end)
end)
