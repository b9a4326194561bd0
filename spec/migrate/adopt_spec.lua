-- Tables in which others have deleted rows in their own ways, made as those programs make them, and
-- adopted: who was dead is dead, comes back by a model, and the table becomes what it was when asked.
local Random = require "laws.random"
local digests = require "migrate.digests"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local f = tombstone.field
local NOON = 1763899200 -- 2025-11-23 12:00:00 UTC

local db

local function apply(up)
  local runner = migrate.open(db, { migrations = { { name = "0001_test", up = up } } })
  runner:up()
  return function()
    runner:down()
  end
end

local function adopt(options, name)
  return function(m)
    m:adopt(name or "posts", options)
  end
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
  apply(up)
  digests.must_be_same(after, digests.digest(db))
  db:exec "DROP TABLE tombstone_migration"
end

-- The model of `posts`, which finds nothing to migrate.
local function model(fields, options)
  options = options or {}
  options.table = "posts"
  local Post = db:model("Post", fields or { title = f.text { unique = true } }, options)
  local diff = migrate.diff(db)
  assert.is_true(diff.empty, diff.text)
  db:create_tables()
  return Post
end

local function texts(sql)
  local list = {}
  for i, row in ipairs(db:query(sql)) do
    list[i] = tostring(row.value)
  end
  return table.concat(list, " | ")
end

local function times()
  return texts "SELECT coalesce(deleted_at, '-') AS value FROM posts ORDER BY id"
end

local function found(options)
  return migrate.recognise(db, "posts", options)
end

local function check_found(scheme, living, dead, options)
  local what = found(options)
  assert.same({ scheme, living, dead, 0 }, { what.scheme, what.living, what.dead, what.count })
  return what
end

before_each(function()
  db = tombstone.open(":memory:", { clock = helper.clock(NOON).tell })
end)

after_each(function()
  db:close()
end)

-- ---- times ------------------------------------------------------------------------------------------

describe("a table with deleted_at", function()
  -- $table->timestamps(); $table->softDeletes();
  it("of Laravel", function()
    db:exec [[CREATE TABLE "posts" ("id" integer primary key autoincrement not null, "title" varchar(100)
        not null,
        "created_at" datetime, "updated_at" datetime, "deleted_at" datetime);
      CREATE UNIQUE INDEX "posts_title_unique" on "posts" ("title");
      INSERT INTO posts (title, deleted_at) VALUES ('one', NULL), ('two', '2025-11-20 08:00:00'),
        ('three', '2025-11-20 08:00:00'), ('four', '2025-11-21 09:30:00')]]
    local what = check_found("deleted_at", 1, 3)
    assert.equal("deleted_at", what.column)
    there_and_back(adopt { model = "Post" })
    assert.equal("- | 2025-11-20 08:00:00 | 2025-11-20 08:00:00 | 2025-11-21 09:30:00", times())
    local Post = model {
      title = f.char { max_length = 100, unique = true },
      created_at = f.datetime { null = true },
      updated_at = f.datetime { null = true },
    }
    Post:create { title = "two" }
    assert.equal("one two", table.concat(helper.list(Post.objects:order_by "id", "title"), " "))
    helper.raises("integrity", function()
      Post.deleted_objects:get(2):restore()
    end)
    local events = db:events { model = "Post" }
    assert.equal(2, #events)
    assert.same({ "adopted", nil, "4" }, { events[1].reason, events[1].pk, events[2].pk })
    Post.objects:filter { title = "two" }:delete()
    events[1]:undo()
    assert.equal("one two three", table.concat(helper.list(Post.objects:order_by "id", "title"), " "))
  end)

  -- gorm.Model, and what its drivers for SQLite write
  it("of GORM", function()
    db:exec [[CREATE TABLE `posts` (`id` integer PRIMARY KEY AUTOINCREMENT, `created_at` datetime,
        `updated_at` datetime,
        `deleted_at` datetime, `title` text, CONSTRAINT `uni_posts_title` UNIQUE (`title`));
      CREATE INDEX `idx_posts_deleted_at` ON `posts`(`deleted_at`);
      INSERT INTO posts (title, deleted_at) VALUES ('a', NULL), ('b', '2025-11-20 09:00:00.123456789+01:00'),
        ('c', '2025-11-20 08:00:00.5 +0000 UTC')]]
    check_found("deleted_at", 1, 2)
    apply(adopt())
    assert.equal("- | 2025-11-20 08:00:00.123456 | 2025-11-20 08:00:00.500000", times())
    for _, index in ipairs(schema.read_table(db, "posts").indexes) do
      assert.not_equal("idx_posts_deleted_at", index.name)
    end
  end)

  it("cannot be taken back where more was said", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, title text, deleted_at text);
      INSERT INTO posts VALUES (1, 'a', '2025-11-20T08:00:00Z')]]
    local back = apply(adopt())
    local after = digests.digest(db)
    local err = helper.raises("migration", back)
    assert.equal("The adoption of 'posts' cannot be taken back - its rows had more to say in 'deleted_at'",
      err.message)
    digests.must_be_same(after, digests.digest(db))
  end)

  -- gem "paranoia", acts_as_paranoid column: :active, sentinel_value: true? The README's unique index.
  it("of paranoia, with active", function()
    db:exec [[CREATE TABLE "posts" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "title" varchar(255),
        "active" boolean,
        "deleted_at" datetime(6));
      CREATE UNIQUE INDEX "index_posts_on_title_and_active" ON "posts" ("title", "active");
      CREATE INDEX "index_posts_on_deleted_at" ON "posts" ("deleted_at");
      INSERT INTO posts (title, active, deleted_at) VALUES ('a', 1, NULL), ('a', NULL,
        '2025-11-20 08:00:00.250000'),
        ('a', NULL, '2025-11-20 08:00:01.250000')]]
    check_found("paranoia", 1, 2)
    there_and_back(adopt { drop = true })
    assert.equal("a | a__deleted_1763625600.250000 | a__deleted_1763625601.250000",
      texts "SELECT title AS value FROM posts ORDER BY id")
    local Post = model { title = f.char { max_length = 255, unique = true, null = true } }
    assert.equal(1, Post.objects:count())
    Post.objects:get(1):delete()
    assert.equal("a", Post.deleted_objects:get(3):restore() and Post.objects:get(3).title)
  end)

  -- acts_as_paranoid with paranoia_sentinel_value DateTime.new(0)
  it("of paranoia, with a sentinel", function()
    db:exec [[CREATE TABLE "posts" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "title" varchar(255)
        NOT NULL,
        "deleted_at" datetime DEFAULT '0000-01-01 00:00:00' NOT NULL);
      CREATE UNIQUE INDEX "index_posts_on_title_and_deleted_at" ON "posts" ("title", "deleted_at");
      INSERT INTO posts (title) VALUES ('a'), ('b');
      INSERT INTO posts (title, deleted_at) VALUES ('a', '2025-11-20 08:00:00'), ('a',
        '2025-11-20 08:00:01')]]
    check_found("paranoia", 2, 2)
    there_and_back(adopt { unique = "live" })
    assert.equal("- | - | 2025-11-20 08:00:00 | 2025-11-20 08:00:01", times())
    model({ title = f.char { max_length = 255, unique = true } }, { soft_delete = { unique = "live" } })
  end)

  -- class Post(SafeDeleteModel)
  it("of django-safedelete", function()
    db:exec [[CREATE TABLE "posts" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "deleted" datetime NULL,
        "deleted_by_cascade" bool NOT NULL, "title" varchar(100) NOT NULL UNIQUE);
      CREATE INDEX "blog_post_deleted_e1b2" ON "posts" ("deleted");
      CREATE INDEX "blog_post_deleted_by_cascade_d3" ON "posts" ("deleted_by_cascade");
      INSERT INTO posts (title, deleted, deleted_by_cascade) VALUES ('a', NULL, 0), ('b',
        '2025-11-20 08:00:00.000001', 0),
        ('c', '2025-11-20 08:00:00.000001', 0)]]
    local what = check_found("safedelete", 1, 2)
    assert.equal("deleted", what.column)
    there_and_back(adopt { drop = true })
    model { title = f.char { max_length = 100, unique = true } }
    assert.equal("- | 2025-11-20 08:00:00.000001 | 2025-11-20 08:00:00.000001", times())
  end)

  it("of django-safedelete, whose cascades are not known afterwards", function()
    db:exec [[CREATE TABLE "posts" ("id" integer PRIMARY KEY, "deleted" datetime,
        "deleted_by_cascade" bool NOT NULL);
      INSERT INTO posts VALUES (1, '2025-11-20 08:00:00', 1), (2, '2025-11-20 08:00:00', 0)]]
    local err = helper.raises("migration", apply(adopt { drop = true }))
    assert.truthy(err.message:find("more to say in 'deleted_by_cascade'", 1, true))
    db:close()
    db = tombstone.open ":memory:"
    db:exec [[CREATE TABLE "posts" ("id" integer PRIMARY KEY, "deleted" datetime,
        "deleted_by_cascade" bool NOT NULL);
      INSERT INTO posts VALUES (1, '2025-11-20 08:00:00', 1), (2, '2025-11-20 08:00:00', 0)]]
    there_and_back(adopt())
  end)

  it("may keep its own name", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL UNIQUE,
        discarded_at datetime); CREATE INDEX index_posts_on_discarded_at ON posts (discarded_at);
      INSERT INTO posts (title, discarded_at) VALUES ('a', '2025-11-20 08:00:00'), ('b', NULL)]]
    check_found("deleted_at", 1, 1)
    there_and_back(adopt { column = "discarded_at" })
    model(nil, { soft_delete = { column = "discarded_at" } })
  end)

  it("refuses times that it cannot read", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, deleted_at text);
      INSERT INTO posts VALUES (1, NULL), (2, '2025-11-20'), (3, 'yes'), (4, '20.11.2025'), (5,
        '2099-01-01 00:00:00'), (6, '')]]
    local what = found()
    assert.same({ "deleted_at", 2, 1, 3 }, { what.scheme, what.living, what.dead, what.count })
    assert.same({ key = 3, value = "yes", why = "a time that cannot be read" }, what.ambiguous[1])
    assert.same({ key = 5, value = "2099-01-01 00:00:00", why = "a time to come" }, what.ambiguous[3])
    local err = refused(adopt())
    assert.equal("Rows of 'posts' do not say whether they are deleted (a time that cannot be read): "
      .. "3 rows, key 3, 4, 5", err.message)
    assert.equal(3, err.count)
    apply(adopt { ambiguous = "dead" })
    assert.equal("- | 2025-11-20 00:00:00 | 2025-11-23 12:00:00 | 2025-11-23 12:00:00 | "
      .. "2099-01-01 00:00:00 | -", times())
    assert.equal(4, #db:events())
  end)

  it("lets unclear rows live when told so", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, deleted_at text); INSERT INTO posts VALUES (1,
        'yes'), (2, '2025-11-20')]]
    apply(adopt { ambiguous = "living" })
    assert.equal("- | 2025-11-20 00:00:00", times())
  end)

  it("may have a sentinel of its own", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY,
        deleted_at datetime NOT NULL DEFAULT '9999-12-31 23:59:59');
      INSERT INTO posts VALUES (1, '9999-12-31 23:59:59'), (2, '2025-11-20 00:00:00')]]
    assert.equal(1, found().count)
    check_found("deleted_at", 1, 1, { sentinel = "9999-12-31 23:59:59" })
    there_and_back(adopt { sentinel = "9999-12-31 23:59:59" })
  end)
end)

-- ---- numbers ----------------------------------------------------------------------------------------

describe("a table with numbers", function()
  -- gorm.io/plugin/soft_delete: DeletedAt soft_delete.DeletedAt `gorm:"uniqueIndex:udx_name"`
  for unit, zeros in pairs { s = 0, ms = 3, us = 6, ns = 9 } do
    local number = "1763625600" .. ("0"):rep(zeros)
    it("of GORM's plugin, in " .. unit, function()
      db:exec(([[CREATE TABLE `posts` (`id` integer PRIMARY KEY AUTOINCREMENT, `title` text NOT NULL,
        `deleted_at` integer);
        CREATE UNIQUE INDEX `udx_name` ON `posts`(`title`,`deleted_at`);
        INSERT INTO posts (title, deleted_at) VALUES ('a', 0), ('a', %s), ('b', 0), ('c',
        %s)]]):format(number, number))
      local what = check_found("unix", 2, 2)
      assert.equal("times are numbers of " .. unit, what.notes[1])
      there_and_back(adopt())
      assert.equal("- | 2025-11-20 08:00:00 | - | 2025-11-20 08:00:00", times())
      model()
    end)
  end

  it("refuses times of two units", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, deleted_at integer);
      INSERT INTO posts VALUES (1, 0), (2, 1763625600), (3, 1763625601), (4, 1763625600000)]]
    local what = found()
    assert.same({ key = 4, value = 1763625600000, why = "a time of another unit" }, what.ambiguous[1])
    refused(adopt())
    db:exec "DELETE FROM posts WHERE id = 4"
    apply(adopt { unit = "s" })
  end)

  -- soft_delete.DeletedAt `gorm:"softDelete:flag"`
  it("that are flags", function()
    db:exec [[CREATE TABLE `posts` (`id` integer PRIMARY KEY AUTOINCREMENT, `deleted_at` integer);
      INSERT INTO posts (deleted_at) VALUES (0), (1), (NULL)]]
    local what = check_found("flag", 2, 1)
    assert.equal("1 dead rows have no time: they get that of the migration", what.notes[1])
    apply(adopt())
    assert.equal("- | 2025-11-23 12:00:00 | -", times())
  end)
end)

-- ---- flags ------------------------------------------------------------------------------------------

describe("a table with a flag", function()
  for name, column in pairs { is_deleted = "boolean NOT NULL DEFAULT 0", deleted = "integer NOT NULL",
    isRemoved = "bool" } do
    it("called " .. name, function()
      db:exec(([[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL,
        %s %s);
        CREATE UNIQUE INDEX only_living ON posts (title) WHERE %s = 0;
        INSERT INTO posts (title, %s) VALUES ('a', 0), ('b', 1), ('a', 1)]]):format(name, column, name, name))
      check_found("flag", 1, 2)
      there_and_back(adopt { drop = true, unique = "live" })
      assert.equal("- | 2025-11-23 12:00:00 | 2025-11-23 12:00:00", times())
      local Post = model(nil, { soft_delete = { unique = "live" } })
      assert.equal(2, #db:events())
      db:events()[1]:undo()
      assert.equal("a b", table.concat(helper.list(Post.objects:order_by "id", "title"), " "))
    end)
  end

  it("keeps the flag when it is not told to drop it", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL,
        is_deleted boolean NOT NULL,
        CHECK (is_deleted IN (0, 1))); INSERT INTO posts (title, is_deleted) VALUES ('a', 0), ('b', 1)]]
    there_and_back(adopt())
    db:exec "INSERT INTO posts (title) VALUES ('c')"
    assert.equal("0 | 1 | 0", texts "SELECT is_deleted AS value FROM posts ORDER BY id")
  end)

  it("with a time beside it", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL,
        is_deleted boolean NOT NULL DEFAULT 0 CHECK (is_deleted IN (0, 1)), deleted_on datetime);
      CREATE INDEX by_flag ON posts (is_deleted); CREATE INDEX by_both ON posts (title, is_deleted);
      INSERT INTO posts (title, is_deleted, deleted_on) VALUES ('a', 0, NULL), ('b', 1,
        '2025-11-20 08:00:00'),
        ('c', 1, '2025-11-20 08:00:01')]]
    check_found("flag", 1, 2)
    there_and_back(adopt { drop = true })
    model { title = f.text() }
    assert.equal("- | 2025-11-20 08:00:00 | 2025-11-20 08:00:01", times())
    local names = {}
    for _, index in ipairs(schema.read_table(db, "posts").indexes) do
      names[#names + 1] = index.name
    end
    table.sort(names)
    assert.equal("by_both posts__event posts__living", table.concat(names, " "))
  end)

  it("refuses what contradicts itself", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, is_deleted text, deleted_at datetime);
      INSERT INTO posts VALUES (1, 'f', NULL), (2, 't', '2025-11-20 08:00:00'), (3, 'f',
        '2025-11-20 08:00:00'), (4, 't', NULL)]]
    local what = found()
    assert.same({ 1, 2, 1 }, { what.living, what.dead, what.count })
    assert.equal("alive, with a time of deletion", what.ambiguous[1].why)
    refused(adopt())
    local err = helper.raises("migration", apply(adopt { ambiguous = "dead", drop = true }))
    assert.truthy(err.message:find("more to say", 1, true))
    assert.equal("- | 2025-11-20 08:00:00 | 2025-11-20 08:00:00 | 2025-11-23 12:00:00", times())
  end)

  it("that says active must be told", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, is_active bool NOT NULL);
      INSERT INTO posts (is_active) VALUES (1), (0)]]
    local what = check_found("active", 1, 1)
    assert.equal("'is_active' may mean something else: say scheme = \"active\" if it means this",
      what.notes[2])
    local err = refused(adopt())
    assert.equal("Column 'is_active' of 'posts' may mean that rows are deleted, or something else",
      err.message)
    there_and_back(adopt { scheme = "active", drop = true })
    model {}
    assert.equal("- | 2025-11-23 12:00:00", times())
  end)
end)

-- ---- the article ------------------------------------------------------------------------------------

describe("a table of the article", function()
  local TABLE = [[CREATE TABLE "posts" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        "deleted_at" datetime NULL,
      "title" varchar(100) NOT NULL UNIQUE, "content" text NOT NULL);]]
  local fields = { title = f.char { max_length = 100, unique = true }, content = f.text() }

  it("is adopted as it is", function()
    db:exec(TABLE .. [[INSERT INTO posts (title, content, deleted_at) VALUES ('a', '', NULL),
      ('a__deleted_1763625600.25', '', '2025-11-20 08:00:00.250000'), ('b__deleted_1763625600.0', '',
        '2025-11-20 08:00:00'),
      ('c__deleted_x__deleted_1763625600.123456', '', '2025-11-20 08:00:00.123456')]])
    check_found("mangled", 1, 3)
    local before = texts "SELECT title AS value FROM posts ORDER BY id"
    there_and_back(adopt())
    assert.equal(before, texts "SELECT title AS value FROM posts ORDER BY id")
    local Post = model(fields)
    assert.equal("c__deleted_x", Post.deleted_objects:get(4):restore() and Post.objects:get(4).title)
    local err = helper.raises("integrity", function()
      Post.deleted_objects:get(2):restore()
    end)
    assert.equal("a", err.value)
  end)

  it("may become live", function()
    db:exec(TABLE .. [[INSERT INTO posts (title, content, deleted_at) VALUES ('a', '', NULL),
      ('a__deleted_1763625600.250000', '', '2025-11-20 08:00:00.250000')]])
    there_and_back(adopt { unique = "live" })
    assert.equal("a | a", texts "SELECT title AS value FROM posts ORDER BY id")
    model(fields, { soft_delete = { unique = "live" } })
  end)

  it("has suffixes without a time of their own column", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL UNIQUE);
      INSERT INTO posts (title) VALUES ('a'), ('a__deleted_1763625600'), ('b__deleted_1763625600123'),
        ('c__deleted_')]]
    check_found("mangled", 2, 2)
    apply(adopt())
    assert.equal("- | 2025-11-20 08:00:00 | 2025-11-20 08:00:00.123000 | -", times())
    assert.equal("a | a__deleted_1763625600.000000 | b__deleted_1763625600.123000 | c__deleted_",
      texts "SELECT title AS value FROM posts ORDER BY id")
    local Post = model()
    Post.deleted_objects:get(3):restore()
    assert.equal("b", Post.objects:get(3).title)
  end)

  it("refuses suffixes that do not fit", function()
    db:exec(TABLE .. [[INSERT INTO posts (title, content, deleted_at) VALUES ('a__deleted_1763625600.25',
        '', NULL),
      ('b__deleted_1763625600.0', '', '2025-11-21 08:00:00'), ('c', '', '2025-11-20 08:00:00'),
      ('d__deleted_1763625600.0', '', '2025-11-20 08:00:00')]])
    local what = found()
    assert.same({ "mangled", 0, 2, 2 }, { what.scheme, what.living, what.dead, what.count })
    assert.equal("alive, with a suffix", what.ambiguous[1].why)
    assert.equal("a suffix of another time", what.ambiguous[2].why)
    refused(adopt())
  end)

  it("refuses rows that would collide", function()
    db:exec(TABLE .. [[INSERT INTO posts (title, content, deleted_at) VALUES
      ('a__deleted_1763625600', '', '2025-11-20 08:00:00'), ('a__deleted_1763625600.0', '',
        '2025-11-20 08:00:00'),
      ('a__deleted_1763625600.000000', '', '2025-11-20 08:00:00')]])
    local err = refused(adopt())
    assert.equal("Rows of 'posts' would collide in title: 2 rows, key 1, 3", err.message)
  end)
end)

-- ---- all of them ------------------------------------------------------------------------------------

describe("adopt", function()
  it("of a table without marks is add_soft_delete", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL UNIQUE);
      INSERT INTO posts (title) VALUES ('a')]]
    check_found("none", 1, 0)
    there_and_back(adopt())
    model()
    check_found("tombstone", 1, 0)
    assert.equal("Table 'posts' has soft delete already", refused(adopt()).message)
  end)

  it("puts children into the events of their parents", function()
    db:exec [[CREATE TABLE authors (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, deleted_at datetime);
      CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, deleted_at datetime,
        author_id integer REFERENCES authors (id));
      CREATE INDEX index_posts_on_author_id ON posts (author_id);
      INSERT INTO authors VALUES (1, '2025-11-20 08:00:00'), (2, NULL), (3, '2025-11-20 08:00:00');
      INSERT INTO posts VALUES (1, '2025-11-20 08:00:00', 1), (2, '2025-11-19 08:00:00', 1), (3,
        '2025-11-20 08:00:00', 2)]]
    there_and_back(function(m)
      m:adopt("authors", { model = "Author" })
      m:adopt("posts", { model = "Post" })
    end)
    local Author = db:model("Author", {}, { table = "authors" })
    local Post = db:model("Post", { author = f.belongs_to("Author", { null = true, on_delete = "cascade",
      related_name = "posts" }) }, { table = "posts" })
    local diff = migrate.diff(db)
    assert.is_true(diff.empty, diff.text)
    assert.equal(3, #db:events())
    Author.deleted_objects:get(1):restore()
    assert.equal("1", table.concat(helper.list(Post.objects, "id"), " "))
    Post.deleted_objects:get(2):restore()
    Post.deleted_objects:get(3):restore()
    assert.equal(3, Post.objects:count())
  end)

  it("is refused where living rows collide", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, title text, deleted_at datetime, UNIQUE (title,
        deleted_at));
      INSERT INTO posts VALUES (1, 'a', NULL), (2, 'a', NULL), (3, 'a', '2025-11-20 08:00:00')]]
    assert.equal("Rows of 'posts' would collide in title: 2 rows, key 1, 2", refused(adopt()).message)
    refused(adopt { unique = "live" })
  end)

  it("marks what was deleted since when it is taken back", function()
    db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
        title text NOT NULL UNIQUE, is_deleted boolean);
      INSERT INTO posts (title, is_deleted) VALUES ('a', 0), ('b', 1)]]
    local back = apply(adopt { drop = true })
    local Post = db:model("Post", { title = f.text { unique = true } }, { table = "posts" })
    Post.objects:get(1):delete()
    Post.deleted_objects:get(2):restore()
    back()
    assert.equal("a 1 | b 0", texts "SELECT title || ' ' || is_deleted AS value FROM posts ORDER BY id")
  end)

  it("does not lose what was deleted since, where the mark stays", function()
    db:exec [[CREATE TABLE posts (id integer PRIMARY KEY, title text, is_deleted text);
      INSERT INTO posts VALUES (1, 'a', 'f'), (2, 'b', 't'), (3, 'c', 'true')]]
    local back = apply(adopt())
    local Post = db:model("Post", { title = f.text { null = true } }, { table = "posts" })
    Post.objects:get(1):delete()
    local err = helper.raises("migration", back)
    assert.equal("Rows of 'posts' were deleted or restored since, which 'is_deleted' does not know: "
      .. "1 row, key 1", err.message)
    Post.deleted_objects:get(1):restore()
    back()
    assert.equal("f | t | true", texts "SELECT is_deleted AS value FROM posts ORDER BY id")
  end)

  it("refuses what makes no sense", function()
    db:exec "CREATE TABLE posts (id integer PRIMARY KEY, title text, deleted_at text, deleted_event text)"
    local function says(message, options)
      assert.equal(message, refused(adopt(options)).message)
    end
    says("Table 'posts' has a column 'deleted_event' already")
    says("Table 'posts' has no column for the scheme 'flag'", { scheme = "flag" })
    says("Table 'posts' has no column 'gone'", { from = "gone" })
    says("Table 'posts' has a column 'title' already", { column = "title" })
    for _, options in ipairs { { scheme = "x" }, { unit = "min" }, { ambiguous = true },
      { unique = "always" }, { drop = "yes" }, { schema = "flag" } } do
      refused(adopt(options), "misuse")
    end
    local err = helper.raises("migration", migrate.recognise, db, "pots")
    assert.equal("There is no table 'pots'", err.message)
  end)
end)

-- ---- random ones ----------------------------------------------------------------------------------

local TITLES = { "a", "b", "c", "A", "ä", "", " ", "__deleted_", "a__deleted_b", "a__deleted_1.", "'" }

-- Each scheme: columns, what is unique, and what it writes: `repeats` where the dead may have equal titles.
local function stamp(at)
  local micro = at % 1000000
  return os.date("!%Y-%m-%d %H:%M:%S", NOON - 1000000 + math.floor(at / 1000000))
    .. (micro > 0 and (".%06d"):format(micro) or "")
end

local SHAPES = {
  deleted_at = {
    columns = "deleted_at datetime, UNIQUE (title)",
    write = function(at)
      return "deleted_at", { at and stamp(at) }
    end,
  },
  unix = {
    columns = "deleted_at integer NOT NULL DEFAULT 0, UNIQUE (title, deleted_at)",
    repeats = true,
    write = function(at)
      return "deleted_at", { at and NOON - 1000000 + math.floor(at / 1000000) or 0 }
    end,
  },
  paranoia = {
    columns = "active boolean, deleted_at datetime(6), UNIQUE (title, active)",
    repeats = true,
    write = function(at)
      return "deleted_at, active", { at and stamp(at), not at and 1 or nil }
    end,
  },
  safedelete = {
    columns = "deleted datetime NULL, deleted_by_cascade bool NOT NULL DEFAULT 0, UNIQUE (title)",
    write = function(at)
      return "deleted", { at and stamp(at) }
    end,
  },
  flag = {
    columns = "is_deleted boolean NOT NULL DEFAULT 0, UNIQUE (title)",
    write = function(at)
      return "is_deleted", { at and 1 or 0 }
    end,
  },
  both = {
    columns = "is_deleted text NOT NULL, deleted_on datetime, UNIQUE (title)",
    write = function(at)
      return "is_deleted, deleted_on", { at and "t" or "f", at and stamp(at) }
    end,
  },
  mangled = {
    columns = "deleted_at datetime, UNIQUE (title)",
    repeats = true,
    write = function(at)
      return "deleted_at", { at and stamp(at) }
    end,
    mangle = function(title, at)
      local text = ("%.6f"):format(NOON - 1000000 + at / 1000000):gsub("0+$", "")
      return title .. "__deleted_" .. text .. (text:match "%.$" and "0" or "")
    end,
  },
}

-- Rows as that program leaves them; answers their own titles, and which are dead.
local function fill(random, shape)
  db:exec("CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL, "
    .. shape.columns .. ")")
  local rows, taken, at = {}, {}, 0
  for id = 1, random:int(0, 12) do
    local title = random:pick(TITLES)
    at = at + random:int(1, 3) * 1000000 + random:int(0, 1) * random:int(0, 999999)
    local dead = taken[title] and shape.repeats or random:chance(50)
    if shape.repeats and dead or not taken[title] then
      taken[title] = taken[title] or not (shape.repeats and dead)
      local names, values = shape.write(dead and at or nil)
      local written = dead and shape.mangle and shape.mangle(title, at) or title
      local marks = select(2, names:gsub(",", ",")) + 1
      for i = 1, marks do
        values[i] = values[i] == nil and tombstone.null or values[i]
      end
      local sql = ("INSERT INTO posts (id, title, %s) VALUES (?, ?%s)"):format(names, (", ?"):rep(marks))
      db:exec(sql, id, written, helper.unpack(values, 1, marks))
      rows[#rows + 1] = { id = id, title = title, dead = dead }
    end
  end
  return rows
end

local function check_rows(Post, rows)
  local living = {}
  for _, row in ipairs(rows) do
    living[row.title] = living[row.title] or not row.dead
    assert.equal(not row.dead, Post.objects:find(row.id) ~= nil)
  end
  for _, row in ipairs(rows) do
    if row.dead then
      local post = Post.deleted_objects:get(row.id)
      assert.equal(row.title, post:original "title")
      local ok, err = pcall(post.restore, post)
      assert.equal(not living[row.title], ok)
      assert.is_true(ok or err.kind == "integrity")
      living[row.title] = true
    end
  end
end

it("a sentinel may be a number, and nothing else but a text", function()
  db:exec [[CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text,
    deleted_at integer);
    INSERT INTO posts (title, deleted_at) VALUES ('a', -1), ('b', 1763899200)]]
  local read = migrate.recognise(db, "posts", { sentinel = -1 })
  assert.same({ 1, 1 }, { read.living, read.dead })
  helper.raises("misuse", migrate.recognise, db, "posts", { sentinel = {} })
end)

local function adopt_random(random, name)
  local rows, unique = fill(random, SHAPES[name]), random:pick { "mangle", "live" }
  local up, before = adopt { unique = unique, drop = random:chance(50) }, digests.digest(db)
  local ok, err = pcall(apply(up))
  if ok then
    digests.must_be_same(before, digests.digest(db))
    apply(up)
  else
    assert.truthy(tostring(err):find("more to say", 1, true), tostring(err))
  end
  local Post = db:model("Post", { title = f.text { unique = true } }, {
    table = "posts",
    soft_delete = { unique = unique },
  })
  db:create_tables()
  check_rows(Post, rows)
  return ok
end

for _, name in ipairs { "deleted_at", "unix", "paranoia", "safedelete", "flag", "both", "mangled" } do
  it("random rows of " .. name .. " are dead and come back as they were", function()
    local back = 0
    for i = 1, helper.scaled(60, 5) do
      local seed = helper.seed() + i
      db:close()
      db = tombstone.open(":memory:", { clock = helper.clock(NOON).tell })
      local ok, err = pcall(adopt_random, Random.new(seed), name)
      assert(ok, ("SPEC_SEED=%d: %s"):format(seed, tostring(err)))
      back = back + (err and 1 or 0)
    end
    assert.is_true(back > 0)
  end)
end
