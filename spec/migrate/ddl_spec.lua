-- CREATE TABLE and CREATE INDEX, written.
local ddl = require "tombstone.migrate.ddl"
local helper = require "helper"
local parse = require "tombstone.migrate.parse"

describe("a column is written", function()
  local COLUMNS = {
    { { name = "a", type = "", null = true }, '"a"' },
    { { name = 'a"b', type = "int" }, '"a""b" int NOT NULL' },
    { { name = "a", type = "int", conflict = "ignore" }, '"a" int NOT NULL ON CONFLICT IGNORE' },
    { { name = "a", type = "text", null = true, collate = "NOCASE" }, '"a" text COLLATE "NOCASE"' },
    { { name = "a", type = "", null = true, generated = { sql = "b" } }, '"a" GENERATED ALWAYS AS (b)' },
    { { name = "a", type = "int", generated = { sql = "b -- x", stored = true } },
      '"a" int NOT NULL GENERATED ALWAYS AS (b) STORED' },
  }

  for _, case in ipairs(COLUMNS) do
    it("as " .. case[2], function()
      assert.equal(case[2], ddl.column(case[1]))
    end)
  end

  -- What is no literal stands in parentheses.
  local DEFAULTS = {
    { "0", "0" }, { "-5", "-5" }, { "+1.5e3", "+1.5e3" }, { "'x'", "'x'" }, { "x'00'", "x'00'" },
    { "true", "true" }, { "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP" }, { "1 + 2", "(1 + 2)" },
    { "lower('A')", "(lower('A'))" }, { "(1)", "((1))" }, { "- -1", "(- -1)" }, { "-'1'", "(-'1')" },
    { "0 -- nothing", "0" }, { "a", "(a)" },
  }

  for _, case in ipairs(DEFAULTS) do
    it("with the default " .. case[1], function()
      local text = ddl.column { name = "a", type = "", null = true, default = case[1] }
      assert.equal('"a" DEFAULT ' .. case[2], text)
    end)
  end
end)

describe("a table is written", function()
  local function again(body)
    return ddl.create_table(parse.table("CREATE TABLE t " .. body))
  end

  it("with a key of one column at it", function()
    assert.equal('CREATE TABLE "t" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT)',
      again "(id integer primary key autoincrement)")
    assert.equal('CREATE TABLE "t" ("id" INTEGER PRIMARY KEY DESC)', again "(id INTEGER primary key desc)")
    assert.equal('CREATE TABLE "t" ("a" CONSTRAINT "k" PRIMARY KEY ON CONFLICT FAIL)',
      again "(a, constraint k primary key (a) on conflict fail)")
  end)

  it("with other keys behind the columns", function()
    assert.equal('CREATE TABLE "t" ("a", "b", PRIMARY KEY ("b", "a" DESC))',
      again "(a, b, primary key (b, a desc))")
    assert.equal('CREATE TABLE "t" ("a", PRIMARY KEY ("a" COLLATE "nocase"))',
      again "(a, primary key (a collate nocase))")
  end)

  it("with its constraints and options", function()
    assert.equal(
      'CREATE TABLE "t" ("a" int NOT NULL PRIMARY KEY, "b" int, CONSTRAINT "u" UNIQUE ("b" DESC) '
        .. 'ON CONFLICT IGNORE, CHECK (b > 0), CONSTRAINT "c" CHECK (a), '
        .. 'FOREIGN KEY ("b") REFERENCES "p" ("x") ON DELETE SET NULL ON UPDATE CASCADE MATCH "full" '
        .. 'DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "f" FOREIGN KEY ("a", "b") REFERENCES "q" '
        .. 'DEFERRABLE INITIALLY IMMEDIATE) WITHOUT ROWID, STRICT',
      again [[(a int primary key, b int check (b > 0 /* so */), constraint u unique (b desc) on conflict
        ignore, constraint c check (a), foreign key (b) references p (x) match full on delete set null on
        update cascade deferrable initially deferred, constraint f foreign key (a, b) references q
        deferrable) strict, without rowid]]
    )
  end)

  it("under another name", function()
    local made = parse.table "CREATE TABLE t (a)"
    assert.equal('CREATE TABLE "t ""copy""" ("a")', ddl.create_table(made, 't "copy"'))
    assert.equal("t", made.name)
  end)

  it("never with an expression that is more than one", function()
    local made = parse.table "CREATE TABLE t (a)"
    for _, sql in ipairs { "a) , b (c", "a; DROP TABLE t", "(a", "a 'b", "", "-- a" } do
      helper.raises("migration", ddl.check, { sql = sql })
      helper.raises("migration", ddl.column, { name = "a", type = "", default = sql })
      helper.raises("migration", ddl.column, { name = "a", type = "", generated = { sql = sql } })
      helper.raises("migration", ddl.create_index, made, { name = "i", columns = { { sql = sql } } })
      helper.raises("migration", ddl.create_index, made,
        { name = "i", columns = { { name = "a" } }, where = sql })
    end
  end)
end)

describe("an index is written", function()
  it("with columns and expressions", function()
    assert.equal(
      [[CREATE UNIQUE INDEX "i" ON "t" ("a" COLLATE "NOCASE" DESC, lower(b), (a || b) COLLATE "x", ]]
        .. [[lower(a) COLLATE "x") WHERE a > 0]],
      ddl.create_index("t", {
        name = "i",
        unique = true,
        columns = {
          { name = "a", collate = "NOCASE", desc = true },
          { sql = "lower(b)" },
          { sql = "a || b", collate = "x" },
          { sql = "lower(a)", collate = "x" },
        },
        where = "a > 0 -- only",
      })
    )
  end)
end)
