-- What a script could do to its host: end the process through a metatable, and share a transaction or
-- limits with a coroutine that had the address of one before it.
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

describe("what a script holds", function()
  it("has no metatable whose functions it could call on anything", function()
    local db, Post = helper.blog()
    Post:create({ title = "a" }):delete()
    local held = {
      db = db,
      query = Post.objects,
      limited = Post.objects:within { timeout_ms = 60000 },
      stream = Post.objects:each(),
      cursor = db:each "SELECT 1",
      span = db:span_begin {},
      job = Post.deleted_objects:restore_job(),
    }
    for _, value in next, Post do
      held.model = type(value) == "userdata" and value or held.model
    end
    local n = 0
    for name, value in pairs(held) do
      n = n + 1
      assert.equal("userdata", type(value), name)
      assert.is_false(getmetatable(value), name)
    end
    assert.equal(8, n)
    db:close()
  end)
end)

describe("a coroutine that was left", function()
  -- Leaves one behind and answers the address that it had.
  local function leave(fn)
    local co = coroutine.create(fn)
    if not coroutine.resume(co) or coroutine.status(co) ~= "suspended" then
      return nil -- Lua 5.1 cannot yield there
    end
    return tostring(co)
  end

  local function collect()
    collectgarbage()
    collectgarbage()
  end

  it("in a transaction leaves it to no other, which would never be committed", function()
    local db, Post = helper.blog()
    local left = leave(function()
      db:transaction(function()
        Post:create { title = "left" }
        coroutine.yield()
      end)
    end)
    if not left then
      return
    end
    collect()
    for _ = 1, 50 do
      local co = coroutine.create(function()
        return Post:create { title = "mine" }
      end)
      assert.are_not.equal(left, tostring(co))
      local ok, err = coroutine.resume(co)
      assert.is_false(ok)
      assert.equal("Another coroutine is in a transaction on this handle", err.message)
    end
    db:close()
  end)
end)

describe("a handle whose raw SQL its host has taken off", function()
  local methods, taken = require("tombstone.core").methods.db, {}

  setup(function()
    for _, name in ipairs { "exec", "query", "each", "backup" } do
      taken[name], methods[name] = methods[name], nil
    end
  end)

  teardown(function()
    for name, method in pairs(taken) do
      methods[name] = method
    end
  end)

  it("has all that models need", function()
    local db = tombstone.open ":memory:"
    local Author = db:model("Author", { name = f.text { unique = true } }, { soft_delete = { keep = "1d" } })
    local Post = db:model("Post", {
      title = f.text { unique = true },
      author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    })
    db:create_tables()
    local ana = Author:create { name = "Ana" }
    Post:bulk_create { { title = "a", author = ana }, { title = "b", author = ana } }
    local event = ana:delete()
    assert.equal(3, event:undo())
    for post in ana:posts():each() do
      post:save()
    end
    ana:delete()
    Author:create { name = "Ana" }
    ana:restore { on_conflict = function() return "rename" end }
    db:transaction(function() ana:update { name = "Eve" } end)
    local eve = Author.objects:filter { name = "Eve" }
    assert.equal(1, db:within({ timeout_ms = 60000 }, eve.count, eve))
    assert.equal(0, db:purge_expired().Author)
    ana:forget()
    assert.equal(0, Post.all_objects:count())
    assert.is_nil(db.exec)
    db:close()
  end)
end)

describe("memory_limit", function()
  it("takes no part of a byte for no limit", function()
    local before = tombstone.memory_limit()
    helper.raises("misuse", tombstone.memory_limit, 0.5)
    assert.equal(before, tombstone.memory_limit())
  end)
end)
