-- bulk_create inside a transaction: no savepoint is made, so that what is refused has to be
-- taken back by the call itself.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f = tombstone.field

local function furnish(db)
  local Post = db:model("Post", { title = f.text { unique = true } }, { table = "posts" })
  local Tag = db:model("Tag", { name = f.text { primary_key = true } })
  db:create_tables()
  return Post, Tag
end

local function titles(Post)
  return table.concat(Post.all_objects:order_by("id"):pluck "title", " ")
end

local LIST = { { title = "a" }, { title = "b" }, { title = "old" }, { title = "c" } }

describe("bulk_create inside a transaction", function()
  it("makes no savepoint", function()
    local log = {}
    local db = tombstone.open(":memory:", {
      log = function(sql)
        log[#log + 1] = sql
      end,
    })
    local Post = furnish(db)
    db:transaction(function()
      Post:bulk_create { { title = "a" }, { title = "b" } }
    end)
    assert.is_nil(table.concat(log, "\n"):find "SAVEPOINT")
  end)

  it("takes its rows back when one is refused, and the transaction goes on", function()
    local db = tombstone.open ":memory:"
    local Post, Tag = furnish(db)
    db:transaction(function()
      Post:create { title = "old" }
      local ok, err = pcall(Post.bulk_create, Post, LIST)
      assert.is_false(ok)
      assert.are.equal("integrity", err.kind)
      assert.are.equal(3, err.index)
      assert.are.equal("old", titles(Post))
      ok, err = pcall(Tag.bulk_create, Tag, { { name = "x" }, { name = "y'" }, { name = "x" } })
      assert.is_false(ok)
      assert.are.equal(3, err.index)
      assert.are.equal(0, Tag.objects:count())
      Post:create { title = "new" }
    end)
    assert.are.equal("old new", titles(Post))
  end)

  it("keeps all or none whichever statement fails, and never a part", function()
    for n = 1, 12 do -- it runs fewer: the last ones find no failure
      local db = database.fake ":memory:"
      local Post = furnish(db)
      Post:create { title = "old" }
      local ok = pcall(db.transaction, db, function()
        Post:create { title = "first" }
        core.fake.fail(db, n, "database")
        pcall(Post.bulk_create, Post, LIST)
        core.fake.fail(db, 0)
      end)
      -- what could not be taken back must not be committed either
      assert.are.equal(ok and "old first" or "old", titles(Post), "statement " .. n)
      assert.are.equal(0, db:depth())
      db:close()
    end
  end)

  it("is taken back when a default function raises", function()
    local db = tombstone.open ":memory:"
    local count = 0
    local Item = db:model("Item", {
      code = f.integer {
        default = function()
          count = count + 1
          return count < 3 and count or error "no more"
        end,
      },
    })
    db:create_tables()
    db:transaction(function()
      local ok, err = pcall(Item.bulk_create, Item, { {}, {}, {} })
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find "no more")
      assert.are.equal(0, Item.objects:count())
    end)
    helper.refuses("misuse", "bulk_create takes a list of tables", Item.bulk_create, Item, { code = 1 })
  end)
end)
