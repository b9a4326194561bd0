-- Writes that are no row's own: update of a query, bulk_create, upsert, get_or_create.
local tombstone = require "tombstone"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F
local null = tombstone.null

local function plain(row)
  local fields = {}
  for name, value in pairs(row) do
    fields[name] = value
  end
  return fields
end

local function all(query)
  local list = {}
  for i, row in ipairs(query:all()) do
    list[i] = plain(row)
  end
  return list
end

describe("update of a query", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("writes its living rows and counts them", function()
    assert.are.equal(
      2,
      Post.objects:filter({ views__gte = 2 }):update { content = "x", views = F "views" * 10 }
    )
    assert.are.same({
      { id = 1, title = "a", views = 1 },
      { id = 2, title = "b", views = 20, content = "x" },
      { id = 3, title = "c", views = 30, content = "x" },
    }, all(Post.objects))
    assert.are.equal(0, Post.objects:filter({ views = 99 }):update { content = "y" })
    assert.are.equal(1, Post.objects:filter({ views = 20 }):update { content = null })
    assert.is_nil(Post.objects:get(2).content)
  end)

  it("computes from the values before it", function()
    db:transaction(function()
      local _, Pair = helper.blog(nil, { a = f.integer(), b = f.integer() })
      Pair:create { a = 1, b = 2 }
      Pair.objects:filter({ id = 1 }):update { a = F "b", b = F "a" }
      assert.are.same({ id = 1, a = 2, b = 1 }, plain(Pair.objects:get(1)))
    end)
  end)

  it("keeps to limit, offset and order", function()
    assert.are.equal(2, Post.objects:order_by("-views"):limit(2):update { content = "top" })
    assert.are.equal(
      "2 3",
      table.concat(helper.list(Post.objects:filter { content = "top" }, "id"), " ")
    )
    assert.are.equal(1, Post.objects:offset(2):update { content = "last" })
    assert.are.equal("last", Post.objects:get(3).content)
  end)

  it("of all rows must be meant", function()
    local err = helper.refuses(
      "misuse",
      "update of all rows of Post must be meant",
      Post.objects.update,
      Post.objects,
      { views = 0 }
    )
    assert.are.equal("pass { all = true }, or filter first", err.hint)
    helper.raises("misuse", Post.objects.update, Post.objects:filter {}, { views = 0 })
    helper.raises("misuse", Post.objects.update, Post.objects:order_by "-views", { views = 0 })
    assert.are.equal(3, Post.objects:update({ views = 0 }, { all = true }))
    assert.are.equal(3, Post.objects:filter({ views = 0 }):count())
  end)

  it("reaches living rows only", function()
    Post.objects:get(1):delete()
    assert.are.equal(2, Post.objects:update({ views = 7 }, { all = true }))
    assert.are.equal(1, Post.all_objects:get(1).views)
    for _, manager in ipairs { "all_objects", "deleted_objects" } do
      local query = Post[manager]:filter { id = 1 }
      local err =
        helper.refuses("misuse", "update reaches living rows only", query.update, query, { views = 5 })
      assert.are.equal("use objects, or restore the rows first", err.hint)
    end
    assert.are.equal(1, Post.all_objects:get(1).views)
  end)

  it("refused, changes no row at all", function()
    local before = all(Post.objects)
    local query = Post.objects:filter { id__gte = 1 }
    local err = helper.refuses(
      "integrity",
      "Cannot update records - title with value 'same' already exists",
      query.update,
      query,
      { title = "same" }
    )
    assert.are.equal("unique", err.constraint)
    assert.are.same({ "title" }, err.fields)
    helper.refuses(
      "validation",
      "Post is not valid - views must be an integer",
      query.update,
      query,
      { views = "x" }
    )
    helper.refuses("misuse", "There is nothing to update", query.update, query, {})
    helper.refuses("misuse", "update takes a table of values, not a nil", query.update, query)
    helper.refuses("misuse", "Post has no field 'viws'", query.update, query, { viws = 1 })
    helper.refuses("misuse", "Post has no field 'viws'", query.update, query, { views = F "viws" })
    helper.refuses(
      "misuse",
      "Post.title takes no arithmetic",
      query.update,
      query,
      { title = F "views" + 1 }
    )
    helper.refuses(
      "misuse",
      "Post.deleted_at cannot be updated",
      query.update,
      query,
      { deleted_at = 5 }
    )
    helper.refuses(
      "misuse",
      "update has no option 'al'",
      query.update,
      query,
      { views = 1 },
      { al = true }
    )
    assert.are.same(before, all(Post.objects))
  end)

  it("keeps integers integers, however they are computed", function()
    local query = Post.objects:filter { id = 1 }
    query:update { views = F "views" * 2.0 }
    assert.are.equal("2", tostring(Post.objects:get(1).views))
    query:update { views = F "views" / 4 }
    assert.are.equal("0", tostring(Post.objects:get(1).views))
    helper.refuses(
      "misuse",
      "Post.views takes arithmetic over integers only",
      query.update,
      query,
      { views = F "views" * 1.5 }
    )
    if helper.has_integers then
      query:update { views = math.maxinteger } -- luacheck: ignore 143
      local err = helper.raises("database", query.update, query, { views = F "views" + 1 })
      assert.are.equal("integer overflow", err.message)
      assert.are.equal(math.maxinteger, Post.objects:get(1).views) -- luacheck: ignore 143
    end
  end)

  it("keeps numbers finite, however they are computed", function()
    local _, Doc = helper.blog(nil, { v = f.number() })
    local row = Doc:create { v = 1e308 }
    local err = helper.raises("database", row.update, row, { v = F "v" * 10 })
    assert.are.equal("number overflow", err.message)
    row:update { v = F "v" / 10 + 0.5 }
    assert.are.equal(1e307, Doc.objects:get(1).v)
  end)

  it("of nothing divided by zero is NULL, which a field may refuse", function()
    local query = Post.objects:filter { id = 1 }
    local err = helper.raises("integrity", query.update, query, { views = F "views" / 0 })
    assert.are.equal("not_null", err.constraint)
    assert.are.same({ "views" }, err.fields)
  end)
end)

describe("bulk_create", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("answers the rows in their order, whole", function()
    local rows = Post:bulk_create { { title = "a" }, { title = "b", views = 5 } }
    assert.are.same({ { id = 1, title = "a", views = 0 }, { id = 2, title = "b", views = 5 } }, {
      plain(rows[1]),
      plain(rows[2]),
    })
    assert.is_true(rawequal(Post, getmetatable(rows[1])))
    assert.are.same(all(Post.objects), { plain(rows[1]), plain(rows[2]) })
    rows[2]:update { views = 6 }
  end)

  it("takes none", function()
    assert.are.same({}, Post:bulk_create {})
  end)

  it("takes thousands", function()
    local list = {}
    for i = 1, 5000 do
      list[i] = { title = "t" .. i }
    end
    assert.are.equal(5000, #Post:bulk_create(list))
    assert.are.equal(5000, Post.objects:count())
  end)

  it("is all or nothing, and tells which row it was", function()
    local list = { { title = "a" }, { title = "b" }, { title = "a" }, { title = "c" } }
    local err = helper.refuses(
      "integrity",
      "Cannot create record - title with value 'a' already exists",
      Post.bulk_create,
      Post,
      list
    )
    assert.are.equal(3, err.index)
    assert.are.equal("a", err.value)
    assert.are.equal(0, Post.all_objects:count())
    assert.are.equal(0, db:depth())
    err = helper.raises(
      "validation",
      Post.bulk_create,
      Post,
      { { title = "a" }, { title = 5, views = "x" } }
    )
    assert.are.equal(2, err.index)
    assert.are.same({ "title", "views" }, err.fields)
    err = helper.raises("misuse", Post.bulk_create, Post, { { title = "a" }, { titel = "b" } })
    assert.are.equal(2, err.index)
    err = helper.raises("misuse", Post.bulk_create, Post, { { title = "a" }, "b" })
    assert.are.equal(2, err.index)
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("re-raises what a default function raised, as it was", function()
    local mine = setmetatable({}, {})
    local _, Doc = helper.blog(
      nil,
      { v = f.integer {
        default = function()
          error(mine)
        end,
      } }
    )
    local ok, err = pcall(Doc.bulk_create, Doc, { {} })
    assert.is_false(ok)
    assert.is_true(rawequal(mine, err))
    assert.is_nil(rawget(mine, "index"))
  end)

  it("inside a transaction undoes itself alone", function()
    db:transaction(function()
      Post:create { title = "before" }
      helper.raises("integrity", Post.bulk_create, Post, { { title = "a" }, { title = "before" } })
      Post:create { title = "a" }
    end)
    assert.are.same({ "before", "a" }, helper.list(Post.objects, "title"))
  end)

  it("takes a list of tables only", function()
    helper.refuses("misuse", "bulk_create takes a table of values, not a nil", Post.bulk_create, Post)
    helper.refuses(
      "misuse",
      "bulk_create takes a list of tables",
      Post.bulk_create,
      Post,
      { title = "a" }
    )
    local message = "bulk_create takes a table of options, not a number"
    helper.refuses("misuse", message, Post.bulk_create, Post, { { title = "a" } }, 5)
    assert.are.equal(0, Post.objects:count())
  end)
end)

describe("upsert", function()
  local Post

  before_each(function()
    local _
    _, Post = helper.blog()
  end)

  it("inserts where nobody has the unique values", function()
    local row = Post:upsert({ title = "a", views = 3 }, { on = "title" })
    assert.are.same({ id = 1, title = "a", views = 3 }, plain(row))
    assert.is_true(rawequal(Post, getmetatable(row)))
  end)

  it("updates the living row that has them, by all that was given", function()
    Post:create { title = "a", content = "old", views = 1 }
    local row = Post:upsert({ title = "a", views = 3 }, { on = "title" })
    assert.are.same({ id = 1, title = "a", content = "old", views = 3 }, plain(row))
    assert.are.same({ plain(row) }, all(Post.objects))
    row = Post:upsert({ title = "a", content = null }, { on = { "title" } })
    assert.are.same({ id = 1, title = "a", views = 3 }, plain(row))
  end)

  it("does not update by defaults, which were not given", function()
    Post:create { title = "a", views = 9 }
    assert.are.equal(9, Post:upsert({ title = "a", content = "x" }, { on = "title" }).views)
    local calls = 0
    local _, Doc = helper.blog(nil, {
      k = f.text { unique = true },
      v = f.integer {
        default = function()
          calls = calls + 1
          return calls
        end,
      },
    })
    assert.are.equal(1, Doc:upsert({ k = "a" }, { on = "k" }).v)
    assert.are.equal(1, Doc:upsert({ k = "a" }, { on = "k" }).v)
  end)

  it("answers the row where there is nothing to update", function()
    Post:create { title = "a", views = 9 }
    assert.are.same(
      { id = 1, title = "a", views = 9 },
      plain(Post:upsert({ title = "a" }, { on = "title" }))
    )
    assert.are.same(
      { id = 1, title = "a", views = 9 },
      plain(Post:upsert({ title = "a", views = 1 }, { on = "title", update = {} }))
    )
  end)

  it("that changes nothing leaves the stamps alone too", function()
    local clock = helper.clock(1000)
    local db = tombstone.open(":memory:", { clock = clock.tell })
    local Doc = db:model("Doc", { k = f.text { unique = true } }, { timestamps = true, version = true })
    db:create_tables()
    local row = Doc:create { k = "a" }
    clock.now = 2000
    assert.are.same(plain(row), plain(Doc:upsert({ k = "a" }, { on = "k" })))
    assert.are.same(plain(row), plain(Doc:upsert({ id = 1, k = "z" }, { on = "id", update = {} })))
    row = Doc:upsert({ id = 1, k = "z" }, { on = "id" })
    assert.are.same({ id = 1, k = "z", version = 2, created_at = 1000, updated_at = 2000 }, plain(row))
  end)

  it("updates by the names in update, or by its values and arithmetic", function()
    Post:create { title = "a", content = "old", views = 1 }
    local row = Post:upsert(
      { title = "a", content = "new", views = 5 },
      { on = "title", update = { "views" } }
    )
    assert.are.same({ id = 1, title = "a", content = "old", views = 5 }, plain(row))
    row = Post:upsert({ title = "a", views = 1 }, { on = "title", update = { views = F "views" + 1 } })
    assert.are.same({ id = 1, title = "a", content = "old", views = 6 }, plain(row))
    row = Post:upsert({ title = "a" }, { on = "title", update = { content = null, views = 0 } })
    assert.are.same({ id = 1, title = "a", views = 0 }, plain(row))
    row = Post:upsert({ title = "b", views = 1 }, { on = "title", update = { views = F "views" + 1 } })
    assert.are.equal("b", row.title)
    assert.are.equal(1, row.views)
  end)

  it("goes by the key too", function()
    Post:create { id = 5, title = "a" }
    assert.are.same(
      { id = 5, title = "b", views = 0 },
      plain(Post:upsert({ id = 5, title = "b" }, { on = "id" }))
    )
    assert.are.same(
      { id = 6, title = "c", views = 0 },
      plain(Post:upsert({ id = 6, title = "c" }, { on = "id" }))
    )
  end)

  it("goes by several fields that are unique together", function()
    local _, Doc = helper.blog(nil, { a = f.integer(), b = f.text(), v = f.integer() }, {
      unique_together = { "a", "b" },
    })
    Doc:upsert({ a = 1, b = "x", v = 1 }, { on = { "a", "b" } })
    Doc:upsert({ a = 1, b = "y", v = 2 }, { on = { "b", "a" } })
    Doc:upsert({ a = 1, b = "x", v = 3 }, { on = { "a", "b" } })
    assert.are.same(
      { { id = 1, a = 1, b = "x", v = 3 }, { id = 2, a = 1, b = "y", v = 2 } },
      all(Doc.objects)
    )
    helper.raises("misuse", Doc.upsert, Doc, { a = 1, b = "x", v = 3 }, { on = "a" })
    helper.raises("misuse", Doc.upsert, Doc, { a = 1, b = "x", v = 3 }, { on = { "a", "v" } })
    helper.raises("misuse", Doc.upsert, Doc, { a = 1, b = "x", v = 3 }, { on = { "a", "b", "v" } })
  end)

  it("raises where another unique value is taken, and changes nothing", function()
    local _, Doc = helper.blog(nil, { a = f.text { unique = true }, b = f.text { unique = true } })
    Doc:create { a = "1", b = "1" }
    Doc:create { a = "2", b = "2" }
    local err = helper.refuses(
      "integrity",
      "Cannot upsert record - b with value '2' already exists",
      Doc.upsert,
      Doc,
      { a = "1", b = "2" },
      { on = "a" }
    )
    assert.are.equal(2, err.conflicts[1].live_pk)
    err = helper.raises("integrity", Doc.upsert, Doc, { a = "3", b = "2" }, { on = "a" })
    assert.are.same({ "b" }, err.fields)
    assert.are.same({ { id = 1, a = "1", b = "1" }, { id = 2, a = "2", b = "2" } }, all(Doc.objects))
  end)

  it("validates before it writes", function()
    Post:create { title = "a" }
    helper.raises("validation", Post.upsert, Post, { title = "a", views = "x" }, { on = "title" })
    helper.raises(
      "validation",
      Post.upsert,
      Post,
      { title = "a" },
      { on = "title", update = { views = "x" } }
    )
    helper.raises(
      "misuse",
      Post.upsert,
      Post,
      { title = "a" },
      { on = "title", update = { titel = "x" } }
    )
    helper.raises("misuse", Post.upsert, Post, { title = "a" }, { on = "title", update = { id = 9 } })
    helper.raises("misuse", Post.upsert, Post, { titel = "a" }, { on = "title" })
    assert.are.same({ { id = 1, title = "a", views = 0 } }, all(Post.objects))
  end)

  it("needs to know what decides", function()
    local err = helper.refuses(
      "misuse",
      "upsert needs `on`, the unique fields that decide",
      Post.upsert,
      Post,
      { title = "a" }
    )
    assert.are.equal('as in upsert(values, { on = "title" })', err.hint)
    helper.raises("misuse", Post.upsert, Post, { title = "a" }, { on = {} })
    helper.refuses(
      "misuse",
      "Post: upsert needs a unique field in `on`",
      Post.upsert,
      Post,
      { title = "a" },
      { on = "views" }
    )
    helper.refuses(
      "misuse",
      "Post has no field 'titel'",
      Post.upsert,
      Post,
      { title = "a" },
      { on = "titel" }
    )
    helper.refuses(
      "misuse",
      "upsert has no option 'onn'",
      Post.upsert,
      Post,
      { title = "a" },
      { on = "title", onn = 1 }
    )
    helper.raises("misuse", Post.upsert, Post, { title = "a" }, { on = "title", update = 5 })
    helper.raises("misuse", Post.upsert, Post)
  end)

  -- A dead twin: what each policy does with it, under each strategy of unique values.
  for _, strategy in ipairs { "mangle", "live" } do
    describe("with a dead twin, unique by " .. strategy .. ",", function()
      local Doc

      before_each(function()
        local _
        _, Doc = helper.blog(nil, {
          title = f.text { unique = strategy },
          views = f.integer { default = 0 },
        })
        Doc:create({ title = "a", views = 1 }):delete()
        Doc:create({ title = "a", views = 2 }):delete()
      end)

      it("makes a new row", function()
        for _, options in ipairs { { on = "title" }, { on = "title", on_deleted = "new" } } do
          local row = Doc:upsert({ title = "a", views = 7 }, options)
          assert.are.equal(3, row.id)
          assert.are.equal(7, row.views)
        end
        assert.are.equal(2, Doc.deleted_objects:count())
      end)

      it("restores the one that died last, and updates it", function()
        local row = Doc:upsert({ title = "a", views = 7 }, { on = "title", on_deleted = "restore" })
        assert.are.same({ id = 2, title = "a", views = 7 }, plain(row))
        assert.is_false(row:is_deleted())
        assert.are.equal(1, Doc.deleted_objects:count())
        row = Doc:upsert({ title = "a", views = 8 }, { on = "title", on_deleted = "restore" })
        assert.are.same({ id = 2, title = "a", views = 8 }, plain(row))
        assert.are.equal(1, Doc.deleted_objects:count())
      end)

      it("refuses", function()
        local err = helper.refuses(
          "deleted",
          "Cannot upsert record - title with value 'a' belongs to a deleted row",
          Doc.upsert,
          Doc,
          { title = "a", views = 7 },
          { on = "title", on_deleted = "refuse" }
        )
        assert.are.same({ "title" }, err.fields)
        assert.are.equal("a", err.value)
        assert.are.equal("restore that row, or pass on_deleted", err.hint)
        assert.are.equal(2, err.conflicts[1].dead_pk)
        assert.are.equal(0, Doc.objects:count())
        Doc:create { title = "a", views = 5 }
        Doc:upsert({ title = "a", views = 7 }, { on = "title", on_deleted = "refuse" })
        Doc:upsert({ title = "b", views = 7 }, { on = "title", on_deleted = "refuse" })
        assert.are.same({ 7, 7 }, helper.list(Doc.objects, "views"))
      end)

      it("knows no other words", function()
        helper.refuses(
          "misuse",
          'on_deleted is "new", "restore" or "refuse"',
          Doc.upsert,
          Doc,
          { title = "a" },
          { on = "title", on_deleted = "revive" }
        )
        helper.raises("misuse", Doc.upsert, Doc, { title = "a" }, { on = "title", on_deleted = 5 })
      end)
    end)
  end

  it("of a dead key raises deleted, or restores it", function()
    Post:create({ id = 5, title = "a" }):delete()
    local err = helper.raises("deleted", Post.upsert, Post, { id = 5, title = "b" }, { on = "id" })
    assert.are.equal("Cannot upsert record - id with value 5 belongs to a deleted row", err.message)
    assert.are.equal(0, Post.objects:count())
    local row = Post:upsert({ id = 5, title = "b" }, { on = "id", on_deleted = "restore" })
    assert.are.same({ id = 5, title = "b", views = 0 }, plain(row))
    assert.are.equal(1, Post.all_objects:count())
  end)
end)

describe("get_or_create", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("finds the living row that matches, or creates one", function()
    local row, created = Post:get_or_create({ title = "a" }, { views = 5 })
    assert.is_true(created)
    assert.are.same({ id = 1, title = "a", views = 5 }, plain(row))
    row, created = Post:get_or_create({ title = "a" }, { views = 9 })
    assert.is_false(created)
    assert.are.same({ id = 1, title = "a", views = 5 }, plain(row))
    row, created = Post:get_or_create { title = "b" }
    assert.is_true(created)
    assert.are.equal(2, row.id)
  end)

  it("of several rows raises multiple", function()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 1 } }
    helper.raises("multiple", Post.get_or_create, Post, { views = 1 }, { title = "c" })
    assert.are.equal(2, Post.objects:count())
  end)

  it("refused, changes nothing", function()
    Post:create { title = "a" }
    helper.raises("integrity", Post.get_or_create, Post, { views = 77 }, { title = "a" })
    helper.raises("validation", Post.get_or_create, Post, { views = 77 })
    helper.raises("misuse", Post.get_or_create, Post, { titel = "a" })
    helper.raises("misuse", Post.get_or_create, Post, { title = "b" }, { viws = 1 })
    helper.refuses("misuse", "get_or_create takes tables of values", Post.get_or_create, Post)
    helper.refuses(
      "misuse",
      "get_or_create takes tables of values",
      Post.get_or_create,
      Post,
      { title = "b" },
      5
    )
    helper.refuses(
      "misuse",
      "get_or_create has no option 'on_delete'",
      Post.get_or_create,
      Post,
      { title = "b" },
      {},
      { on_delete = 1 }
    )
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal(0, db:depth())
  end)

  it("takes null in what it matches", function()
    Post:create { title = "a", content = "x" }
    local row, created = Post:get_or_create({ content = null }, { title = "b" })
    assert.is_true(created)
    assert.are.equal("b", row.title)
    row, created = Post:get_or_create({ content = null }, { title = "c" })
    assert.is_false(created)
    assert.are.equal("b", row.title)
  end)

  for _, strategy in ipairs { "mangle", "live" } do
    it("with a dead twin, unique by " .. strategy .. ", does what on_deleted says", function()
      local _, Doc =
        helper.blog(nil, { title = f.text { unique = strategy }, views = f.integer { default = 0 } })
      Doc:create({ title = "a", views = 1 }):delete()
      Doc:create({ title = "a", views = 2 }):delete()
      local err = helper.refuses(
        "deleted",
        "Cannot create record - a deleted row matches",
        Doc.get_or_create,
        Doc,
        { title = "a" },
        {},
        { on_deleted = "refuse" }
      )
      assert.are.equal("restore it, or pass on_deleted", err.hint)
      local row, created = Doc:get_or_create({ title = "a" }, { views = 9 }, { on_deleted = "restore" })
      assert.is_false(created)
      assert.are.same({ id = 2, title = "a", views = 2 }, plain(row))
      assert.are.equal(1, Doc.objects:count())
      row:delete()
      row, created = Doc:get_or_create({ title = "a" }, { views = 9 }, { on_deleted = "new" })
      assert.is_true(created)
      assert.are.same({ id = 3, title = "a", views = 9 }, plain(row))
      row:delete()
      row, created = Doc:get_or_create { title = "a" }
      assert.is_true(created)
      assert.are.equal(4, row.id)
      helper.raises("misuse", Doc.get_or_create, Doc, { title = "zz" }, {}, { on_deleted = "x" })
    end)
  end
end)
