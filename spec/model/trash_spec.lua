-- Soft delete: what delete, restore and purge do to rows and to queries, and what they leave.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local NOW = 1763880000

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

-- A blog on a clock that stands still.
local function blog(fields, options)
  local clock = helper.clock(NOW)
  local db, Post = helper.blog({ clock = clock.tell }, fields, options)
  return Post, db, clock
end

local function titles(query)
  return helper.list(query, "title")
end

-- A conflict of a title, as plans tell it.
local function of_title(told)
  told.model, told.constraint, told.fields = "Post", "unique", { "title" }
  return told
end

describe("delete of a row", function()
  local Post, db, clock

  before_each(function()
    Post, db, clock = blog()
  end)

  it("stamps it, frees its title and shows both", function()
    local row = Post:create { title = "Hello", content = "x" }
    local event = row:delete()
    assert.are.equal("Hello__deleted_1763880000.000000", row.title)
    assert.are.equal("Hello", row:original "title")
    assert.are.equal(NOW, row.deleted_at)
    assert.are.equal(event.id, row.deleted_event)
    assert.is_true(row:is_deleted())
    assert.are.equal(0, Post.objects:count())
    assert.are.equal(1, Post.all_objects:count())
    assert.are.same({ plain(row) }, all(Post.deleted_objects))
    Post:create { title = "Hello" }
  end)

  it("answers its event, a row like others", function()
    local row = Post:create { title = "Hello" }
    local event = row:delete { actor = "ana", reason = "spam" }
    assert.are.same(
      { id = 1, at = NOW, model = "Post", pk = "1", actor = "ana", reason = "spam" },
      plain(event)
    )
    assert.are.same({ plain(event) }, all(getmetatable(event).all_objects))
    event:reload()
    assert.is_nil(event.undone_at)
  end)

  it("answers nil when it was dead already, and changes nothing", function()
    local row = Post:create { title = "Hello" }
    local stale = Post.objects:get(1)
    row:delete()
    local before = plain(row)
    clock.now = NOW + 5
    assert.is_nil(row:delete())
    assert.are.same(before, plain(row))
    local stale_before = plain(stale)
    assert.is_nil(stale:delete())
    assert.are.same(stale_before, plain(stale))
    assert.are.same({ before }, all(Post.all_objects))
    assert.are.equal(1, #db:events())
  end)

  it("answers nil when it is gone", function()
    local row = Post:create { title = "Hello" }
    Post.objects:get(1):purge()
    assert.is_nil(row:delete())
    assert.are.equal(1, #db:events()) -- of the purge, which deletes first
  end)

  it("does not save what the program changed in the row", function()
    local row = Post:create { title = "Hello", content = "x" }
    row.content, row._note = "not saved", 5
    row:delete()
    assert.are.equal("not saved", row.content)
    assert.are.equal(5, row._note)
    assert.are.equal("x", Post.all_objects:get(1).content)
  end)

  it("stamps strictly later than any before, though the clock stands still or goes back", function()
    local stamps = {}
    for i = 1, 3 do
      local row = Post:create { title = "Hello" }
      row:delete()
      stamps[i] = row.deleted_at
      clock.now = clock.now - 1
    end
    assert.are.same({ NOW, NOW + 0.000001, NOW + 0.000002 }, stamps)
    assert.are.same({
      "Hello__deleted_1763880000.000000",
      "Hello__deleted_1763880000.000001",
      "Hello__deleted_1763880000.000002",
    }, titles(Post.deleted_objects))
  end)

  it("finds another stamp where the mangled text is taken", function()
    Post:create { title = "Hello__deleted_1763880000.000000" }
    Post:create { title = "Hello__deleted_1763880000.000001" }
    local row = Post:create { title = "Hello" }
    local event = row:delete()
    assert.are.equal("Hello__deleted_1763880000.000002", row.title)
    assert.are.equal(NOW + 0.000002, row.deleted_at)
    assert.are.equal(NOW + 0.000002, event:reload().at)
    row:restore()
    assert.are.equal("Hello", row.title)
  end)

  it("takes only options that it has", function()
    local row = Post:create { title = "Hello" }
    helper.refuses("misuse", "delete has no option 'actr'", row.delete, row, { actr = "ana" })
    helper.refuses("misuse", "actor is a text, not a number", row.delete, row, { actor = 5 })
    helper.refuses("misuse", "reason holds a zero byte", row.delete, row, { reason = "a\0b" })
    helper.raises("validation", row.delete, row, { reason = "\255" })
    helper.refuses("misuse", "delete takes a table of options, not a string", row.delete, row, "ana")
    assert.is_false(row:is_deleted())
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(0, #db:events())
  end)
end)

describe("delete of a query", function()
  local Post, db

  before_each(function()
    Post, db = blog()
    Post:bulk_create {
      { title = "a", views = 1 },
      { title = "b", views = 2 },
      { title = "c", views = 3 },
      { title = "d", views = 4 },
    }
  end)

  it("takes its living rows in one event, and counts them", function()
    local count, event = Post.objects:filter({ views__gte = 2 }):delete { actor = "ana", reason = "old" }
    assert.are.equal(3, count)
    assert.are.same({ id = 1, at = NOW, model = "Post", actor = "ana", reason = "old" }, plain(event))
    assert.are.same({ plain(event) }, all(getmetatable(event).all_objects))
    assert.are.same({ "a" }, titles(Post.objects))
    for _, row in ipairs(Post.deleted_objects:all()) do
      assert.are.equal(NOW, row.deleted_at)
      assert.are.equal(1, row.deleted_event)
    end
  end)

  it("of nothing makes no event", function()
    local count, event = Post.objects:filter({ views = 99 }):delete()
    assert.are.equal(0, count)
    assert.is_nil(event)
    assert.are.same({}, db:events())
    assert.are.equal(0, (Post.deleted_objects:filter({ views = 1 }):delete()))
  end)

  it("keeps to limit, offset and order", function()
    assert.are.equal(2, (Post.objects:order_by("-views"):limit(2):delete()))
    assert.are.same({ "a", "b" }, titles(Post.objects))
    assert.are.equal(1, (Post.objects:offset(1):delete()))
    assert.are.same({ "a" }, titles(Post.objects))
  end)

  it("of all_objects leaves the dead as they are", function()
    Post.objects:get(1):delete()
    local before = plain(Post.all_objects:get(1))
    assert.are.equal(1, (Post.all_objects:filter({ views__lte = 2 }):delete()))
    assert.are.same(before, plain(Post.all_objects:get(1)))
  end)

  it("of all rows must be meant", function()
    local err = helper.refuses(
      "misuse",
      "delete of all rows of Post must be meant",
      Post.objects.delete,
      Post.objects
    )
    assert.are.equal("pass { all = true }, or filter first", err.hint)
    helper.raises("misuse", Post.objects.delete, Post.objects, { actor = "ana" })
    helper.raises("misuse", Post.objects.delete, Post.objects:filter {})
    helper.raises("misuse", Post.objects.delete, Post.objects:order_by "title")
    helper.raises("misuse", Post.objects.delete, Post.objects:only "title")
    assert.are.equal(4, Post.objects:count())
    assert.are.equal(4, (Post.objects:delete { all = true }))
  end)

  it("of more rows than max_rows raises too_many and takes none", function()
    local query = Post.objects:filter { views__gte = 2 }
    local err = helper.refuses(
      "too_many",
      "Cannot delete records - 3 of Post would go, at most 2 may",
      query.delete,
      query,
      { max_rows = 2 }
    )
    assert.are.equal("narrow the query, or raise max_rows", err.hint)
    assert.are.equal("Post", err.model)
    assert.are.equal(4, Post.objects:count())
    assert.are.same({}, db:events())
    assert.are.equal(0, db:depth())
    assert.are.equal(3, (query:delete { max_rows = 3 }))
    for _, n in ipairs { 0, -1, "5", true } do
      helper.raises("misuse", Post.objects.delete, Post.objects:filter { id = 1 }, { max_rows = n })
    end
  end)

  it("takes only options that it has", function()
    helper.refuses(
      "misuse",
      "delete has no option 'maxrows'",
      Post.objects.delete,
      Post.objects,
      { maxrows = 1 }
    )
    helper.raises("misuse", Post.objects.delete, Post.objects, 5)
    helper.raises("misuse", Post.objects.delete, {})
    helper.raises("misuse", Post.objects.delete)
  end)
end)

describe("event ids", function()
  it("are not used twice by a connection, even after a rollback", function()
    local Post, db = blog()
    Post:bulk_create { { title = "a" }, { title = "b" }, { title = "c" } }
    local lost = Post.objects:get(1)
    pcall(db.transaction, db, function()
      lost:delete()
      error "no"
    end)
    local event = Post.objects:get(2):delete()
    assert.is_true(event.id > lost.deleted_event)
    event:undo()
    assert.is_true(Post.objects:get(3):delete().id > event.id)
  end)
end)

describe("unique values", function()
  local NASTY = {
    "x",
    "",
    " ",
    "a__deleted_1763880000.000000",
    "__deleted_",
    "__deleted_1.000000__deleted_1.000000",
    "日本語",
    "😀",
    "'; --",
    "100%",
    string.rep("y", 20),
    "ß__deleted_x",
  }

  for _, strategy in ipairs { "mangle", "live" } do
    it("of texts are freed by a deletion and come back by a restore, by " .. strategy, function()
      local Post, _, clock = blog { title = f.char { max_length = 40, unique = strategy } }
      for _, text in ipairs(NASTY) do
        local row = Post:create { title = text }
        local before = plain(row)
        for _ = 1, 3 do
          clock.now = clock.now + 0.5
          row:delete()
          if strategy == "live" then
            assert.are.equal(text, row.title)
          else
            assert.are.equal(text, row.title:sub(1, #text))
            assert.are_not.equal(text, row.title)
          end
          assert.are.equal(text, row:original "title")
          local other = Post:create { title = text }
          assert.are.equal(row.id, Post.deleted_objects:get({ title__original = text }).id)
          helper.raises("integrity", row.restore, row)
          other:purge()
          assert.is_true(row:restore())
          assert.are.same(before, plain(row))
          assert.are.same(before, plain(Post.objects:get(row.id)))
        end
      end
    end)
  end

  it("of other types are freed by an index of the living", function()
    for _, case in ipairs {
      { f.integer { unique = true }, 5 },
      { f.number { unique = true }, 0.5 },
      { f.datetime { unique = true }, 1000.5 },
      { f.blob { unique = true }, "\0\255" },
      { f.boolean { unique = true }, true },
    } do
      local Post = blog { v = case[1] }
      local row = Post:create { v = case[2] }
      local err = helper.raises("integrity", Post.create, Post, { v = case[2] })
      assert.are.equal("unique", err.constraint)
      assert.are.equal(case[2], err.value)
      row:delete()
      assert.are.equal(case[2], row.v)
      local other = Post:create { v = case[2] }
      err = helper.raises("integrity", row.restore, row)
      assert.are.equal(case[2], err.value)
      assert.are.equal(other.id, err.conflicts[1].live_pk)
      other:delete()
      assert.is_true(row:restore())
      assert.are.equal(case[2], Post.objects:get(row.id).v)
    end
  end)

  it("that are NULL are no conflict, dead or alive", function()
    for _, strategy in ipairs { "mangle", "live" } do
      local Post = blog { title = f.text { unique = strategy, null = true } }
      local one, two = Post:create {}, Post:create {}
      one:delete()
      two:delete()
      assert.is_nil(one.title)
      Post:create {}
      assert.is_true(one:restore())
      assert.is_true(two:restore())
      assert.is_nil(one.title)
    end
  end)

  it("of NOCASE texts are freed, and restored byte for byte", function()
    for _, strategy in ipairs { "mangle", "live" } do
      local Post = blog { title = f.text { unique = strategy, collate = "NOCASE" } }
      local row = Post:create { title = "HeLLo" }
      row:delete()
      local other = Post:create { title = "hello" }
      local err = helper.refuses(
        "integrity",
        "Cannot restore record - title with value 'HeLLo' already exists",
        row.restore,
        row
      )
      assert.are.equal(other.id, err.conflicts[1].live_pk)
      other:delete()
      row:restore()
      assert.are.equal("HeLLo", row.title)
    end
  end)

  for _, unique in ipairs { "mangle", "live" } do
    it("of composites are freed, by " .. unique, function()
      local Post = blog(
        { a = f.integer { null = true }, b = f.text { null = true }, c = f.text { null = true } },
        { unique_together = { { "a", "b", "c", unique = unique } } }
      )
      for _, values in ipairs { { a = 1, b = "x", c = "y" }, { a = 2, b = "x" } } do
        local row = Post:create(values)
        local before = plain(row)
        row:delete()
        assert.are.equal(values.b, row:original "b")
        assert.are.equal(values.c, row:original "c")
        local other = Post:create(values)
        if values.c then
          local err = helper.refuses(
            "integrity",
            "Cannot restore record - a, b, c with values 1, 'x', 'y' already exist",
            row.restore,
            row
          )
          assert.are.same({ "a", "b", "c" }, err.fields)
          assert.are.equal(other.id, err.conflicts[1].live_pk)
          other:delete()
        end
        row:restore()
        assert.are.same(before, plain(Post.objects:get(row.id)))
      end
    end)
  end

  it("of a composite mangle its last text that is not NULL, and no other", function()
    local Post = blog(
      { a = f.integer(), b = f.text { null = true }, c = f.text { null = true } },
      { unique_together = { { "b", "a", "c", unique = "mangle" } } }
    )
    local row = Post:create { a = 1, b = "x", c = "y" }
    row:delete()
    assert.are.same({ "x", "y__deleted_1763880000.000000" }, { row.b, row.c })
    row = Post:create { a = 2, b = "x" }
    row:delete()
    assert.are.same({ "x__deleted_1763880000.000001" }, { row.b, row.c })
    row = Post:create { a = 3 }
    row:delete()
    assert.is_nil(row.b)
    assert.is_nil(row.c)
  end)

  it('that are "always" unique are not freed', function()
    local Post =
      blog { title = f.text { unique = "always" }, v = f.integer { unique = "always", null = true } }
    local row = Post:create { title = "x", v = 5 }
    row:delete()
    assert.are.equal("x", row.title)
    local err = helper.refuses(
      "integrity",
      "Cannot create record - title with value 'x' belongs to a deleted row",
      Post.create,
      Post,
      { title = "x" }
    )
    assert.are.equal(1, err.conflicts[1].dead_pk)
    assert.is_nil(err.conflicts[1].live_pk)
    helper.raises("integrity", Post.create, Post, { title = "y", v = 5 })
    row:restore()
    assert.are.equal("x", row.title)
  end)

  it("follow the model's strategy", function()
    local Post = blog({ title = f.text { unique = true }, v = f.integer { unique = true } }, {
      soft_delete = { unique = "live" },
    })
    local row = Post:create { title = "x", v = 1 }
    row:delete()
    assert.are.equal("x", row.title)
    Post = blog({ title = f.text { unique = true }, v = f.integer { unique = true } }, {
      soft_delete = { unique = "mangle" },
    })
    row = Post:create { title = "x", v = 1 }
    row:delete()
    assert.are.equal("x__deleted_1763880000.000000", row.title)
    Post:create { title = "x", v = 1 }
    helper.refuses(
      "misuse",
      "Post.v is no text and cannot be mangled",
      blog,
      { v = f.integer { unique = "mangle" } }
    )
  end)

  it("are unique still among the living", function()
    for _, strategy in ipairs { "mangle", "live", "always" } do
      local Post = blog { title = f.text { unique = strategy } }
      Post:create { title = "x" }
      helper.raises("integrity", Post.create, Post, { title = "x" })
      assert.are.equal(1, Post.all_objects:count())
    end
  end)

  it("may outgrow max_length while dead: limits and checks bind the living", function()
    local Post = blog { title = f.char { max_length = 5, unique = true, check = "length(title) <= 5" } }
    local row = Post:create { title = "日本語日本" }
    row:delete()
    assert.is_true(#row.title > 30)
    row:restore()
    assert.are.equal("日本語日本", row.title)
  end)
end)

describe("restore of a row", function()
  local Post, db, clock

  before_each(function()
    Post, db, clock = blog()
  end)

  it("gives it back as it was", function()
    local row = Post:create { title = "Hello", content = "x", views = 7 }
    local before = plain(row)
    local event = row:delete()
    assert.is_true(row:restore())
    assert.are.same(before, plain(row))
    assert.are.same({ before }, all(Post.objects))
    assert.is_false(row:is_deleted())
    assert.is_nil(event:reload().undone_at)
  end)

  it("answers false when it is alive or gone", function()
    local row = Post:create { title = "Hello" }
    assert.is_false(row:restore())
    Post.objects:get(1):purge()
    assert.is_false(row:restore())
  end)

  it("reaches a row that only seems to be alive", function()
    local stale = Post:create { title = "Hello" }
    Post.objects:get(1):delete()
    assert.is_true(stale:restore())
    assert.are.same({ { id = 1, title = "Hello", views = 0 } }, all(Post.objects))
  end)

  it("refused, leaves the row and everything else as it was", function()
    local row = Post:create { title = "Hello", content = "old" }
    row:delete()
    local other = Post:create { title = "Hello", content = "new" }
    local before = plain(row)
    local err = helper.refuses(
      "integrity",
      "Cannot restore record - title with value 'Hello' already exists",
      row.restore,
      row
    )
    assert.are.equal("Post", err.model)
    assert.are.equal("unique", err.constraint)
    assert.are.same({ "title" }, err.fields)
    assert.are.same({ title = "already exists" }, err.reasons)
    assert.are.equal("Hello", err.value)
    assert.are.same({ { dead_pk = 1, live_pk = 2 } }, err.conflicts)
    assert.are.equal(
      'pass on_conflict = "skip", "rename", "replace" or a function; restore_plan() lists all conflicts',
      err.hint
    )
    assert.are.same(before, plain(row))
    assert.are.same({ before, plain(other) }, all(Post.all_objects))
    assert.are.equal(0, db:depth())
  end)

  it("strips the suffix of its own stamp and nothing else", function()
    local row = Post:create { title = "x__deleted_5.000000" }
    row:delete()
    row:restore()
    assert.are.equal("x__deleted_5.000000", row.title)
    -- a dead value that has no suffix of that stamp is restored as it is
    row:delete()
    db:exec("UPDATE post SET title = 'renamed__deleted_7.000000' WHERE id = ?", row.id)
    assert.are.equal("renamed__deleted_7.000000", row:reload():original "title")
    row:restore()
    assert.are.equal("renamed__deleted_7.000000", row.title)
  end)

  it("understands what the article's Django code wrote", function()
    for _, case in ipairs {
      { "2025-11-23 06:40:00.123456", "1763880000.123456" },
      { "2025-11-23 06:40:00.123000", "1763880000.123" },
      { "2025-11-23 06:40:00", "1763880000.0" },
      { "2025-11-23 06:40:00.100000", "1763880000.1" },
    } do
      db:exec(
        "INSERT INTO post (title, views, deleted_at) VALUES (?, 0, ?)",
        "Hello__deleted_" .. case[2],
        case[1]
      )
      local row = Post.deleted_objects:first()
      assert.are.equal("Hello", row:original "title")
      assert.is_true(row:restore())
      assert.are.equal("Hello", row.title)
      row:purge()
    end
  end)

  it("takes only options that it has", function()
    local row = Post:create { title = "Hello" }
    row:delete()
    local message = 'on_conflict is "fail", "skip", "rename", "replace" or a function'
    helper.refuses("misuse", message, row.restore, row, { on_conflict = "ignore" })
    helper.refuses("misuse", message, row.restore, row, { on_conflict = 5 })
    helper.refuses(
      "misuse",
      "restore has no option 'onconflict'",
      row.restore,
      row,
      { onconflict = "skip" }
    )
    helper.refuses("misuse", "restore takes a table of options, not a string", row.restore, row, "skip")
    assert.is_true(row:is_deleted())
    clock.now = NOW + 1
  end)
end)

describe("restore of a query", function()
  local Post, db

  before_each(function()
    Post, db = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("brings its dead rows back and counts them", function()
    Post.objects:filter({ views__gte = 2 }):delete()
    assert.are.equal(1, Post.deleted_objects:filter({ views = 3 }):restore())
    assert.are.same({ "a", "c" }, titles(Post.objects))
    assert.are.equal(1, Post.all_objects:filter({ views__gte = 1 }):restore())
    assert.are.equal(0, Post.all_objects:filter({ views__gte = 1 }):restore())
  end)

  it("keeps to limit, offset and order", function()
    Post.objects:delete { all = true }
    assert.are.equal(1, Post.deleted_objects:order_by("-views"):limit(1):restore())
    assert.are.same({ "c" }, titles(Post.objects))
    assert.are.equal(1, Post.deleted_objects:offset(1):restore())
    assert.are.same({ "b", "c" }, titles(Post.objects))
  end)

  it("of all rows must be meant, and objects holds none", function()
    Post.objects:delete { all = true }
    helper.refuses(
      "misuse",
      "restore of all rows of Post must be meant",
      Post.deleted_objects.restore,
      Post.deleted_objects
    )
    local query = Post.objects:filter { views = 1 }
    local err =
      helper.refuses("misuse", "objects holds no deleted rows to restore", query.restore, query)
    assert.are.equal("use deleted_objects or all_objects", err.hint)
    assert.are.equal(3, Post.deleted_objects:restore { all = true })
  end)

  it("is all or nothing", function()
    Post.objects:delete { all = true }
    Post:create { title = "b", views = 20 }
    local before = all(Post.all_objects)
    local err = helper.refuses(
      "integrity",
      "Cannot restore record - title with value 'b' already exists",
      Post.deleted_objects.restore,
      Post.deleted_objects,
      { all = true }
    )
    assert.are.same({ { dead_pk = 2, live_pk = 4 } }, err.conflicts)
    assert.are.same(before, all(Post.all_objects))
    assert.are.equal(0, db:depth())
  end)

  it("tells the first conflict in its order", function()
    Post.objects:delete { all = true }
    Post:bulk_create { { title = "c" }, { title = "a" } }
    local err =
      helper.raises("integrity", Post.deleted_objects.restore, Post.deleted_objects, { all = true })
    assert.are.equal(1, err.conflicts[1].dead_pk)
    local query = Post.deleted_objects:order_by "-id"
    err = helper.raises("integrity", query.restore, query, { all = true })
    assert.are.equal(3, err.conflicts[1].dead_pk)
  end)
end)

describe("on_conflict", function()
  local Post, db, clock

  -- Three dead rows a, b, c of the views 1, 2, 3; b is taken by a living row.
  before_each(function()
    Post, db, clock = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
    Post.objects:delete { all = true }
    Post:create { title = "b", views = 20 }
    clock.now = NOW + 100
  end)

  local function restore(options)
    options.all = true
    return Post.deleted_objects:restore(options)
  end

  it("fail lets nothing happen", function()
    helper.raises("integrity", restore, { on_conflict = "fail" })
    assert.are.equal(3, Post.deleted_objects:count())
  end)

  it("skip leaves the row dead", function()
    assert.are.equal(2, restore { on_conflict = "skip" })
    assert.are.same({ "a", "c", "b" }, titles(Post.objects))
    assert.are.equal(2, Post.deleted_objects:first().id)
    local row = Post.deleted_objects:first()
    local before = plain(row)
    assert.is_false(row:restore { on_conflict = "skip" })
    assert.are.same(before, plain(row))
  end)

  it("rename gives the row the first free name", function()
    assert.are.equal(3, restore { on_conflict = "rename" })
    assert.are.same({ "a", "b (restored)", "c", "b" }, titles(Post.objects))
    assert.are.equal(2, Post.objects:get({ title = "b (restored)" }).views)
    local row = Post.objects:get { title = "b" }
    row:delete()
    Post:create { title = "b" }
    assert.is_true(row:restore { on_conflict = "rename" })
    assert.are.equal("b (restored 2)", row.title)
    assert.are.equal("b (restored 2)", Post.objects:get(row.id).title)
  end)

  it("rename keeps to max_length, by characters", function()
    local Doc = blog { title = f.char { max_length = 16, unique = true } }
    local row = Doc:create { title = "日本語日本語日本語" }
    row:delete()
    Doc:create { title = "日本語日本語日本語" }
    row:restore { on_conflict = "rename" }
    assert.are.equal("日本語日本 (restored)", row.title)
    row:delete()
    Doc:create { title = "日本語日本 (restored)" }
    row:restore { on_conflict = "rename" }
    assert.are.equal(16, #row.title:gsub("[\128-\191]", ""))
    row:update { title = "x" }
  end)

  it("rename needs a text with room", function()
    local Doc = blog { v = f.integer { unique = true } }
    local row = Doc:create { v = 5 }
    row:delete()
    Doc:create { v = 5 }
    local err = helper.refuses(
      "integrity",
      "Cannot restore record - v with value 5 already exists",
      row.restore,
      row,
      { on_conflict = "rename" }
    )
    assert.are.equal(
      'rename needs a text with room for \' (restored)\'; use "skip", "replace" or a function',
      err.hint
    )
    Doc = blog { title = f.char { max_length = 5, unique = true } }
    row = Doc:create { title = "x" }
    row:delete()
    Doc:create { title = "x" }
    helper.raises("integrity", row.restore, row, { on_conflict = "rename" })
    assert.is_true(row:is_deleted())
    assert.are.equal(1, Doc.objects:count())
  end)

  it("replace soft-deletes the living twin in an event of its own", function()
    assert.are.equal(3, restore { on_conflict = "replace", actor = "ana", reason = "undo" })
    assert.are.same({ "a", "b", "c" }, titles(Post.objects))
    assert.are.equal(2, Post.objects:get({ title = "b" }).views)
    local twin = Post.deleted_objects:get(4)
    assert.are.equal("b", twin:original "title")
    local events = db:events()
    assert.are.same(
      { id = 2, at = NOW + 100, model = "Post", pk = "4", actor = "ana", reason = "undo" },
      plain(events[2])
    )
    assert.are.equal(2, twin.deleted_event)
    assert.is_true(twin:restore { on_conflict = "replace" })
    assert.are.equal(20, Post.objects:get({ title = "b" }).views)
  end)

  it("a function gets the row and the conflict, and answers a word", function()
    local seen = {}
    local count = restore {
      on_conflict = function(row, conflict)
        seen[#seen + 1] = { row.id, row:original "title", row:is_deleted(), conflict }
        return "rename"
      end,
    }
    assert.are.equal(3, count)
    assert.are.same({
      {
        2,
        "b",
        true,
        {
          model = "Post",
          message = "Cannot restore record - title with value 'b' already exists",
          fields = { "title" },
          value = "b",
          live_pk = 4,
          dead_pk = 2,
        },
      },
    }, seen)
    assert.are.same({ "a", "b (restored)", "c", "b" }, titles(Post.objects))
  end)

  it("a function may answer each of the words", function()
    for word, after in pairs {
      skip = { "a", "c", "b" },
      rename = { "a", "b (restored)", "c", "b" },
      replace = { "a", "b", "c" },
    } do
      pcall(db.transaction, db, function()
        restore {
          on_conflict = function()
            return word
          end,
        }
        assert.are.same(after, titles(Post.objects))
        error "undo"
      end)
      assert.are.equal(1, Post.objects:count())
    end
    local err = helper.raises("integrity", restore, {
      on_conflict = function()
        return "fail"
      end,
    })
    assert.are.equal("Cannot restore record - title with value 'b' already exists", err.message)
    assert.are.equal(3, Post.deleted_objects:count())
  end)

  it("a function may answer a table of new values", function()
    assert.are.equal(
      3,
      restore {
        on_conflict = function(row)
          return { title = row:original "title" .. "2", content = "renamed" }
        end,
      }
    )
    assert.are.same({ id = 2, title = "b2", content = "renamed", views = 2 }, plain(Post.objects:get(2)))
  end)

  it("new values are checked like any others", function()
    local function answering(values)
      return {
        on_conflict = function()
          return values
        end,
      }
    end
    helper.raises("validation", restore, answering { title = 5 })
    helper.raises("misuse", restore, answering { titel = "x" })
    helper.raises("misuse", restore, answering { id = 9 })
    helper.raises("misuse", restore, answering { deleted_at = 9 })
    local err = helper.raises("integrity", restore, answering { title = "b" })
    assert.are.equal("title", err.fields[1])
    err = helper.raises("integrity", restore, answering { content = "still taken" })
    assert.are.equal("title", err.fields[1])
    assert.are.equal(3, Post.deleted_objects:count())
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(0, db:depth())
  end)

  it(
    "a function that raises or answers nonsense undoes all, and its error comes out as it is",
    function()
      local mine = {}
      local ok, err = pcall(restore, {
        on_conflict = function()
          error(mine)
        end,
      })
      assert.is_false(ok)
      assert.is_true(rawequal(mine, err))
      for _, answer in ipairs { 5, true, print } do
        err = helper.refuses("misuse", "on_conflict answered a " .. type(answer), restore, {
          on_conflict = function()
            return answer
          end,
        })
        assert.are.equal('answer "fail", "skip", "rename", "replace" or a table of new values', err.hint)
      end
      helper.raises("misuse", restore, { on_conflict = function() end })
      helper.raises("misuse", restore, {
        on_conflict = function()
          return "ignore"
        end,
      })
      assert.are.equal(3, Post.deleted_objects:count())
      assert.are.equal(1, Post.objects:count())
      assert.are.equal(0, db:depth())
    end
  )

  it("a function may read and write, in the restore's transaction", function()
    restore {
      on_conflict = function(_, conflict)
        Post.objects:get(conflict.live_pk):update { title = "moved" }
        return { title = "b" }
      end,
    }
    assert.are.same({ "a", "b", "c", "moved" }, titles(Post.objects))
  end)

  it("works on one row as on many", function()
    local row = Post.deleted_objects:get(2)
    assert.is_true(row:restore {
      on_conflict = function(found, conflict)
        assert.are.equal(2, found.id)
        assert.are.equal(4, conflict.live_pk)
        return { title = "other" }
      end,
    })
    assert.are.equal("other", row.title)
    assert.is_false(row:is_deleted())
    row:delete()
    Post:create { title = "other" }
    assert.is_false(row:restore {
      on_conflict = function()
        return "skip"
      end,
    })
    assert.is_true(row:is_deleted())
  end)

  it("lets the first in order take the value among the restored themselves", function()
    local Doc = blog()
    for views = 1, 3 do
      Doc:create({ title = "same", views = views }):delete()
    end
    local err =
      helper.raises("integrity", Doc.deleted_objects.restore, Doc.deleted_objects, { all = true })
    assert.are.equal(2, err.conflicts[1].dead_pk)
    assert.are.equal(2, Doc.deleted_objects:restore({ all = true, on_conflict = "rename" }) - 1)
    assert.are.same({ "same", "same (restored)", "same (restored 2)" }, titles(Doc.objects))
    Doc = blog()
    for views = 1, 3 do
      Doc:create({ title = "same", views = views }):delete()
    end
    assert.are.equal(
      1,
      Doc.deleted_objects:order_by("-views"):restore { all = true, on_conflict = "skip" }
    )
    assert.are.same({ 3 }, helper.list(Doc.objects, "views"))
  end)
end)

describe("purge", function()
  local Post, db

  before_each(function()
    Post, db = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("of a row is the real DELETE, dead or alive", function()
    local row = Post.objects:get(1)
    row:delete()
    assert.is_true(row:purge())
    assert.is_nil(Post.all_objects:find(1))
    assert.is_true(Post.objects:get(2):purge())
    assert.is_nil(Post.all_objects:find(2))
    assert.is_false(row:purge())
    assert.are.equal(1, Post.all_objects:count())
  end)

  it("of a query takes the dead, and counts them", function()
    Post.objects:filter({ views__gte = 2 }):delete()
    assert.are.equal(1, Post.deleted_objects:filter({ views = 2 }):purge())
    assert.are.equal(2, Post.all_objects:count())
    helper.refuses(
      "misuse",
      "purge of all rows of Post must be meant",
      Post.deleted_objects.purge,
      Post.deleted_objects
    )
    assert.are.equal(1, Post.deleted_objects:purge { all = true })
    assert.are.same({ "a" }, titles(Post.all_objects))
  end)

  it("of living rows must be meant", function()
    for _, manager in ipairs { "objects", "all_objects" } do
      local query = Post[manager]:filter { views = 1 }
      local err = helper.refuses("misuse", "A purge of living rows must be meant", query.purge, query)
      assert.are.equal("use deleted_objects, or pass living = true", err.hint)
    end
    assert.are.equal(
      1,
      Post.objects:filter({ views = 1 }):purge { living = true, actor = "ana", reason = "gdpr" }
    )
    assert.are.equal(2, Post.all_objects:count())
    local event = db:events()[1]
    assert.are.equal("ana", event.actor)
    assert.are.equal("gdpr", event.reason)
    assert.are.equal(2, Post.all_objects:purge { living = true, all = true })
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("keeps to limit, offset and order", function()
    Post.objects:delete { all = true }
    assert.are.equal(1, Post.deleted_objects:order_by("-views"):limit(1):purge())
    assert.are.same({ 1, 2 }, helper.list(Post.all_objects, "id"))
    assert.are.equal(1, Post.deleted_objects:offset(1):purge())
    assert.are.same({ 1 }, helper.list(Post.all_objects, "id"))
  end)

  it("takes only options that it has", function()
    helper.refuses(
      "misuse",
      "purge has no option 'alive'",
      Post.objects.purge,
      Post.objects,
      { alive = true }
    )
    local row = Post.objects:get(1)
    helper.refuses("misuse", "purge has no option 'all'", row.purge, row, { all = true })
    assert.are.equal(3, Post.objects:count())
  end)
end)

describe("plans", function()
  local Post, db

  before_each(function()
    Post, db = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("of a deletion say what would go, and write nothing", function()
    assert.are.same({ Post = 2 }, Post.objects:filter({ views__gte = 2 }):delete_plan())
    Post.objects:get(1):delete()
    assert.are.same({ Post = 2 }, Post.all_objects:delete_plan())
    assert.are.same({ Post = 0 }, Post.deleted_objects:delete_plan())
    assert.are.same({ Post = 1 }, Post.objects:limit(1):delete_plan())
    assert.are.equal(1, #db:events())
    assert.are.equal(2, Post.objects:count())
  end)

  it("of a restore list rows and conflicts, and write nothing", function()
    Post.objects:delete { all = true }
    Post:create { title = "b" }
    Post:create({ title = "a" }):delete()
    local before = all(Post.all_objects)
    assert.are.same({
      rows = { Post = 4 },
      conflicts = {
        of_title { value = "b", dead_pk = 2, live_pk = 4 },
        of_title { value = "a", dead_pk = 5, twin_pk = 1 },
      },
      held_back = {},
      parents = {},
    }, Post.deleted_objects:restore_plan())
    assert.are.same(
      { rows = { Post = 1 }, conflicts = {}, held_back = {}, parents = {} },
      Post.deleted_objects:filter({ id = 1 }):restore_plan()
    )
    assert.are.same(before, all(Post.all_objects))
  end)

  it("are refused where nothing dies", function()
    local Doc = blog(nil, { soft_delete = false })
    for _, plan in ipairs { "delete_plan", "restore_plan" } do
      local err = helper.raises("misuse", Doc.objects[plan], Doc.objects)
      assert.is_truthy(err.message:find("Post has no soft delete", 1, true), err.message)
      helper.raises("misuse", Doc.objects[plan], 5)
    end
  end)
end)

describe("events", function()
  local Post, db, clock

  before_each(function()
    Post, db, clock = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
    Post.objects:get(1):delete { actor = "ana", reason = "spam" }
    clock.now = NOW + 100
    Post.objects:filter({ views__gte = 2 }):delete { actor = "bob" }
  end)

  local function ids(list)
    local found = {}
    for i, event in ipairs(list) do
      found[i] = event.id
    end
    return found
  end

  it("are listed, oldest first, by what is asked", function()
    assert.are.same({ 1, 2 }, ids(db:events()))
    assert.are.same({ 1, 2 }, ids(db:events {}))
    assert.are.same({ 2 }, ids(db:events { id = 2 }))
    assert.are.same({}, ids(db:events { id = 3 }))
    assert.are.same({ 1 }, ids(db:events { actor = "ana" }))
    assert.are.same({ 1 }, ids(db:events { reason = "spam" }))
    assert.are.same({}, ids(db:events { reason = "spam", actor = "bob" }))
    assert.are.same({ 1, 2 }, ids(db:events { model = "Post" }))
    assert.are.same({}, ids(db:events { model = "Other" }))
    assert.are.same({ 1 }, ids(db:events { pk = 1 }))
    assert.are.same({ 1 }, ids(db:events { pk = "1" }))
    assert.are.same({ 2 }, ids(db:events { since = NOW + 1 }))
    assert.are.same({ 1 }, ids(db:events { before = NOW + 100 }))
    assert.are.same({ 1, 2 }, ids(db:events { undone = false }))
    db:events({ actor = "ana" })[1]:undo()
    assert.are.same({ 1 }, ids(db:events { undone = true }))
    assert.are.same({ 2 }, ids(db:events { undone = false }))
  end)

  it("raise for what they do not know", function()
    helper.refuses("misuse", "events has no option 'actr'", db.events, db, { actr = "ana" })
    helper.raises("misuse", db.events, db, { actor = 5 })
    helper.raises("misuse", db.events, db, { since = "yesterday" })
    helper.raises("misuse", db.events, db, 5)
  end)

  it("undone, restore exactly what that deletion took", function()
    local event = db:events({ actor = "bob" })[1]
    assert.are.equal(2, event:undo())
    assert.are.same({ "b", "c" }, titles(Post.objects))
    assert.are.equal(NOW + 100, event.undone_at)
    assert.are.equal(1, Post.deleted_objects:first().id)
    clock.now = NOW + 200
    assert.are.equal(0, event:undo())
  end)

  it("undone, leave rows that were restored and deleted again", function()
    local event = db:events({ actor = "bob" })[1]
    local row = Post.deleted_objects:get(2)
    row:restore()
    row:delete()
    assert.are.equal(1, event:undo())
    assert.are.same({ "c" }, titles(Post.objects))
  end)

  it("know their rows and count them", function()
    local event = db:events({ actor = "bob" })[1]
    assert.are.same({ 2, 3 }, helper.list(event:rows(Post), "id"))
    assert.are.same({ Post = 2 }, event:counts())
    Post.deleted_objects:get(2):restore()
    assert.are.same({ Post = 1 }, event:counts())
    event:undo()
    assert.are.same({}, event:counts())
    helper.raises("misuse", event.rows, event, 5)
    helper.raises("misuse", event.rows, event)
  end)

  it("with conflicts raise and restore nothing, or do what on_conflict says", function()
    Post:create { title = "b" }
    local event = db:events({ actor = "bob" })[1]
    assert.are.same({
      rows = { Post = 2 },
      conflicts = { of_title { value = "b", dead_pk = 2, live_pk = 4 } },
      held_back = {},
      parents = {},
    }, event:restore_plan())
    local err = helper.refuses(
      "integrity",
      "Cannot restore record - title with value 'b' already exists",
      event.undo,
      event
    )
    assert.are.equal(4, err.conflicts[1].live_pk)
    assert.is_nil(event:reload().undone_at)
    assert.are.equal(3, Post.deleted_objects:count())
    helper.raises("misuse", event.undo, event, { on_conflict = "ignore" })
    helper.raises("misuse", event.undo, event, { onconflict = "skip" })
    assert.are.equal(1, event:undo { on_conflict = "skip" })
    assert.are.same({ "c", "b" }, titles(Post.objects))
    assert.is_truthy(event.undone_at)
    assert.are.equal(
      1,
      event:undo {
        on_conflict = function(row)
          return { title = row:original "title" .. "!" }
        end,
      }
    )
    assert.are.same({ "b!", "c", "b" }, titles(Post.objects))
  end)

  it("reach every model of the database", function()
    local Doc = db:model("Doc", { name = f.text { unique = true } })
    db:create_tables()
    Doc:create { name = "x" }
    local event = db:deletion({}, function()
      Doc.objects:delete { all = true }
      Post:create({ title = "d" }):delete()
    end)
    assert.are.same({ Doc = 1, Post = 1 }, event:counts())
    assert.are.equal(2, event:undo())
    assert.are.equal(1, Doc.objects:count())
  end)

  it("that are gone cannot be undone", function()
    local event = db:events()[1]
    db:exec "DELETE FROM tombstone_event"
    local err = helper.refuses("not_found", "There is no event 1 to undo", event.undo, event)
    assert.are.equal("not_found", err.kind)
    assert.are.equal(3, Post.deleted_objects:count())
    helper.raises("misuse", event.undo, {})
    helper.raises("misuse", event.undo)
  end)
end)

describe("db:deletion", function()
  local Post, db

  before_each(function()
    Post, db = blog()
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 2 }, { title = "c", views = 3 } }
  end)

  it("makes one event of many calls, and passes on what the function returns", function()
    local event, x, y = db:deletion({ actor = "ana", reason = "clean-up" }, function()
      Post.objects:get(1):delete { actor = "ana" }
      Post.objects:filter({ views = 3 }):delete()
      return 5, nil
    end)
    assert.are.equal(5, x)
    assert.is_nil(y)
    assert.are.same(
      { id = 1, at = NOW, model = "Post", actor = "ana", reason = "clean-up" },
      plain(event)
    )
    assert.are.equal(1, #db:events())
    assert.are.same({ 1, 1 }, helper.list(Post.deleted_objects, "deleted_event"))
    assert.are.equal(2, event:undo())
    assert.are.equal(3, Post.objects:count())
  end)

  it("takes no other actor or reason within, which would be lost", function()
    local dead = Post:create { title = "dead" }
    dead:delete()
    Post:create { title = "dead" }
    for what, options in pairs {
      ["the actor is 'ben', and the open deletion has the actor 'ana'"] = { actor = "ben" },
      ["the reason is 'x', and the open deletion has no reason"] = { reason = "x" },
    } do
      local verbs = { "delete", "delete", "delete", "restore", "restore" }
      local event = db:deletion({ actor = "ana" }, function()
        local row = Post.objects:get(1)
        for i, call in ipairs {
          function()
            row:delete(options)
          end,
          function()
            Post.objects:filter({ id = 1 }):delete(options)
          end,
          function()
            row:purge { actor = options.actor, reason = options.reason }
          end,
          function()
            dead:restore { on_conflict = "replace", actor = options.actor, reason = options.reason }
          end,
          function()
            dead:restore {
              on_conflict = function()
                return "replace"
              end,
              actor = options.actor,
              reason = options.reason,
            }
          end,
        } do
          local message = ("Cannot %s records - %s"):format(verbs[i], what)
          local err = helper.refuses("misuse", message, call)
          assert.is_truthy(err.hint:find("in db:deletion, whose event all of it is", 1, true), err.hint)
        end
        assert.are.equal(4, Post.objects:count())
        Post.objects:get(2):delete { actor = "ana" }
      end)
      assert.are.same({ "ana", 1 }, { event.actor, event:undo() })
    end
    Post.objects:get(1):delete { actor = "ben" } -- outside of it, it has an event of its own
  end)

  it("that takes nothing makes no event", function()
    local event, x = db:deletion({}, function()
      Post.objects:filter({ views = 99 }):delete()
      return "done"
    end)
    assert.is_nil(event)
    assert.are.equal("done", x)
    assert.are.same({}, db:events())
  end)

  it("rolls back with its error, as it was", function()
    local mine = {}
    local ok, err = pcall(db.deletion, db, {}, function()
      Post.objects:get(1):delete()
      error(mine)
    end)
    assert.is_false(ok)
    assert.is_true(rawequal(mine, err))
    assert.are.equal(3, Post.objects:count())
    assert.are.same({}, db:events())
    assert.are.equal(0, db:depth())
    local event = Post.objects:get(2):delete()
    assert.are.equal("2", event.pk)
  end)

  it("survives a part that is rolled back inside", function()
    local event = db:deletion({ actor = "ana" }, function()
      pcall(db.transaction, db, function()
        Post.objects:get(1):delete()
        error "no"
      end)
      Post.objects:get(2):delete()
    end)
    assert.are.same({ Post = 1 }, event:counts())
    assert.are.equal("ana", event.actor)
    assert.are.same({ "a", "c" }, titles(Post.objects))
    assert.are.equal(1, #db:events())
  end)

  it("is not opened twice, and takes options and a function", function()
    local err = helper.refuses("misuse", "A deletion is open already", db.deletion, db, {}, function()
      db:deletion({}, function() end)
    end)
    assert.are.equal("misuse", err.kind)
    helper.refuses("misuse", "deletion takes options and a function", db.deletion, db, function() end)
    helper.refuses(
      "misuse",
      "deletion has no option 'actr'",
      db.deletion,
      db,
      { actr = 1 },
      function() end
    )
    helper.refuses(
      "misuse",
      "actor is a text, not a number",
      db.deletion,
      db,
      { actor = 1 },
      function() end
    )
    helper.raises("misuse", db.deletion, {}, {}, function() end)
    assert.are.equal(0, db:depth())
  end)

  it("inside a transaction ends with it", function()
    db:transaction(function()
      local event = db:deletion({}, function()
        Post.objects:get(1):delete()
      end)
      assert.are.equal(event.id, Post.deleted_objects:first().deleted_event)
      local other = Post.objects:get(2):delete()
      assert.are_not.equal(event.id, other.id)
    end)
    assert.are.equal(2, #db:events())
  end)
end)

describe("retention", function()
  local Post, db, clock
  local DAY = 86400

  before_each(function()
    Post, db, clock = blog(nil, { soft_delete = { keep = "90d" } })
  end)

  local function fill(n, title)
    local list = {}
    for i = 1, n do
      list[i] = { title = title .. i }
    end
    Post:bulk_create(list)
    Post.objects:filter({ title__startswith = title }):delete()
  end

  it("purges what is longer in the trash than keep, and their events", function()
    fill(3, "old")
    clock.now = NOW + 60 * DAY
    fill(2, "young")
    Post:create { title = "alive" }
    clock.now = NOW + 90 * DAY
    assert.are.same({ Post = 0, events = 0 }, db:purge_expired())
    clock.now = NOW + 90 * DAY + 1
    assert.are.same({ Post = 3, events = 1 }, db:purge_expired { dry_run = true })
    assert.are.equal(6, Post.all_objects:count())
    assert.are.same({ Post = 3, events = 1 }, db:purge_expired())
    assert.are.equal(3, Post.all_objects:count())
    assert.are.equal(1, #db:events())
    assert.are.same({ Post = 0, events = 0 }, db:purge_expired())
    clock.now = NOW + 1000 * DAY
    assert.are.same({ Post = 2, events = 1 }, db:purge_expired())
    assert.are.same({ "alive" }, titles(Post.all_objects))
  end)

  it("goes in batches, to the end", function()
    fill(2500, "old")
    clock.now = NOW + 91 * DAY
    assert.are.same({ Post = 2500, events = 1 }, db:purge_expired())
    assert.are.equal(0, Post.all_objects:count())
  end)

  it("keeps an event as long as it holds a row, and those of other models", function()
    local Doc = db:model("Doc", { name = f.text() })
    db:create_tables()
    fill(1, "old")
    Doc:create({ name = "x" }):delete()
    clock.now = NOW + 91 * DAY
    db:exec("UPDATE post SET deleted_at = ?", "2026-02-20 00:00:00")
    assert.are.same({ Post = 0, events = 0 }, db:purge_expired())
    assert.are.equal(2, #db:events())
    assert.are.equal(1, Doc.all_objects:count())
  end)

  it("takes durations in words or seconds", function()
    for keep, seconds in pairs {
      ["1s"] = 1,
      ["2m"] = 120,
      ["3h"] = 10800,
      ["1d"] = DAY,
      ["2w"] = 14 * DAY,
      ["1.5h"] = 5400,
      [100] = 100,
    } do
      local Doc = blog(nil, { soft_delete = { keep = keep } })
      assert.are.equal(seconds, Doc:keep())
    end
    assert.is_nil((blog()):keep())
    for _, keep in ipairs { "90", "d", "90 d", "90x", "-1d", "0d", 0, -5, true } do
      helper.refuses(
        "misuse",
        "'" .. tostring(keep) .. "' is no duration",
        blog,
        nil,
        { soft_delete = { keep = keep } }
      )
    end
    helper.raises("misuse", blog, nil, { soft_delete = { keep = 0 / 0 } })
    helper.raises("misuse", blog, nil, { soft_delete = { keep = 1 / 0 } })
  end)

  it("takes only options that it has", function()
    helper.refuses(
      "misuse",
      "purge_expired has no option 'dryrun'",
      db.purge_expired,
      db,
      { dryrun = true }
    )
    helper.raises("misuse", db.purge_expired, db, 5)
    helper.raises("misuse", db.purge_expired, {})
  end)
end)

describe("as_of", function()
  it("shows the rows that lived then", function()
    local Post, _, clock = blog(nil, { timestamps = true })
    clock.now = 1000
    Post:create { title = "a" }
    clock.now = 2000
    Post:create { title = "b" }
    clock.now = 3000
    Post.objects:get({ title = "a" }):delete()
    clock.now = 4000
    Post:create { title = "c" }
    local function at(t)
      local found = {}
      for i, row in ipairs(Post.all_objects:as_of(t):all()) do
        found[i] = row:original "title"
      end
      return table.concat(found)
    end
    assert.are.same(
      { "", "a", "a", "ab", "ab", "b", "b", "bc", "bc" },
      { at(999), at(1000), at(1999), at(2000), at(2999.9), at(3000), at(3999), at(4000), at(1e11) }
    )
    assert.are.equal(1, Post.all_objects:as_of(2500):filter({ title = "b" }):count())
    assert.are.equal(1, Post.all_objects:filter({ title = "b" }):as_of(2500):count())
  end)

  it("needs timestamps, all_objects and a time", function()
    local Post = blog()
    local err = helper.refuses(
      "misuse",
      "as_of needs the times of creation of all rows of Post",
      Post.all_objects.as_of,
      Post.all_objects,
      5
    )
    assert.are.equal("declare timestamps = true and ask all_objects", err.hint)
    Post = blog(nil, { timestamps = true })
    helper.raises("misuse", Post.objects.as_of, Post.objects, 5)
    helper.raises("misuse", Post.deleted_objects.as_of, Post.deleted_objects, 5)
    for _, t in ipairs { "5", true, 1e18, 0 / 0, 1 / 0 } do
      helper.refuses(
        "misuse",
        "as_of takes a time between the years 0001 and 9999",
        Post.all_objects.as_of,
        Post.all_objects,
        t
      )
    end
    helper.raises("misuse", Post.all_objects.as_of, Post.all_objects)
  end)

  it("is for reading", function()
    local Post, _, clock = blog(nil, { timestamps = true })
    Post:create { title = "a" }
    clock.now = NOW + 1
    assert.are.equal(1, (Post.all_objects:as_of(NOW):delete()))
  end)
end)

describe("soft_delete", function()
  it("false turns it off", function()
    local Post, db = blog(nil, { soft_delete = false })
    local row = Post:create { title = "x" }
    assert.are.same({ id = 1, title = "x", views = 0 }, plain(row))
    local err = helper.refuses("misuse", "Post has no soft delete, so it cannot delete", row.delete, row)
    assert.are.equal("use purge, or turn soft_delete on", err.hint)
    local query = Post.objects:filter { id = 1 }
    helper.refuses("misuse", "Post has no soft delete, so it cannot delete", query.delete, query)
    helper.refuses("misuse", "Post has no soft delete, so it cannot restore", row.restore, row)
    query = Post.all_objects:filter { id = 1 }
    helper.refuses("misuse", "Post has no soft delete, so it cannot restore", query.restore, query)
    assert.is_false(row:is_deleted())
    assert.are.equal("x", row:original "title")
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal(0, Post.deleted_objects:count())
    helper.raises("integrity", Post.create, Post, { title = "x" })
    helper.refuses(
      "misuse",
      "A purge of living rows must be meant",
      Post.objects.purge,
      Post.objects:filter { id = 1 }
    )
    assert.are.equal(1, Post.objects:filter({ id = 1 }):purge { living = true })
    row = Post:create { title = "x" }
    assert.is_true(row:purge())
    assert.are.equal(0, Post.all_objects:count())
    assert.are.same({}, db:events())
  end)

  it("without events fits a table that has a stamp only", function()
    local Post, db = blog(nil, { soft_delete = { event = false } })
    local row = Post:create { title = "Hello" }
    assert.is_true(row:delete())
    assert.are.same(
      { id = 1, title = "Hello__deleted_1763880000.000000", views = 0, deleted_at = NOW },
      plain(row)
    )
    assert.is_nil(row:delete())
    Post:create { title = "Hello" }
    helper.raises("integrity", row.restore, row)
    assert.is_true(row:restore { on_conflict = "replace" })
    local count, event = Post.objects:filter({ id = 1 }):delete()
    assert.are.equal(1, count)
    assert.is_nil(event)
    assert.are.equal(1, Post.deleted_objects:filter({ id = 1 }):restore())
    assert.are.same({}, db:events())
    assert.are.equal(
      0,
      #db:query "SELECT name FROM pragma_table_info('post') WHERE name = 'deleted_event'"
    )
    event = db:deletion({}, function()
      return Post.objects:filter({ id = 1 }):delete()
    end)
    assert.is_nil(event)
  end)

  it("may call the stamp's column something else", function()
    local Post, db = blog(nil, { soft_delete = { column = "removed_on", event = "removed_by_event" } })
    local row = Post:create { title = "Hello" }
    row:delete()
    assert.are.equal(NOW, row.deleted_at)
    assert.are.same(
      { { removed_on = "2025-11-23 06:40:00", removed_by_event = 1 } },
      db:query "SELECT removed_on, removed_by_event FROM post"
    )
    assert.are.equal(1, Post.deleted_objects:filter({ deleted_at = NOW }):count())
    row:restore()
    assert.are.equal(1, Post.objects:count())
  end)

  it("true is the default", function()
    local Post = blog(nil, { soft_delete = true })
    assert.is_truthy(Post:create({ title = "x" }):delete())
  end)
end)
