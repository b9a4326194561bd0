-- The migration that models ask for: what it says, that it brings the database there, and back.
local digests = require "migrate.digests"
local helper = require "helper"
local lfs = require "lfs"
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"
local f = tombstone.field

local path, folder

before_each(function()
  path, folder = helper.path(), os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
end)

after_each(function()
  for name in lfs.dir(folder) do
    os.remove(folder .. "/" .. name)
  end
  lfs.rmdir(folder)
  helper.clean()
end)

-- A handle on the file with these models.
local function open(declare)
  local db = tombstone.open(path)
  declare(db)
  return db
end

-- Writes what the models ask for, applies it, finds nothing more to do, and that create_tables agrees.
-- Then down and up again, unless rows lose values. Answers the text.
local function migrate_to(declare, is_lossy)
  local db = open(declare)
  local before = digests.digest(db)
  local written, change = migrate.write(db, folder)
  assert.is_string(written)
  local runner = migrate.open(db, { migrations = folder })
  assert.equal(1, #runner:up())
  local left = migrate.diff(db)
  assert.is_true(left.empty, left.text)
  db:create_tables()
  local after = digests.digest(db)
  if not is_lossy then
    runner:down()
    assert.equal(before, digests.digest(db))
    runner:up()
    assert.equal(after, digests.digest(db))
  end
  db:close()
  return change.text, change
end

local function has(text, line)
  assert.is_truthy(text:find(line, 1, true), line .. "\nis not in\n" .. text)
end

local function has_not(text, line)
  assert.is_nil(text:find(line, 1, true), text)
end

local function blog(db)
  db:model("Author", { name = f.text { unique = true }, post_count = f.counter "posts" })
  db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    views = f.integer { default = 0, index = true, check = "views >= 0" },
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  }, { table = "posts", timestamps = true, unique_together = { { "author_id", "title" } } })
  db:model("Tag", { name = f.text { unique = "live", collate = "NOCASE" } })
end

-- A program with rows: the first blog, filled.
local function begin()
  migrate_to(blog)
  local db = open(blog)
  local Author, Post = db:model "Author", db:model "Post"
  local ana = Author:create { name = "ana" }
  for i = 1, 5 do
    Post:create { title = "post " .. i, author = ana, views = i }
  end
  Post.objects:get({ title = "post 2" }):delete()
  db:close()
end

describe("the next migration", function()
  it("creates what is missing, as create_tables would", function()
    local text, change = migrate_to(blog)
    has(text, [[m:create_table("posts", {]])
    has(text, [[{ "id", "integer", key = true },]])
    has(text, [[{ "author_id", "integer", null = true, references = { "author", "id" } },]])
    has(text, [[m:add_index("posts", { "title" }, { unique = true })]])
    assert.truthy(change.name:match "^create ")
    local db, other = open(blog), tombstone.open ":memory:"
    blog(other)
    other:create_tables()
    assert.equal(digests.digest(other), digests.digest(db))
    assert.is_nil((migrate.write(db, folder)))
    db:close()
    other:close()
  end)

  it("adds columns with their defaults, and what hangs on them", function()
    begin()
    local text, change = migrate_to(function(db)
      blog(db)
      db:model("Comment", {
        text = f.text(),
        post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
      })
    end)
    has(text, [[m:create_table("comment", {]])
    assert.equal("create comment", change.name)
    text, change = migrate_to(function(db)
      blog(db)
      db:model("Comment", {
        text = f.text(),
        stars = f.integer { default = 3, index = true },
        kind = f.text { default = "it's", choices = { "it's", "new" } },
        seen = f.boolean { default = false },
        post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
        by = f.belongs_to("Author", { on_delete = "keep", null = true }),
      }, { version = true, timestamps = true })
    end)
    has(text, [[m:add_column("comment", { "stars", "integer", using = "3" })]])
    has(text, [[{ "kind", "text", using = "'it''s'" }]])
    has(text, [[{ "by_id", "integer", null = true }]])
    assert.equal("change comment", change.name)
    assert.same({}, change.remarks)
  end)

  it("says what it drops, and asks whether it was renamed", function()
    begin()
    local text, change = migrate_to(function(db)
      db:model("Author", { name = f.text { unique = true }, post_count = f.counter "posts" })
      db:model("Post", {
        headline = f.char { max_length = 100, default = "none" },
        views = f.integer { default = 0, index = true, check = "views >= 0" },
        author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
      }, { table = "posts" })
    end, true)
    has(text, "-- drops column 'title' of 'posts' and its values in 5 rows")
    has(text, [[-- is it 'headline' now? then say renamed_from = "title" in the model of 'posts']])
    has(text, [[m:drop_column("posts", "title", { "title", "varchar(100)", after = "id", using = "''" })]])
    has_not(text, "drop_table") -- the tables of models that went are left alone
    assert.equal(3, #change.lost)
  end)

  it("renames what it is told was renamed", function()
    begin()
    local text = migrate_to(function(db)
      db:model("Author", { name = f.text { unique = true }, post_count = f.counter "articles" })
      db:model("Article", {
        headline = f.char { max_length = 200, unique = true, renamed_from = "title" },
        views = f.integer { default = 0, index = true, check = "views >= 0" },
        writer = f.belongs_to("Author", {
          on_delete = "cascade",
          related_name = "articles",
          null = true,
          renamed_from = "author_id",
        }),
      }, { table = "articles", renamed_from = "posts", timestamps = true })
    end)
    has(text, [[m:rename_table("posts", "articles")]])
    has(text, [[m:rename_column("articles", "title", "headline")]])
    has(text, [[m:rename_column("articles", "author_id", "writer_id")]])
    has(text, [[m:change_column("articles", { "headline", "varchar(200)" }, ]])
    has(text, [[from = { "headline", "varchar(100)" },]])
    has_not(text, "drops column")
    local db = tombstone.open(path)
    assert.equal(4, db:query("SELECT count(*) AS n FROM articles WHERE deleted_at IS NULL")[1].n)
    assert.equal(4, db:query("SELECT post_count AS n FROM author")[1].n)
    db:close()
  end)

  it("asks whether a table was renamed", function()
    begin()
    local db = open(function(db)
      db:model(
        "Article",
        { title = f.char { max_length = 100, unique = true }, views = f.integer { default = 0 } }
      )
      db:model("Author", { name = f.text { unique = true } })
    end)
    local remarks = table.concat(migrate.diff(db).remarks, "\n")
    has(remarks, "is 'tag' the table 'article' now? then say renamed_from = \"tag\"")
    assert.is_nil(remarks:find("is 'author'", 1, true))
    db:close()
  end)

  it("foresees what rows will not bear", function()
    begin()
    local db = tombstone.open(path)
    db:model("Post", {
      title = f.char { max_length = 3, unique = true },
      slug = f.text(),
      views = f.integer { default = 0, index = true, check = "views >= 0" },
    }, { table = "posts", timestamps = true })
    local remarks = table.concat(migrate.diff(db).remarks, "\n")
    has(remarks, "column 'slug' of 'posts' needs a value for 5 rows")
    has(remarks, "5 values of 'title' in 'posts' are longer than 3")
    db:close()
  end)

  it("is not written on top of one that is not applied", function()
    local db = open(blog)
    assert.is_string((migrate.write(db, folder)))
    helper.refuses("migration", "Some migrations are not applied", migrate.write, db, folder)
    db:close()
  end)

  it("gives rows without a value the default where NULL goes", function()
    migrate_to(function(db)
      db:model("Item", { n = f.integer { null = true } })
    end)
    local db = tombstone.open(path)
    db:exec "INSERT INTO item (n) VALUES (1), (NULL)"
    db:close()
    local text = migrate_to(function(other)
      other:model("Item", { n = f.integer { default = 7 } })
    end, true)
    has(text, [[using = 'coalesce("n", 7)']])
    db = tombstone.open(path)
    assert.same({ { n = 1 }, { n = 7 } }, db:query "SELECT n FROM item ORDER BY id")
    db:close()
  end)

  it("changes strategies, and turns soft delete on and off", function()
    local function item(soft_delete)
      return function(db)
        db:model("Item", { name = f.text { unique = true }, n = f.integer { index = true } }, {
          soft_delete = soft_delete,
        })
      end
    end
    migrate_to(item(false))
    local text = migrate_to(item(true))
    has(text, [[m:add_soft_delete("item")]])
    text = migrate_to(item { unique = "live" })
    has(text, [[m:change_unique("item", "name", "live")]])
  end)
end)

describe("what is not the models' business", function()
  local function legacy(db)
    db:model("Post", {
      title = f.char { max_length = 100, unique = true },
      views = f.integer { null = true },
    }, { table = "posts", soft_delete = false })
  end

  it("stays", function()
    local db = tombstone.open(path)
    db:exec [[
      CREATE TABLE other (x);
      CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, views bigint DEFAULT 5,
        title VARCHAR(100) NOT NULL UNIQUE, CHECK (views <> 4));
      CREATE INDEX by_views ON posts (views);
      CREATE VIEW v AS SELECT title FROM posts;
      CREATE TRIGGER t AFTER INSERT ON posts BEGIN INSERT INTO other VALUES (1); END]]
    db:close()
    db = open(legacy)
    local change = migrate.diff(db)
    assert.equal(1, #change.words, change.text)
    assert.equal("tombstone_event", change.words[1][1])
    db:create_tables()
    assert.is_true(migrate.diff(db).empty)
    db:close()
  end)

  it("is said where it may surprise", function()
    local db = tombstone.open(path)
    db:exec [[
      CREATE TABLE authors (id integer PRIMARY KEY);
      CREATE TABLE posts (id integer PRIMARY KEY, title varchar(100) NOT NULL, views integer UNIQUE
        REFERENCES authors (id));]]
    db:close()
    db = open(legacy)
    local change = migrate.diff(db)
    has(table.concat(change.remarks, "\n"), "UNIQUE (views) of 'posts' is in no model: it stays")
    has(
      table.concat(change.remarks, "\n"),
      "the foreign key of 'posts' to 'authors' is in no model: it stays"
    )
    has(
      table.concat(change.remarks, "\n"),
      "table 'posts' may give out a key twice: its key is not AUTOINCREMENT"
    )
    assert.equal(2, #change.words) -- the events, the index of the title
    db:close()
  end)
end)
