-- The right to be forgotten: a row is gone with all below it, from the tables, the trash, the
-- events and the file.
local tombstone = require "tombstone"
local family = require "model.family"
local helper = require "helper"
local f = tombstone.field

-- What is said before is what is said of the real call; before, nothing changes.
local function forget(s, row, options)
  local before = s:digest()
  local ahead = row:forget { dry_run = true }
  assert.are.equal(before, s:digest())
  local report = row:forget(options)
  assert.are.same(ahead, report)
  return report
end

describe("forget", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  it("erases a living row and all below it, whoever killed that", function()
    local note = s:add("Note", "n", s.a)
    local pin = s:add("Pin", "x", s.p)
    pin:delete()
    s.c:delete()
    s.q:delete()
    assert.are.same({
      rows = { Author = 1, Post = 2, Comment = 2, Pin = 1 },
      kept = { Note = 1 },
      needed = {},
      events = { removed = 3, cleared = 0 },
    }, forget(s, s.a))
    assert.are.equal("b n t", s:living())
    for _, name in ipairs { "Post", "Comment", "Pin" } do
      assert.are.equal(0, s[name].all_objects:count())
    end
    assert.is_nil(note:reload().parent_id)
    assert.are.equal("", s:owners())
    assert.are.same({}, s.db:events())
    assert.are.same({}, s.db:query "PRAGMA foreign_key_check")
  end)

  it("erases a dead one, also what lives below it by raw SQL alone", function()
    s.p:delete()
    s.a:delete()
    s.db:exec "UPDATE comment SET deleted_at = NULL, deleted_event = NULL WHERE id = 2"
    assert.are.same({ Author = 1, Post = 2, Comment = 2 }, forget(s, s.a).rows)
    assert.are.equal("b t", s:living())
    assert.are.same({}, s.db:events())
    assert.are.same({
      rows = {},
      kept = {},
      needed = {},
      events = { removed = 0, cleared = 0 },
    }, forget(s, s.a))
  end)

  it("clears events that hold others, and removes those that are left with nothing", function()
    s.p:delete { actor = "ana", reason = "mine" } -- 1: about p, and holds c
    local both = s.Author.objects:filter { name__in = { "a", "b" } }
    local _, bulk = both:delete { actor = "eve", reason = "old" } -- 2: about nobody, holds b too
    local q = s:at("Post", s.q.id)
    local report = forget(s, s.p)
    assert.are.same({ Post = 1, Comment = 1 }, report.rows)
    assert.are.same({ removed = 1, cleared = 0 }, report.events)
    assert.are.same({ bulk.id }, { s.db:events()[1].id })
    assert.are.equal("eve", s.db:events()[1].actor)
    assert.are.same({ removed = 0, cleared = 0 }, forget(s, q).events)
    assert.are.same({ Author = 2 }, s.db:events()[1]:counts())
    s.db:events()[1]:undo()
    local event = s:at("Team", s.t.id):delete { actor = "tom", reason = "his own" } -- 3: about t
    assert.are.same({ removed = 0, cleared = 0 }, forget(s, s:at("Author", s.a.id)).events)
    assert.are.same({ Team = 1, Author = 1 }, event:counts())
    assert.are.equal(2, #s.db:events())
  end)

  it("clears what an event says of a row when the event holds more", function()
    local own = family.of {
      { "Badge", "Person", "cascade" },
      { "Person", nil },
    }
    local ana = own:add("Person", "ana")
    local ben = own:add("Person", "ben")
    local badge = own:add("Badge", "x", ana)
    local event = ana:delete { actor = "eve", reason = "ana asked" }
    own.db:exec("UPDATE badge SET parent_id = " .. ben.id) -- by another program
    assert.are.same({ removed = 0, cleared = 1 }, forget(own, ana).events)
    local left = own.db:events()[1]
    assert.are.equal(event.id, left.id)
    assert.is_nil(left.pk)
    assert.is_nil(left.actor)
    assert.is_nil(left.reason)
    assert.are.equal("Person", left.model)
    assert.are.equal(1, left:undo())
    assert.is_false(badge:reload():is_deleted())
    own:close()
  end)

  it("removes what undone events say of a row", function()
    s.b:delete({ reason = "b is ill" }):undo()
    s.a:delete({ reason = "a is ill" }):undo()
    assert.are.same({ removed = 1, cleared = 0 }, forget(s, s.b:reload()).events)
    assert.are.equal(1, #s.db:events())
    assert.are.equal("a is ill", s.db:events()[1].reason)
  end)

  it("leaves one event without a key that says who asked and why, if it is told", function()
    forget(s, s.a, { actor = "dpo", reason = "article 17" })
    local events = s.db:events()
    assert.are.equal(1, #events)
    assert.are.equal("Author", events[1].model)
    assert.is_nil(events[1].pk)
    assert.are.equal("dpo", events[1].actor)
    assert.are.equal("article 17", events[1].reason)
    assert.are.same({}, events[1]:counts())
    assert.are.equal(0, events[1]:undo())
    s.b:delete()
    s.b:forget { reason = "again" }
    assert.are.equal(2, #s.db:events())
    s.a:forget { reason = "nobody is there" }
    assert.are.equal(2, #s.db:events())
    local event = s.t:delete()
    assert.is_true(event.id > s.db:events()[2].id)
    assert.are.equal(1, event:undo())
    helper.raises("misuse", s.t.forget, s.t:reload(), { actor = 5 })
    helper.raises("validation", s.t.forget, s.t, { actor = "\255" })
    assert.are.equal("t", s:living())
  end)

  it("is refused by a living row that needs it, and then nothing has happened", function()
    s:add("Pin", "x", s.p)
    local before = s:digest()
    local ahead = s.a:forget { dry_run = true }
    assert.are.same({ { model = "Pin", field = "parent_id", count = 1, example = 1 } }, ahead.needed)
    helper.raises("restricted", s.a.forget, s.a)
    assert.are.equal(before, s:digest())
    s.db:exec "UPDATE author SET deleted_at = '2020-01-01 00:00:00', deleted_event = 1 WHERE id = 1"
    before = s:digest()
    helper.raises("restricted", s.a.forget, s.a)
    assert.are.equal(before, s:digest())
    assert.are.equal(0, s.db:depth())
  end)

  it("works within a transaction and a shared deletion, whose event stays", function()
    local event = s.db:deletion({ actor = "ana" }, function()
      s.p:delete()
      assert.are.same({ Post = 1, Comment = 1 }, s.p:forget().rows)
      s.b:delete()
    end)
    assert.are.equal("ana", event.actor)
    assert.are.equal("a d q t", s:living())
    assert.are.equal(1, event:undo())
    pcall(s.db.transaction, s.db, function()
      s.a:forget { reason = "no" }
      error "back"
    end)
    assert.are.equal("a b d q t", s:living())
    assert.are.equal(1, #s.db:events())
    local another = s.a:delete()
    assert.are.equal(3, another:undo())
  end)

  it("takes trees and rings, and rows without soft delete", function()
    local root = s:add("Node", "1")
    s:add("Node", "3", s:add("Node", "2", root))
    assert.are.same({ Node = 3 }, forget(s, root).rows)
    local own = family.of {
      { "Cat", "Dog", "cascade" },
      { "Dog", "Cat", "cascade" },
      { "Plain", nil, nil, { soft_delete = false } },
      { "Note", "Plain", "keep" },
    }
    local cat = own:add("Cat", "c")
    local dog = own:add("Dog", "d", cat)
    cat:update { parent = dog }
    assert.are.same({ Cat = 1, Dog = 1 }, forget(own, cat).rows)
    local plain = own:add("Plain", "x")
    own:add("Note", "n", plain)
    local report = forget(own, plain, { reason = "none is kept: no event knows of it" })
    assert.are.same({ Plain = 1 }, report.rows)
    assert.are.same({ Note = 1 }, report.kept)
    assert.are.same({ removed = 0, cleared = 0 }, report.events)
    assert.are.same({}, own.db:events())
    own:close()
  end)

  it("knows texts as keys", function()
    local db = tombstone.open ":memory:"
    local Person = db:model("Person", { code = f.text { primary_key = true }, name = f.text() })
    local Post = db:model("Post", { author = f.belongs_to("Person", { on_delete = "cascade" }) })
    db:create_tables()
    local ana = Person:create { code = "a'b", name = "Ana" }
    local other = Person:create { code = "b", name = "Ben" }
    Post:create({ author = ana }):delete()
    ana:delete():undo()
    other:delete()
    local report = ana:reload():forget()
    assert.are.same({ Person = 1, Post = 1 }, report.rows)
    assert.are.same({ removed = 2, cleared = 0 }, report.events)
    assert.are.equal("b", db:events()[1].pk)
    db:close()
  end)

  it("refuses what is no option, and what is no row", function()
    helper.refuses("misuse", "forget has no option 'living'", s.a.forget, s.a, { living = true })
    helper.raises("misuse", s.Author.forget, s.Author)
    helper.raises("misuse", s.Author.forget, s.Author:new { name = "x" })
  end)
end)

describe("the hooks of forget", function()
  it("are those of a purge", function()
    local seen, veto = {}, false
    local on = {}
    for _, name in ipairs { "before_delete", "before_purge", "after_purge", "after_commit" } do
      on[name] = function(row, more)
        seen[#seen + 1] = name .. " " .. row.name .. (more and " " .. more or "")
        if veto and name == "before_purge" then
          error "no"
        end
      end
    end
    local s = family.of {
      { "Post", "Author", "cascade" },
      { "Author", nil, nil, { on = on } },
    }
    local a = s:add("Author", "a")
    s:add("Post", "p", a)
    seen, veto = {}, true
    local before = s:digest()
    a:forget { dry_run = true }
    assert.are.same({}, seen)
    assert.is_false(pcall(a.forget, a))
    assert.are.equal(before, s:digest())
    seen, veto = {}, false
    assert.are.same({ Author = 1, Post = 1 }, a:forget().rows)
    assert.are.same({ "before_purge a", "after_purge a", "after_commit a forget" }, seen)
    seen = {}
    assert.are.same({}, a:forget().rows)
    assert.are.same({}, seen)
    s:close()
  end)
end)

-- ---- bytes ---------------------------------------------------------------------------------

describe("the file of a database", function()
  after_each(helper.clean)

  local NAME, POST, REASON = "Anastasia Unforgettable", "my secret diary of march", "asked by Anastasia"

  local function bytes(path)
    local all = {}
    for _, ending in ipairs { "", "-wal" } do
      local file = io.open(path .. ending, "rb")
      if file then
        all[#all + 1] = file:read "*a"
        file:close()
      end
    end
    return table.concat(all)
  end

  local function holds(path, text)
    return bytes(path):find(text, 1, true) ~= nil
  end

  -- Ana between others, with a dead and a living post.
  local function blog(path)
    local db = tombstone.open(path)
    local Person = db:model("Person", { name = f.text { unique = true } })
    local Post = db:model("Post", {
      text = f.text { unique = true },
      author = f.belongs_to("Person", { on_delete = "cascade" }),
    })
    db:create_tables()
    db:exec "PRAGMA secure_delete = OFF"
    for i = 1, 30 do
      Person:create { name = "somebody else " .. i }
    end
    local ana = Person:create { name = NAME }
    for i = 1, 30 do
      Post:create { text = "another text " .. i, author_id = i }
    end
    Post:create({ text = POST .. " 1", author = ana }):delete { reason = REASON }
    Post:create { text = POST .. " 2", author = ana }
    db:exec "PRAGMA wal_checkpoint(TRUNCATE)"
    assert.is_true(holds(path, NAME) and holds(path, POST) and holds(path, REASON))
    return db, ana
  end

  it("still has the bytes of purged rows", function()
    local path = helper.path()
    local db, ana = blog(path)
    ana:purge()
    db:exec "PRAGMA wal_checkpoint(TRUNCATE)"
    assert.is_true(holds(path, NAME) and holds(path, POST))
    db:close()
  end)

  for _, state in ipairs { "living", "dead" } do
    it("has nothing left of a " .. state .. " row that was forgotten, after a checkpoint", function()
      local path = helper.path()
      local db, ana = blog(path)
      if state == "dead" then
        ana:delete { reason = REASON }
      end
      for _, word in ipairs { "OFF", "FAST", "ON" } do
        db:exec("PRAGMA secure_delete = " .. word)
        local before = db:query("SELECT secure_delete FROM pragma_secure_delete")[1].secure_delete
        ana:forget()
        local after = db:query("SELECT secure_delete FROM pragma_secure_delete")[1].secure_delete
        assert.are.equal(({ OFF = 0, FAST = 2, ON = 1 })[word], before)
        assert.are.equal(before, after)
      end
      db:exec "PRAGMA wal_checkpoint(TRUNCATE)"
      for _, text in ipairs { NAME, POST, REASON } do
        assert.is_false(holds(path, text), text)
      end
      assert.is_true(holds(path, "somebody else 30"))
      db:close()
    end)
  end

  it("is set back as it was also where forget is refused", function()
    local path = helper.path()
    local db, ana = blog(path)
    local Bill = db:model("Bill", { payer = f.belongs_to("Person", { on_delete = "restrict" }) })
    db:create_tables()
    Bill:create { payer = ana }
    helper.raises("restricted", ana.forget, ana)
    assert.are.equal(0, db:query("SELECT secure_delete FROM pragma_secure_delete")[1].secure_delete)
    db:close()
  end)
end)
