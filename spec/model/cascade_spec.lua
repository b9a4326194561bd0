-- Deletions that reach the rows below: what dies, what stands in the way, what lives on.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

for _, unique in ipairs { "mangle", "live" } do
  describe("a deletion of a parent, unique by " .. unique .. ",", function()
    local s

    before_each(function()
      s = family.tree { unique = unique }
    end)

    after_each(function()
      s:close()
    end)

    it("takes what lies below in three tables, in one event", function()
      local event = s.a:delete { actor = "ana" }
      assert.are.equal("b t", s:living())
      assert.are.same({ Author = 1, Post = 2, Comment = 2 }, event:counts())
      assert.are.equal(1, #s.db:events())
      assert.are.same({ "Author", "1", "ana" }, { event.model, event.pk, event.actor })
      assert.are.same({ 1, 2 }, helper.list(event:rows(s.Post):order_by "id", "id"))
      assert.are.equal(0, event:rows(s.Team):count())
      for _, name in ipairs { "p", "q", "c", "d" } do
        local row = s[name]:reload()
        assert.are.equal(s.a.deleted_at, row.deleted_at)
        assert.are.equal(event.id, row.deleted_event)
        assert.are.equal(name, row:original "name")
        assert.are.equal(unique == "live", row.name == name)
      end
      assert.are.equal("", s:owners())
    end)

    it("counts the rows of its own model when it takes a query", function()
      local e = s:add("Author", "e")
      local count, event = s.Author.objects:filter({ name__ne = "b" }):delete()
      assert.are.equal(2, count)
      assert.are.same({ Author = 2, Post = 2, Comment = 2 }, event:counts())
      assert.is_nil(event.pk)
      assert.are.equal("b t", s:living())
      assert.is_true(e:reload():is_deleted())
    end)

    it("frees the names of what lies below", function()
      s.a:delete()
      for i, name in ipairs { "p", "q" } do
        s:add("Comment", i == 1 and "c" or "d", s:add("Post", name, s.b))
      end
      assert.are.equal("b c d p q t", s:living())
      assert.are.equal(4, s.Post.all_objects:count())
    end)

    it("says what it would take, and takes that", function()
      local plan = s.Author.objects:filter({ name = "a" }):delete_plan()
      assert.are.same({ Author = 1, Post = 2, Comment = 2 }, plan)
      assert.are.equal("a b c d p q t", s:living())
      s.q:delete()
      plan = s.Team.objects:delete_plan()
      assert.are.same({ Team = 1, Author = 2, Post = 1, Comment = 1 }, plan)
    end)

    it("becomes a further owner of what is dead already", function()
      local first = s.p:delete()
      local before = s.p:reload()
      local dead_at, name, comment = before.deleted_at, before.name, s:at("Comment", 1)
      local second = s.t:delete()
      assert.are.equal(string.format("%d Comment 1, %d Post 1", second.id, second.id), s:owners())
      local after = s.p:reload()
      assert.are.same({ dead_at, name, first.id }, { after.deleted_at, after.name, after.deleted_event })
      assert.are.same(comment, s:at("Comment", 1))
      assert.are.same({ Post = 1, Comment = 1 }, first:counts())
      assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, second:counts())
      assert.are.same({ 1, 2 }, helper.list(second:rows(s.Post):order_by "id", "id"))
      assert.are.same({ 1 }, helper.list(first:rows(s.Post), "id"))
    end)

    it("of no living row is none", function()
      s.p:delete()
      s.a:delete()
      local before = s:digest()
      assert.is_nil(s.a:delete())
      assert.is_nil(s:at("Author", 1):delete())
      assert.are.same({ 0 }, { s.Author.all_objects:filter({ name__original = "a" }):delete() })
      assert.are.same({ 0 }, { s.Post.objects:delete { all = true } })
      assert.are.equal(before, s:digest())
      assert.are.equal("b t", s:living())
    end)

    it("is taken back by a rollback, with all that it reached", function()
      s.p:delete()
      local before = s:digest()
      pcall(s.db.transaction, s.db, function()
        s.t:delete()
        assert.are.equal("", s:living())
        error("given up", 0)
      end)
      assert.are.equal(before, s:digest())
    end)
  end)
end

describe("a living row that restricts", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  it("refuses the whole deletion, however far above", function()
    s:add("Pin", "n1", s.q)
    s:add("Pin", "n2", s.p)
    local before = s:digest()
    for _, call in ipairs {
      function()
        s.t:delete()
      end,
      function()
        s.Author.objects:delete { all = true }
      end,
      function()
        s.db:deletion({}, function()
          s.a:delete()
        end)
      end,
    } do
      local err = helper.refuses("restricted", "Cannot delete records - 2 of Pin still need them", call)
      assert.are.equal("Pin", err.model)
      assert.are.same({ "parent_id" }, err.fields)
      assert.are.same({ parent_id = "of Pin 1 points to what would be deleted" }, err.reasons)
      assert.are.equal("delete or move the rows of Pin first", err.hint)
      assert.are.same({ { live_pk = 1 } }, err.conflicts)
      assert.are.equal(before, s:digest())
    end
    assert.is_false(s.t:is_deleted())
    assert.is_nil(s.t.deleted_event)
    helper.refuses("restricted", "Cannot delete records - 1 of Pin still need them", s.p.delete, s.p)
    assert.are.equal(before, s:digest())
  end)

  it("is foreseen by the plan, as the error names it", function()
    s:add("Pin", "n1", s.q)
    s:add("Pin", "n2", s.p)
    s:add("Pin", "gone", s.p):delete()
    local before, needed = s:digest(), { { model = "Pin", field = "parent_id", count = 2, example = 1 } }
    for _, plan in ipairs { { s.t:delete_plan() }, { s.Team.objects:delete_plan() } } do
      assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, plan[1])
      assert.are.same({ total = 7, needed = needed }, plan[2])
    end
    assert.are.same({ total = 1, needed = {} }, select(2, s.b:delete_plan()))
    assert.are.equal(before, s:digest())
    local err = helper.raises("restricted", s.t.delete, s.t)
    assert.are.same({ { live_pk = needed[1].example } }, err.conflicts)
    s.Pin.objects:delete { all = true }
    helper.raises("too_many", s.t.delete, s.t, { max_rows = 6 })
    assert.is_truthy(s.t:delete { max_rows = 7 })
    assert.are.same({ total = 0, needed = {} }, select(2, s.t:delete_plan()))
  end)

  it("lets go when it is dead, or has moved", function()
    local pin = s:add("Pin", "n", s.p)
    pin:delete()
    s.a:delete():undo()
    pin:restore()
    helper.raises("restricted", s.a.delete, s.a)
    pin:update { parent = s:add("Post", "r", s.b) }
    s.a:delete()
    assert.are.equal("b n r t", s:living())
  end)

  it("does not stand in the way of another one's deletion", function()
    s:add("Pin", "n", s.p)
    s.q:delete()
    s.b:delete()
    s.c:delete()
    assert.are.equal("a n p t", s:living())
  end)

  it("leaves what its transaction did before", function()
    s:add("Pin", "n", s.p)
    s.db:transaction(function()
      s.d:delete()
      helper.raises("restricted", s.t.delete, s.t)
      s.c:delete()
    end)
    assert.are.equal("a b n p q t", s:living())
    assert.are.equal(2, #s.db:events())
  end)

  it("counts only where it still lives after the call", function()
    local Line = s.db:model("Line", {
      name = f.text(),
      parent = f.belongs_to("Author", { on_delete = "cascade" }),
      post = f.belongs_to("Post", { on_delete = "restrict" }),
    })
    s.db:create_tables()
    Line:create { name = "l", parent = s.a, post = s.p }
    helper.refuses("restricted", "Cannot delete records - 1 of Line still need them", s.p.delete, s.p)
    assert.are.equal(1, select(2, s.p:delete_plan()).needed[1].count)
    assert.are.same({}, select(2, s.a:delete_plan()).needed) -- it would die as well
    local event = s.a:delete()
    assert.are.same({ Author = 1, Post = 2, Comment = 2, Line = 1 }, event:counts())
    event:undo()
    Line:create { name = "m", parent = s.b, post = s.q }
    helper.refuses("restricted", "Cannot delete records - 1 of Line still need them", s.a.delete, s.a)
    s.t:delete()
    assert.are.equal("", s:living())
  end)

  it("may be a row of the same table", function()
    local own = family.of { { "Leaf", "Leaf", "restrict" } }
    local root = own:add("Leaf", "root")
    local leaf = own:add("Leaf", "leaf", root)
    helper.refuses("restricted", "Cannot delete records - 1 of Leaf still need them", root.delete, root)
    assert.are.equal(2, (own.Leaf.objects:delete { all = true }))
    helper.raises("parent_deleted", leaf.restore, leaf)
    assert.are.equal(2, own.Leaf.deleted_objects:restore { all = true })
    leaf:reload():delete()
    root:reload():delete()
    assert.are.equal("", own:living())
    own:close()
  end)

  it("may have no soft delete itself", function()
    local own = family.of {
      { "Team" },
      { "Badge", "Team", "restrict", { soft_delete = false } },
    }
    local t = own:add("Team", "t")
    local badge = own:add("Badge", "x", t)
    local before = own:digest()
    helper.refuses("restricted", "Cannot delete records - 1 of Badge still need them", t.delete, t)
    local needed = select(2, t:delete_plan()).needed
    assert.are.same({ { model = "Badge", field = "parent_id", count = 1, example = badge.id } }, needed)
    assert.are.equal(before, own:digest())
    badge:purge()
    t:delete()
    assert.are.equal("", own:living())
    own:close()
  end)
end)

describe("a child that is kept", function()
  it("lives on, and finds its parent again", function()
    local s = family.tree()
    local note = s:add("Note", "n", s.a)
    local event = s.t:delete()
    assert.are.equal("n", s:living())
    note:reload()
    assert.are.equal(s.a.id, note.parent_id)
    assert.is_nil(note:parent())
    assert.is_nil(event:counts().Note)
    event:undo()
    assert.are.equal("a", note:parent().name)
    s:close()
  end)
end)

describe("many calls in one event", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  it("are undone together", function()
    local event = s.db:deletion({ reason = "spring" }, function()
      s.p:delete()
      assert.are.equal(1, (s.Author.objects:filter({ name = "b" }):delete()))
      s:add("Post", "p", s.a)
    end)
    assert.are.equal("a d p q t", s:living())
    assert.are.same({ Author = 1, Post = 1, Comment = 1 }, event:counts())
    s.Post.objects:filter({ name = "p" }):purge { living = true }
    assert.are.equal(3, event:undo())
    assert.are.equal("a b c d p q t", s:living())
  end)

  it("own what they meet twice once", function()
    local event = s.db:deletion({}, function()
      s.c:delete()
      s.p:delete()
      s.a:delete()
      s.t:delete()
    end)
    assert.are.equal("", s:owners())
    assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, event:counts())
    assert.are.equal(7, event:undo())
    assert.are.equal("a b c d p q t", s:living())
  end)

  it("go on after a call that is restricted", function()
    s:add("Pin", "n", s.p)
    local event = s.db:deletion({}, function()
      s.q:delete()
      helper.raises("restricted", s.a.delete, s.a)
      s.b:delete()
    end)
    assert.are.equal("a c n p t", s:living())
    assert.are.same({ Author = 1, Post = 1, Comment = 1 }, event:counts())
    assert.are.equal(3, event:undo())
  end)
end)

describe("max_rows", function()
  it("counts the rows of all tables", function()
    local s = family.tree()
    local before, some = s:digest(), s.Author.objects:filter { name = "a" }
    local err = helper.refuses(
      "too_many",
      "Cannot delete records - 5 rows would go, at most 4 may",
      some.delete,
      some,
      { max_rows = 4 }
    )
    assert.are.equal("narrow the query, or raise max_rows", err.hint)
    assert.are.equal(before, s:digest())
    assert.are.equal(1, (some:delete { max_rows = 5 }))
    assert.are.equal("b t", s:living())
    s:close()
  end)

  it("does not count what is dead already", function()
    local s = family.tree()
    s.p:delete()
    local some = s.Author.objects:filter { name = "a" }
    helper.refuses(
      "too_many",
      "Cannot delete records - 3 rows would go, at most 2 may",
      some.delete,
      some,
      { max_rows = 2 }
    )
    assert.are.equal("", s:owners())
    assert.are.equal(1, (some:delete { max_rows = 3 }))
    s:close()
  end)
end)
