-- Asking across relations: filters, orders, values, groups, annotations, and what they refuse.
local tombstone = require "tombstone"
local f = tombstone.field
local count, max, sum = tombstone.count, tombstone.max, tombstone.sum

describe("across relations", function()
  local db, Team, Author, Post, Tag, statements
  local red, ana, ben, cy, first, second, third

  before_each(function()
    statements = {}
    db = tombstone.open(":memory:", {
      log = function(sql)
        statements[#statements + 1] = sql
      end,
    })
    Team = db:model("Team", { name = f.text { unique = true } })
    Author = db:model("Author", {
      name = f.text { unique = true },
      karma = f.integer { default = 0 },
      team = f.belongs_to("Team", { on_delete = "keep", null = true, related_name = "authors" }),
      boss = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "staff" }),
    }, { table = "author__" }) -- which a join could be called
    Post = db:model("Post", {
      title = f.text { unique = true },
      views = f.integer { default = 0 },
      author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
      tags = f.many_to_many("Tag", { related_name = "posts" }),
    }, { table = "order" })
    Tag = db:model("Tag", { name = f.text { unique = true } })
    db:create_tables()
    red = Team:create { name = "red" }
    ana = Author:create { name = "ana", karma = 3, team = red }
    ben = Author:create { name = "ben", karma = 1, boss = ana }
    cy = Author:create { name = "cy" }
    first = Post:create { title = "first", views = 1, author = ana }
    second = Post:create { title = "second", views = 5, author = ana }
    third = Post:create { title = "third", views = 9, author = ben }
    Post:create { title = "lone", views = 2 }
    first:tags():add(Tag:create { name = "x" }, Tag:create { name = "y" })
  end)

  after_each(function()
    db:close()
  end)

  local function names(query)
    local list = {}
    for _, row in ipairs(query:all()) do
      list[#list + 1] = row.title or row.name
    end
    return table.concat(list, " ")
  end

  it("a filter follows ways to parents, to any of several children, and through links", function()
    assert.are.equal("first second", names(Post.objects:filter { author__name = "ana" }))
    assert.are.equal("first second", names(Post.objects:filter { author__team__name__icontains = "E" }))
    assert.are.equal("third", names(Post.objects:filter { author__boss__team__name = "red" }))
    assert.are.equal("ana", names(Author.objects:filter { posts__views__lt = 6 }))
    assert.are.equal("first", names(Post.objects:filter { tags__name = "x" }))
    assert.are.equal("x y", names(Tag.objects:filter { posts__author__team__name = "red" }))
    assert.are.equal("red", names(Team.objects:filter { authors__posts__tags__name__in = { "x", "q" } }))
  end)

  it("one table speaks of one child, two filters of two", function()
    assert.are.equal("", names(Author.objects:filter { posts__title = "first", posts__views = 5 }))
    assert.are.equal("ana", names(Author.objects:filter { posts__title = "first", posts__views = 1 }))
    local twice = Author.objects:filter({ posts__title = "first" }):filter { posts__views = 5 }
    assert.are.equal("ana", names(twice))
    assert.are.equal("ben cy", names(Author.objects:exclude { posts__title = "first", posts__views = 1 }))
  end)

  it("rows stand for themselves at the end of a way", function()
    assert.are.equal("first second", names(Post.objects:filter { author__team = red }))
    assert.are.equal("ana", names(Author.objects:filter { posts = first }))
    assert.are.equal("ana ben", names(Author.objects:filter { posts__in = { second, third } }))
    assert.are.equal("third lone", names(Post.objects:filter { author__ne = ana }))
    local _, err = pcall(Author.objects.filter, Author.objects, { posts = red })
    assert.are.equal("Author.posts takes a Post, not a Team", err.message)
    _, err = pcall(Author.objects.filter, Author.objects, { posts = Post:new { title = "new" } })
    assert.are.equal("Author.posts takes a saved Post", err.message)
  end)

  it("the dead are nobody's parent, child or link", function()
    ana:delete()
    assert.are.equal("", names(Post.objects:filter { author__name__startswith = "ana" }))
    assert.are.equal("first second lone", names(Post.objects:filter { author__isnull = true }))
    assert.are.equal("lone", names(Post.objects:filter { author_id__isnull = true }))
    assert.are.equal("first second lone", names(Post.objects:filter { author__name__ne = "ben" }))
    assert.are.equal("", names(Post.objects:filter { author__boss__name = "ana" }))
    third:delete()
    assert.are.equal("ben cy", names(Author.objects:filter { posts__isnull = true }))
    Tag.objects:filter({ name = "x" }):delete()
    assert.are.equal("", names(Post.objects:filter { tags__name = "x" }))
    assert.are.equal(1, first:tags():count())
  end)

  it("orders put rows without a parent first, and count the least or greatest of many", function()
    assert.are.equal("lone first second third", names(Post.objects:order_by("author__name", "title")))
    assert.are.equal("third second first lone", names(Post.objects:order_by("-author__name", "-title")))
    assert.are.equal("ben ana cy", names(Author.objects:order_by "-posts__views"))
    assert.are.equal("cy ana ben", names(Author.objects:order_by "posts__views"))
    local seen = {}
    for post in Post.objects:order_by("author__team__name", "-title"):each() do
      seen[#seen + 1] = post.title
    end
    assert.are.equal("third lone second first", table.concat(seen, " "))
    ana:delete()
    assert.are.equal("first second lone third", names(Post.objects:order_by "author__name"))
  end)

  it("values read fields of other rows, a line for each of many", function()
    local lines = {}
    for _, line in ipairs(Post.objects:order_by("id"):values("title", "author__name", "tags__name")) do
      local author, tag = tostring(line.author__name), tostring(line.tags__name)
      lines[#lines + 1] = line.title .. ":" .. author .. ":" .. tag
    end
    assert.are.same({
      "first:ana:x",
      "first:ana:y",
      "second:ana:nil",
      "third:ben:nil",
      "lone:nil:nil",
    }, lines)
    assert.are.equal(1, select(2, statements[#statements]:gsub('AS "author__"', "")))
    local plucked = Post.objects:order_by("id"):pluck "author__team__name"
    assert.are.same({ "red", "red", tombstone.null, tombstone.null, n = 4 }, plucked)
    assert.are.same(
      { { author__name = "ana" }, { author__name = "ben" } },
      Post.objects:filter({ author__isnull = false }):distinct():values "author__name"
    )
  end)

  it("groups and aggregates take ways to one", function()
    local by_author = Post.objects:group_by "author__name"
    local groups = by_author:aggregate { n = count "*", top = max "author__karma" }
    assert.are.same({
      { n = 1 },
      { author__name = "ana", n = 2, top = 3 },
      { author__name = "ben", n = 1, top = 1 },
    }, groups)
    assert.are.equal(7, Post.objects:aggregate({ k = sum "author__karma" }).k)
    local _, err = pcall(Author.objects.group_by, Author.objects, "posts__title")
    assert.are.equal("posts__title leads to many rows", err.message)
    assert.is_truthy(err.hint:find("annotate", 1, true))
  end)

  it("annotations compute over the living, each by itself", function()
    second:delete()
    local query = Author.objects:annotate {
      n = count "posts",
      tags = count "posts__tags",
      top = max "posts__views",
    }
    local rows = query:order_by("-n", "name"):all()
    assert.are.equal("ana ben cy", names(query:order_by("-n", "name")))
    assert.are.same({ 1, 2, 1 }, { rows[1].n, rows[1].tags, rows[1].top })
    assert.are.same({ 0, 0 }, { rows[3].n, rows[3].tags })
    assert.is_nil(rows[3].top)
    assert.are.equal("cy", names(query:filter { n = 0 }))
    assert.are.equal("ben", names(query:filter { top__gt = 1 }))
    assert.are.same({ { name = "ana", n = 1 } }, query:filter({ tags__gte = 2 }):values("name", "n"))
    assert.are.same({ { n = 0, m = 1 }, { n = 1, m = 2 } }, query:group_by("n"):aggregate { m = count "*" })
    rows[1].name = "anna"
    rows[1]:save() -- which writes columns only
    assert.are.equal("anna", Author.objects:get(ana.id).name)
  end)

  it("with_deleted shows the dead of a relation, wherever it is called", function()
    ana:delete()
    for _, query in ipairs {
      Post.objects:with_deleted("author"):filter { author__karma = 3 },
      Post.objects:filter({ author__karma = 3 }):with_deleted "author",
      Post.objects:with_deleted("author"):filter { author__team__name = "red" },
    } do
      assert.are.equal("first second", names(query))
    end
    local shown = Post.objects:with_deleted "author"
    assert.are.equal("lone third first second", names(shown:order_by "author__karma"))
    local line = Post.objects:with_deleted("author"):filter({ title = "first" }):values("author__name")[1]
    assert.are.equal(ana:original "name", "ana")
    assert.is_truthy(line.author__name:find("ana__deleted_", 1, true))
    red:delete()
    assert.are.equal("", names(Post.objects:with_deleted("author"):filter { author__team__isnull = false }))
    assert.are.equal(
      "first second",
      names(Post.objects:with_deleted("author", "author.team"):filter { author__team__isnull = false })
    )
    local _, err = pcall(Post.objects.with_deleted, Post.objects, "authr")
    assert.are.equal("Post has no relation 'authr'", err.message)
  end)

  it("explain_liveness lists every table with the rows that are seen", function()
    local query = Post.all_objects
      :filter({ author__team__name = "red", tags__name__ne = "z" })
      :order_by("author__name")
      :with_deleted "author.team"
    local seen = {}
    for _, of in ipairs(query:explain_liveness()) do
      seen[#seen + 1] = of.path .. " " .. of.model .. " " .. of.rows
    end
    assert.are.same({
      " Post every",
      "author Author living",
      "author Author living",
      "author__team Team every",
      "tags Post_tags living",
      "tags Tag living",
    }, seen)
    local plain = db:model("Plain", { x = f.text() }, { soft_delete = false })
    assert.are.equal("undying", plain.objects:explain_liveness()[1].rows)
    assert.are.equal("dead", Post.deleted_objects:explain_liveness()[1].rows)
  end)

  it("writes may be chosen by other rows, in the same number of statements for any number", function()
    local function run(call)
      local before = #statements
      call()
      return #statements - before
    end
    local few = run(function()
      assert.are.equal(2, (Post.objects:filter({ author__name = "ana" }):delete()))
    end)
    assert.are.equal(2, Post.deleted_objects:filter({ author__name = "ana" }):restore())
    for i = 1, 100 do
      Post:create { title = "more" .. i, author = ana }
    end
    assert.are.equal(few, run(function()
      assert.are.equal(102, (Post.objects:filter({ author__name = "ana" }):delete()))
    end))
    assert.are.equal(102, Post.deleted_objects:filter({ author__name = "ana" }):restore())
    assert.are.equal(1, Post.objects:filter({ author__boss = ana }):update { views = 100 })
    assert.are.equal(1, Author.objects:filter({ boss__name = "ana" }):update { karma = 50 })
    assert.are.equal(3, (Post.objects:filter({ author__name = "ana" }):order_by("-views"):limit(3):delete()))
    assert.are.equal(3, (Post.deleted_objects:filter({ author__team__name = "red" }):purge()))
    assert.are.equal(1, (Author.objects:annotate({ n = count "posts" }):filter({ n = 0 }):delete()))
    assert.is_true(cy:reload():is_deleted())
  end)

  it("slices, counts, first, last and get see the same rows", function()
    local query = Post.objects:filter({ author__isnull = false }):order_by "-author__name"
    assert.are.equal("third", query:first().title)
    assert.are.equal(3, query:count())
    assert.is_true(query:exists())
    assert.are.equal(2, query:limit(2):count())
    assert.are.equal(4, query:limit(2):aggregate({ k = sum "author__karma" }).k)
    assert.are.equal("third", Post.objects:get({ author__boss__isnull = false }).title)
    assert.are.equal(query:all()[3].title, query:last().title)
  end)

  it("refuses what leads nowhere, with a suggestion", function()
    for _, case in ipairs {
      { "filter", { authr__name = "x" }, "Post has no field 'authr'", "author" },
      { "filter", { author__nam = "x" }, "Author has no field 'nam'", "name" },
      { "filter", { author__name__foo = "x" }, "There is no lookup '__foo'" },
      { "filter", { author__gt = 3 }, "author__gt compares rows" },
      { "filter", { author__name = tombstone.F "title" }, "author__name takes no expression, across rows" },
      { "order_by", "author", "author leads to rows" },
      { "order_by", "author__name__gt", "author__name__gt is no field" },
      { "values", "tags", "tags leads to rows" },
      { "annotate", { n = count "title" }, "title is a field of the row itself" },
      { "annotate", { title = count "tags" }, "title is there already" },
      { "annotate", { n = count "*" }, "Post has no field '*'" },
      { "annotate", { n = sum "author__name" }, "sum and avg take a field of numbers, not Author.name" },
      { "only", "author__name", "Post has no field 'author__name'" },
    } do
      local query = Post.objects
      local ok, err = pcall(query[case[1]], query, case[2])
      assert.is_false(ok, case[3])
      assert.are.equal("misuse", err.kind)
      assert.are.equal(case[3], err.message)
      if case[4] then
        assert.are.equal("did you mean '" .. case[4] .. "'?", err.hint)
      end
    end
  end)

  it("goes sixty tables far, in a filter as in an order", function()
    local function far(n)
      return ("boss__"):rep(n) .. "name"
    end
    assert.are.equal(0, Author.objects:filter({ [far(60)] = "x" }):count())
    assert.are.equal("ana ben cy", names(Author.objects:order_by(far(60), "name")))
    for _, call in ipairs {
      function()
        return Author.objects:filter { [far(61)] = "x" }
      end,
      function()
        return Author.objects:order_by(far(61))
      end,
      function()
        return Author.objects:annotate { n = count(("staff__"):rep(61) .. "name") }
      end,
      function()
        return Post.objects:filter { [("tags__posts__"):rep(16) .. "title"] = "x" } -- a link is two
      end,
    } do
      local ok, err = pcall(call)
      assert.is_false(ok)
      assert.are.equal("misuse", err.kind)
      assert.is_truthy(err.message:find(" leads too far$"), err.message)
      assert.is_true(#err.message <= 100)
      assert.are.equal("a way takes up to 60 tables", err.hint)
    end
  end)

  it("reads other rows of an event's rows, and of the past", function()
    local event = first:delete()
    assert.are.equal("first", event:rows(Post):order_by("author__name"):all()[1]:original "title")
    assert.are.same({ { author__team__name = "red" } }, event:rows(Post):values "author__team__name")
  end)
end)
