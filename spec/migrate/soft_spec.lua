-- The soft-delete words of migrations: what they make is what models want, what they take away
-- comes back, and what they cannot tell they refuse.
local Random = require "laws.random"
local ddl = require "tombstone.migrate.ddl"
local digests = require "migrate.digests"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local random_schema = require "migrate.random_schema"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local f = tombstone.field
local NOON = 1763899200 -- 2025-11-23 12:00:00 UTC

local db, clock, place

local function runner(up, options)
  local given = { name = ("%04d_test"):format(place), up = up }
  for key, value in pairs(options or {}) do
    given[key] = value
  end
  return migrate.open(db, { migrations = { given } })
end

-- Runs words as a migration of their own; answers what takes it back.
local function apply(up, options)
  local made = runner(up, options)
  made:up()
  return function()
    made:down()
  end
end

-- Applies, and forgets that it did: the next one comes after it.
local function for_good(up)
  apply(up)
  db:exec "DROP TABLE tombstone_migration"
end

local function refused(up, kind)
  local before = digests.digest(db)
  local err = helper.raises(kind or "migration", apply, up)
  digests.must_be_same(before, digests.digest(db))
  return err
end

local function there_and_back(up)
  local before = digests.digest(db)
  local back = apply(up)
  local after = digests.digest(db)
  assert.is_true(before ~= after)
  back()
  digests.must_be_same(before, digests.digest(db))
  for_good(up)
  digests.must_be_same(after, digests.digest(db))
end

local function value(sql, ...)
  return db:query(sql, ...)[1].value
end

local function index_names(name)
  local names = {}
  for _, index in ipairs(schema.read_table(db, name).indexes) do
    names[#names + 1] = index.name
  end
  table.sort(names)
  return table.concat(names, " ")
end

before_each(function()
  place = 1
  clock = helper.clock(NOON)
  db = tombstone.open(":memory:", { clock = clock.tell })
end)

after_each(function()
  db:close()
end)

-- ---- the models of a blog, with soft delete and without ----------------------------------------------

local function declare(on, soft)
  local Author = on:model("Author", { name = f.text { unique = true } }, {
    table = "authors",
    soft_delete = soft,
  })
  local Post = on:model("Post", {
    title = f.char { max_length = 100, unique = true, check = "title <> ''" },
    code = f.integer { unique = true, null = true },
    views = f.integer { default = 0, index = true },
    event = f.text { null = true, index = true },
    author = f.belongs_to("Author", { null = true, on_delete = soft == false and "keep" or "cascade" }),
  }, {
    table = "posts",
    soft_delete = soft,
    indexes = { { "event", "views" } },
    unique_together = { { "author_id", "title" } },
  })
  local Note = on:model("Note", {
    key = f.text { primary_key = true },
    size = f.integer { default = 0, index = true },
    post = f.belongs_to("Post", { null = true, on_delete = "keep" }),
  }, { table = "notes", soft_delete = soft })
  return Author, Post, Note
end

local function make_plain()
  local plain = tombstone.open ":memory:"
  declare(plain, false)
  for _, sql in ipairs(plain:ddl()) do
    if not sql:find('"tombstone_', 1, true) then
      db:exec(sql)
    end
  end
  plain:close()
  db:exec [[INSERT INTO authors (name) VALUES ('ana'), ('bo');
    INSERT INTO posts (title, code, views, author_id) VALUES ('one', 1, 0, 1), ('two', 2, 5, 1), ('three',
        NULL, 5, 2);
    INSERT INTO notes ("key", size, post_id) VALUES ('n', 0, 1)]]
end

local function add_all(options)
  return function(m)
    m:add_soft_delete("authors", options)
    m:add_soft_delete("posts", options)
    m:add_soft_delete("notes", options)
  end
end

describe("add_soft_delete", function()
  it("makes what models want", function()
    make_plain()
    there_and_back(add_all())
    local Author, Post = declare(db)
    assert.equal("", table.concat(migrate.diff(db).remarks, "\n"))
    assert.is_true(migrate.diff(db).empty, migrate.diff(db).text)
    db:create_tables()
    Author.objects:get(1):delete()
    assert.equal(1, Post.objects:count())
    Post:create { title = "one", code = 1, views = 0 }
    assert.equal(2, Post.objects:count())
  end)

  for _, strategy in ipairs { "mangle", "live" } do
    it("makes what models with unique = " .. strategy .. " want", function()
      make_plain()
      there_and_back(add_all { unique = strategy })
      declare(db, { unique = strategy })
      assert.is_true(migrate.diff(db).empty, migrate.diff(db).text)
      db:create_tables()
    end)
  end

  it("takes other names, and does without events", function()
    make_plain()
    there_and_back(add_all { column = "gone_at", event = "gone_by" })
    declare(db, { column = "gone_at", event = "gone_by" })
    assert.is_true(migrate.diff(db).empty, migrate.diff(db).text)
    db:close()
    db = tombstone.open ":memory:"
    db:exec "CREATE TABLE tags (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE)"
    there_and_back(function(m)
      m:add_soft_delete("tags", { event = false })
    end)
    db:model("Tag", { name = f.text { unique = true } }, { table = "tags", soft_delete = { event = false } })
    assert.is_true(migrate.diff(db).empty, migrate.diff(db).text)
  end)

  it("leaves what a foreign key points at", function()
    db:exec [[CREATE TABLE countries (id integer PRIMARY KEY, code text NOT NULL UNIQUE, name text UNIQUE);
      CREATE TABLE cities (id integer PRIMARY KEY, country text REFERENCES countries (code))]]
    there_and_back(function(m)
      m:add_soft_delete("countries", { unique = "live" })
    end)
    assert.equal("countries__event countries__living countries__name__live", index_names "countries")
    assert.same({ "code" }, schema.read_table(db, "countries").uniques[1].columns)
  end)

  it("binds what others made unique to the living", function()
    db:exec [[CREATE TABLE t (id integer PRIMARY KEY, a text, b text, c integer,
        CONSTRAINT ab UNIQUE (a COLLATE NOCASE, b DESC) ON CONFLICT IGNORE);
      CREATE UNIQUE INDEX lower_a ON t (lower(a)); CREATE UNIQUE INDEX some_b ON t (b) WHERE c > 5;
      CREATE UNIQUE INDEX only_c ON t (c); CREATE INDEX plain ON t (c); CREATE INDEX t__mine ON t (c, b)]]
    there_and_back(function(m)
      m:add_soft_delete "t"
    end)
    local t = schema.read_table(db, "t")
    assert.equal("lower_a plain some_b t__a__b__live t__c__live t__event t__living t__mine", index_names "t")
    for _, index in ipairs(t.indexes) do
      if index.name == "some_b" then
        assert.equal('(c > 5) AND "deleted_at" IS NULL', index.where)
      elseif index.name == "plain" then
        assert.is_nil(index.where)
      elseif index.name == "t__a__b__live" then
        assert.same({ { name = "a", collate = "NOCASE" }, { name = "b", desc = true } }, index.columns)
      end
    end
  end)

  it("does not make a new table where none is needed", function()
    db:exec "CREATE TABLE t (id integer PRIMARY KEY, a text UNIQUE)"
    local statements = {}
    migrate.open(db, {
      migrations = { { name = "0001_test", up = function(m) m:add_soft_delete "t" end } },
      log = function(sql)
        statements[#statements + 1] = sql
      end,
    }):up()
    for _, sql in ipairs(statements) do
      assert.is_nil(sql:find("tombstone_new_", 1, true), sql)
    end
  end)

  it("refuses what it cannot do", function()
    db:exec [[CREATE TABLE t (id integer PRIMARY KEY, deleted_at text); CREATE TABLE u (a text);
      CREATE TABLE v (a text, b text, PRIMARY KEY (a, b))]]
    local function says(message, name, options)
      assert.equal(message, refused(function(m)
        m:add_soft_delete(name, options)
      end).message)
    end
    says("Table 't' has a column 'deleted_at' already", "t")
    says("Table 'u' has no primary key of one column, as models want it", "u")
    says("Table 'v' has no primary key of one column, as models want it", "v")
    says("There is no table 'w'", "w")
    refused(function(m)
      m:add_soft_delete("u", { uniqe = "live" })
    end, "misuse")
    refused(function(m)
      m:add_soft_delete("u", { unique = "always" })
    end, "misuse")
  end)

  it("needs a transaction", function()
    make_plain()
    local err = helper.raises("migration", apply, add_all(), { transaction = false })
    assert.equal("add_soft_delete needs the transaction of its migration", err.message)
  end)

  it("asks what becomes of the dead on its way back", function()
    make_plain()
    local back = apply(add_all())
    local _, Post = declare(db)
    Post.objects:get(1):delete()
    local before = digests.digest(db)
    local err = helper.raises("migration", back)
    assert.equal("Dead rows of 'posts', and nothing says what becomes of them: 1 row, key 1", err.message)
    digests.must_be_same(before, digests.digest(db))
  end)

  it("may have been told so", function()
    make_plain()
    local before = digests.digest(db)
    local back = apply(add_all { dead = "revive" })
    local Author = declare(db)
    clock.now = NOON + 5
    Author.objects:get(1):delete()
    back()
    digests.must_be_same(before, digests.digest(db))
  end)
end)

-- ---- removing -----------------------------------------------------------------------------------------

describe("remove_soft_delete", function()
  local Author, Post, Note

  before_each(function()
    make_plain()
    for_good(add_all())
    Author, Post, Note = declare(db)
  end)

  local function remove(name, dead)
    return function(m)
      m:remove_soft_delete(name, { dead = dead })
    end
  end

  it("must be told what becomes of the dead", function()
    local err = refused(remove("posts"), "misuse")
    assert.equal("What becomes of the dead is purge, revive, keep, not 'nil'", err.message)
    refused(remove("posts", "forget"), "misuse")
    err = refused(remove("tombstone_event", "purge"))
    assert.equal("Table 'tombstone_event' has no soft delete", err.message)
  end)

  it("purges, children first", function()
    Author.objects:get(1):delete()
    local err = refused(remove("authors", "purge"))
    assert.equal("Dead rows of 'authors' cannot be purged while rows of 'posts' point at them: "
      .. "2 rows, key 1, 1", err.message)
    Note.objects:get("n"):delete()
    for_good(remove("notes", "purge"))
    for_good(remove("posts", "purge"))
    for_good(remove("authors", "purge"))
    assert.equal(0, value "SELECT count(*) AS value FROM notes")
    assert.equal(1, value "SELECT count(*) AS value FROM posts")
    assert.equal(1, value "SELECT count(*) AS value FROM authors")
    assert.is_nil(schema.read_table(db, "tombstone_event"))
    assert.is_nil(schema.read_table(db, "tombstone_owner"))
    assert.is_nil(schema.read_table(db, "tombstone_before"))
  end)

  it("revives with the values that they had", function()
    local before = digests.rows(db, schema.read_table(db, "posts"))
    Post.objects:filter { views = 5 }:delete()
    assert.not_equal(before, digests.rows(db, schema.read_table(db, "posts")))
    for_good(remove("posts", "revive"))
    local sql = "SELECT group_concat(title, ' ') AS value FROM (SELECT title FROM posts ORDER BY 1)"
    assert.equal("one three two", value(sql))
    assert.is_nil(schema.column(schema.read_table(db, "posts"), "deleted_at"))
    assert.equal(0, value "SELECT count(*) AS value FROM tombstone_event")
    assert.equal("posts__author_id posts__author_id__title__key posts__code__key posts__event "
      .. "posts__event__views posts__title__key posts__views", index_names "posts")
  end)

  it("refuses to revive what others have", function()
    Post.objects:get(1):delete()
    Post:create { title = "one", views = 0 }
    local err = refused(remove("posts", "revive"))
    assert.equal("Dead rows of 'posts' cannot stay: others have their title: 1 row, key 1", err.message)
    assert.equal(1, err.count)
    assert.equal(1, err.rows[1].key)
    Post.objects:filter { title = "one" }:delete()
    assert.equal(2, refused(remove("posts", "revive")).count)
    Post.deleted_objects:get(1):purge()
    for_good(remove("posts", "revive"))
  end)

  it("looks at what is unique among the living too", function()
    Post.objects:get(1):delete()
    Post:create { title = "another", code = 1, views = 0 }
    local err = refused(remove("posts", "revive"))
    assert.equal("Dead rows of 'posts' cannot stay: others have their code: 1 row, key 1", err.message)
    assert.equal(err.message, refused(remove("posts", "keep")).message)
  end)

  it("keeps the columns, and can be taken back then", function()
    Author.objects:get(1):delete()
    there_and_back(function(m)
      m:remove_soft_delete("posts", { dead = "keep" })
      m:remove_soft_delete("authors", { dead = "keep" })
    end)
    assert.equal(2, value "SELECT count(*) AS value FROM posts WHERE deleted_at IS NOT NULL")
  end)

  it("forgets further owners", function()
    Post.objects:get(1):delete()
    Author.objects:get(1):delete()
    assert.equal(1, value "SELECT count(*) AS value FROM tombstone_owner")
    for_good(remove("posts", "revive"))
    assert.is_nil(schema.read_table(db, "tombstone_owner"))
    assert.equal(1, value "SELECT count(*) AS value FROM tombstone_event") -- which holds the author
  end)

  it("says that the dead do not come back", function()
    local back = apply(remove("notes", "purge"))
    local err = helper.raises("migration", back)
    assert.equal("Migration '0001_test' cannot be taken back - remove_soft_delete has purged the dead",
      err.message)
  end)
end)

-- ---- change_unique ------------------------------------------------------------------------------------

local function change(columns, strategy, options)
  return function(m)
    m:change_unique("posts", columns, strategy, options)
  end
end

describe("change_unique", function()
  local function make(unique, constraint)
    db:exec("CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL"
      .. (constraint and " UNIQUE" or "") .. ", lang text)")
    if not constraint then
      db:exec "CREATE UNIQUE INDEX posts__title__key ON posts (title)"
    end
    for_good(function(m)
      m:add_soft_delete("posts", { unique = unique })
    end)
    return db:model("Post", { title = f.text { unique = true }, lang = f.text { null = true } }, {
      table = "posts",
      soft_delete = { unique = unique },
    })
  end

  local function titles()
    return value "SELECT group_concat(title, ' ') AS value FROM (SELECT title FROM posts ORDER BY id)"
  end

  for _, constraint in ipairs { false, true } do
    local name = constraint and "a UNIQUE" or "an index"
    it("goes from mangle to live and back, with " .. name, function()
      local Post = make("mangle", constraint)
      for i = 1, 3 do
        Post:create { title = "t" .. i }
      end
      Post.objects:filter { title__in = { "t1", "t3" } }:delete()
      there_and_back(change("title", "live"))
      assert.equal("t1 t2 t3", titles())
      assert.equal("posts__event posts__living posts__title__live", index_names "posts")
      there_and_back(change("title", "mangle"))
      assert.equal("t1__deleted_1763899200.000000 t2 t3__deleted_1763899200.000000", titles())
      assert.equal(2, Post.deleted_objects:restore { all = true })
      assert.equal("t1 t2 t3", titles())
    end)
  end

  it("suits the models of both sides", function()
    local Post = make "mangle"
    Post:create { title = "a" }
    Post.objects:get(1):delete()
    Post:create { title = "a" }
    for_good(change("title", "live"))
    local Live = db:model("Live", { title = f.text { unique = true }, lang = f.text { null = true } }, {
      table = "posts",
      soft_delete = { unique = "live" },
    })
    local err = helper.raises("integrity", function()
      Live.deleted_objects:restore { all = true }
    end)
    assert.equal("a", err.value)
    Live.objects:delete { all = true }
    assert.equal(2, Live.deleted_objects:filter { title = "a" }:count())
    for_good(change("title", "mangle"))
    assert.equal(0, Post.objects:count())
    Post.deleted_objects:get(2):restore()
    assert.equal("a", Post.objects:get(2).title)
  end)

  it("spells suffixes as the article did when it is taken back", function()
    local Post = make "mangle"
    db:exec [[INSERT INTO posts (title, deleted_at) VALUES ('a__deleted_1763899200.0', '2025-11-23 12:00:00'),
      ('b__deleted_1763899200.000000', '2025-11-23 12:00:00'),
      ('c__deleted_1763899200.25', '2025-11-23 12:00:00.250000')]]
    there_and_back(change("title", "live"))
    local back = apply(change("title", "mangle", { from = "live" }))
    back()
    assert.equal("a b c", titles())
    Post.all_objects:get(3):restore()
    db:exec [[INSERT INTO tombstone_migration (name, checksum, applied_at, seconds, finished)
      VALUES ('0001_test', NULL, '', 0, 1)]]
    runner(change("title", "live")):down()
    assert.equal("a__deleted_1763899200.0 b__deleted_1763899200.000000 c", titles())
  end)

  it("makes values last", function()
    local Post = make "mangle"
    Post:create { title = "a" }
    Post:create { title = "b" }
    Post.objects:get(1):delete()
    there_and_back(change("title", "always"))
    assert.equal("a b", titles())
    there_and_back(change("title", "live", { from = "always" }))
    assert.equal("a b", titles())
    there_and_back(change("title", "always"))
    there_and_back(change("title", "mangle", { from = "always" }))
    assert.equal("a__deleted_1763899200.000000 b", titles())
  end)

  it("refuses dead values without a suffix", function()
    local Post = make "mangle"
    for i = 1, 13 do
      Post:create { title = "t" .. i }
    end
    Post.objects:delete { all = true }
    db:exec "UPDATE posts SET title = 'plain' || id WHERE id > 1"
    local err = refused(change("title", "live"))
    assert.equal("Dead rows bear no suffix of their own in title of 'posts': "
      .. "12 rows, key 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 12 in all", err.message)
    assert.equal(12, err.count)
    assert.equal(10, #err.rows)
    assert.same({ key = 2, value = "plain2" }, err.rows[1])
    local back = apply(change("title", "live", { ambiguous = "keep" }))
    assert.equal("t1 plain2", titles():sub(1, 9))
    err = helper.raises("migration", back)
    assert.truthy(err.message:find("has left rows that it could not tell apart", 1, true))
  end)

  it("refuses dead values that bear the suffix already", function()
    local Post = make "live"
    for _, title in ipairs { "a", "b__deleted_1763899200.000000", "c__DELETED_1763899200.000000 ",
      "d__deleted_1763899200.5", "e__deleted_1763899200.0" } do
      Post:create { title = title }
    end
    Post.objects:delete { all = true }
    local err = refused(change("title", "mangle"))
    assert.equal("Dead rows bear the suffix of their deletion already in title of 'posts': "
      .. "3 rows, key 2, 3, 5", err.message)
    db:exec "DELETE FROM posts WHERE id IN (2, 3, 5)"
    there_and_back(change("title", "mangle"))
  end)

  it("refuses times that it cannot read", function()
    local Post = make "live"
    Post:create { title = "a" }
    db:exec "UPDATE posts SET deleted_at = 'yesterday'"
    local err = refused(change("title", "mangle"))
    assert.equal("The time of dead rows cannot be read, for a suffix in title of 'posts': 1 row, key 1",
      err.message)
  end)

  it("refuses rows that would collide", function()
    local Post = make "live"
    Post:create { title = "a" }
    Post.objects:get(1):delete()
    Post:create { title = "a__deleted_1763899200.000000" }
    local err = refused(change("title", "mangle"))
    assert.equal("Rows would collide in title of 'posts': 2 rows, key 1, 2", err.message)
    db:exec "UPDATE posts SET title = 'a', deleted_at = '2025-11-23 12:00:00' WHERE id = 2"
    assert.equal(2, refused(change("title", "mangle")).count)
    assert.equal(2, refused(change("title", "always")).count)
  end)

  it("knows the last text of several columns", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, author_id integer, title text, lang text,
      UNIQUE (author_id, title, lang))]]
    for_good(function(m)
      m:add_soft_delete("posts", { unique = "mangle" })
    end)
    local Post = db:model("Post", { author_id = f.integer { null = true }, title = f.text { null = true },
      lang = f.text { null = true } }, {
      table = "posts",
      soft_delete = { unique = "mangle" },
      unique_together = { { "author_id", "title", "lang" } },
    })
    Post:create { author_id = 1, title = "a", lang = "de" }
    Post:create { author_id = 1, title = "b" }
    Post:create { author_id = 1 }
    Post.objects:delete { all = true }
    local columns = { "author_id", "title", "lang" }
    there_and_back(change(columns, "live"))
    local rows = db:query "SELECT title, lang FROM posts ORDER BY id"
    assert.same({ { title = "a", lang = "de" }, { title = "b" }, {} }, rows)
    there_and_back(change(columns, "mangle"))
    rows = db:query "SELECT title, lang FROM posts ORDER BY id"
    assert.same({ { title = "a", lang = "de__deleted_1763899200.000000" },
      { title = "b__deleted_1763899200.000000" }, {} }, rows)
  end)

  it("asks about another unique of the same column", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, lang text, title text UNIQUE, UNIQUE (lang,
        title))]]
    for_good(function(m)
      m:add_soft_delete("posts", { unique = "mangle" })
    end)
    db:exec [[INSERT INTO posts VALUES (1, 'de', 'a__deleted_1763899200.000000', '2025-11-23 12:00:00', 1)]]
    local err = refused(change("title", "live"))
    assert.equal("The values of title of 'posts' are unique by (lang, title) too", err.message)
    there_and_back(change("title", "live", { others = "mangle" }))
    assert.equal("a__deleted_1763899200.000000", value "SELECT title AS value FROM posts")
    there_and_back(change({ "lang", "title" }, "live"))
    assert.equal("a", value "SELECT title AS value FROM posts")
  end)

  it("refuses what makes no sense", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, title text UNIQUE, code text UNIQUE,
        n integer UNIQUE);
      CREATE TABLE lines (code text REFERENCES posts (code))]]
    for_good(function(m)
      m:add_soft_delete "posts"
    end)
    local function says(message, ...)
      assert.equal(message, refused(change(...)).message)
    end
    says("What is unique by title of 'posts' is 'mangle' already", "title", "mangle")
    says("What is unique by n of 'posts' is 'live' already", "n", "live")
    says("What is unique by n of 'posts' is not 'mangle'", "n", "always", { from = "mangle" })
    says("A suffix needs a text: n of 'posts' has none", "n", "mangle")
    says("Rows of 'lines' point at code of 'posts', which must stay unique among all rows", "code", "live")
    says("Table 'posts' has nothing unique by id", "id", "live")
    says("Table 'posts' has no column 'x'", "x", "live")
    says("Nothing is known of how title of 'posts' was unique before", "title", "before")
    refused(change("title", "dead"), "misuse")
    refused(change({}, "live"), "misuse")
    refused(change("title", "live", { from = 5 }), "misuse")
    refused(change("title", "live", { others = "x" }), "misuse")
    refused(change("title", "live", { ambiguous = true }), "misuse")
  end)

  it("is told of while it takes long", function()
    make "mangle"
    db:exec [[WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
      INSERT INTO posts (title, deleted_at) SELECT tombstone_mangled('t' || i,
        tombstone_suffix('2025-11-23 12:00:00')),
      '2025-11-23 12:00:00' FROM n]]
    local steps = {}
    migrate.open(db, {
      migrations = { { name = "0001_test", up = change("title", "live") } },
      progress = function(step)
        steps[#steps + 1] = step
      end,
    }):up()
    assert.equal(3, #steps)
    assert.same({ "posts", 25000, 25000 }, { steps[3].table, steps[3].done, steps[3].total })
  end)
end)

-- ---- SQL without rows ------------------------------------------------------------------------------------

it("soft-delete words can be shown as SQL", function()
  make_plain()
  local made = runner(add_all { unique = "live" })
  local texts = made:sql()
  assert.truthy(table.concat(texts[1].statements, "\n"):find 'CREATE UNIQUE INDEX "posts__title__live"')
  made:up()
  texts = made:sql { down = true }
  assert.truthy(table.concat(texts[1].statements, "\n"):find 'CREATE UNIQUE INDEX "posts__title__key"')
end)

-- ---- random ones -----------------------------------------------------------------------------------------

local VALUES = { "a", "b", "", " ", "A", "ä", "__deleted_", "a__deleted_1", "a__deleted_1763899200.000001",
  "x y", "0", "1.5", "'", "%", ("long"):rep(30), "a__deleted_b" }

-- Rows with values that are unique among the living, some dead: as the engine would have left them.
local function fill(random, strategy)
  local living, at = {}, 0
  for id = 1, random:int(0, 14) do
    local title = random:pick(VALUES)
    local lang = random:chance(70) and random:pick { "de", "en", "__deleted_" } or nil
    at = at + random:int(1, 2500000)
    local is_dead = living[title] or random:chance(60)
    local row = { id, title, lang, nil }
    if is_dead then
      local seconds, micro = math.floor(at / 1000000), at % 1000000
      row[4] = os.date("!%Y-%m-%d %H:%M:%S", NOON + seconds) .. (micro > 0 and (".%06d"):format(micro) or "")
      if strategy == "mangle" then
        row[2] = ("%s__deleted_%d.%06d"):format(title, NOON + seconds, micro)
      end
    end
    living[title] = living[title] or not is_dead
    db:exec("INSERT INTO posts (id, title, lang, deleted_at) VALUES (?, ?, ?, ?)", row[1], row[2],
      row[3] or tombstone.null, row[4] or tombstone.null)
  end
end

local SHAPES = {
  "CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL UNIQUE, lang text)",
  "CREATE TABLE posts (id text PRIMARY KEY, title varchar(9) CHECK (title <> 'q') CONSTRAINT u UNIQUE,"
    .. " lang text)",
  "CREATE TABLE posts (id integer PRIMARY KEY, title text UNIQUE, lang text) WITHOUT ROWID",
  "CREATE TABLE posts (id integer PRIMARY KEY, lang text, title text COLLATE BINARY, note text DEFAULT 'n');"
    .. " CREATE UNIQUE INDEX posts__title__key ON posts (title)",
}

local function case(random, seed)
  local strategy = random:pick { "mangle", "live" }
  db:exec(random:pick(SHAPES))
  for_good(function(m)
    m:add_soft_delete("posts", { unique = strategy })
  end)
  fill(random, strategy)
  local before = digests.rows(db, schema.read_table(db, "posts"))
  local other = strategy == "mangle" and "live" or "mangle"
  there_and_back(change("title", other))
  for_good(change("title", strategy))
  assert.equal(before, digests.rows(db, schema.read_table(db, "posts")), "SPEC_SEED=" .. seed)
end

it("random rows come through both strategies byte for byte", function()
  for i = 1, helper.scaled(150, 10) do
    local seed = helper.seed() + i
    db:close()
    db = tombstone.open ":memory:"
    local ok, err = pcall(case, Random.new(seed), seed)
    assert(ok, ("SPEC_SEED=%d: %s"):format(seed, tostring(err)))
  end
end)

-- Tables that can have soft delete.
local function candidates(found)
  local list = {}
  for _, name in ipairs(found.order) do
    local t = found.tables[name]
    local is_free = not schema.column(t, "deleted_at") and not schema.column(t, "deleted_event")
    if is_free and t.primary_key and #t.primary_key == 1 then
      list[#list + 1] = name
    end
  end
  return list
end

local function add_to_random(seed)
  local random = Random.new(seed)
  local whole = random_schema.schema(random)
  for _, sql in ipairs(ddl.schema(whole)) do
    db:exec(sql)
  end
  random_schema.fill(db, whole, random, 8)
  local names = random:some(candidates(whole), 70)
  local unique = random:pick { "mangle", "live", false }
  local before = digests.digest(db)
  local back = apply(function(m)
    for _, name in ipairs(names) do
      m:add_soft_delete(name, { unique = unique or nil })
    end
  end)
  local needed = #names > 0
  assert.equal(needed, before ~= digests.digest(db))
  back()
  digests.must_be_same(before, digests.digest(db))
  return #names
end

it("a table of its own children loses its dead by whichever column marks them", function()
  db:exec [[CREATE TABLE n (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, up integer REFERENCES n (id));
    INSERT INTO n VALUES (1, NULL), (2, 1)]]
  for_good(function(m)
    m:add_soft_delete("n", { column = "gone_at", event = false })
  end)
  db:exec "UPDATE n SET gone_at = '2025-11-23 12:00:00'"
  for_good(function(m)
    m:remove_soft_delete("n", { dead = "purge", column = "gone_at" })
  end)
  assert.equal(0, value "SELECT count(*) AS value FROM n")
end)

it("the difference says whose events go with a soft delete", function()
  db:model("Comment", { text = f.text() }, { table = "comments", soft_delete = false })
  db:exec [[CREATE TABLE comments (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, text text NOT NULL,
    deleted_at datetime, deleted_event integer);
    CREATE INDEX comments__living ON comments (id, deleted_at) WHERE deleted_at IS NULL;
    CREATE INDEX comments__event ON comments (deleted_event) WHERE deleted_event IS NOT NULL]]
  local found = migrate.diff(db)
  assert.truthy(found.text:find('model = "Comment"', 1, true), found.text)
end)

it("random tables get soft delete and lose it without a trace", function()
  local n = 0
  for i = 1, helper.scaled(150, 10) do
    local seed = helper.seed() + i
    db:close()
    db = tombstone.open ":memory:"
    local ok, err = pcall(add_to_random, seed)
    assert(ok, ("SPEC_SEED=%d: %s"):format(seed, tostring(err)))
    n = n + err
  end
  assert.is_true(n > 0)
end)

-- ---- from models -----------------------------------------------------------------------------------------

describe("the difference to models", function()
  local function words()
    local list, found = {}, migrate.diff(db)
    for i, word in ipairs(found.words) do
      list[i] = word.word
    end
    return table.concat(list, " "), found
  end

  -- Runs what the difference says, as its file would.
  local function run(found)
    local loads = rawget(_G, "loadstring") or load
    for_good(assert(loads(found.text))().up)
  end

  for _, strategy in ipairs { "mangle", "live" } do
    it("is add_soft_delete, for unique = " .. strategy, function()
      make_plain()
      declare(db, { unique = strategy })
      local list, found = words()
      assert.equal("add_soft_delete add_soft_delete add_soft_delete", list)
      run(found)
      assert.is_true(migrate.diff(db).empty)
    end)
  end

  it("knows other names, and single fields that differ", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
      title text NOT NULL UNIQUE, slug text NOT NULL UNIQUE)]]
    local fields = { title = f.text { unique = true }, slug = f.text { unique = "live" } }
    db:model("Post", fields, {
      table = "posts",
      soft_delete = { column = "gone_at", event = false },
    })
    local found = migrate.diff(db)
    local word = [[m:add_soft_delete("posts", { column = "gone_at", event = false })]]
    assert.truthy(found.text:find(word, 1, true))
    assert.truthy(found.text:find('m:change_unique("posts", "slug", "live")', 1, true))
    run(found)
    assert.is_true(migrate.diff(db).empty)
  end)

  it("is change_unique, so that values follow", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL UNIQUE,
      code text NOT NULL UNIQUE, n integer NOT NULL UNIQUE)]]
    for_good(function(m)
      m:add_soft_delete("posts", { unique = "live" })
    end)
    db:exec "INSERT INTO posts (title, code, n, deleted_at) VALUES ('a', 'b', 1, '2025-11-23 12:00:00')"
    db:model("Post", {
      title = f.text { unique = "mangle", renamed_from = "headline" }, -- long ago
      code = f.text { unique = "always" },
      n = f.integer { unique = "always" },
    }, { table = "posts" })
    local found = migrate.diff(db)
    for _, line in ipairs { '"title", "mangle"', '"code", "always"', '"n", "always"' } do
      assert.truthy(found.text:find(('m:change_unique("posts", %s)'):format(line), 1, true), found.text)
    end
    run(found)
    assert.is_true(migrate.diff(db).empty)
    assert.equal("a__deleted_1763899200.000000 b", value "SELECT title || ' ' || code AS value FROM posts")
  end)

  it("asks what becomes of the dead", function()
    make_plain()
    for_good(add_all())
    declare(db, false)
    local _, found = words()
    assert.equal("'authors' loses its soft delete: say what becomes of its dead rows", found.remarks[1])
    helper.raises("misuse", run, found)
    found.text = found.text:gsub("purge, revive or keep%?", "purge")
    run(found)
    assert.is_true(migrate.diff(db).empty)
  end)
end)
