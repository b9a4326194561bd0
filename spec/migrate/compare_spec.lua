-- Are two tables the same? The first difference, in words.
local ddl = require "tombstone.migrate.ddl"
local schema = require "tombstone.migrate.schema"
local parse = require "tombstone.migrate.parse"

-- A table of CREATE TABLE and CREATE INDEX.
local function read(body, ...)
  local made = parse.table("CREATE TABLE t " .. body)
  for i, text in ipairs { ... } do
    made.indexes[i] = parse.index("CREATE " .. text, made)
  end
  return made
end

describe("two tables are the same", function()
  local SAME = {
    { "(a int)", '("A" INT)' },
    { "(a varchar(10))", "(a VARCHAR ( 10 ))" },
    { "(a default (1))", "(a default 1)" },
    { "(a default null)", "(a)" },
    { "(a default -1)", "(a default (-1))" },
    { "(a collate nocase)", "(a collate NOCASE)" },
    { "(a int primary key)", "(a int, primary key (a))" },
    { "(a integer primary key)", "(a integer not null primary key)" },
    { "(a unique, b unique)", "(a, b, unique (b), unique (A))" },
    { "(a check (a > 0))", '(a, check (("A" > 0)))' },
    { "(a references p on delete no action)", "(a, foreign key (a) references P)" },
    { "(a as (a + 1))", "(a generated always as ((A+1)) virtual)" },
    { "(a check (a) check (a) check (1))", "(a check (1) check (a) check (a))" },
  }

  for _, case in ipairs(SAME) do
    it("however they are spelled: " .. case[1] .. " and " .. case[2], function()
      local same, why = schema.same_table(read(case[1]), read(case[2]))
      assert.is_true(same, why)
    end)
  end

  it("in whichever order their indexes come", function()
    local a = read("(a, b)", "INDEX i ON t (a) WHERE b > 0", "UNIQUE INDEX j ON t (lower(b) desc)")
    local b = read("(a, b)", 'UNIQUE INDEX j ON t (LOWER("b") desc)', 'INDEX "I" ON t (A) WHERE (b>0)')
    assert.is_true(schema.same_table(a, b))
  end)

  it("when one lacks the lists that are empty in the other", function()
    local bare = { name = "t", columns = { { name = "a", type = "int", null = true } } }
    assert.is_true(schema.same_table(bare, read "(a int)"))
    assert.is_true(schema.same_table(read "(a int)", bare))
    assert.equal('CREATE TABLE "t" ("a" int)', ddl.create_table(bare))
  end)
end)

describe("the first difference", function()
  local OTHER = {
    { "(a int)", "(b int)", "column a here, b there" },
    { "(a int)", "(a int, b int)", "column b is only there" },
    { "(a int, b int)", "(a int)", "column b is only here" },
    { "(a int, b int)", "(b int, a int)", "column a here, b there" },
    { "(a int)", "(a)", "column a: the type is int here, none there" },
    { "(a int)", "(a integer)", "column a: the type is int here, integer there" },
    { "(a)", "(a not null)", "column a: NULL is allowed here, not allowed there" },
    { "(a default 'X')", "(a default 'x')", "column a: the default is 'X' here, 'x' there" },
    { "(a default 1)", "(a)", "column a: the default is 1 here, none there" },
    { "(a)", "(a collate rtrim)", "column a: the collation is none here, rtrim there" },
    { "(a)", "(a as (1))", "column a: the generated value is none here, 1 virtual there" },
    { "(a as (1) stored)", "(a as (1))",
      "column a: the generated value is 1 stored here, 1 virtual there" },
    { "(a not null on conflict fail)", "(a not null)",
      "column a: the conflict clause is fail here, none there" },
    { "(a int primary key)", "(a int)", "the primary key is (a) here, none there" },
    { "(a, b, primary key (a, b))", "(a, b, primary key (b, a))",
      "the primary key is (a, b) here, (b, a) there" },
    { "(a integer primary key desc)", "(a integer not null primary key)",
      "column a: NULL is allowed here, not allowed there" },
    { "(a primary key desc)", "(a primary key)", "the primary key is (a desc) here, (a) there" },
    { "(a, primary key (a collate nocase))", "(a primary key)",
      "the primary key is (a collate nocase) here, (a) there" },
    { "(a constraint k primary key)", "(a primary key)",
      "the primary key is (a) called k here, (a) there" },
    { "(a primary key on conflict fail)", "(a primary key)",
      "the primary key is (a) on conflict fail here, (a) there" },
    { "(a integer primary key autoincrement)", "(a integer primary key)",
      "the primary key is (a) autoincrement here, (a) there" },
    { "(a int not null primary key) without rowid", "(a int not null primary key)",
      "the option is WITHOUT ROWID here, none there" },
    { "(a int)", "(a int) strict", "the option is none here, STRICT there" },
    { "(a unique)", "(a)", "unique (a) is only here" },
    { "(a)", "(a, unique (a desc))", "unique (a desc) is only there" },
    { "(a constraint u unique)", "(a unique)", "unique (a) called u is only here" },
    { "(a unique on conflict fail)", "(a unique)", "unique (a) on conflict fail is only here" },
    { "(a check (a) check (a))", "(a check (a))", "check (a) is only here" },
    { "(a check (a = 'X'))", "(a check (a = 'x'))", "check (a='X') is only here" },
    { "(a constraint c check (a))", "(a check (a))", "check (a) called c is only here" },
    { "(a references p)", "(a)", "foreign key (a) to p is only here" },
    { "(a references p)", "(a references p (a))", "foreign key (a) to p is only here" },
    { "(a references p on delete cascade)", "(a references p)",
      "foreign key (a) to p on delete cascade is only here" },
    { "(a)", "(a references p (b) on update set null match full deferrable)",
      "foreign key (a) to p (b) on update set null match full deferrable immediate is only there" },
  }

  for _, case in ipairs(OTHER) do
    it("is that " .. case[3], function()
      local same, why = schema.same_table(read(case[1]), read(case[2]))
      assert.is_false(same)
      assert.equal("table t: " .. case[3], why)
      assert.is_false((schema.same_table(read(case[2]), read(case[1]))))
    end)
  end

  local INDEXES = {
    { "INDEX i ON t (a)", nil, "index i (a) is only here" },
    { "INDEX i ON t (a)", "INDEX j ON t (a)", "index i (a) is only here" },
    { "INDEX i ON t (a)", "UNIQUE INDEX i ON t (a)", "index i (a) is only here" },
    { "INDEX i ON t (a desc)", "INDEX i ON t (a)", "index i (a desc) is only here" },
    { "INDEX i ON t (a collate rtrim)", "INDEX i ON t (a)", "index i (a collate rtrim) is only here" },
    { "INDEX i ON t (lower(a))", "INDEX i ON t (a)", "index i (lower(a)) is only here" },
    { "INDEX i ON t (a)", "INDEX i ON t (a) WHERE b", "index i (a) is only here" },
    { "INDEX i ON t (a, b)", "INDEX i ON t (b, a)", "index i (a, b) is only here" },
  }

  for _, case in ipairs(INDEXES) do
    it("is that " .. case[3] .. ": " .. case[1] .. (case[2] or ""), function()
      local same, why = schema.same_table(read("(a, b)", case[1]), read("(a, b)", case[2]))
      assert.is_false(same)
      assert.equal("table t: " .. case[3], why)
    end)
  end

  it("is the name", function()
    local other = parse.table "CREATE TABLE u (a)"
    assert.same({ false, "table t: the name is t here, u there" }, { schema.same_table(read "(a)", other) })
  end)
end)

describe("two schemas", function()
  local function whole(tables, views, triggers)
    local made = { tables = {}, order = {}, views = views or {}, triggers = triggers or {}, others = {} }
    for i, name in ipairs(tables) do
      made.tables[name] = parse.table("CREATE TABLE " .. name .. " (a int)")
      made.order[i] = name
    end
    return made
  end

  it("are the same in any order, and whatever is no table", function()
    local a, b = whole({ "t", "u" }, { v = "CREATE VIEW v AS SELECT 1" }), whole { "U", "T" }
    b.views.V = "create view v as select  1"
    b.others.f = "CREATE VIRTUAL TABLE f USING fts5 (x)"
    assert.is_true(schema.same(a, b))
    assert.is_true(schema.same(b, a))
  end)

  it("differ by tables, views and triggers", function()
    local trigger = { table = "t", sql = "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END" }
    local function why(a, b)
      local same, words = schema.same(a, b)
      return not same and words
    end
    assert.equal("table u is only here", why(whole { "t", "u" }, whole { "t" }))
    assert.equal("table u is only there", why(whole { "t" }, whole { "t", "u" }))
    assert.equal("view v is only here", why(whole({}, { v = "CREATE VIEW v AS SELECT 1" }), whole {}))
    assert.equal("view v is another one", why(whole({}, { v = "a" }), whole({}, { v = "b" })))
    assert.equal("trigger x is only there", why(whole {}, whole({}, {}, { x = trigger })))
    assert.equal("trigger x is another one",
      why(whole({}, {}, { x = trigger }), whole({}, {}, { x = { table = "u", sql = trigger.sql } })))
  end)
end)
