-- What reviews found in relations over many tables. Each failed before its mend.
local core = require "tombstone.core"
local helper = require "helper"
local tombstone = require "tombstone"
local f, count, max = tombstone.field, tombstone.count, tombstone.max

local function open(options)
  return tombstone.open(":memory:", options)
end

-- Authors with posts; `more` goes to the model of posts.
local function blog(more, on_author, db)
  db = db or open()
  local s = { db = db }
  s.Author = db:model("Author", {
    name = f.text { unique = true },
    boss = f.belongs_to("Author", { on_delete = "keep", null = true }),
  }, { on = on_author })
  s.Post = db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
    author = f.belongs_to("Author", { on_delete = "cascade", null = true, related_name = "posts" }),
  }, more)
  db:create_tables()
  return s
end

describe("rows that go along", function()
  it("are asked for by a query that nothing else holds", function()
    local s = blog()
    local ana = s.Author:create { name = "ana" }
    for i = 1, 50 do
      s.Post:create { title = "p" .. i, author = ana }
    end
    local pause, steps = collectgarbage("setpause", 1), collectgarbage("setstepmul", 10000)
    for _ = 1, 200 do -- whatever can be collected is, while the engine works
      local along = s.Post.objects:along(s.Author.objects:filter { name = "ana" }, "delete")
      assert.are.equal(50, along:count())
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", steps)
    s.db:close()
  end)

  it("are not asked for across databases", function()
    local one, two = blog(), blog()
    helper.raises("misuse", one.Post.objects.along, one.Post.objects, two.Author.objects, "delete")
    assert.is_false(pcall(one.Post.deleted_objects.expired, one.Post.deleted_objects, 0 / 0))
    one.db:close()
    two.db:close()
  end)

  it("keep an order by rows that with_deleted shows", function()
    local s = blog()
    local ana, ben = s.Author:create { name = "ana" }, s.Author:create { name = "ben" }
    s.Post:create { title = "of ben", author = ben, views = 2 }
    s.Post:create { title = "of ana", author = ana, views = 1 }
    s.Author.objects:delete { all = true }
    local query = s.Post.all_objects:with_deleted("author"):order_by "author__name"
    local first = query:all()[1]:original "title"
    assert.are.equal("of ana", first)
    assert.are.equal(first, query:fixed():all()[1]:original "title")
    s.db:close()
  end)
end)

describe("a table of aggregates", function()
  it("is read as it stands, not as a metatable would have it", function()
    local s = blog()
    local tricky = setmetatable({ fn = "max", distinct = false }, {
      __index = function(_, name)
        return name == "field" and ("author__" .. "name") or nil
      end,
    })
    helper.raises("misuse", s.Post.objects.aggregate, s.Post.objects, { top = tricky })
    helper.raises("misuse", s.Author.objects.annotate, s.Author.objects, { top = tricky })
    s.db:close()
  end)

  it("answers large integers that a filter takes back", function()
    local s = blog()
    local large = "9007199254740993"
    local ana = s.Author:create { name = "ana" }
    s.db:exec("INSERT INTO post (title, views, author_id) VALUES ('p', 9007199254740993, 1)")
    local query = s.Author.objects:annotate { top = max "posts__views" }
    local read = query:first().top
    assert.are.equal(large, helper.integer and helper.integer(read) or ("%s"):format(read))
    assert.are.equal(ana.id, query:filter({ top = read }):first().id)
    s.db:close()
  end)
end)

describe("lists of rows for the loader", function()
  it("are refused where a hole is in them", function()
    local s = blog()
    assert.is_false(pcall(core.group, {}, { 1 }, s.Post, "id", false))
    s.db:close()
  end)

  it("match keys as the field compares them, however its collation is written", function()
    local db = open()
    local City = db:model("City", { name = f.text { primary_key = true, collate = "nocase" } })
    local Street = db:model("Street", {
      name = f.text(),
      city = f.belongs_to("City", { on_delete = "cascade", related_name = "streets" }),
    })
    db:create_tables()
    City:create { name = "Bonn" }
    Street:create { name = "A", city_id = "BONN" }
    local city = City.objects:with("streets"):first()
    assert.are.equal(1, #city:streets():all())
    assert.are.equal("Bonn", Street.objects:with("city"):first():city().name)
    db:close()
  end)
end)

describe("names of relations", function()
  local function spec(name, relation)
    return {
      name = name,
      fields = {
        {
          name = "up_id",
          type = "integer",
          null = true,
          references = "Author",
          on_delete = "keep",
          relation = relation.name or "up",
          related_name = relation.related_name,
        },
      },
    }
  end

  it("are names, to the engine as well", function()
    local s = blog()
    for _, relation in ipairs {
      { name = 'a" x' },
      { name = "a__b" },
      { related_name = "z__q" },
      { related_name = 'q"' },
    } do
      helper.raises("misuse", s.db.define, s.db, {}, spec("Bad", relation))
    end
    s.db:close()
  end)

  it("hide neither a field nor another relation", function()
    local s = blog()
    for _, related_name in ipairs { "name", "posts", "boss" } do
      helper.raises("misuse", s.db.define, s.db, {}, spec("Bad", { related_name = related_name }))
    end
    s.db:define({}, spec("Good", { related_name = "goods" }))
    s.db:close()
  end)
end)

describe("a counter of links", function()
  it("is refused where links outlive the rows at their end", function()
    local db = open()
    db:model("Item", {
      name = f.text(),
      n = f.counter "tags",
      tags = f.many_to_many("Tag", { through = "Link" }),
    })
    db:model("Tag", { name = f.text() })
    db:model("Link", {
      item = f.belongs_to("Item", { on_delete = "cascade" }),
      tag = f.belongs_to("Tag", { on_delete = "keep", null = true }),
    })
    local err = helper.raises("misuse", db.create_tables, db)
    assert.are.equal("Item.n counts tags, whose links outlive the rows at their end", err.message)
    db:close()
  end)
end)

describe("lookups of one table", function()
  it("are refused in one line where they join more than SQLite can", function()
    local db = open()
    local fields = { name = f.text() }
    for i = 1, 70 do
      db:model("P" .. i, { name = f.text() })
      fields["p" .. i] = f.belongs_to("P" .. i, { on_delete = "keep", null = true })
    end
    local Big = db:model("Big", fields)
    db:model("Small", { big = f.belongs_to("Big", { on_delete = "keep", null = true }) })
    db:create_tables()
    local wide, fits = {}, {}
    for i = 1, 70 do
      wide["big__p" .. i .. "__name"] = "x"
      fits["big__p" .. i .. "__name"] = i <= 63 and "x" or nil
    end
    local Small = db:model "Small"
    local err = helper.raises("misuse", Small.objects.filter, Small.objects, wide)
    assert.are.equal("The lookups of one table join too many others", err.message)
    assert.are.equal(0, Small.objects:filter(fits):count())
    assert.are.equal(0, Big.objects:filter({ p1__name = "x", p2__name = "y" }):count())
    db:close()
  end)
end)

describe("who stands in the way", function()
  it("of a deletion is named of every model, with a count and an example", function()
    local s = blog()
    for _, name in ipairs { "Bill", "Card" } do
      s.db:model(name, { author = f.belongs_to("Author", { on_delete = "restrict" }) })
    end
    s.db:create_tables()
    local ana = s.Author:create { name = "ana" }
    s.db:model("Bill"):bulk_create { { author = ana }, { author = ana } }
    s.db:model("Card"):create { author = ana }
    for verb, called in pairs {
      delete = function()
        ana:delete()
      end,
      purge = function()
        s.db:exec "UPDATE author SET deleted_at = '2026-01-01 00:00:00', deleted_event = 1"
        s.Author.deleted_objects:purge { all = true }
      end,
    } do
      local err = helper.raises("restricted", called)
      local message = "Cannot " .. verb .. " records - 2 of Bill, 1 of Card still need them"
      assert.are.equal(message, err.message)
      assert.are.same({ "author_id", "Card.author_id" }, err.fields)
      assert.are.equal("of Card 1 points to what would be " .. verb .. "d", err.reasons["Card.author_id"])
      s.db:exec "UPDATE author SET deleted_at = NULL, deleted_event = NULL"
    end
    s.db:close()
  end)

  it("of one row's deletion may be its size", function()
    local s = blog()
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "a" }
    ana:posts():create { title = "b" }
    assert.are.same({ Author = 1, Post = 2 }, ana:delete_plan())
    helper.raises("too_many", ana.delete, ana, { max_rows = 2 })
    assert.is_truthy(ana:delete { max_rows = 3 })
    assert.are.equal(0, #ana:restore_plan().conflicts)
    s.db:close()
  end)
end)

describe("hooks of rows that go along", function()
  local log

  local function hooks(name, more)
    local on = {}
    for _, kind in ipairs { "delete", "restore", "purge" } do
      for _, when in ipairs { "before_", "after_" } do
        on[when .. kind] = function(row, event)
          log[#log + 1] = when .. kind .. " " .. name .. row.id .. (event and " of " .. event.id or "")
        end
      end
    end
    for hook, fn in pairs(more or {}) do
      on[hook] = fn
    end
    return on
  end

  before_each(function()
    log = {}
  end)

  it("run all before an undo, and then all behind it", function()
    local s = blog({ on = hooks "Post" }, hooks "Author")
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "p" }
    local event = ana:delete()
    log = {}
    event:undo()
    assert.are.same({
      "before_restore Author1",
      "before_restore Post1",
      "after_restore Author1",
      "after_restore Post1",
    }, log)
    s.db:close()
  end)

  it("run for rows that need each other", function()
    local db = open()
    local Cat = db:model("Cat", {
      dog = f.belongs_to("Dog", { on_delete = "cascade", null = true }),
    }, { on = hooks "Cat" })
    local Dog = db:model("Dog", {
      cat = f.belongs_to("Cat", { on_delete = "cascade", null = true }),
    }, { on = hooks "Dog" })
    db:create_tables()
    local cat = Cat:create {}
    local dog = Dog:create { cat = cat }
    cat:update { dog = dog }
    local event = cat:delete()
    log = {}
    assert.are.equal(2, event:undo())
    local all = table.concat(log, "\n")
    for _, row in ipairs { "Cat1", "Dog1" } do
      assert.is_truthy(all:find("before_restore " .. row, 1, true), all)
      assert.is_truthy(all:find("after_restore " .. row, 1, true), all)
    end
    db:close()
  end)

  it("run for children of a row that a hook or a function frees", function()
    local s
    s = blog({ on = hooks "Post" }, hooks("Author", {
      before_restore = function()
        s.Author.objects:filter({ name = "ana" }):update { name = "another" .. s.Author.all_objects:count() }
      end,
    }))
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "p" }
    ana:delete()
    s.Author:create { name = "ana" }
    log = {}
    ana:restore()
    assert.is_truthy(table.concat(log, "\n"):find("after_restore Post1", 1, true))
    ana:delete()
    s.Author:create { name = "ana" }
    log = {}
    s.Author.deleted_objects:restore {
      all = true,
      on_conflict = function()
        return "rename"
      end,
    }
    assert.is_truthy(table.concat(log, "\n"):find("after_restore Post1", 1, true))
    s.db:close()
  end)

  it("are not told twice of a row that a hook has deleted before", function()
    local s
    s = blog({ on = hooks "Post" }, hooks("Author", {
      before_delete = function()
        s.Post.objects:filter({ title = "a" }):delete()
      end,
    }))
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "a" }
    ana:posts():create { title = "b" }
    ana:delete()
    local all = table.concat(log, "\n")
    local _, times = all:gsub("after_delete Post1", "")
    assert.are.equal(1, times)
    assert.is_truthy(all:find("after_delete Post2 of 2", 1, true))
    s.db:close()
  end)

  it("run where a step fails, or the step's error comes out", function()
    local path = helper.path()
    local fake = require("tombstone.database").fake(path)
    local s = blog({ on = hooks "Post" }, nil, fake)
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "p" }
    for n = 1, 60 do
      ana:reload():delete()
      log = {}
      core.fake.fail(fake, n, "busy", "step " .. n)
      local ok = pcall(ana.restore, ana)
      core.fake.fail(fake, 0)
      if ok then
        assert.is_truthy(table.concat(log, "\n"):find("after_restore Post1", 1, true), "step " .. n)
      elseif ana:reload():is_deleted() then
        ana:restore()
      end
    end
    fake:close()
    helper.clean()
  end)

  it("do not run for options that there are not", function()
    local s = blog({ on = hooks "Post" }, hooks "Author")
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "p" }
    for _, verb in ipairs { "delete", "purge", "forget" } do
      local err = helper.raises("misuse", ana[verb], ana, { bad = 1 })
      assert.are.equal(verb .. " has no option 'bad'", err.message)
    end
    ana:delete()
    log = {}
    helper.raises("misuse", ana.restore, ana, "x")
    helper.raises("misuse", ana.delete, ana, { bad = 1 })
    helper.raises("misuse", s.Post.restore, {}, { on_conflict = {} })
    assert.are.same({}, log)
    ana:restore()
    assert.are.equal(2, select("#", ana:purge { dry_run = false }))
    s.db:close()
  end)

  it("leave a stale row as a call without them would", function()
    local s = blog(nil, hooks "Author")
    local ana = s.Author:create { name = "ana" }
    ana:delete()
    s.Author.deleted_objects:restore { all = true }
    assert.are.equal(1, select("#", ana:restore()))
    assert.is_false(ana:is_deleted())
    assert.are.equal("ana", ana.name)
    s.db:close()
  end)
end)

describe("a relation's call", function()
  it("leaves rows as they were committed, whatever an after_commit hook raises", function()
    local s = blog {
      on = {
        after_commit = function()
          error("too late", 0)
        end,
      },
    }
    local ana = s.Author:create { name = "ana" }
    pcall(s.Post.create, s.Post, { title = "p" })
    local post = s.Post.objects:first()
    assert.is_false(pcall(function()
      ana:posts():add(post)
    end))
    assert.are.equal(ana.id, s.Post.objects:get(post.id).author_id)
    assert.are.equal(ana.id, post.author_id)
    s.db:close()
  end)
end)

describe("an event", function()
  it("answers the rows of a model by its name, too", function()
    local s = blog()
    local ana = s.Author:create { name = "ana" }
    ana:posts():create { title = "p" }
    local event = ana:delete()
    assert.are.equal(1, event:rows("Post"):count())
    assert.are.equal(1, event:rows(s.Post):count())
    assert.is_false(pcall(event.rows, event, "Pots"))
    assert.are.equal(0, s.Author.objects:annotate({ n = count "posts" }):count())
    s.db:close()
  end)
end)
