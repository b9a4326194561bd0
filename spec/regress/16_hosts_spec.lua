-- What a script could do to its host: end the process through a metatable, and share a transaction or
-- limits with a coroutine that had the address of one before it.
local helper = require "helper"
local tombstone = require "tombstone"

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

describe("memory_limit", function()
  it("takes no part of a byte for no limit", function()
    local before = tombstone.memory_limit()
    helper.raises("misuse", tombstone.memory_limit, 0.5)
    assert.equal(before, tombstone.memory_limit())
  end)
end)
