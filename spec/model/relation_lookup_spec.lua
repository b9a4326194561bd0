-- Lookups across relations where they are hardest: names that collide, texts that fold case, keys
-- of texts, models that do not die softly, the dead at each hop, filters as deep as SQLite parses,
-- and writes that change what their own filter asks.
local tombstone = require "tombstone"
local helper = require "helper"
local f, F, null = tombstone.field, tombstone.F, tombstone.null
local count, max, min, sum = tombstone.count, tombstone.max, tombstone.min, tombstone.sum

local function names(query)
  return table.concat(helper.list(query, "name"), " ")
end

local function by_name(query)
  return names(query:order_by "name")
end

local function keep(model, related_name)
  return f.belongs_to(model, { on_delete = "keep", null = true, related_name = related_name })
end

describe("names that collide:", function()
  -- A child has a parent, x; another has none. Both tables may be called as joins call theirs.
  local function open(of_parent, of_child, way)
    local db = tombstone.open ":memory:"
    local Parent = db:model("Parent", { name = f.text() }, { table = of_parent })
    local Child = db:model("Child", {
      name = f.text(),
      [way] = keep("Parent", "children"),
    }, { table = of_child })
    db:create_tables()
    local x = Parent:create { name = "x" }
    Child:create { name = "of", [way] = x }
    Child:create { name = "without" }
    return db, Parent, Child
  end

  for _, case in ipairs {
    { "parent", "owner__", "owner" },
    { "parent", "OWNER__", "owner" },
    { "owner__", "child", "owner" },
    { "children__", "child", "owner" },
    { "select", "slice", "owner" },
    { "slice", "order", "group" },
    { "owner", "owner_", "owner" },
    { "a\"b", "c'd", "owner" },
  } do
    it(table.concat(case, ", "), function()
      local db, Parent, Child = open(helper.unpack(case))
      local way = case[3]
      local of, without = Child.objects:get { name = "of" }, Child.objects:get { name = "without" }
      local name = way .. "__name"
      assert.are.equal("of", names(Child.objects:filter { [name] = "x" }))
      assert.are.equal("without", names(Child.objects:filter { [name .. "__ne"] = "x" }))
      assert.are.equal("without", names(Child.objects:filter { [way .. "__isnull"] = true }))
      assert.are.equal("without of", names(Child.objects:order_by(name)))
      assert.are.same({ { [name] = "x" }, {} }, Child.objects:order_by("id"):values(name))
      assert.are.same({ n = 1 }, Child.objects:limit(2):aggregate { n = count(name) })
      assert.are.same({ n = 1 }, Child.objects:order_by("-" .. name):limit(1):aggregate { n = count(name) })
      assert.are.same(
        { { n = 1 }, { n = 1, [name] = "x" } },
        Child.objects:limit(2):group_by(name):aggregate { n = count "*" }
      )
      assert.are.equal("x", names(Parent.objects:order_by "children__name"))
      assert.are.equal("x", names(Parent.objects:filter { ["children__" .. way .. "__name__ne"] = "y" }))
      local figures = Parent.objects:annotate { n = count "children", last = max "children__name" }
      local lines = figures:filter({ n__gt = 0 }):order_by("-n"):values("n", "last")
      assert.are.same({ { n = 1, last = "of" } }, lines)
      assert.are.same({ { n = 1, s = 1 } }, figures:limit(2):group_by("n"):aggregate { s = sum "n" })
      assert.are.equal(1, (Child.objects:filter({ [name] = "x" }):delete()))
      assert.is_true(of:reload():is_deleted())
      assert.is_false(without:reload():is_deleted())
      db:close()
    end)
  end

  -- The table that is filtered and the way from it have a column of the same name as well.
  it("a table called like the way to a parent that has the same columns", function()
    local db = tombstone.open ":memory:"
    local Node = db:model("Node", { name = f.text(), up = keep("Node", "down") }, { table = "up__" })
    db:create_tables()
    local a = Node:create { name = "a" }
    local b = Node:create { name = "b", up = a }
    Node:create { name = "c", up = b }
    assert.are.equal("a b", names(Node.objects:filter { up__name__ne = "b" }))
    assert.are.equal("c", names(Node.objects:filter { up__up__name = "a" }))
    assert.are.equal("a b", names(Node.objects:filter { up__up__name__ne = "a" }))
    assert.are.equal("a b c", names(Node.objects:order_by "up__name"))
    assert.are.equal("a", names(Node.objects:filter { down__down__isnull = false }))
    assert.are.equal("a", names(Node.objects:filter { down__up__up__isnull = true }))
    db:close()
  end)

  it("relations that a capital letter tells apart", function()
    local db = tombstone.open ":memory:"
    local Author = db:model("Author", { name = f.text() })
    local Post = db:model("Post", {
      name = f.text(),
      author = keep("Author", "posts"),
      editor = keep("Author", "Posts"),
    })
    db:create_tables()
    local x, y = Author:create { name = "x" }, Author:create { name = "y" }
    Post:create { name = "p", author = x, editor = y }
    Post:create { name = "q", author = y }
    assert.are.equal("y", names(Author.objects:filter { posts__name = "q", Posts__name = "p" }))
    local alone = { author__posts__name = "p", author__Posts__isnull = true }
    assert.are.equal("p", names(Post.objects:filter(alone)))
    assert.are.equal("q", names(Post.objects:filter { author__posts__name = "q", author__Posts__name = "p" }))
    assert.are.same(
      { { posts__name = "p" }, { posts__name = "q", Posts__name = "p" } },
      Author.objects:order_by("id"):values("posts__name", "Posts__name")
    )
    db:close()
  end)

  it("a result of annotate hides no method, field or relation, and is a whole name", function()
    local db, Parent = open(nil, nil, "owner")
    function Parent.shout(row)
      return row.name:upper()
    end
    for name, message in pairs {
      save = "save is a method of rows",
      shout = "shout is a method of rows",
      objects = "objects is a method of rows",
      name = "name is there already",
      children = "children is there already",
      ["a__b"] = "a__b is no name for an annotation",
      ["a\0b"] = "a is no name for an annotation",
      [""] = " is no name for an annotation",
    } do
      local query = Parent.objects
      helper.refuses("misuse", message, query.annotate, query, { [name] = count "children" })
    end
    db:close()
  end)

  it("an aggregate that answers differently when it is asked again is taken as it is", function()
    local db, Parent = open(nil, nil, "owner")
    local asked = 0
    local odd = setmetatable({ fn = "count" }, {
      __index = function(_, key)
        asked = asked + 1
        return key == "field" and ("children__"):rep(asked * 50) or nil
      end,
    })
    local query = Parent.objects
    helper.raises("misuse", query.annotate, query, { n = odd })
    assert.are.equal(0, asked)
    db:close()
  end)
end)

describe("texts that fold case", function()
  local db, Author, Post

  before_each(function()
    db = tombstone.open ":memory:"
    Author = db:model("Author", { name = f.text { collate = "NOCASE", unique = true } })
    Post = db:model("Post", {
      name = f.text(),
      nick = f.text { collate = "NOCASE" },
      author = keep("Author", "posts"),
    })
    db:create_tables()
    local ana, ben = Author:create { name = "Ana" }, Author:create { name = "ben" }
    Post:create { name = "1", author = ana, nick = "b" }
    Post:create { name = "2", author = ana, nick = "C" }
    Post:create { name = "3", author = ben, nick = "A" }
    Post:create { name = "4", nick = "x" }
  end)

  after_each(function()
    db:close()
  end)

  it("fold it where the value of a parent is compared", function()
    assert.are.equal("1 2", by_name(Post.objects:filter { author__name = "ANA" }))
    assert.are.equal("3 4", by_name(Post.objects:filter { author__name__ne = "ANA" }))
    assert.are.equal("1 2 4", by_name(Post.objects:filter { author__name__in = { null, "aNA" } }))
    assert.are.equal("4 1 2 3", names(Post.objects:order_by("author__name", "name")))
  end)

  it("fold it in orders and annotations, but not in the beginnings of texts", function()
    assert.are.equal("ben Ana", names(Author.objects:order_by "posts__nick"))
    assert.are.equal("Ana ben", names(Author.objects:order_by "-posts__nick"))
    local query = Author.objects:annotate { least = min "posts__nick" }
    assert.are.equal("ben Ana", names(query:order_by "least"))
    assert.are.equal("Ana", names(query:filter { least = "B" }))
    assert.are.equal("ben", names(query:filter { least__ne = "B" }))
    assert.are.equal("Ana ben", by_name(query:filter { least__in = { "B", "a" } }))
    assert.are.equal("Ana", names(query:filter { least__startswith = "b" }))
    assert.are.equal("", names(query:filter { least__startswith = "B" }))
    assert.are.equal("Ana", names(query:filter { least__istartswith = "B" }))
    assert.are.equal("", names(query:filter { least__contains = "B" }))
    assert.are.equal("", names(query:filter { least__endswith = "B" }))
  end)
end)

it("values of every type come across relations as they are", function()
  local db = tombstone.open ":memory:"
  local Author = db:model("Author", {
    name = f.text(),
    ok = f.boolean(),
    at = f.datetime(),
    raw = f.blob(),
    num = f.number(),
    big = f.integer { null = true },
  })
  local Post = db:model("Post", {
    name = f.text(),
    author = keep("Author", "posts"),
    at = f.datetime { null = true },
  })
  db:create_tables()
  local big = "9007199254740993"
  local values = { ok = true, at = 1763880000.25, raw = "\0\1", num = 1.5 }
  local ana = Author:create { name = "ana", ok = true, at = values.at, raw = values.raw, num = 1.5, big = 5 }
  Post:create { name = "1", author = ana, at = 5 }
  Post:create { name = "2" }
  local filter = {}
  local line = Post.objects:order_by("id"):values("author__ok", "author__at", "author__raw", "author__num")[1]
  for name, value in pairs(values) do
    filter["author__" .. name] = value
    assert.are.equal(value, line["author__" .. name])
  end
  assert.are.equal("1", names(Post.objects:filter(filter)))
  assert.are.equal("2", names(Post.objects:exclude(filter)))
  assert.are.equal("2", names(Post.objects:filter { author__at__ne = values.at }))
  assert.are.equal(true, Post.objects:aggregate({ ok = max "author__ok" }).ok)
  local query = Author.objects:annotate { last = max "posts__at" }
  assert.are.equal(5, query:first().last)
  assert.are.equal("ana", names(query:filter { last = 5 }))
  if not helper.has_integers then -- which come as text where Lua has none of 64 bits
    db:exec("UPDATE author SET big = " .. big)
    assert.are.equal("1", names(Post.objects:filter { author__big = big }))
    assert.are.equal("ana", names(Author.objects:filter { posts__in = { "1" } }))
  end
  db:close()
end)

describe("rows as values", function()
  it("may stand beside null, in any place, and beside no keys", function()
    local db = tombstone.open ":memory:"
    local Team = db:model("Team", { code = f.text { primary_key = true } })
    local Author = db:model("Author", { name = f.text(), team = keep("Team", "authors") })
    local Post = db:model("Post", { name = f.text(), author = keep("Author", "posts") })
    db:create_tables()
    local red, blue = Team:create { code = "r" }, Team:create { code = "b" }
    local ana, ben = Author:create { name = "ana", team = red }, Author:create { name = "ben" }
    Post:create { name = "1", author = ana }
    Post:create { name = "2", author = ben }
    Post:create { name = "3" }
    assert.are.equal("1 3", by_name(Post.objects:filter { author__in = { null, ana } }))
    assert.are.equal("1 3", by_name(Post.objects:filter { author__in = { ana, null } }))
    assert.are.equal("1 2 3", by_name(Post.objects:filter { author__team__in = { null, null, red } }))
    assert.are.equal("1", by_name(Post.objects:filter { author__team = red }))
    assert.are.equal("1", by_name(Post.objects:filter { author__team = "r" }))
    assert.are.equal("2 3", by_name(Post.objects:filter { author__team__ne = red }))
    assert.are.equal("", by_name(Post.objects:filter { author__team = { blue } }))
    assert.are.equal("", by_name(Post.objects:filter { author__team__in = {} }))
    assert.are.equal("2 3", by_name(Post.objects:filter { author__team = null }))
    local mixed = { author__in = { ana, 5 }, author__team = { null, red, "b" }, author = { ana, red } }
    for key, list in pairs(mixed) do
      local query = Post.objects
      helper.raises("misuse", query.filter, query, { [key] = list })
    end
    db:close()
  end)
end)

describe("models that do not die softly, or without events,", function()
  it("are seen as they are", function()
    local db = tombstone.open ":memory:"
    local User = db:model("User", { name = f.text { unique = true } }, { soft_delete = false })
    local Entry = db:model("Entry", {
      name = f.text { unique = true },
      user = keep("User", "entries"),
    }, { soft_delete = { event = false } })
    local options = { soft_delete = false }
    local Post = db:model("Post", { name = f.text(), entry = keep("Entry", "posts") }, options)
    db:create_tables()
    local entry = Entry:create { name = "e", user = User:create { name = "u" } }
    Post:create { name = "1", entry = entry }
    Post:create { name = "2" }
    local by_user = Post.objects:filter { entry__user__name = "u" }
    assert.are.equal("1", names(by_user))
    entry:delete()
    assert.are.equal("", names(by_user))
    assert.are.equal("1 2", by_name(Post.objects:filter { entry__isnull = true }))
    assert.are.equal("u", names(User.objects:filter { entries__isnull = true }))
    local shown = Post.objects:with_deleted("entry"):filter { entry__name__original = "e" }
    assert.are.equal("1", names(shown))
    local deep = User.objects:with_deleted("entries")
    assert.are.equal("u", names(deep:filter { entries__name__original = "e", entries__posts__name = "1" }))
    assert.are.equal(2, Post.objects:filter({ entry__isnull = true }):update { name = "z" })
    assert.are.equal(1, Entry.deleted_objects:filter({ posts__name = "z" }):restore())
    assert.are.equal("z", names(by_user))
    assert.are.equal(1, (by_user:purge { living = true }))
    assert.are.equal(1, Post.objects:count())
    db:close()
  end)
end)

describe("the dead at each hop", function()
  it("end a way, whichever of them is dead", function()
    local db = tombstone.open ":memory:"
    local chain, models = { "Team", "Author", "Post", "Note" }, {}
    for i, name in ipairs(chain) do
      models[i] = db:model(name, { name = f.text(), up = i > 1 and keep(chain[i - 1], "down") or nil })
    end
    db:create_tables()
    local rows = {}
    for i, model in ipairs(models) do
      rows[i] = model:create { name = "n" .. i, up = rows[i - 1] }
    end
    local Team, Note = models[1], models[4]
    local function seen()
      return {
        Note.objects:filter({ up__up__up__name = "n1" }):count(),
        Note.objects:filter({ up__up__up__name__ne = "n1" }):count(),
        Note.objects:filter({ up__up__up__isnull = false }):count(),
        Team.objects:filter({ down__down__down__name = "n4" }):count(),
        Team.objects:exclude({ down__down__down__name = "n4" }):count(),
        #Note.objects:filter({ up__up__up__isnull = true }):all(),
        Team.objects:annotate({ n = count "down__down__down" }):first().n,
        Note.objects:values("up__up__up__name")[1].up__up__up__name or "-",
      }
    end
    assert.are.same({ 1, 0, 1, 1, 0, 0, 1, "n1" }, seen())
    for _, i in ipairs { 2, 3 } do
      rows[i]:delete()
      assert.are.same({ 0, 1, 0, 0, 1, 1, 0, "-" }, seen())
      rows[i]:restore()
    end
    rows[1]:delete()
    assert.are.equal(1, Note.objects:filter({ up__up__up__isnull = true, up__up__name = "n2" }):count())
    assert.are.equal(0, Note.objects:filter({ up__up__up__name = "n1" }):count())
    assert.are.equal(1, Note.objects:with_deleted("up.up.up"):filter({ up__up__up__name = "n1" }):count())
    assert.are.equal(0, Note.objects:with_deleted("up"):filter({ up__up__up__name = "n1" }):count())
    db:close()
  end)
end)

-- ---- texts of SQL that are as deep as they may get -------------------------------------------

describe("the deepest conditions", function()
  local db, Node

  before_each(function()
    db = tombstone.open ":memory:"
    Node = db:model("Node", {
      name = f.text { unique = true },
      n = f.integer { default = 0 },
      up = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "down" }),
      pals = f.many_to_many("Node", { related_name = "fans" }),
    }, { timestamps = true })
    db:create_tables()
    local last
    for i = 1, 3 do
      last = Node:create { name = "n" .. i, up = last }
    end
  end)

  after_each(function()
    db:close()
  end)

  local far = {
    up = { [("up__"):rep(60) .. "name__original"] = "x" },
    up_null = { [("up__"):rep(60) .. "name__ne"] = "x" },
    down = { [("down__"):rep(60) .. "name__icontains"] = "x", [("down__"):rep(59) .. "up__n__gt"] = 1 },
    pals = { [("pals__"):rep(30) .. "name"] = "x" },
    mixed = {
      [("down__"):rep(58) .. "name"] = "x",
      [("down__"):rep(58) .. "name__ne"] = "y",
      [("down__"):rep(58) .. "pals__isnull"] = true,
      [("down__"):rep(58) .. "up__name__in"] = { null, "z" },
    },
  }
  local READS = {
    all = function(query)
      query:order_by("-up__name"):all()
    end,
    slice = function(query)
      query:order_by("up__name"):limit(1):group_by("up__name"):aggregate { n = count "*" }
    end,
    each = function(query)
      for _ in query:order_by("-up__name"):each() do
        error "no row is there"
      end
    end,
    annotated = function(query)
      query:annotate({ m = max "down__name" }):filter({ m__original = "x" }):exists()
    end,
  }
  local WRITES = {
    update = function(query)
      query:limit(1):update { n = F "n" + 1 }
    end,
    delete = function(query)
      query:order_by("-up__name"):limit(1):delete { actor = "ana" }
    end,
    plan = function(query)
      query:delete_plan()
    end,
    purge = function(query)
      query:limit(1):purge { living = true }
    end,
  }
  local RETURNS = {
    restore = function(query)
      query:limit(1):restore { on_conflict = "rename", parents = true }
    end,
    plan = function(query)
      query:restore_plan()
    end,
    purge = function(query)
      query:limit(1):purge()
    end,
  }

  local function nested(cond, deep)
    for i = 1, deep do
      cond = i % 2 == 1 and tombstone.any { tombstone.all { cond, { n = -1 } }, { n = -2 } }
        or tombstone.all { tombstone.any { cond, { n = -3 } }, { n = -4 } }
    end
    return cond
  end

  for name, cond in pairs(far) do
    it("run in every call (" .. name .. ")", function()
      for _, calls in ipairs { READS, WRITES } do
        for _, call in pairs(calls) do
          call(Node.objects:filter(nested(cond, 6)):exclude(cond))
        end
      end
      Node.objects:get({ name = "n1" }):delete()
      for _, call in pairs(RETURNS) do
        call(Node.deleted_objects:filter(nested(cond, 6)):exclude(cond))
      end
      local event = db:events({})[1]
      READS.slice(event:rows(Node):filter(nested(cond, 6)))
      assert.are.equal(3, Node.deleted_objects:count())
    end)
  end

  it("and those that are deeper are refused in one line", function()
    local query = Node.objects
    local cond = { [("up__"):rep(60) .. "name"] = "x" }
    local err = helper.raises("misuse", query.filter, query, nested(cond, 40))
    assert.are.equal("A condition is nested more than 12 deep", err.message)
  end)
end)

-- ---- writes ----------------------------------------------------------------------------------

describe("writes that change what their own filter asks", function()
  local db, statements, Node

  before_each(function()
    statements = 0
    db = tombstone.open(":memory:", {
      log = function()
        statements = statements + 1
      end,
    })
    Node = db:model("Node", {
      name = f.text { unique = true },
      n = f.integer { default = 0 },
      up = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "down" }),
    })
    db:create_tables()
    local a = Node:create { name = "a" }
    local b = Node:create { name = "b", up = a, n = 1 }
    Node:create { name = "c", up = b, n = 2 }
    Node:create { name = "d", n = 3 }
  end)

  after_each(function()
    db:close()
  end)

  it("update all rows that it found", function()
    -- b is chosen by a, which the same statement changes
    assert.are.equal(2, Node.objects:filter({ down__n__gt = 0 }):update { n = -1 })
    assert.are.equal(2, Node.objects:filter({ n = -1 }):count())
    assert.are.equal(1, Node.objects:filter({ up__up__name = "a" }):update { up = null })
    assert.are.equal("a c d", by_name(Node.objects:filter { up__isnull = true }))
  end)

  it("delete, restore and purge them", function()
    assert.are.equal(3, (Node.objects:filter({ down__isnull = false }):delete())) -- a and b, and c below
    assert.are.equal("d", names(Node.objects))
    assert.are.equal(0, Node.deleted_objects:filter({ down__name__original = "b" }):restore())
    local shown = Node.deleted_objects:with_deleted("down", "up")
    assert.are.equal(1, shown:filter({ down__name__original = "b" }):restore())
    assert.are.equal("a b c d", by_name(Node.objects))
    Node.objects:get({ name = "a" }):delete()
    assert.are.equal(3, (shown:filter({ down__isnull = false }):purge()))
    assert.are.equal("d", by_name(Node.all_objects))
  end)

  it("of the first rows by an order across relations", function()
    assert.are.equal(1, Node.objects:order_by("-up__name"):limit(1):update { n = 50 })
    assert.are.equal("c", names(Node.objects:filter { n = 50 }))
    local figures = Node.objects:annotate { k = count "down" }
    assert.are.equal(1, (figures:filter({ k = 0 }):order_by("-n"):limit(1):delete()))
    assert.are.equal("a b d", by_name(Node.objects))
  end)

  it("take as many statements for one row as for many", function()
    local function statements_for(n)
      local top, rows = Node:create { name = "top" .. n }, {}
      for i = 1, n do
        rows[i] = { name = "x" .. n .. "." .. i, up = top }
      end
      Node:bulk_create(rows)
      local before = statements
      assert.are.equal(n, (Node.objects:filter({ up__name = "top" .. n }):delete()))
      return statements - before
    end
    assert.are.equal(statements_for(1), statements_for(200))
  end)
end)

it("a filter by lookups makes nothing of them", function()
  local db = tombstone.open ":memory:"
  local Author = db:model("Author", { name = f.text() })
  local Post = db:model("Post", { name = f.text { unique = true }, author = keep("Author", "posts") })
  db:create_tables()
  local ana = Author:create { name = "ana" }
  local post = Post:create { name = "1", author = ana }
  assert.are.equal(post.id, Post:get_or_create({ author__name = "ana" }, { name = "2" }).id)
  for _, call in ipairs {
    function()
      return Post:get_or_create({ author__name = "nobody" }, { name = "2" })
    end,
    function()
      return Post:create { author__name = "ana" }
    end,
    function()
      return Post:upsert({ author__name = "ana" }, { on = "name" })
    end,
    function()
      return Post.objects:filter({ author__name = "ana" }):update { name = F "author__name" }
    end,
    function()
      return Post.objects:filter { name = F "author__name" }
    end,
    function()
      return Post.objects:filter({ author__name = "ana" }):update { author__name = "x" }
    end,
  } do
    helper.raises("misuse", call)
  end
  assert.are.equal(1, Post.all_objects:count())
  db:close()
end)
