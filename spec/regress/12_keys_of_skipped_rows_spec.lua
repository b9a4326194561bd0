-- A function that skipped a row kept the rows of other models dead that have the same key.
local tombstone = require "tombstone"
local f = tombstone.field

describe("a row that a function skips", function()
  local db, Post, Comment

  before_each(function()
    db = tombstone.open ":memory:"
    Post = db:model("Post", { title = f.text { unique = true } })
    Comment = db:model("Comment", {
      text = f.text(),
      post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
    })
    db:create_tables()
  end)

  after_each(function()
    db:close()
  end)

  it("says nothing of another model's row with its key", function()
    Post:create { title = "one" }
    local two = Post:create { title = "two" }
    local comment = Comment:create { text = "of two", post = two }
    assert.are.equal(1, comment.id) -- as the key of the post that is skipped
    Post.objects:delete { all = true }
    Post:create { title = "one" }
    local count = Post.deleted_objects:restore {
      all = true,
      on_conflict = function()
        return "skip"
      end,
    }
    assert.are.equal(1, count)
    assert.is_false(two:reload():is_deleted())
    assert.is_false(comment:reload():is_deleted())
  end)
end)
