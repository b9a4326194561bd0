-- A row in Lua that shows itself dead, while the row in the database lives, wrote its suffix there.
local helper = require "helper"

describe("save of a row that shows itself dead", function()
  it("is refused after a rollback, and writes no suffix", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "Hello" }
    pcall(db.transaction, db, function()
      post:delete()
      error "taken back"
    end)
    helper.raises("deleted", post.save, post)
    helper.raises("deleted", post.save, post, { "title" })
    assert.equal("Hello", Post.objects:get(post.id).title)
    post:reload():save()
  end)

  it("is refused after somebody else's restore", function()
    local _, Post = helper.blog()
    local post = Post:create { title = "Hello" }
    post:delete()
    Post.deleted_objects:restore { all = true }
    helper.raises("deleted", post.save, post)
    assert.equal("Hello", Post.objects:get(post.id).title)
  end)
end)
