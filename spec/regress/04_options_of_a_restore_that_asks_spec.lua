-- With a conflict function, actor and reason did not reach the deletions of "replace", and options
-- that do not exist were taken in silence.
local helper = require "helper"

local function replace()
  return "replace"
end

describe("restore with a conflict function", function()
  it("writes actor and reason into the event of the row that goes", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "Hello" }
    post:delete()
    local taken = Post:create { title = "Hello" }
    post:restore { on_conflict = replace, actor = "ana", reason = "mine" }
    local event = db:events { actor = "ana" }[1]
    assert.equal("mine", event.reason)
    assert.equal(tostring(taken.id), event.pk)
  end)

  it("knows its options", function()
    local _, Post = helper.blog()
    local post = Post:create { title = "Hello" }
    post:delete()
    helper.raises("misuse", post.restore, post, { on_conflict = replace, acter = "ana" })
    helper.raises("misuse", Post.deleted_objects.restore, Post.deleted_objects, {
      on_conflict = replace,
      all = true,
      acter = "ana",
    })
  end)
end)
