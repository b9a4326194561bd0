-- open(path, { lazy = "warn" | "refuse" }): a loop that asks each row of a result for its relatives
-- is found, with its line.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local FILE = debug.getinfo(1, "S").short_src

local function blog(options)
  local s = { db = tombstone.open(":memory:", options) }
  s.Author = s.db:model("Author", { name = f.text() })
  s.Post = s.db:model("Post", {
    title = f.text(),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  })
  s.Page = s.db:model("Page", {
    author = f.belongs_to("Author", { on_delete = "cascade", unique = true, related_name = "page" }),
  })
  s.Tag = s.db:model("Tag", { name = f.text() })
  s.db:create_tables()
  s.ana, s.ben = s.Author:create { name = "ana" }, s.Author:create { name = "ben" }
  s.Post:bulk_create {
    { title = "1", author = s.ana },
    { title = "2" },
    { title = "3", author = s.ana },
    { title = "4", author = s.ben },
  }
  s.Post.objects:get(1):tags():create { name = "x" }
  return s
end

local function line()
  return debug.getinfo(2, "l").currentline
end

-- The message for a relation that was asked at this line.
local function message(model, relation, at)
  return ("N+1: %s:%s() was asked of 2 rows of one result, at %s:%d"):format(model, relation, FILE, at)
end

describe("lazy = \"refuse\"", function()
  local s

  before_each(function()
    s = blog { lazy = "refuse" }
  end)

  after_each(function()
    s.db:close()
  end)

  it("raises at the second row that is asked, and names model, relation and line", function()
    local at, seen = nil, 0
    local ok, err = pcall(function()
      for _, post in ipairs(s.Post.objects:all()) do
        at = line() + 1
        local author = post:author()
        seen = seen + (author and 1 or 0)
      end
    end)
    assert.is_false(ok)
    assert.are.equal("misuse", err.kind)
    assert.are.equal(message("Post", "author", at), err.message)
    assert.are.equal('load it with :with("author")', err.hint)
    assert.are.equal(1, seen) -- and the row without an author took no statement
  end)

  it("finds loops over each kind of relation", function()
    for _, case in ipairs {
      { "Author", "posts" },
      { "Author", "page" },
      { "Post", "tags" },
      { "Tag", "posts" },
    } do
      local model, name = case[1], case[2]
      s.Tag:create { name = "more" }
      local rows, at = s[model].objects:all(), nil
      assert.is_true(pcall(rows[1][name], rows[1]))
      local ok, err = pcall(function()
        at = line() + 1
        local found = rows[2][name](rows[2])
        return found
      end)
      assert.is_false(ok)
      assert.are.equal(message(model, name, at), err.message)
    end
  end)

  it("allows what is loaded, and what a loop asks once", function()
    for _, post in ipairs(s.Post.objects:with("author", "tags"):all()) do
      post:author()
      post:tags():all()
    end
    for post in s.Post.objects:with("author"):each() do
      post:author()
    end
    local posts = s.Post.objects:all()
    for _ = 1, 3 do
      assert.are.equal("ana", posts[1]:author().name)
      assert.are.equal(1, posts[1]:tags():count())
    end
    for i = 1, 4 do -- results of one row each
      s.Post.objects:get(i):author()
      s.Post.objects:filter({ title = tostring(i) }):first():author()
      s.Post.objects:filter({ id = i }):all()[1]:author()
    end
    local made = s.Post:bulk_create { { title = "5", author = s.ana }, { title = "6", author = s.ana } }
    assert.are.equal("anaana", made[1]:author().name .. made[2]:author().name)
  end)

  it("finds loops one level down, and those over loaded lists", function()
    local authors = s.Author.objects:with("posts"):all()
    local ok, err = pcall(function()
      for _, post in ipairs(authors[1]:posts():all()) do
        post:tags():all()
      end
    end)
    assert.is_false(ok)
    assert.is_truthy(err.message:find("N+1: Post:tags()", 1, true))
    local posts = s.Post.objects:with("tags"):all()
    s.Tag:create { name = "y" }
    posts[1]:tags():set(s.Tag.objects:all())
    posts = s.Post.objects:with("tags"):all()
    ok, err = pcall(function()
      for tag in posts[1]:tags():each() do
        tag:posts()
      end
    end)
    assert.is_false(ok)
    assert.is_truthy(err.message:find("N+1: Tag:posts()", 1, true))
  end)

  it("finds loops over each, in all of its forms", function()
    for _, form in ipairs { {}, { snapshot = true }, { reuse = true } } do
      local stream, at = s.Post.objects:exclude({ author = tombstone.null }):each(form), nil
      local ok, err = pcall(function()
        for post in stream do
          at = line() + 1
          local author = post:author()
          assert.is_truthy(author)
        end
      end)
      stream:close()
      assert.is_false(ok)
      assert.are.equal(message("Post", "author", at), err.message)
    end
  end)

  it("finds the line where the call is another function's, or a coroutine's", function()
    local posts = s.Post.objects:exclude({ author = tombstone.null }):all()
    posts[1]:author()
    local at = line() + 1
    local ok, why = pcall(posts[2].author, posts[2])
    assert.is_false(ok)
    assert.are.equal(message("Post", "author", at), why.message)
    local thread = coroutine.create(posts[2].author) -- no line there
    ok, why = coroutine.resume(thread, posts[2])
    assert.is_false(ok)
    assert.are.equal("N+1: Post:author() was asked of 2 rows of one result", why.message)
  end)

  it("forgets nothing of a row, and leaves it as it was", function()
    local posts = s.Post.objects:filter({ author = { s.ana, s.ben } }):all()
    posts[1]:author()
    assert.is_false(pcall(posts[2].author, posts[2]))
    assert.are.equal("ana", posts[1]:author().name)
    assert.is_true(rawequal(s.Post, getmetatable(posts[2])))
    posts[2].title = "saved"
    posts[2]:save()
    assert.are.equal("saved", s.Post.objects:get(posts[2].id).title)
  end)
end)

describe("lazy = \"warn\"", function()
  it("tells once of a place, and goes on", function()
    local warnings = {}
    local s = blog {
      lazy = "warn",
      warn = function(text)
        warnings[#warnings + 1] = text
      end,
    }
    local first, second
    for _ = 1, 3 do
      local names = {}
      for _, post in ipairs(s.Post.objects:all()) do
        first = line() + 1
        local author = post:author()
        names[#names + 1] = author and author.name
      end
      assert.are.same({ "ana", "ana", "ben" }, names)
    end
    for post in s.Post.objects:each() do
      second = line() + 1
      local author = post:author()
      assert.is_truthy(author or post.title == "2")
    end
    local hint = ' - load it with :with("author")'
    assert.are.same(
      { message("Post", "author", first) .. hint, message("Post", "author", second) .. hint },
      warnings
    )
    s.db:close()
  end)

  it("raises what the function raises", function()
    local s = blog {
      lazy = "warn",
      warn = function(text)
        error("strict: " .. text, 0)
      end,
    }
    local ok, err = pcall(function()
      for _, author in ipairs(s.Author.objects:all()) do
        author:posts()
      end
    end)
    assert.is_false(ok)
    assert.is_truthy(err:find("strict: N+1: Author:posts()", 1, true))
    s.db:close()
  end)

  it("needs a function, or the one of Lua 5.4", function()
    local global = rawget(_G, "warn")
    local told = {}
    rawset(_G, "warn", nil)
    local ok, err = pcall(tombstone.open, ":memory:", { lazy = "warn" })
    rawset(_G, "warn", function(text)
      told[#told + 1] = text
    end)
    local s = blog { lazy = "warn" }
    rawset(_G, "warn", global)
    assert.is_false(ok)
    assert.are.equal("misuse", err.kind)
    assert.are.equal("pass warn = function(message) end", err.hint)
    for _, author in ipairs(s.Author.objects:all()) do
      author:posts()
    end
    assert.are.equal(1, #told)
    s.db:close()
  end)
end)

describe("lazy", function()
  it("is \"allow\" where nothing is said", function()
    for _, options in ipairs { {}, { lazy = "allow" } } do
      local s = blog(options)
      for _, post in ipairs(s.Post.objects:all()) do
        post:author()
        post:tags():all()
      end
      s.db:close()
    end
  end)

  it("is one of three words", function()
    for _, word in ipairs { "strict", "", 1, true, {} } do
      local ok, err = pcall(tombstone.open, ":memory:", { lazy = word })
      assert.is_false(ok)
      assert.are.equal('lazy is "allow", "warn" or "refuse"', err.message)
    end
    local ok, err = pcall(tombstone.open, ":memory:", { warn = "yes" })
    assert.is_false(ok)
    assert.are.equal("warn is a function, not a string", err.message)
  end)

  it("keeps no rows", function()
    local s = blog { lazy = "warn", warn = function() end }
    local probes = setmetatable({}, { __mode = "k" })
    local kept
    for _ = 1, helper.scaled(200, 20) do
      local posts = s.Post.objects:all()
      kept = posts[4]
      for _, post in ipairs(posts) do
        probes[post] = true
        post:author()
      end
    end
    collectgarbage()
    collectgarbage()
    local n = 0
    for _ in pairs(probes) do
      n = n + 1
    end
    assert.are.equal(1, n)
    assert.are.equal("4", kept.title)
    s.db:close()
  end)
end)
