-- A new table in the place of the old one: what must not be lost on the way.
local digests = require "migrate.digests"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local db

local n, list = 0, {}

local function apply(up)
  n = n + 1
  list[n] = { name = ("%04d_test"):format(n), up = up }
  local ok, err = pcall(function()
    migrate.open(db, { migrations = list }):up()
  end)
  if not ok then
    list[n], n = nil, n - 1
    error(err, 0)
  end
end

-- Makes it a new table, and nothing else of it.
local function rebuild(name, column)
  apply(function(m)
    m:change_column(name, column)
  end)
end

local function value(sql, ...)
  return db:query(sql, ...)[1].value
end

before_each(function()
  n, list = 0, {}
  db = tombstone.open(":memory:")
end)

after_each(function()
  db:close()
end)

describe("a rebuilt table", function()
  it("keeps rowids that no column shows", function()
    db:exec [[CREATE TABLE t (a text, rowid text);
      INSERT INTO t (oid, a, rowid) VALUES (7, 'x', 'r'), (-3, 'y', 's'), (9223372036854775807, 'z', 't')]]
    rebuild("t", { "a", "varchar(5)", null = true })
    assert.same({ "y", "x", "z" }, {
      value "SELECT a AS value FROM t WHERE oid = -3",
      value "SELECT a AS value FROM t WHERE oid = 7",
      value "SELECT a AS value FROM t WHERE oid = 9223372036854775807",
    })
    assert.equal("s", value "SELECT rowid AS value FROM t WHERE a = 'y'")
  end)

  it("never gives out a key again", function()
    db:exec [[CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT, a text);
      INSERT INTO t (id, a) VALUES (41, 'x');
      DELETE FROM t]]
    rebuild("t", { "a", "varchar(5)", null = true })
    db:exec "INSERT INTO t (a) VALUES ('y')"
    assert.equal(42, value "SELECT id AS value FROM t")
    rebuild("t", { "a", "text", null = true })
    assert.equal(42, value "SELECT seq AS value FROM sqlite_sequence WHERE name = 't'")
  end)

  it("keeps its triggers, and those of others that speak of it", function()
    db:exec [[CREATE TABLE t (a text, n integer DEFAULT 0); CREATE TABLE log (what text);
      CREATE TRIGGER t_insert AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('t ' || NEW.a); END;
      CREATE TRIGGER log_insert AFTER INSERT ON log BEGIN UPDATE t SET n = n + 1; END]]
    rebuild("t", { "a", "varchar(5)", null = true })
    db:exec "INSERT INTO t (a) VALUES ('x')"
    assert.equal("t x", value "SELECT what AS value FROM log")
    assert.equal(1, value "SELECT n AS value FROM t")
  end)

  it("copies without firing triggers", function()
    db:exec [[CREATE TABLE t (a text); CREATE TABLE log (what text); INSERT INTO t VALUES ('x'), ('y');
      CREATE TRIGGER t_insert AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.a); END;
      CREATE TRIGGER t_delete AFTER DELETE ON t BEGIN INSERT INTO log VALUES (OLD.a); END]]
    rebuild("t", { "a", "varchar(5)", null = true })
    assert.equal(0, value "SELECT count(*) AS value FROM log")
  end)

  it("stays under the views that show it", function()
    db:exec [[CREATE TABLE t (a text, b text); INSERT INTO t VALUES ('x', 'y');
      CREATE VIEW v AS SELECT a, b FROM t]]
    rebuild("t", { "a", "varchar(5)", null = true })
    assert.equal("x", value "SELECT a AS value FROM v")
    local before = digests.digest(db)
    local err = helper.raises("migration", apply, function(m)
      m:drop_column("t", "b")
    end)
    assert.truthy(err.message:find("After this, view 'v' does not work any more", 1, true))
    assert.equal(before, digests.digest(db))
    apply(function(m)
      m:execute "DROP VIEW v"
      m:drop_column("t", "b")
      m:execute "CREATE VIEW v AS SELECT a FROM t"
    end)
    assert.equal("x", value "SELECT a AS value FROM v")
  end)

  it("does not break triggers that speak of it", function()
    db:exec [[CREATE TABLE t (a text, b text); CREATE TABLE u (x text);
      CREATE TRIGGER u_insert AFTER INSERT ON u BEGIN INSERT INTO t (a, b) VALUES (NEW.x, 'b'); END]]
    local err = helper.raises("migration", apply, function(m)
      m:drop_column("t", "b")
    end)
    assert.truthy(
      err.message:find("After this, the trigger for INSERT of 'u' does not work any more", 1, true)
    )
  end)

  it("bears views that never worked", function()
    db:exec "CREATE TABLE t (a text); CREATE VIEW v AS SELECT x FROM nowhere"
    rebuild("t", { "a", "varchar(5)", null = true })
    assert.equal("varchar(5)", schema.read_table(db, "t").columns[1].type)
  end)

  it("stays the parent of its children, also of its own", function()
    db:exec [[CREATE TABLE t (id integer PRIMARY KEY, up integer REFERENCES t (id), a text);
      CREATE TABLE u (t_id integer REFERENCES t (id) ON DELETE CASCADE);
      INSERT INTO t VALUES (1, NULL, 'x'), (2, 1, 'y'); INSERT INTO u VALUES (2)]]
    rebuild("t", { "a", "varchar(5)", null = true })
    assert.equal(1, value "SELECT count(*) AS value FROM u")
    assert.equal("t", schema.read_table(db, "t").foreign_keys[1].table)
    assert.equal("t", schema.read_table(db, "u").foreign_keys[1].table)
    assert.has_error(function()
      db:exec "DELETE FROM t WHERE id = 1"
    end)
    db:exec "DELETE FROM t WHERE id = 2"
    assert.equal(0, value "SELECT count(*) AS value FROM u")
  end)

  it("bears rows that pointed nowhere before", function()
    db:exec [[PRAGMA foreign_keys = OFF; CREATE TABLE p (id integer PRIMARY KEY);
      CREATE TABLE t (p_id integer REFERENCES p (id), a text);
      INSERT INTO t VALUES (99, 'x'); PRAGMA foreign_keys = ON]]
    rebuild("t", { "a", "varchar(5)", null = true })
    local err = helper.raises("migration", apply, function(m)
      m:execute "INSERT INTO t VALUES (98, 'y')"
    end)
    assert.truthy(err.message:find("1 rows would point at parents that are not there", 1, true))
    assert.equal(1, value "SELECT count(*) AS value FROM t")
  end)

  it("finds those of a file in what was committed", function()
    local path = helper.path()
    local memory = db
    db = tombstone.open(path)
    db:exec [[PRAGMA foreign_keys = OFF; CREATE TABLE p (id integer PRIMARY KEY);
      CREATE TABLE t (p_id integer REFERENCES p (id), a text);
      INSERT INTO t VALUES (99, 'x'); PRAGMA foreign_keys = ON]]
    rebuild("t", { "a", "varchar(5)", null = true })
    helper.raises("migration", apply, function(m)
      m:execute "INSERT INTO t VALUES (98, 'y')"
    end)
    db:close()
    db = memory
    helper.clean()
  end)

  it("keeps what text of any bytes, numbers and NULL are", function()
    db:exec [[CREATE TABLE t (a, b blob, c text COLLATE NOCASE DEFAULT (lower('X')), d text);
      INSERT INTO t (a, b, d) VALUES (1, x'00ff', 'é'), (1.5, NULL, ''),
        ('1', 1e300, NULL), (NULL, 'q''"', 'x')]]
    local rows = digests.rows(db, schema.read_table(db, "t"))
    rebuild("t", { "d", "varchar(9)", null = true })
    assert.equal(rows, digests.rows(db, schema.read_table(db, "t")))
  end)

  it("is sound without a rowid, whatever SQLite 3.40 says", function()
    db:exec [[CREATE TABLE t (a integer NOT NULL, b text, c integer NOT NULL, d blob PRIMARY KEY)
      WITHOUT ROWID;
      INSERT INTO t VALUES (1, NULL, 3, x'01')]]
    rebuild("t", { "b", "varchar(9)", null = true })
    assert.equal(1, value "SELECT count(*) AS value FROM t WHERE c = 3")
    db:exec [[CREATE TABLE u (b text, n decimal DEFAULT 'x', k PRIMARY KEY) WITHOUT ROWID;
      INSERT INTO u VALUES ('7', 5, 'a')]]
    rebuild("u", { "b", "varchar(9)", null = true })
  end)

  it("may have any name", function()
    db:exec [[CREATE TABLE "my ""table'" ("a b" text, "select" integer);
      CREATE INDEX "an ""index" ON "my ""table'" ("a b");
      INSERT INTO "my ""table'" VALUES ('x', 1)]]
    rebuild([[my "table']], { "select", "text", null = true })
    assert.equal("x", value [[SELECT "a b" AS value FROM "my ""table'" WHERE "select" = '1']])
    assert.equal(1, #schema.read_table(db, [[my "table']]).indexes)
  end)

  it("is told of while it takes long", function()
    db:exec [[CREATE TABLE t (a text);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
      INSERT INTO t SELECT i FROM n]]
    local last
    migrate
      .open(db, {
        migrations = {
          {
            name = "0001_test",
            up = function(m)
              m:change_column("t", { "a", "integer" })
            end,
          },
        },
        progress = function(step)
          assert.is_true(last == nil or step.done > last.done)
          last = step
        end,
      })
      :up()
    assert.same({ "t", 30000, 30000 }, { last.table, last.done, last.total })
    assert.equal(30000, value "SELECT count(*) AS value FROM t WHERE typeof(a) = 'integer'")
  end)
end)
