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

  -- A restore of Ana, by a row and by a query, that of her post with its parents, and the undo.
  local function each_way(fn)
    local ana, post = Author.deleted_objects:first(), Post.deleted_objects:first()
    for _, call in ipairs {
      function(strategies)
        return ana:restore { on_conflict = strategies }
      end,
      function(strategies)
        return Author.deleted_objects:restore { all = true, on_conflict = strategies }
      end,
      function(strategies)
        return post:restore { parents = true, on_conflict = strategies }
      end,
      function(strategies)
        return event:undo { on_conflict = strategies }
      end,
    } do
      local _, err = pcall(db.transaction, db, function()
        fn(call)
        error("taken back", 0)
      end)
      if err ~= "taken back" then
        error(err, 0)
      end
      assert.are.equal(1, Author.deleted_objects:count())
    end
  end

  it("are for a restore as for an undo", function()
    local tried = 0
    each_way(function(call)
      call { Post = "rename", default = "skip" }
      assert.are.equal(1, Post.objects:filter({ title = "t (restored)" }):count())
      assert.are.equal(1, Tag.objects:count())
      tried = tried + 1
    end)
    each_way(function(call)
      call { Post = "replace", Tag = "rename" }
      assert.are.equal("ana", Post.objects:get({ title = "t" }):author().name)
      tried = tried + 1
    end)
    assert.are.equal(8, tried)
  end)

  it("ask a function of each model of a restore for its rows", function()
    local tried = 0
    each_way(function(call)
      local asked = {}
      local function note(row, conflict)
        asked[#asked + 1] = conflict.model .. " " .. getmetatable(row).__name
        return "rename"
      end
      call { Tag = note, Post = "rename" }
      assert.are.same({ "Tag Tag" }, asked)
      tried = tried + 1
    end)
    each_way(function(call)
      call {
        Post = "rename",
        default = function(row)
          return { word = row:original "word" .. "!" }
        end,
      }
      assert.are.equal("w!", Tag.objects:order_by("word"):last().word)
      tried = tried + 1
    end)
    each_way(function(call)
      local asked = {}
      call(function(_, conflict)
        asked[#asked + 1] = conflict.model
        return "rename"
      end)
      assert.are.same({ "Post", "Tag" }, asked)
      tried = tried + 1
    end)
    assert.are.equal(12, tried)
  end)

  it("of a restore may be refused, and then nothing has come back", function()
    local before, tried = db:query "SELECT * FROM tag, post, author", 0
    each_way(function(call)
      for _, strategies in ipairs {
        { Post = "rename" },
        { Post = "rename", Tag = "fail", default = "skip" },
        { default = "fail" },
      } do
        local ok, err = pcall(call, strategies)
        assert.is_false(ok)
        assert.are.equal("integrity", err.kind)
        assert.are.same(before, db:query "SELECT * FROM tag, post, author")
      end
      local ok, err = pcall(call, {
        Post = "rename",
        Tag = function()
          error("no answer", 0)
        end,
      })
      assert.are.same({ false, "no answer" }, { ok, err })
      assert.are.same(before, db:query "SELECT * FROM tag, post, author")
      assert.are.equal(1, db:depth())
      tried = tried + 1
    end)
    assert.are.equal(4, tried)
  end)

  it("of a restore are refused for what is no model, and no strategy", function()
    local tried = 0
    each_way(function(call)
      for message, strategies in pairs {
        ["on_conflict names Pots, which is no model"] = { Pots = "skip" },
        ["on_conflict names a number, which is no model"] = { "skip" },
        ["on_conflict of Post is a word or a function, not a table"] = { Post = {} },
      } do
        local ok, err = pcall(call, strategies)
        assert.is_false(ok)
        assert.are.same({ "misuse", message }, { err.kind, err.message })
      end
      local ok, err = pcall(call, { Post = "remane" })
      assert.are.same({ false, "misuse" }, { ok, err.kind })
      tried = tried + 1
    end)
    assert.are.equal(4, tried)
  end)

  it("bring back the parents of a restore by their own", function()
    Author:create { name = "ana" }
    local post = Post.deleted_objects:first()
    local function try(strategies)
      return post:restore { parents = true, on_conflict = strategies }
    end
    assert.is_false(try { Author = "skip", default = "rename" }) -- its parent stays dead
    assert.are.equal(1, Post.deleted_objects:count())
    assert.is_true(try {
      Author = function(row)
        return { name = row:original "name" .. " the first" }
      end,
      default = "rename",
    })
    assert.are.equal("ana the first", post:author().name)
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

  it("are those of all for a row that needs itself, whatever its model has", function()
    local Node = db:model("Node", {
      name = f.text { unique = true },
      up = f.belongs_to("Node", { on_delete = "cascade", null = true }),
    })
    db:create_tables()
    local node = Node:create { name = "n" }
    node:update { up = node }
    for _, verb in ipairs { "undo", "restore" } do
      local ring = node:delete()
      local rival = Node:create { name = "n" }
      local what = verb == "undo" and ring or node
      for _, own in ipairs {
        "fail",
        function()
          return "fail"
        end,
      } do
        local ok, err = pcall(what[verb], what, { on_conflict = { Node = own } })
        assert.are.same({ false, "integrity" }, { ok, err.kind })
        db:transaction(function()
          what[verb](what, { on_conflict = { Node = own, default = "rename" } })
          assert.are.equal("n (restored)", Node.objects:get(node.id).name)
          Node.objects:get(node.id):update({ name = "n2" }):delete()
        end)
        rival:purge()
        Node.all_objects:get(node.id):restore()
        Node.objects:get(node.id):update { name = "n" }
        ring = node:reload():delete()
        what = verb == "undo" and ring or node
        rival = Node:create { name = "n" }
      end
      rival:purge()
      ring:undo()
      node:reload()
    end
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
