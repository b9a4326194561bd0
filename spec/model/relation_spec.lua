-- Relations as programs see them: declaring, the ways from row to row, rows in place of keys.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local null = tombstone.null

local function options(more)
  local all = { on_delete = "cascade", related_name = "posts", null = true }
  for name, value in pairs(more or {}) do
    all[name] = value
  end
  return all
end

local function author(db, more)
  return db:model("Author", { name = f.text { unique = true } }, more)
end

local function post(db, more, model_options)
  return db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
    author = f.belongs_to("Author", options(more)),
  }, model_options)
end

local function blog(model_options)
  local db = tombstone.open ":memory:"
  local Author, Post = author(db), post(db, nil, model_options)
  db:create_tables()
  return db, Author, Post
end

local function described(model, name)
  for _, field in ipairs(model:fields()) do
    if field.name == name then
      return field
    end
  end
end

local function titles(query)
  local list = helper.list(query, "title")
  table.sort(list)
  return list
end

describe("belongs_to", function()
  local db

  before_each(function()
    db = tombstone.open ":memory:"
  end)

  after_each(function()
    db:close()
  end)

  it("makes a field and column of the parent's key", function()
    author(db)
    local Post = post(db)
    assert.are.same(
      { name = "author_id", column = "author_id", type = "integer", primary_key = false, null = true },
      described(Post, "author_id")
    )
    assert.is_nil(described(Post, "author"))
  end)

  it("takes the type of a key that is a text, whichever model comes first", function()
    for _, parent_first in ipairs { true, false } do
      local own = tombstone.open ":memory:"
      local function country()
        return own:model("Country", { code = f.char { max_length = 2, primary_key = true } })
      end
      local Country = parent_first and country()
      local City = own:model("City", {
        name = f.text(),
        country = f.belongs_to("Country", { on_delete = "restrict", related_name = "cities" }),
      })
      Country = Country or country()
      own:create_tables()
      assert.are.equal("char", described(City, "country_id").type)
      local it_ = Country:create { code = "it" }
      local rome = City:create { name = "Rome", country = it_ }
      assert.are.equal("it", rome.country_id)
      assert.are.equal("it", rome:country().code)
      assert.are.equal("Rome", it_:cities():first().name)
      assert.are.equal(1, City.objects:filter({ country = it_ }):count())
      assert.are.equal(0, City.objects:exclude({ country = it_ }):count())
      own:close()
    end
  end)

  it("stands among the columns in the order of the calls", function()
    local Post = post(db)
    local names = {}
    for i, field in ipairs(Post:fields()) do
      names[i] = field.name
    end
    assert.are.same({ "id", "title", "views", "author_id", "deleted_at", "deleted_event" }, names)
  end)

  it("can have another column and another name", function()
    author(db)
    local Post = post(db, { column = "writer" })
    assert.are.equal("writer", described(Post, "author_id").column)
    local Page = db:model("Page", {
      author = f.belongs_to("Author", { on_delete = "keep", null = true, attr = "writer" }),
    })
    assert.are.equal("author_id", described(Page, "writer_id").column)
    db:create_tables()
    local page = Page:create { writer = db:model("Author"):create { name = "Ana" } }
    assert.are.equal("Ana", page:writer().name)
    assert.is_nil(Page.author)
  end)

  it("can be unique among the living, and freed by a deletion", function()
    local Author = author(db)
    local Desk = db:model("Desk", {
      author = f.belongs_to("Author", { on_delete = "cascade", unique = true }),
    })
    db:create_tables()
    local ana = Author:create { name = "Ana" }
    local desk = Desk:create { author = ana }
    local err = helper.raises("integrity", Desk.create, Desk, { author = ana })
    assert.are.equal("unique", err.constraint)
    assert.are.equal("author_id", err.fields[1])
    desk:delete()
    Desk:create { author = ana }
  end)

  it("may point to its own model", function()
    local Category = db:model("Category", {
      name = f.text(),
      parent = f.belongs_to("Category", { on_delete = "cascade", related_name = "children", null = true }),
    })
    db:create_tables()
    local root = Category:create { name = "root" }
    local leaf = Category:create { name = "leaf", parent = root }
    assert.are.equal("root", leaf:parent().name)
    assert.is_nil(root:parent())
    assert.are.same({ "leaf" }, helper.list(root:children(), "name"))
    assert.are.equal(0, leaf:children():count())
  end)

  it("is one of several to the same parent", function()
    local Author = author(db)
    local Book = db:model("Book", {
      author = f.belongs_to("Author", { on_delete = "cascade", related_name = "books" }),
      editor = f.belongs_to("Author", { on_delete = "keep", related_name = "edited", null = true }),
    })
    db:create_tables()
    local ana, bob = Author:create { name = "Ana" }, Author:create { name = "Bob" }
    local book = Book:create { editor = bob, author = ana }
    assert.are.equal("Ana", book:author().name)
    assert.are.equal("Bob", book:editor().name)
    assert.are.same({ 1, 0, 0, 1 }, {
      ana:books():count(),
      ana:edited():count(),
      bob:books():count(),
      bob:edited():count(),
    })
    assert.are.equal(1, Book.objects:filter({ author = ana, editor = bob }):count())
    assert.are.equal(0, Book.objects:filter({ author = bob, editor = bob }):count())
  end)
end)

describe("belongs_to refuses", function()
  local db

  before_each(function()
    db = tombstone.open ":memory:"
  end)

  after_each(function()
    db:close()
  end)

  it("what is no name of a model", function()
    local err = helper.refuses(
      "misuse",
      "belongs_to takes the name of a model, not a table",
      f.belongs_to,
      author(db),
      { on_delete = "keep" }
    )
    assert.are.equal('as in f.belongs_to("Author", { on_delete = "cascade" })', err.hint)
    helper.refuses("misuse", "belongs_to takes the name of a model, not a nil", f.belongs_to)
  end)

  it("to guess what a deletion means", function()
    for _, given in ipairs { false, {}, { null = true } } do
      local err = helper.refuses("misuse", "belongs_to needs on_delete", f.belongs_to, "Author", given or nil)
      assert.are.equal('it is "cascade", "restrict" or "keep"', err.hint)
    end
    helper.refuses(
      "misuse",
      [[on_delete is "cascade", "restrict" or "keep", not 'set_null']],
      f.belongs_to,
      "Author",
      { on_delete = "set_null" }
    )
  end)

  it("unknown options, with a suggestion", function()
    local given = { on_delete = "cascade", related = "posts" }
    local err = helper.refuses("misuse", "belongs_to has no option 'related'", f.belongs_to, "Author", given)
    assert.is_truthy(err.hint:find("related_name", 1, true))
    given = { on_delte = "cascade" }
    err = helper.refuses("misuse", "belongs_to has no option 'on_delte'", f.belongs_to, "Author", given)
    assert.is_truthy(err.hint:find("did you mean 'on_delete'", 1, true))
    helper.refuses(
      "misuse",
      "belongs_to takes a table of options, not a string",
      f.belongs_to,
      "Author",
      "cascade"
    )
    for _, name in ipairs { "default", "primary_key", "choices", "max_length", "check", "collate" } do
      given = { on_delete = "cascade", [name] = 1 }
      helper.refuses("misuse", "belongs_to has no option '" .. name .. "'", f.belongs_to, "Author", given)
    end
  end)

  it("keep without null", function()
    helper.refuses(
      "misuse",
      "Post.author_id cannot become null when its parent is purged",
      post,
      db,
      { on_delete = "keep", null = false }
    )
  end)

  it("a flag that is no flag, and a uniqueness that is none", function()
    helper.refuses("misuse", "null of Post.author is true or false, not a string", post, db, { null = "no" })
    helper.refuses("misuse", "index of Post.author is true or false, not a number", post, db, { index = 1 })
    helper.refuses(
      "misuse",
      [[unique is true, "mangle", "live" or "always", not 'yes']],
      post,
      db,
      { unique = "yes" }
    )
    helper.refuses(
      "misuse",
      "Post.author_id is no text and cannot be mangled",
      post,
      db,
      { unique = "mangle" }
    )
  end)

  it("related names that are no names", function()
    helper.refuses("misuse", "related_name of Post.author is a name, not a boolean", post, db, {
      related_name = true,
    })
    for _, name in ipairs { "", "my posts", "_posts", "posts__all", "posts_", "1st", "post's" } do
      helper.refuses("misuse", "related_name of Post.author cannot be '" .. name .. "'", post, db, {
        related_name = name,
      })
    end
  end)

  it("names that would hide a method", function()
    local function declare(name, more)
      return db:model("Post", { [name] = f.belongs_to("Author", options(more)) })
    end
    local err = helper.refuses("misuse", "Post.delete would hide the method of that name", declare, "delete")
    assert.are.equal('rename it with attr, as in { attr = "delete_value" }', err.hint)
    helper.refuses("misuse", "Post.objects would hide the method of that name", declare, "objects")
    helper.refuses("misuse", "Post.save would hide the method of that name", declare, "author", {
      attr = "save",
    })
    err = helper.refuses("misuse", "Author.update would hide the method of that name", declare, "author", {
      related_name = "update",
    })
    assert.are.equal("pass Post.author another related_name", err.hint)
    helper.refuses("misuse", "Author.all_objects would hide the method of that name", declare, "author", {
      related_name = "all_objects",
    })
    local Author = author(db)
    function Author.posts() end
    helper.refuses("misuse", "Author.posts would hide the method of that name", post, db)
  end)

  it("names that would hide a field", function()
    local function declare()
      return db:model("Post", {
        writer = f.text(),
        author = f.belongs_to("Author", options { attr = "writer" }),
      })
    end
    local err = helper.refuses("misuse", "Post.writer would hide the field of that name", declare)
    assert.are.equal('rename it with attr, as in { attr = "writer_value" }', err.hint)
    helper.refuses("misuse", "Post.id would hide the field of that name", post, db, { attr = "id" })
    helper.refuses("misuse", "Post.deleted_at would hide the field of that name", post, db, {
      attr = "deleted_at",
    })
    author(db)
    helper.refuses("misuse", "Author.name would hide the field of that name", post, db, {
      related_name = "name",
    })
    helper.refuses("misuse", "Author.deleted_event would hide the field of that name", post, db, {
      related_name = "deleted_event",
    })
  end)

  it("names of fields only where there are such fields", function()
    author(db, { soft_delete = false })
    local Post = post(db, { attr = "version", related_name = "deleted_at", on_delete = "restrict" })
    assert.is_function(rawget(Post, "version"))
    helper.refuses("misuse", "Page.version would hide the field of that name", db.model, db, "Page", {
      version = f.belongs_to("Author", { on_delete = "restrict" }),
    }, { version = true })
  end)

  it("names that would hide another relation", function()
    author(db)
    post(db)
    local function page(name, more)
      return db:model("Page", { [name] = f.belongs_to("Author", options(more)) })
    end
    local err = helper.refuses("misuse", "Author.posts would hide the relation of that name", page, "writer")
    assert.are.equal("pass Page.writer another related_name", err.hint)
    page("writer", { related_name = "pages" })
    helper.refuses("misuse", "Node.parent would hide the relation of that name", db.model, db, "Node", {
      parent = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "parent" }),
    })
  end)

  it("the same where the parent comes later", function()
    post(db)
    local function page()
      return db:model("Page", { author = f.belongs_to("Author", options()) })
    end
    local message = "Author.posts would hide the relation of that name"
    helper.refuses("misuse", message, page)
    helper.refuses("misuse", message, db.model, db, "Author", { posts = f.integer() })
    local err = helper.refuses("misuse", message, db.model, db, "Author", {
      posts = f.belongs_to("Post", { on_delete = "restrict" }),
    })
    assert.are.equal('rename it with attr, as in { attr = "posts_value" }', err.hint)
    local Author = author(db) -- the refused have left nothing
    db:create_tables()
    assert.are.equal(0, Author:create({ name = "Ana" }):posts():count())
  end)

  it("columns that there are already", function()
    helper.refuses("misuse", "Post.author_id is declared twice", db.model, db, "Post", {
      author_id = f.integer(),
      author = f.belongs_to("Author", options()),
    })
  end)

  it("methods that would hide its field", function()
    local Post = post(db)
    helper.refuses("misuse", "A method cannot be called like the column 'author_id'", function()
      function Post.author_id() end
    end)
  end)
end)

describe("the way to the parent", function()
  local db, Author, Post, ana

  before_each(function()
    db, Author, Post = blog()
    ana = Author:create { name = "Ana" }
  end)

  after_each(function()
    db:close()
  end)

  it("is a call that answers the living parent", function()
    local row = Post:create { title = "x", author = ana }
    assert.are.same({ id = ana.id, name = "Ana" }, row:author())
    assert.are.equal(Author, getmetatable(row:author()))
    assert.are.equal("Ana", Post.objects:get(row.id):author().name)
    for name in pairs(row) do
      assert.are_not.equal("author", name)
    end
  end)

  it("reads the database each time", function()
    local row = Post:create { title = "x", author = ana }
    ana:update { name = "Anna" }
    assert.are.equal("Anna", row:author().name)
  end)

  it("is nil without a key and for a dead parent", function()
    assert.is_nil(Post:create({ title = "x" }):author())
    local Page = db:model("Page", { author = f.belongs_to("Author", { on_delete = "keep", null = true }) })
    db:create_tables()
    local page = Page:create { author = ana }
    ana:delete()
    assert.is_nil(page:author())
    assert.are.equal(ana.id, page.author_id)
    assert.is_nil(Page.objects:first():author())
    ana:restore()
    assert.are.equal("Ana", page:author().name)
  end)

  it("is there for unsaved rows", function()
    local row = Post:new { title = "x", author = ana }
    assert.are.equal("Ana", row:author().name)
    row.author_id = null
    assert.is_nil(row:author())
  end)

  it("raises where the key was not read", function()
    Post:create { title = "x", author = ana }
    local err = helper.refuses("misuse", "The row was read without author_id", function()
      return Post.objects:only("title"):first():author()
    end)
    assert.are.equal("name it in only, or reload the row", err.hint)
    assert.are.equal("Ana", Post.objects:only("title", "author_id"):first():author().name)
    assert.are.equal("Ana", Post.objects:only("title"):first():reload():author().name)
  end)

  it("needs a row of its model", function()
    local err = helper.refuses("misuse", "A row of Post is needed, not a table", Post.author, ana)
    assert.are.equal("call it with a colon, as row:author()", err.hint)
    helper.refuses("misuse", "A row of Post is needed, not a nil", Post.author)
    helper.refuses("misuse", "A row of Post is needed, not a table", Post.author, Post)
  end)

  it("needs a parent that is declared", function()
    local own = tombstone.open ":memory:"
    local Lone = post(own)
    local err = helper.refuses("misuse", "Post.author_id points to Author, which is not declared", function()
      return Lone:new({ author_id = 1 }):author()
    end)
    assert.are.equal("declare the model Author", err.hint)
    helper.refuses("misuse", "Post.author_id points to Author, which is not declared", Lone.new, Lone, {
      author = ana,
    })
    own:close()
  end)
end)

describe("the way to the children", function()
  local db, Author, Post, ana

  before_each(function()
    db, Author, Post = blog()
    ana = Author:create { name = "Ana" }
  end)

  after_each(function()
    db:close()
  end)

  it("is a query of the living ones, to refine further", function()
    local bob = Author:create { name = "Bob" }
    Post:create { title = "a", author = ana, views = 1 }
    Post:create { title = "b", author = ana, views = 2 }
    Post:create({ title = "c", author = ana, views = 3 }):delete()
    Post:create { title = "d", author = bob }
    Post:create { title = "e" }
    assert.are.same({ "a", "b" }, titles(ana:posts()))
    assert.are.same({ "b" }, titles(ana:posts():filter { views__gt = 1 }))
    assert.are.equal(3, ana:posts():aggregate({ sum = tombstone.sum "views" }).sum)
    assert.are.equal(2, ana:posts():update { views = 9 })
    assert.are.same({ "d" }, titles(bob:posts()))
    assert.is_false(ana:posts():is_whole())
  end)

  it("is there in whichever order the models are declared", function()
    local own = tombstone.open ":memory:"
    local Child = post(own)
    local Page = own:model("Page", { author = f.belongs_to("Author", options { related_name = "pages" }) })
    local Parent = author(own)
    own:create_tables()
    local row = Parent:create { name = "Ana" }
    Child:create { title = "x", author = row }
    Page:create { author = row }
    Page:create { author = row }
    assert.are.equal(1, row:posts():count())
    assert.are.equal(2, row:pages():count())
    own:close()
  end)

  it("is not there without a related_name", function()
    local own = tombstone.open ":memory:"
    local Parent = author(own)
    own:model("Post", { author = f.belongs_to("Author", { on_delete = "cascade" }) })
    own:create_tables()
    local row = Parent:create { name = "Ana" }
    assert.is_nil(row.posts)
    assert.is_nil(row.author)
    own:close()
  end)

  it("needs a saved row of its model", function()
    local err = helper.refuses("misuse", "The row is not saved yet", function()
      return Author:new({ name = "Bob" }):posts()
    end)
    assert.are.equal("save it first", err.hint)
    helper.refuses("misuse", "The row has no id", Author.posts, setmetatable({}, Author))
    helper.refuses("misuse", "A row of Author is needed, not a table", Author.posts, Author)
    helper.refuses("misuse", "A row of Author is needed, not a nil", Author.posts)
    helper.refuses("misuse", "A row of Author is needed, not a table", ana.posts, Post:new {})
    local lost
    pcall(db.transaction, db, function()
      lost = Author:create { name = "Bob" }
      error "no"
    end)
    helper.refuses("misuse", "The row was created in a transaction that was rolled back", lost.posts, lost)
  end)
end)

-- Both ways to write: with hooks the Lua side is in between.
for name, model_options in pairs { plain = {}, hooked = { on = { before_save = function() end } } } do
  describe("a row as a value, " .. name .. ",", function()
    local db, Author, Post, ana, bob

    before_each(function()
      db, Author, Post = blog(model_options)
      ana, bob = Author:create { name = "Ana" }, Author:create { name = "Bob" }
    end)

    after_each(function()
      db:close()
    end)

    it("is taken by create, new and bulk_create", function()
      local values = { title = "a", author = ana }
      local row = Post:create(values)
      assert.are.equal(ana.id, row.author_id)
      assert.is_nil(rawget(row, "author"))
      assert.are.same({ title = "a", author = ana }, values)
      row = Post:new { title = "b", author = bob }
      assert.are.equal(bob.id, row.author_id)
      assert.is_nil(rawget(row, "author"))
      row:save()
      local rows = Post:bulk_create {
        { title = "c", author = ana },
        { title = "d", author = null },
        { title = "e" },
      }
      assert.are.same({ ana.id, nil, nil }, { rows[1].author_id, rows[2].author_id, rows[3].author_id })
      assert.are.same({ "a", "c" }, titles(ana:posts()))
      assert.are.same({ "b" }, titles(bob:posts()))
      assert.are.same({ "d", "e" }, titles(Post.objects:filter { author_id__isnull = true }))
    end)

    it("is taken by update of rows and of queries", function()
      local row = Post:create { title = "a", author = ana }
      row:update { author = bob, views = 3 }
      assert.are.same({ bob.id, 3 }, { row.author_id, row.views })
      assert.is_nil(rawget(row, "author"))
      assert.are.equal(bob.id, Post.objects:get(row.id).author_id)
      row:update { author = ana, views = tombstone.F "views" + 1 }
      assert.are.same({ ana.id, 4 }, { row.author_id, row.views })
      row:update { author = null }
      assert.is_nil(row.author_id)
      assert.are.equal(1, Post.objects:filter({ title = "a" }):update { author = bob })
      assert.are.same({ "a" }, titles(bob:posts()))
    end)

    it("is taken by upsert, for new rows and for those that are there", function()
      local row = Post:upsert({ title = "a", author = ana }, { on = "title" })
      assert.are.equal(ana.id, row.author_id)
      row = Post:upsert({ title = "a", author = bob }, { on = "title" })
      assert.are.equal(bob.id, row.author_id)
      row = Post:upsert({ title = "a" }, { on = "title", update = { author = ana } })
      assert.are.equal(ana.id, row.author_id)
      row = Post:upsert({ title = "a", author = null }, { on = "title", update = { "author_id" } })
      assert.is_nil(row.author_id)
      assert.are.equal(1, Post.all_objects:count())
    end)

    it("is taken by get_or_create, in both tables", function()
      local row, created = Post:get_or_create({ title = "a", author = ana }, { views = 1 })
      assert.are.same({ ana.id, true }, { row.author_id, created })
      row, created = Post:get_or_create { title = "a", author = ana }
      assert.are.same({ ana.id, false }, { row.author_id, created })
      row, created = Post:get_or_create({ title = "b" }, { author = bob })
      assert.are.same({ bob.id, true }, { row.author_id, created })
      row, created = Post:get_or_create({ title = "c", author = ana }, { author = bob })
      assert.are.same({ bob.id, true }, { row.author_id, created })
      Post.objects:filter({ title = "a" }):delete()
      row, created = Post:get_or_create({ title = "a", author = ana }, nil, { on_deleted = "restore" })
      assert.are.same({ ana.id, 1, false }, { row.author_id, row.views, created })
    end)

    it("is taken where a conflict is resolved by new values", function()
      local row = Post:create { title = "a", author = ana }
      row:delete()
      Post:create { title = "a" }
      Post.deleted_objects:filter({ id = row.id }):restore {
        on_conflict = function()
          return { title = "b", author = bob }
        end,
      }
      row = Post.objects:get { title = "b" }
      assert.are.equal(bob.id, row.author_id)
    end)

    it("must be a saved row of the right model", function()
      local Tag = db:model("Tag", { name = f.text() })
      db:create_tables()
      local row = Post:create { title = "a" }
      local function each_verb(value)
        return {
          create = function()
            Post:create { title = "b", author = value }
          end,
          new = function()
            Post:new { title = "b", author = value }
          end,
          bulk_create = function()
            Post:bulk_create { { title = "b", author = value } }
          end,
          update = function()
            row:update { author = value, views = 7 }
          end,
          ["query:update"] = function()
            Post.objects:filter({ title = "a" }):update { author = value }
          end,
          upsert = function()
            Post:upsert({ title = "a", author = value }, { on = "title" })
          end,
          ["upsert's update"] = function()
            Post:upsert({ title = "a" }, { on = "title", update = { author = value } })
          end,
          get_or_create = function()
            Post:get_or_create { title = "b", author = value }
          end,
          ["get_or_create's defaults"] = function()
            Post:get_or_create({ title = "b" }, { author = value })
          end,
          filter = function()
            Post.objects:filter { author = value }
          end,
          ["nested filter"] = function()
            Post.objects:filter(tombstone.none { tombstone.Q { author = value } })
          end,
        }
      end
      local function refused(message, hint, value)
        for _, verb in pairs(each_verb(value)) do
          assert.are.equal(hint, helper.refuses("misuse", message, verb).hint)
        end
      end
      refused("Post.author takes an Author, not a Tag", nil, Tag:create { name = "t" })
      refused("Post.author takes an Author, not a number", "a key goes into author_id", 1)
      refused("Post.author takes an Author, not a string", "a key goes into author_id", "Ana")
      refused("Post.author takes an Author, not a boolean", "a key goes into author_id", false)
      refused("Post.author takes an Author, not a table", "a key goes into author_id", { name = "Ana" })
      refused("Post.author takes an Author, not a table", "a key goes into author_id", Author)
      refused("Post.author takes an Author, not a table", "a key goes into author_id", tombstone.F "views")
      refused("Post.author takes an Author, not a userdata", "a key goes into author_id", ana:posts())
      refused("Post.author takes a saved Author", "save it first", Author:new { name = "New" })
      refused("Post.author takes a saved Author", "save it first", setmetatable({}, Author))
      local own, Stranger = blog()
      refused("Post.author takes an Author of its own database", nil, Stranger:create { name = "Ana" })
      own:close()
      assert.are.same({ id = row.id, title = "a", views = 0 }, row)
      assert.are.equal(1, Post.all_objects:count())
    end)

    it("and its key are not given at once", function()
      local row = Post:create { title = "a" }
      local both = { author = ana, author_id = ana.id }
      local message = "author and author_id are one field of Post"
      local err = helper.refuses("misuse", message, Post.create, Post, both)
      assert.are.equal("give one of them", err.hint)
      helper.refuses("misuse", message, row.update, row, both)
      helper.refuses("misuse", message, Post.objects.filter, Post.objects, both)
    end)

    it("is not what save takes: the row has fields only", function()
      local row = Post:create { title = "a" }
      row.author = ana
      local err = helper.refuses("misuse", "Post has no field 'author'", row.save, row)
      assert.are.equal("did you mean 'author_id'?", err.hint)
      row.author = nil
      row.author_id = ana.id
      row:save()
      assert.are.same({ "a" }, titles(ana:posts()))
    end)

    it("raises for a list in the place of one", function()
      helper.refuses("misuse", "Post.author takes an Author, not a table", Post.create, Post, {
        title = "a",
        author = { ana },
      })
    end)

    it("is named by its place in bulk_create", function()
      local err = helper.refuses("misuse", "Post.author takes a saved Author", Post.bulk_create, Post, {
        { title = "a", author = ana },
        { title = "b", author = Author:new {} },
      })
      assert.are.equal(2, err.index)
      assert.are.equal(0, Post.all_objects:count())
    end)

    it("must not be dead, as its key", function()
      local row = Post:create { title = "a", author = ana, views = 1 }
      bob:delete()
      local count = Post.all_objects:count()
      local function refused(verb, call, ...)
        local message = "Cannot " .. verb .. " - Author 2 is deleted"
        local err = helper.refuses("parent_deleted", message, call, ...)
        assert.are.equal("restore Author 2 first", err.hint)
        assert.are.equal("Post", err.model)
        assert.are.same({ "author_id" }, err.fields)
        assert.are.same({ author_id = "points to a deleted row" }, err.reasons)
        assert.are.equal(2, err.value)
        assert.are.same({ { dead_pk = 2 } }, err.conflicts)
        assert.are.equal(count, Post.all_objects:count())
        return err
      end
      local by_row, by_key = { title = "b", author = bob }, { title = "b", author_id = bob.id }
      for _, values in ipairs { by_row, by_key } do
        refused("create record", Post.create, Post, values)
        refused("upsert record", Post.upsert, Post, values, { on = "title" })
        refused("create record", Post.get_or_create, Post, values)
        local err = refused("create record", Post.bulk_create, Post, { { title = "c" }, values })
        assert.are.equal(2, err.index)
        values.title = "a"
        refused("upsert record", Post.upsert, Post, values, { on = "title" })
        values.title = nil
        refused("save record", row.update, row, values)
        refused("update records", function()
          Post.objects:filter({ title = "a" }):update(values)
        end)
      end
      assert.are.same({ id = row.id, title = "a", views = 1, author_id = ana.id }, row)
      row.author_id = bob.id
      refused("save record", row.save, row)
      local new = Post:new { title = "b", author = bob }
      refused("create record", new.save, new)
      assert.is_nil(new.id)
      bob:restore()
      new:save()
      row:save()
      assert.are.same({ "a", "b" }, titles(bob:posts()))
    end)

    it("must be there, as its key", function()
      local message = "Cannot create record - there is no Author 99"
      local err = helper.refuses("integrity", message, Post.create, Post, { title = "a", author_id = 99 })
      assert.are.equal("foreign_key", err.constraint)
      assert.are.same({ "author_id" }, err.fields)
      assert.are.equal(99, err.value)
    end)
  end)
end

describe("a row in a filter", function()
  local db, Author, Post, ana, bob

  setup(function()
    db, Author, Post = blog()
    ana, bob = Author:create { name = "Ana" }, Author:create { name = "Bob" }
    Post:create { title = "a1", author = ana, views = 1 }
    Post:create { title = "a2", author = ana }
    Post:create { title = "b", author = bob }
    Post:create { title = "none" }
  end)

  teardown(function()
    db:close()
  end)

  local function found(...)
    return titles(Post.objects:filter(...))
  end

  it("stands for its key", function()
    local lookups = { author = ana }
    assert.are.same({ "a1", "a2" }, found(lookups))
    assert.are.same({ author = ana }, lookups)
    assert.are.same({ "a1", "a2" }, found("author", ana))
    assert.are.same({ "a1" }, found { author = ana, views = 1 })
    assert.are.same({ "b", "none" }, titles(Post.objects:exclude { author = ana }))
    assert.are.equal("b", Post.objects:get({ author = bob }).title)
    assert.are.equal("b", Post.objects:find({ author = bob }).title)
    assert.are.same({ "a1", "a2" }, titles(Post.all_objects:filter { author = ana }))
  end)

  it("makes the statement that its key makes", function()
    local by_row, row_values = Post.objects:filter({ author = ana, views = 1 }):sql()
    local by_key, key_values = Post.objects:filter({ author_id = ana.id, views = 1 }):sql()
    assert.are.equal(by_key, by_row)
    assert.are.same(key_values, row_values)
  end)

  it("may be null, and then means no parent", function()
    assert.are.same({ "none" }, found { author = null })
    assert.are.same({ "none" }, found("author", null))
    assert.are.same({ "a1", "a2", "b" }, titles(Post.objects:exclude { author = null }))
  end)

  it("may stand in a list", function()
    assert.are.same({ "a1", "a2", "b" }, found { author = { ana, bob } })
    assert.are.same({ "b" }, found { author = { bob } })
    assert.are.same({ "b", "none" }, found { author = { bob, null } })
    assert.are.same({}, found { author = {} })
    assert.are.same({ "a1", "a2", "b" }, found { author = Author.objects:all() })
    local message = "Post.author takes an Author, not a table"
    helper.refuses("misuse", message, found, { author = { ana, x = bob } })
    helper.refuses("misuse", message, found, { author = { { ana } } })
    helper.refuses("misuse", "Post.author takes an Author, not a number", found, { author = { ana, 2 } })
  end)

  it("may stand deep in a condition, which may be used again", function()
    local any, all, none, Q = tombstone.any, tombstone.all, tombstone.none, tombstone.Q
    local condition = any { { author = bob }, all { { author = ana }, Q { views = 1 } } }
    for _ = 1, 2 do
      assert.are.same({ "a1", "b" }, found(condition))
    end
    assert.are.same({ "a2", "none" }, found(none { condition }))
    assert.are.same({ "none" }, found(none { { author = ana }, { author = { bob } } }))
    assert.are.same({ "a1", "a2", "none" }, found(any { { author = null }, { author = ana } }))
  end)

  it("may be dead: its children that live on are found", function()
    local Page = db:model("Page", { author = f.belongs_to("Author", { on_delete = "keep", null = true }) })
    db:create_tables()
    local eve = Author:create { name = "Eve" }
    Page:create { author = eve }
    eve:delete()
    assert.are.equal(1, Page.objects:filter({ author = eve }):count())
  end)

  it("stands under names of relations only", function()
    local message = " takes plain values, not a row"
    local err = helper.refuses("misuse", "author_id" .. message, found, { author_id = ana })
    assert.are.equal("rows stand under names of relations", err.hint)
    helper.refuses("misuse", "author_id__in" .. message, found, { author_id__in = { ana } })
    helper.refuses("misuse", "author" .. message, Author.objects.filter, Author.objects, { author = ana })
  end)
end)
