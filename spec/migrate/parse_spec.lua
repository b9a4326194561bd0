-- CREATE TABLE and CREATE INDEX, read.
local helper = require "helper"
local parse = require "tombstone.migrate.parse"

local function first(columns)
  return parse.table("CREATE TABLE t (" .. columns .. ")").columns[1]
end

describe("a column", function()
  it("has a name in whichever quotes", function()
    for _, name in ipairs { '"a b"', "`a b`", "[a b]", "'a b'" } do
      assert.same({ name = "a b", type = "int", null = true }, first(name .. " int"))
    end
  end)

  it("has a type of any words, or none", function()
    local TYPES = {
      "", "int", "unsigned big int", "varchar(100)", "decimal(10, -2)", "timestamp with time zone",
      "[nvarchar](50)", '"odd type"', "generated", "key",
    }
    for _, name in ipairs(TYPES) do
      assert.same({ name = "a", type = name, null = true }, first("a " .. name))
      assert.same({ name = "a", type = name }, first("a " .. name .. " not null unique"))
      assert.equal(name, first("a " .. name .. " generated always as (1)").type)
    end
    assert.equal("varchar (10 )", first("a varchar/**/(10 /* x */)").type)
  end)

  it("has a default, as SQL", function()
    local DEFAULTS = {
      { "5", "5" }, { "-5", "-5" }, { "- 5.5e-3", "-5.5e-3" }, { "+5", "+5" }, { "0x10", "0x10" },
      { "'it''s'", "'it''s'" }, { "(1 + 2)", "1 + 2" }, { "((7))", "(7)" }, { "true", "true" },
      { "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP" }, { "x'00'", "x'00'" },
      { '"foo"', "'foo'" }, { "foo", "'foo'" }, { "[it's]", "'it''s'" }, { '("abc" || 1)', "'abc' || 1" },
    }
    for _, case in ipairs(DEFAULTS) do
      assert.equal(case[2], first("a default " .. case[1] .. " not null").default)
      assert.is_nil(first("a default " .. case[1] .. " not null").null)
    end
    assert.is_nil(first("a default null").default)
    assert.is_nil(first("a default (null)").default)
  end)

  it("may be generated", function()
    assert.same({ sql = "b + 1" }, first("a int as (b + 1), b").generated)
    assert.same({ sql = "b", stored = true }, first("a generated always as (b) stored, b").generated)
    assert.same({ sql = "b" }, first("a generated always as (b) virtual unique, b").generated)
  end)

  it("has collation and conflict clause", function()
    assert.equal("NOCASE", first("a collate NOCASE").collate)
    assert.equal("odd one", first('a collate "odd one" not null').collate)
    assert.equal("ignore", first("a not null on conflict ignore").conflict)
    assert.is_nil(first("a not null on conflict abort").conflict)
    assert.is_true(first("a null on conflict fail").null)
  end)
end)

local function parsed(body)
  return parse.table("CREATE TABLE t (" .. body .. ")")
end

describe("the primary key", function()
  it("stands at a column or behind them", function()
    assert.same({ "a" }, parsed("a int primary key").primary_key)
    assert.same({ "a" }, parsed("a int, primary key (a)").primary_key)
    assert.same({ "b", "a" }, parsed("a, b, primary key (B, [a])").primary_key)
    assert.is_nil(parsed("a").primary_key)
  end)

  it("may be counted up", function()
    assert.is_true(parsed("a integer primary key autoincrement").autoincrement)
    assert.is_true(parsed("a integer, primary key (a autoincrement)").autoincrement)
    assert.is_true(parsed("a integer primary key asc on conflict fail autoincrement").autoincrement)
    assert.is_nil(parsed("a integer primary key").autoincrement)
  end)

  it("is NOT NULL where it is the rowid, or SQLite says so", function()
    local function null_of(body, options)
      return parse.table("CREATE TABLE t (" .. body .. ")" .. (options or "")).columns[1].null
    end
    assert.is_nil(null_of "a integer primary key")
    assert.is_nil(null_of "a INTEGER, primary key (a desc)")
    assert.is_nil(null_of "a [integer] primary key")
    assert.is_true(null_of "a int primary key")
    assert.is_true(null_of "a integer primary key desc")
    assert.is_true(null_of "a integer, b, primary key (a, b)")
    assert.is_nil(null_of("a int primary key", " without rowid"))
    assert.is_nil(null_of("a int primary key", "strict"))
  end)

  it("keeps order and collation, where they mean something", function()
    assert.same({ "a", desc = { true } }, parsed("a integer primary key desc").primary_key)
    assert.same({ "a" }, parsed("a integer, primary key (a collate nocase desc)").primary_key)
    assert.same(
      { "a", "b", desc = { nil, true }, collate = { "nocase" } },
      parsed("a, b, primary key (a collate nocase, b desc)").primary_key
    )
    local without = parse.table("CREATE TABLE t (a integer, primary key (a desc)) without rowid")
    assert.same({ "a", desc = { true } }, without.primary_key)
  end)

  it("keeps name and conflict clause", function()
    local key = { "a", name = "pk", conflict = "replace" }
    assert.same(key, parsed("a int constraint pk primary key on conflict replace").primary_key)
    assert.same(key, parsed("a int, constraint pk primary key (a) on conflict replace").primary_key)
  end)
end)

describe("constraints", function()
  it("are the table's, in order", function()
    local made = parsed [[
      a int constraint ua unique on conflict fail check (a > 0) references p,
      b int constraint cb check ((b)) unique,
      unique (a, B collate rtrim desc),
      constraint "of both" check (a < b and ')' <> '('), check (a) on conflict ignore,
      constraint k foreign key (a, b) references q (c, d)]]
    assert.same({
      { columns = { "a" }, name = "ua", conflict = "fail" },
      { columns = { "b" } },
      { columns = { "a", "b" }, collate = { nil, "rtrim" }, desc = { nil, true } },
    }, made.uniques)
    assert.same({
      { sql = "a > 0" },
      { sql = "(b)", name = "cb" },
      { sql = "a < b and ')' <> '('", name = "of both" },
      { sql = "a" },
    }, made.checks)
    assert.same({
      { columns = { "a" }, table = "p" },
      { columns = { "a", "b" }, table = "q", to = { "c", "d" }, name = "k" },
    }, made.foreign_keys)
  end)

  it("need no commas between them", function()
    local made = parsed "a,b,check(a>b)check(b)unique(a)foreign key(a)references t constraint x check(1)"
    assert.equal(3, #made.checks)
    assert.equal("x", made.checks[3].name)
    assert.equal(1, #made.uniques)
    assert.equal(1, #made.foreign_keys)
  end)

  it("may be names alone", function()
    local made = parsed "a int constraint x, b constraint y not null, constraint z"
    assert.equal(2, #made.columns)
    assert.same({}, made.checks)
  end)

  it("are one where two are alike", function()
    assert.same({ { columns = { "a" } } }, parsed("a unique unique, unique (A)").uniques)
    assert.equal(2, #parsed("a, b, unique (a, b), unique (b, a)").uniques)
    assert.same({ { columns = { "a", "b" }, desc = { nil, true } } },
      parsed("a, b, unique ((a), ((b)) desc)").uniques)
  end)

  it("of foreign keys say what happens, and when", function()
    local function key(rest)
      local found = parsed("a references p " .. rest).foreign_keys[1]
      found.columns, found.table = nil, nil
      return found
    end
    assert.same({ on_delete = "cascade" }, key "on delete cascade")
    assert.same({ on_update = "set null", on_delete = "set default" },
      key "on update set null on delete set default")
    assert.same({ on_delete = "restrict" }, key "on insert cascade on delete restrict")
    assert.same({}, key "on delete no action on update no action")
    assert.same({ match = "full" }, key "match FULL")
    assert.same({}, key "match simple")
    assert.same({ deferrable = "deferred" }, key "deferrable initially deferred")
    assert.same({ deferrable = "immediate" }, key "deferrable")
    assert.same({ deferrable = "immediate" }, key "deferrable initially immediate")
    assert.same({}, key "not deferrable initially deferred")
    assert.same({ on_delete = "cascade", deferrable = "deferred" },
      key "on delete cascade not null deferrable initially deferred unique")
    assert.same({}, key "not deferrable not null unique")
  end)
end)

describe("a table", function()
  it("has a name and options", function()
    assert.equal("a b", parse.table('CREATE TABLE IF NOT EXISTS main."a b" (a)').name)
    assert.equal("t", parse.table("create temporary table temp.t (a);").name)
    assert.is_true(parse.table("create table t (a primary key) without rowid").without_rowid)
    local made = parse.table("create table t (a int primary key) strict, without rowid")
    assert.is_true(made.strict and made.without_rowid)
  end)

  it("may have comments anywhere", function()
    local made = parse.table [[
      CREATE /* x */ TABLE t -- )
      ( a -- the first, ( or not
        int /* , b int */, -- unique
        c text check (c <> '--' -- no
          or c is null) /* end ) */ ) -- strict]]
    assert.equal(2, #made.columns)
    assert.equal("int", made.columns[1].type)
    assert.equal("c <> '--' or c is null", made.checks[1].sql)
    assert.is_nil(made.strict)
  end)

  it("says what double quotes mean", function()
    local made = parsed [["New" text check ("new" in ("New", "old", 'x') or "rowid" = lower("t"."New")),
      b as ("New" || "b ""c""")]]
    assert.equal([["new" in ("New", 'old', 'x') or "rowid" = lower("t"."New")]], made.checks[1].sql)
    assert.equal([["New" || 'b "c"']], made.columns[2].generated.sql)
  end)

  it("is refused where it is not known", function()
    local err = helper.raises("migration", parse.table, "CREATE TABLE t (a int wat(1) 5)")
    assert.equal("Cannot read CREATE TABLE t (a int wat(1) 5)", err.message)
    assert.equal("expected ) where '5' stands", err.hint)
    for _, sql in ipairs { "CREATE TABLE t", "CREATE TABLE t (a", "CREATE TABLE t (a) foo", "x", "" } do
      helper.raises("migration", parse.table, sql)
    end
  end)
end)

describe("an index", function()
  local made = parse.table [[CREATE TABLE "t" (Title text, b int, "two words")]]

  local function columns(list)
    return parse.index("CREATE INDEX i ON t (" .. list .. ")", made).columns
  end

  it("has columns, spelled as in the table", function()
    assert.same({ { name = "Title" }, { name = "b" }, { name = "two words" } },
      columns "title, [B], 'two words'")
    assert.same({ { name = "b", desc = true }, { name = "Title" } }, columns "((b)) DESC, title ASC")
    assert.same({ { name = "Title", collate = "nocase", desc = true } }, columns "title collate nocase desc")
    assert.same({ { name = "Title", collate = "nocase" } }, columns "(title collate nocase)")
  end)

  it("has expressions", function()
    assert.same({ { sql = "lower(title)", desc = true } }, columns "lower(title) desc")
    assert.same({ { sql = "lower(title)", collate = "x" } }, columns "lower(title) collate x")
    assert.same({ { sql = "a || b collate nocase" } }, columns "a || b collate nocase")
    assert.same({ { sql = "a || b", collate = "nocase" } }, columns "(a || b) collate nocase")
    assert.same({ { sql = "coalesce(b, ',)')" }, { name = "b" } }, columns "coalesce(b, ',)'), b")
    assert.same({ { sql = "1" } }, columns "1")
    assert.same({ { sql = "lower('new')" } }, columns 'lower("new")')
  end)

  it("may be unique and partial", function()
    local index, of = parse.index(
      'CREATE UNIQUE INDEX IF NOT EXISTS main."i j" ON [t] (b) WHERE b > 0 -- x\n AND title <> "old"',
      made
    )
    assert.equal("t", of)
    assert.same({
      name = "i j",
      unique = true,
      columns = { { name = "b" } },
      where = "b > 0 AND title <> 'old'",
    }, index)
  end)
end)
