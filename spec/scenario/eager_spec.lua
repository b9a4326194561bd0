-- Loading relations beforehand, and the dead: what people reported elsewhere.
local blog = require "scenario.blog"

-- What loading beforehand shows: "ana(1 2) ben(3)".
local function shown(authors)
  local list = {}
  for _, author in ipairs(authors) do
    local titles = {}
    for i, post in ipairs(author:posts():all()) do
      titles[i] = post.title
    end
    list[#list + 1] = author.name .. "(" .. table.concat(titles, " ") .. ")"
  end
  return table.concat(list, " ")
end

describe("what is loaded beforehand", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    s.db:close()
  end)

  -- Prefetch loaded the deleted as well, so that a list differed by how it was loaded. Also
  -- #166, ecto_soft_delete#98, typeorm#5838, sqlalchemy-easy-softdelete#33.
  it("safedelete#111: is what would be loaded afterwards", function()
    s.posts[2]:delete()
    local authors = s.Author.objects:order_by "id"
    assert.are.equal("ana(1) ben(3)", shown(authors:with("posts"):all()))
    assert.are.equal(shown(authors:all()), shown(authors:with("posts"):all()))
  end)

  -- EAGER went past the filter, a proxy went past it too and then raised. Also #1127.
  it("doctrine-extensions#1463: has no dead parent, and no row is missing for it", function()
    s.ana:delete()
    local seen = {}
    for _, post in ipairs(s.Post.objects:order_by("id"):with("author"):all()) do
      local author = post:author()
      seen[#seen + 1] = post.title .. (author and author.name or "-")
    end
    assert.are.equal("1- 2- 3ben 4-", table.concat(seen, " "))
  end)

  it("ecto_soft_delete#98: has no dead rows two steps away, either", function()
    s.Comment.objects:filter({ text = "x" }):delete()
    local author = s.Author.objects:with("posts.comments"):get(s.ana.id)
    local texts = {}
    for _, post in ipairs(author:posts():all()) do
      for _, comment in ipairs(post:comments():all()) do
        texts[#texts + 1] = comment.text
      end
    end
    assert.are.equal("y", table.concat(texts, " "))
    s.posts[1]:delete()
    assert.are.equal("ana(2)", shown { s.Author.objects:with("posts.comments"):get(s.ana.id) })
  end)

  -- with_deleted was for the whole query, not for what is loaded with it.
  it("ecto_soft_delete#100: can have the dead of one relation", function()
    s.posts[2]:delete()
    s.ana:delete()
    local post = s.Post.objects:with("author"):with_deleted("author"):get(s.posts[1].id)
    assert.are.equal("ana", post:author().name)
    assert.is_true(post:author():is_deleted())
    assert.are.equal(3, #s.Post.objects:with("author"):with_deleted("author"):all())
  end)

  -- A loop that asks each row for its parent.
  it("costs one statement a relation, however many rows", function()
    local counts = {}
    for _ = 1, 2 do
      s.Post.objects:count() -- what is logged late belongs to the calls before
      s.statements = 0
      for _, post in ipairs(s.Post.objects:with("author", "comments"):all()) do
        post:author()
        post:comments():all()
      end
      counts[#counts + 1] = s.statements
      for i = 5, 60 do
        s.Post:create { title = tostring(i), author = s.ben }
      end
    end
    assert.are.equal(3, counts[1])
    assert.are.equal(3, counts[2])
  end)
end)
