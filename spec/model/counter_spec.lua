-- f.counter: the database counts a row's living children, whoever writes them.
local tombstone = require "tombstone"
local Random = require "laws.random"
local f = tombstone.field

local function counts(Model, name)
  local list = {}
  for _, row in ipairs(Model.all_objects:order_by("id"):all()) do
    list[#list + 1] = row[name]
  end
  return table.concat(list, " ")
end

describe("a counter", function()
  local db, Author, Post, Comment, Tag

  before_each(function()
    db = tombstone.open ":memory:"
    Author = db:model("Author", {
      name = f.text { unique = true },
      post_count = f.counter("posts", { index = true }),
      edited_count = f.counter "edited",
    }, { version = true, timestamps = true })
    Post = db:model("Post", {
      title = f.text { unique = true },
      author = f.belongs_to("Author", { on_delete = "cascade", null = true, related_name = "posts" }),
      editor = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "edited" }),
      comment_count = f.counter "comments",
      tag_count = f.counter "tags",
      tags = f.many_to_many("Tag", { related_name = "posts" }),
    })
    Comment = db:model("Comment", {
      text = f.text(),
      post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
      parent = f.belongs_to("Comment", { on_delete = "cascade", null = true, related_name = "answers" }),
      answer_count = f.counter "answers",
    })
    Tag = db:model("Tag", { name = f.text(), post_count = f.counter "posts" })
    db:create_tables()
  end)

  after_each(function()
    db:close()
  end)

  it("follows rows that are created, moved, deleted, restored and purged", function()
    local ana, ben = Author:create { name = "ana" }, Author:create { name = "ben" }
    assert.are.equal(0, ana.post_count)
    local one = Post:create { title = "one", author = ana, editor = ben }
    Post:create { title = "two", author = ana }
    assert.are.equal("2 0", counts(Author, "post_count"))
    assert.are.equal("0 1", counts(Author, "edited_count"))
    one:update { author = ben }
    assert.are.equal("1 1", counts(Author, "post_count"))
    one:update { title = "renamed" }
    assert.are.equal("1 1", counts(Author, "post_count"))
    one.author_id = nil
    one:save()
    assert.are.equal("1 0", counts(Author, "post_count"))
    one:update { author = ana }
    one:delete()
    assert.are.equal("1 0", counts(Author, "post_count"))
    assert.are.equal("0 0", counts(Author, "edited_count"))
    one:restore()
    assert.are.equal("2 0", counts(Author, "post_count"))
    one:purge()
    assert.are.equal("1 0", counts(Author, "post_count"))
  end)

  it("follows bulk calls, upserts and raw SQL", function()
    local ana, ben = Author:create { name = "ana" }, Author:create { name = "ben" }
    Post:bulk_create { { title = "a", author = ana }, { title = "b", author = ana }, { title = "c" } }
    assert.are.equal("2 0", counts(Author, "post_count"))
    Post.objects:filter({ author = ana }):update { author_id = ben.id }
    assert.are.equal("0 2", counts(Author, "post_count"))
    Post:upsert({ title = "a", author = ana }, { on = { "title" } })
    Post:upsert({ title = "d", author = ana }, { on = { "title" } })
    assert.are.equal("2 1", counts(Author, "post_count"))
    db:exec "INSERT INTO post (title, author_id) VALUES ('raw', 1)"
    db:exec "DELETE FROM post WHERE title = 'b'"
    assert.are.equal("3 0", counts(Author, "post_count"))
    local _, event = Post.objects:filter({ author__name = "ana" }):delete()
    assert.are.equal("0 0", counts(Author, "post_count"))
    event:undo()
    assert.are.equal("3 0", counts(Author, "post_count"))
    Post.objects:filter({ author = ana }):purge { living = true }
    assert.are.equal("0 0", counts(Author, "post_count"))
  end)

  it("comes back byte for byte with the undo of a cascade", function()
    local ana = Author:create { name = "ana" }
    local post = Post:create { title = "p", author = ana }
    local root = Comment:create { text = "root", post = post }
    Comment:create { text = "leaf", post = post, parent = root }
    Comment:create { text = "gone before", post = post, parent = root }:delete()
    post:tags():add(Tag:create { name = "x" }, Tag:create { name = "y" })
    local function all()
      local seen = {}
      for _, sql in ipairs { "author", "post", "comment", "tag", "post_tags" } do
        for _, row in ipairs(db:query("SELECT * FROM " .. sql .. " ORDER BY id")) do
          local names = {}
          for name, value in pairs(row) do
            names[#names + 1] = name .. "=" .. tostring(value)
          end
          table.sort(names)
          seen[#seen + 1] = table.concat(names, ",")
        end
      end
      return table.concat(seen, "\n")
    end
    local before = all()
    assert.are.equal(1, root:reload().answer_count)
    local event = ana:delete()
    assert.are.equal("0", counts(Author, "post_count"))
    assert.are.equal("0 0", counts(Tag, "post_count"))
    assert.are.equal("0 0 0", counts(Comment, "answer_count"))
    event:undo()
    assert.are.equal(before, all())
  end)

  it("counts links that live", function()
    local post, other = Post:create { title = "p" }, Post:create { title = "q" }
    local x, y = Tag:create { name = "x" }, Tag:create { name = "y" }
    post:tags():add(x, y)
    other:tags():add(x)
    assert.are.equal("2 1", counts(Post, "tag_count"))
    assert.are.equal("2 1", counts(Tag, "post_count"))
    post:tags():remove(y)
    x:delete()
    assert.are.equal("0 0", counts(Post, "tag_count"))
    assert.are.equal("0 0", counts(Tag, "post_count"))
    x:restore()
    assert.are.equal("1 1", counts(Post, "tag_count"))
  end)

  it("is undone with its transaction, and with a refused call", function()
    local ana = Author:create { name = "ana" }
    pcall(db.transaction, db, function()
      Post:create { title = "p", author = ana }
      error "no"
    end)
    Post:create { title = "q", author = ana }
    pcall(Post.bulk_create, Post, { { title = "r", author = ana }, { title = "q", author = ana } })
    assert.are.equal("1", counts(Author, "post_count"))
  end)

  it("is not written by programs, and a stale row does not overwrite it", function()
    local ana = Author:create { name = "ana" }
    Post:create { title = "p", author = ana }
    assert.are.equal(0, ana.post_count)
    ana.name = "anna"
    ana:save()
    assert.are.equal(1, ana:reload().post_count)
    assert.are.equal(2, ana.version) -- of the save alone
    local _, err = pcall(Author.create, Author, { name = "x", post_count = 3 })
    assert.are.equal("misuse", err.kind)
    assert.are.equal("Author.post_count is counted by the database", err.message)
    _, err = pcall(ana.update, ana, { post_count = 3 })
    assert.are.equal("Author.post_count is counted by the database", err.message)
    _, err = pcall(Author.bulk_create, Author, { { name = "y", post_count = 0 } })
    assert.are.equal("misuse", err.kind)
    assert.are.equal(1, Author.all_objects:count())
    local query = Author.objects:filter { post_count__gte = 1 }
    assert.are.equal("anna", query:order_by("-post_count"):first().name)
  end)

  local function misuse(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.are.equal("misuse", err.kind)
    return err.message
  end

  it("is refused by name in every write, and nothing is written", function()
    local refused = "Author.post_count is counted by the database"
    local ana = Author:create { name = "ana" }
    Post:create { title = "p", author = ana }
    assert.are.equal(refused, misuse(Author.create, Author, { name = "x", post_count = 0 }))
    assert.are.equal(refused, misuse(Author.create, Author, { name = "x", post_count = tombstone.null }))
    local new = Author:new { name = "x", post_count = 3 }
    assert.are.equal(refused, misuse(new.save, new))
    assert.are.equal(refused, misuse(ana.save, ana, { "name", "post_count" }))
    for _, update in ipairs { { post_count = 3 }, { "post_count" } } do
      local message = misuse(Author.upsert, Author, { name = "ana" }, { on = "name", update = update })
      assert.are.equal("Author.post_count is counted by the database", message)
    end
    local all = Author.objects
    assert.are.equal("Author.post_count is counted by the database",
      misuse(all.update, all, { post_count = 3 }, { all = true }))
    assert.are.equal("1", counts(Author, "post_count"))
  end)

  it("starts at zero for rows that are made in two steps, and for a row saved again as a new one", function()
    local ana = Author:new { name = "ana" }
    assert.is_nil(ana.post_count)
    ana:save()
    assert.are.equal(0, ana.post_count)
    Post:create { title = "p", author = ana }
    local twin = Author.objects:get(ana.id)
    twin.id, twin.name, twin.version = nil, "twin", nil
    twin:save()
    assert.are.equal(0, twin.post_count)
    assert.are.equal("1 0", counts(Author, "post_count"))
  end)

  -- Each way makes rows and counts them; what a program's function does is no value for a counter.
  for what, declare in pairs {
    ["hooks"] = function()
      return { name = f.text { unique = true } }, { on = { before_save = function() end } }
    end,
    ["a default that is a function"] = function()
      return { name = f.text { unique = true }, at = f.integer { default = function() return 1 end } }
    end,
    ["a check that is a function"] = function()
      return { name = f.text { unique = true, check = function() return true end } }
    end,
  } do
    it("is kept for a model with " .. what, function()
      local other = tombstone.open ":memory:"
      local fields, options = declare()
      fields.n = f.counter "children"
      fields.parent = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "children" })
      local Node = other:model("Node", fields, options)
      other:create_tables()
      local root = Node:create { name = "root" }
      assert.are.equal(0, root.n)
      Node:new({ name = "a", parent = root }):save()
      Node:bulk_create { { name = "b", parent = root } }
      Node:upsert({ name = "c", parent = root }, { on = "name" })
      Node:upsert({ name = "c", parent = root }, { on = "name" })
      Node:get_or_create({ name = "d" }, { parent = root })
      assert.are.equal(4, root:reload().n)
      root:update { name = "top" }
      root.name = "root"
      root:save()
      assert.are.equal(4, root:reload().n)
      misuse(Node.create, Node, { name = "x", n = 1 })
      misuse(root.update, root, { n = 1 })
      root:delete():undo()
      assert.are.equal("4 0 0 0 0", counts(Node, "n"))
      other:close()
    end)
  end

  it("counts anew for tables that had no triggers", function()
    local ana = Author:create { name = "ana" }
    Post:create { title = "p", author = ana }
    for _, row in ipairs(db:query "SELECT name FROM sqlite_master WHERE type = 'trigger'") do
      db:exec('DROP TRIGGER "' .. row.name .. '"')
    end
    Post:create { title = "q", author = ana }
    assert.are.equal("1", counts(Author, "post_count"))
    assert.are.equal(1, Author:recount())
    assert.are.equal("2", counts(Author, "post_count"))
    Post:create { title = "r", author = ana }
    db:create_tables() -- makes the triggers again, and counts
    assert.are.equal("3", counts(Author, "post_count"))
    Post:create { title = "s", author = ana }
    assert.are.equal("4", counts(Author, "post_count"))
    assert.are.equal(0, Author:recount())
  end)

  it("replaces a trigger that says something else", function()
    local ana = Author:create { name = "ana" }
    db:exec 'DROP TRIGGER "tombstone_author.post_count.born"'
    db:exec(
      'CREATE TRIGGER "tombstone_author.post_count.born" AFTER INSERT ON post BEGIN SELECT 1; END'
    )
    Post:create { title = "p", author = ana }
    db:create_tables()
    assert.are.equal("1", counts(Author, "post_count"))
    Post:create { title = "q", author = ana }
    assert.are.equal("2", counts(Author, "post_count"))
  end)

  it("is refused where it counts nothing", function()
    local other = tombstone.open ":memory:"
    local Lone = other:model("Lone", { name = f.text(), n = f.counter "posts" })
    local _, err = pcall(other.create_tables, other)
    assert.are.equal("misuse", err.kind)
    assert.are.equal("Lone.n counts posts, which leads to no rows", err.message)
    _, err = pcall(Lone.create, Lone, { name = "x" })
    assert.are.equal("misuse", err.kind)
    _, err = pcall(f.counter, 3)
    assert.are.equal("misuse", err.kind)
    _, err = pcall(f.counter, "posts", { null = true })
    assert.are.equal("misuse", err.kind)
    other:close()
  end)

  -- Whatever is done, each counter is what a count of the living answers.
  local function check_all()
    for _, counted in ipairs {
      { Author, "post_count", "posts" },
      { Author, "edited_count", "edited" },
      { Post, "comment_count", "comments" },
      { Post, "tag_count", "tags" },
      { Comment, "answer_count", "answers" },
      { Tag, "post_count", "posts" },
    } do
      local model, name, way = counted[1], counted[2], counted[3]
      for _, row in ipairs(model.objects:annotate({ n = tombstone.count(way) }):all()) do
        assert.are.equal(row.n, row[name], name .. " of row " .. row.id)
      end
    end
  end

  local function do_something(random, events, step)
    local models = { Author, Post, Comment, Tag }
    local model = random:pick(models)
    local rows = model.all_objects:all()
    local row = #rows > 0 and random:pick(rows)
    local author = Author.objects:order_by(random:chance(50) and "id" or "-id"):first()
    local post = Post.objects:order_by(random:chance(50) and "id" or "-id"):first()
    local deed = random:int(1, 9)
    if deed <= 3 or not row then
      Author:create { name = "a" .. step }
      Post:create { title = "p" .. step, author = author, editor = author }
      Tag:create { name = "t" .. step }
      if post then
        Comment:create { text = "c", post = post, parent = Comment.objects:filter({ post = post }):first() }
        post:tags():add(Tag.objects:order_by("-id"):first())
      end
    elseif deed == 4 and post then
      post:update { author = author, editor = tombstone.null }
    elseif deed == 5 and post then
      post:tags():set(Tag.objects:limit(random:int(0, 3)):all())
    elseif deed == 6 then
      events[#events + 1] = row:delete()
    elseif deed == 7 and #events > 0 then
      random:pick(events):undo()
    elseif deed == 8 then
      row:restore { parents = true }
    elseif row:is_deleted() then
      row:purge()
    end
  end

  it("equals a count after random writes", function()
    for seed = 1, math.max(1, math.floor(20 * (tonumber(os.getenv "SPEC_SCALE") or 1))) do
      local random, events = Random.new(seed), {}
      for step = 1, 30 do
        do_something(random, events, seed .. "_" .. step)
        check_all()
      end
    end
  end)
end)
