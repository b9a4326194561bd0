-- What to do on conflict, model by model; and what a plan says of a whole event.
local tombstone = require "tombstone"
local f = tombstone.field

describe("strategies by model", function()
  local db, Author, Post, Tag, event

  before_each(function()
    db = tombstone.open ":memory:"
    Author = db:model("Author", { name = f.text { unique = true } })
    Post = db:model("Post", {
      title = f.text { unique = true },
      author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    })
    Tag = db:model("Tag", {
      word = f.text { unique = true },
      post = f.belongs_to("Post", { on_delete = "cascade" }),
    })
    db:create_tables()
    local ana, ben = Author:create { name = "ana" }, Author:create { name = "ben" }
    local post = Post:create { title = "t", author = ana }
    Tag:create { word = "w", post = post }
    event = ana:delete()
    Tag:create { word = "w", post = Post:create { title = "t", author = ben } }
  end)

  after_each(function()
    db:close()
  end)

  it("are each asked for the rows of their own", function()
    assert.are.equal(2, event:undo { on_conflict = { Post = "rename", default = "skip" } })
    assert.are.equal("t (restored)", Author.objects:get({ name = "ana" }):posts():first().title)
    assert.are.equal(1, Tag.objects:count())
  end)

  it("may be functions", function()
    local asked = {}
    event:undo {
      on_conflict = {
        Post = function(row, conflict)
          asked[#asked + 1] = row.title:match "^t" .. conflict.fields[1]
          return { title = "new" }
        end,
        Tag = "rename",
      },
    }
    assert.are.same({ "ttitle" }, asked)
    assert.are.equal(1, Post.objects:filter({ title = "new" }):count())
    assert.are.equal(1, Tag.objects:filter({ word = "w (restored)" }):count())
  end)

  it("fail where none is given, and then nothing has come back", function()
    local ok, err = pcall(event.undo, event, { on_conflict = { Post = "rename" } })
    assert.is_false(ok)
    assert.are.equal("integrity", err.kind)
    assert.are.equal("Tag", err.model)
    assert.are.equal(1, Author.objects:count())
    assert.are.equal(3, event:counts().Author + event:counts().Post + event:counts().Tag)
  end)

  it("are refused for what is no model, and no strategy", function()
    for message, strategies in pairs {
      ["on_conflict names Pots, which is no model"] = { Pots = "skip" },
      ["on_conflict of Post is a word or a function, not a number"] = { Post = 3 },
    } do
      local ok, err = pcall(event.undo, event, { on_conflict = strategies })
      assert.is_false(ok)
      assert.are.equal("misuse", err.kind)
      assert.are.equal(message, err.message)
    end
  end)

  -- A word of a restore holds for all rows, so that a table would promise what is not kept.
  it("are not for a restore", function()
    local ana = Author.deleted_objects:first()
    local dead = Author.deleted_objects
    for _, strategies in ipairs { { Author = "rename" }, { Author = "rename", Post = "fail" }, {} } do
      for _, call in ipairs {
        function()
          return ana:restore { on_conflict = strategies }
        end,
        function()
          return dead:restore { all = true, on_conflict = strategies }
        end,
      } do
        local ok, err = pcall(call)
        assert.is_false(ok)
        assert.are.equal("misuse", err.kind)
        assert.are.equal("A restore has one on_conflict for all rows", err.message)
      end
    end
    assert.are.equal(1, dead:count())
    assert.is_true(ana:restore { on_conflict = "rename" })
    assert.are.equal(2, Post.objects:filter({ title__startswith = "t" }):count()) -- below, too
  end)

  it("can be chosen by the plan of the event, which sees all models", function()
    local plan = event:restore_plan()
    assert.are.same({ Author = 1, Post = 1, Tag = 1 }, plan.rows)
    assert.are.equal(2, #plan.conflicts)
    for _, conflict in ipairs(plan.conflicts) do
      assert.are.equal("unique", conflict.constraint)
      assert.are.equal(1, conflict.dead_pk)
      assert.are.equal(2, conflict.live_pk)
    end
    assert.are.equal("Post", plan.conflicts[1].model)
    assert.are.same({ "word" }, plan.conflicts[2].fields)
    assert.are.same({}, plan.parents)
  end)

  it("do not bring back what a dead parent holds, which the plan names", function()
    local other = Author:create { name = "cy" }
    local post = Post:create { title = "own", author = other }
    local own = post:delete()
    other:delete()
    local plan = own:restore_plan()
    assert.are.equal(0, plan.rows.Post)
    assert.are.equal(1, plan.held_back.Post)
    assert.are.same({ { model = "Author", pk = other.id } }, plan.parents)
  end)

  -- They come back in one statement a model, by what is for all: a strategy of one is not theirs.
  it("are those of all for rows that need each other", function()
    local Cat = db:model("Cat", {
      name = f.text { unique = true },
      dog = f.belongs_to("Dog", { on_delete = "cascade", null = true }),
    })
    local Dog = db:model("Dog", {
      name = f.text { unique = true },
      cat = f.belongs_to("Cat", { on_delete = "cascade", null = true }),
    })
    db:create_tables()
    local cat = Cat:create { name = "c" }
    cat:update { dog = Dog:create { name = "d", cat = cat } }
    local ring = cat:delete()
    Dog:create { name = "d" }
    local ok, err = pcall(ring.undo, ring, { on_conflict = { Cat = "rename" } })
    assert.is_false(ok)
    assert.are.equal("integrity", err.kind)
    assert.are.equal(0, Cat.objects:count())
    assert.are.equal(2, ring:undo { on_conflict = { default = "rename" } })
    assert.are.equal("d (restored)", Cat.objects:first():dog().name)
  end)
end)
