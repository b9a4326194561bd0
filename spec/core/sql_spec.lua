-- The exact statements and values that each verb runs, in both strategies: on a database that
-- records them and answers from a script.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F

local NOTHING = {}
local ONE = { columns = 1, { 1 } }
local LIVING = { columns = 3, { 1, "a", 3 } }
local WHOLE = { columns = 5, { 1, "a", 3 } }
local DEAD = { columns = 5, { 1, "a__deleted_1763880000.000000", 3, "2025-11-23 06:40:00", 1 } }

-- A whole chunk of each, so that it asks for the next one.
local CHUNK = { columns = 3 }
for i = 1, 256 do
  CHUNK[i] = { i, "post " .. i, 3 }
end

local function show(value)
  if type(value) == "string" then
    return "'" .. value .. "'"
  end
  -- Whole floats look the same on every Lua.
  return type(value) == "number" and ("%.0f"):format(value) or tostring(value)
end

-- Holes are NULL.
local function show_all(values, n)
  local shown = {}
  for i = 1, n do
    shown[i] = values[i] == nil and "NULL" or show(values[i])
  end
  return "{" .. table.concat(shown, ", ") .. "}"
end

-- What ran, one statement after the other, its values in braces behind it.
local function statements(db)
  local lines = {}
  for i, statement in ipairs(core.fake.statements(db)) do
    local _, n = statement.sql:gsub("?", "")
    lines[i] = statement.sql .. (n > 0 and " " .. show_all(statement.values, n) or "")
  end
  return table.concat(lines, "\n")
end

local function blog(strategy)
  local db = database.fake(nil, {
    clock = function()
      return 1763880000
    end,
  })
  local Post = db:model("Post", {
    title = f.char { max_length = 100, unique = strategy },
    views = f.integer { default = 0 },
  }, { table = "posts" })
  return db, Post
end

local function queue(db, answers)
  for _, answer in ipairs(answers) do
    core.fake.answer(db, answer)
  end
end

-- A row as `answer` has it, to work on; `answers` are for what is done with it.
local function row_of(db, Post, answer, answers)
  core.fake.answer(db, answer)
  local row = Post.all_objects:get(1)
  core.fake.statements(db)
  queue(db, answers)
  return row
end

-- { name, what it does, what the database answers to each statement but those of transactions,
-- the statements with mangled values, those with live ones where they differ }
local CASES = {
  {
    "create",
    function(_, Post)
      Post:create { title = "a" }
    end,
    {},
    [[
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) {'a',
      0, NULL, NULL}]],
  },
  {
    "save",
    row = WHOLE,
    function(row)
      row:save()
    end,
    {},
    [[
    UPDATE "posts" SET "title" = ?, "views" = ? WHERE "deleted_at" IS NULL AND "id" = ? {'a', 3, 1}]],
  },
  {
    "save of one field",
    row = WHOLE,
    function(row)
      row:save { "views" }
    end,
    {},
    [[
    UPDATE "posts" SET "views" = ? WHERE "deleted_at" IS NULL AND "id" = ? {3, 1}]],
  },
  {
    "update",
    row = WHOLE,
    function(row)
      row:update { views = 7 }
    end,
    {},
    [[
    UPDATE "posts" SET "views" = ? WHERE "deleted_at" IS NULL AND "id" = ? {7, 1}]],
  },
  {
    "update by arithmetic",
    row = WHOLE,
    function(row)
      row:update { views = F "views" + 1 }
    end,
    { WHOLE },
    [[
    BEGIN IMMEDIATE
    UPDATE "posts" SET "views" = tombstone_integer(("views" + ?)) WHERE "deleted_at" IS NULL AND
      "id" = ? RETURNING "id", "title", "views", "deleted_at", "deleted_event" {1, 1}
    COMMIT]],
  },
  {
    "update of a query",
    function(_, Post)
      Post.objects:filter({ views__gt = 3 }):update { title = "x", views = F "views" * 2 }
    end,
    {},
    [[
    UPDATE "posts" SET "title" = ?, "views" = tombstone_integer(("views" * ?)) WHERE "deleted_at" IS
      NULL AND "views" > ? {'x', 2, 3}]],
  },
  {
    "update of a query's first",
    function(_, Post)
      Post.objects:order_by("-views"):limit(2):update { views = 0 }
    end,
    {},
    [[
    UPDATE "posts" SET "views" = ? WHERE "deleted_at" IS NULL AND "id" IN (SELECT "id" FROM "posts"
      WHERE "deleted_at" IS NULL ORDER BY "views" DESC, "id" DESC LIMIT ?) {0, 2}]],
  },
  {
    "delete of a row",
    row = WHOLE,
    function(row)
      row:delete { actor = "ana" }
    end,
    { ONE, NOTHING, NOTHING, DEAD },
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "id" = ? {'__deleted_1763880000.000000', 1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', '1', 'ana', NULL, NULL}
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE "id" = ? ORDER
      BY "id" {1}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "id" = ?
      {1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', '1', 'ana', NULL, NULL}
    COMMIT]],
  },
  {
    "delete of a query",
    function(_, Post)
      Post.objects:filter({ views = 1 }):delete { reason = "r" }
    end,
    { ONE },
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "views" = ? {'__deleted_1763880000.000000', 1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, NULL, 'r', NULL}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "views"
      = ? {1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, NULL, 'r', NULL}
    COMMIT]],
  },
  {
    "delete of a query's first",
    function(_, Post)
      Post.objects:order_by("-views"):limit(2):delete()
    end,
    { ONE },
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "id" IN (SELECT "id" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY
      "views" DESC, "id" DESC LIMIT ?) {'__deleted_1763880000.000000', 1763880000, 1, 2}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, NULL, NULL, NULL}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "id" IN
      (SELECT "id" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "views" DESC, "id" DESC LIMIT ?)
      {1763880000, 1, 2}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, NULL, NULL, NULL}
    COMMIT]],
  },
  {
    "restore of a row",
    row = DEAD,
    function(row)
      row:restore()
    end,
    { NOTHING, WHOLE },
    [[
    BEGIN IMMEDIATE
    UPDATE "posts" SET "title" = tombstone_original("title", "deleted_at"), "deleted_at" = NULL,
      "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL AND "id" = ? {1}
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE "id" = ? ORDER
      BY "id" {1}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    UPDATE "posts" SET "deleted_at" = NULL, "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL
      AND "id" = ? {1}
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE "id" = ? ORDER
      BY "id" {1}
    COMMIT]],
  },
  {
    "restore of a query",
    function(_, Post)
      Post.deleted_objects:filter({ views = 1 }):restore()
    end,
    {},
    [[
    UPDATE "posts" SET "title" = tombstone_original("title", "deleted_at"), "deleted_at" = NULL,
      "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL AND "views" = ? {1}]],
    [[
    UPDATE "posts" SET "deleted_at" = NULL, "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL
      AND "views" = ? {1}]],
  },
  {
    "undo",
    function(db)
      db:undo(1)
    end,
    {},
    [[
    BEGIN IMMEDIATE
    UPDATE "tombstone_event" SET "undone_at" = ? WHERE "id" = ? {1763880000, 1}
    UPDATE "posts" SET "title" = tombstone_original("title", "deleted_at"), "deleted_at" = NULL,
      "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL AND "posts"."deleted_event" = ? {1}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    UPDATE "tombstone_event" SET "undone_at" = ? WHERE "id" = ? {1763880000, 1}
    UPDATE "posts" SET "deleted_at" = NULL, "deleted_event" = NULL WHERE "deleted_at" IS NOT NULL
      AND "posts"."deleted_event" = ? {1}
    COMMIT]],
  },
  {
    "purge of a dead row",
    row = DEAD,
    function(row)
      row:purge()
    end,
    { ONE },
    [[
    BEGIN IMMEDIATE
    SELECT "id" FROM "posts" WHERE "id" = ? ORDER BY "id" {1}
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "id" IN (SELECT value FROM json_each(?))
      {'__deleted_1763880000.000000', 1763880000, 1, '[1]'}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', '1', NULL, NULL, NULL}
    DELETE FROM "posts" WHERE "deleted_at" IS NOT NULL AND "id" IN (SELECT value FROM json_each(?))
      {'[1]'}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT "id" FROM "posts" WHERE "id" = ? ORDER BY "id" {1}
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "id" IN
      (SELECT value FROM json_each(?)) {1763880000, 1, '[1]'}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', '1', NULL, NULL, NULL}
    DELETE FROM "posts" WHERE "deleted_at" IS NOT NULL AND "id" IN (SELECT value FROM json_each(?))
      {'[1]'}
    COMMIT]],
  },
  {
    "purge of a query of the dead",
    function(_, Post)
      Post.deleted_objects:filter({ views = 1 }):purge()
    end,
    {},
    [[
    DELETE FROM "posts" WHERE "deleted_at" IS NOT NULL AND "views" = ? {1}]],
  },
  {
    "upsert",
    function(_, Post)
      Post:upsert({ title = "a", views = 3 }, { on = "title" })
    end,
    { WHOLE },
    [[
    BEGIN IMMEDIATE
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) ON
      CONFLICT ("title") DO UPDATE SET "views" = ? WHERE "posts"."deleted_at" IS NULL RETURNING
      "id", "title", "views", "deleted_at", "deleted_event" {'a', 3, NULL, NULL, 3}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) ON
      CONFLICT ("title") WHERE "deleted_at" IS NULL DO UPDATE SET "views" = ? WHERE
      "posts"."deleted_at" IS NULL RETURNING "id", "title", "views", "deleted_at", "deleted_event"
      {'a', 3, NULL, NULL, 3}
    COMMIT]],
  },
  {
    "upsert that may restore",
    function(_, Post)
      Post:upsert({ title = "a", views = 3 }, { on = "title", on_deleted = "restore" })
    end,
    { NOTHING, NOTHING, WHOLE },
    [[
    BEGIN IMMEDIATE
    SELECT 1 FROM "posts" WHERE "deleted_at" IS NULL AND "title" = ? LIMIT ? {'a', 1}
    SELECT "id" FROM "posts" WHERE "deleted_at" IS NOT NULL AND tombstone_original("title",
      "deleted_at") = ? ORDER BY "deleted_at" DESC, "id" DESC LIMIT ? {'a', 1}
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) ON
      CONFLICT ("title") DO UPDATE SET "views" = ? WHERE "posts"."deleted_at" IS NULL RETURNING
      "id", "title", "views", "deleted_at", "deleted_event" {'a', 3, NULL, NULL, 3}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT 1 FROM "posts" WHERE "deleted_at" IS NULL AND "title" = ? LIMIT ? {'a', 1}
    SELECT "id" FROM "posts" WHERE "deleted_at" IS NOT NULL AND "title" = ? ORDER BY "deleted_at"
      DESC, "id" DESC LIMIT ? {'a', 1}
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) ON
      CONFLICT ("title") WHERE "deleted_at" IS NULL DO UPDATE SET "views" = ? WHERE
      "posts"."deleted_at" IS NULL RETURNING "id", "title", "views", "deleted_at", "deleted_event"
      {'a', 3, NULL, NULL, 3}
    COMMIT]],
  },
  {
    "get_or_create that finds",
    function(_, Post)
      Post:get_or_create({ title = "a" }, { views = 3 })
    end,
    { LIVING },
    [[
    BEGIN IMMEDIATE
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "title" = ? ORDER BY
      "id" LIMIT ? {'a', 2}
    COMMIT]],
  },
  {
    "get_or_create that creates",
    function(_, Post)
      Post:get_or_create({ title = "a" }, { views = 3 })
    end,
    { { columns = 3 } },
    [[
    BEGIN IMMEDIATE
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "title" = ? ORDER BY
      "id" LIMIT ? {'a', 2}
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) {'a',
      3, NULL, NULL}
    COMMIT]],
  },
  {
    "all",
    function(_, Post)
      local some = Post.objects:filter("title__startswith", "a"):filter("views", { 1, 2 })
      some:order_by("-views"):limit(5):offset(2):all()
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND ("title" >= ? AND
      "title" < ? AND substr("title", 1, length(?)) = ?) AND "views" IN (?, ?) ORDER BY "views"
      DESC, "id" DESC LIMIT ? OFFSET ? {'a', 'b', 'a', 'a', 1, 2, 5, 2}]],
  },
  {
    "all, dead or alive",
    function(_, Post)
      Post.all_objects:exclude({ views = tombstone.null }):all()
    end,
    { WHOLE },
    [[
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE ("views" IS NULL
      IS NOT TRUE) ORDER BY "id"]],
  },
  {
    "first",
    function(_, Post)
      Post.objects:first()
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "id" LIMIT ? {1}]],
  },
  {
    "last",
    function(_, Post)
      Post.objects:order_by("views"):last()
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "views" DESC,
      "id" DESC LIMIT ? {1}]],
  },
  {
    "get by key",
    function(_, Post)
      Post.objects:get(1)
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "id" = ? ORDER BY "id"
      {1}]],
  },
  {
    "get by a filter",
    function(_, Post)
      Post.objects:get { title = "a" }
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "title" = ? ORDER BY
      "id" LIMIT ? {'a', 2}]],
  },
  {
    "find by the original",
    function(_, Post)
      Post.deleted_objects:find { title__original = "a" }
    end,
    { DEAD },
    [[
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE "deleted_at" IS
      NOT NULL AND tombstone_original("title", "deleted_at") = ? ORDER BY "id" LIMIT ? {'a', 2}]],
    [[
    SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts" WHERE "deleted_at" IS
      NOT NULL AND "title" = ? ORDER BY "id" LIMIT ? {'a', 2}]],
  },
  {
    "count",
    function(_, Post)
      Post.objects:count()
    end,
    { ONE },
    [[
    SELECT count(*) FROM "posts" WHERE "deleted_at" IS NULL]],
  },
  {
    "count of a query's first",
    function(_, Post)
      Post.deleted_objects:limit(3):count()
    end,
    { ONE },
    [[
    SELECT count(*) FROM (SELECT "id", "title", "views", "deleted_at", "deleted_event" FROM "posts"
      WHERE "deleted_at" IS NOT NULL ORDER BY "id" LIMIT ?) AS slice {3}]],
  },
  {
    "exists",
    function(_, Post)
      Post.objects:filter({ title__in = { "a", "b" } }):exists()
    end,
    { ONE },
    [[
    SELECT 1 FROM "posts" WHERE "deleted_at" IS NULL AND "title" IN (?, ?) LIMIT ? {'a', 'b', 1}]],
  },
  {
    "pluck",
    function(_, Post)
      Post.objects:pluck "title"
    end,
    { { columns = 1, { "a" } } },
    [[
    SELECT "title" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "id"]],
  },
  {
    "values",
    function(_, Post)
      Post.objects:distinct():values("title", "views")
    end,
    { { columns = 2, { "a", 1 } } },
    [[
    SELECT DISTINCT "title", "views" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "title",
      "views"]],
  },
  {
    "aggregate",
    function(_, Post)
      Post.objects:aggregate { top = tombstone.max "views" }
    end,
    { { columns = 1, { 7 } } },
    [[
    SELECT max("views") FROM "posts" WHERE "deleted_at" IS NULL]],
  },
  {
    "aggregate of groups",
    function(_, Post)
      Post.objects:group_by("views"):aggregate { n = tombstone.count "*" }
    end,
    { { columns = 2, { 5, 7 } } },
    [[
    SELECT "views", count(*) FROM "posts" WHERE "deleted_at" IS NULL GROUP BY "views" ORDER BY
      "views"]],
  },
  {
    "each, chunk by chunk",
    function(_, Post)
      for _ in Post.objects:each() do -- luacheck: ignore
      end
    end,
    { CHUNK, { columns = 1, { 300 } }, LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "id" LIMIT ?
      {256}
    SELECT "id" FROM "posts" ORDER BY "id" DESC LIMIT ? {1}
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "id" > ? AND "id" <= ?
      ORDER BY "id" LIMIT ? {256, 300, 256}]],
  },
  {
    "each in another order",
    function(_, Post)
      for _ in Post.objects:order_by("-views"):each() do -- luacheck: ignore
      end
    end,
    { { columns = 1, { 1 }, { 2 } }, LIVING },
    [[
    SELECT "id" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "views" DESC, "id" DESC
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL AND "id" IN (SELECT value
      FROM json_each(?)) ORDER BY "views" DESC, "id" DESC {'[1,2]'}]],
  },
  {
    "each of a snapshot",
    function(_, Post)
      for _ in Post.objects:each { snapshot = true } do -- luacheck: ignore
      end
    end,
    { LIVING },
    [[
    SELECT "id", "title", "views" FROM "posts" WHERE "deleted_at" IS NULL ORDER BY "id"]],
  },
  {
    "bulk_create",
    function(_, Post)
      Post:bulk_create { { title = "a" }, { title = "b", views = 2 } }
    end,
    {},
    [[
    BEGIN IMMEDIATE
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) {'a',
      0, NULL, NULL}
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) {'b',
      2, NULL, NULL}
    COMMIT]],
  },
  {
    "transactions, nested",
    function(db, Post)
      db:transaction(function()
        db:transaction(function()
          Post:create { title = "a" }
        end)
        pcall(db.transaction, db, error)
      end)
    end,
    {},
    [[
    BEGIN IMMEDIATE
    SAVEPOINT tombstone_1
    INSERT INTO "posts" ("title", "views", "deleted_at", "deleted_event") VALUES (?, ?, ?, ?) {'a',
      0, NULL, NULL}
    RELEASE tombstone_1
    SAVEPOINT tombstone_1
    ROLLBACK TO tombstone_1
    RELEASE tombstone_1
    COMMIT]],
  },
  {
    "deletion",
    function(db, Post)
      db:deletion({ actor = "ana" }, function()
        Post.objects:filter({ id = 1 }):delete()
        Post.objects:filter({ id = 2 }):delete()
      end)
    end,
    { ONE, NOTHING, NOTHING, NOTHING, { columns = 7, { 1, "2025-11-23 06:40:00", "Post", nil, "ana" } } },
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "id" = ? {'__deleted_1763880000.000000', 1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, 'ana', NULL, NULL}
    UPDATE "posts" SET "title" = tombstone_mangled("title", ?), "deleted_at" = ?, "deleted_event" = ? WHERE
      "deleted_at" IS NULL AND "id" = ? {'__deleted_1763880000.000001', 1763880000, 1, 2}
    SELECT "id", "at", "model", "pk", "actor", "reason", "undone_at" FROM "tombstone_event" WHERE
      "id" = ? ORDER BY "id" {1}
    COMMIT]],
    [[
    BEGIN IMMEDIATE
    SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), coalesce((SELECT seq FROM
      sqlite_sequence WHERE name = 'tombstone_event'), 0))
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "id" = ?
      {1763880000, 1, 1}
    INSERT INTO "tombstone_event" ("id", "at", "model", "pk", "actor", "reason", "undone_at") VALUES
      (?, ?, ?, ?, ?, ?, ?) {1, 1763880000, 'Post', NULL, 'ana', NULL, NULL}
    UPDATE "posts" SET "deleted_at" = ?, "deleted_event" = ? WHERE "deleted_at" IS NULL AND "id" = ?
      {1763880000, 1, 2}
    SELECT "id", "at", "model", "pk", "actor", "reason", "undone_at" FROM "tombstone_event" WHERE
      "id" = ? ORDER BY "id" {1}
    COMMIT]],
  },
}

describe("the statements of", function()
  for _, case in ipairs(CASES) do
    local name, call, answers, mangled, live = helper.unpack(case)
    for _, strategy in ipairs { "mangle", "live" } do
      it(name .. ", unique by " .. strategy, function()
        local db, Post = blog(strategy)
        if case.row then
          call(row_of(db, Post, case.row, answers))
        else
          queue(db, answers)
          call(db, Post)
        end
        local expected = strategy == "live" and live or mangled
        assert.are.equal((expected:gsub("%s+", " "):gsub("^ ", "")), (statements(db):gsub("%s+", " ")))
        assert.are.equal(0, db:depth())
      end)
    end
  end
end)
