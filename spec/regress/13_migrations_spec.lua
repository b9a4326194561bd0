-- What an attack on migrations has found.
local helper = require "helper"
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"
local f = tombstone.field

local db, n, list

local function open(sql)
  db = tombstone.open(helper.path())
  if sql then
    db:exec(sql)
  end
  n, list = 0, {}
end

local function up(fn, options)
  n = n + 1
  list[n] = { name = ("%04d_x"):format(n), up = fn }
  for key, value in pairs(options or {}) do
    list[n][key] = value
  end
  local runner = migrate.open(db, { migrations = list })
  local ok, err = pcall(runner.up, runner)
  if not ok then
    list[n], n = nil, n - 1
    error(err, 0)
  end
  return runner
end

local function refuses(message, fn, options)
  local err = helper.raises("migration", up, fn, options)
  assert.equal(message, err.message)
end

local function value(sql)
  return db:query("SELECT " .. sql .. " AS value")[1].value
end

local function reopen()
  local path = db:query("PRAGMA database_list")[1].file
  db:close()
  db = tombstone.open(path)
end

local function diff_up()
  local change = migrate.diff(db)
  local given = assert((rawget(_G, "loadstring") or load)(change.text))()
  return change, up(given.up)
end

after_each(function()
  db:close()
  helper.clean()
end)

describe("a new table in the place of the old", function()
  it("has as many rows, whatever using says", function()
    open "CREATE TABLE t (id integer PRIMARY KEY, rank integer); INSERT INTO t VALUES (1, 5), (2, 7), (3, 9)"
    refuses("Of 3 rows of 't' there would be 1", function(m)
      m:add_column("t", { "top", "integer", using = "max(rank)" })
    end)
    assert.equal(3, value "(SELECT count(*) FROM t)")
  end)

  it("is filled in one step where a window looks at all rows", function()
    open [[CREATE TABLE t (id integer PRIMARY KEY);
      WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 10005)
      INSERT INTO t SELECT n FROM i]]
    up(function(m)
      m:add_column("t", { "place", "integer", using = "row_number() OVER (ORDER BY id)" })
    end)
    assert.equal(10005, value "(SELECT count(DISTINCT place) FROM t)")
  end)

  it("keeps children and itself outside of a transaction too", function()
    open [[CREATE TABLE p (id integer PRIMARY KEY, b text);
      CREATE TABLE c (id integer PRIMARY KEY, p REFERENCES p (id) ON DELETE CASCADE);
      INSERT INTO p VALUES (1, 'x'), (2, NULL); INSERT INTO c VALUES (5, 1)]]
    helper.raises("migration", up, function(m)
      m:change_column("p", { "b", "text" })
    end, { transaction = false })
    assert.equal(0, value "(SELECT count(*) FROM sqlite_master WHERE name LIKE 'tombstone_new%')")
    up(function(m)
      m:change_column("p", { "b", "varchar(5)", null = true })
    end, { transaction = false })
    assert.equal(1, value "(SELECT count(*) FROM c)")
    assert.equal(1, value "(SELECT foreign_keys FROM pragma_foreign_keys)")
  end)

  it("does not change values by their type", function()
    open "CREATE TABLE t (zip text, n integer); INSERT INTO t VALUES ('007', 9007199254740993)"
    refuses("1 values of 'zip' in 't' would be others as integer", function(m)
      m:change_column("t", { "zip", "integer", null = true })
    end)
    if not os.getenv "SPEC_VALGRIND" then -- whose long doubles have 64 bits: SQLite compares by them
      refuses("1 values of 'n' in 't' would be others as real", function(m)
        m:change_column("t", { "n", "real", null = true })
      end)
    end
    up(function(m)
      m:change_column("t", { "zip", "varchar(9)", null = true })
    end)
  end)

  it("keeps rowids that become a key", function()
    open "CREATE TABLE t (b text); INSERT INTO t (rowid, b) VALUES (7, 'x'), (9, 'y')"
    up(function(m)
      m:change_table("t", { { "id", "integer", key = true }, { "b", "text" } })
    end)
    assert.equal(16, value "(SELECT sum(id) FROM t)")
  end)

  it("knows names of all sorts in what it refuses", function()
    open [[CREATE TABLE "100%" (b text); INSERT INTO "100%" VALUES (NULL)]]
    refuses("Rows of '100%' do not fit what it shall be - NOT NULL constraint failed: 100%.b", function(m)
      m:change_column("100%", { "b", "text" })
    end)
  end)

  it("leaves the handle as it was when it fails", function()
    open [[CREATE TABLE t (id integer PRIMARY KEY, b text); CREATE TABLE c (t REFERENCES t (id))]]
    local runner = migrate.open(db, {
      migrations = {
        {
          name = "0001_x",
          up = function(m)
            m:change_column("t", { "b", "varchar(3)", null = true })
          end,
        },
      },
      log = function(sql)
        return sql:find "RENAME TO" and error "stopped"
      end,
    })
    helper.raises("migration", runner.up, runner)
    up(function(m)
      m:rename_table("t", "t2")
    end)
    assert.equal("t2", value "(SELECT \"table\" FROM pragma_foreign_key_list('c'))")
  end)
end)

describe("words", function()
  it("do not end the transaction", function()
    open "CREATE TABLE t (b text); INSERT INTO t VALUES ('x')"
    refuses("A migration is one transaction, and COMMIT would end it", function(m)
      m:execute "UPDATE t SET b = 'half'; COMMIT"
    end)
    assert.equal("x", value "(SELECT b FROM t)")
    up(function(m)
      m:execute "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 1"
    end)
  end)

  it("do not walk along what they change", function()
    open "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)"
    refuses("update walks along 'id' and cannot change it", function(m)
      m:update("t", { id = "id + 1000" })
    end)
    refuses("Table 't' has no column 'idd'", function(m)
      m:update("t", { idd = "1" })
    end)
    helper.raises("misuse", up, function(m)
      m:update("t", {})
    end)
  end)

  it("are not of a temporary table", function()
    open "CREATE TABLE t (a text); CREATE TEMP TABLE t (a text)"
    refuses("A temporary table hides 't'", function(m)
      m:add_column("t", { "b", "text", null = true })
    end)
  end)

  it("that are refused leave nothing to be carried out", function()
    open "CREATE TABLE t (a text, g text, CHECK (g <> '')); CREATE INDEX i ON t (g)"
    up(function(m)
      assert(not pcall(m.drop_column, m, "t", "g", { "g", "text", null = true, check = "g <> ''" }))
    end)
    assert.has_error(function()
      db:exec "INSERT INTO t (g) VALUES ('')"
    end)
  end)

  it("take expressions, and no more than that", function()
    open "CREATE TABLE t (id integer PRIMARY KEY, rank integer); INSERT INTO t VALUES (1, 5)"
    up(function(m)
      m:add_column("t", { "twice", "integer", using = "rank * 2 -- why" })
    end)
    assert.equal(10, value "(SELECT twice FROM t)")
    helper.raises("migration", up, function(m)
      m:update("t", { rank = "0" }, { where = "id = 1) OR (id = 2" })
    end)
    helper.raises("migration", up, function(m)
      m:change_table("t", { { "id", "integer", key = true } }, { using = { zz = "1" } })
    end)
  end)
end)

describe("the check at the end", function()
  it("sees triggers on any column, and of views", function()
    open [[CREATE TABLE t (id integer PRIMARY KEY, b text); CREATE TABLE log (x, y);
      CREATE VIEW v AS SELECT b FROM t;
      CREATE TRIGGER tr AFTER UPDATE OF b ON t BEGIN INSERT INTO log (y) VALUES (new.b); END;
      CREATE TRIGGER tv INSTEAD OF INSERT ON v BEGIN INSERT INTO log (x) VALUES (new.b); END]]
    for _, column in ipairs { "x", "y" } do
      local err = helper.raises("migration", up, function(m)
        m:drop_column("log", column)
      end)
      assert.truthy(err.message:find("does not work any more", 1, true))
    end
  end)

  it("tells old violations of foreign keys from new ones", function()
    open [[PRAGMA foreign_keys = OFF; CREATE TABLE p (id integer PRIMARY KEY);
      CREATE TABLE c (id integer PRIMARY KEY, p REFERENCES p (id), q REFERENCES p (id));
      INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 99, 1); PRAGMA foreign_keys = ON]]
    helper.raises("migration", up, function(m)
      m:execute "DELETE FROM p"
    end)
    up(function(m)
      m:rename_table("c", "d")
    end)
  end)

  it("bears a foreign key that never had a parent's key", function()
    open "CREATE TABLE t (id integer PRIMARY KEY, b text); CREATE TABLE c (x REFERENCES t (b))"
    up(function(m)
      m:add_column("t", { "q", "text", null = true })
    end)
  end)
end)

describe("a difference", function()
  it("follows chains of renames, and says what it does not follow", function()
    open()
    db:model("T", { a = f.text(), b = f.text() }, { table = "t", soft_delete = false })
    db:create_tables()
    db:model("T"):create { a = "A", b = "B" }
    reopen()
    db:model("T", { c = f.text { renamed_from = "b" }, b = f.text { renamed_from = "a" } }, {
      table = "t",
      soft_delete = false,
    })
    diff_up()
    assert.same({ id = 1, b = "A", c = "B" }, db:query("SELECT * FROM t")[1])
    assert.is_true(migrate.diff(db).empty)
    reopen()
    db:model("T", { c = f.text { renamed_from = "b" }, b = f.text { renamed_from = "c" } }, {
      table = "t",
      soft_delete = false,
    })
    assert.truthy(table.concat(migrate.diff(db).remarks, "\n"):find("change places", 1, true))
  end)

  it("follows renames that change the case of letters alone", function()
    open [[CREATE TABLE t (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, a text NOT NULL);
      INSERT INTO t VALUES (1, 'x')]]
    db:model("T", { A = f.text { renamed_from = "a" } }, { table = "t", soft_delete = false })
    diff_up()
    db:create_tables()
    assert.equal("x", db:model("T").objects:first().A)
    assert.is_true(migrate.diff(db).empty)
  end)

  it("counts what a new counter counts", function()
    open()
    local function declare(with_counter)
      db:model("P", { name = f.text(), c_count = with_counter and f.counter "cs" or nil })
      db:model("C", { p = f.belongs_to("P", { on_delete = "cascade", related_name = "cs" }) })
    end
    declare(false)
    db:create_tables()
    local p = db:model("P"):create { name = "p" }
    for _ = 1, 3 do
      p:cs():create {}
    end
    p:cs():first():delete()
    reopen()
    declare(true)
    diff_up()
    assert.equal(2, value "(SELECT c_count FROM p)")
    assert.is_true(migrate.diff(db).empty)
  end)

  it("gives exact defaults", function()
    if not helper.has_integers then
      return pending "needs 64 bits"
    end
    open "CREATE TABLE t (id integer NOT NULL PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (1)"
    local big = tonumber "9007199254740993"
    db:model("T", { n = f.integer { default = big } }, { table = "t", soft_delete = false })
    diff_up()
    assert.equal(big, value "(SELECT n FROM t)")
  end)

  it("comes back where a generated column goes with its source", function()
    open [[CREATE TABLE t (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, a integer NOT NULL, g AS (a + 1));
      INSERT INTO t (a) VALUES (5)]]
    db:model("T", { b = f.text { null = true } }, { table = "t", soft_delete = false })
    local _, runner = diff_up()
    runner:down()
    assert.equal(1, value "(SELECT g FROM t)")
  end)

  it("comes back where no column stays", function()
    open "CREATE TABLE t (a text NOT NULL, b text NOT NULL); INSERT INTO t VALUES ('x', 'y')"
    local old = migrate.schema(db)
    local new = { tables = {}, order = { "t" } }
    new.tables.t = {
      name = "t", columns = { { name = "c", type = "text", null = true } }, uniques = {}, foreign_keys = {},
      checks = {}, indexes = {},
    }
    local words = require("tombstone.migrate.diff").schemas(old, new)
    local text = require("tombstone.migrate.write").file(words, {})
    local runner = up(assert((rawget(_G, "loadstring") or load)(text))().up)
    runner:down()
    assert.equal(1, value "(SELECT count(b) FROM t)")
  end)

  it("says that an index goes, and keeps its remarks in comments", function()
    open [[CREATE TABLE t (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, b text NOT NULL, "x
y" text); CREATE UNIQUE INDEX t__rule ON t (b)]]
    db:model("T", { b = f.text() }, { table = "t", soft_delete = false })
    local change = migrate.diff(db)
    assert.truthy(table.concat(change.remarks, "\n"):find("index 't__rule' goes", 1, true))
    assert((rawget(_G, "loadstring") or load)(change.text))
  end)
end)

describe("a column that becomes the key of whole numbers", function()
  it("refuses rows that have others, and leaves the table", function()
    open [[CREATE TABLE t (a TEXT NOT NULL, b TEXT); INSERT INTO t VALUES ('one', 'x'), ('2', 'y')]]
    refuses("Rows of 't' do not fit what it shall be - datatype mismatch", function(m)
      m:change_table("t", { { "a", "integer" }, { "b", "text", null = true } }, { primary_key = { "a" } })
    end)
    assert.equal("one", value "(SELECT a FROM t WHERE b = 'x')")
    db:close()
  end)
end)

describe("adopt", function()
  it("keeps unique indexes that are not alike", function()
    open [[CREATE TABLE t (id integer PRIMARY KEY, a text, b text, c text, deleted_at datetime);
      CREATE UNIQUE INDEX u1 ON t (a, b, deleted_at); CREATE INDEX i2 ON t (a, c);
      INSERT INTO t VALUES (1, 'a', 'b', 'c', NULL)]]
    up(function(m)
      m:adopt "t"
    end)
    assert.has_error(function()
      db:exec "INSERT INTO t (a, b) VALUES ('a', 'b')"
    end)
  end)

  it("is not taken back over columns that came since", function()
    open [[CREATE TABLE t (id integer PRIMARY KEY, a text UNIQUE, is_deleted integer NOT NULL DEFAULT 0);
      INSERT INTO t VALUES (1, 'a', 0)]]
    local runner = up(function(m)
      m:adopt("t", { drop = true })
    end)
    db:exec "ALTER TABLE t ADD COLUMN note text"
    local err = helper.raises("migration", runner.down, runner)
    assert.equal("The adoption of 't' cannot be taken back - column 'note' came since", err.message)
  end)
end)
