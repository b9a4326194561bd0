-- What a purge says of itself, before and after, and what retention leaves for rows that need it.
local tombstone = require "tombstone"
local family = require "model.family"
local helper = require "helper"
local f = tombstone.field

-- The report of a look ahead is that of the real call, which must change as little as it says.
local function look(s, query, options)
  local before = s:digest()
  options.dry_run = true
  local count, report = query:purge(options)
  options.dry_run = nil
  assert.are.equal(before, s:digest())
  return count, report
end

describe("the report of a purge", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  it("says per model what went, and what lost its link", function()
    s:add("Note", "n", s.a)
    s:add("Note", "m", s.a):delete()
    s:add("Note", "o", s.b)
    s.c:delete()
    s.a:delete()
    local dead = s.Author.deleted_objects
    local wanted = { rows = { Author = 1, Post = 2, Comment = 2 }, kept = { Note = 2 }, needed = {} }
    local count, ahead = look(s, dead, { all = true })
    assert.are.equal(1, count)
    assert.are.same(wanted, ahead)
    local purged, report = dead:purge { all = true }
    assert.are.equal(1, purged)
    assert.are.same(wanted, report)
    local none, nothing = dead:purge { all = true }
    assert.are.equal(0, none)
    assert.are.same({ rows = {}, kept = {}, needed = {} }, nothing)
  end)

  it("counts the rows of a tree with their root", function()
    local root = s:add("Node", "1")
    local child = s:add("Node", "2", root)
    s:add("Node", "3", child)
    local _, ahead = look(s, s.Node.objects:filter { name = "1" }, { living = true })
    assert.are.same({ Node = 3 }, ahead.rows)
    root:delete()
    local gone, report = root:purge()
    assert.is_true(gone)
    assert.are.same({ Node = 3 }, report.rows)
  end)

  it("of living rows is that of their deletion and purge", function()
    s:add("Note", "n", s.a)
    local pin = s:add("Pin", "x", s.p)
    pin:delete()
    s.d:delete()
    local wanted = { rows = { Author = 1, Post = 2, Comment = 2, Pin = 1 }, kept = { Note = 1 }, needed = {} }
    local count, ahead = look(s, s.Author.all_objects:filter { name = "a" }, { living = true })
    assert.are.equal(1, count)
    assert.are.same(wanted, ahead)
    local before = s:digest()
    local would, row_ahead = s.a:purge { dry_run = true }
    assert.is_true(would)
    assert.are.same(wanted, row_ahead)
    assert.are.equal(before, s:digest())
    local gone, report = s.a:purge()
    assert.is_true(gone)
    assert.are.same(wanted, report)
    local again, nothing = s.a:purge()
    assert.is_false(again)
    assert.are.same({}, nothing.rows)
    assert.is_false((s.a:purge { dry_run = true }))
  end)

  it("names the living rows in the way, and then the call is refused", function()
    s:add("Pin", "x", s.p)
    s:add("Pin", "y", s.q)
    local needed = { { model = "Pin", field = "parent_id", count = 2, example = 1 } }
    local query = s.Author.objects:filter { name = "a" }
    local _, ahead = look(s, query, { living = true })
    assert.are.same(needed, ahead.needed)
    local err = helper.raises("restricted", query.purge, query, { living = true })
    assert.are.same({ { live_pk = 1 } }, err.conflicts)
    s.db:exec "DELETE FROM pin"
    s.c:delete()
    s.a:delete()
    s.db:exec "UPDATE comment SET deleted_at = NULL, deleted_event = NULL WHERE id = 1" -- by another program
    _, ahead = look(s, s.Author.deleted_objects, { all = true })
    assert.are.same({ { model = "Comment", field = "parent_id", count = 1, example = 1 } }, ahead.needed)
    helper.raises("restricted", s.a.purge, s.a)
  end)

  it("leaves rows that go, and had a link that is kept, out of those that stay", function()
    local db = tombstone.open ":memory:"
    local Writer, Text
    Writer = db:model("Writer", {
      best = f.belongs_to("Text", { on_delete = "keep", null = true }),
    })
    Text = db:model("Text", {
      writer = f.belongs_to("Writer", { on_delete = "cascade" }),
      editor = f.belongs_to("Writer", { on_delete = "keep", null = true }),
    })
    db:create_tables()
    local ana, ben = Writer:create {}, Writer:create {}
    local mine = Text:create { writer = ana, editor = ana }
    local other = Text:create { writer = ben, editor = ana }
    ana:update { best = mine }
    ben:update { best = mine }
    local wanted = { rows = { Writer = 1, Text = 1 }, kept = { Writer = 1, Text = 1 }, needed = {} }
    assert.are.same(wanted, select(2, ana:purge { dry_run = true }))
    assert.are.same(wanted, select(2, ana:purge()))
    assert.is_nil(ben:reload().best_id)
    assert.is_nil(other:reload().editor_id)
    assert.are.same({}, db:query "PRAGMA foreign_key_check")
    db:close()
  end)

  it("is there for a model without relations, and one without soft delete", function()
    local db = tombstone.open ":memory:"
    local Post = db:model("Post", { title = f.text() })
    local Plain = db:model("Plain", { title = f.text() }, { soft_delete = false })
    db:create_tables()
    Post:bulk_create { { title = "a" }, { title = "b" }, { title = "c" } }
    Post.objects:filter({ title = "a" }):delete()
    Plain:create { title = "a" }
    assert.are.same({ Post = 1 }, select(2, Post.deleted_objects:purge { all = true, dry_run = true }).rows)
    assert.are.same({ Post = 1 }, select(2, Post.deleted_objects:purge { all = true }).rows)
    local some = Post.objects:order_by("-title"):limit(1)
    assert.are.equal(1, (some:purge { living = true, dry_run = true }))
    assert.are.equal(2, Post.objects:count())
    assert.are.equal(1, (some:purge { living = true }))
    assert.are.equal("b", Post.objects:get(2).title)
    local every = Plain.objects
    assert.are.same({ Plain = 1 }, select(2, every:purge { all = true, living = true, dry_run = true }).rows)
    assert.are.same({ Plain = 1 }, select(2, every:purge { all = true, living = true }).rows)
    db:close()
  end)

  it("ahead needs no less meaning than the call", function()
    helper.refuses("misuse", "A purge of living rows must be meant", s.Post.objects.purge, s.Post.objects, {
      all = true,
      dry_run = true,
    })
    helper.raises("misuse", s.Post.deleted_objects.purge, s.Post.deleted_objects, { dry_run = true })
  end)

  it("ahead can be had of a database that is only read", function()
    local path = helper.path()
    local own = family.tree { path = path }
    own.a:delete()
    own:close()
    local db = tombstone.open(path, { read_only = true })
    local Author = db:model("Author", { name = f.text { unique = true } })
    db:model("Post", {
      name = f.text { unique = true },
      parent = f.belongs_to("Author", { on_delete = "cascade" }),
    })
    local _, report = Author.deleted_objects:purge { all = true, dry_run = true }
    assert.are.same({ Author = 1, Post = 2 }, report.rows)
    db:close()
    helper.clean()
  end)
end)

describe("the report of hooked purges", function()
  it("comes with them, and a look ahead runs none", function()
    local seen = {}
    local on = {
      before_purge = function(row)
        seen[#seen + 1] = row.id
      end,
    }
    local s = family.of {
      { "Post", "Author", "cascade" },
      { "Author", nil, nil, { on = on } },
    }
    local a = s:add("Author", "a")
    s:add("Post", "p", a)
    local b = s:add("Author", "b")
    assert.are.same({ Author = 1, Post = 1 }, select(2, a:purge { dry_run = true }).rows)
    local _, ahead = look(s, s.Author.objects, { all = true, living = true })
    assert.are.same({ Author = 2, Post = 1 }, ahead.rows)
    assert.are.same({}, seen)
    local gone, report = a:purge()
    assert.is_true(gone)
    assert.are.same({ Author = 1, Post = 1 }, report.rows)
    gone, report = a:purge()
    assert.is_false(gone)
    assert.are.same({}, report.rows)
    b:delete()
    local count, of_query = s.Author.deleted_objects:purge { all = true }
    assert.are.equal(1, count)
    assert.are.same({ Author = 1 }, of_query.rows)
    assert.are.same({ 1, 2 }, seen)
    s:close()
  end)
end)

-- ---- retention -----------------------------------------------------------------------------

local DAY = 86400

local function plain(list)
  return { helper.unpack(list, 1, list.n or #list) }
end

-- Teams and authors stay a day in the trash, posts as long as it says, comments have no word of it.
local function old(post_keep, on)
  local clock = helper.clock()
  local s = family.of({
    { "Comment", "Post", "cascade" },
    { "Post", "Author", "cascade", { soft_delete = { keep = post_keep } } },
    { "Author", "Team", "cascade", { soft_delete = { keep = "1d" }, on = on } },
    { "Team", nil, nil, { soft_delete = { keep = "1d" } } },
    { "Note", "Author", "keep" },
  }, { clock = clock.tell })
  s.clock = clock
  return s
end

-- What a look ahead says is what happens.
local function expire(s)
  local before = s:digest()
  local counts_ahead, ahead = s.db:purge_expired { dry_run = true }
  assert.are.equal(before, s:digest())
  local counts, report = s.db:purge_expired()
  assert.are.same(counts_ahead, counts)
  assert.are.same(ahead, report)
  return counts, report
end

describe("retention", function()
  it("takes along what hangs on expired rows, and reports all of it once", function()
    local s = old "1d"
    local a = s:add("Author", "a", s:add("Team", "t"))
    local p = s:add("Post", "p", a)
    s:add("Comment", "c", p)
    local note = s:add("Note", "n", a)
    p:delete()
    s.Team.objects:get(1):delete()
    s.clock.now = s.clock.now + 2 * DAY
    local counts, report = expire(s)
    assert.are.same({ Team = 1, Author = 1, Post = 1, events = 2 }, counts)
    assert.are.same({
      rows = { Team = 1, Author = 1, Post = 1, Comment = 1 },
      kept = { Note = 1 },
      left = {},
      needed = {},
      events = { removed = 2, cleared = 0 },
    }, report)
    assert.is_nil(note:reload().parent_id)
    assert.are.equal("", s:owners())
    s:close()
  end)

  it("leaves what a living row below needs, tells of it, and goes on with the others", function()
    local s = old "1d"
    local t = s:add("Team", "t")
    for _, name in ipairs { "a", "b", "c" } do
      s:add("Post", "p" .. name, s:add("Author", name, t))
    end
    s:add("Author", "x"):delete()
    t:delete()
    s.db:exec "UPDATE post SET deleted_at = NULL, deleted_event = NULL WHERE id = 2" -- by another program
    s.clock.now = s.clock.now + 2 * DAY
    local counts, report = expire(s)
    assert.are.same({ Team = 0, Author = 3, Post = 2, events = 1 }, counts)
    assert.are.same({ Author = 1, Team = 1 }, report.left)
    assert.are.equal("Post", report.needed[1].model)
    assert.are.equal("parent_id", report.needed[1].field)
    assert.are.equal(2, report.needed[1].example)
    assert.is_nil(report.needed[1].dead)
    assert.are.equal(1, s.Author.deleted_objects:count())
    s.db:exec "DELETE FROM post"
    counts, report = expire(s)
    assert.are.same({ Team = 1, Author = 1, Post = 0, events = 1 }, counts)
    assert.are.same({}, report.left)
    s:close()
  end)

  it("leaves what the keep of a younger child's model protects", function()
    local s = old "10d"
    local a = s:add("Author", "a", s:add("Team", "t"))
    s:add("Comment", "c", s:add("Post", "p", a))
    local event = a:delete()
    s:add("Author", "b"):delete()
    s.clock.now = s.clock.now + 2 * DAY
    local counts, report = expire(s)
    assert.are.same({ Team = 0, Author = 1, Post = 0, events = 1 }, counts)
    assert.are.same({ Author = 1 }, report.left)
    assert.are.same(
      { { model = "Post", field = "parent_id", count = 1, example = 1, dead = true } },
      report.needed
    )
    assert.are.equal(3, event:undo())
    a:reload():delete()
    s.clock.now = s.clock.now + 11 * DAY
    counts = expire(s)
    assert.are.equal(1, counts.Author)
    assert.are.equal(0, s.Author.all_objects:count() + s.Comment.all_objects:count())
    s:close()
  end)

  it("goes by batches, past those that stay", function()
    local s = old "1d"
    local t = s:add("Team", "t")
    local rows = {}
    for i = 1, 2500 do
      rows[i] = { name = "a" .. i, parent = t }
    end
    s.Author:bulk_create(rows)
    for i = 1, 1200 do
      rows[i] = { name = "p" .. i, parent_id = i }
    end
    s.Post:bulk_create { helper.unpack(rows, 1, 1200) }
    t:delete()
    s.db:exec "UPDATE post SET deleted_at = NULL, deleted_event = NULL WHERE parent_id > 100"
    s.clock.now = s.clock.now + 2 * DAY
    local counts, report = expire(s)
    assert.are.same({ Team = 0, Author = 1400, Post = 100, events = 0 }, counts)
    assert.are.same({ Author = 1100, Team = 1 }, report.left)
    assert.are.equal(1100, report.needed[1].count)
    s:close()
  end)

  it("leaves a tree upwards of what needs it, and the rest of it goes", function()
    local clock = helper.clock()
    local s = family.of({
      { "Node", "Node", "cascade", { soft_delete = { keep = "1d" } } },
    }, { clock = clock.tell })
    local root = s:add("Node", "1")
    local left, right = s:add("Node", "2", root), s:add("Node", "3", root)
    s:add("Node", "4", left)
    s:add("Node", "5", right)
    root:delete()
    s.db:exec "UPDATE node SET deleted_at = NULL, deleted_event = NULL WHERE id = 4"
    clock.now = clock.now + 2 * DAY
    s.clock = clock
    local counts, report = expire(s)
    assert.are.same({ Node = 2, events = 0 }, counts)
    assert.are.same({ Node = 2 }, report.left)
    assert.are.same({ 1, 2, 4 }, plain(s.Node.all_objects:order_by("id"):pluck "id"))
    s:close()
  end)

  it("takes rings", function()
    local clock = helper.clock()
    local s = family.of({
      { "Cat", "Dog", "cascade", { soft_delete = { keep = "1d" } } },
      { "Dog", "Cat", "cascade", { soft_delete = { keep = "1d" } } },
    }, { clock = clock.tell })
    local cat = s:add("Cat", "c")
    local dog = s:add("Dog", "d", cat)
    cat:update { parent = dog }
    dog:delete()
    clock.now = clock.now + 2 * DAY
    assert.are.same({ Cat = 1, Dog = 1, events = 1 }, (expire(s)))
    s:close()
  end)

  it("runs hooks for the rows of each batch, and leaves what is held", function()
    local seen = {}
    local s = old("1d", {
      before_purge = function(row)
        seen[#seen + 1] = row.id
      end,
    })
    for i = 1, 3 do
      s:add("Post", "p" .. i, s:add("Author", "a" .. i))
    end
    s.Author.objects:delete { all = true }
    s.db:exec "UPDATE post SET deleted_at = NULL, deleted_event = NULL WHERE id = 2"
    s.clock.now = s.clock.now + 2 * DAY
    local counts, report = s.db:purge_expired()
    assert.are.same({ Team = 0, Author = 2, Post = 2, events = 0 }, counts)
    assert.are.same({ Author = 1 }, report.left)
    assert.are.same({ 1, 3 }, seen)
    s:close()
  end)
end)
