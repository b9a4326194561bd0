-- What filters, models and their options become in SQL, recorded by the fake driver while it
-- passes it on to SQLite, so that what is written here is also what SQLite takes.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F
local any, all, none = tombstone.any, tombstone.all, tombstone.none
local null = tombstone.null

local NOW = 1763880000

local LIVING = ' FROM "posts" WHERE "deleted_at" IS NULL'
local SUFFIX = "__deleted_1763880000.000000"
local BEGIN, COMMIT, ROLLBACK = { "BEGIN IMMEDIATE" }, { "COMMIT" }, { "ROLLBACK" }

local db, Post

local function models(handle)
  return handle:model("Post", {
    title = f.char { max_length = 100, unique = true },
    content = f.text { null = true },
    views = f.integer { default = 0, index = true },
  }, { table = "posts" })
end

-- What was run, as { sql, value, … }; NULL is null.
local function recorded()
  local list = {}
  for i, statement in ipairs(core.fake.statements(db)) do
    local entry = { statement.sql }
    local _, n = statement.sql:gsub("%?", "")
    for j = 1, n do
      local value = statement.values[j]
      entry[j + 1] = value == nil and null or value
    end
    list[i] = entry
  end
  return list
end

-- Calls `fn`, which must run exactly these statements.
local function runs(fn, ...)
  core.fake.statements(db)
  fn()
  assert.are.same({ ... }, recorded())
end

local function fresh()
  db = database.fake(":memory:", {
    clock = function()
      return NOW
    end,
  })
  Post = models(db)
  db:create_tables()
end

-- The condition of a filter on the living.
local function where(lookups, sql, ...)
  runs(function()
    Post.objects:filter(lookups):count()
  end, { "SELECT count(*)" .. LIVING .. " AND " .. sql, ... })
end

describe("a filter becomes", function()
  setup(fresh)

  it("comparisons", function()
    where({ title = "x" }, '"title" = ?', "x")
    where({ title__ne = "x" }, '"title" <> ?', "x")
    where({ content__ne = "x" }, '"content" IS NOT ?', "x") -- it may be NULL
    where({ views__lt = 1 }, '"views" < ?', 1)
    where({ views__lte = 1 }, '"views" <= ?', 1)
    where({ views__gt = 1 }, '"views" > ?', 1)
    where({ views__gte = 1 }, '"views" >= ?', 1)
    where({ views__range = { 1, 2 } }, '"views" BETWEEN ? AND ?', 1, 2)
  end)

  it("NULL, in the literal words that an index needs", function()
    where({ content = null }, '"content" IS NULL')
    where({ content__ne = null }, '"content" IS NOT NULL')
    where({ content__isnull = true }, '"content" IS NULL')
    where({ content__isnull = false }, '"content" IS NOT NULL')
  end)

  it("lists, a long one as one value", function()
    where({ views = { 1, 2 } }, '"views" IN (?, ?)', 1, 2)
    where({ views__in = { 1 } }, '"views" IN (?)', 1)
    where({ content = { "x", null } }, '("content" IS NULL OR "content" IN (?))', "x")
    where({ views = {} }, "1 = 0")
    local many = {}
    for i = 1, 17 do
      many[i] = "t" .. i .. '"'
    end
    local json = {}
    for i = 1, 17 do
      json[i] = '"t' .. i .. '\\""'
    end
    where(
      { title = many },
      '"title" IN (SELECT value FROM json_each(?))',
      "[" .. table.concat(json, ",") .. "]"
    )
  end)

  it("parts of texts, without wildcards", function()
    where({ title__contains = "a_%" }, 'instr("title", ?) > 0', "a_%")
    where({ title__icontains = "A" }, 'instr(lower("title"), ?) > 0', "a")
    where({ title__endswith = "x" }, 'substr("title", -length(?)) = ?', "x", "x")
    where({ title__iendswith = "X" }, 'substr(lower("title"), -length(?)) = ?', "x", "x")
    where({ title__istartswith = "AB" }, 'substr(lower("title"), 1, length(?)) = ?', "ab", "ab")
    where({ title__iexact = "X" }, 'lower("title") = ?', "x")
    where({ title__contains = "" }, '"title" IS NOT NULL')
    where({ title__like = "a%b_\\%*[" }, '+"title" GLOB ?', "a*b?%[*][[]")
  end)

  it("a prefix, with a range that an index serves", function()
    where(
      { title__startswith = "ab" },
      '("title" >= ? AND "title" < ? AND substr("title", 1, length(?)) = ?)',
      "ab",
      "ac",
      "ab",
      "ab"
    )
    where({ title__startswith = "ä" }, '(substr("title", 1, length(?)) = ?)', "ä", "ä")
  end)

  it("the original of a mangled field", function()
    where({ title__original = "x" }, 'tombstone_original("title", "deleted_at") = ?', "x")
    where({ content__original = "x" }, '"content" = ?', "x")
  end)

  it("complements by IS NOT TRUE, NULLs included", function()
    runs(function()
      Post.objects:exclude({ views = 1 }):count()
    end, { "SELECT count(*)" .. LIVING .. ' AND ("views" = ? IS NOT TRUE)', 1 })
    where(none { { views = 1 }, { title = "x" } }, '(("views" = ? OR "title" = ?) IS NOT TRUE)', 1, "x")
  end)

  it("groups in parentheses, in the order of the names", function()
    where(
      { views = 1, content = "y", title = "x" },
      '("content" = ? AND "title" = ? AND "views" = ?)',
      "y",
      "x",
      1
    )
    where(
      any { { views = 1 }, { title = "x", content = "y" } },
      '("views" = ? OR ("content" = ? AND "title" = ?))',
      1,
      "y",
      "x"
    )
    where(
      all { { views = 1 }, any { { title = "x" }, { title = "y" } } },
      '("views" = ? AND ("title" = ? OR "title" = ?))',
      1,
      "x",
      "y"
    )
    where(any {}, "1 = 0")
    runs(function()
      Post.objects:filter(all {}):filter({}):count()
    end, { "SELECT count(*)" .. LIVING })
  end)

  it("arithmetic over fields", function()
    where({ views__lt = F "id" + 1 }, '"views" < ("id" + ?)', 1)
    where({ title = F "content" }, '"title" = "content"')
    where({ title__ne = F "content" }, '("title" = "content" IS NOT TRUE)')
  end)

  it("nothing that a value could break out of", function()
    local evil = "x'; DROP TABLE posts; --"
    where({ title = evil }, '"title" = ?', evil)
    where({ title__contains = evil }, 'instr("title", ?) > 0', evil)
  end)
end)

describe("models become", function()
  it("tables and indexes, all in one transaction", function()
    db = database.fake(":memory:", { clock = os.time })
    Post = models(db)
    core.fake.statements(db)
    db:create_tables()
    local ddl = {}
    for _, entry in ipairs(recorded()) do
      if not entry[1]:find "^SELECT" then
        ddl[#ddl + 1] = entry[1]
      end
    end
    assert.are.same({
      "BEGIN IMMEDIATE",
      'CREATE TABLE "tombstone_event" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at" datetime '
        .. 'NOT NULL, "model" text NOT NULL, "pk" text, "actor" text, "reason" text, "undone_at" datetime)',
      'CREATE TABLE "posts" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(100) NOT NULL, '
        .. '"content" text, "views" integer NOT NULL, "deleted_at" datetime, "deleted_event" integer)',
      'CREATE INDEX IF NOT EXISTS "posts__living" ON "posts" ("id", "deleted_at") WHERE "deleted_at" IS NULL',
      'CREATE INDEX IF NOT EXISTS "posts__event" ON "posts" ("deleted_event")'
        .. ' WHERE "deleted_event" IS NOT NULL',
      'CREATE UNIQUE INDEX IF NOT EXISTS "posts__title__key" ON "posts" ("title")',
      'CREATE INDEX IF NOT EXISTS "posts__views" ON "posts" ("views") WHERE "deleted_at" IS NULL',
      "COMMIT",
    }, ddl)
  end)

  it("columns of their types, with their constraints", function()
    db = database.fake ":memory:"
    db:model("Thing", {
      a = f.char { max_length = 5, collate = "NOCASE" },
      b = f.text { unique = "live", null = true },
      c = f.integer { check = "c > 0" },
      d = f.number { null = true },
      e = f.boolean(),
      g = f.datetime(),
      h = f.blob(),
      i = f.json(),
    }, {
      timestamps = true,
      version = true,
      soft_delete = { column = "gone_at", event = "gone_by" },
      unique_together = { { "a", "c", unique = "mangle" }, { "c", "e" } },
    })
    db:model(
      "Plain",
      { slug = f.text { primary_key = true }, n = f.integer { unique = true } },
      { soft_delete = false }
    )
    db:create_tables()
    local ddl = {}
    for _, entry in ipairs(recorded()) do
      if entry[1]:find "^CREATE" and not entry[1]:find "tombstone_event" then
        ddl[#ddl + 1] = entry[1]
      end
    end
    assert.are.same({
      'CREATE TABLE "thing" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "a" varchar(5) '
        .. 'NOT NULL COLLATE "NOCASE", "b" text, '
        .. '"c" integer NOT NULL CONSTRAINT "c" CHECK ("gone_at" IS NOT NULL OR (c > 0)), "d" real, '
        .. '"e" boolean NOT NULL, "g" datetime NOT NULL, "h" blob NOT NULL, "i" text NOT NULL, '
        .. '"version" integer NOT NULL, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL, '
        .. '"gone_at" datetime, "gone_by" integer)',
      'CREATE INDEX IF NOT EXISTS "thing__living" ON "thing" ("id", "gone_at") WHERE "gone_at" IS NULL',
      'CREATE INDEX IF NOT EXISTS "thing__event" ON "thing" ("gone_by") WHERE "gone_by" IS NOT NULL',
      'CREATE UNIQUE INDEX IF NOT EXISTS "thing__b__live" ON "thing" ("b") WHERE "gone_at" IS NULL',
      'CREATE UNIQUE INDEX IF NOT EXISTS "thing__a__c__key" ON "thing" ("a", "c")',
      'CREATE UNIQUE INDEX IF NOT EXISTS "thing__c__e__live" ON "thing" ("c", "e") WHERE "gone_at" IS NULL',
      'CREATE TABLE "plain" ("slug" text NOT NULL PRIMARY KEY, "n" integer NOT NULL)',
      'CREATE UNIQUE INDEX IF NOT EXISTS "plain__n__key" ON "plain" ("n")',
    }, ddl)
  end)
end)

describe("options show in", function()
  local Doc, row

  before_each(function()
    db = database.fake(":memory:", {
      clock = function()
        return NOW
      end,
    })
    Doc = db:model("Doc", { a = f.integer { unique = true }, b = f.text { null = true } }, {
      timestamps = true,
      version = true,
      order_by = { "-a" },
      unique_together = { { "a", "b", unique = "mangle" } },
    })
    db:create_tables()
    row = Doc:create { a = 1, b = "x" }
  end)

  it("writes: version and updated_at", function()
    runs(function()
      row:update { a = 2 }
    end, {
      'UPDATE "doc" SET "a" = ?, "updated_at" = ?, "version" = "version" + 1'
        .. ' WHERE "deleted_at" IS NULL AND "id" = ? AND "version" = ?',
      2,
      NOW,
      1,
      1,
    })
    runs(function()
      Doc.objects:filter({ a = 2 }):update { b = "y" }
    end, {
      'UPDATE "doc" SET "b" = ?, "updated_at" = ?, "version" = "version" + 1'
        .. ' WHERE "deleted_at" IS NULL AND "a" = ?',
      "y",
      NOW,
      2,
    })
  end)

  it("deletions: neither, and the last text of a composite", function()
    core.fake.statements(db)
    row:delete()
    assert.are.same({
      'UPDATE "doc" SET "b" = tombstone_mangled("b", ?), "deleted_at" = ?, "deleted_event" = ?'
        .. ' WHERE "deleted_at" IS NULL AND "id" = ?',
      SUFFIX,
      NOW,
      1,
      1,
    }, recorded()[3])
  end)

  it("upserts: the arbiter repeats the predicate of its index", function()
    core.fake.statements(db)
    Doc:upsert({ a = 1, b = "z" }, { on = "a" })
    local sql = recorded()[2][1]
    assert.is_truthy(
      sql:find(
        ' ON CONFLICT ("a") WHERE "deleted_at" IS NULL DO UPDATE SET "b" = ?, "updated_at" = ?, '
          .. '"version" = "doc"."version" + 1 WHERE "doc"."deleted_at" IS NULL RETURNING ',
        1,
        true
      ),
      sql
    )
  end)

  it("reads: the order", function()
    runs(function()
      Doc.objects:all()
    end, {
      'SELECT "id", "a", "b", "version", "created_at", "updated_at" FROM "doc" WHERE "deleted_at" IS NULL'
        .. ' ORDER BY "a" DESC, "id" DESC',
    })
  end)

  it("as_of", function()
    runs(function()
      Doc.all_objects:as_of(1000):count()
    end, {
      'SELECT count(*) FROM "doc" WHERE "created_at" <= ? AND ("deleted_at" IS NULL OR "deleted_at" > ?)',
      1000,
      1000,
    })
  end)
end)

describe("transactions become", function()
  setup(fresh)

  it("BEGIN IMMEDIATE and savepoints", function()
    runs(
      function()
        db:transaction(function()
          db:transaction(function() end)
          pcall(db.transaction, db, function()
            error "no"
          end)
        end)
      end,
      BEGIN,
      { "SAVEPOINT tombstone_1" },
      { "RELEASE tombstone_1" },
      { "SAVEPOINT tombstone_1" },
      { "ROLLBACK TO tombstone_1" },
      { "RELEASE tombstone_1" },
      COMMIT
    )
    runs(function()
      pcall(db.transaction, db, function()
        error "no"
      end)
    end, BEGIN, ROLLBACK)
  end)

  it("nothing, for what is refused before it", function()
    runs(function()
      helper.raises("validation", Post.create, Post, {})
      helper.raises("misuse", Post.objects.delete, Post.objects)
      helper.raises("misuse", Post.objects.filter, Post.objects, { nope = 1 })
      helper.raises("misuse", db.transaction, db)
    end)
  end)
end)
