-- What is raised: each kind of error with its words and its fields, literally.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F
local null = tombstone.null

-- The driver's code and the SQL depend on the build; the place is checked on its own.
local ELSEWHERE = { sql = true, code = true, where = true }

local function caught(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.are.equal("table", type(err))
  return err
end

-- Calls, and compares all of the error with what is expected.
local function expect(expected, fn, ...)
  local err, told = caught(fn, ...), {}
  for name, value in pairs(err) do
    if not ELSEWHERE[name] then
      told[name] = value
    end
  end
  assert.are.same(expected, told)
  assert.are.equal(expected.message, tostring(err))
  assert.is_nil(err.message:find("%c"))
  return err
end

local function users(options)
  local db = tombstone.open(":memory:")
  local User = db:model("User", {
    email = f.text { unique = "always" },
    name = f.text { unique = true },
    badge = f.integer { null = true, unique = true },
    score = f.number { null = true, unique = true },
    photo = f.blob { null = true, unique = true },
    first = f.text { default = "first" },
    last = f.text {
      default = function()
        return tostring(math.random())
      end,
    },
    age = f.integer { null = true, check = "age >= 0" },
  }, options or { unique_together = { { "first", "last" } } })
  db:create_tables()
  return db, User
end

-- Tables with constraints that no model can declare.
local function items()
  local db = tombstone.open(":memory:")
  db:create_tables()
  db:exec [[
    CREATE TABLE owner (id INTEGER PRIMARY KEY);
    CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT NOT NULL,
      owner_id INTEGER REFERENCES owner(id), rank INTEGER CHECK (rank > 0),
      deleted_at TEXT, deleted_event INTEGER);
    CREATE TABLE tag (id INTEGER PRIMARY KEY, item_id INTEGER REFERENCES item(id))]]
  local Item = db:model("Item", {
    title = f.text { null = true },
    owner_id = f.integer { null = true },
    rank = f.integer { null = true },
  })
  return db, Item
end

local UNFREED = "restore that row, or purge it; keys and values that are unique always "
  .. "are not freed by a deletion"
local DECIDE = 'pass on_conflict = "skip", "rename", "replace" or a function; '
  .. "restore_plan() lists all conflicts"
local POINTING = "the row that it points to is missing, or other rows still point to this one"
local MEANT = "pass { all = true }, or filter first"

local function taken(field, shown, value, verb, pk)
  return {
    kind = "integrity",
    constraint = "unique",
    model = "User",
    message = "Cannot " .. verb .. " record - " .. field .. " with value " .. shown .. " already exists",
    fields = { field },
    reasons = { [field] = "already exists" },
    value = value,
    conflicts = { { live_pk = pk } },
  }
end

describe("integrity: unique", function()
  local db, User

  before_each(function()
    db, User = users()
    User:create {
      email = "a@x",
      name = "ana",
      badge = 5,
      score = 1.5,
      photo = "\0\1",
      first = "Ana",
      last = "Bo",
    }
  end)

  it("names the field, the value and the living row, of every type", function()
    local function create(values)
      values.email = values.email or "b@x"
      values.name = values.name or "bea"
      return User:create(values)
    end
    expect(taken("email", "'a@x'", "a@x", "create", 1), create, { email = "a@x" })
    expect(taken("name", "'ana'", "ana", "create", 1), create, { name = "ana" })
    expect(taken("badge", "5", 5, "create", 1), create, { badge = 5 })
    expect(taken("score", "1.5", 1.5, "create", 1), create, { score = 1.5 })
    expect(taken("photo", "a blob of 2 bytes", "\0\1", "create", 1), create, { photo = "\0\1" })
    expect(taken("id", "1", 1, "create", 1), create, { id = 1 })
    assert.are.equal(1, User.all_objects:count())
  end)

  it("of several fields names them all, and has no single value", function()
    expect({
      kind = "integrity",
      constraint = "unique",
      model = "User",
      message = "Cannot create record - first, last with values 'Ana', 'Bo' already exist",
      fields = { "first", "last" },
      reasons = { first = "already exists", last = "already exists" },
      conflicts = { { live_pk = 1 } },
    }, User.create, User, { email = "b@x", name = "bea", first = "Ana", last = "Bo" })
  end)

  it("is told of save, update, upsert and bulk_create", function()
    local bea = User:create { email = "b@x", name = "bea" }
    expect(taken("badge", "5", 5, "save", 1), bea.update, bea, { badge = 5 })
    bea.name = "ana"
    expect(taken("name", "'ana'", "ana", "save", 1), bea.save, bea)
    expect(
      taken("name", "'ana'", "ana", "upsert", 1),
      User.upsert,
      User,
      { email = "c@x", name = "ana" },
      { on = "email" }
    )
    local bulk = taken("badge", "5", 5, "create", 1)
    bulk.index = 2
    expect(bulk, User.bulk_create, User, {
      { email = "c@x", name = "c" },
      { email = "d@x", name = "d", badge = 5 },
    })
    assert.are.equal(2, User.all_objects:count())
  end)

  it("of a query's update tells no value, which may be another row's", function()
    User:create { email = "secret@x", name = "secret" }
    local rejected = {
      kind = "integrity",
      constraint = "unique",
      model = "User",
      message = "Cannot update records - badge already exists",
      fields = { "badge" },
      reasons = { badge = "already exists" },
    }
    User:create { email = "c@x", name = "c", badge = 6 }
    local query = User.objects:filter { badge = 6 }
    local err = expect(rejected, query.update, query, { badge = F "badge" - 1 })
    assert.is_nil(tostring(err):find("secret", 1, true))
  end)

  it("held by a deleted row says that a deletion does not free it", function()
    User.objects:get(1):delete()
    local function dead(field, shown, value)
      return {
        kind = "integrity",
        constraint = "unique",
        model = "User",
        message = "Cannot create record - "
          .. field
          .. " with value "
          .. shown
          .. " belongs to a deleted row",
        hint = UNFREED,
        fields = { field },
        reasons = { [field] = "belongs to a deleted row" },
        value = value,
        conflicts = { { dead_pk = 1 } },
      }
    end
    expect(dead("email", "'a@x'", "a@x"), User.create, User, { email = "a@x", name = "x" })
    expect(dead("id", "1", 1), User.create, User, { id = 1, email = "b@x", name = "x" })
    assert.are.equal(1, User.all_objects:count())
  end)

  it("met by a restore names both rows, and what to pass", function()
    local ana = User.objects:get(1)
    ana:delete()
    User:create { email = "b@x", name = "ana" }
    local conflict = taken("name", "'ana'", "ana", "restore", 2)
    conflict.hint, conflict.conflicts[1].dead_pk = DECIDE, 1
    expect(conflict, ana.restore, ana)
    local dead = User.deleted_objects
    expect(conflict, dead.restore, dead, { all = true })
    local event = db:events()[1]
    expect(conflict, event.undo, event)
    User.objects:get(2):update { name = "bea", first = "Ana", last = "Bo" }
    expect({
      kind = "integrity",
      constraint = "unique",
      model = "User",
      message = "Cannot restore record - first, last with values 'Ana', 'Bo' already exist",
      hint = DECIDE,
      fields = { "first", "last" },
      reasons = { first = "already exists", last = "already exists" },
      conflicts = { { dead_pk = 1, live_pk = 2 } },
    }, ana.restore, ana)
    assert.is_true(User.all_objects:get(1):is_deleted())
  end)

  it("in raw SQL has the database's words", function()
    expect({
      kind = "integrity",
      constraint = "unique",
      message = "UNIQUE constraint failed: user.name",
    }, db.exec, db, [[INSERT INTO "user" (email, name, first, last) VALUES (?, ?, 1, 2)]], "z@x", "ana")
  end)
end)

describe("integrity: the other constraints", function()
  it("a check of a model", function()
    local _, User = users()
    expect({
      kind = "integrity",
      constraint = "check",
      model = "User",
      message = "Cannot create record - age fails its check",
      fields = { "age" },
      reasons = { age = "fails its check" },
    }, User.create, User, { email = "a", name = "a", age = -1 })
  end)

  it("checks, NOT NULL and foreign keys that only the table knows", function()
    local db, Item = items()
    expect({
      kind = "integrity",
      constraint = "check",
      model = "Item",
      message = "Cannot create record - rank > 0 fails its check",
    }, Item.create, Item, { title = "a", rank = 0 })
    local empty = {
      kind = "integrity",
      constraint = "not_null",
      model = "Item",
      message = "Cannot create record - title cannot be null",
      fields = { "title" },
      reasons = { title = "cannot be null" },
    }
    expect(empty, Item.create, Item, {})
    local item = Item:create { title = "a" }
    empty.message = "Cannot save record - title cannot be null"
    expect(empty, item.update, item, { title = null })
    local pointing = {
      kind = "integrity",
      constraint = "foreign_key",
      model = "Item",
      message = "Cannot create record - a foreign key refuses it",
      hint = POINTING,
    }
    expect(pointing, Item.create, Item, { title = "b", owner_id = 9 })
    db:exec("INSERT INTO tag VALUES (1, ?)", item.id)
    pointing.message = "Cannot purge records - a foreign key refuses it"
    expect(pointing, item.purge, item)
    local one = Item.objects:filter { id = item.id }
    expect(pointing, one.purge, one, { living = true })
    assert.is_false(item:is_deleted())
    assert.are.equal(1, Item.objects:count())
    assert.are.equal(0, #db:events())
  end)

  it("in raw SQL have the database's words", function()
    local db = items()
    expect(
      { kind = "integrity", constraint = "foreign_key", message = "FOREIGN KEY constraint failed" },
      db.exec,
      db,
      "INSERT INTO tag VALUES (1, 9)"
    )
    expect(
      { kind = "integrity", constraint = "not_null", message = "NOT NULL constraint failed: item.title" },
      db.exec,
      db,
      "INSERT INTO item (id) VALUES (1)"
    )
    expect(
      { kind = "integrity", constraint = "check", message = "CHECK constraint failed: rank > 0" },
      db.exec,
      db,
      "INSERT INTO item (title, rank) VALUES ('a', 0)"
    )
  end)
end)

describe("validation", function()
  local NAMES = {
    "a_char",
    "b_text",
    "c_integer",
    "d_number",
    "e_boolean",
    "f_datetime",
    "g_blob",
    "h_choice",
    "i_check",
  }

  local function forms()
    local _, Form = helper.blog(nil, {
      a_char = f.char { max_length = 3 },
      b_text = f.text(),
      c_integer = f.integer(),
      d_number = f.number(),
      e_boolean = f.boolean(),
      f_datetime = f.datetime(),
      g_blob = f.blob(),
      h_choice = f.text { choices = { "a", "b" } },
      i_check = f.text {
        check = function(v)
          if v == "even" then
            return true
          end
          return false, v == "z" and "is odd" or nil
        end,
      },
    })
    return Form
  end

  it("tells every bad field at once, in their order", function()
    local Form = forms()
    local err = helper.refuses(
      "validation",
      "Post is not valid - a_char is required, b_text is required, c_integer is required, "
        .. "d_number is required, e_boolean is required, f_datetime is required, g_blob is required, "
        .. "h_choice is required, i_check is required",
      Form.create,
      Form,
      {}
    )
    assert.are.same(NAMES, err.fields)
    assert.are.equal("Post", err.model)
    assert.is_nil(err.sql)
    local nulls = {}
    for _, name in ipairs(NAMES) do
      nulls[name] = null
    end
    err = helper.raises("validation", Form.create, Form, nulls)
    for _, name in ipairs(NAMES) do
      assert.are.equal("cannot be null", err.reasons[name])
    end
  end)

  it("says of each type what it must be", function()
    local Form = forms()
    local err = helper.raises("validation", Form.create, Form, {
      a_char = "äöüß",
      b_text = "\255",
      c_integer = 1.5,
      d_number = 0 / 0,
      e_boolean = 1,
      f_datetime = "today",
      g_blob = 5,
      h_choice = "c",
      i_check = "z",
    })
    assert.are.same({
      a_char = "has 4 characters, at most 3 are allowed",
      b_text = "must be UTF-8 without NUL",
      c_integer = "must be an integer",
      d_number = "must be a finite number",
      e_boolean = "must be true or false",
      f_datetime = "must be a time in seconds between the years 0001 and 9999",
      g_blob = "must be a string of bytes",
      h_choice = "is not one of its choices",
      i_check = "is odd",
    }, err.reasons)
    err = helper.raises("validation", Form.create, Form, {
      a_char = 5,
      b_text = true,
      c_integer = "x",
      d_number = "1.5",
      e_boolean = "true",
      f_datetime = 1e300,
      g_blob = {},
      h_choice = 5,
      i_check = 5,
    })
    assert.are.equal("must be text", err.reasons.a_char)
    assert.are.equal("must be text", err.reasons.b_text)
    assert.are.equal("must be text", err.reasons.h_choice)
    assert.are.equal("must be a time in seconds between the years 0001 and 9999", err.reasons.f_datetime)
    assert.are.equal(0, Form.all_objects:count())
  end)

  it("of save and update tells the same, and leaves the row as it was", function()
    local _, Post = helper.blog()
    local post = Post:create { title = "a" }
    expect({
      kind = "validation",
      model = "Post",
      message = "Post is not valid - title cannot be null, views must be an integer",
      fields = { "title", "views" },
      reasons = { title = "cannot be null", views = "must be an integer" },
    }, post.update, post, { title = null, views = "many" })
    assert.are.equal("a", post.title)
    assert.are.equal(0, post.views)
    post.views = {}
    helper.refuses("validation", "Post is not valid - views must be an integer", post.save, post)
  end)
end)

describe("rows that are not there", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("not_found: get, save, update, reload, undo", function()
    local all = Post.objects
    expect({ kind = "not_found", model = "Post", message = "There is no Post 77" }, all.get, all, 77)
    expect(
      { kind = "not_found", model = "Post", message = "There is no such Post" },
      all.get,
      all,
      { title = "?" }
    )
    local post = Post:create { title = "a" }
    Post.objects:filter({ id = post.id }):purge { living = true }
    local gone = { kind = "not_found", model = "Post", message = "Cannot save record - Post 1 is gone" }
    expect(gone, post.save, post)
    expect(gone, post.update, post, { views = 1 })
    expect({ kind = "not_found", model = "Post", message = "The Post is gone" }, post.reload, post)
    local event = Post:create({ title = "b" }):delete()
    db:exec "DELETE FROM tombstone_event"
    expect({ kind = "not_found", message = "There is no event 2 to undo" }, event.undo, event)
    assert.is_nil(event.undone_at)
  end)

  it("multiple: get of more than one", function()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    expect({
      kind = "multiple",
      model = "Post",
      message = "There is more than one such Post",
      hint = "narrow the filter, or ask for first()",
    }, Post.objects.get, Post.objects, { views = 0 })
  end)

  it("deleted: save and update of a dead row, upsert and get_or_create that refuse", function()
    local post = Post:create { title = "a" }
    local stale = Post.objects:get(1)
    post:delete()
    local dead = {
      kind = "deleted",
      model = "Post",
      message = "Cannot save record - Post 1 is deleted",
      hint = "restore it first, or reload it",
    }
    for _, row in ipairs { post, stale } do
      expect(dead, row.save, row)
      expect(dead, row.save, row, { "views" })
      expect(dead, row.update, row, { views = 1 })
    end
    expect({
      kind = "deleted",
      model = "Post",
      message = "Cannot upsert record - title with value 'a' belongs to a deleted row",
      hint = "restore that row, or pass on_deleted",
      fields = { "title" },
      reasons = { title = "belongs to a deleted row" },
      value = "a",
      conflicts = { { dead_pk = 1 } },
    }, Post.upsert, Post, { title = "a" }, { on = "title", on_deleted = "refuse" })
    expect({
      kind = "deleted",
      model = "Post",
      message = "Cannot create record - a deleted row matches",
      hint = "restore it, or pass on_deleted",
    }, Post.get_or_create, Post, { title = "a" }, nil, { on_deleted = "refuse" })
    assert.are.equal(1, Post.all_objects:count())
  end)

  it("too_many: a deletion that takes more than max_rows", function()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    local query = Post.objects:filter { views = 0 }
    expect({
      kind = "too_many",
      model = "Post",
      message = "Cannot delete records - 2 of Post would go, at most 1 may",
      hint = "narrow the query, or raise max_rows",
    }, query.delete, query, { max_rows = 1 })
    assert.are.equal(2, Post.objects:count())
    assert.are.equal(0, #db:events())
  end)

  it("stale: a row that somebody else has changed", function()
    local _, User = users { version = true }
    User:create { email = "a", name = "a" }
    local one, two = User.objects:get(1), User.objects:get(1)
    one:update { age = 1 }
    local stale = {
      kind = "stale",
      model = "User",
      message = "Cannot save record - User 1 was changed by somebody else",
      hint = "reload it and make the change again",
    }
    two.age = 2
    expect(stale, two.save, two)
    expect(stale, two.update, two, { age = 2 })
    assert.are.equal(1, User.objects:get(1).age)
    assert.are.equal(1, two.version)
  end)
end)

describe("the database", function()
  after_each(helper.clean)

  it("busy: another handle holds the lock", function()
    local path = helper.path()
    local db, other =
      tombstone.open(path, { busy_timeout = 0 }), tombstone.open(path, { busy_timeout = 0 })
    local Post = db:model("Post", { title = f.text() })
    db:create_tables()
    local busy = {
      kind = "busy",
      message = "database is locked",
      hint = "another connection holds the lock: try again, or wait longer with busy_timeout",
    }
    other:transaction(function()
      expect(busy, Post.create, Post, { title = "a" })
      local err = expect(busy, db.transaction, db, function() end)
      assert.are.equal("BEGIN IMMEDIATE", err.sql)
      assert.are.equal(5, err.code)
      assert.are.equal(0, db:depth())
    end)
    Post:create { title = "a" }
    assert.are.equal(1, Post.objects:count())
    other:close()
    db:close()
  end)

  it("interrupted, connection, commit_unknown: come through as they are", function()
    for _, kind in ipairs { "interrupted", "connection", "commit_unknown", "busy", "database" } do
      local db = database.fake(helper.path())
      local Post = db:model("Post", { title = f.text() })
      db:create_tables()
      core.fake.fail(db, 1, kind, "on request")
      local err = helper.refuses(kind, "on request", Post.create, Post, { title = "a" })
      assert.are.equal(
        'INSERT INTO "post" ("title", "deleted_at", "deleted_event") VALUES (?, ?, ?)',
        err.sql
      )
      core.fake.fail(db, 3, kind, "on request")
      err = helper.refuses(kind, "on request", db.transaction, db, function()
        Post:create { title = "a" }
      end)
      assert.are.equal("COMMIT", err.sql)
      assert.are.equal(0, db:depth())
      assert.are.equal(0, Post.objects:count())
      Post:create { title = "a" }
      db:close()
    end
  end)

  it("connection: what cannot be opened", function()
    local path = helper.path()
    local file = io.open(path, "w")
    file:write(("this is no database "):rep(100))
    file:close()
    local err = expect({
      kind = "connection",
      message = 'Cannot open "' .. path .. '" - file is not a database',
      hint = "the file is something else or is encrypted: check the path",
    }, tombstone.open, path)
    assert.are.equal(26, err.code)
    local missing = path .. ".missing/blog.db"
    expect({
      kind = "connection",
      message = 'Cannot open "' .. missing .. '" - unable to open database file',
      hint = "the file or its folder is missing or closed to us: check the path",
    }, tombstone.open, missing)
  end)

  it("database: no such table, and no SQL", function()
    local db = tombstone.open(":memory:")
    local Post = db:model("Post", { title = f.text() })
    local err = expect({
      kind = "database",
      message = "no such table: post",
      hint = "create the tables with create_tables, or migrate",
    }, Post.create, Post, { title = "secret" })
    assert.are.equal(
      'INSERT INTO "post" ("title", "deleted_at", "deleted_event") VALUES (?, ?, ?)',
      err.sql
    )
    expect({
      kind = "database",
      message = "no such table: missing",
      hint = "create the tables with create_tables, or migrate",
    }, db.query, db, "SELECT * FROM missing")
    err = expect({ kind = "database", message = 'near "SELEC": syntax error' }, db.query, db, "SELEC 1")
    assert.are.equal("SELEC 1", err.sql)
  end)

  it("migration: a table that differs from its model", function()
    local STAMPS = ", deleted_at TEXT, deleted_event INTEGER)"
    local function differs(ddl, what)
      local db = tombstone.open(":memory:")
      db:exec(ddl)
      db:model("Post", {
        title = f.text { unique = true },
        views = f.integer { null = true, unique = true },
      })
      expect({
        kind = "migration",
        model = "Post",
        message = 'Table "post" differs from Post - ' .. what,
        hint = "migrate the table, or change the model",
      }, db.create_tables, db)
      -- Nothing is half-made.
      assert.are.equal(
        0,
        db:query("SELECT count(*) AS n FROM sqlite_master WHERE name LIKE 'tombstone%'")[1].n
      )
    end
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL" .. STAMPS,
      "views is missing"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL, views INTEGER)",
      "deleted_at is missing"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT, views INTEGER" .. STAMPS,
      "title is NULL there"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL, views INTEGER NOT NULL" .. STAMPS,
      "views is NOT NULL there"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL, views INTEGER UNIQUE"
        .. STAMPS,
      "views is unique among the dead too"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL, views INTEGER"
        .. STAMPS
        .. ";CREATE UNIQUE INDEX one ON post (title) WHERE deleted_at IS NULL",
      "title is unique among some rows only"
    )
    differs(
      "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT NOT NULL, views INTEGER"
        .. STAMPS
        .. ";INSERT INTO post (title) VALUES ('a'), ('a')",
      "post has rows that are not unique"
    )
  end)
end)

describe("misuse", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
    Post:create { title = "a" }
  end)

  local function misuse(message, hint, fn, ...)
    return expect({ kind = "misuse", message = message, hint = hint }, fn, ...)
  end

  local function unknown(message, hint, fn, ...)
    return expect({ kind = "misuse", model = "Post", message = message, hint = hint }, fn, ...)
  end

  it("unknown fields, with the nearest name", function()
    local all, post = Post.objects, Post.objects:get(1)
    local words, hint = "Post has no field 'titel'", "did you mean 'title'?"
    unknown(words, hint, Post.create, Post, { titel = "x" })
    unknown(words, hint, Post.new, Post, { titel = "x" })
    unknown(words, hint, post.update, post, { titel = "x" })
    unknown(words, hint, post.save, post, { "titel" })
    unknown(words, hint, all.filter, all, { titel = "x" })
    unknown(words, hint, all.filter, all, "titel", "x")
    unknown(words, hint, all.order_by, all, "-titel")
    unknown(words, hint, all.only, all, "titel")
    unknown(words, hint, all.values, all, "titel")
    unknown(words, hint, all.pluck, all, "titel")
    unknown(words, hint, all.group_by, all, "titel")
    unknown(words, hint, all.aggregate, all, { n = tombstone.max "titel" })
    unknown("Post has no field 'zzzzzzzz'", nil, all.filter, all, { zzzzzzzz = "x" })
  end)

  it("unknown lookups and options, with those that there are", function()
    local all, post = Post.objects, Post.objects:get(1)
    local function lookup()
      return all:filter { title__contain = "x" }
    end
    local err = helper.refuses("misuse", "There is no lookup '__contain'", lookup)
    assert.are.equal("did you mean '__contains'?", err.hint)
    misuse(
      "delete has no option 'reson'",
      "did you mean 'reason'? the options are all, actor, reason, max_rows, timeout_ms, max_steps",
      all.delete,
      all,
      { reson = "x" }
    )
    misuse(
      "delete has no option 'actr'",
      "did you mean 'actor'? the options are actor, reason, max_rows, timeout_ms, max_steps",
      post.delete,
      post,
      { actr = "x" }
    )
    misuse(
      "text has no option 'uniqe'",
      "did you mean 'unique'? the options are null, default, unique, index, max_length, choices, check, "
        .. "collate, column, attr, primary_key, renamed_from",
      f.text,
      { uniqe = true }
    )
    misuse(
      "events has no option 'aktor'",
      "did you mean 'actor'? the options are id, actor, reason, model, pk, since, before, undone",
      db.events,
      db,
      { aktor = "x" }
    )
  end)

  it("a filter by nil", function()
    misuse(
      "filter(title, nil) says nothing",
      "use tombstone.null, or __isnull",
      Post.objects.filter,
      Post.objects,
      "title",
      nil
    )
  end)

  it("writes of all rows that are not meant", function()
    local all, dead = Post.objects, Post.deleted_objects
    misuse("delete of all rows of Post must be meant", MEANT, all.delete, all)
    misuse("update of all rows of Post must be meant", MEANT, all.update, all, { views = 1 })
    misuse("restore of all rows of Post must be meant", MEANT, dead.restore, dead)
    misuse("purge of all rows of Post must be meant", MEANT, dead.purge, dead)
    unknown(
      "A purge of living rows must be meant",
      "use deleted_objects, or pass living = true",
      Post.all_objects.purge,
      Post.all_objects,
      { all = true }
    )
    assert.are.equal(1, Post.objects:count())
  end)

  it("a handle that is closed", function()
    local all, post = Post.objects, Post.objects:get(1)
    db:close()
    db:close()
    local words, hint = "The database is closed", "open it again"
    misuse(words, hint, all.all, all)
    misuse(words, hint, all.count, all)
    misuse(words, hint, Post.create, Post, { title = "b" })
    misuse(words, hint, post.save, post)
    misuse(words, hint, post.delete, post)
    misuse(words, hint, db.query, db, "SELECT 1")
    misuse(words, hint, db.transaction, db, function() end)
    misuse(words, hint, db.create_tables, db)
    misuse(words, hint, db.info, db)
    assert.is_false(db:is_open())
  end)
end)

describe("every error", function()
  local here = debug.getinfo(1, "S").short_src

  it("knows where the program was, through our own Lua too", function()
    local db, Post = helper.blog()
    local line
    local function where(fn)
      local err = caught(fn)
      assert.are.equal(here .. ":" .. line, err.where)
      assert.is_nil(err.message:find(here, 1, true))
    end
    where(function()
      line = debug.getinfo(1, "l").currentline + 1
      local row = Post:create {}
      return row
    end)
    where(function()
      line = debug.getinfo(1, "l").currentline + 1
      local row = Post:get_or_create { titel = "x" }
      return row
    end)
    where(function()
      line = debug.getinfo(1, "l").currentline + 1
      local count = Post.objects:delete()
      return count
    end)
    where(function()
      return db:transaction(function()
        line = debug.getinfo(1, "l").currentline + 1
        local rows = db:query "SELEC"
        return rows
      end)
    end)
  end)

  it("is one line, whatever it quotes, and not too long", function()
    local db, Post = helper.blog()
    local text = "a\nb\r\tc" .. ("ü"):rep(1000)
    Post:create { title = "x" }
    for _, err in ipairs {
      caught(Post.objects.filter, Post.objects, { ["ti\ntle" .. text] = 1 }),
      caught(Post.objects.filter, Post.objects, { ["title__" .. text] = 1 }),
      caught(Post.create, Post, { [text] = 1 }),
      caught(db.query, db, "SELECT '\n' " .. text),
      caught(tombstone.open, "missing\nfolder/" .. text .. "/x.db"),
    } do
      assert.is_nil(err.message:find "%c")
      assert.is_true(#err.message < 1024)
      assert.are.equal(err.message, tostring(err))
      -- Cut between characters, not within one.
      assert.is_nil(err.message:find "[\192-\255]$")
    end
  end)

  it("quotes a long value by its beginning", function()
    local _, Post = helper.blog(nil, { title = f.text { unique = true } })
    local text = ("ü"):rep(5000)
    Post:create { title = text }
    local err = helper.raises("integrity", Post.create, Post, { title = text })
    assert.is_true(#err.message < 256)
    assert.is_nil(err.message:find "\195$")
    assert.are.equal("Cannot create record - title with value 'ü", err.message:sub(1, 43))
  end)

  it("can be caught, kept and raised again, after its database too", function()
    local db, Post = helper.blog()
    local err = caught(Post.create, Post, {})
    db:close()
    local again = caught(error, err, 0)
    assert.are.equal(err, again)
    assert.are.equal("Post is not valid - title is required", tostring(again))
  end)
end)
