-- "replace" killed a living row of the same query, and then restored it over the one that had
-- replaced it.
local helper = require "helper"

local function twins()
  local _, Post = helper.blog()
  local old = Post:create { title = "Hello" }
  old:delete()
  local new = Post:create { title = "Hello" }
  return Post, old, new
end

describe("restore of all_objects with replace", function()
  it("restores what was dead when the call began, and only that", function()
    local Post, old, new = twins()
    assert.equal(1, Post.all_objects:restore { all = true, on_conflict = "replace" })
    assert.is_false(old:reload():is_deleted())
    assert.is_true(new:reload():is_deleted())
  end)

  it("cuts a slice from all rows, not from the dead", function()
    local Post, old, new = twins()
    assert.equal(0, Post.all_objects:order_by("-id"):limit(1):restore { on_conflict = "replace" })
    assert.is_true(old:reload():is_deleted())
    assert.is_false(new:reload():is_deleted())
  end)
end)
