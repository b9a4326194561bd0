-- What the engine would say to PostgreSQL where that is not what it says to SQLite: the locks of law 7,
-- lists, types. That it holds there is shown in spec/interop/postgres_law7_spec.lua.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f = tombstone.field

local function open()
  local db = database.fake(nil, { clock = helper.clock().tell }, "postgres")
  local s = { db = db }
  s.Parent = db:model("Parent", { name = f.text { unique = "mangle" } })
  s.Child = db:model("Child", {
    title = f.text { unique = "live" },
    parent = f.belongs_to("Parent", { on_delete = "restrict" }),
  })
  return s
end

-- The statements of a call, words of transactions left out.
local function said(s, answers, call)
  local texts = {}
  for _, answer in ipairs(answers) do
    core.fake.answer(s.db, answer)
  end
  call()
  for _, statement in ipairs(core.fake.statements(s.db)) do
    local word = statement.sql:match "^%u+"
    if word ~= "BEGIN" and word ~= "COMMIT" and word ~= "SAVEPOINT" and word ~= "RELEASE" then
      texts[#texts + 1] = statement.sql
    end
  end
  return texts
end

local function refuses(...)
  return pcall(core.fake.open, ...)
end

describe("in PostgreSQL's words", function()
  it("a create locks the parent, which no deletion goes past", function()
    local s = open()
    local texts = said(s, {}, function()
      s.Child:create { title = "a", parent_id = 7 }
    end)
    assert.are.same({
      [[INSERT INTO "child" ("title", "parent_id", "deleted_at", "deleted_event") SELECT $1, $2, $3, $4 ]]
        .. [[WHERE EXISTS (SELECT 1 FROM "parent" WHERE "id" = $5 AND "deleted_at" IS NULL FOR SHARE)]],
    }, texts)
  end)

  it("a move locks the next parent", function()
    local s = open()
    local texts = said(s, { { columns = 3, { 1, "a", 7 } } }, function()
      s.Child.objects:get(1):update { parent_id = 8 }
    end)
    assert.equal(
      [[UPDATE "child" SET "parent_id" = $1 WHERE "deleted_at" IS NULL AND "id" = $2 AND ]]
        .. [[("child"."parent_id" = $3 OR EXISTS ]]
        .. [[(SELECT 1 FROM "parent" WHERE "id" = $4 AND "deleted_at" IS NULL FOR SHARE))]],
      texts[2]
    )
  end)

  it("an upsert keeps the living row that it may update", function()
    local s = open()
    local row = { columns = 5, { 1, "a", 7 } }
    local texts = said(s, { row }, function()
      s.Child:upsert({ title = "a", parent_id = 7 }, { on = "title" })
    end)
    assert.is_truthy(texts[1]:find([[w."deleted_at" IS NULL FOR NO KEY UPDATE))]], 1, true))
  end)

  it("an event asks for its id each time", function()
    local s = open()
    local id = { columns = 1, { 5 } }
    local none = { columns = 2, { 0 } }
    local texts = said(s, { id, {}, none, {}, id, {}, none, {} }, function()
      s.db:transaction(function()
        s.Parent.objects:filter({ id = 1 }):delete()
        s.Parent.objects:filter({ id = 2 }):delete()
      end)
    end)
    assert.equal("SELECT nextval(pg_get_serial_sequence('tombstone_event', 'id'))", texts[1])
    assert.equal(texts[1], texts[5])
    assert.equal(
      [[UPDATE "parent" SET "name" = tombstone_mangled("name", $1), "deleted_at" = $2, "deleted_event" = $3 ]]
        .. [[WHERE "deleted_at" IS NULL AND "id" = $4]],
      texts[2]
    )
  end)

  it("a long list is an array of its type", function()
    local s = open()
    local ids, names = {}, {}
    for i = 1, 200 do
      ids[i], names[i] = i, "n" .. i
    end
    local texts = said(s, { { columns = 1, { 0 } }, { columns = 1, { 0 } } }, function()
      s.Parent.objects:filter({ id = ids }):count()
      s.Parent.objects:filter({ name = names }):count()
    end)
    local list = " IN (SELECT CAST(value AS %s) FROM jsonb_array_elements_text(CAST($1 AS jsonb))"
    assert.is_truthy(texts[1]:find(list:format "bigint", 1, true), texts[1])
    assert.is_truthy(texts[2]:find(list:format "text", 1, true), texts[2])
  end)

  it("is spoken by a script only", function()
    assert.is_false(refuses("x.db", nil, "postgres"))
    assert.is_false(refuses(nil, nil, "oracle"))
  end)
end)
