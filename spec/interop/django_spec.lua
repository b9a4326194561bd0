-- One file, two programs: Django with the article's code, and tombstone. What one of
-- them has deleted the other lists, restores and refuses to restore, in the same words.
local tombstone = require "tombstone"
local helper = require "helper"
local app = require "interop.django"

local NOON = 1763899200 -- 2025-11-23 12:00:00 UTC
local SECOND = 1000000

-- ---- both sides, in one shape --------------------------------------------------------

-- A row for comparison: its stamp in whole microseconds, or false.
local function plain(row)
  return {
    id = row.id,
    title = row.title,
    content = row.content,
    deleted = row.deleted_at and math.floor(row.deleted_at * SECOND + 0.5) or false,
  }
end

local function plain_rows(query)
  local rows = query:order_by("id"):all()
  for i, row in ipairs(rows) do
    rows[i] = plain(row)
  end
  return rows
end

local function titles(query)
  return table.concat(query:order_by("id"):pluck "title", " | ")
end

describe("with Django's rows", function()
  local path, db, now, Post

  -- Calls into Django, one after the other: their answers.
  local function django(steps)
    local given = app.ask(path, helper.unpack(steps))
    assert.is_table(given, given)
    return helper.unpack(given, 1, #steps)
  end

  local function open()
    db = tombstone.open(path, { clock = function() return now end })
    Post = db:model("Post", {
      title = tombstone.field.char { max_length = 100, unique = true },
      content = tombstone.field.text(),
    }, { table = "blog_post", soft_delete = { event = false } })
  end

  -- Both sides have the same rows.
  local function assert_alike()
    local living, all = django { { "rows", "objects" }, { "rows", "all_objects" } }
    assert.same(living, plain_rows(Post.objects))
    assert.same(all, plain_rows(Post.all_objects))
  end

  setup(function()
    if app.is_there then
      app.start()
    end
  end)

  teardown(function()
    if app.is_there then
      app.stop()
    end
  end)

  before_each(function()
    now = NOON
    path = helper.path()
  end)

  after_each(function()
    if db then
      db:close()
      db = nil
    end
    helper.clean()
  end)

  local function check(name, body)
    it(name, function()
      if not app.is_there then
        pending "needs Debian's python3-django and lua-cjson"
        return
      end
      body()
    end)
  end

  -- What becomes of each title: it is deleted at that time, with that many microseconds
  -- behind the second.
  local TITLES = {
    { "Hello", 123456 },
    { "On the second", 0 }, -- Django stores no fraction then, and writes ".0"
    { "Half past", 500000 }, -- ".5"
    { "The first of them", 1 }, -- ".000001"
    { "The last of them", 999999 },
    { "a__deleted_b", 250000 },
    { "a__deleted_1763899200.0", 7 },
    { "__deleted_", 8 },
    { "Grüße, 世界 ☃", 9 },
    { "it's 100 % \"quoted\" \\ %s ?", 10 },
    { ("x"):rep(100), 11 },
    { " ", 12 },
  }

  -- Makes the table and these rows, and deletes them all.
  local function deleted_by_django()
    local steps = { { "make_tables" } }
    for i, case in ipairs(TITLES) do
      steps[#steps + 1] = { "create", case[1], "text " .. i }
      steps[#steps + 1] = { "delete", i, NOON, case[2] }
    end
    django(steps)
    open()
  end

  -- ---- Django deletes ---------------------------------------------------------------

  check("lists the three managers", function()
    django {
      { "make_tables" },
      { "create", "One" },
      { "create", "Two" },
      { "create", "Three" },
      { "delete", 2, NOON },
    }
    open()
    assert.equal("One | Three", titles(Post.objects))
    assert.equal("Two__deleted_1763899200.0", titles(Post.deleted_objects))
    assert.equal("One | Two__deleted_1763899200.0 | Three", titles(Post.all_objects))
    assert_alike()
  end)

  check("knows the originals of what Django deleted", function()
    deleted_by_django()
    for i, case in ipairs(TITLES) do
      local title, microseconds = case[1], case[2]
      local row = Post.deleted_objects:get(i)
      assert.equal(NOON * SECOND + microseconds, plain(row).deleted)
      assert.are_not.equal(title, row.title)
      assert.equal(title, row:original "title")
      assert.equal(i, Post.deleted_objects:get({ title__original = title }).id)
    end
  end)

  check("restores what Django deleted, byte for byte, for Django too", function()
    deleted_by_django()
    assert.equal(#TITLES, Post.deleted_objects:restore { all = true })
    local rows = django { { "rows", "objects" } }
    assert.equal(#TITLES, #rows)
    for i, case in ipairs(TITLES) do
      assert.same({ id = i, title = case[1], content = "text " .. i, deleted = false }, rows[i])
    end
    assert_alike()
  end)

  check("restores such rows one by one alike", function()
    deleted_by_django()
    for i, case in ipairs(TITLES) do
      local row = Post.deleted_objects:get(i)
      assert.is_true(row:restore())
      assert.equal(case[1], row.title)
    end
    assert_alike()
  end)

  check("restores an empty title, which the article's code does not mangle", function()
    django { { "make_tables" }, { "create", "" }, { "delete", 1, NOON } }
    open()
    local row = Post.deleted_objects:get(1)
    assert.equal("", row.title)
    assert.equal("", row:original "title")
    -- so it is not free either, and the refusal says who has it
    local ok, err = pcall(Post.create, Post, { title = "", content = "" })
    assert.is_false(ok)
    assert.equal("Cannot create record - title with value '' belongs to a deleted row", tostring(err))
    assert.is_true(row:restore())
    assert.equal("", row.title)
    assert_alike()
  end)

  check("leaves a living title alone that looks like a deleted one", function()
    django { { "make_tables" }, { "create", "a__deleted_1763899200.0" } }
    open()
    local row = Post.objects:get(1)
    assert.equal(row.title, row:original "title")
    assert.equal(0, Post.all_objects:restore { all = true })
    assert.equal("a__deleted_1763899200.0", titles(Post.objects))
  end)

  check("takes a title that Django has freed", function()
    django { { "make_tables" }, { "create", "Hello" }, { "delete", 1, NOON } }
    open()
    Post:create { title = "Hello", content = "a newcomer" }
    assert_alike()
  end)

  check("deletes what Django created, and tells the two stamps apart", function()
    django { { "make_tables" }, { "create", "Hello" }, { "delete", 1, NOON }, { "create", "Hello" } }
    open()
    -- In that very second too. Their digits differ ("….0" and "….000000"), so that both
    -- texts would fit; a reader who compares numbers still knows which row is which.
    assert.equal(1, (Post.objects:delete { all = true }))
    assert.equal("Hello | Hello", table.concat({
      Post.deleted_objects:get(1):original "title", Post.deleted_objects:get(2):original "title",
    }, " | "))
    assert_alike()
  end)

  -- ---- tombstone deletes --------------------------------------------------------------

  check("has its deletions read and restored by Django", function()
    django { { "make_tables" } }
    open()
    local steps = {}
    for i, case in ipairs(TITLES) do
      now = NOON + i + case[2] / SECOND
      local row = Post:create { title = case[1], content = "text " .. i }
      assert.is_true(row:delete())
      assert.equal((NOON + i) * SECOND + case[2], plain(row).deleted)
      assert.equal(("%s__deleted_%d.%06d"):format(case[1], NOON + i, case[2]), row.title)
    end
    assert_alike()
    for i, case in ipairs(TITLES) do
      -- the article's restore cuts at the first mark, wherever it comes from
      if not case[1]:find("__deleted_", 1, true) then
        steps[#steps + 1] = { "restore", i }
      end
    end
    local restored = { django(steps) }
    for n, step in ipairs(steps) do
      local i = step[2]
      assert.same({ id = i, title = TITLES[i][1], content = "text " .. i, deleted = false }, restored[n])
    end
    assert_alike()
  end)

  check("has an empty title restored by Django", function()
    django { { "make_tables" } }
    open()
    Post:create({ title = "", content = "" }):delete()
    Post:create { title = "", content = "it is free" }:purge()
    local row = django { { "restore", 1 } }
    assert.same({ id = 1, title = "", content = "", deleted = false }, row)
  end)

  check("frees a title for Django", function()
    django { { "make_tables" }, { "create", "Hello" } }
    open()
    Post.objects:get(1):delete()
    assert.equal("Hello", django({ { "create", "Hello" } }).title)
    assert_alike()
  end)

  check("has what it created deleted by Django, and restores that", function()
    django { { "make_tables" } }
    open()
    local row = Post:create { title = "Hello", content = "…" }
    local other = Post:create { title = "Other", content = "…" }
    django { { "delete", row.id, NOON }, { "delete", other.id, NOON, 25 } }
    -- the rows in memory do not know it yet; no write of theirs reaches the dead
    local ok, err = pcall(row.update, row, { content = "stale" })
    assert.is_false(ok)
    assert.equal("deleted", err.kind)
    row:reload()
    assert.equal("Hello__deleted_1763899200.0", row.title)
    assert.is_true(row:restore())
    assert.equal("Hello", row.title)
    assert.is_true(other:restore())
    assert.equal("Other", other.title)
    assert_alike()
  end)

  check("passes a row to and fro, and it stays what it was", function()
    django { { "make_tables" }, { "create", "Hello", "text" } }
    open()
    local row = Post.objects:get(1)
    for i = 1, 3 do
      now = NOON + i
      assert.is_true(row:delete())
      assert.same({ id = 1, title = "Hello", content = "text", deleted = false }, (django {
        { "restore", 1 },
        { "delete", 1, now },
      }))
      row:reload()
      assert.is_true(row:restore())
      assert.same({ id = 1, title = "Hello", content = "text", deleted = false }, plain(row))
    end
    assert_alike()
  end)

  -- ---- conflicts ------------------------------------------------------------------------

  check("refuses a restore of Django's rows in Django's words", function()
    local _, _, _, _, refusal = django {
      { "make_tables" },
      { "create", "Hello" },
      { "delete", 1, NOON },
      { "create", "Hello" },
      { "restore", 1 },
    }
    open()
    local row = Post.deleted_objects:get(1)
    local ok, err = pcall(row.restore, row)
    assert.is_false(ok)
    assert.equal("Cannot restore record - title with value 'Hello' already exists", refusal)
    assert.equal(refusal, tostring(err))
    assert.equal(2, err.conflicts[1].live_pk)
    assert_alike()

    assert.is_false(row:restore { on_conflict = "skip" })
    assert.is_true(row:restore { on_conflict = "rename" })
    assert.equal("Hello (restored)", row.title)
    assert_alike()
  end)

  check("can replace Django's living row by its dead one", function()
    django { { "make_tables" }, { "create", "Hello" }, { "delete", 1, NOON }, { "create", "Hello" } }
    open()
    now = NOON + 1
    assert.is_true(Post.deleted_objects:get(1):restore { on_conflict = "replace" })
    assert.equal("Hello | Hello__deleted_1763899201.000000", titles(Post.all_objects))
    assert_alike()
    -- and Django can undo that: it deletes the one and restores the other
    local _, row = django { { "delete", 1, NOON }, { "restore", 2 } }
    assert.same({ id = 2, title = "Hello", content = "…", deleted = false }, row)
  end)

  check("has Django refuse in the same words", function()
    django { { "make_tables" }, { "create", "Hello" }, { "create", "Other" } }
    open()
    Post.objects:delete { all = true }
    Post:create { title = "Hello", content = "tombstone's" }
    local _, refused, other = django { { "create", "Other" }, { "restore", 1 }, { "restore", 2 } }
    assert.equal("Cannot restore record - title with value 'Hello' already exists", refused)
    assert.equal("Cannot restore record - title with value 'Other' already exists", other)
    for _, row in ipairs(Post.deleted_objects:all()) do
      local ok, err = pcall(row.restore, row)
      assert.is_false(ok)
      assert.equal(row.id == 1 and refused or other, tostring(err))
    end
    assert_alike()
  end)

  -- ---- the table ----------------------------------------------------------------------------

  check("finds nothing to change in Django's table, and may index it", function()
    django { { "make_tables" }, { "create", "Hello" } }
    open()
    db:create_tables()
    local row = django { { "delete", 1, NOON } }
    assert.equal("Hello__deleted_1763899200.0", row.title)
    assert.equal(1, Post.deleted_objects:restore { all = true })
    assert_alike()
  end)

  check("makes a table that Django takes for its own", function()
    open()
    db:create_tables()
    Post:create { title = "Hello", content = "…" }
    django { { "create", "Other" }, { "delete", 1, NOON }, { "create", "Hello" } }
    assert.equal("Other | Hello", titles(Post.objects))
    assert_alike()
  end)
end)
