-- While a function was asked what to do about a conflict, another coroutine could work on the
-- handle: within the transaction of the restore, which took its writes back where it failed.
local helper = require "helper"

local function conflict()
  local db, Post = helper.blog()
  local post = Post:create { title = "Hello" }
  post:delete()
  Post:create { title = "Hello" }
  return db, Post, post
end

-- What another coroutine is told.
local function from_another(fn, ...)
  return coroutine.wrap(function(...)
    local _, err = pcall(fn, ...)
    return err
  end)(...)
end

describe("a restore that asks", function()
  for _, what in ipairs { "query", "row" } do
    it("keeps other coroutines out of its transaction, of a " .. what, function()
      local db, Post, post = conflict()
      local target = what == "row" and post or Post.deleted_objects:filter { id = post.id }
      local refused
      local function decide()
        refused = from_another(Post.create, Post, { title = "Other" })
        Post:create { title = "Mine" }
        error("changed my mind", 0)
      end
      local _, err = pcall(target.restore, target, { on_conflict = decide })
      assert.equal("changed my mind", err)
      assert.equal("misuse", refused.kind)
      assert.equal("Another coroutine is in a transaction on this handle", refused.message)
      assert.equal(1, Post.objects:count())
      assert.equal(0, db:depth())

      target:restore { on_conflict = function() return "rename" end }
      assert.is_nil(from_another(Post.create, Post, { title = "Other" }).kind)
      assert.equal(3, Post.objects:count())
    end)
  end
end)
