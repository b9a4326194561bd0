-- What came of reading the relations again.
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

describe("rows that need each other", function()
  it("come back by the strategy for all, whatever that of another model is", function()
    local db = tombstone.open ":memory:"
    local A = db:model("A", {
      name = f.text { unique = "live" },
      b = f.belongs_to("B", { on_delete = "cascade", related_name = "as", null = true }),
    })
    local B = db:model("B", {
      name = f.text { null = true },
      a = f.belongs_to("A", { on_delete = "cascade", related_name = "bs", null = true }),
    })
    db:model("Post", { title = f.text() })
    db:create_tables()
    local a, b = A:create { name = "taken" }, B:create {}
    a:update { b = b }
    b:update { a = a }
    local event = a:delete()
    A:create { name = "taken" }
    assert.equal(2, event:undo { on_conflict = { default = "rename", Post = "skip" } })
    a:reload()
    assert.equal("taken (restored)", a.name)
    db:close()
  end)
end)

describe("a restore within a deletion", function()
  it("speaks of itself when it names another actor", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "Hello" }
    post:delete()
    helper.refuses(
      "misuse",
      "Cannot restore records - the actor is 'ben', and the open deletion has the actor 'ana'",
      db.deletion,
      db,
      { actor = "ana" },
      function()
        post:restore { actor = "ben", on_conflict = "replace" }
      end
    )
    db:close()
  end)
end)

describe("a dialect without a word for something", function()
  it("refuses it", function()
    local db = database.fake(nil, {}, "postgres")
    local Post = db:model("Post", { title = f.text() })
    assert.has_error(function()
      Post.objects:filter({ title__contains = "x" }):sql()
    end)
    db:close()
  end)

  it("may be answered by more than a table", function()
    local db = database.fake()
    core.fake.answer(db, { columns = 1, { 1 } }, "x")
    assert.equal(1, #db:query "SELECT 1")
    db:close()
  end)
end)
