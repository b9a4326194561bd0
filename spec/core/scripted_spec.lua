-- The scripted fake: a handle with models and no database, that replays rows, counts, ids and
-- failures. It ships with the library, for the specs of programs.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f = tombstone.field

local function scripted()
  local db = database.fake(nil, {
    clock = function()
      return 1763880000
    end,
  })
  local Post = db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
    at = f.datetime { null = true },
    done = f.boolean { default = false },
  })
  return db, Post
end

describe("a scripted database", function()
  it("answers no rows and one change, and gives ids, where nothing is said", function()
    local _, Post = scripted()
    assert.are.equal(1, Post:create({ title = "a" }).id)
    assert.are.equal(2, Post:create({ title = "b" }).id)
    assert.are.equal(1, Post.objects:filter({ id = 1 }):update { views = 5 })
    assert.are.equal(0, Post.objects:count())
    assert.is_false(Post.objects:exists())
  end)

  it("replays rows as the database would hand them over", function()
    local db, Post = scripted()
    core.fake.answer(db, {
      columns = 5,
      { 1, "a", 5, "2025-11-23 06:40:00.5", 1 },
      { 2, "b", 6, nil, 0 },
    })
    local rows = Post.objects:all()
    assert.are.same(
      { id = 1, title = "a", views = 5, at = 1763880000.5, done = true },
      setmetatable(rows[1], nil)
    )
    assert.are.same({ id = 2, title = "b", views = 6, done = false }, setmetatable(rows[2], nil))
    core.fake.answer(db, { columns = 1, { 42 } })
    assert.are.equal(42, Post.objects:filter({ views = 1 }):count())
    core.fake.answer(db, { columns = 2, { 1, "x" } })
    assert.are.same({ { column1 = 1, column2 = "x" } }, db:query "SELECT a, b FROM c")
  end)

  it("replays counts and ids", function()
    local db, Post = scripted()
    core.fake.answer(db, { changes = 7 })
    assert.are.equal(7, Post.objects:filter({ views = 1 }):update { views = 2 })
    core.fake.answer(db, { last_id = 99 })
    assert.are.equal(99, Post:create({ title = "a" }).id)
    assert.are.equal(100, Post:create({ title = "b" }).id)
  end)

  it("replays a race: the row that was read is gone when it is saved", function()
    local db, Post = scripted()
    local row = Post:create { title = "a" }
    core.fake.answer(db, { changes = 0 }) -- the UPDATE meets no row …
    core.fake.answer(db, { columns = 7 }) -- … and the look why finds none
    local err = helper.raises("not_found", row.save, row)
    assert.are.equal("Cannot save record - Post 1 is gone", err.message)
  end)

  it("fails where it is told to, with the kind that it is told", function()
    local db, Post = scripted()
    for _, kind in ipairs {
      "integrity",
      "busy",
      "interrupted",
      "connection",
      "commit_unknown",
      "database",
      "misuse",
    } do
      core.fake.fail(db, 1, kind, "on request")
      local err = helper.raises(kind, Post.create, Post, { title = "a" })
      assert.are.equal("on request", err.message)
      Post:create { title = "a" }
    end
    core.fake.fail(db, 1)
    assert.are.equal(
      "a failure on request",
      helper.raises("database", Post.create, Post, { title = "a" }).message
    )
    core.fake.fail(db, 1, "busy")
    core.fake.fail(db, 0)
    Post:create { title = "a" }
    helper.raises("misuse", core.fake.fail, db, 1, "nonsense")
  end)

  it("fails where the script says so, whatever the statement answers", function()
    local db, Post = scripted()
    core.fake.answer(db, { columns = 5, { 1, "a", 5, nil, 1 } })
    core.fake.answer(db, { fails = "busy", message = "deadlock detected" })
    local row = Post.objects:get(1)
    local err = helper.raises("busy", row.save, row)
    assert.are.equal("deadlock detected", err.message)
    core.fake.answer(db, { fails = "interrupted" })
    helper.raises("interrupted", Post.objects.all, Post.objects)
    core.fake.statements(db)
    row:save()
    assert.are.equal(1, #core.fake.statements(db))
    helper.raises("misuse", core.fake.answer, db, { fails = "nonsense" })
  end)

  it("tells the types of values, which Lua has not", function()
    local db, Post = scripted()
    Post:create { title = "a", at = 5 }
    local statement = core.fake.statements(db)[1]
    assert.are.same({ "text", "integer", "time", "boolean", "null", "null" }, statement.types)
  end)

  it("raises where it was told of too few columns", function()
    local db, Post = scripted()
    core.fake.answer(db, { columns = 1, { 5 } })
    helper.raises("database", Post.objects.all, Post.objects)
    helper.raises("misuse", core.fake.statements, {})
    assert.are.equal(0, db:depth())
  end)

  it("says what it is", function()
    local db = scripted()
    assert.are.equal("fake", db:info().driver)
    assert.are.equal("scripted", db:info().version)
    helper.raises("misuse", db.backup, db, "x.db")
    db:close()
    helper.raises("misuse", core.fake.statements, db)
  end)

  it("forgets what was run when it is asked", function()
    local db, Post = scripted()
    Post:create { title = "a" }
    assert.are.equal(1, #core.fake.statements(db))
    assert.are.same({}, core.fake.statements(db))
  end)
end)
