-- What a call may take: limits of open, of a call, of a query, of a span; and interrupts.
local database = require "tombstone.database"
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local function blog(options, on, path)
  local db = tombstone.open(path or ":memory:", options)
  local Author = db:model("Author", { name = f.text { unique = true } })
  local Post = db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
  }, { on = on, soft_delete = { keep = "1d" } })
  db:create_tables()
  return db, Post, Author
end

local function fill(Post, n, author)
  local list = {}
  for i = 1, n do
    list[i] = { title = (author and author.name or "post ") .. i, views = i, author = author }
  end
  return Post:bulk_create(list)
end

-- Keeps the processor busy for so many seconds.
local function burn(seconds)
  local till = os.clock() + seconds
  while os.clock() < till do end
end

local function stopped(fn, ...)
  local err = helper.raises("interrupted", fn, ...)
  assert.truthy(err.message:find "^The call was stopped %- it took ", err.message)
  assert.truthy(err.hint:find "nothing of it was kept", err.hint)
  return err
end

describe("limits of a call", function()
  after_each(helper.clean)

  it("stop it, and nothing of it stays", function()
    local db, Post = blog()
    fill(Post, 300)
    local row = Post.objects:first()
    local all = Post.objects
    stopped(all.delete, all, { all = true, max_steps = 200 })
    stopped(all.update, all, { views = 0 }, { all = true, max_steps = 200 })
    stopped(Post.bulk_create, Post, { { title = "a" }, { title = "b" }, { title = "c" } }, { max_steps = 20 })
    stopped(row.delete, row, { max_steps = 5 })
    stopped(row.purge, row, { max_steps = 5 })
    stopped(row.forget, row, { max_steps = 5 })
    stopped(Post.upsert, Post, { title = "new" }, { on = "title", max_steps = 1 })
    stopped(Post.get_or_create, Post, { title = "new" }, nil, { max_steps = 5 })
    stopped(db.deletion, db, { actor = "ana", max_steps = 200 }, function()
      all:delete { all = true }
    end)
    assert.are.equal(300, Post.all_objects:count())
    assert.are.equal(300, all:count())
    assert.is_nil(row.deleted_at)
    assert.are.equal(0, #db:events())
    local _, event = all:delete { all = true, max_steps = 1000000 }
    stopped(event.undo, event, { max_steps = 200 })
    stopped(Post.deleted_objects.restore, Post.deleted_objects, { all = true, max_steps = 200 })
    stopped(Post.deleted_objects.purge, Post.deleted_objects, { all = true, max_steps = 200 })
    stopped(row.restore, row:reload(), { max_steps = 5 })
    assert.are.equal(300, Post.deleted_objects:count())
    assert.are.equal(300, event:undo { timeout_ms = 60000 })
    db:close()
  end)

  it("are of the right kinds, or refused", function()
    local db, Post = blog()
    local all = Post.objects
    local function wrong(options, message)
      helper.refuses("misuse", message, db.within, db, options, function() end)
      helper.refuses("misuse", message, all.within, all, options)
      helper.refuses("misuse", message, tombstone.open, ":memory:", options)
      options.all = true
      helper.refuses("misuse", message, all.delete, all, options)
    end
    local ms = "timeout_ms is a number of milliseconds, a thousandth at least"
    local steps = "max_steps is a number of steps, 1 at least"
    for _, value in ipairs { 0, -1, "5", true, 0 / 0, 1 / 0, {} } do
      wrong({ timeout_ms = value }, ms)
      wrong({ max_steps = value }, steps)
    end
    local err = helper.raises("misuse", all.delete, all, { all = true, timeout = 5 })
    assert.truthy(err.hint:find("did you mean 'timeout_ms'?", 1, true))
    err = helper.raises("misuse", db.within, db, { time_ms = 5 }, function() end)
    assert.are.equal("within has no option 'time_ms'", err.message)
    helper.refuses("misuse", "within takes limits and a function", db.within, db, { timeout_ms = 5 })
    helper.refuses("misuse", "within takes a table of limits, not a number", all.within, all, 5)
    helper.raises("misuse", tombstone.open, ":memory:", { cache_kb = 0 })
    helper.raises("misuse", tombstone.memory_limit, -1)
    helper.raises("misuse", tombstone.memory_limit, "1")
    db:close()
  end)

  it("count what its hooks take", function()
    local busy = 0
    local db, Post = blog(nil, {
      before_delete = function() burn(busy) end,
      after_save = function() burn(busy) end,
    })
    local rows = fill(Post, 3)
    busy = 0.03
    stopped(rows[1].delete, rows[1], { timeout_ms = 10 })
    stopped(Post.bulk_create, Post, { { title = "late" } }, { timeout_ms = 10 }) -- at its commit
    assert.are.equal(3, Post.objects:count())
    busy = 0
    assert.is_truthy(rows[1]:delete { timeout_ms = 60000 })
    db:close()
  end)

  it("are shared by the calls within, which have what is left", function()
    local db, Post = blog(nil, {
      before_delete = function(post)
        post:reload()
        pcall(getmetatable(post).objects.count, getmetatable(post).objects)
      end,
    })
    fill(Post, 50)
    stopped(Post.objects.delete, Post.objects, { all = true, max_steps = 2000 })
    assert.are.equal(50, Post.objects:count())
    local calls = 0
    stopped(db.within, db, { max_steps = 2000 }, function()
      while true do
        Post.objects:within({ max_steps = 1000000 }):count() -- more than is left
        calls = calls + 1
      end
    end)
    assert.is_true(calls > 0 and calls < 100)
    assert.are.equal(50, Post.objects:count())
    db:close()
  end)

  it("end the waiting for a lock", function()
    local path = helper.path()
    local db, Post = blog({ busy_timeout = 60000 }, nil, path)
    local row = Post:create { title = "a" }
    local other = tombstone.open(path)
    other:begin()
    local err = stopped(row.delete, row, { timeout_ms = 20 })
    assert.are.equal("The call was stopped - it took longer than 20 ms, waiting for a lock", err.message)
    other:rollback()
    other:close()
    assert.is_truthy(row:delete { timeout_ms = 60000 })
    db:close()
  end)

  it("leave busy what was busy before the time was up", function()
    local path = helper.path()
    local db, Post = blog({ busy_timeout = 10 }, nil, path)
    local other = tombstone.open(path)
    other:begin()
    helper.raises("busy", db.within, db, { timeout_ms = 60000 }, Post.create, Post, { title = "a" })
    other:close()
    db:close()
  end)

  it("take the transaction around an interrupted write along", function()
    local db, Post = blog()
    fill(Post, 300)
    local seen
    local err = helper.raises("database", db.transaction, db, function()
      Post:create { title = "of the transaction" }
      local ok
      ok, seen = pcall(Post.objects.delete, Post.objects, { all = true, max_steps = 300 })
      assert.is_false(ok)
      Post:create { title = "too late" }
    end)
    assert.are.equal("interrupted", seen.kind)
    assert.truthy(err.message:find "transaction")
    assert.are.equal(300, Post.all_objects:count())
    db:close()
  end)
end)

describe("limits of a query", function()
  it("are those of each of its calls, and of queries that refine it", function()
    local db, Post, Author = blog()
    local ana = Author:create { name = "ana" }
    fill(Post, 300, ana)
    local few = Post.objects:within { max_steps = 100 }
    for _, name in ipairs { "all", "count", "delete_plan" } do
      stopped(few[name], few)
    end
    stopped(few.pluck, few, "title")
    stopped(few.values, few, "title")
    stopped(few.aggregate, few, { top = tombstone.max "views" })
    stopped(few.delete, few, { all = true })
    local refined = few:filter({ views__gt = 0 }):order_by("-views"):exclude { title = "x" }
    stopped(refined.all, refined)
    stopped(function() return ana:posts():within({ max_steps = 100 }):all() end)
    assert.are.equal(300, Post.objects:count())
    assert.are.equal("ana1", few:order_by("id"):first().title)
    assert.are.equal("ana7", few:get(7).title)
    assert.are.equal(300, #Post.objects:within({ max_steps = 1000000 }):with("author"):all())
    assert.are.equal("ana", few:filter({ id = 7 }):with("author"):first():author().name)
    db:close()
  end)

  it("span what is loaded along", function()
    local db, Post, Author = blog()
    for i = 1, 20 do
      fill(Post, 40, Author:create { name = "author " .. i .. " " })
    end
    local alone = Author.objects:within { max_steps = 2000 }
    assert.are.equal(20, #alone:all())
    stopped(function() return alone:with("posts"):all() end)
    db:close()
    db, Post, Author = blog { max_steps = 2000 }
    db:within({}, function() end)
    for i = 1, 20 do
      fill(Post, 20, Author:create { name = "author " .. i .. " " })
    end
    assert.are.equal(20, #Author.objects:all())
    stopped(function() return Author.objects:with("posts"):all() end)
    db:close()
  end)

  it("are not those of each, whose loop they would count", function()
    local db, Post = blog()
    local err = helper.raises("misuse", function() return Post.objects:within({ timeout_ms = 5 }):each() end)
    assert.truthy(err.hint:find("db:within", 1, true))
    db:close()
  end)
end)

describe("limits of open", function()
  it("are those of every call, each anew", function()
    local db, Post = blog { max_steps = 3000, timeout_ms = 60000 }
    for i = 1, 100 do
      Post:create { title = "post " .. i }
    end
    stopped(Post.objects.delete, Post.objects, { all = true })
    for _ = 1, 50 do
      assert.are.equal("post 1", Post.objects:first().title)
    end
    local n = 0
    for _ in Post.objects:each() do
      n = n + 1
    end
    assert.are.equal(100, n)
    stopped(db.transaction, db, function()
      while true do
        Post:create { title = "more " .. Post.objects:count() }
      end
    end)
    assert.are.equal(100, Post.objects:count())
    db:close()
  end)

  it("are those of purge_expired as a whole", function()
    local clock = helper.clock(1763880000)
    local db, Post = blog { clock = clock.tell }
    fill(Post, 3000)
    Post.objects:delete { all = true }
    clock.now = clock.now + 2 * 86400
    stopped(db.purge_expired, db, { max_steps = 100000 })
    local left = Post.deleted_objects:count() -- batches that were done stay done
    assert.is_true(left > 0)
    assert.are.equal(left, (db:purge_expired { timeout_ms = 60000 }).Post)
    db:close()
  end)

  it("come back when a coroutine with limits of its own rests", function()
    local db, Post = blog()
    fill(Post, 300)
    local co = coroutine.create(function()
      db:within({ max_steps = 2000 }, function()
        Post.objects:filter({ id = 1 }):count()
        coroutine.yield()
        Post.objects:filter({ id = 1 }):count()
        Post.objects:all()
        Post.objects:all()
        Post.objects:all()
      end)
    end)
    if not coroutine.resume(co) or coroutine.status(co) == "dead" then
      return -- Lua 5.1 cannot yield there
    end
    for _ = 1, 5 do
      assert.are.equal(300, #Post.objects:all()) -- has no limits
    end
    local err = helper.raises("misuse", db.within, db, { max_steps = 5 }, function() end)
    assert.are.equal("Another coroutine has set limits on this handle", err.message)
    local ok, why = coroutine.resume(co)
    assert.is_false(ok)
    assert.are.equal("interrupted", why.kind)
    assert.are.equal(300, #Post.objects:all())
    db:within({ max_steps = 1000000 }, Post.objects.all, Post.objects)
    db:close()
  end)

  it("of one coroutine are not those of another's calls of several statements", function()
    local db, Post, Author = blog()
    Post:create { title = "a", author = Author:create { name = "Ana" } }
    local co = coroutine.create(function()
      db:within({ max_steps = 1000 }, coroutine.yield)
    end)
    if not coroutine.resume(co) or coroutine.status(co) == "dead" then
      return -- Lua 5.1 cannot yield there
    end
    assert.are.equal("Ana", Post.objects:with("author"):all()[1]:author().name)
    assert.are.same({ Post = 0, events = 0 }, (db:purge_expired()))
    assert.is_true(coroutine.resume(co))
    db:close()
  end)

  it("go with a coroutine that never comes back", function()
    local db, Post = blog()
    local co = coroutine.wrap(function()
      db:within({ max_steps = 50 }, coroutine.yield)
    end)
    if not pcall(co) then
      return -- Lua 5.1 cannot yield there
    end
    helper.raises("misuse", db.within, db, { max_steps = 5 }, function() end)
    co = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    db:within({ max_steps = 100000 }, Post.objects.count, Post.objects)
    db:close()
  end)

  it("are refused by a driver that has none", function()
    helper.raises("misuse", database.fake, ":memory:", { timeout_ms = 5 })
    local db = database.fake ":memory:"
    helper.refuses("misuse", "The fake driver has no limits", db.within, db, { timeout_ms = 5 }, print)
    db:close()
  end)

  it("hold the cache small where they are told so", function()
    local db = blog { cache_kb = 512 }
    assert.are.equal(-512, db:query("PRAGMA cache_size")[1].cache_size)
    db:close()
  end)
end)

describe("within", function()
  it("answers what its function does, and raises what it raises", function()
    local db = blog()
    local a, b, c = db:within({ timeout_ms = 60000 }, function(...) return ... end, 1, nil, 3)
    assert.are.same({ 1, nil, 3 }, { a, b, c })
    local oops = {}
    local ok, err = pcall(db.within, db, { timeout_ms = 60000 }, function() error(oops, 0) end)
    assert.is_false(ok)
    assert.are.equal(oops, err)
    db:within({ max_steps = 1 }, db.close, db)
    helper.raises("misuse", db.query, db, "SELECT 1")
  end)
end)

describe("an interrupt", function()
  it("ends the transaction that is open, at its next statement", function()
    local db, Post = blog()
    local err = helper.raises("interrupted", db.transaction, db, function()
      Post:create { title = "a" }
      db:interrupt()
      Post:create { title = "b" }
    end)
    assert.are.equal("The call was interrupted", err.message)
    assert.are.equal(0, Post.all_objects:count())
    Post:create { title = "a" }
    db:close()
  end)

  it("of a hook ends the call that it is in", function()
    local db, Post
    db, Post = blog(nil, { before_delete = function() db:interrupt() end })
    local row = Post:create { title = "a" }
    helper.raises("interrupted", row.delete, row)
    assert.is_nil(row.deleted_at)
    assert.are.equal(1, Post.objects:count())
    db:close()
  end)

  it("does nothing where nothing runs", function()
    local db, Post = blog { timeout_ms = 60000 }
    db:interrupt()
    Post:create { title = "a" }
    db:interrupt()
    assert.are.equal(1, Post.objects:count())
    db:interrupt()
    db:transaction(function() Post:create { title = "b" } end)
    db:close()
    helper.refuses("misuse", "The database is closed", db.interrupt, db)
  end)
end)

describe("a limit of memory", function()
  it("refuses a big sort with Lua's own error, and the handle goes on", function()
    local db, Post = blog()
    fill(Post, 100)
    local before = tombstone.memory_limit()
    local sort = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) "
      .. "SELECT length(group_concat(s, '')) AS size "
      .. "FROM (SELECT hex(randomblob(200)) AS s FROM n ORDER BY 1)"
    assert.are.equal(before, tombstone.memory_limit(16 * 1024 * 1024))
    local ok, err = pcall(db.query, db, sort)
    assert.are.equal(16 * 1024 * 1024, tombstone.memory_limit())
    tombstone.memory_limit(before)
    assert.is_false(ok)
    assert.are.equal("not enough memory", err)
    assert.are.equal(100, Post.objects:delete { all = true })
    assert.are.equal(40000000, db:query(sort)[1].size)
    db:close()
  end)
end)
