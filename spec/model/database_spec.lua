-- Handles: opening and closing them, raw SQL, backups, the log, and what they tell of themselves.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field
local null = tombstone.null

local function declare(db)
  return db:model("Post", { title = f.text { unique = true }, views = f.integer { default = 0 } })
end

local function filled(path, n)
  local db = tombstone.open(path)
  local Post = declare(db)
  db:create_tables()
  for i = 1, n or 0 do
    Post:create { title = "t" .. i }
  end
  return db, Post
end

describe("open", function()
  teardown(helper.clean)

  it("makes a file that is missing, and finds what is in it again", function()
    local path = helper.path()
    filled(path, 2):close()
    local db = tombstone.open(path)
    assert.are.equal(2, declare(db).objects:count())
    db:close()
  end)

  it("of :memory: is private", function()
    local one, two = filled(":memory:", 1), tombstone.open ":memory:"
    assert.are.same({}, two:query "SELECT * FROM sqlite_master")
    one:close()
    two:close()
  end)

  it("takes options, and no others", function()
    local function open(options)
      tombstone.open(":memory:", options):close()
    end
    open {}
    open { busy_timeout = 0 }
    open { busy_timeout = 100.5 }
    open { synchronous = "normal" }
    open { synchronous = "full" }
    open { statement_cache = 1 }
    open { read_only = false }
    open { log = function() end, clock = os.time }
    for message, options in pairs {
      ["busy_timeout is a number of milliseconds"] = { busy_timeout = "100" },
      ['synchronous is "full" or "normal"'] = { synchronous = "off" },
      ["statement_cache is a number of statements"] = { statement_cache = 0 },
      ["clock is a function, not a number"] = { clock = 5 },
      ["log is a function, not a string"] = { log = "x" },
      ["open has no option 'readonly'"] = { readonly = true },
    } do
      helper.refuses("misuse", message, open, options)
    end
    for _, n in ipairs { -1, 0 / 0, 1 / 0, 1e12, true } do
      helper.raises("misuse", open, { busy_timeout = n })
      helper.raises("misuse", open, { statement_cache = n })
    end
    helper.refuses("misuse", "open takes a table of options, not a number", open, 5)
    local err = helper.raises("misuse", open, { readonly = true })
    assert.is_truthy(err.hint:find("read_only", 1, true))
  end)

  it("takes a path", function()
    helper.refuses("misuse", "open takes a path, not a nil", tombstone.open)
    helper.refuses("misuse", "open takes a path, not a table", tombstone.open, {})
    helper.refuses("misuse", "A path cannot hold a zero byte", tombstone.open, "a\0b")
  end)

  it("says what this build cannot do", function()
    local err =
      helper.refuses("misuse", "This build has no PostgreSQL driver", tombstone.open, "postgresql://x/y")
    assert.are.equal("give the path of an SQLite file", err.hint)
    helper.raises("misuse", tombstone.open, "postgres://x/y")
  end)

  it("turns a file to WAL and keeps foreign keys", function()
    local path = helper.path()
    local db = tombstone.open(path)
    assert.are.equal("wal", db:query("PRAGMA journal_mode")[1].journal_mode)
    assert.are.equal(1, db:query("PRAGMA foreign_keys")[1].foreign_keys)
    assert.are.equal(2, db:query("PRAGMA synchronous")[1].synchronous)
    db:close()
    db = tombstone.open(path, { synchronous = "normal" })
    assert.are.equal(1, db:query("PRAGMA synchronous")[1].synchronous)
    db:close()
  end)

  it("takes double quotes for names only", function()
    local db = filled(":memory:")
    local err = helper.raises("database", db.query, db, 'SELECT "no such column"')
    assert.is_truthy(err.message:find("no such column", 1, true))
  end)

  it("read_only reads, and refuses to write", function()
    local path = helper.path()
    filled(path, 1):close()
    local db = tombstone.open(path, { read_only = true })
    local Post = declare(db)
    assert.are.equal("t1", Post.objects:get(1).title)
    local err = helper.raises("database", Post.create, Post, { title = "x" })
    assert.are.equal("attempt to write a readonly database", err.message)
    assert.is_truthy(err.hint)
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(0, db:depth())
    db:close()
    helper.raises("connection", tombstone.open, helper.path(), { read_only = true })
  end)

  it("keeps statements, and no more than it is told", function()
    local db = tombstone.open(":memory:", { statement_cache = 2 })
    local Post = declare(db)
    db:create_tables()
    for i = 1, 20 do
      Post:create { title = "t" .. i }
      assert.are.equal(i, Post.objects:count())
      assert.are.equal(1, #Post.objects:filter({ title = "t" .. i }):order_by("views"):limit(1):all())
    end
    -- readers inside of readers need more than two at once
    for _ in Post.objects:each { snapshot = true } do
      for _ in Post.objects:order_by("-id"):each { snapshot = true } do
        assert.are.equal(20, #Post.objects:order_by("views"):all())
      end
    end
  end)
end)

describe("the clock", function()
  it("can be injected, and tells the time of all stamps", function()
    local now = 1000.5
    local db = tombstone.open(":memory:", {
      clock = function()
        return now
      end,
    })
    local Post = db:model("Post", { title = f.text() }, { timestamps = true })
    db:create_tables()
    assert.are.equal(1000.5, db:now())
    local row = Post:create { title = "a" }
    assert.are.equal(1000.5, row.created_at)
    now = 2000
    row:delete()
    assert.are.equal(2000, row.deleted_at)
  end)

  it("is the system's otherwise", function()
    local db = filled ":memory:"
    assert.is_true(math.abs(db:now() - os.time()) <= 2)
  end)

  it("must answer a time", function()
    for _, answer in ipairs { "x", {}, 1e18, 0 / 0, -1 / 0 } do
      local db = tombstone.open(":memory:", {
        clock = function()
          return answer
        end,
      })
      local Post = declare(db)
      db:create_tables()
      helper.refuses(
        "misuse",
        "The clock must answer seconds since the epoch",
        Post.create,
        Post,
        { title = "a" }
      )
      helper.raises("misuse", db.now, db)
      assert.are.equal(0, Post.all_objects:count())
    end
  end)

  it("may raise, and nothing is done", function()
    local mine = {}
    local db = tombstone.open(":memory:", {
      clock = function()
        error(mine)
      end,
    })
    local Post = declare(db)
    db:create_tables()
    local ok, err = pcall(Post.create, Post, { title = "a" })
    assert.is_false(ok)
    assert.is_true(rawequal(mine, err))
    assert.are.equal(0, Post.all_objects:count())
  end)
end)

describe("query", function()
  local db = filled(":memory:", 3)

  it("answers an array of plain tables, NULL left out", function()
    assert.are.same(
      { { title = "t1", n = 2 }, { title = "t2", n = 3 }, { title = "t3", n = 4 } },
      db:query "SELECT title, id + 1 AS n, NULL AS none FROM post ORDER BY id"
    )
    assert.are.same({}, db:query "SELECT * FROM post WHERE id > 99")
    assert.is_nil(getmetatable(db:query("SELECT 1 AS x")[1]))
  end)

  it("binds values, and knows no fields", function()
    assert.are.same(
      { { a = 5, b = "x'; DROP TABLE post; --", c = 1.5, d = 1, f = 0 } },
      db:query(
        "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ? AS f",
        5,
        "x'; DROP TABLE post; --",
        1.5,
        true,
        nil,
        false
      )
    )
    assert.are.same({ { t = "null" } }, db:query("SELECT typeof(?) AS t", null))
    assert.are.same({ { t = "null" } }, db:query("SELECT typeof(?) AS t", nil))
    assert.are.same({ { t = "integer" } }, db:query("SELECT typeof(?) AS t", 7))
    assert.are.equal(3, #db:query "SELECT * FROM post")
  end)

  it("counts the values", function()
    helper.refuses("misuse", "statement takes 1 values, got 0", db.query, db, "SELECT ?")
    helper.refuses("misuse", "statement takes 1 values, got 2", db.query, db, "SELECT ?", 1, nil)
    helper.refuses("misuse", "statement takes 0 values, got 1", db.query, db, "SELECT 1", 1)
    helper.refuses(
      "misuse",
      "statement takes 2 values, got 1",
      db.exec,
      db,
      "UPDATE post SET views = ? WHERE id = ?",
      1
    )
  end)

  it("refuses values that cannot be bound", function()
    helper.refuses(
      "misuse",
      "Value 2 cannot be bound: it is a table",
      db.query,
      db,
      "SELECT ?, ?",
      1,
      {}
    )
    helper.refuses(
      "misuse",
      "Value 1 cannot be bound: it is a function",
      db.query,
      db,
      "SELECT ?",
      print
    )
    helper.refuses("misuse", "Value 1 cannot be bound: it is a NaN", db.query, db, "SELECT ?", 0 / 0)
  end)

  it("runs one statement", function()
    local err = helper.refuses(
      "misuse",
      "There is more than one SQL statement",
      db.query,
      db,
      "SELECT 1; SELECT 2"
    )
    assert.are.equal("run them one by one; exec takes a script when it has no values", err.hint)
    assert.are.equal(1, #db:query "SELECT 1;  -- and a comment\n/* another */ ;")
    helper.refuses("misuse", "There is no SQL statement to run", db.query, db, "  -- nothing")
    helper.refuses("misuse", "SQL is a text, not a nil", db.query, db)
    helper.raises("misuse", db.query, db, 5)
    helper.raises("misuse", db.query, db, "SELECT 1\0; SELECT 2")
  end)

  it("raises what the database says, with its code and the SQL", function()
    local err = helper.raises("database", db.query, db, "SELEC 1")
    assert.are.equal('near "SELEC": syntax error', err.message)
    assert.are.equal(1, err.code)
    helper.raises("database", db.query, db, "SELECT * FROM nowhere")
    err = helper.raises("integrity", db.exec, db, "INSERT INTO post (title, views) VALUES (?, 0)", "t1")
    assert.are.equal("unique", err.constraint)
    assert.are.equal(2067, err.code)
  end)

  it("follows a table that changes under it", function()
    local other = filled(":memory:", 1)
    assert.are.equal(1, #other:query "SELECT * FROM post")
    other:exec "ALTER TABLE post ADD COLUMN extra TEXT DEFAULT 'e'"
    assert.are.equal("e", other:query("SELECT * FROM post")[1].extra)
  end)
end)

describe("exec", function()
  it("runs a statement and counts the rows that it changed", function()
    local db, Post = filled(":memory:", 3)
    assert.are.equal(2, db:exec("UPDATE post SET views = ? WHERE id > ?", 7, 1))
    assert.are.equal(1, db:exec("DELETE FROM post WHERE id = 1"))
    assert.are.equal(0, db:exec("DELETE FROM post WHERE id = 1"))
    assert.are.same({ 7, 7 }, helper.list(Post.objects, "views"))
  end)

  it("runs a script when it has no values", function()
    local db = filled ":memory:"
    db:exec [[
      CREATE TABLE note (text TEXT); -- with a comment; and a semicolon
      INSERT INTO note VALUES ('a;b');
      CREATE TRIGGER bump AFTER INSERT ON note BEGIN
        UPDATE note SET text = text || '!' WHERE rowid = new.rowid;
      END;
      INSERT INTO note VALUES ('c');
    ]]
    assert.are.same({ { text = "a;b" }, { text = "c!" } }, db:query "SELECT text FROM note")
    helper.raises("misuse", db.exec, db, "INSERT INTO note VALUES (?); SELECT 1", "x")
    assert.are.equal(2, #db:query "SELECT * FROM note")
    assert.are.equal(0, db:depth())
  end)

  it("of a script stops at the first refusal; a transaction undoes the rest", function()
    local db = filled ":memory:"
    db:exec "CREATE TABLE note (text TEXT UNIQUE)"
    helper.raises("integrity", db.transaction, db, function()
      db:exec "INSERT INTO note VALUES ('a'); INSERT INTO note VALUES ('a'); INSERT INTO note VALUES ('b')"
    end)
    assert.are.same({}, db:query "SELECT * FROM note")
  end)
end)

describe("backup", function()
  teardown(helper.clean)

  it("copies the database to a file that can be opened and read", function()
    local path, copy = helper.path(), helper.path()
    local db, Post = filled(path, 600)
    Post.objects:get(1):delete { actor = "ana" }
    db:backup(copy)
    Post:create { title = "later" }
    local other = tombstone.open(copy)
    local Copy = declare(other)
    other:create_tables() -- nothing differs
    assert.are.equal(599, Copy.objects:count())
    assert.are.equal("t1", Copy.deleted_objects:first():original "title")
    assert.are.equal("ana", other:events()[1].actor)
    assert.are.equal(1, other:events()[1]:undo())
    assert.are.equal(1, Post.deleted_objects:count())
    assert.are.equal("ok", other:query("PRAGMA integrity_check")[1].integrity_check)
    other:close()
    db:backup(copy) -- again, over the old one
    other = tombstone.open(copy)
    assert.are.equal(600, declare(other).objects:count())
    other:close()
    db:close()
  end)

  it("of a database in memory too", function()
    local copy = helper.path()
    filled(":memory:", 3):backup(copy)
    local other = tombstone.open(copy)
    assert.are.equal(3, declare(other).objects:count())
    other:close()
  end)

  it("refuses what makes no sense", function()
    local path = helper.path()
    local db, Post = filled(path, 1)
    helper.refuses("misuse", "backup takes a path, not a nil", db.backup, db)
    helper.raises("misuse", db.backup, db, "a\0b")
    helper.raises("misuse", db.backup, db, ":memory:")
    helper.raises("misuse", db.backup, db, "")
    helper.refuses(
      "misuse",
      'Cannot back up to "' .. path .. '" - it is the database itself',
      db.backup,
      db,
      path
    )
    helper.refuses("misuse", "Cannot back up inside a transaction", db.transaction, db, function()
      Post:create { title = "x" }
      db:backup(helper.path())
    end)
    local err = helper.raises("connection", db.backup, db, "/no/such/folder/x.db")
    assert.is_truthy(err.message:find('Cannot back up to "/no/such/folder/x.db"', 1, true))
    helper.raises("connection", db.backup, db, "/")
    db:close()
    helper.refuses("misuse", "The database is closed", db.backup, db, helper.path())
  end)
end)

describe("info", function()
  it("names the driver, its version and ours", function()
    local info = tombstone.open(":memory:"):info()
    assert.are.equal("sqlite", info.driver)
    assert.is_truthy(info.version:find "^3%.%d+%.%d+$")
    assert.are.equal(tombstone._VERSION, info.tombstone)
    local major, minor, patch = info.version:match "(%d+)%.(%d+)%.(%d+)"
    local number = major * 1000000 + minor * 1000 + patch
    local fixed = number >= 3051003
      or (number >= 3050007 and number < 3051000)
      or (number >= 3044006 and number < 3045000)
    assert.are.equal(not fixed, info.warning ~= nil)
  end)
end)

describe("close", function()
  teardown(helper.clean)

  it("may be called again and again", function()
    local db = filled(":memory:", 1)
    assert.is_true(db:is_open())
    assert.are.equal("tombstone.db (open)", tostring(db))
    db:close()
    db:close()
    assert.is_false(db:is_open())
    assert.are.equal("tombstone.db (closed)", tostring(db))
  end)

  it("leaves everything that hangs on it with one clear error", function()
    local db, Post = filled(":memory:", 3)
    local row, query, new = Post.objects:get(1), Post.objects:filter { id = 1 }, Post:new { title = "x" }
    local stream, snapshot, raw =
      Post.objects:each(), Post.objects:each { snapshot = true }, db:each "SELECT 1"
    db:close()
    for _, call in ipairs {
      function()
        return Post:create { title = "y" }
      end,
      function()
        return Post:bulk_create { { title = "y" } }
      end,
      function()
        return Post:upsert({ title = "y" }, { on = "title" })
      end,
      function()
        return Post:get_or_create { title = "y" }
      end,
      function()
        return Post.objects:all()
      end,
      function()
        return query:count()
      end,
      function()
        return query:exists()
      end,
      function()
        return query:first()
      end,
      function()
        return query:get(1)
      end,
      function()
        return query:filter { id = 1 }
      end,
      function()
        return query:each()
      end,
      function()
        return query:sql()
      end,
      function()
        return query:explain()
      end,
      function()
        return query:values "id"
      end,
      function()
        return query:aggregate { n = tombstone.count "*" }
      end,
      function()
        return query:update { views = 1 }
      end,
      function()
        return query:delete()
      end,
      function()
        return query:restore()
      end,
      function()
        return query:purge()
      end,
      function()
        return query:delete_plan()
      end,
      function()
        return query:restore_plan()
      end,
      function()
        return row:save()
      end,
      function()
        return row:update { views = 1 }
      end,
      function()
        return row:reload()
      end,
      function()
        return row:delete()
      end,
      function()
        return row:restore()
      end,
      function()
        return row:purge()
      end,
      function()
        return new:save()
      end,
      stream,
      snapshot,
      raw,
      function()
        return db:transaction(function() end)
      end,
      function()
        return db:deletion({}, function() end)
      end,
      function()
        return db:events()
      end,
      function()
        return db:purge_expired()
      end,
      function()
        return db:query "SELECT 1"
      end,
      function()
        return db:exec "SELECT 1"
      end,
      function()
        return db:each "SELECT 1"
      end,
      function()
        return db:create_tables()
      end,
      function()
        return db:info()
      end,
      function()
        return db:now()
      end,
      function()
        return db:model("Other", { title = f.text() })
      end,
    } do
      helper.refuses("misuse", "The database is closed", call)
    end
    stream:close()
    snapshot:close()
    raw:close()
  end)

  it("frees the file though statements, streams and rows are left", function()
    local path = helper.path()
    local db, Post = filled(path, 3)
    local kept =
      { Post.objects:each { snapshot = true }, db:each "SELECT * FROM post", Post.objects:all() }
    kept[1]()
    kept[2]()
    db:close()
    local other = tombstone.open(path, { busy_timeout = 0 })
    other:exec "PRAGMA journal_mode = DELETE" -- needs the file for itself
    other:exec "DROP TABLE post"
    other:close()
    assert.are.equal(3, #kept[3])
  end)

  it("happens by itself when nothing refers to the handle any more", function()
    local path = helper.path()
    local function use() -- a block would leave its values on the stack of some Luas
      local _, Post = filled(path, 1)
      Post.objects:each { snapshot = true }()
    end
    use()
    collectgarbage()
    collectgarbage()
    local other = tombstone.open(path, { busy_timeout = 0 })
    other:exec "PRAGMA journal_mode = DELETE"
    other:close()
  end)

  it("does not happen while a model, a row or a query is left", function()
    local Post, row, query
    do
      local _
      _, Post = filled(":memory:", 1)
      row, query = Post.objects:get(1), Post.objects:filter { id = 1 }
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal(1, query:count())
    Post = nil -- luacheck: ignore
    collectgarbage()
    row:update { views = 3 }
    assert.are.equal(3, query:first().views)
  end)

  it("happens at the end of a block, where Lua can do that", function()
    if not helper.has_close then
      return
    end
    local run = assert(rawget(_G, "load") [[
      local open = ...
      local outside
      do
        local db <close> = open ":memory:"
        outside = db
        assert(db:is_open())
      end
      return outside:is_open()
    ]])
    assert.is_false(run(tombstone.open))
  end)

  it("of something else is no crash", function()
    local db = filled ":memory:"
    helper.raises("misuse", db.close)
    helper.raises("misuse", db.close, {})
    helper.raises("misuse", db.close, io.stdout)
    assert.is_false(db.is_open(io.stdout))
    assert.is_true(db:is_open())
    assert.are.equal("file", io.type(io.stdout))
  end)
end)

describe("the log", function()
  it("gets each statement and its values", function()
    local seen = {}
    local db = tombstone.open(":memory:", {
      log = function(sql, values)
        seen[#seen + 1] = { sql, values }
      end,
    })
    local Post = declare(db)
    db:create_tables()
    seen = {}
    Post:create { title = "it's" }
    assert.are.equal(1, #seen)
    assert.is_truthy(seen[1][1]:find "^INSERT INTO")
    assert.are.same({ "it's", 0 }, { seen[1][2][1], seen[1][2][2] })
    seen = {}
    Post.objects:filter({ views = 5 }):count()
    assert.are.equal(1, #seen)
    assert.are.same({ 5, n = 1 }, seen[1][2])
    seen = {}
    db:query("SELECT ?, ?", nil, 5)
    assert.are.same({ { "SELECT ?, ?", { nil, 5, n = 2 } } }, seen)
    seen = {}
    db:transaction(function()
      Post:create { title = "b" }
    end)
    assert.are.same({ "BEGIN IMMEDIATE", "COMMIT" }, { seen[1][1], seen[3][1] })
  end)

  it("gets the statement that failed too", function()
    local seen = {}
    local db = tombstone.open(":memory:", {
      log = function(sql)
        seen[#seen + 1] = sql
      end,
    })
    local Post = declare(db)
    db:create_tables()
    Post:create { title = "a" }
    seen = {}
    helper.raises("integrity", Post.create, Post, { title = "a" })
    assert.is_truthy(seen[1]:find "^INSERT INTO")
  end)

  it("may call the database", function()
    local db, Post
    local n, busy = 0, false
    db = tombstone.open(":memory:", {
      log = function()
        if Post and not busy then
          busy = true
          n = n + Post.objects:count()
          busy = false
        end
      end,
    })
    Post = declare(db)
    busy = true
    db:create_tables()
    busy = false
    Post:create { title = "a" }
    assert.are.equal("a", Post.objects:get(1).title)
    assert.is_true(n >= 2)
  end)
end)

describe("create_tables", function()
  it("makes what is missing, and may be called again", function()
    local db, Post = filled(":memory:", 1)
    db:create_tables()
    db:model("Other", { v = f.text() })
    db:create_tables()
    assert.are.equal(1, Post.objects:count())
  end)

  it("raises migration where a table differs from its model, and makes nothing", function()
    local db = tombstone.open ":memory:"
    db:exec "CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT)"
    db:model("Another", { v = f.text() })
    declare(db)
    local err = helper.raises("migration", db.create_tables, db)
    assert.are.equal('Table "post" differs from Post - title is NULL there', err.message)
    assert.are.equal("migrate the table, or change the model", err.hint)
    assert.are.equal("Post", err.model)
    assert.are.equal(1, #db:query "SELECT * FROM sqlite_master WHERE type = 'table'")
    assert.are.equal(0, db:depth())
  end)

  it("is what a model needs before it is used", function()
    local db = tombstone.open ":memory:"
    local Post = declare(db)
    local err = helper.raises("database", Post.create, Post, { title = "x" })
    assert.are.equal("no such table: post", err.message)
  end)
end)

describe("a handle", function()
  it("has methods that are called with a colon", function()
    local db = filled ":memory:"
    for _, name in ipairs {
      "info",
      "query",
      "exec",
      "each",
      "backup",
      "now",
      "create_tables",
      "depth",
      "begin",
      "commit",
      "rollback",
      "transaction",
      "deletion",
      "events",
      "purge_expired",
      "model",
      "models",
      "after_commit",
    } do
      for _, self in ipairs { {}, 5, "SELECT 1", io.stdout } do
        helper.raises("misuse", db[name], self, "SELECT 1")
      end
      helper.raises("misuse", db[name])
    end
  end)

  it("can be used beside others of the same file", function()
    local path = helper.path()
    local one, One = filled(path, 1)
    local two = tombstone.open(path)
    local Two = declare(two)
    Two:create { title = "from two" }
    assert.are.equal(2, One.objects:count())
    One.objects:get(2):delete()
    assert.are.equal(1, Two.objects:count())
    one:close()
    two:close()
    helper.clean()
  end)
end)
