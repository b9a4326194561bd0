-- Transactions: all or nothing, nested, with errors that come out as they went in.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function titles(Post)
  return helper.list(Post.objects, "title")
end

describe("transaction", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  it("commits what its function did, and passes on what it returns", function()
    local results = {
      db:transaction(function()
        Post:create { title = "a" }
        return 1, nil, "x", nil
      end),
    }
    assert.are.equal(1, results[1])
    assert.is_nil(results[2])
    assert.are.equal("x", results[3])
    assert.are.equal(
      4,
      select(
        "#",
        db:transaction(function()
          return 1, nil, "x", nil
        end)
      )
    )
    assert.are.equal(0, select("#", db:transaction(function() end)))
    assert.are.same({ "a" }, titles(Post))
  end)

  it("rolls back for an error, which comes out as it was", function()
    for _, raised in ipairs { "text", 5, true, {}, setmetatable({}, {}), print } do
      local ok, err = pcall(db.transaction, db, function()
        Post:create { title = "a" }
        error(raised, 0)
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(raised, err))
      assert.are.equal(0, Post.all_objects:count())
      assert.are.equal(0, db:depth())
    end
    local ok, err = pcall(db.transaction, db, function()
      error(nil)
    end)
    assert.is_false(ok)
    assert.is_nil(rawget({ err }, 2))
    assert.are.equal(0, db:depth())
  end)

  it("rolls back for its own errors, which keep all their fields", function()
    Post:create { title = "a" }
    local err = helper.raises("integrity", db.transaction, db, function()
      Post:create { title = "b" }
      Post:create { title = "a" }
    end)
    assert.are.equal("a", err.value)
    assert.are.same({ "a" }, titles(Post))
  end)

  it("goes on after a call in it was refused", function()
    db:transaction(function()
      Post:create { title = "a" }
      helper.raises("integrity", Post.create, Post, { title = "a" })
      helper.raises("validation", Post.create, Post, {})
      Post:create { title = "b" }
    end)
    assert.are.same({ "a", "b" }, titles(Post))
  end)

  it("nests: an inner one is undone alone, or with the outer", function()
    db:transaction(function()
      Post:create { title = "a" }
      assert.are.equal(1, db:depth())
      local ok = pcall(db.transaction, db, function()
        assert.are.equal(2, db:depth())
        Post:create { title = "b" }
        db:transaction(function()
          assert.are.equal(3, db:depth())
          Post:create { title = "c" }
        end)
        error "no"
      end)
      assert.is_false(ok)
      assert.are.equal(1, db:depth())
      db:transaction(function()
        Post:create { title = "d" }
      end)
    end)
    assert.are.same({ "a", "d" }, titles(Post))
    pcall(db.transaction, db, function()
      db:transaction(function()
        Post:create { title = "e" }
      end)
      error "no"
    end)
    assert.are.same({ "a", "d" }, titles(Post))
  end)

  it("nests deep", function()
    local function go(n)
      if n == 0 then
        Post:create { title = "deep" }
        return db:depth()
      end
      return db:transaction(function()
        return go(n - 1)
      end)
    end
    assert.are.equal(60, go(60))
    assert.are.same({ "deep" }, titles(Post))
  end)

  it("reads what it has written", function()
    db:transaction(function()
      Post:create { title = "a" }
      assert.are.equal(1, Post.objects:count())
      assert.are.equal(1, #db:query "SELECT * FROM post")
    end)
  end)

  it("takes a function", function()
    helper.refuses("misuse", "transaction takes a function, not a nil", db.transaction, db)
    helper.refuses("misuse", "transaction takes a function, not a table", db.transaction, db, {})
    local err = helper.refuses("misuse", "A database is needed", db.transaction, function() end)
    assert.are.equal("call it with a colon, as db:transaction(fn)", err.hint)
    assert.are.equal(0, db:depth())
  end)

  it("that is closed inside raises, and nothing of it is kept", function()
    local path = helper.path()
    local file = tombstone.open(path)
    local Doc = file:model("Doc", { title = f.text() })
    file:create_tables()
    local err = helper.raises("misuse", file.transaction, file, function()
      Doc:create { title = "a" }
      file:close()
    end)
    assert.are.equal("The database is closed", err.message)
    local mine = {}
    file = tombstone.open(path)
    Doc = file:model("Doc", { title = f.text() })
    local ok, other = pcall(file.transaction, file, function()
      Doc:create { title = "b" }
      file:close()
      error(mine)
    end)
    assert.is_false(ok)
    assert.is_true(rawequal(mine, other))
    file = tombstone.open(path)
    Doc = file:model("Doc", { title = f.text() })
    assert.are.equal(0, Doc.objects:count())
    file:close()
    helper.clean()
  end)

  it("begins by taking the write lock", function()
    local path = helper.path()
    local one = tombstone.open(path)
    local two = tombstone.open(path, { busy_timeout = 0 })
    one:model("Doc", { title = f.text() })
    one:create_tables()
    one:transaction(function()
      helper.raises("busy", two.transaction, two, function() end)
      assert.are.equal(0, two:depth())
    end)
    two:transaction(function() end)
    one:close()
    two:close()
    helper.clean()
  end)

  it("that the database refuses to commit is rolled back", function()
    db:exec [[
      CREATE TABLE parent (id INTEGER PRIMARY KEY);
      CREATE TABLE child (id INTEGER PRIMARY KEY,
        parent_id INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);
    ]]
    local err = helper.raises("integrity", db.transaction, db, function()
      Post:create { title = "a" }
      db:exec "INSERT INTO child (parent_id) VALUES (99)"
    end)
    assert.are.equal("foreign_key", err.constraint)
    assert.are.equal(0, db:depth())
    assert.are.equal(0, Post.all_objects:count())
    assert.are.same({}, db:query "SELECT * FROM child")
    Post:create { title = "a" }
  end)
end)

describe("raw SQL", function()
  it("cannot begin or end a transaction", function()
    local db, Post = helper.blog()
    for _, sql in ipairs { "BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT x", "begin; select 1" } do
      local err = helper.refuses("misuse", "Raw SQL cannot begin or end a transaction", db.exec, db, sql)
      assert.are.equal("use db:transaction", err.hint)
      assert.are.equal(0, db:depth())
      Post:create { title = sql }
    end
    helper.raises("misuse", db.query, db, "BEGIN")
    helper.raises("database", db.exec, db, "COMMIT")
    helper.raises("database", db.exec, db, "ROLLBACK")
    Post:create { title = "after" }
    for _, sql in ipairs { "COMMIT", "ROLLBACK", "END" } do
      helper.refuses(
        "misuse",
        "Raw SQL cannot begin or end a transaction",
        db.transaction,
        db,
        function()
          Post:create { title = "inside " .. sql }
          db:exec(sql)
        end
      )
      assert.are.equal(0, db:depth())
    end
    Post:create { title = "last" }
    assert.is_true(Post.objects:filter({ title = "last" }):exists())
  end)

  it("that ends it by a trick makes every later call in it raise", function()
    local db, Post = helper.blog()
    pcall(db.transaction, db, function()
      Post:create { title = "a" }
      pcall(db.exec, db, "ROLLBACK")
      local err = helper.raises("database", Post.create, Post, { title = "b" })
      assert.are.equal("The transaction is gone - the database rolled it back", err.message)
      assert.are.equal("roll back and run the whole transaction again", err.hint)
    end)
    assert.are.equal(0, Post.all_objects:count())
    assert.are.equal(0, db:depth())
    Post:create { title = "c" }
  end)
end)

describe("rows", function()
  local db, Post

  before_each(function()
    db, Post = helper.blog()
  end)

  local makers = {
    create = function()
      return Post:create { title = "x" }
    end,
    save = function()
      return Post:new({ title = "x" }):save()
    end,
    bulk_create = function()
      return Post:bulk_create({ { title = "x" } })[1]
    end,
    upsert = function()
      return Post:upsert({ title = "x" }, { on = "title" })
    end,
    get_or_create = function()
      return (Post:get_or_create { title = "x" })
    end,
  }

  for name, make in pairs(makers) do
    it("made by " .. name .. " in a transaction that was rolled back raise misuse", function()
      local row
      pcall(db.transaction, db, function()
        row = make()
        row:update { views = 1 }
        error "no"
      end)
      Post:create { title = "another, which may have got its id" }
      for _, verb in ipairs { "save", "update", "delete", "restore", "purge", "reload" } do
        local err = helper.refuses(
          "misuse",
          "The row was created in a transaction that was rolled back",
          row[verb],
          row,
          verb == "update" and { views = 5 } or nil
        )
        assert.are.equal("create it again", err.hint)
      end
      assert.are.equal(1, Post.objects:count())
      assert.are.equal(0, Post.objects:first().views)
    end)
  end

  it("of an inner transaction are lost with it, or with the outer", function()
    local inner, kept, outer
    pcall(db.transaction, db, function()
      outer = Post:create { title = "a" }
      pcall(db.transaction, db, function()
        inner = Post:create { title = "b" }
        error "no"
      end)
      helper.raises("misuse", inner.save, inner)
      outer:save()
      db:transaction(function()
        kept = Post:create { title = "c" }
      end)
      kept:save()
      error "no"
    end)
    helper.raises("misuse", outer.save, outer)
    helper.raises("misuse", kept.save, kept)
    helper.raises("misuse", inner.save, inner)
  end)

  it("are known among many that the program has dropped", function()
    local kept, early = {}, nil
    pcall(db.transaction, db, function()
      early = Post:create { title = "early" }
      pcall(db.transaction, db, function()
        for i = 1, 500 do
          local rows = Post:bulk_create { { title = "a" .. i }, { title = "b" .. i } }
          if i % 50 == 0 then
            kept[#kept + 1] = rows[2]
            collectgarbage()
          end
        end
        error "no"
      end)
      early:save()
      for _, row in ipairs(kept) do
        helper.raises("misuse", row.save, row)
      end
      local later = Post:create { title = "later" }
      later:save()
    end)
    assert.are.equal(10, #kept)
    early:save()
    assert.are.equal(2, Post.objects:count())
  end)

  it("of a transaction that was committed are like others", function()
    local row
    db:transaction(function()
      row = Post:create { title = "a" }
    end)
    pcall(db.transaction, db, function()
      row:update { views = 5 }
      error "no"
    end)
    row:save()
    assert.are.equal(5, Post.objects:get(row.id).views)
  end)

  it("that were only changed in it can be reloaded", function()
    local row = Post:create { title = "a" }
    pcall(db.transaction, db, function()
      row:delete()
      error "no"
    end)
    assert.is_true(row:is_deleted())
    helper.raises("deleted", row.save, row) -- and no mangled title gets into a living row
    row:reload()
    assert.is_false(row:is_deleted())
    assert.are.equal("a", row.title)
    row:save()
  end)
end)

describe("another coroutine", function()
  it("may not use a handle in the middle of a transaction", function()
    local db, Post = helper.blog()
    local row = Post:create { title = "a" }
    local stream = Post.objects:each()
    db:transaction(function()
      for _, call in ipairs {
        function()
          return Post.objects:count()
        end,
        function()
          return Post.objects:all()
        end,
        function()
          return Post:create { title = "b" }
        end,
        function()
          return row:save()
        end,
        function()
          return stream()
        end,
        function()
          return db:transaction(function() end)
        end,
        function()
          return db:query "SELECT 1"
        end,
        function()
          return db:exec "DELETE FROM post"
        end,
      } do
        local thread = coroutine.create(call)
        local ok, err = coroutine.resume(thread)
        assert.is_false(ok)
        assert.are.equal("misuse", err.kind)
        assert.are.equal("Another coroutine is in a transaction on this handle", err.message)
        assert.are.equal("wait for its end, or open a handle for each coroutine", err.hint)
      end
    end)
    assert.are.equal(
      1,
      coroutine.wrap(function()
        return Post.objects:count()
      end)()
    )
    assert.are.equal(1, stream().id)
  end)

  it("may use it before and after, and run transactions of its own", function()
    local db, Post = helper.blog()
    local function writer(title)
      return coroutine.wrap(function()
        for i = 1, 3 do
          db:transaction(function()
            Post:create { title = title .. i }
          end)
          coroutine.yield()
        end
      end)
    end
    local a, b = writer "a", writer "b"
    for _ = 1, 3 do
      a()
      b()
    end
    assert.are.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, titles(Post))
  end)

  it("that yields inside a transaction keeps it to itself", function()
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      return -- no yield across pcall there
    end
    local db, Post = helper.blog()
    local thread = coroutine.create(function()
      db:transaction(function()
        Post:create { title = "a" }
        coroutine.yield()
        Post:create { title = "b" }
      end)
    end)
    assert(coroutine.resume(thread))
    helper.raises("misuse", Post.objects.count, Post.objects)
    assert(coroutine.resume(thread))
    assert.are.same({ "a", "b" }, titles(Post))
  end)

  it("that is abandoned inside a transaction leaves a handle that can be closed", function()
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      return
    end
    local path = helper.path()
    local db = tombstone.open(path)
    local Post = db:model("Post", { title = f.text() })
    db:create_tables()
    coroutine.resume(coroutine.create(function()
      db:transaction(function()
        Post:create { title = "a" }
        coroutine.yield()
      end)
    end))
    helper.raises("misuse", Post.objects.count, Post.objects)
    db:close()
    db = tombstone.open(path)
    Post = db:model("Post", { title = f.text() })
    assert.are.equal(0, Post.objects:count())
    db:close()
    helper.clean()
  end)
end)
