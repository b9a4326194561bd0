-- The words of migrations, each on a real table with rows.
local digests = require "migrate.digests"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local db

-- Runs words as a migration of their own and answers its runner.
local function migration(up, down, options)
  local given = { name = "0001_test", up = up, down = down }
  for key, value in pairs(options or {}) do
    given[key] = value
  end
  return migrate.open(db, { migrations = { given } })
end

local function apply(up, down)
  local runner = migration(up, down)
  runner:up()
  return runner
end

local function refused(up, kind)
  local before = digests.digest(db)
  local err = helper.raises(kind or "migration", function()
    apply(up)
  end)
  assert.equal(before, digests.digest(db))
  assert.equal("0001_test", err.migration)
  return err
end

-- Up and down again: the schema and the rows are as they were.
local function there_and_back(up)
  local before = digests.digest(db)
  local runner = apply(up)
  local after = digests.digest(db)
  assert.not_equal(before, after)
  runner:down()
  assert.equal(before, digests.digest(db))
  runner:up()
  assert.equal(after, digests.digest(db))
end

local function posts()
  return schema.read_table(db, "posts")
end

local function column(name)
  for _, found in ipairs(posts().columns) do
    if found.name == name then
      return found
    end
  end
end

before_each(function()
  db = tombstone.open(":memory:")
  db:exec [[
    CREATE TABLE authors (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL);
    CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL, views text,
      author_id integer REFERENCES authors (id), CHECK (title <> ''));
    CREATE INDEX posts__views ON posts (views);
    INSERT INTO authors (name) VALUES ('ana'), ('bo');
    INSERT INTO posts (title, views, author_id)
      VALUES ('one', '1', 1), ('two', NULL, 2), ('three', '3', NULL);
    DELETE FROM posts WHERE id = 3;
  ]]
end)

after_each(function()
  db:close()
end)

describe("words on tables", function()
  it("create", function()
    there_and_back(function(m)
      m:create_table("tags", {
        { "id", "integer", key = true },
        { "name", "text", unique = true, collate = "NOCASE", check = "name <> ''" },
        { "post_id", "integer", null = true, references = "posts" },
        { "n", "integer", default = "7" },
        { "twice", "integer", null = true, generated = "n * 2", stored = true },
      })
      m:add_index("tags", { "n" }, { where = "n > 0" })
    end)
    db:exec "INSERT INTO tags (name, post_id) VALUES ('red', 1)"
    assert.same({ id = 1, name = "red", post_id = 1, n = 7, twice = 14 }, db:query("SELECT * FROM tags")[1])
    assert.has_error(function()
      db:exec "INSERT INTO tags (name) VALUES ('RED')"
    end)
    assert.has_error(function()
      db:exec "INSERT INTO tags (name) VALUES ('')"
    end)
    assert.has_error(function()
      db:exec "INSERT INTO tags (name, post_id) VALUES ('blue', 99)"
    end)
  end)

  it("create with keys of several columns", function()
    there_and_back(function(m)
      m:create_table("links", {
        { "post_id", "integer" },
        { "author_id", "integer" },
      }, {
        primary_key = { "post_id", "author_id" },
        without_rowid = true,
        uniques = { { columns = { "author_id", "post_id" } } },
        foreign_keys = { { columns = { "post_id" }, table = "posts", to = { "id" }, on_delete = "CASCADE" } },
        checks = { { sql = "post_id <> author_id", name = "apart" } },
      })
    end)
    local t = schema.read_table(db, "links")
    assert.same({ "post_id", "author_id" }, t.primary_key)
    assert.is_true(t.without_rowid)
    assert.equal("apart", t.checks[1].name)
  end)

  it("drop, and say what was there", function()
    apply(function(m)
      m:drop_table "posts"
    end)
    assert.is_nil(posts())
  end)

  it("rename, and others follow", function()
    db:exec "CREATE VIEW titles AS SELECT title FROM posts"
    there_and_back(function(m)
      m:rename_table("authors", "people")
      m:rename_table("posts", "articles")
    end)
    assert.equal("people", schema.read_table(db, "articles").foreign_keys[1].table)
    assert.equal("one", db:query("SELECT title FROM titles")[1].title)
  end)

  it("change to any other shape", function()
    local from = {
      {
        { "id", "integer", key = true },
        { "title", "text" },
        { "views", "text", null = true },
        { "author_id", "integer", null = true, references = { "authors", "id" } },
      },
      { checks = { { sql = "title <> ''" } } },
    }
    local runner = apply(function(m)
      m:drop_index("posts", { "views" })
      m:change_table("posts", { { "title", "text" }, { "words", "integer" }, { "id", "integer" } }, {
        primary_key = { "title" },
        without_rowid = true,
        using = { words = "length(title)" },
        from = from,
      })
    end)
    local rows = db:query "SELECT * FROM posts ORDER BY title"
    assert.same({ title = "one", words = 3, id = 1 }, rows[1])
    assert.same({ "title" }, posts().primary_key)
    runner:down()
    assert.equal("authors", posts().foreign_keys[1].table)
    assert.is_true(posts().autoincrement)
    assert.equal(2, #db:query "SELECT * FROM posts")
  end)

  it("need a table that is there", function()
    local err = refused(function(m)
      m:drop_table "post"
    end)
    assert.equal("There is no table 'post'", err.message)
    refused(function(m)
      m:rename_table("posts", 5)
    end, "misuse")
    refused(function(m)
      m:create_table("tags", {})
    end, "misuse")
    refused(function(m)
      m:create_table("tags", { { "id", "integer", kay = true } })
    end, "misuse")
    refused(function(m)
      m:create_table("posts", { { "id", "integer" } })
    end)
    err = refused(function(m)
      m:rename_table("authors", "posts__views")
    end)
    assert.equal("There is an index 'posts__views' already", err.message)
    refused(function(m)
      m:rename_column("posts", "title", "VIEWS")
    end)
    refused(function(m)
      m:add_index("authors", { "name" }, { name = "posts__views" })
    end)
  end)

  it("may change the case of letters alone", function()
    there_and_back(function(m)
      m:create_table("x", { { "y", "text" } }) -- so that digests, which fold names, differ
      m:rename_table("posts", "Posts")
      m:rename_column("Posts", "title", "Title")
    end)
    assert.equal("Posts", schema.read_table(db, "posts").name)
    assert.equal("Title", schema.read_table(db, "posts").columns[2].name)
    local sql = "SELECT tbl_name AS name FROM sqlite_master WHERE name = 'posts__views'"
    assert.equal("Posts", db:query(sql)[1].name)
  end)
end)

describe("words on columns", function()
  it("add at the end, without a new table", function()
    local statements = {}
    local runner = migrate.open(db, {
      migrations = {
        {
          name = "0001_test",
          up = function(m)
            m:add_column("posts", { "note", "text", null = true })
            m:add_column("posts", { "n", "integer", default = "4" })
            m:add_column("posts", { "editor_id", "integer", null = true, references = "authors" })
          end,
        },
      },
      log = function(sql)
        statements[#statements + 1] = sql
      end,
    })
    local before = digests.digest(db)
    runner:up()
    assert.equal(3, #statements)
    assert.equal(4, db:query("SELECT n FROM posts")[1].n)
    assert.equal(2, #posts().foreign_keys)
    runner:down()
    assert.equal(before, digests.digest(db))
  end)

  it("add with values for the rows there", function()
    there_and_back(function(m)
      m:add_column("posts", { "slug", "text", using = "upper(title)" })
      m:add_index("posts", { "slug" }, { unique = true })
      m:add_column(
        "posts",
        { "author_id2", "integer", null = true, using = "author_id", check = "author_id2 > 0" }
      )
    end)
    assert.same(
      { slug = "TWO", author_id2 = 2 },
      db:query("SELECT slug, author_id2 FROM posts WHERE id = 2")[1]
    )
  end)

  it("refuse a new column that says nothing of the rows", function()
    local err = refused(function(m)
      m:add_column("posts", { "slug", "text" })
    end)
    assert.equal("Column 'slug' is NOT NULL and says nothing of the rows that 'posts' has", err.message)
    db:exec "DELETE FROM posts"
    apply(function(m)
      m:add_column("posts", { "slug", "text" })
    end)
    assert.is_nil(column("slug").null)
  end)

  it("change type, NULL and values", function()
    apply(function(m)
      m:change_column("posts", { "views", "integer" }, { using = "coalesce(CAST(views AS integer), 0)" })
    end)
    assert.same({ { views = 1 }, { views = 0 } }, db:query "SELECT views FROM posts ORDER BY id")
    assert.equal("integer", column("views").type)
  end)

  it("refuse rows that do not fit", function()
    local err = refused(function(m)
      m:change_column("posts", { "views", "text" })
    end)
    assert.equal(
      "Rows of 'posts' do not fit what it shall be - NOT NULL constraint failed: posts.views",
      err.message
    )
  end)

  it("refuse values that are not of the new type", function()
    local err = refused(function(m)
      m:change_column("posts", { "title", "integer" })
    end)
    assert.equal("2 values of 'title' in 'posts' are no integer", err.message)
    apply(function(m)
      m:change_column("posts", { "title", "integer" }, { using = "length(title)" })
    end)
  end)

  it("take a change back by what was there", function()
    there_and_back(function(m)
      m:change_column("posts", { "title", "varchar(50)", collate = "NOCASE" }, { from = { "title", "text" } })
    end)
  end)

  it("rename, and indexes and checks follow", function()
    there_and_back(function(m)
      m:rename_column("posts", "title", "headline")
      m:rename_column("posts", "views", "reads")
    end)
    assert.equal("reads", posts().indexes[1].columns[1].name)
    assert.has_error(function()
      db:exec "INSERT INTO posts (headline) VALUES ('')"
    end)
  end)

  it("drop, once nothing uses them", function()
    local err = refused(function(m)
      m:drop_column("posts", "views")
    end)
    assert.equal("Column 'views' of 'posts' is used by index 'posts__views'", err.message)
    refused(function(m)
      m:drop_column("posts", "title")
    end)
    refused(function(m)
      m:drop_column("posts", "id")
    end)
    refused(function(m)
      m:drop_column("posts", "nothing")
    end)
    apply(function(m)
      m:drop_index("posts", { "views" })
      m:drop_column("posts", "views")
      m:drop_column("posts", "author_id")
      m:drop_check("posts", "title<>''")
      m:drop_column("posts", "title")
    end)
    assert.equal(1, #posts().columns)
    assert.equal(0, #posts().foreign_keys)
  end)

  it("leave one at least", function()
    local err = refused(function(m)
      m:create_table("t", { { "a", "text" } })
      m:drop_column("t", "a")
    end)
    assert.equal("'t' would have no column left", err.message)
  end)

  it("use what earlier words of the migration made", function()
    apply(function(m)
      m:add_column("posts", { "a", "text", using = "title || '!'" })
      m:add_column("posts", { "b", "text", using = "a || '?'" })
      m:drop_column("posts", "a")
      m:rename_column("posts", "b", "c")
    end)
    assert.equal("one!?", db:query("SELECT c FROM posts")[1].c)
  end)
end)

describe("words on constraints", function()
  it("add and drop, back and forth", function()
    there_and_back(function(m)
      m:add_foreign_key("posts", "id", { "authors", "id" }, { on_delete = "SET NULL" })
      m:add_check("posts", "views >= 0", { name = "views" })
      m:add_unique("posts", { "title", "views" })
      m:add_index(
        "posts",
        { "title", { name = "views", desc = true } },
        { unique = true, where = "views IS NULL" }
      )
      m:add_index("posts", { { sql = "lower(title)" } }, { name = "posts__lower" })
    end)
  end)

  it("drop and add, back and forth", function()
    there_and_back(function(m)
      m:drop_foreign_key("posts", "author_id", { "authors", "id" })
      m:drop_index("posts", { "views" })
      m:drop_check("posts", "title <> ''")
    end)
  end)

  it("refuse what is not there, or there already", function()
    local function says(message, up)
      assert.equal(message, refused(up).message)
    end
    says("Table 'posts' has no index 'posts__title'", function(m)
      m:drop_index("posts", { "title" })
    end)
    says("Table 'posts' has an index 'posts__views' already", function(m)
      m:add_index("posts", { "views" })
    end)
    says("Table 'posts' has no column 'vews'", function(m)
      m:add_index("posts", { "vews" })
    end)
    says("Table 'posts' has no foreign key to 'tags'", function(m)
      m:drop_foreign_key("posts", "author_id", "tags")
    end)
    says("Table 'posts' has no check views > 0", function(m)
      m:drop_check("posts", "views > 0")
    end)
    says("Table 'posts' has no UNIQUE constraint on title", function(m)
      m:drop_unique("posts", "title")
    end)
  end)

  it("refuse rows that are not unique", function()
    db:exec "UPDATE posts SET title = 'same'"
    local err = refused(function(m)
      m:add_index("posts", { "title" }, { unique = true })
    end)
    assert.equal(
      "Rows of 'posts' are not unique by title, as index 'posts__title__key' wants",
      err.message
    )
    refused(function(m)
      m:add_unique("posts", "title")
    end)
  end)

  it("refuse rows that would point nowhere", function()
    db:exec "UPDATE posts SET views = '99'"
    local err = refused(function(m)
      m:add_foreign_key("posts", "views", "authors")
    end)
    assert.equal(
      "2 rows would point at parents that are not there, one of them in 'posts'",
      err.message
    )
    refused(function(m)
      m:drop_table "authors"
    end)
  end)
end)

describe("words on data", function()
  it("run SQL and functions", function()
    local runner = apply(function(m)
      m:execute("UPDATE posts SET title = title || '.'", "UPDATE posts SET title = rtrim(title, '.')")
      m:run(function(at)
        at:exec "UPDATE posts SET views = '5'"
      end, function(at)
        at:exec "UPDATE posts SET views = NULL"
      end)
    end)
    assert.same({ title = "one.", views = "5" }, db:query("SELECT title, views FROM posts")[1])
    runner:down()
    assert.same({ title = "one" }, db:query("SELECT title, views FROM posts")[1])
  end)

  it("update many rows in spans", function()
    db:exec [[WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
      INSERT INTO posts (title) SELECT 'row ' || i FROM n]]
    local steps = {}
    migrate
      .open(db, {
        migrations = {
          {
            name = "0001_test",
            up = function(m)
              m:update("posts", { views = "length(title)", title = "upper(title)" }, { where = "id > 2" })
            end,
          },
        },
        progress = function(step)
          steps[#steps + 1] = step
        end,
      })
      :up()
    assert.equal(3, #steps)
    assert.equal(25002, steps[3].done)
    assert.equal(25002, steps[3].total)
    assert.equal("posts", steps[3].table)
    assert.equal("0001_test", steps[3].migration)
    assert.equal(0, steps[3].seconds_left)
    assert.equal(25000, db:query("SELECT count(*) AS n FROM posts WHERE views = length(title)")[1].n)
    assert.equal("one", db:query("SELECT title FROM posts")[1].title)
  end)

  it("refuse to be taken back without being told how", function()
    local function irreversible(why, up, options)
      local runner = migration(up, nil, options)
      runner:up()
      local before = digests.digest(db)
      local err = helper.raises("migration", runner.down, runner)
      assert.equal("Migration '0001_test' cannot be taken back - " .. why, err.message)
      assert.equal(before, digests.digest(db))
      db:exec "DROP TABLE tombstone_migration"
    end
    irreversible("update does not keep what was there", function(m)
      m:update("posts", { views = "1" })
    end)
    irreversible("execute does not say what takes it back", function(m)
      m:execute "UPDATE posts SET views = 2"
    end)
    irreversible("it says so itself", function() end, { irreversible = true })
    irreversible("change_column does not say by from what the column was", function(m)
      m:change_column("posts", { "views", "integer", null = true })
    end)
    irreversible("drop_column does not say what the column was", function(m)
      m:drop_column("posts", "author_id")
    end)
  end)
end)
