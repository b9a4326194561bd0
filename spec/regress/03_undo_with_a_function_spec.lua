-- An undo whose conflict function skipped a row tried that row once more, and was refused.
local helper = require "helper"

describe("undo with a conflict function", function()
  it("leaves the row dead that the function skips", function()
    local _, Post = helper.blog()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    local _, event = Post.objects:delete { all = true }
    Post:create { title = "a" }
    local asked = 0
    local count = event:undo {
      on_conflict = function()
        asked = asked + 1
        return "skip"
      end,
    }
    assert.equal(1, count)
    assert.equal(1, asked)
    assert.is_truthy(event.undone_at)
    assert.equal(event.undone_at, event:reload().undone_at)
    assert.equal(1, Post.deleted_objects:count())
  end)

  it("knows an event that is gone", function()
    local db, Post = helper.blog()
    local event
    pcall(db.transaction, db, function()
      event = Post:create({ title = "a" }):delete()
      error "taken back"
    end)
    helper.raises("not_found", event.undo, event, {
      on_conflict = function()
        return "skip"
      end,
    })
  end)
end)
