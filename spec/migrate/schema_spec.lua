-- Schemas read from databases: what is read is written again, and what cannot be read is refused.
local Random = require "laws.random"
local catalogue = require "migrate.catalogue"
local ddl = require "tombstone.migrate.ddl"
local helper = require "helper"
local nasty = require "migrate.nasty"
local random_schema = require "migrate.random_schema"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"
local f = tombstone.field

local function open(sql)
  local db = tombstone.open ":memory:"
  if sql then
    db:exec(sql)
  end
  return db
end

local function made(statements)
  local db = open()
  for _, sql in ipairs(statements) do
    db:exec(sql)
  end
  return db
end

local function read(sql)
  local db = open(sql)
  local found = schema.read(db)
  db:close()
  return found
end

local function assert_same(a, b)
  local same, why = schema.same(a, b)
  assert.is_true(same, why)
end

-- What is written from a schema reads as that schema, and is the same to SQLite.
local function assert_writes(found, db)
  local copy = made(ddl.schema(found))
  assert_same(found, schema.read(copy))
  assert.same(ddl.schema(found), ddl.schema(schema.read(copy)))
  if db then
    assert.same(catalogue.of(db), catalogue.of(copy))
  end
  for _, name in ipairs(db and found.order or {}) do
    assert.same(catalogue.default_row(db, name), catalogue.default_row(copy, name))
  end
  copy:close()
end

describe("a schema", function()
  after_each(helper.clean)

  it("has tables in order, views, triggers and others", function()
    local found = read [[
      CREATE TABLE b (x int);
      CREATE TABLE a (y int REFERENCES b);
      CREATE VIEW v AS SELECT 1;
      CREATE TRIGGER t AFTER INSERT ON b BEGIN SELECT 1; END;
      CREATE VIRTUAL TABLE f USING fts5 (text);
      CREATE VIRTUAL TABLE r USING rtree (id, x, y);
      CREATE TABLE f_log (z);
      CREATE INDEX i ON b (x);
      ANALYZE]]
    assert.same({ "b", "a", "f_log" }, found.order)
    assert.same({
      name = "b",
      columns = { { name = "x", type = "int", null = true } },
      uniques = {}, foreign_keys = {}, checks = {},
      indexes = { { name = "i", columns = { { name = "x" } } } },
    }, found.tables.b)
    assert.same({ v = "CREATE VIEW v AS SELECT 1" }, found.views)
    assert.equal("b", found.triggers.t.table)
    assert.equal("CREATE VIRTUAL TABLE f USING fts5 (text)", found.others.f)
    assert.is_truthy(found.others.r)
  end)

  it("of nothing is empty", function()
    assert.same({ tables = {}, order = {}, views = {}, triggers = {}, others = {} }, read())
  end)

  it("leaves out temporary tables, whatever they hide", function()
    local found = read "CREATE TABLE a (x int); CREATE TEMP TABLE a (y, z); CREATE TEMP TABLE c (d)"
    assert.same({ "a" }, found.order)
    assert.equal("x", found.tables.a.columns[1].name)
  end)

  it("is read within a transaction, and from a database that is read only", function()
    local path = helper.path()
    local db = tombstone.open(path)
    db:transaction(function()
      db:exec "CREATE TABLE a (x int)"
      assert.is_truthy(schema.read(db).tables.a)
    end)
    db:close()
    local reader = tombstone.open(path, { read_only = true })
    assert.is_truthy(schema.read(reader).tables.a)
    reader:close()
  end)

  it("is one picture, whoever changes it meanwhile", function()
    local path, changes, writer = helper.path(), 0, nil
    local db = tombstone.open(path, { log = function(sql)
      if changes < 3 and sql:find("pragma_table_xinfo", 1, true) then
        changes = changes + 1
        writer:exec("ALTER TABLE a ADD COLUMN c" .. changes)
      end
    end })
    db:exec "CREATE TABLE a (x int)"
    writer = tombstone.open(path)
    assert.equal(4, #schema.read(db).tables.a.columns)
    changes = 2
    writer:exec "ALTER TABLE a DROP COLUMN c3"
    assert.equal(4, #schema.read_table(db, "a").columns)
    writer:close()
    db:close()
  end)

  it("of a hundred tables takes no time", function()
    local db = open()
    for i = 1, 100 do
      db:exec(([[CREATE TABLE t%d (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title varchar(100)
        NOT NULL DEFAULT 'x', views integer NOT NULL DEFAULT 0, author_id integer REFERENCES t1 (id),
        a text, b text, c text, d text COLLATE nocase, e text CHECK (e <> 1), f datetime, UNIQUE (a, b));
        CREATE INDEX i%d ON t%d (a, lower(b)) WHERE f IS NULL]]):format(i, i, i))
    end
    local began = os.clock()
    schema.read(db)
    assert.is_true(os.clock() - began < 0.5 / (tonumber(os.getenv "SPEC_SCALE") or 1))
    db:close()
  end)
end)

describe("one table", function()
  it("is found in whichever case, or is nil", function()
    local db = open [[CREATE TABLE "Blog Post" (x);
      CREATE INDEX i ON "Blog Post" (x); CREATE VIEW v AS SELECT 1]]
    local found = schema.read_table(db, "blog post")
    assert.equal("Blog Post", found.name)
    assert.equal("i", found.indexes[1].name)
    assert.same(found, schema.read(db).tables["Blog Post"])
    for _, name in ipairs { "v", "i", "none", "sqlite_master", "" } do
      assert.is_nil(schema.read_table(db, name))
    end
    db:close()
  end)

  it("says which column is the rowid", function()
    local function alias(sql)
      local column = schema.rowid_alias(read(sql).tables.a)
      return column and column.name
    end
    assert.equal("id", alias "CREATE TABLE a (id INTEGER PRIMARY KEY)")
    assert.equal("id", alias "CREATE TABLE a (id integer, PRIMARY KEY (id DESC))")
    assert.equal("id", alias "CREATE TABLE a (id [INTEGER] PRIMARY KEY)")
    assert.is_nil(alias "CREATE TABLE a (id INTEGER PRIMARY KEY DESC)")
    assert.is_nil(alias "CREATE TABLE a (id INT PRIMARY KEY)")
    assert.is_nil(alias "CREATE TABLE a (id INTEGER PRIMARY KEY) WITHOUT ROWID")
    assert.is_nil(alias "CREATE TABLE a (id INTEGER, b, PRIMARY KEY (id, b))")
    assert.is_nil(alias "CREATE TABLE a (id INTEGER)")
  end)
end)

-- ---- there and back --------------------------------------------------------------------------

describe("what people have written", function()
  for _, sql in ipairs(nasty) do
    it("is read and written again: " .. sql:gsub("%s+", " "):sub(1, 70), function()
      local db = open(sql)
      local found = schema.read(db)
      assert.is_truthy(found.order[1])
      assert_writes(found, db)
      for _, name in ipairs(found.order) do
        assert.same(found.tables[name], schema.read_table(db, name))
      end
      db:close()
    end)
  end

  it("keeps what defaults of all kinds are", function()
    local db = made(ddl.schema(read [[CREATE TABLE a (a default -5, b default "it's", c default foo,
      d default true, e default (1 -- one
      + 2), f default (NULL), g default [x'00'], h default 0x10, i default - /* x */ 5.5e1)]]))
    db:exec "INSERT INTO a DEFAULT VALUES"
    assert.same({ a = -5, b = "it's", c = "foo", d = 1, e = 3, g = "x'00'", h = 16, i = -55 },
      db:query("SELECT * FROM a")[1])
    db:close()
  end)

  -- This library's handles take double quotes for names only, other programs' do not.
  for _, sql in ipairs(nasty.loose) do
    it("is read, with texts in double quotes: " .. sql:gsub("%s+", " "):sub(1, 60), function()
      local path = helper.path()
      local pipe = io.popen("exec env -u LD_PRELOAD sqlite3 " .. path .. " " .. helper.quote(sql))
      pipe:read "*a"
      pipe:close()
      local db = tombstone.open(path)
      local found = schema.read(db)
      assert.equal("a in ('new', 'old')", found.tables.a.checks[1].sql)
      assert.equal("b <> 'gone'", found.tables.a.indexes[1].where)
      assert_writes(found)
      db:close()
      helper.clean()
    end)
  end
end)

describe("random schemas", function()
  local seed = helper.seed()

  it("are read as they were written, with rows or without", function()
    local rows = 0
    for n = 1, helper.scaled(2000, 50) do
      local random = Random.new(seed * 10000 + n)
      local wanted = random_schema.schema(random)
      local db = made(ddl.schema(wanted))
      local same, why = schema.same(wanted, schema.read(db))
      assert.is_true(same, ("seed %d, schema %d: %s"):format(seed, n, tostring(why)))
      assert.same(ddl.schema(wanted), ddl.schema(schema.read(db)))
      rows = rows + (n % 20 == 0 and random_schema.fill(db, wanted, random, 5) or 0)
      db:close()
    end
    assert.is_true(rows > helper.scaled(2000, 50) / 20) -- they are no schemas that let no row in
  end)

  it("differ from each other", function()
    local alike = 0
    for n = 1, helper.scaled(200, 20) do
      local a = random_schema.schema(Random.new(seed * 10000 + n))
      local b = random_schema.schema(Random.new(seed * 10000 + n + 1))
      assert_same(a, schema.copy(a))
      local same, why = schema.same(a, b)
      alike = alike + (same and 1 or 0)
      assert.is_true(same or type(why) == "string")
    end
    assert.is_true(alike <= 1)
  end)
end)

-- ---- models ------------------------------------------------------------------------------------

local function library(db)
  db:model("Team", { name = f.text { unique = true, collate = "NOCASE", check = "length(name) > 0" } })
  db:model("Author", {
    name = f.char { max_length = 40, unique = "live", index = true },
    rank = f.integer { null = true, unique = true, check = "rank > 0 AND rank < 100" },
    team = f.belongs_to("Team", { on_delete = "keep", null = true, related_name = "authors" }),
    books = f.counter "posts",
  })
  db:model("Post", {
    slug = f.char { max_length = 20, primary_key = true },
    text = f.text { null = true },
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    tags = f.many_to_many "Tag",
    at = f.datetime { index = true, null = true },
    state = f.text { choices = { "new", "old" }, default = "new" },
  }, {
    unique_together = { "text", "state" },
    indexes = { { "state", "at" } },
    version = true,
    timestamps = true,
  })
  db:model("Tag", { name = f.text { unique = "mangle" } }, { soft_delete = { column = "gone" } })
  db:model("Plain", { blob = f.blob { null = true }, n = f.number {} }, { soft_delete = false })
  db:model("Legacy", { title = f.text { unique = true } }, { soft_delete = { event = false } })
end

describe("the schema of models", function()
  it("is what create_tables leaves", function()
    local db = open()
    library(db)
    local wanted = schema.of_models(db)
    assert.same({}, schema.read(db).order)
    db:create_tables()
    assert_same(wanted, schema.read(db))
    assert_same(schema.read(db), wanted)
    assert.is_truthy(wanted.tables.author)
    assert.is_truthy(wanted.triggers["tombstone_author.books.born"])
    db:close()
  end)

  it("is written again by ddl, and create_tables finds nothing to do there", function()
    local db, log = open(), {}
    library(db)
    local wanted = schema.of_models(db)
    db:close()
    local path = helper.path()
    local written = tombstone.open(path)
    for _, sql in ipairs(ddl.schema(wanted)) do
      written:exec(sql)
    end
    written:close()
    local again = tombstone.open(path, { log = function(sql)
      log[#log + 1] = sql
    end })
    library(again)
    again:create_tables()
    assert.is_nil(table.concat(log, "\n"):match "CREATE TABLE")
    assert.is_nil(table.concat(log, "\n"):match "CREATE TRIGGER")
    assert_same(wanted, schema.read(again))
    again:close()
    helper.clean()
  end)

  it("has no table of owners where nothing cascades", function()
    local db = open()
    db:model("Note", { text = f.text() })
    assert.same({ "tombstone_event", "note" }, schema.of_models(db).order)
    db:close()
  end)

  it("needs all models", function()
    local db = open()
    db:model("Post", { author = f.belongs_to("Author", { on_delete = "keep", null = true }) })
    helper.raises("misuse", schema.of_models, db)
    helper.raises("misuse", db.ddl, db)
    db:close()
  end)
end)

-- ---- what is refused -----------------------------------------------------------------------------

describe("a text that is not what the catalogue says", function()
  -- A connection reads the text once: a later one is another picture of the same table.
  local CASES = {
    { "a int", "a text", "the type of column a" },
    { "a int", "a int not null", "NOT NULL of column a" },
    { "a int not null", "a int", "NOT NULL of column a" },
    { "a int", "b int", "column a" },
    { "a int", "A int", "column a" },
    { "a int", "a int, b int", "the number of columns" },
    { "a int, b int", "a int", "the number of columns" },
    { "a int default 5", "a int default 6", "the default of column a" },
    { "a int default 5", "a int", "the default of column a" },
    { "a int", "a int default 5", "the default of column a" },
    { "a int default (1 + 2)", "a int default (1 + 3)", "the default of column a" },
    { "a int primary key", "a int", "the primary key" },
    { "a int", "a int primary key", "the primary key" },
    { "a, b, primary key (a, b)", "a, b, primary key (b, a)", "the primary key" },
    { "a, b as (a)", "a, b as (a) stored", "how column b is generated" },
    { "a, b", "a, b as (a)", "how column b is generated" },
    { "a unique", "a", "what is unique: (a)" },
    { "a", "a unique", "what is unique: (a)" },
    { "a, b, unique (a, b)", "a, b, unique (b, a)", "what is unique" },
    { "a references t", "a", "foreign keys" },
    { "a", "a references t", "foreign keys" },
    { "a references t", "a references u", "foreign keys" },
    { "a references t (a)", "a references t (b)", "foreign keys" },
    { "a references t", "a references t (a)", "foreign keys" },
    { "a references t on delete cascade", "a references t", "foreign keys" },
    { "a references t on update cascade", "a references t on update restrict", "foreign keys" },
    { "a, b, foreign key (a, b) references t (a, b)", "a, b, foreign key (b, a) references t (a, b)",
      "foreign keys" },
  }

  local function tampered(sql, kind, text)
    local db = open(sql)
    db:exec "PRAGMA writable_schema = ON"
    assert.equal(1, db:exec("UPDATE sqlite_master SET sql = ? WHERE type = ?", text, kind))
    return db
  end

  local function assert_refused(db, what)
    local err = helper.raises("migration", schema.read, db)
    local wanted = 'Cannot read table "t": its text and the catalogue disagree on ' .. what
    assert.equal(wanted, err.message:sub(1, #wanted))
    helper.raises("migration", schema.read_table, db, "t")
    db:close()
  end

  for _, case in ipairs(CASES) do
    it("is refused: " .. case[1] .. " as " .. case[2], function()
      local sql = "CREATE TABLE t (" .. case[1] .. ")"
      assert_refused(tampered(sql, "table", "CREATE TABLE t (" .. case[2] .. ")"), case[3])
    end)
  end

  local INDEXES = {
    { "(a)", "(b)" }, { "(a)", "(a desc)" }, { "(a)", "(a, b)" }, { "(a)", "(lower(a))" },
    { "(a)", "(a) where b" }, { "(a) where b", "(a)" }, { "(a collate nocase)", "(a collate rtrim)" },
    { "(a)", "(a)", "UNIQUE" },
  }

  for _, case in ipairs(INDEXES) do
    it("is refused: an index on " .. case[1] .. " as " .. case[2], function()
      local sql = "CREATE TABLE t (a, b); CREATE INDEX i ON t " .. case[1]
      local text = "CREATE " .. (case[3] or "") .. " INDEX i ON t " .. case[2]
      assert_refused(tampered(sql, "index", text), "index i")
    end)
  end

  it("is refused where it cannot be read at all", function()
    local db = tampered("CREATE TABLE t (a)", "table", "CREATE TABLE t (a of-the-future)")
    local err = helper.raises("migration", schema.read, db)
    assert.equal("Cannot read CREATE TABLE t (a of-the-future)", err.message)
    db:close()
  end)
end)
