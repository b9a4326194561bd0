-- Illnesses of databases: each is made in a file, found, mended where that is promised, and nothing
-- else is reported.
local doctor = require "tombstone.migrate.doctor"
local examine_sqlite = require("tombstone.migrate.doctor_database").sqlite
local helper = require "helper"
local tombstone = require "tombstone"

local f = tombstone.field

-- ---- a database that is well -----------------------------------------------------------------

local function declare(db)
  db:model("Author", {
    name = f.text { unique = true },
    post_count = f.counter "posts",
  }, { soft_delete = { keep = "30d" } })
  db:model("Post", {
    title = f.char { max_length = 100, unique = "mangle" },
    slug = f.text { unique = "live" },
    views = f.integer { default = 0, index = true },
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    editor = f.belongs_to("Author", { on_delete = "keep", null = true }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
    kind = f.text { null = true },
    place = f.integer { null = true },
  }, {
    table = "posts",
    timestamps = true,
    unique_together = { { "kind", "place", unique = "mangle" } },
    indexes = { { "kind", "views" } },
  })
  db:model("Tag", { code = f.char { primary_key = true, max_length = 10 }, post_count = f.counter "posts" })
  db:model("Invoice", { author = f.belongs_to("Author", { on_delete = "restrict" }), sum = f.number() })
  db:model("Log", { line = f.text() }, { soft_delete = false })
  db:model("Old", { name = f.text { unique = true } }, { soft_delete = { event = false } })
end

-- Rows in all states: living, dead, dead by two events, restored, purged.
local function fill(db)
  local Author, Post, Tag = db:model "Author", db:model "Post", db:model "Tag"
  local ana, ben = Author:create { name = "Ana" }, Author:create { name = "Ben" }
  local red = Tag:create { code = "red" }
  for i = 1, 6 do
    local post = Post:create {
      title = "post " .. i, slug = "p" .. i, author = i < 4 and ana or ben, editor = ben,
      kind = i > 2 and "kind" or nil, place = i,
    }
    post:tags():add(red)
  end
  db:model("Invoice"):create { author = ben, sum = 1.5 }
  db:model("Log"):create { line = "began" }
  Post.objects:get({ title = "post 1" }):delete()
  Post.objects:get({ title = "post 4" }):delete()
  Post.deleted_objects:get({ title__original = "post 4" }):restore()
  ana:delete { actor = "eva" }
  red:delete()
  Post.objects:get({ title = "post 6" }):purge()
  local old = db:model("Old"):create { name = "x" }
  old:delete()
  db:model("Old"):create { name = "x" }
end

local function well(path)
  local db = tombstone.open(path)
  declare(db)
  db:create_tables()
  fill(db)
  return db
end

-- ---- what is found ---------------------------------------------------------------------------

-- The findings, as lines. What this machine's SQLite is like is no illness of the database.
local function lines(list)
  local found = {}
  for _, finding in ipairs(list) do
    if finding.problem ~= "sqlite_bug" then
      local fix = finding.fix and " (fix)" or ""
      found[#found + 1] = finding.severity .. " " .. finding.problem .. ": " .. finding.message .. fix
    end
  end
  return found
end

local SEVERITIES = { error = true, warning = true, info = true }

local function check(db)
  local list = doctor.check(db)
  for _, finding in ipairs(list) do
    assert.is_true(SEVERITIES[finding.severity])
    assert.is_string(finding.remedy)
  end
  return lines(list)
end

local function digest(db)
  local parts = {}
  for _, row in ipairs(db:query "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name") do
    for _, values in ipairs(db:query('SELECT * FROM "' .. row.name .. '" ORDER BY 1')) do
      local names = {}
      for name in pairs(values) do
        names[#names + 1] = name
      end
      table.sort(names)
      for _, name in ipairs(names) do
        parts[#parts + 1] = name .. "=" .. tostring(values[name])
      end
    end
    parts[#parts + 1] = row.sql
  end
  return table.concat(parts, "\n")
end

describe("the doctor", function()
  local path, db

  before_each(function()
    path = helper.path()
    db = well(path)
  end)

  after_each(function()
    db:close()
    helper.clean()
  end)

  it("finds nothing in a database that is well, and writes nothing", function()
    local before = digest(db)
    assert.same({}, check(db))
    assert.equal(before, digest(db))
    local mended, left = doctor.fix(db)
    assert.same({}, mended)
    assert.same({}, lines(left))
  end)

  it("finds nothing in an empty one", function()
    local empty = tombstone.open ":memory:"
    declare(empty)
    empty:create_tables()
    assert.same({}, doctor.check(empty))
    empty:close()
  end)

  local MISLEADS = "index slow of posts begins with deleted_at, also for the living: it misleads SQLite"

  -- Each: what makes it ill, what is said, and what is left when the doctor has mended it.
  local ILLNESSES = {
    ["a missing index of the living"] = {
      sql = "DROP INDEX posts__living",
      found = { "warning index_missing: table posts has no index of the living (fix)" },
    },
    ["a missing index of the dead by event"] = {
      sql = "DROP INDEX posts__event",
      found = { "warning index_missing: table posts has no index of the dead by event (fix)" },
    },
    ["a missing index"] = {
      sql = "DROP INDEX posts__kind__views",
      found = { "warning index_missing: table posts has no index on kind, views (fix)" },
    },
    ["another index of that name"] = {
      sql = "DROP INDEX posts__views; CREATE INDEX posts__views ON posts (kind)",
      found = { "warning index_missing: table posts has no index on views (fix)" },
    },
    ["the same index by another name"] = {
      sql = "DROP INDEX posts__views; CREATE INDEX mine ON posts (VIEWS) WHERE ([deleted_at] is null)",
      found = {},
    },
    ["a full index on the stamp"] = {
      sql = "CREATE INDEX slow ON posts (deleted_at)",
      found = {
        "warning stamp_index: " .. MISLEADS .. " (fix)",
      },
    },
    ["a full index that begins with the stamp"] = {
      sql = "CREATE INDEX slow ON posts (deleted_at, kind)",
      found = {
        "warning stamp_index: " .. MISLEADS,
      },
      left = true,
    },
    ["a unique index that is missing"] = {
      sql = "DROP INDEX posts__title__key",
      found = { "error unique_missing: nothing keeps title of posts unique (fix)" },
    },
    ["a unique index that is missing, and rows that it would refuse"] = {
      sql = "DROP INDEX posts__slug__live; UPDATE posts SET slug = 'p5' WHERE slug = 'p4'",
      found = {
        "error unique_missing: nothing keeps slug of posts unique: 1 group of rows have the same,"
          .. " as rows 4 and 5",
      },
      left = true,
    },
    ["a unique index that counts the dead"] = {
      sql = "CREATE UNIQUE INDEX strict ON posts (slug)",
      found = {
        "error unique_counts_dead: UNIQUE (slug) of posts counts the dead: their values stay taken (fix)",
      },
    },
    ["a unique index that is not the model's"] = {
      sql = "CREATE UNIQUE INDEX strict ON posts (kind, slug)",
      found = {
        "warning unique_counts_dead: UNIQUE (kind, slug) of posts counts the dead: their values stay taken",
      },
      left = true,
    },
    ["a unique index with the stamp in it"] = {
      sql = "CREATE UNIQUE INDEX strict ON posts (views, slug, deleted_at)",
      found = {
        "warning unique_useless: UNIQUE (views, slug, deleted_at) of posts keeps no living rows apart:"
          .. " each NULL is another one",
      },
      left = true,
    },
    ["foreign keys that are off"] = {
      sql = "PRAGMA foreign_keys = OFF",
      found = {
        "error foreign_keys_off: foreign keys are off on this connection:"
          .. " nothing holds rows to their parents (fix)",
      },
    },
    ["rows that point to nothing"] = {
      sql = "PRAGMA foreign_keys = OFF; UPDATE invoice SET author_id = 99; PRAGMA foreign_keys = ON",
      found = { "error foreign_key_violated: 1 row of invoice point to no row of author, as row 1" },
      left = true,
    },
    ["living children of dead parents"] = {
      sql = "UPDATE invoice SET author_id = 1",
      found = { "error living_under_dead: 1 row of Invoice live under dead rows of Author: 1" },
      left = true,
    },
    ["living rows with a suffix"] = {
      sql = "UPDATE posts SET title = 'x__deleted_1763880000.000001' WHERE id = 4",
      found = { "warning mangled_living: 1 row of Post live with the suffix of a deletion in title: 4" },
      left = true,
    },
    ["dead rows without a suffix"] = {
      sql = "UPDATE posts SET title = 'post 2' WHERE id = 2; UPDATE posts SET title = 'post 3' WHERE id = 3;"
        .. "UPDATE old SET name = 'y' WHERE id = 1",
      found = {
        "warning mangled_missing: 2 rows of Post are dead, but keep title taken: 2, 3 (fix)",
        "warning mangled_missing: 1 row of Old are dead, but keep name taken: 1 (fix)",
      },
    },
    ["dead rows of several columns without a suffix"] = {
      sql = "UPDATE posts SET kind = 'kind' WHERE id = 3",
      found = { "warning mangled_missing: 1 row of Post are dead, but keep kind, place taken: 3 (fix)" },
    },
    ["dead rows without an event"] = {
      sql = "UPDATE invoice SET deleted_at = '2020-01-01 10:00:00';"
        .. "UPDATE posts SET deleted_event = 99 WHERE id = 1",
      found = {
        "error event_missing: 1 row of Post are dead without an event: 1",
        "error event_missing: 1 row of Invoice are dead without an event: 1",
      },
      left = true,
    },
    ["living rows that an event holds"] = {
      sql = "UPDATE posts SET deleted_event = 1 WHERE id IN (4, 5)",
      found = { "error living_with_event: 2 rows of Post live, held by an event: 4, 5 (fix)" },
    },
    ["owners of rows that are gone"] = {
      sql = "INSERT INTO tombstone_owner (event, model, pk) VALUES (1, 'Post', '99'), (1, 'Post', '4'),"
        .. " (77, 'Tag', 'red')",
      found = {
        "warning owner_without_row: 2 owners of dead rows of Post have no such row, or no event: 4, 99 (fix)",
        "warning owner_without_row: 1 owner of dead rows of Tag have no such row, or no event: red (fix)",
      },
    },
    ["events of models that are gone"] = {
      sql = "INSERT INTO tombstone_event (at, model) VALUES ('2020-01-01 10:00:00', 'Gone')",
      found = { "warning event_unknown: 1 event of Gone, which is no model with events" },
      left = true,
    },
    ["old events that hold no row"] = {
      sql = "INSERT INTO tombstone_event (id, at, model) VALUES (900, '2020-01-01 10:00:00', 'Author'),"
        .. " (901, '2020-01-01 10:00:00', 'Post')",
      found = { "info event_empty: 1 event of Author hold no row any more: 900 (fix)" },
    },
    ["counters that are wrong"] = {
      sql = "UPDATE author SET post_count = 9 WHERE id = 2; UPDATE tag SET post_count = -1",
      found = {
        "error counter_wrong: post_count of Author is wrong in 1 row: 2 (fix)",
        "error counter_wrong: post_count of Tag is wrong in 1 row: red (fix)",
      },
    },
    ["a counter without its trigger"] = {
      sql = 'DROP TRIGGER "tombstone_author.post_count.born"',
      found = {
        "error counter_trigger_missing: the trigger tombstone_author.post_count.born"
          .. " that keeps a counter is missing (fix)",
      },
    },
    ["a table that is missing"] = {
      sql = "DROP TABLE log",
      found = { "error table_missing: table log is missing (fix)" },
    },
    ["a table of the engine that is missing"] = {
      sql = "DROP TABLE tombstone_owner",
      found = { "error table_missing: table tombstone_owner is missing (fix)" },
    },
    ["a column that is missing"] = {
      sql = "ALTER TABLE log DROP COLUMN line",
      found = { "error table_differs: table log differs from its model: line is missing" },
      left = true,
    },
    ["a column that more is known of"] = {
      sql = "ALTER TABLE log ADD COLUMN more text;"
        .. "ALTER TABLE log ADD COLUMN level integer NOT NULL DEFAULT 1",
      found = {},
    },
    ["columns of other kinds"] = {
      sql = [[DROP TABLE log;
        CREATE TABLE log (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, line integer NOT NULL);
        DROP TABLE invoice; CREATE TABLE invoice (id integer NOT NULL PRIMARY KEY, author_id integer NOT NULL,
          sum real, deleted_at datetime, deleted_event integer, needed text NOT NULL);
        CREATE INDEX a ON invoice (id, deleted_at) WHERE deleted_at IS NULL;
        CREATE INDEX b ON invoice (deleted_event) WHERE deleted_event IS NOT NULL;
        CREATE INDEX c ON invoice (author_id, deleted_at);
        DROP TABLE old; CREATE TABLE old (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
          name text NOT NULL UNIQUE COLLATE NOCASE, deleted_at timestamp);
        CREATE INDEX d ON old (id, deleted_at) WHERE deleted_at IS NULL]],
      found = {
        "error table_differs: table invoice differs from its model: sum is NULL there",
        "error table_differs: table invoice differs from its model: needed is NOT NULL there"
          .. " and not in the model",
        "warning foreign_key_missing: invoice.author_id has no foreign key to author:"
          .. " raw SQL may take its parent away",
        "warning table_differs: table log differs from its model: line is integer there, not text",
        "warning table_differs: table old differs from its model: name compares by NOCASE there",
        "info keys_again: keys of purged rows of invoice may be given out again: it has no AUTOINCREMENT",
      },
      left = true,
    },
    ["a foreign key that acts"] = {
      sql = [[DROP TABLE invoice; CREATE TABLE invoice (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
          author_id integer NOT NULL REFERENCES author ON DELETE CASCADE, sum real NOT NULL,
          deleted_at datetime, deleted_event integer);
        CREATE INDEX a ON invoice (id, deleted_at) WHERE deleted_at IS NULL;
        CREATE INDEX b ON invoice (deleted_event) WHERE deleted_event IS NOT NULL;
        CREATE INDEX c ON invoice (author_id, deleted_at)]],
      found = {
        "warning foreign_key_acts: the foreign key invoice.author_id has ON DELETE CASCADE,"
          .. " behind the back of the models",
      },
      left = true,
    },
  }

  local function sorted(list)
    local copy = {}
    for i, line in ipairs(list) do
      copy[i] = line
    end
    table.sort(copy)
    return copy
  end

  for illness, case in pairs(ILLNESSES) do
    it("finds " .. illness, function()
      for statement in (case.sql .. ";"):gmatch "(.-);" do
        db:exec(statement)
      end
      local before = check(db)
      assert.same(sorted(case.found), sorted(before))
      local mended, left = doctor.fix(db)
      if case.left then
        assert.same(before, lines(left))
        assert.same({}, mended)
        return
      end
      assert.same({}, lines(left))
      assert.equal(#case.found, #mended)
      db:close()
      db = tombstone.open(path) -- it is in the file
      declare(db)
      db:create_tables()
      assert.same({}, check(db))
    end)
  end

  it("mends values so that their rows come back as they were", function()
    db:exec "UPDATE posts SET title = 'post 2' WHERE id = 2"
    doctor.fix(db)
    local Post = db:model "Post"
    local post = Post.all_objects:get(2)
    assert.equal("post 2", post:original "title")
    assert.truthy(post.title:match "^post 2__deleted_%d+%.%d%d%d%d%d%d$")
    Post.objects:get(4):update { title = "post 2" }
    post:restore { on_conflict = "rename", parents = true }
    assert.equal("post 2 (restored)", post.title)
  end)

  it("names a few rows of many", function()
    db:exec [[WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 149)
      INSERT INTO invoice (id, author_id, sum) SELECT i, 1, 1 FROM n]]
    assert.same({
      "error living_under_dead: 50 rows of Invoice live under dead rows of Author: 100, 101, 102, …",
    }, check(db))
  end)

  it("tells errors first", function()
    db:exec "DROP INDEX posts__living"
    db:exec "DROP TABLE log"
    local found = check(db)
    assert.truthy(found[1]:find "^error table_missing")
    assert.truthy(found[2]:find "^warning index_missing")
  end)

  it("leaves an index of another table alone", function()
    db:exec "DROP INDEX posts__views; CREATE UNIQUE INDEX posts__views ON author (name)"
    local _, left = doctor.fix(db)
    local said = table.concat(lines(left), "\n")
    assert.truthy(said:find("index_missing: table posts has no index on views", 1, true), said)
    assert.is_nil(said:find("(fix)", 1, true))
    local index = db:query "SELECT tbl_name AS of FROM sqlite_master WHERE name = 'posts__views'"
    assert.equal("author", index[1].of)
  end)

  it("mends around a stamp that it cannot read", function()
    db:exec "INSERT INTO old (name, deleted_at) VALUES ('a', 'yesterday'), ('b', '2025-11-23 12:00:00')"
    doctor.fix(db)
    local names = db:query "SELECT name FROM old WHERE id > 2 ORDER BY id"
    assert.same({ { name = "a" }, { name = "b__deleted_1763899200.000000" } }, names)
  end)

  it("names two rows of any number", function()
    db:exec [[DROP INDEX posts__slug__live;
      INSERT INTO posts (title, slug, views, author_id, created_at, updated_at)
      WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 500)
      SELECT 'many ' || n, 'same', 0, 2, '2025-11-23 12:00:00', '2025-11-23 12:00:00' FROM i]]
    local said = table.concat(check(db), "\n")
    assert.truthy(said:find("1 group of rows have the same, as rows %d+ and %d+"), said)
    assert.is_true(#said < 2000)
  end)

  it("mends outside of transactions only", function()
    db:transaction(function()
      helper.refuses("misuse", "The doctor mends outside of transactions", doctor.fix, db)
    end)
  end)

  it("needs all models", function()
    local other = tombstone.open ":memory:"
    other:model("Post", { author = f.belongs_to("Author", { on_delete = "restrict" }) })
    helper.raises("misuse", doctor.check, other)
    other:close()
  end)

  it("finds a UNIQUE of the table that counts the dead", function()
    local other = tombstone.open ":memory:"
    other:model("Post", { slug = f.text { unique = "live" } })
    other:create_tables()
    other:exec "DROP TABLE post"
    other:exec [[CREATE TABLE post (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, slug text NOT NULL UNIQUE,
      deleted_at datetime, deleted_event integer)]]
    other:exec "CREATE INDEX a ON post (id, deleted_at) WHERE deleted_at IS NULL"
    other:exec "CREATE INDEX b ON post (deleted_event) WHERE deleted_event IS NOT NULL"
    assert.same({
      "error unique_missing: nothing keeps slug of post unique (fix)",
      "error unique_counts_dead: UNIQUE (slug) of post counts the dead: their values stay taken",
    }, check(other))
    other:close()
  end)

  it("finds a file that is damaged", function()
    for i = 1, 2000 do
      db:model("Log"):create { line = ("a long line of text "):rep(5) .. i }
    end
    db:query "PRAGMA wal_checkpoint(TRUNCATE)"
    local pages = db:query("SELECT pageno FROM dbstat WHERE name = 'log' AND pagetype = 'leaf'")
    local size = db:query("PRAGMA page_size")[1].page_size
    db:close()
    local file = assert(io.open(path, "r+b"))
    file:seek("set", (pages[5].pageno - 1) * size)
    file:write(("\255"):rep(100))
    file:close()
    db = tombstone.open(path)
    declare(db)
    local found = check(db)
    assert.truthy(found[1]:find "^error damaged: the file is damaged: ", found[1])
  end)
end)

describe("the doctor on SQLite", function()
  local BUG = "this SQLite can lose or damage data when several connections write and checkpoint at once"
    .. " (sqlite.org/wal.html#walresetbug): use 3.51.3, 3.50.7, 3.44.6 or later"

  it("wants one that can answer rows of writes", function()
    local finding = examine_sqlite({ version = "3.34.1" }, "delete")
    assert.same({ "sqlite_too_old", "error" }, { finding.problem, finding.severity })
    assert.equal("SQLite 3.34.1 has no RETURNING", finding.message)
    assert.is_nil(examine_sqlite({ version = "3.35.0" }, "wal"))
  end)

  it("warns of the bug that damages data, where it can", function()
    local finding = examine_sqlite({ version = "3.40.1", warning = BUG }, "wal")
    assert.same({ "sqlite_bug", "warning" }, { finding.problem, finding.severity })
    assert.equal(
      "SQLite 3.40.1 can lose or damage data when several connections write and checkpoint at once",
      finding.message
    )
    assert.is_nil(examine_sqlite({ version = "3.40.1", warning = BUG }, "delete"))
    assert.is_nil(examine_sqlite({ version = "3.51.3" }, "wal"))
  end)

  it("reads what this one says of itself", function()
    local path = helper.path()
    local db = tombstone.open(path)
    db:create_tables()
    local found = doctor.check(db)
    assert.equal(db:info().warning and 1 or 0, #found)
    db:close()
    helper.clean()
  end)
end)
