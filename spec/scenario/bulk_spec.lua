-- Many rows at once, and what hangs on them: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

-- The rows that are really there, whatever the managers show.
local function stored(db, name)
  return db:query("SELECT count(*) AS n FROM " .. name)[1].n
end

for _, unique in ipairs { "mangle", "live" } do
  describe("many rows, unique by " .. unique .. ",", function()
    local s

    before_each(function()
      s = family.tree { unique = unique }
    end)

    after_each(function()
      s:close()
    end)

    -- row.delete() was soft and the query's delete() a real DELETE: the article's code, paranoia's
    -- delete_all, an ExecuteDelete. Also Gedmo's DQL without its hint.
    it("nocturne#792: a deletion of a query is soft, and frees what it takes", function()
      assert.are.equal(2, (s.Author.objects:delete { all = true }))
      assert.are.same({ 2, 2, 2 }, {
        stored(s.db, "author"),
        stored(s.db, "post"),
        stored(s.db, "comment"),
      })
      s:add("Author", "a", s.t)
      assert.are.equal(1, s.Author.objects:count())
    end)

    -- Bulk paths went past the cascade: the parents were marked and their children lived on.
    it("superset#39977: a deletion of a query cascades as that of a row does", function()
      local one = family.tree { unique = unique }
      one.a:delete()
      one.b:delete()
      s.Author.objects:delete { all = true }
      assert.are.equal("t", s:living())
      assert.are.equal(one:living(), s:living())
      one:close()
    end)

    -- update() of a query wrote dead rows as well; so did a bulk restore, which hit living ones.
    it("django-safedelete#242: an update of a query leaves the dead alone", function()
      s.p:delete()
      local before = s:at("Post", s.p.id)
      assert.are.equal(1, s.Post.objects:filter({ id__gt = 0 }):update { parent = s.b })
      assert.are.same(before, s:at("Post", s.p.id))
      local all = s.Post.all_objects:filter { id__gt = 0 }
      helper.raises("misuse", all.update, all, { parent = s.b })
      assert.are.same(before, s:at("Post", s.p.id))
    end)

    it("Laravel's restore of a builder: a restore of a query leaves the living alone", function()
      local clock = helper.clock(1000)
      local db = tombstone.open(":memory:", { clock = clock.tell })
      local Doc = db:model("Doc", { name = f.text { unique = unique } }, {
        timestamps = true,
        version = true,
      })
      db:create_tables()
      local living = Doc:create { name = "living" }
      Doc:create({ name = "dead" }):delete()
      clock.now = 2000
      assert.are.equal(1, Doc.all_objects:restore { all = true })
      local row = Doc.objects:get(living.id)
      assert.are.same({ 1000, 1 }, { row.updated_at, row.version })
    end)

    -- The parent was marked, its children were gone for ever: restoring the parent brought back
    -- the parent. Also san4ezy/django_softdelete#3.
    it("django-softdelete#60: a cascade deletes no row for good", function()
      s:add("Node", "leaf", s:add("Node", "root"))
      local counts = {}
      for _, name in ipairs(s.names) do
        counts[name] = stored(s.db, name)
      end
      s.t:delete()
      s.Node.objects:filter({ name = "root" }):delete()
      assert.are.equal("", s:living())
      for _, name in ipairs(s.names) do
        assert.are.equal(counts[name], stored(s.db, name), name)
      end
    end)

    -- Whatever went wrong in a cascade, the answer was to delete all rows of the related model,
    -- those of other parents too.
    it("django-softdelete#101: a cascade that fails has not begun", function()
      s.db:exec [[CREATE TRIGGER broken BEFORE UPDATE ON comment WHEN old.id = 2 BEGIN
        SELECT raise(ABORT, 'out of order'); END]]
      local before = s:digest()
      assert.is_false((pcall(s.t.delete, s.t)))
      assert.are.equal(before, s:digest())
      assert.is_false((pcall(s.Author.objects.delete, s.Author.objects, { all = true })))
      assert.are.equal(before, s:digest())
      assert.is_false(s.t:is_deleted())
      assert.are.equal("a b c d p q t", s:living())
    end)
  end)
end

-- destroy({ where }) ran no hook and loaded nothing; hooks came one by one or not at all.
it("sequelize#8338: hooks run for each row of a bulk call", function()
  local db = tombstone.open ":memory:"
  local seen = {}
  local on = {}
  for _, hook in ipairs { "before_delete", "after_delete", "before_restore", "before_purge" } do
    on[hook] = function(row)
      seen[#seen + 1] = hook .. " " .. row.id
    end
  end
  local Doc = db:model("Doc", { name = f.text() }, { on = on })
  db:create_tables()
  Doc:bulk_create { { name = "a" }, { name = "b" } }
  Doc.objects:delete { all = true }
  Doc.deleted_objects:restore { all = true }
  Doc.all_objects:delete { all = true }
  seen = {}
  Doc.deleted_objects:restore { all = true }
  assert.are.same({ "before_restore 1", "before_restore 2" }, seen)
  seen = {}
  Doc.objects:delete { all = true }
  assert.are.same({ "before_delete 1", "before_delete 2", "after_delete 1", "after_delete 2" }, seen)
  seen = {}
  Doc.deleted_objects:purge { all = true }
  assert.are.same({ "before_purge 1", "before_purge 2" }, seen)
end)

-- A child without soft delete was really deleted by the soft deletion of its parent.
it("paranoia's README: a cascade into rows that cannot come back is refused at once", function()
  local db = tombstone.open ":memory:"
  db:model("User", { name = f.text() })
  helper.raises("misuse", function()
    db:model("Session", { user = f.belongs_to("User", { on_delete = "cascade" }) }, { soft_delete = false })
    db:create_tables()
  end)
end)

-- The database's RESTRICT is asked by a DELETE only, which a soft deletion is not: the parent was
-- deleted, with living rows that must not be left. Also prisma-extension-soft-delete#35,
-- django-softdelete#115.
it("acts_as_paranoid#254: living rows that restrict are honoured, dead ones do not count", function()
  local s = family.tree()
  local pin = s:add("Pin", "n", s.p)
  local before, some = s:digest(), s.Post.objects:filter { id__gt = 0 }
  helper.refuses("restricted", "Cannot delete records - 1 of Pin still need them", s.p.delete, s.p)
  helper.raises("restricted", some.delete, some)
  helper.raises("restricted", s.p.purge, s.p)
  assert.are.equal(before, s:digest())
  pin:delete()
  assert.is_truthy(s.p:delete())
  helper.raises("parent_deleted", pin.restore, pin)
  s:close()
end)

-- A cascade that met a protected row further down died silently, with half of it done.
it("django-safedelete#134: a row far below that restricts refuses the whole, and is named", function()
  local s = family.tree()
  local pin = s:add("Pin", "n", s.q)
  local before = s:digest()
  local err = helper.raises("restricted", s.t.delete, s.t)
  assert.are.equal("Pin", err.model)
  assert.are.equal(pin.id, err.conflicts[1].live_pk)
  assert.are.equal(before, s:digest())
  assert.are.equal("a b c d n p q t", s:living())
  s:close()
end)

-- Deleting and restoring one row with a hundred below it took 103 to 508 statements.
it("django-softdelete: the statements of a cascade do not grow with its rows", function()
  local counts = {}
  for _, n in ipairs { 1, 100 } do
    local statements = 0
    local s = family.open { log = function()
      statements = statements + 1
    end }
    local a = s:add("Author", "a")
    for i = 1, n do
      s:add("Post", "p" .. i, a)
    end
    statements = 0
    local event = a:delete()
    counts[#counts + 1] = statements
    event:undo()
    counts[#counts + 1] = statements
    assert.are.equal(n, s.Post.objects:count())
    s:close()
  end
  assert.are.same({ counts[1], counts[2] }, { counts[3], counts[4] })
end)
