-- What looks like an answer and is none must be refused: each of these was once taken in silence.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field
local refuses = helper.refuses

describe("calls that would be misread", function()
  local db, Post

  before_each(function()
    db = tombstone.open ":memory:"
    Post = db:model("Post", {
      title = f.char { max_length = 20, unique = true },
      note = f.text { null = true },
    }, { table = "posts" })
    db:create_tables()
    Post:create { title = "a" }
  end)

  after_each(function()
    db:close()
  end)

  it("a filter in the place of another argument", function()
    local objects = Post.objects
    for _, name in ipairs { "count", "exists", "first", "last", "all" } do
      refuses("misuse", name .. " takes no arguments", objects[name], objects, { title = "zzz" })
    end
    refuses("misuse", "get takes 1 argument at most", objects.get, objects, 1, "junk")
    local title, note = { title = "a" }, { note = "n" }
    refuses("misuse", "filter takes 1 argument at most", objects.filter, objects, title, note)
    refuses("misuse", "exclude takes 2 arguments at most", objects.exclude, objects, "title", "a", 1)
  end)

  it("rows of groups, and aggregates without a name", function()
    local groups = Post.objects:group_by "title"
    refuses("misuse", "Groups are asked for by aggregate alone", groups.all, groups)
    refuses("misuse", "Groups are asked for by aggregate alone", groups.values, groups, "title")
    local unnamed = { tombstone.count "*" }
    refuses("misuse", "Each aggregate needs a name", groups.aggregate, groups, unnamed)
  end)

  it("words where true or false is meant", function()
    local declare = function(options)
      return db:model("Wrong", { a = f.text(options) })
    end
    refuses("misuse", "null of Wrong.a is true or false, not a string", declare, { null = "no" })
    refuses("misuse", "index of Wrong.a is true or false, not a string", declare, { index = "no" })
    refuses(
      "misuse",
      "unique is true, \"mangle\", \"live\" or \"always\", not 'yes'",
      declare,
      { unique = "yes" }
    )
  end)

  it("arithmetic where a value is needed", function()
    local post = Post.objects:first()
    post.title = tombstone.F "title" + 1
    refuses("validation", "Post is not valid - title takes arithmetic in update only", post.save, post)
  end)
end)

describe("rows show what became of them", function()
  local db, Post

  before_each(function()
    db = tombstone.open ":memory:"
    Post = db:model("Post", {
      title = f.char { max_length = 20, unique = true },
      note = f.text { null = true },
    })
    db:create_tables()
  end)

  it("restore() of a row that an undo has restored", function()
    local post = Post:create { title = "a" }
    post:delete():undo()
    assert.is_true(post:is_deleted())
    assert.is_false(post:restore())
    assert.is_false(post:is_deleted())
    assert.are.equal("a", post.title)
    post:save()
  end)

  it("restore() of a living row keeps what is not saved yet", function()
    local post = Post:create { title = "a" }
    post.title = "b"
    assert.is_false(post:restore())
    assert.are.equal("b", post.title)
  end)

  it("save() of tombstone.null reads nil afterwards", function()
    local post = Post:create { title = "a", note = "n" }
    post.note = tombstone.null
    post:save()
    assert.is_nil(post.note)
    assert.is_nil(Post.objects:get(1).note)
  end)

  it("a dead row is called deleted, not too long", function()
    local post = Post:create { title = ("x"):rep(20) }
    post:delete()
    helper.refuses("deleted", "Cannot save record - Post 1 is deleted", post.save, post)
  end)

  it("events of a model, by the model or its name", function()
    Post:create({ title = "a" }):delete()
    assert.are.equal(1, #db:events { model = Post })
    assert.are.equal(1, #db:events { model = "Post" })
  end)
end)

describe("create_tables refuses a table in which no row could live", function()
  local function refused(sql, message)
    local db = tombstone.open ":memory:"
    db:exec(sql)
    db:model("Post", { title = f.text() })
    helper.refuses("migration", message, db.create_tables, db)
    db:close()
  end

  it("without a primary key, or with a column that nobody fills", function()
    refused(
      "CREATE TABLE post(id INTEGER, title TEXT NOT NULL, deleted_at TEXT, deleted_event INTEGER)",
      'Table "post" differs from Post - id is no primary key there'
    )
    refused(
      "CREATE TABLE post(id INTEGER PRIMARY KEY, title TEXT NOT NULL, extra TEXT NOT NULL, "
        .. "deleted_at TEXT, deleted_event INTEGER)",
      'Table "post" differs from Post - extra is NOT NULL there and not in the model'
    )
  end)
end)
