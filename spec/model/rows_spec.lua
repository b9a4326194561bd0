-- Rows are plain tables: what makes them, what writes them, and what a refused call leaves.
local tombstone = require "tombstone"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F
local null = tombstone.null

local function copy(row)
  local fields = {}
  for name, value in pairs(row) do
    fields[name] = value
  end
  return fields
end

-- Calls row[name](row, …), which must be refused and leave the row as it was.
local function untouched(kind, row, name, ...)
  local before = copy(row)
  local err = helper.raises(kind, row[name], row, ...)
  assert.are.same(before, copy(row))
  return err
end

describe("a row", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("is a plain table that holds its columns and nothing else", function()
    local row = Post:create { title = "Hello", content = "x" }
    local seen = {}
    for name, value in pairs(row) do
      seen[name] = value
    end
    assert.are.same({ id = 1, title = "Hello", content = "x", views = 0 }, seen)
    assert.is_true(rawequal(Post, getmetatable(row)))
    assert.are.same(seen, copy(Post.objects:get(1)))
    assert.are.same(seen, copy(Post.objects:all()[1]))
  end)

  it("has no key for NULL", function()
    local row = Post:create { title = "Hello" }
    assert.is_nil(rawget(row, "content"))
    assert.is_nil(rawget(Post.objects:get(1), "content"))
    assert.is_nil(row.deleted_at)
    assert.is_nil(row.no_such_thing)
  end)

  it("is taken by JSON encoders", function()
    local found, cjson = pcall(require, "cjson")
    if not found then
      return
    end
    local row = Post:create { title = "Hello" }
    local text = cjson.encode(row)
    assert.are.same(copy(row), cjson.decode(text))
  end)

  it("has the methods of its model", function()
    function Post:summary()
      return self.title .. "!"
    end
    assert.are.equal("Hello!", Post:create({ title = "Hello" }):summary())
    assert.are.equal("Hello!", Post.objects:get(1):summary())
  end)

  it("is no row when it is passed as something else", function()
    local row = Post:create { title = "Hello" }
    for _, method in ipairs {
      "save",
      "update",
      "reload",
      "delete",
      "restore",
      "purge",
      "is_deleted",
      "original",
    } do
      for _, self in ipairs { {}, 5, "x", setmetatable({}, {}), Post.objects, db } do
        local err = helper.raises("misuse", row[method], self, { title = "x" })
        assert.are.equal("A row is needed, not a " .. type(self), err.message)
      end
    end
  end)
end)

describe("create", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("inserts a row and answers it with its key and defaults", function()
    local row = Post:create { title = "Hello" }
    assert.are.equal(1, row.id)
    assert.are.equal(0, row.views)
    assert.are.same({ { id = 1, title = "Hello", views = 0 } }, db:query "SELECT * FROM post")
  end)

  it("leaves the table that it is given alone", function()
    local values = { title = "Hello" }
    local row = Post:create(values)
    assert.are.same({ title = "Hello" }, values)
    assert.is_nil(getmetatable(values))
    assert.is_false(rawequal(values, row))
  end)

  it("takes null, and the null of cjson", function()
    assert.is_nil(Post:create({ title = "a", content = null }).content)
    local found, cjson = pcall(require, "cjson")
    if found then
      assert.is_nil(Post:create({ title = "b", content = cjson.null }).content)
    end
  end)

  it("refuses a field that does not exist and suggests the nearest", function()
    local err = helper.refuses("misuse", "Post has no field 'titel'", Post.create, Post, { titel = "x" })
    assert.are.equal("did you mean 'title'?", err.hint)
    assert.are.equal("Post", err.model)
    err = helper.refuses(
      "misuse",
      "Post has no field 'zzzzzz'",
      Post.create,
      Post,
      { title = "x", zzzzzz = 1 }
    )
    assert.is_nil(err.hint)
    helper.refuses("misuse", "Post has no field '_note'", Post.create, Post, { title = "x", _note = 1 })
    helper.refuses("misuse", "Post takes values by the names of its fields", Post.create, Post, { "x" })
    helper.refuses(
      "misuse",
      "Post takes values by the names of its fields",
      Post.create,
      Post,
      { [true] = 1 }
    )
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("refuses what is no table, and a dot for the colon", function()
    helper.refuses("misuse", "create takes a table of values, not a nil", Post.create, Post)
    helper.refuses("misuse", "create takes a table of values, not a string", Post.create, Post, "x")
    local err = helper.refuses("misuse", "A model is needed, not a table", Post.create, { title = "x" })
    assert.are.equal("call it with a colon, as Post:create{}", err.hint)
  end)

  it("refuses the marks of deletion", function()
    local err = helper.refuses(
      "misuse",
      "deleted_at is written by delete and restore alone",
      Post.create,
      Post,
      { title = "x", deleted_at = 5 }
    )
    assert.are.same({ "deleted_at" }, err.fields)
    helper.raises("misuse", Post.create, Post, { title = "x", deleted_event = 5 })
    assert.are.equal(1, Post:create({ title = "x", deleted_at = null }).id)
  end)

  it("refused, changes nothing", function()
    Post:create { title = "Hello" }
    local values = { title = "Hello", content = "y" }
    local err = helper.raises("integrity", Post.create, Post, values)
    assert.are.equal("Cannot create record - title with value 'Hello' already exists", err.message)
    assert.are.same({ title = "Hello", content = "y" }, values)
    assert.are.equal(1, Post.all_objects:count())
  end)
end)

describe("new", function()
  local _, Post

  before_each(function()
    _, Post = helper.blog()
  end)

  it("makes a row that is not saved, with the defaults that are known", function()
    local row = Post:new { title = "Hello" }
    assert.are.same({ title = "Hello", views = 0 }, copy(row))
    assert.are.equal(0, Post.all_objects:count())
    assert.are.same({ views = 0 }, copy(Post:new()))
    assert.are.same({ views = 0 }, copy(Post:new {}))
  end)

  it("is saved by save, which gives it its key", function()
    local row = Post:new()
    row.title = "Hello"
    assert.is_true(rawequal(row, row:save()))
    assert.are.same({ id = 1, title = "Hello", views = 0 }, copy(row))
    row.views = 3
    row:save()
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(3, Post.objects:get(1).views)
  end)

  it("may choose its key", function()
    local row = Post:new { id = 40, title = "Hello" }
    row:save()
    assert.are.equal(40, Post.objects:get(40).id)
    row:save()
    assert.are.equal(1, Post.objects:count())
  end)

  it("checks names at once and values when it is saved", function()
    helper.raises("misuse", Post.new, Post, { titel = "x" })
    local row = Post:new { views = "many" }
    local err = untouched("validation", row, "save")
    assert.are.same({ "title", "views" }, err.fields)
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("refused by save, stays unsaved and can be saved later", function()
    Post:create { title = "Hello" }
    local row = Post:new { title = "Hello" }
    untouched("integrity", row, "save")
    row.title = "Other"
    row:save()
    assert.are.equal(row.id, Post.objects:get({ title = "Other" }).id)
  end)

  it("has nothing yet that other calls could reach", function()
    local row = Post:new { title = "Hello" }
    for _, method in ipairs { "update", "reload", "delete", "restore", "purge" } do
      local err = untouched("misuse", row, method, method == "update" and { title = "x" } or nil)
      assert.are.equal("The row is not saved yet", err.message)
      assert.are.equal("save it first", err.hint)
    end
    local err = untouched("misuse", row, "save", { "title" })
    assert.are.equal("Some fields of an unsaved row cannot be saved alone", err.message)
    assert.is_false(row:is_deleted())
    assert.are.equal("Hello", row:original "title")
  end)
end)

describe("save", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("writes the columns that the row holds", function()
    local row = Post:create { title = "Hello", content = "x" }
    row.title, row.views = "Bye", 9
    assert.is_true(rawequal(row, row:save()))
    assert.are.same({ id = 1, title = "Bye", content = "x", views = 9 }, copy(Post.objects:get(1)))
  end)

  it("writes an absent column as NULL", function()
    local row = Post:create { title = "Hello", content = "x" }
    row.content = nil
    row:save()
    assert.is_nil(Post.objects:get(1).content)
    row.views = nil
    local err = untouched("validation", row, "save")
    assert.are.equal("Post is not valid - views cannot be null", err.message)
    assert.are.equal(0, Post.objects:get(1).views)
  end)

  it("takes null in a row", function()
    local row = Post:create { title = "Hello", content = "x" }
    row.content = null
    row:save()
    assert.is_nil(Post.objects:get(1).content)
  end)

  it("with names writes those alone", function()
    local row = Post:create { title = "Hello", content = "x" }
    db:exec "UPDATE post SET views = 5"
    row.title, row.content, row.views = "Bye", nil, 7
    row:save { "title", "content" }
    assert.are.same({ id = 1, title = "Bye", views = 5 }, copy(Post.objects:get(1)))
    assert.are.equal(7, row.views)
  end)

  it("with names refuses those that do not exist, and none", function()
    local row = Post:create { title = "Hello" }
    local err = helper.refuses("misuse", "Post has no field 'titel'", row.save, row, { "titel" })
    assert.are.equal("did you mean 'title'?", err.hint)
    helper.refuses("misuse", "save{} names no field", row.save, row, {})
    helper.raises("misuse", row.save, row, { 5 })
    helper.raises("misuse", row.save, row, "title")
    helper.raises("misuse", row.save, row, { title = true })
  end)

  it("with names does not validate the others", function()
    local row = Post:create { title = "Hello" }
    row.views, row.content = "broken", "y"
    row:save { "content" }
    assert.are.equal("y", Post.objects:get(1).content)
    assert.are.equal("broken", row.views)
  end)

  it("overwrites what somebody else has written, which update does not", function()
    local mine, theirs = Post:create { title = "Hello" }, Post.objects:get(1)
    theirs:update { views = 50 }
    mine:update { content = "y" }
    assert.are.equal(50, Post.objects:get(1).views)
    mine:save()
    assert.are.equal(0, Post.objects:get(1).views)
  end)

  it("refuses keys that are no fields, but leaves the program its own notes", function()
    local row = Post:create { title = "Hello" }
    row._cache = { 1, 2 }
    row:save()
    row:update { views = 1 }
    row:delete()
    row:restore()
    row:reload()
    assert.are.same({ 1, 2 }, row._cache)
    row.titel = "x"
    local err = untouched("misuse", row, "save")
    assert.are.equal("Post has no field 'titel'", err.message)
    assert.are.equal("did you mean 'title'?", err.hint)
    row.titel, row[1] = nil, "x"
    untouched("misuse", row, "save")
  end)

  it("of a row that is gone raises not_found", function()
    local row = Post:create { title = "Hello" }
    Post.objects:get(1):purge()
    local err = untouched("not_found", row, "save")
    assert.are.equal("Cannot save record - Post 1 is gone", err.message)
    assert.are.equal("Post", err.model)
    untouched("not_found", row, "update", { views = 1 })
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("of a row that has died raises deleted, and reaches nothing", function()
    local row = Post:create { title = "Hello" }
    Post.objects:get(1):delete()
    row.views = 5
    local err = untouched("deleted", row, "save")
    assert.are.equal("Cannot save record - Post 1 is deleted", err.message)
    assert.are.equal("restore it first, or reload it", err.hint)
    untouched("deleted", row, "update", { views = 6 })
    assert.are.equal(0, Post.all_objects:get(1).views)
    local dead = Post.all_objects:get(1)
    untouched("deleted", dead, "save")
    untouched("deleted", dead, "update", { title = "x" })
  end)

  -- its texts may carry a suffix that the row has lost again meanwhile
  it("refuses a row that was dead when it was read", function()
    local row = Post:create { title = "Hello" }
    row:delete()
    Post.deleted_objects:filter({ id = 1 }):restore()
    untouched("deleted", row, "save")
    assert.are.equal("Hello", Post.objects:get(1).title)
  end)

  it("refused by the database, changes nothing", function()
    Post:create { title = "Taken" }
    local row = Post:create { title = "Hello" }
    row.title, row.views = "Taken", 9
    local err = untouched("integrity", row, "save")
    assert.are.equal("Cannot save record - title with value 'Taken' already exists", err.message)
    assert.are.equal("Taken", err.value)
    assert.are.equal(1, err.conflicts[1].live_pk)
    assert.are.same({ id = 2, title = "Hello", views = 0 }, copy(Post.objects:get(2)))
  end)
end)

describe("update", function()
  local _, Post

  before_each(function()
    _, Post = helper.blog()
  end)

  it("sets and writes just these", function()
    local row = Post:create { title = "Hello", content = "x" }
    row.content = "not saved"
    assert.is_true(rawequal(row, row:update { views = 7 }))
    assert.are.equal(7, row.views)
    assert.are.equal("not saved", row.content)
    assert.are.same({ id = 1, title = "Hello", content = "x", views = 7 }, copy(Post.objects:get(1)))
  end)

  it("takes arithmetic and shows what came of it", function()
    local row = Post:create { title = "Hello", views = 2 }
    Post.objects:get(1):update { views = 10 }
    row:update { views = F "views" * 2 + 1, content = "y" }
    assert.are.equal(21, row.views)
    assert.are.equal("y", row.content)
    assert.are.same(copy(Post.objects:get(1)), copy(row))
  end)

  it("takes null", function()
    local row = Post:create { title = "Hello", content = "x" }
    row:update { content = null }
    assert.is_nil(row.content)
    assert.is_nil(Post.objects:get(1).content)
    local err = untouched("validation", row, "update", { title = null })
    assert.are.equal("Post is not valid - title cannot be null", err.message)
  end)

  it("refused, leaves the row as it was", function()
    Post:create { title = "Taken" }
    local row = Post:create { title = "Hello", content = "x" }
    local err = untouched("integrity", row, "update", { title = "Taken", views = 5 })
    assert.are.equal("Cannot save record - title with value 'Taken' already exists", err.message)
    untouched("validation", row, "update", { views = "x", content = "y" })
    untouched("misuse", row, "update", { titel = "x" })
    untouched("misuse", row, "update", { title = F "title" + 1 })
    untouched("misuse", row, "update", { views = F "viws" + 1 })
    untouched("misuse", row, "update", { views = F "views" + "x" })
    untouched("misuse", row, "update", { deleted_at = 5 })
    untouched("misuse", row, "update", { deleted_at = null })
    assert.are.same({ id = 2, title = "Hello", content = "x", views = 0 }, copy(Post.objects:get(2)))
  end)

  it("tells all bad fields", function()
    local row = Post:create { title = "Hello" }
    local err = untouched("validation", row, "update", { title = 5, views = "x" })
    assert.are.equal("Post is not valid - title must be text, views must be an integer", err.message)
  end)

  it("refuses nothing to write, and what is no table", function()
    local row = Post:create { title = "Hello" }
    helper.refuses("misuse", "There is nothing to save", row.update, row, {})
    helper.refuses("misuse", "update takes a table of values, not a nil", row.update, row)
  end)
end)

describe("reload", function()
  local _, Post

  before_each(function()
    _, Post = helper.blog()
  end)

  it("shows what is there now", function()
    local row = Post:create { title = "Hello", content = "x" }
    Post.objects:get(1):update { views = 5, content = null }
    assert.is_true(rawequal(row, row:reload()))
    assert.are.same({ id = 1, title = "Hello", views = 5 }, copy(row))
  end)

  it("shows a deletion and a restore", function()
    local row = Post:create { title = "Hello" }
    local other = Post.objects:get(1)
    other:delete()
    assert.is_false(row:is_deleted())
    row:reload()
    assert.is_true(row:is_deleted())
    assert.are.same(copy(other), copy(row))
    other:restore()
    row:reload()
    assert.are.same({ id = 1, title = "Hello", views = 0 }, copy(row))
  end)

  it("of a row that is gone raises not_found and leaves it", function()
    local row = Post:create { title = "Hello" }
    Post.objects:get(1):purge()
    local err = untouched("not_found", row, "reload")
    assert.are.equal("The Post is gone", err.message)
  end)
end)

describe("a partial row", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
    Post:create { title = "Hello", content = "x", views = 3 }
  end)

  it("holds what was asked for and its key", function()
    local row = Post.objects:only("title"):get(1)
    assert.are.same({ id = 1, title = "Hello" }, copy(row))
    assert.are.same({ id = 1, title = "Hello" }, copy(Post.objects:only("id", "title"):first()))
    assert.are.same({ id = 1, title = "Hello" }, copy(Post.objects:only("title"):all()[1]))
  end)

  it("saves what it holds, and never what was not loaded", function()
    for _, load in ipairs {
      function(query)
        return query:get(1)
      end,
      function(query)
        return query:all()[1]
      end,
      function(query)
        return query:first()
      end,
      function(query)
        return query:find { id = 1 }
      end,
      function(query)
        return (query:each()())
      end,
      function(query)
        local stream = query:each { snapshot = true }
        local row = stream()
        stream:close()
        return row
      end,
      function(query)
        local stream = query:each { reuse = true }
        local row = stream()
        stream:close()
        return row
      end,
    } do
      db:exec "UPDATE post SET title = 'Hello', content = 'x', views = 3"
      local row = load(Post.objects:only("title", "views"))
      row.title, row.views = "Bye", 4
      row:save()
      assert.are.same({ id = 1, title = "Bye", content = "x", views = 4 }, copy(Post.objects:get(1)))
    end
  end)

  it("saves a field that was set though it was not loaded", function()
    local row = Post.objects:only("title"):get(1)
    row.views = 8
    row:save()
    assert.are.same({ id = 1, title = "Hello", content = "x", views = 8 }, copy(Post.objects:get(1)))
    row = Post.objects:only("title"):get(1)
    row.views = 9
    row:save { "views" }
    assert.are.equal(9, Post.objects:get(1).views)
  end)

  it("an absent column that was loaded is NULL", function()
    local row = Post.objects:only("title", "content"):get(1)
    row.content = nil
    row:save()
    assert.are.same({ id = 1, title = "Hello", views = 3 }, copy(Post.objects:get(1)))
  end)

  it("becomes whole by reload", function()
    local row = Post.objects:only("title"):get(1)
    row:reload()
    assert.are.same({ id = 1, title = "Hello", content = "x", views = 3 }, copy(row))
    row.content = nil
    row:save()
    assert.is_nil(Post.objects:get(1).content)
  end)

  it("can be updated, deleted and restored", function()
    local row = Post.objects:only("views"):get(1)
    row:update { content = "y" }
    assert.are.equal("y", row.content)
    row:delete()
    assert.is_true(row:is_deleted())
    assert.are.equal(0, Post.objects:count())
    row:restore()
    assert.is_false(row:is_deleted())
    row.views = 4
    row:save()
    assert.are.same({ id = 1, title = "Hello", content = "y", views = 4 }, copy(Post.objects:get(1)))
    row:purge()
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("of a dead row knows that it is dead", function()
    Post.objects:get(1):delete()
    local row = Post.all_objects:only("views"):get(1)
    assert.is_true(row:is_deleted())
    untouched("deleted", row, "save")
  end)

  it("with a version still notices who was first", function()
    local _, Doc = helper.blog(nil, { a = f.integer(), b = f.integer() }, { version = true })
    Doc:create { a = 1, b = 1 }
    local row = Doc.objects:only("a"):get(1)
    Doc.objects:get(1):update { b = 2 }
    row.a = 5
    untouched("stale", row, "save")
    row:reload()
    row.a = 5
    row:save()
    assert.are.equal(2, Doc.objects:get(1).b)
  end)
end)

describe("original", function()
  it("answers a value as it was, and any other as it is", function()
    local _, Post = helper.blog()
    local row = Post:create { title = "Hello", content = "x__deleted_1.000000" }
    assert.are.equal("Hello", row:original "title")
    row:delete()
    assert.are_not.equal("Hello", row.title)
    assert.are.equal("Hello", row:original "title")
    assert.are.equal("x__deleted_1.000000", row:original "content")
    assert.are.equal(0, row:original "views")
    assert.are.equal(1, row:original "id")
    local err = helper.refuses("misuse", "Post has no field 'titl'", row.original, row, "titl")
    assert.are.equal("did you mean 'title'?", err.hint)
    helper.raises("misuse", row.original, row)
  end)
end)
