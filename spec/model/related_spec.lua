-- Children through their parent's query: add moves, remove takes the parent away, set and create.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function blog(options, hooks)
  local s = { db = tombstone.open ":memory:" }
  local given = { on_delete = "cascade", related_name = "posts", null = true }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  s.Author = s.db:model("Author", { name = f.text() })
  s.Post = s.db:model("Post", {
    title = f.text { unique = true },
    author = f.belongs_to("Author", given),
  }, { on = hooks })
  s.db:create_tables()
  s.ana, s.ben = s.Author:create { name = "ana" }, s.Author:create { name = "ben" }
  s.x, s.y = s.Post:create { title = "x", author = s.ana }, s.Post:create { title = "y", author = s.ben }
  return s
end

local function titles(query)
  local list = helper.list(query, "title")
  table.sort(list)
  return table.concat(list, " ")
end

local function call(query, verb, ...)
  return query[verb](query, ...)
end

local function refuses(kind, message, row, verb, ...)
  return helper.refuses(kind, message, call, row:posts(), verb, ...)
end

describe("children through the query of their parent", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    assert.are.equal(0, s.db:depth())
    s.db:close()
  end)

  it("move to it by add", function()
    local z = s.Post:create { title = "z" }
    assert.are.equal(2, s.ana:posts():add(s.y, z))
    assert.are.equal("x y z", titles(s.ana:posts()))
    assert.are.equal(0, s.ben:posts():count())
    assert.are.equal(s.ana.id, s.y.author_id)
    assert.are.equal(0, s.ana:posts():add())
  end)

  it("lose it by remove", function()
    assert.are.equal(1, s.ana:posts():remove(s.x))
    assert.are.equal("", titles(s.ana:posts()))
    assert.is_nil(s.x:reload():author())
    assert.is_false(s.x:is_deleted())
  end)

  it("are removed from their own parent only, as the database has it", function()
    local message = "remove takes living rows that belong to this one"
    local err = refuses("misuse", message, s.ana, "remove", s.y)
    assert.are.equal("Post 2 does not", err.hint)
    refuses("misuse", message, s.ana, "remove", s.x, s.y)
    assert.are.equal("x", titles(s.ana:posts()))
    local old = s.Post.objects:get(s.x.id)
    s.ben:posts():add(s.x) -- which the other copy of the row has not heard of
    refuses("misuse", message, s.ana, "remove", old)
    assert.are.equal("x y", titles(s.ben:posts()))
    old.author_id = s.ana.id -- written nowhere
    refuses("misuse", message, s.ana, "remove", old)
    old:reload():delete()
    refuses("misuse", message, s.ben, "remove", old)
  end)

  it("are not removed where they need a parent", function()
    local own = blog { null = false }
    local err = refuses("misuse", "Post.author cannot be null", own.ana, "remove", own.x)
    assert.are.equal("delete the rows, or give them to another", err.hint)
    refuses("misuse", "Post.author cannot be null", own.ana, "set", {})
    refuses("misuse", "Post.author cannot be null", own.ana, "set", { own.y })
    assert.are.equal("x", titles(own.ana:posts()))
    assert.are.equal(2, own.ana:posts():add(own.x, own.y))
    assert.are.equal(2, own.ana:posts():set { own.x, own.y })
    own.db:close()
  end)

  it("are set to a list", function()
    local z = s.Post:create { title = "z", author = s.ana }
    assert.are.equal(2, s.ana:posts():set { s.y, z })
    assert.are.equal("y z", titles(s.ana:posts()))
    assert.is_nil(s.x:reload().author_id)
    assert.are.equal(0, s.ana:posts():set {})
    assert.are.equal(3, s.Post.objects:filter({ author = tombstone.null }):count())
  end)

  it("are created", function()
    local post = s.ana:posts():create { title = "new" }
    assert.are.equal(s.ana.id, post.author_id)
    assert.are.equal("new x", titles(s.ana:posts()))
    helper.raises("integrity", call, s.ana:posts(), "create", { title = "new" })
    for _, name in ipairs { "author", "author_id" } do
      local values = { title = "other", [name] = name == "author" and s.ben or s.ben.id }
      refuses("misuse", "create gives author by itself", s.ana, "create", values)
      assert.are.equal("other", values.title)
    end
    refuses("misuse", "create takes a table of values, not a nil", s.ana, "create")
    refuses("misuse", "create takes a table of values, not a table", s.ana, "create", s.x)
    local no_link = "create takes values of a link where there are links"
    refuses("misuse", no_link, s.ana, "create", { title = "o" }, {})
  end)

  it("are never put under a dead parent", function()
    s.ben:delete()
    helper.raises("parent_deleted", call, s.ben:posts(), "add", s.x)
    helper.raises("parent_deleted", call, s.ben:posts(), "create", { title = "new" })
    helper.raises("parent_deleted", call, s.ben:posts(), "set", { s.x })
    assert.are.equal("x", titles(s.ana:posts()))
    assert.are.equal(0, s.ben:posts():count())
  end)

  it("are never moved when they are dead", function()
    s.x:delete()
    helper.raises("deleted", call, s.ben:posts(), "add", s.y, s.x)
    assert.are.equal("y", titles(s.ben:posts()))
  end)

  it("move together or not at all, in Lua as well", function()
    local z = s.Post:create { title = "z" }
    s.y:delete()
    helper.raises("deleted", call, s.ana:posts(), "add", z, s.y)
    assert.are.same({ id = z.id, title = "z" }, { id = z.id, title = z.title, author_id = z.author_id })
    assert.is_nil(z:reload().author_id)
    helper.raises("deleted", call, s.ana:posts(), "set", { z, s.y })
    assert.is_nil(z.author_id)
    assert.are.equal(s.ana.id, s.x.author_id)
    assert.are.equal("x", titles(s.ana:posts()))
  end)

  it("take part in the transaction around them", function()
    pcall(s.db.transaction, s.db, function()
      s.ana:posts():set { s.y }
      s.ana:posts():create { title = "new" }
      error "back"
    end)
    assert.are.equal("x", titles(s.ana:posts()))
    assert.are.equal("y", titles(s.ben:posts()))
    assert.are.equal(2, s.Post.all_objects:count())
  end)

  it("are saved rows of their model", function()
    local other = blog()
    for message, wrong in pairs {
      ["takes rows of Post, not of Author"] = s.ben,
      ["takes rows of Post, not a number"] = 1,
      ["takes rows of Post, not a table"] = { s.y },
      ["takes rows of Post, not of another database"] = other.x,
      ["takes saved rows of Post"] = s.Post:new { title = "n" },
    } do
      refuses("misuse", "add " .. message, s.ana, "add", wrong)
      refuses("misuse", "add " .. message, s.ana, "add", s.y, wrong)
      refuses("misuse", "remove " .. message, s.ana, "remove", wrong)
      refuses("misuse", "set " .. message, s.ana, "set", { wrong })
    end
    refuses("misuse", "add takes rows, not a nil", s.ana, "add", s.y, nil)
    refuses("misuse", "set takes a list of rows", s.ana, "set", s.y)
    refuses("misuse", "set takes a list of rows", s.ana, "set", { y = s.y })
    assert.are.equal("y", titles(s.ben:posts()))
    other.db:close()
  end)

  it("run their hooks, which may refuse", function()
    local told, stop = {}, nil
    local own = blog(nil, {
      before_save = function(post)
        told[#told + 1] = post.title
        if post.title == stop then
          error("no", 0)
        end
      end,
    })
    told = {}
    own.ana:posts():add(own.y)
    own.ana:posts():remove(own.x)
    assert.are.same({ "y", "x" }, told)
    stop = "y"
    assert.is_false(pcall(call, own.ben:posts(), "set", { own.x, own.y }))
    assert.are.equal(0, own.ben:posts():count())
    own.db:close()
  end)

  it("of a refined query are none", function()
    local query = s.ana:posts():filter { title = "x" }
    for _, verb in ipairs { "add", "remove", "set", "create" } do
      local err = helper.refuses(
        "misuse",
        verb .. " is asked of a relation, as in author:posts():" .. verb,
        call,
        query,
        verb,
        {}
      )
      assert.are.equal("a refined query is none any more", err.hint)
    end
  end)

  it("of text keys, and of a tree", function()
    local db = tombstone.open ":memory:"
    local Node = db:model("Node", {
      code = f.text { primary_key = true },
      parent = f.belongs_to("Node", { on_delete = "cascade", related_name = "children", null = true }),
    })
    db:create_tables()
    local root, leaf = Node:create { code = "r" }, Node:create { code = "l" }
    root:children():add(leaf)
    leaf:children():create { code = "ll" }
    local event = root:delete()
    assert.are.same({ Node = 3 }, event:counts())
    event:undo()
    assert.are.equal("ll", leaf:reload():children():first().code)
    root:reload():children():remove(leaf)
    assert.are.equal(0, root:children():count())
    db:close()
  end)
end)
