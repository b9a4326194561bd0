-- Many to many: declaring links, changing them, and their deaths and returns.
local tombstone = require "tombstone"
local family = require "model.family"
local helper = require "helper"
local f, count = tombstone.field, tombstone.count

local TAGS = { related_name = "posts" }

local function tag_model(db, options)
  return db:model("Tag", { name = f.text { unique = true } }, options)
end

local function post_model(db, link, options)
  return db:model("Post", { title = f.text(), tags = f.many_to_many("Tag", link or TAGS) }, options)
end

local function to(name, options)
  options = options or {}
  options.on_delete = options.on_delete or "cascade"
  return f.belongs_to(name, options)
end

local function names(query, field)
  local list = helper.list(query, field or "name")
  table.sort(list)
  return table.concat(list, " ")
end

-- Posts p and q, tags a, b and c. `link_fields` declare the model of the links.
local function blog(link_fields, link_options, options)
  local db = tombstone.open(":memory:", options)
  local s = { db = db, Tag = tag_model(db) }
  local link = link_fields and { related_name = "posts", through = "Link" } or TAGS
  s.Post = post_model(db, link)
  s.Link = link_fields and db:model("Link", link_fields, link_options) or db:model "Post_tags"
  db:create_tables()
  s.p, s.q = s.Post:create { title = "p" }, s.Post:create { title = "q" }
  s.a, s.b, s.c = s.Tag:create { name = "a" }, s.Tag:create { name = "b" }, s.Tag:create { name = "c" }
  return s
end

-- The rows of the three tables, as a text.
local function stored(db)
  return (family.digest(db):gsub("sqlite_sequence:.-\ntag:", "tag:"):gsub("tombstone_event:.*", ""))
end

local function call(query, verb, ...)
  return query[verb](query, ...)
end

-- A row's relation is asked anew: a query belongs to what the row was.
local function refuses(kind, message, row, relation, verb, ...)
  return helper.refuses(kind, message, call, row[relation](row), verb, ...)
end

-- ---- declaring -------------------------------------------------------------------------

describe("many_to_many is declared", function()
  local db

  before_each(function()
    db = tombstone.open ":memory:"
  end)

  after_each(function()
    db:close()
  end)

  local function link_model()
    return db:model("Link", { post = to "Post", tag = to "Tag" })
  end

  it("in every order of the three models", function()
    local declare = {
      Tag = tag_model,
      Post = function(own)
        post_model(own, { related_name = "posts", through = "Link" })
      end,
      Link = function(own)
        own:model("Link", { tag = to "Tag", post = to "Post" })
      end,
    }
    helper.each_order({ "Tag", "Post", "Link" }, function(order)
      local own = tombstone.open ":memory:"
      for _, name in ipairs(order) do
        declare[name](own)
      end
      own:create_tables()
      local post = own:model("Post"):create { title = "p" }
      local tag = own:model("Tag"):create { name = "a" }
      assert.are.equal(1, post:tags():add(tag))
      assert.are.equal("p", names(tag:posts(), "title"))
      own:close()
    end)
  end)

  it("with a model of the links that it makes", function()
    local Post, Tag = post_model(db), tag_model(db)
    db:create_tables()
    local Link = db:model "Post_tags"
    local fields = {}
    for i, field in ipairs(Link:fields()) do
      fields[i] = field.name
    end
    table.sort(fields)
    assert.are.same({ "deleted_at", "deleted_event", "id", "post_id", "tag_id" }, fields)
    local post = Post:create { title = "p" }
    post:tags():add(Tag:create { name = "a" })
    local link = Link.objects:get {}
    assert.are.equal("p", link:post().title)
    assert.are.equal("a", link:tag().name)
    assert.are.equal(1, db:query("SELECT count(*) AS n FROM post_tags")[1].n)
  end)

  it("with a table of another name", function()
    local Post, Tag = post_model(db, { table = "marks" }), tag_model(db)
    db:create_tables()
    Post:create({ title = "p" }):tags():add(Tag:create { name = "a" })
    assert.are.equal(1, db:query("SELECT count(*) AS n FROM marks")[1].n)
  end)

  it("without a way back, which no filter then finds", function()
    local Post, Tag = post_model(db, {}), tag_model(db)
    db:create_tables()
    local post, tag = Post:create { title = "p" }, Tag:create { name = "a" }
    post:tags():add(tag)
    assert.are.equal("a", names(post:tags()))
    assert.is_nil(Tag.posts)
    helper.refuses("misuse", "Tag has no field 'posts'", Tag.objects.filter, Tag.objects, { posts = 1 })
  end)

  it("of a model to itself, there and back", function()
    local User = db:model("User", {
      name = f.text(),
      follows = f.many_to_many("User", { related_name = "followers" }),
    })
    db:create_tables()
    local ana, ben = User:create { name = "ana" }, User:create { name = "ben" }
    assert.are.equal(1, ana:follows():add(ben))
    assert.are.equal(1, ana:follows():add(ana))
    assert.are.equal("ana ben", names(ana:follows()))
    assert.are.equal("ana", names(ben:followers()))
    assert.are.equal("", names(ben:follows()))
    local link = db:model("User_follows").objects:get { to_user_id = ben.id }
    assert.are.equal(ana.id, link.from_user_id)
    local event = ana:delete()
    assert.are.same({ User = 1, User_follows = 2 }, event:counts())
    assert.are.equal("", names(ben:followers()))
    event:undo()
    assert.are.equal("ana ben", names(ana:follows()))
  end)

  it("of a model to itself through one of its own: the first field points here", function()
    local User = db:model("User", {
      name = f.text(),
      follows = f.many_to_many("User", { through = "Follow", related_name = "followers" }),
      blocks = f.many_to_many("User", { through = "Follow", near = "whom_id", far = "who_id" }),
    })
    db:model("Follow", { who = to "User", whom = to "User" })
    db:create_tables()
    local ana, ben = User:create { name = "ana" }, User:create { name = "ben" }
    ana:follows():add(ben)
    assert.are.equal("ana", names(ben:followers()))
    assert.are.equal("ana", names(ben:blocks()))
  end)

  it("twice between the same models", function()
    tag_model(db)
    local Post = db:model("Post", {
      title = f.text(),
      tags = f.many_to_many("Tag", { related_name = "posts" }),
      main_tags = f.many_to_many("Tag", { related_name = "main_posts" }),
    })
    db:create_tables()
    local post, tag = Post:create { title = "p" }, db:model("Tag"):create { name = "a" }
    post:main_tags():add(tag)
    assert.are.same({ 0, 1 }, { post:tags():count(), post:main_tags():count() })
    assert.are.same({ 0, 1 }, { tag:posts():count(), tag:main_posts():count() })
  end)

  it("by both sides, each with links of its own", function()
    local Post = db:model("Post", { title = f.text(), tags = f.many_to_many "Tag" })
    local Tag = db:model("Tag", { name = f.text(), posts = f.many_to_many "Post" })
    db:create_tables()
    local post, tag = Post:create { title = "p" }, Tag:create { name = "a" }
    post:tags():add(tag)
    assert.are.same({ 1, 0 }, { post:tags():count(), tag:posts():count() })
  end)

  it("between models whose keys are texts", function()
    local Town = db:model("Town", {
      code = f.text { primary_key = true },
      roads = f.many_to_many("Road", { related_name = "towns" }),
    })
    local Road = db:model("Road", { nr = f.text { primary_key = true } })
    db:create_tables()
    local town, road = Town:create { code = "ber" }, Road:create { nr = "a'1" }
    town:roads():add(road)
    assert.are.equal("a'1", names(town:roads(), "nr"))
    assert.are.equal("ber", names(road:towns(), "code"))
    road:delete():undo()
    assert.are.equal(1, Town.objects:filter({ roads = road }):count())
  end)

  it("between models with names that rows answer to", function()
    db:model("Id", { name = f.text() })
    local Save = db:model("Save", { ids = f.many_to_many("Id", { related_name = "saves" }) })
    db:create_tables()
    Save:create({}):ids():create { name = "x" }
    assert.are.equal(1, db:model("Save_ids").objects:filter({ save_row_id = 1, id_row_id = 1 }):count())
  end)

  it("through a model without soft delete, whose links go for good", function()
    tag_model(db)
    local Post = post_model(db, { related_name = "posts", through = "Link" })
    local Link = db:model("Link", {
      post = to("Post", { on_delete = "restrict" }),
      tag = to("Tag", { on_delete = "restrict" }),
    }, { soft_delete = false })
    db:create_tables()
    local post, tag = Post:create { title = "p" }, db:model("Tag"):create { name = "a" }
    post:tags():add(tag)
    helper.raises("restricted", tag.delete, tag)
    local answers = { post:tags():remove(tag) }
    assert.are.same({ 1 }, answers)
    assert.are.equal(0, Link.all_objects:count())
    assert.are.equal(1, post:tags():set { tag })
    assert.are.equal(0, post:tags():set {})
    assert.are.equal(0, Link.all_objects:count())
    tag:delete()
  end)

  it("through a model that is stamped only", function()
    tag_model(db)
    local Post = post_model(db, { through = "Link" })
    local Link = db:model("Link", {
      post = to("Post", { on_delete = "restrict" }),
      tag = to("Tag", { on_delete = "restrict" }),
    }, { soft_delete = { event = false } })
    db:create_tables()
    local post, tag = Post:create { title = "p" }, db:model("Tag"):create { name = "a" }
    post:tags():add(tag)
    assert.are.same({ 1 }, { post:tags():remove(tag) })
    assert.are.same({ 0, 1 }, { Link.objects:count(), Link.deleted_objects:count() })
  end)

  it("through a model that keeps its links", function()
    tag_model(db)
    local Post = post_model(db, { through = "Link", related_name = "posts" })
    local Link = db:model("Link", {
      post = to("Post", { on_delete = "keep", null = true }),
      tag = to("Tag", { on_delete = "keep", null = true }),
    })
    db:create_tables()
    local post, tag = Post:create { title = "p" }, db:model("Tag"):create { name = "a" }
    post:tags():add(tag)
    local event = tag:delete()
    assert.are.same({ 1, 0 }, { Link.objects:count(), post:tags():count() })
    event:undo()
    assert.are.equal(1, post:tags():count())
    tag:delete()
    tag:purge()
    assert.is_nil(Link.objects:get({}).tag_id)
  end)

  -- ---- what is refused -----------------------------------------------------------------

  local function declare(name, fields, options)
    return db.model, db, name, fields, options
  end

  -- Nothing is declared then, and the name can be used again.
  local function refused(message, hint, name, fields, options)
    local err = helper.refuses("misuse", message, declare(name, fields, options))
    assert.are.equal(hint, err.hint)
    helper.raises("misuse", db.model, db, name)
    assert.is_true(pcall(declare(name, { plain = f.text() })))
  end

  it("not under a name that hides another", function()
    local other = "give it another name"
    refused("Post.save would hide the method of that name", other, "Post", { save = f.many_to_many "Tag" })
    refused("A.objects would hide the method of that name", other, "A", { objects = f.many_to_many "Tag" })
    refused("B.tags would hide the relation of that name", "give it another name", "B", {
      tags = f.many_to_many "Tag",
      tag = to("Tag", { attr = "tags" }),
    })
  end)

  it("not with a related name that hides another", function()
    db:model("Tag", { posts = f.text() })
    local function with(name)
      return { tags = f.many_to_many("Tag", { related_name = name }) }
    end
    local another = "pass Post.tags another related_name"
    refused("Tag.posts would hide the field of that name", another, "Post", with "posts")
    another = "pass A.tags another related_name"
    refused("Tag.delete would hide the method of that name", another, "A", with "delete")
    refused("related_name of B.tags is a name, not a number", nil, "B", with(5))
    helper.raises("misuse", declare("C", with "po__sts"))
    helper.raises("misuse", declare("C", with "posts_"))
    db:model("Word", { words = f.many_to_many("Word", { related_name = "worded" }) })
    helper.refuses("misuse", "Word.words would hide the relation of that name", declare("D", {
      words = f.many_to_many("Word", { related_name = "words" }),
    }))
  end)

  it("not under a bad name", function()
    for _, name in ipairs { "ta__gs", "tags_", "ta gs", "1tags" } do
      helper.refuses(
        "misuse",
        "Post: a relation cannot be called '" .. name .. "'",
        declare("Post", { [name] = f.many_to_many "Tag" })
      )
    end
  end)

  it("not with options that nobody would obey", function()
    tag_model(db)
    local function with(options)
      return { tags = f.many_to_many("Tag", options) }
    end
    helper.refuses("misuse", "through of P.tags is a name, not a number", declare("P", with { through = 5 }))
    helper.refuses(
      "misuse",
      "near of P.tags is a field of a model of yours",
      declare("P", with { near = "post_id" })
    )
    helper.refuses("misuse", "far of P.tags is a field of a model of yours", declare("P", with { far = "x" }))
    helper.refuses(
      "misuse",
      "P.tags takes table or through, not both",
      declare("P", with { table = "x", through = "Link" })
    )
    helper.refuses(
      "misuse",
      "near and far of P.tags are one field",
      declare("P", with { through = "Link", near = "x_id", far = "x_id" })
    )
    helper.raises("misuse", declare("P", with { table = "" }))
    helper.refuses("misuse", "many_to_many has no option 'on_delete'", with, { on_delete = "cascade" })
    helper.refuses("misuse", "many_to_many has no option 'null'", with, { null = true })
    helper.refuses("misuse", "many_to_many takes a table of options, not a string", with, "Link")
    helper.refuses("misuse", "many_to_many takes the name of a model, not a nil", f.many_to_many)
    helper.refuses("misuse", "many_to_many takes the name of a model, not a table", f.many_to_many, {})
  end)

  it("not where a model has the name of its links", function()
    db:model("Post_tags", { name = f.text() })
    refused("There is a model 'Post_tags' already", "a model is declared once a database", "Post", {
      tags = f.many_to_many "Tag",
    })
  end)

  it("not where links cannot die with a side", function()
    local message = "Post.tags: links cannot die with Post, which has no events"
    local hint = "declare a model of the links, and name it with through"
    refused(message, hint, "Post", { tags = f.many_to_many "Tag" }, { soft_delete = false })
    refused("A.tags: links cannot die with A, which has no events", hint, "A", {
      tags = f.many_to_many "Tag",
    }, { soft_delete = { event = false } })
    tag_model(db, { soft_delete = false })
    helper.refuses(
      "misuse",
      "B_tags.tag_id cannot cascade - Tag has no events",
      declare("B", { tags = f.many_to_many "Tag" })
    )
    helper.raises("misuse", db.model, db, "B")
  end)

  it("not through a model that does not point to both, whichever comes last", function()
    tag_model(db)
    local link = { tags = f.many_to_many("Tag", { through = "Link" }) }
    local message = "Post.tags: Link has no relation to Tag"
    db:model("Post", link)
    local err = helper.refuses("misuse", message, declare("Link", { post = to "Post" }))
    assert.are.equal("it must point to both models with belongs_to", err.hint)
    link_model()
    local own = tombstone.open ":memory:"
    tag_model(own)
    own:model("Link", { post = to "Post" })
    helper.refuses("misuse", message, own.model, own, "Post", link)
    own:close()
  end)

  it("not through a model that points to one side in several ways, until they are named", function()
    tag_model(db)
    db:model("Link", { post = to "Post", other = to "Post", tag = to "Tag" })
    local function through(options)
      options.through = "Link"
      return { title = f.text(), tags = f.many_to_many("Tag", options) }
    end
    local err = helper.refuses(
      "misuse",
      "Post.tags: Link has more than one relation to Post",
      declare("Post", through {})
    )
    assert.are.equal("name the fields with near and far", err.hint)
    for _, name in ipairs { "post", "posts_id", "tag_id" } do
      err = helper.refuses(
        "misuse",
        "Post.tags: Link." .. name .. " is no relation to Post",
        declare("Post", through { near = name })
      )
      assert.are.equal('near and far name fields, as in near = "post_id"', err.hint)
    end
    db:model("Post", through { near = "other_id" })
  end)

  it("not of a model to itself through one that points to it once, or thrice", function()
    local function follows(name)
      return { follows = f.many_to_many(name, { through = name .. "_link" }) }
    end
    db:model("A", follows "A")
    local err = helper.refuses(
      "misuse",
      "A.follows: A_link has only one relation to A",
      declare("A_link", { a = to "A" })
    )
    assert.are.equal("it must point to it twice, with belongs_to", err.hint)
    helper.refuses(
      "misuse",
      "A.follows: A_link has more than one relation to A",
      declare("A_link", { a = to "A", b = to "A", c = to "A" })
    )
    db:model("A_link", { a = to "A", b = to "A" })
  end)

  it("and says what is missing while a model is", function()
    local Post = post_model(db)
    local err = helper.raises("misuse", db.create_tables, db)
    assert.are.equal("declare the model Tag", err.hint)
    helper.refuses("misuse", "Post.tags needs models that are not declared", function()
      local row = setmetatable({ id = 1 }, Post)
      return row:tags()
    end)
  end)
end)

-- ---- add, remove, set, create ----------------------------------------------------------------

describe("links", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    assert.are.equal(0, s.db:depth())
    s.db:close()
  end)

  it("are added once, from either side", function()
    assert.are.equal(2, s.p:tags():add(s.a, s.b))
    assert.are.equal(1, s.p:tags():add(s.b, s.c, s.c))
    assert.are.equal(0, s.a:posts():add(s.p))
    assert.are.equal(1, s.a:posts():add(s.q))
    assert.are.equal("a b c", names(s.p:tags()))
    assert.are.equal("p q", names(s.a:posts(), "title"))
    assert.are.equal(4, s.Link.all_objects:count())
    assert.are.equal(0, s.p:tags():add())
  end)

  it("are removed, which is an event", function()
    s.p:tags():add(s.a, s.b, s.c)
    local n, event = s.p:tags():remove(s.a, s.b)
    assert.are.equal(2, n)
    assert.are.same({ Post_tags = 2 }, event:counts())
    assert.are.equal("c", names(s.p:tags()))
    n, event = s.p:tags():remove(s.a)
    assert.are.equal(0, n)
    assert.is_nil(event)
    assert.are.equal(1, s.c:posts():remove(s.p))
    assert.are.equal(0, s.p:tags():remove())
  end)

  it("come back when the removal is undone", function()
    s.p:tags():add(s.a, s.b)
    local before = stored(s.db)
    local _, event = s.p:tags():remove(s.a, s.b)
    assert.are.equal(2, event:undo())
    assert.are.equal("a b", names(s.p:tags()))
    assert.are.equal(1, #s.db:events())
    assert.are.equal(before, stored(s.db))
  end)

  it("that were made anew meanwhile are in the way of an undo, which names the two", function()
    s.p:tags():add(s.a)
    local old = s.Link.objects:get {}
    local _, event = s.p:tags():remove(s.a)
    s.p:tags():add(s.a)
    local new = s.Link.objects:get {}
    local err = helper.raises("integrity", event.undo, event)
    assert.are.equal("Post_tags", err.model)
    assert.are.same({ old.id, new.id }, { err.conflicts[1].dead_pk, err.conflicts[1].live_pk })
    assert.are.equal(0, event:undo { on_conflict = "skip" })
    assert.are.equal("a", names(s.p:tags()))
  end)

  it("are set to a list", function()
    s.p:tags():add(s.a, s.b)
    s.q:tags():add(s.a)
    local kept = s.Link.objects:get { post = s.p, tag = s.b }
    assert.are.equal(1, s.p:tags():set { s.b, s.c })
    assert.are.equal("b c", names(s.p:tags()))
    assert.are.equal("a", names(s.q:tags()))
    assert.is_false(kept:reload():is_deleted())
    assert.are.equal(0, s.p:tags():set { s.b, s.c })
    assert.are.equal(0, s.p:tags():set {})
    assert.are.equal("", names(s.p:tags()))
  end)

  it("leave the list that they are set to as it is", function()
    local list = { s.a, s.b }
    s.p:tags():set(list)
    assert.are.same({ s.a, s.b }, list)
  end)

  it("are created with the row behind them, or neither is", function()
    local tag = s.p:tags():create { name = "new" }
    assert.are.equal("new", tag.name)
    assert.are.equal("new", names(s.p:tags()))
    helper.raises("integrity", call, s.p:tags(), "create", { name = "new" })
    local no_such = "Post_tags has no field 'weight'"
    refuses("misuse", no_such, s.p, "tags", "create", { name = "n" }, { weight = 1 })
    s.q:delete()
    helper.raises("parent_deleted", call, s.q:tags(), "create", { name = "n" })
    assert.is_nil(s.Tag.all_objects:find { name = "n" })
    assert.are.equal(1, s.Link.all_objects:count())
  end)

  it("are rolled back with the transaction around them", function()
    s.p:tags():add(s.a)
    pcall(s.db.transaction, s.db, function()
      s.p:tags():set { s.b, s.c }
      s.p:tags():create { name = "d" }
      error "back"
    end)
    assert.are.equal("a", names(s.p:tags()))
  end)

  it("of one call are made together: a bad row undoes the good ones", function()
    s.b:delete()
    helper.raises("parent_deleted", call, s.p:tags(), "add", s.a, s.b, s.c)
    s.p:tags():add(s.a)
    helper.raises("parent_deleted", call, s.p:tags(), "set", { s.b })
    assert.are.equal("a", names(s.p:tags()))
  end)

  it("take rows of the model only, in one clear line", function()
    local other = blog()
    local cases = {
      { "add takes rows of Tag, not a table", { s.a } },
      { "add takes rows of Tag, not a table", { weight = 3 } },
      { "add takes rows of Tag, not a number", 1 },
      { "add takes rows of Tag, not a string", "a" },
      { "add takes rows of Tag, not a userdata", tombstone.null },
      { "add takes rows of Tag, not a table", s.Tag },
      { "add takes rows of Tag, not of Post", s.p },
      { "add takes rows of Tag, not of another database", other.a },
      { "add takes saved rows of Tag", s.Tag:new { name = "x" } },
      { "add takes saved rows of Tag", s.Tag:new { id = 77, name = "x" } },
    }
    for _, case in ipairs(cases) do
      refuses("misuse", case[1], s.p, "tags", "add", case[2])
      refuses("misuse", case[1], s.p, "tags", "add", s.b, case[2], s.c)
      refuses("misuse", case[1]:gsub("^add", "remove"):sub(1), s.p, "tags", "remove", case[2])
      refuses("misuse", case[1]:gsub("^add", "set"):sub(1), s.p, "tags", "set", { case[2] })
    end
    for _, verb in ipairs { "add", "remove" } do
      refuses("misuse", verb .. " takes rows, not a nil", s.p, "tags", verb, nil)
      refuses("misuse", verb .. " takes rows, not a nil", s.p, "tags", verb, s.a, nil)
      refuses("misuse", verb .. " takes rows, not a nil", s.p, "tags", verb, s.a, nil, s.b)
    end
    other.db:close()
    assert.are.equal(0, s.Link.all_objects:count())
  end)

  it("are not all taken away by what is no list", function()
    s.p:tags():add(s.a)
    for _, wrong in ipairs { s.a, { a = s.a }, { [2] = s.a }, { s.a, x = s.b }, 5, "a", s.p:tags() } do
      refuses("misuse", "set takes a list of rows", s.p, "tags", "set", wrong)
    end
    refuses("misuse", "set takes a list of rows", s.p, "tags", "set")
    refuses("misuse", "set takes one list of rows", s.p, "tags", "set", { s.b }, { s.c })
    assert.are.equal("a", names(s.p:tags()))
  end)

  it("that are refined are none any more, and a manager has none", function()
    local message = "add is asked of a relation, as in author:posts():add"
    for _, query in ipairs {
      s.p:tags():filter { name = "a" }, s.p:tags():order_by "name", s.p:tags():limit(1), s.Tag.objects,
    } do
      helper.refuses("misuse", message, query.add, query, s.a)
      helper.raises("misuse", query.remove, query, s.a)
      helper.raises("misuse", query.set, query, {})
      helper.raises("misuse", query.create, query, { name = "x" })
    end
  end)

  it("need a saved row that is there", function()
    helper.raises("misuse", function()
      return s.Post:new({ title = "x" }):tags()
    end)
    helper.refuses("misuse", "A row of Post is needed, not a nil", s.p.tags)
    local gone
    pcall(s.db.transaction, s.db, function()
      gone = s.Tag:create { name = "gone" }
      error "back"
    end)
    helper.raises("misuse", call, s.p:tags(), "add", gone)
    local row = s.Post:create { title = "purged" }
    row:purge()
    helper.raises("integrity", call, row:tags(), "add", s.a)
    assert.are.equal(0, row:tags():count())
  end)

  it("lead from no dead post, and to no dead tag", function()
    s.p:tags():add(s.a)
    s.p:delete()
    assert.are.equal(0, s.p:tags():count())
    helper.raises("parent_deleted", call, s.p:tags(), "add", s.b)
    assert.are.equal(0, s.p:tags():remove(s.a))
    s.b:delete()
    helper.raises("parent_deleted", call, s.q:tags(), "add", s.b)
  end)

  it("take a number of statements that does not grow with the rows, but for one INSERT a link", function()
    local statements = 0
    local function log(sql)
      statements = statements + (sql:match '^INSERT INTO "post_tags"' and 0 or 1)
    end
    local function cost(n)
      local own = blog(nil, nil, { log = log })
      local tags, costs = {}, {}
      for i = 1, n do
        tags[i] = own.Tag:create { name = "t" .. i }
      end
      local function measure(what, ...)
        statements = 0
        local results = { what(...) }
        costs[#costs + 1] = statements
        return helper.unpack(results)
      end
      local _, event
      measure(call, own.p:tags(), "add", helper.unpack(tags))
      measure(call, own.p:tags(), "add", helper.unpack(tags))
      measure(call, own.p:tags(), "set", { own.a })
      measure(call, own.p:tags(), "set", tags)
      _, event = measure(call, own.p:tags(), "remove", helper.unpack(tags))
      measure(event.undo, event)
      event = measure(own.p.delete, own.p)
      measure(event.undo, event)
      own.db:close()
      return costs
    end
    assert.are.same(cost(3), cost(60))
  end)
end)

describe("links with values of their own", function()
  local s

  before_each(function()
    s = blog {
      post = to("Post", { related_name = "links" }),
      tag = to "Tag",
      weight = f.integer { default = 1 },
    }
  end)

  after_each(function()
    s.db:close()
  end)

  it("get them from add and create", function()
    s.p:tags():add(s.a, s.b, { weight = 3 })
    s.p:tags():add(s.c)
    s.p:tags():create({ name = "d" }, { weight = 4 })
    assert.are.same({ 3, 3, 1, 4 }, helper.list(s.Link.objects:order_by "id", "weight"))
    assert.are.equal(0, s.p:tags():add(s.a, { weight = 9 })) -- it is there, and stays as it is
    assert.are.equal(3, s.p:links():filter({ tag = s.a }):first().weight)
    assert.are.equal(2, s.p:tags():filter({ name__in = { "a", "b" } }):count())
  end)

  it("take names, and not what the link gives itself", function()
    local near = "add gives post_id by itself"
    refuses("misuse", near, s.p, "tags", "add", s.a, { post_id = 7 })
    refuses("misuse", "add gives tag_id by itself", s.p, "tags", "add", s.a, { tag_id = 7 })
    refuses("misuse", "add takes values of the links by name", s.p, "tags", "add", s.a, { s.b })
    refuses("misuse", "Link has no field 'wait'", s.p, "tags", "add", s.a, { wait = 3 })
    local not_valid = "Link is not valid - weight must be an integer"
    refuses("validation", not_valid, s.p, "tags", "add", s.a, { weight = "x" })
    local no_table = "create takes a table of values, not a number"
    refuses("misuse", no_table, s.p, "tags", "create", { name = "d" }, 5)
    assert.are.equal(0, s.Link.all_objects:count())
    assert.are.equal(3, s.Tag.all_objects:count())
  end)

  it("may be there twice, and show a row once", function()
    s.Link:bulk_create { { post = s.p, tag = s.a }, { post = s.p, tag = s.a, weight = 2 } }
    assert.are.same({ "a" }, helper.list(s.p:tags(), "name"))
    assert.are.equal(2, (s.p:tags():remove(s.a)))
  end)
end)

-- ---- hooks --------------------------------------------------------------------------------

describe("hooks of links", function()
  it("run for each link that is made or removed, and may refuse it", function()
    local told, stop = {}, false
    local function tell(what)
      return function(link)
        told[#told + 1] = what .. " " .. link.tag_id
        if stop then
          error("no " .. what, 0)
        end
      end
    end
    local s = blog({ post = to "Post", tag = to "Tag" }, {
      on = { before_save = tell "save", before_delete = tell "delete", before_restore = tell "restore" },
    })
    s.p:tags():add(s.a, s.b)
    local _, event = s.p:tags():remove(s.a)
    event:undo()
    assert.are.same({ "save 1", "save 2", "delete 1", "restore 1" }, told)
    stop = true
    assert.is_false(pcall(call, s.p:tags(), "add", s.c))
    assert.is_false(pcall(call, s.p:tags(), "remove", s.a))
    assert.is_false(pcall(call, s.p:tags(), "create", { name = "d" }))
    assert.are.equal("a b", names(s.p:tags()))
    assert.are.equal(3, s.Tag.all_objects:count())
    s.db:close()
  end)
end)

-- ---- deaths and returns -----------------------------------------------------------------------

describe("links die and come back with their sides:", function()
  local s

  before_each(function()
    s = blog()
    s.p:tags():add(s.a, s.b)
    s.q:tags():add(s.a)
  end)

  after_each(function()
    assert.are.same({}, s.db:query "PRAGMA foreign_key_check")
    s.db:close()
  end)

  it("one event, whichever side it is", function()
    local before = stored(s.db)
    for _, row in ipairs { s.p, s.a } do
      local event = row:reload():delete()
      assert.are.equal(2, event:counts().Post_tags)
      assert.are.equal(1, s.Link.objects:count())
      assert.are.equal(3, event:undo())
      assert.are.equal(before, stored(s.db))
    end
  end)

  it("exactly, in every order of two deletions and two undos", function()
    local before = stored(s.db)
    helper.each_order({ "p", "a" }, function(deleted)
      local order = { helper.unpack(deleted) }
      helper.each_order({ "p", "a" }, function(undone)
        local events = {}
        for _, name in ipairs(order) do
          events[name] = s[name]:reload():delete()
        end
        assert.are.equal(0, s.Link.objects:count())
        events[undone[1]]:undo()
        -- the link of p and a waits for both; the one that p or a has besides comes back
        assert.are.equal(1, s.Link.objects:count())
        assert.are.equal(0, s.Link.objects:filter({ post_id = s.p.id, tag_id = s.a.id }):count())
        events[undone[2]]:undo()
        assert.are.equal(before, stored(s.db))
        assert.are.same({}, s.db:query "SELECT 1 FROM tombstone_owner")
      end)
    end)
  end)

  it("by restore, too", function()
    s.p:delete()
    s.a:delete()
    s.p:restore()
    assert.are.equal("b", names(s.p:tags()))
    s.a:restore()
    assert.are.equal("a b", names(s.p:tags()))
  end)

  it("all of a query in one event", function()
    local n, event = s.Tag.objects:delete { all = true }
    assert.are.equal(3, n)
    assert.are.same({ Tag = 3, Post_tags = 3 }, event:counts())
    assert.are.equal(6, event:undo())
    assert.are.equal("a b", names(s.p:tags()))
  end)

  it("one that was removed on its own stays dead, until that is undone", function()
    local _, removal = s.p:tags():remove(s.a)
    local event = s.p:delete()
    event:undo()
    assert.are.equal("b", names(s.p:tags()))
    removal:undo()
    assert.are.equal("a b", names(s.p:tags()))
  end)

  it("a removal that is undone while a side is dead waits for it", function()
    local _, removal = s.p:tags():remove(s.a)
    local event = s.a:delete()
    assert.are.equal(0, removal:undo())
    assert.are.equal("b", names(s.p:tags()))
    event:undo()
    assert.are.equal("a b", names(s.p:tags()))
  end)

  it("new ones may be added while old ones are dead", function()
    local event = s.a:delete()
    s.p:tags():add(s.c)
    event:undo()
    assert.are.equal("a b c", names(s.p:tags()))
  end)

  it("a plan of the deletion counts them", function()
    assert.are.same({ Post = 1, Post_tags = 2 }, s.Post.objects:filter({ title = "p" }):delete_plan())
  end)

  it("max_rows counts them", function()
    helper.raises("too_many", function()
      s.Post.objects:filter({ title = "p" }):delete { max_rows = 2 }
    end)
    assert.are.equal(3, s.Link.objects:count())
  end)

  it("a purge of either side takes them, and a forget", function()
    s.a:delete()
    s.a:purge()
    assert.are.equal(1, s.Link.all_objects:count())
    s.p:forget()
    assert.are.equal(0, s.Link.all_objects:count())
    assert.are.same({ 1, 2 }, { s.Post.all_objects:count(), s.Tag.all_objects:count() })
  end)
end)

-- ---- asking ---------------------------------------------------------------------------------

describe("questions across links", function()
  local s

  before_each(function()
    s = blog()
    s.p:tags():add(s.a, s.b)
    s.q:tags():add(s.b)
    s.b:delete()
  end)

  after_each(function()
    s.db:close()
  end)

  local function titles(query)
    return names(query, "title")
  end

  it("see no dead row in lookups, and none over a dead link", function()
    local Post = s.Post
    assert.are.equal("p", titles(Post.objects:filter { tags__name = "a" }))
    assert.are.equal("", titles(Post.objects:filter { tags__name__startswith = "b" }))
    assert.are.equal("p", titles(Post.objects:filter { tags = s.a }))
    assert.are.equal("p", titles(Post.objects:filter { tags = { s.a, s.b } }))
    assert.are.equal("p", titles(Post.objects:filter { tags__isnull = false }))
    assert.are.equal("q", titles(Post.objects:filter { tags__isnull = true }))
    assert.is_true(s.p:tags():exists())
    assert.is_false(s.q:tags():exists())
  end)

  it("see the dead along the ways that are named", function()
    local shown = s.Post.objects:with_deleted "tags"
    assert.are.equal("p q", titles(shown:filter { tags__name__startswith = "b" }))
    assert.are.equal("p q", titles(shown:filter { tags__isnull = false }))
  end)

  it("order, take values and count", function()
    local Post = s.Post
    local rows = Post.objects:order_by("title"):annotate({ n = count "tags" }):all()
    assert.are.same({ 1, 0 }, { rows[1].n, rows[2].n })
    local values = Post.objects:order_by("title"):values("title", "tags__name")
    assert.are.same({ title = "p", tags__name = "a" }, values[1])
    assert.are.equal("q", values[2].title)
    assert.is_nil(values[2].tags__name)
    s.q:tags():add(s.a, s.c)
    assert.are.equal(2, s.q:tags():order_by("-name"):count())
    assert.are.same({ "c", "a" }, helper.list(s.q:tags():order_by "-name", "name"))
    assert.are.equal(2, s.q:tags():aggregate({ n = count "*" }).n)
  end)

  it("are explained: each table, and which of its rows are seen", function()
    local seen = {}
    for _, part in ipairs(s.Post.objects:filter({ tags__name = "a" }):explain_liveness()) do
      seen[#seen + 1] = part.model .. " " .. part.rows
    end
    table.sort(seen)
    assert.are.equal(3, #seen)
    for _, line in ipairs(seen) do
      assert.is_truthy(line:match " living$", line)
    end
  end)

  it("of a relation are queries like others", function()
    assert.are.equal("a", names(s.p:tags():filter { name__ne = "x" }))
    assert.are.equal(1, s.p:tags():update { name = "z" })
    local n, event = s.p:tags():delete()
    assert.are.equal(1, n)
    assert.are.same({ Tag = 1, Post_tags = 1 }, event:counts())
  end)
end)
