-- Where the key is a text, a page in the order of a mangled field went through the unique index of
-- all rows, the dead ones included.
local tombstone = require "tombstone"

describe("a page in the order of a mangled field", function()
  it("goes through the index of the living, whatever the key is", function()
    local f = tombstone.field
    local db = tombstone.open ":memory:"
    local Post = db:model("Post", {
      code = f.char { max_length = 20, primary_key = true },
      title = f.text { unique = true, index = true },
      views = f.integer { default = 0, index = true },
    })
    db:create_tables()
    for _, term in ipairs { "title", "-title", "views", "-views" } do
      local plan = Post.objects:order_by(term):limit(10):explain()
      assert.same({ "SCAN post USING INDEX post__" .. term:gsub("-", "") }, plan)
    end
  end)
end)
