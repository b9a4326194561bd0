-- What nobody should do: each is one clear error, and nothing is lost or half-done.
local tombstone = require "tombstone"
local helper = require "helper"
local f, Q, any, none = tombstone.field, tombstone.Q, tombstone.any, tombstone.none

local CLOSED = "The database is closed"

local function file_blog(options)
  local path = helper.path()
  local function open(more)
    local db = tombstone.open(path, more)
    local Post = db:model("Post", {
      title = f.char { max_length = 100, unique = true },
      content = f.text { null = true },
      views = f.integer { default = 0 },
    })
    db:create_tables()
    return db, Post
  end
  local db, Post = open(options)
  return db, Post, open, path
end

-- What a fresh handle sees in the file.
local function count_of(open)
  local db, Post = open()
  local living, all, events = Post.objects:count(), Post.all_objects:count(), #db:events()
  db:close()
  return living, all, events
end

-- Runs `fn` when a garbage collection finds out; the errors of finalizers are nobody's.
local newproxy = rawget(_G, "newproxy")
local function on_collect(fn)
  local function finalize()
    pcall(fn)
  end
  if newproxy then
    getmetatable(newproxy(true)).__gc = finalize
  else
    setmetatable({}, { __gc = finalize })
  end
end

-- Calls `body` while garbage is collected all the time, and `fn` with it.
local function under_pressure(fn, body)
  local living = true
  local function again()
    fn()
    if living then
      on_collect(again)
    end
  end
  on_collect(again)
  local pause, step = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
  local ok, err = pcall(body)
  living = false
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", step)
  collectgarbage()
  if not ok then
    error(err, 0)
  end
end

describe("names", function()
  it("of tables and columns may be anything that SQL can quote, and nothing else happens", function()
    for _, name in ipairs {
      'a"b',
      "a b",
      "a'b",
      "a]b",
      "a`b",
      "a\nb",
      'x"; DROP TABLE "post"; --',
      "select",
      "1",
      "ü",
      "a__b",
      "?1",
      ":name",
      "%s",
    } do
      local db, Post = helper.blog()
      Post:create { title = "kept" }
      local Odd = db:model(
        "Odd",
        {
          text = f.text { unique = true, column = name, index = true },
          other = f.integer { null = true, unique = true, column = name .. "2", check = "1 = 1" },
        },
        {
          table = name,
          soft_delete = { column = name .. "3" },
          unique_together = { { "text", "other" } },
        }
      )
      db:create_tables()
      local row = Odd:create { text = "v", other = 1 }
      row:update { text = "w" }
      local event = row:delete()
      Odd:create { text = "w" }
      local err = helper.refuses(
        "integrity",
        "Cannot restore record - text with value 'w' already exists",
        row.restore,
        row
      )
      assert.are.equal("text", err.fields[1])
      assert.are.equal(1, event:undo { on_conflict = "rename" })
      assert.are.equal(1, Odd.objects:filter({ text__startswith = "w (" }):count())
      assert.are.equal(1, Odd:upsert({ text = "w", other = 2 }, { on = "text" }).other - 1)
      assert.are.equal(2, Odd.objects:order_by("-text"):distinct():count())
      assert.are.equal(2, Odd.objects:delete { all = true })
      assert.are.equal(2, Odd.deleted_objects:purge { all = true })
      assert.are.equal(1, Post.objects:count())
      db:create_tables()
      db:close()
    end
  end)

  it("that could not be told apart, or are no names, are refused", function()
    local db = helper.blog()
    local HINT = "names are letters, digits and single underscores, begin with a letter and have "
      .. "fewer than 64 bytes; tables and columns hold no '.' or ','"
    for _, name in ipairs { "a b", 'a"b', "a;b", "a.b", "", "_a", "a__b", "a_", "1a", "ü", ("x"):rep(64) } do
      local err = helper.raises("misuse", db.model, db, name, { a = f.text() })
      assert.are.equal(HINT, err.hint)
      err = helper.raises("misuse", db.model, db, "M", { [name] = f.text() })
      assert.are.equal(name:match "^__" and err.hint or HINT, err.hint)
      helper.raises("misuse", db.model, db, "M", { a = f.text { collate = name } })
    end
    for _, name in ipairs { "", "a.b", "a,b", "a\0b", ("x"):rep(64) } do
      helper.raises("misuse", db.model, db, "M", { a = f.text() }, { table = name })
      helper.raises("misuse", db.model, db, "M", { a = f.text { column = name } })
    end
    -- None of them is half-declared.
    assert.are.equal(1, #db:models())
    db:model("M", { a = f.text() })
    db:create_tables()
  end)

  it("of methods are refused for fields, and the way out is named", function()
    local db = helper.blog()
    for _, name in ipairs { "save", "delete", "restore", "objects", "create", "original", "update" } do
      local err = helper.refuses(
        "misuse",
        "M." .. name .. " would hide the method of that name",
        db.model,
        db,
        "M",
        { [name] = f.text() }
      )
      assert.are.equal('rename it with attr, as in { attr = "' .. name .. '_value" }', err.hint)
    end
    local M = db:model("M", { save = f.text { attr = "save_value" } })
    db:create_tables()
    local row = M:create { save_value = "x" }
    row:save()
    assert.are.equal("x", db:query("SELECT save FROM m")[1].save)
  end)
end)

describe("texts", function()
  local NASTY = {
    "'; DROP TABLE post; --",
    '"; DROP TABLE post; --',
    "Robert'); DELETE FROM post; --",
    "?",
    "?1",
    ":a",
    "$1",
    "%s%n%d",
    "%",
    "_",
    "\\",
    "[a-z]",
    "*",
    "",
    " ",
    "\n",
    "\127",
    "NULL",
    "x__deleted_1763880000.000000",
    "\239\191\191", -- U+FFFF
    "\244\143\191\191", -- U+10FFFF
    "\239\187\191x", -- a byte order mark
  }

  it("are bound, never spliced: they come back as they were and match nothing else", function()
    local db, Post = helper.blog(nil, { title = f.text { unique = true } })
    for i, text in ipairs(NASTY) do
      assert.are.equal(i, Post:create({ title = text }).id)
    end
    local lookups = { "", "__contains", "__startswith", "__endswith", "__iexact", "__original", "__in" }
    for i, text in ipairs(NASTY) do
      assert.are.equal(i, Post.objects:get({ title = text }).id)
      for _, lookup in ipairs(lookups) do
        local value = lookup == "__in" and { text } or text
        for row in Post.objects:filter({ ["title" .. lookup] = value }):each() do
          assert.is_truthy(row.title:lower():find(text:lower(), 1, true))
        end
      end
      assert.are.equal(text, db:query("SELECT title FROM post WHERE title = ?", text)[1].title)
    end
    Post.objects:delete { all = true, actor = NASTY[1], reason = NASTY[2] }
    assert.are.equal(1, #db:events { actor = NASTY[1], reason = NASTY[2] })
    assert.are.equal(#NASTY, db:events()[1]:undo())
    assert.are.same(NASTY, helper.list(Post.objects:order_by("id"), "title"))
  end)

  it("that are no UTF-8 or hold NUL are refused wherever a text is taken", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "a" }
    for _, bad in ipairs {
      "\0",
      "a\0b",
      "\128",
      "\255",
      "\192\175", -- overlong
      "\224\128\175",
      "\240\128\128\175",
      "\237\160\128", -- a surrogate
      "\237\191\191",
      "\244\144\128\128", -- above U+10FFFF
      "\194", -- truncated
      "\226\130",
      "\240\159\152",
      "\226\40\161",
    } do
      local words = "Post is not valid - title must be UTF-8 without NUL"
      helper.refuses("validation", words, Post.create, Post, { title = bad })
      helper.refuses("validation", words, post.update, post, { title = bad })
      helper.refuses("validation", words, Post.upsert, Post, { title = bad }, { on = "title" })
      helper.refuses("validation", words, Post.bulk_create, Post, { { title = "b" }, { title = bad } })
      local query = Post.objects:filter { id = 1 }
      helper.refuses("validation", words, query.update, query, { title = bad })
      helper.raises(bad:find("\0", 1, true) and "misuse" or "validation", post.delete, post, { actor = bad })
      -- No row can hold it, so that asking for it is no mistake.
      assert.are.equal(0, Post.objects:filter({ title = bad }):count())
      assert.are.equal(1, Post.objects:exclude({ title = bad }):count())
      assert.are.equal(1, Post.objects:filter({ title__in = { "a", bad } }):count())
      assert.is_nil(Post.objects:find { title = bad })
    end
    assert.are.equal("a", post.title)
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal(0, db:depth())
  end)

  it("of 20 MB go in and out whole, also when mangled", function()
    local db, Post = helper.blog(nil, {
      title = f.text { unique = true },
      data = f.blob { null = true },
      name = f.char { max_length = 10, null = true },
    })
    local size = helper.scaled(20000000, 2000000)
    local text, bytes = ("ü"):rep(size / 2), ("\0\255"):rep(size / 2)
    local post = Post:create { title = text, data = bytes }
    post:delete()
    assert.are.equal(size + 27, #post.title)
    assert.is_true(post:original "title" == text)
    local other = Post:create { title = text }
    local err = helper.raises("integrity", post.restore, post)
    assert.is_true(#err.message < 1024)
    assert.are.equal(1, (text:find(err.value, 1, true))) -- its beginning
    assert.is_true(#err.value <= 1024)
    other:purge()
    post:restore()
    post = Post.objects:get { title = text }
    assert.is_true(post.title == text and post.data == bytes)
    err = helper.raises("validation", post.update, post, { name = text })
    assert.are.equal(
      ("Post is not valid - name has %d characters, at most 10 are allowed"):format(size / 2),
      err.message
    )
    db:close()
  end)
end)

describe("numbers", function()
  it("that a column cannot hold exactly are refused, not bent", function()
    local db, Post = helper.blog(nil, { n = f.integer { null = true }, x = f.number { null = true } })
    local words = "Post is not valid - n must be an integer"
    for _, n in ipairs { 0 / 0, 1 / 0, -1 / 0, 2 ^ 63, -2 ^ 64, 1.5, 2 ^ 1000 } do
      helper.refuses("validation", words, Post.create, Post, { n = n })
      helper.raises("misuse", Post.objects.filter, Post.objects, { n = n })
    end
    for _, x in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
      helper.refuses(
        "validation",
        "Post is not valid - x must be a finite number",
        Post.create,
        Post,
        { x = x }
      )
    end
    assert.are.equal(0, Post.all_objects:count())
    -- As texts where the Lua has no such integers, as integers where it has.
    for _, n in ipairs { "9223372036854775807", "-9223372036854775808", "9007199254740993" } do
      local value = helper.has_integers and tonumber(n) or n
      assert.are.equal(value, Post:create({ n = value }):reload().n)
      assert.are.equal(1, Post.objects:filter({ n = value }):count())
      assert.are.equal(n, db:query("SELECT CAST(n AS text) AS n FROM post ORDER BY id DESC")[1].n)
    end
    helper.raises("misuse", db.query, db, "SELECT ?", 0 / 0)
  end)
end)

-- Values of every Lua type that is no value of a column.
local function strangers()
  return {
    print,
    function() end,
    io.stdout,
    coroutine.create(function() end),
    { {} },
    { [{}] = {} },
    0 / 0,
  }
end

describe("wrong types", function()
  it("are one error of ours in every place, and change nothing", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "a" }
    local all = Post.objects
    local KINDS = { misuse = true, validation = true, not_found = true }
    local function refused(what, fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_true(not ok, what)
      assert.is_true(type(err) == "table" and KINDS[err.kind] == true, what .. ": " .. tostring(err))
      assert.are.equal(0, db:depth())
    end
    for i, value in ipairs(strangers()) do
      local name = type(value) .. " " .. i
      refused("create field " .. name, Post.create, Post, { title = value })
      refused(
        "create key " .. name,
        Post.create,
        Post,
        { title = "b", [value == value and value or 5] = 1 }
      )
      refused("update " .. name, post.update, post, { views = value })
      refused("update query " .. name, all.update, all:filter { id = 1 }, { views = value })
      refused("bulk " .. name, Post.bulk_create, Post, { { title = "b" }, value })
      refused("filter eq " .. name, all.filter, all, { views__gt = value })
      refused("filter range " .. name, all.filter, all, { views__range = { value, value } })
      refused("get " .. name, all.get, all, value)
      refused("limit " .. name, all.limit, all, value)
      refused("offset " .. name, all.offset, all, value)
      refused("order_by " .. name, all.order_by, all, value)
      refused("only " .. name, all.only, all, value)
      refused("values " .. name, all.values, all, value)
      refused("pluck " .. name, all.pluck, all, value)
      refused("aggregate " .. name, all.aggregate, all, { n = value })
      refused("as_of " .. name, Post.all_objects.as_of, Post.all_objects, value)
      refused("original " .. name, post.original, post, value)
      refused("save " .. name, post.save, post, { value })
      refused("max_rows " .. name, all.delete, all:filter { id = 1 }, { max_rows = value })
      refused("actor " .. name, post.delete, post, { actor = value })
      refused("upsert on " .. name, Post.upsert, Post, { title = "a" }, { on = value })
      refused("query " .. name, db.query, db, value)
      refused("bind " .. name, db.query, db, "SELECT ?", value)
      refused("backup " .. name, db.backup, db, value)
      refused("open " .. name, tombstone.open, value)
      refused("model " .. name, db.model, db, value, { a = f.text() })
      refused("fields " .. name, db.model, db, "M", { a = value })
      refused("timeout " .. name, tombstone.open, ":memory:", { busy_timeout = value })
      refused("cache " .. name, tombstone.open, ":memory:", { statement_cache = value })
      if type(value) ~= "function" then
        refused("transaction " .. name, db.transaction, db, value)
        refused("after_commit " .. name, db.after_commit, db, value)
        refused("deletion " .. name, db.deletion, db, {}, value)
        refused("on_conflict " .. name, post.restore, post, { on_conflict = value })
        refused("hook " .. name, db.model, db, "M", { a = f.text() }, { on = { before_save = value } })
        refused("log " .. name, tombstone.open, ":memory:", { log = value })
        refused("clock " .. name, tombstone.open, ":memory:", { clock = value })
      end
      if type(value) ~= "table" then
        refused("create " .. name, Post.create, Post, value)
        refused("filter " .. name, all.filter, all, value)
        refused("options " .. name, post.delete, post, value)
        refused("upsert " .. name, Post.upsert, Post, value, { on = "title" })
        refused("get_or_create " .. name, Post.get_or_create, Post, value)
        refused("Q " .. name, Q, value)
        refused("any " .. name, any, value)
        refused("F " .. name, tombstone.F, value)
      end
      refused("part " .. name, all.filter, all, any { value })
    end
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal(0, #db:events())
    assert.are.equal(0, all:get(1).views)
    assert.are.equal(1, #db:models())
  end)

  it("in place of self say what is needed", function()
    local db, Post = helper.blog()
    local post = Post:create { title = "a" }
    local meta = { __index = Post }
    local selves = strangers()
    selves[#selves + 1] = setmetatable({ title = "b" }, meta)
    selves[#selves + 1] = setmetatable({}, { __index = getmetatable(db) })
    selves[#selves + 1] = "text"
    selves[#selves + 1] = {}
    for _, self in ipairs(selves) do
      for _, name in ipairs {
        "save",
        "update",
        "reload",
        "delete",
        "restore",
        "purge",
        "is_deleted",
        "original",
      } do
        local err = helper.raises("misuse", Post[name], self, "title")
        assert.are.equal("A row is needed, not a " .. type(self), err.message)
        assert.are.equal("call it with a colon, as post:save()", err.hint)
      end
      for _, name in ipairs { "create", "new", "bulk_create", "upsert", "fields" } do
        local err = helper.raises("misuse", Post[name], self, {}, {})
        assert.are.equal("A model is needed, not a " .. type(self), err.message)
      end
      for _, name in ipairs {
        "all",
        "first",
        "get",
        "count",
        "filter",
        "delete",
        "update",
        "purge",
        "each",
        "sql",
      } do
        local err = helper.raises("misuse", Post.objects[name], self, {})
        assert.are.equal("A query is needed, not a " .. type(self), err.message)
      end
      for _, name in ipairs {
        "query",
        "exec",
        "each",
        "info",
        "close",
        "depth",
        "create_tables",
        "now",
        "interrupt",
        "in_transaction",
      } do
        local err = helper.raises("misuse", db[name], self, "SELECT 1")
        assert.are.equal("A database is needed, not a " .. type(self), err.message)
      end
      for _, name in ipairs { "model", "models", "transaction", "after_commit", "events" } do
        helper.raises("misuse", db[name], self, print)
      end
      helper.refuses("misuse", "A database is needed, not a " .. type(self), db.within, self, {}, print)
    end
    -- A dot in place of the colon.
    helper.raises("misuse", Post.create, { title = "b" })
    helper.raises("misuse", Post.objects.filter, { title = "b" })
    helper.raises("misuse", db.transaction, function() end)
    helper.raises("misuse", post.update, { title = "b" })
    helper.raises("misuse", db.close)
    assert.is_true(db:is_open())
    assert.are.equal(1, Post.all_objects:count())
  end)

  it("rows that have lost their metatable or their key are refused", function()
    local _, Post = helper.blog()
    local post = Post:create { title = "a" }
    setmetatable(post, nil)
    helper.refuses("misuse", "A row is needed, not a table", Post.save, post)
    helper.refuses("misuse", "A row is needed, not a table", Post.delete, post)
    setmetatable(post, Post)
    post.id = nil
    helper.raises("misuse", post.delete, post)
    helper.raises("misuse", post.update, post, { views = 1 })
    helper.raises("not_found", post.reload, post)
    helper.raises("misuse", post.purge, post)
    assert.are.equal(1, Post.objects:count())
  end)

  it("of the wrong database or model do not reach a row", function()
    local _, Post = helper.blog()
    local db, Other = helper.blog()
    Post:create { title = "a" }
    Other:create { title = "a" }
    local Song = db:model("Song", { title = f.text() })
    db:create_tables()
    local post = Other.objects:get(1)
    setmetatable(post, Song)
    local ok = pcall(post.delete, post)
    assert.is_true(ok) -- there is no song 1
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(1, Other.objects:count())
  end)
end)

describe("too much", function()
  it("nesting is refused, 10000 levels deep", function()
    local _, Post = helper.blog()
    local deep = Q { title = "a" }
    for _ = 1, 10000 do
      deep = none { deep }
    end
    local err = helper.raises("misuse", Post.objects.filter, Post.objects, deep)
    assert.is_truthy(err.message:match "^A condition is nested more than %d+ deep$")
    deep = { title = "a" }
    for _ = 1, 10000 do
      deep = { title = deep }
    end
    helper.raises("misuse", Post.objects.filter, Post.objects, deep)
    local endless = any {}
    endless[1] = endless
    helper.raises("misuse", Post.objects.filter, Post.objects, endless)
    local sum = tombstone.F "views"
    for _ = 1, 10000 do
      sum = sum + 1
    end
    helper.raises("misuse", Post.objects.update, Post.objects:filter { id = 1 }, { views = sum })
  end)

  it("values are taken: 100000 in one filter", function()
    local _, Post = helper.blog()
    Post:create { title = "a", views = 77 }
    local list, texts = {}, {}
    for i = 1, helper.scaled(100000, 5000) do
      list[i], texts[i] = i, "t" .. i
    end
    assert.are.equal(1, Post.objects:filter({ views = list }):count())
    assert.are.equal(0, Post.objects:exclude({ views__in = list }):count())
    texts[#texts + 1] = "a"
    assert.are.equal(1, Post.objects:filter({ title__in = texts }):count())
    local parts = {}
    for i = 1, 100000 do
      parts[i] = { views = i }
    end
    local ok, err = pcall(function()
      return Post.objects:filter(any(parts)):count()
    end)
    assert.is_true(ok or (type(err) == "table" and (err.kind == "misuse" or err.kind == "database")))
    assert.are.equal(1, Post.objects:count())
  end)

  it("filters on one query are refused from 500 on", function()
    local _, Post = helper.blog()
    local query = Post.objects
    local ok, err = pcall(function()
      for i = 1, 2000 do
        query = query:filter { views__ne = i }
      end
    end)
    assert.is_false(ok)
    assert.are.equal("misuse", err.kind)
    assert.are.equal("combine them in one filter, or use __in", err.hint)
    assert.are.equal(0, query:count())
  end)
end)

describe("files", function()
  after_each(helper.clean)

  it("that are no databases, or folders, are not opened", function()
    local path = helper.path()
    local file = io.open(path, "w")
    file:write(("no database "):rep(1000))
    file:close()
    helper.raises("connection", tombstone.open, path)
    file = io.open(path)
    assert.are.equal(("no database "):rep(1000), file:read "*a")
    file:close()
    local err = helper.raises("connection", tombstone.open, ".")
    assert.are.equal("this is a folder: name a file", err.hint)
    helper.raises("misuse", tombstone.open, "a\0b")
  end)

  it("that are read-only can be read, and refuse every write", function()
    local db, Post, open, path = file_blog()
    Post:create { title = "a" }
    Post:create({ title = "b" }):delete()
    db:close()
    for _, way in ipairs { { path, { read_only = true } }, { "file:" .. path .. "?mode=ro" } } do
      db = tombstone.open(way[1], way[2])
      local Reader = db:model("Post", {
        title = f.char { max_length = 100, unique = true },
        content = f.text { null = true },
        views = f.integer { default = 0 },
      })
      local post, dead = Reader.objects:get(1), Reader.deleted_objects:first()
      for _, write in ipairs {
        function()
          Reader:create { title = "c" }
        end,
        function()
          post:update { views = 5 }
        end,
        function()
          post:delete()
        end,
        function()
          dead:restore()
        end,
        function()
          dead:purge()
        end,
        function()
          Reader.objects:delete { all = true }
        end,
        function()
          Reader:upsert({ title = "a", views = 5 }, { on = "title" })
        end,
        function()
          db:exec "DELETE FROM post"
        end,
      } do
        local err = helper.refuses("database", "attempt to write a readonly database", write)
        assert.are.equal(
          "open the database for writing, and check the permissions of the file and its folder",
          err.hint
        )
      end
      assert.are.equal(0, post.views)
      assert.are.equal(0, db:depth())
      db:close()
    end
    assert.are.same({ 1, 2, 1 }, { count_of(open) })
  end)

  it("that are full refuse, keep what they had, and can be freed by a purge", function()
    local db, Post = file_blog()
    for i = 1, 20 do
      Post:create { title = "post " .. i, content = ("x"):rep(5000) }
    end
    for i = 1, 5 do
      Post:create({ title = "dead " .. i, content = ("x"):rep(5000) }):delete()
    end
    local pages = db:query("PRAGMA page_count")[1].page_count
    db:query("PRAGMA max_page_count = " .. pages)
    local function refused(fn, ...)
      local err = helper.refuses("database", "database or disk is full", fn, ...)
      assert.are.equal("free space on the disk and try again", err.hint)
      assert.are.equal(0, db:depth())
    end
    local big = ("y"):rep(50000)
    local list = {}
    for i = 1, 20 do
      list[i] = { title = "more " .. i, content = big }
    end
    refused(Post.create, Post, { title = "a", content = big })
    refused(Post.bulk_create, Post, list)
    local post = Post.objects:get(1)
    refused(post.update, post, { content = big })
    assert.are.equal(5000, #post.content)
    local all = Post.objects
    refused(all.update, all, { content = big }, { all = true })
    refused(db.transaction, db, function()
      post:delete()
      post:restore()
      for _, values in ipairs(list) do
        Post:create(values)
      end
    end)
    assert.are.equal(20, Post.objects:count())
    assert.are.equal(5, #db:events())
    assert.are.equal(20, Post.objects:filter({ content__startswith = "xxx" }):count())
    assert.are.equal("ok", db:query("PRAGMA integrity_check")[1].integrity_check)
    assert.are.equal(5, Post.deleted_objects:purge { all = true })
    Post:create { title = "a", content = ("z"):rep(5000) }
    db:close()
  end)

  it("that are locked raise busy at once with busy_timeout = 0, and nothing is written", function()
    local db, Post, open = file_blog { busy_timeout = 0 }
    local post = Post:create { title = "a" }
    local other = open()
    other:transaction(function()
      other:exec "UPDATE post SET views = 9"
      local all = Post.objects
      for _, call in ipairs {
        { Post.create, Post, { title = "b" } },
        { post.update, post, { views = 1 } },
        { post.delete, post },
        { all.delete, all, { all = true } },
        { Post.upsert, Post, { title = "a" }, { on = "title" } },
        { Post.get_or_create, Post, { title = "c" } },
        { db.transaction, db, function() end },
      } do
        helper.refuses("busy", "database is locked", helper.unpack(call, 1, 4))
        assert.are.equal(0, db:depth())
      end
      assert.are.equal(1, Post.objects:count())
    end)
    assert.are.equal(9, post:reload().views)
    assert.are.same({ 1, 1, 0 }, { count_of(open) })
    other:close()
    db:close()
  end)
end)

describe("closing the handle", function()
  after_each(helper.clean)

  it("inside each ends the loop with misuse, in every form", function()
    for _, options in ipairs { {}, { snapshot = true }, { reuse = true } } do
      local db, Post = helper.blog()
      local list = {}
      for i = 1, 600 do
        list[i] = { title = "post " .. i }
      end
      Post:bulk_create(list)
      local seen = 0
      local ok, err = pcall(function()
        for _ in Post.objects:each(options) do
          seen = seen + 1
          db:close()
        end
      end)
      assert.is_false(ok)
      assert.are.equal("misuse", err.kind)
      assert.are.equal(CLOSED, err.message)
      assert.is_true(seen >= 1)
    end
  end)

  it("inside a transaction rolls it back", function()
    local db, Post, open = file_blog()
    helper.refuses("misuse", CLOSED, db.transaction, db, function()
      Post:create { title = "a" }
      db:close()
    end)
    assert.are.same({ 0, 0, 0 }, { count_of(open) })
    db, Post = open()
    helper.refuses("misuse", CLOSED, db.deletion, db, {}, function()
      Post:create({ title = "a" }):delete()
      db:transaction(function()
        db:close()
      end)
    end)
    assert.are.same({ 0, 0, 0 }, { count_of(open) })
  end)

  it("inside a hook refuses the call, which then has done nothing", function()
    for name, verb in pairs {
      before_save = "create",
      after_save = "create",
      before_delete = "delete",
      after_delete = "delete",
    } do
      local path = helper.path()
      local db = tombstone.open(path)
      local armed = false
      local Post = db:model("Post", { title = f.text { unique = true } }, {
        on = { [name] = function()
          if armed then
            db:close()
          end
        end },
      })
      db:create_tables()
      local post = Post:create { title = "a" }
      armed = true
      if verb == "create" then
        helper.refuses("misuse", CLOSED, Post.create, Post, { title = "b" })
      else
        helper.refuses("misuse", CLOSED, post.delete, post)
      end
      assert.are.equal("a", post.title)
      assert.is_nil(rawget(post, "deleted_at"))
      db = tombstone.open(path)
      local found = db:query "SELECT count(*) AS n, sum(deleted_at IS NULL) AS living FROM post"
      assert.are.same({ { n = 1, living = 1 } }, found)
      assert.are.equal(0, db:query("SELECT count(*) AS n FROM tombstone_event")[1].n)
      db:close()
    end
  end)

  it("inside the clock refuses the call, which then has done nothing", function()
    local armed, db, Post, open
    local function clock()
      if armed then
        armed = false
        db:close()
      end
      return 1763880000
    end
    db, Post, open = file_blog { clock = clock }
    Post:create { title = "a" }
    for _, call in ipairs {
      function()
        Post:create { title = "b" }
      end,
      function()
        Post:bulk_create { { title = "b" }, { title = "c" } }
      end,
      function()
        Post.objects:first():delete()
      end,
      function()
        Post.objects:delete { all = true }
      end,
      function()
        Post:upsert({ title = "a", views = 5 }, { on = "title" })
      end,
      function()
        Post:get_or_create { title = "b" }
      end,
      function()
        Post.objects:purge { all = true, living = true }
      end,
      function()
        db:deletion({}, function()
          Post.objects:delete { all = true }
        end)
      end,
    } do
      armed = true
      helper.refuses("misuse", CLOSED, call)
      assert.is_false(db:is_open())
      db, Post = open { clock = clock }
      assert.are.equal(1, Post.objects:filter({ views = 0 }):count())
      assert.are.equal(1, Post.all_objects:count())
      assert.are.equal(0, #db:events())
    end
  end)

  it("inside the log lets a call end, or refuses it whole", function()
    local armed, db, Post, open
    local function log()
      if armed then
        armed = false
        db:close()
      end
    end
    db, Post, open = file_blog { log = log }
    Post:create { title = "a" }
    local function digest()
      local other, OtherPost = open()
      local lines = {}
      for i, row in ipairs(OtherPost.all_objects:all()) do
        lines[i] = row.id .. row.title .. row.views
      end
      lines[#lines + 1] = #other:events()
      other:close()
      return table.concat(lines, "\n")
    end
    for i, call in ipairs {
      function()
        return Post:create { title = "b" }
      end,
      function()
        return Post:bulk_create { { title = "c" }, { title = "d" } }
      end,
      function()
        return Post.objects:all()
      end,
      function()
        return Post.objects:first():update { views = 3 }
      end,
      function()
        return Post.objects:filter({ id = 1 }):delete()
      end,
      function()
        return Post:upsert({ title = "a", views = 5 }, { on = "title" })
      end,
      function()
        return db:transaction(function()
          return Post:create { title = "e" }
        end)
      end,
    } do
      local before = digest()
      armed = true
      local ok, err = pcall(call)
      assert.is_false(db:is_open())
      local changed = digest() ~= before
      if not ok then
        assert.are.equal(CLOSED, err.message)
        assert.is_false(changed, "call " .. i .. " raised, and wrote")
      end
      db, Post = open { log = log }
    end
  end)
end)

describe("functions of the program that raise", function()
  it("refuse the call with their own error, and nothing is written", function()
    local oops = { "oops" }
    local armed
    local function raise()
      if armed then
        error(oops, 0)
      end
      return nil
    end
    local function check()
      raise()
      return true
    end
    local db, Post = helper.blog({
      clock = function()
        raise()
        return 1763880000
      end,
    }, {
      title = f.text { unique = true },
      a = f.text { null = true, default = raise },
      b = f.text { null = true, check = check },
    })
    local post = Post:create { title = "a", b = "x" }
    local all = Post.objects
    armed = true
    for _, call in ipairs {
      { Post.create, Post, { title = "b" } },
      { Post.create, Post, { title = "b", b = "x" } },
      { Post.bulk_create, Post, { { title = "b" }, { title = "c", b = "x" } } },
      { Post.upsert, Post, { title = "a", b = "y" }, { on = "title" } },
      { Post.get_or_create, Post, { title = "b" } },
      { post.update, post, { b = "y" } },
      { post.delete, post },
      { all.delete, all, { all = true } },
      { all.purge, all, { all = true, living = true } },
      { db.now, db },
    } do
      local ok, err = pcall(helper.unpack(call, 1, 4))
      assert.is_false(ok)
      assert.are.equal(oops, err)
      assert.are.equal(0, db:depth())
    end
    armed = false
    assert.are.equal("x", post.b)
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal("x", Post.objects:get(1).b)
    assert.are.equal(0, #db:events())
    post:delete()
    Post:create { title = "a" }
    local ok, err = pcall(post.restore, post, {
      on_conflict = function()
        error(oops, 0)
      end,
    })
    assert.is_false(ok)
    assert.are.equal(oops, err)
    assert.is_true(post:is_deleted())
    assert.are.equal(0, db:depth())
  end)

  it("as a log do not break what they were told of", function()
    local armed
    local db, Post = helper.blog {
      log = function()
        if armed then
          error("no log", 0)
        end
      end,
    }
    armed = true
    for i = 1, 3 do
      local ok, err = pcall(db.transaction, db, function()
        Post:create { title = "a" .. i }
      end)
      assert.is_false(ok)
      assert.are.equal("no log", err)
      assert.are.equal(0, db:depth())
    end
    armed = false
    assert.are.equal(0, Post.objects:count())
    Post:create { title = "a" }
    assert.are.equal(1, Post.objects:count())
  end)
end)

describe("finalizers", function()
  local function filled(n)
    local db, Post = helper.blog()
    local list = {}
    for i = 1, n do
      list[i] = { title = "post " .. i, content = ("x"):rep(50) }
    end
    Post:bulk_create(list)
    return db, Post
  end

  local function read_everything(Post)
    local n = #Post.objects:all() + #Post.objects:values("title", "content") + #Post.objects:pluck "title"
    for _, options in ipairs { {}, { snapshot = true }, { reuse = true } } do
      for row in Post.objects:order_by("-title"):each(options) do
        n = n + (row.title and 1 or 0)
      end
    end
    return n
  end

  it("may use the database while rows are read", function()
    local size = helper.scaled(600, 300)
    local db, Post = filled(size)
    local ran = 0
    under_pressure(function()
      ran = ran + 1
      assert(Post.objects:count() == size)
      assert(Post.objects:first().title == "post 1")
      db:query "SELECT * FROM post LIMIT 2"
    end, function()
      for _ = 1, 3 do
        assert.are.equal(6 * size, read_everything(Post))
      end
    end)
    assert.is_true(ran > 0)
  end)

  it("may write while rows are written", function()
    local db, Post = filled(1)
    local ran = 0
    under_pressure(function()
      ran = ran + 1
      Post.objects:filter({ id = 1 }):update { views = tombstone.F "views" + 1 }
    end, function()
      for i = 1, helper.scaled(200, 50) do
        local post = Post:create { title = "new " .. i }
        post:update { content = ("y"):rep(100) }
        local event = post:delete()
        event:undo()
        db:transaction(function()
          Post:bulk_create { { title = "a" .. i }, { title = "b" .. i } }
        end)
      end
    end)
    assert.are.equal(0, db:depth())
    assert.are.equal(1 + 3 * helper.scaled(200, 50), Post.objects:count())
    assert.is_true(ran > 0)
  end)

  it("may close it: the call ends with its rows, or with misuse", function()
    for after = 1, helper.scaled(20, 8) do
      local db, Post = filled(300)
      local ran = 0
      local ok, err
      under_pressure(function()
        ran = ran + 1
        if ran == after then
          db:close()
        end
      end, function()
        ok, err = pcall(function()
          for _ = 1, 20 do
            assert.are.equal(6 * 300, read_everything(Post))
          end
        end)
      end)
      assert.is_true(ok or (err.kind == "misuse" and err.message == CLOSED), tostring(err))
    end
  end)

  it("may close it while rows are written: all of a call is there, or nothing", function()
    for after = 1, helper.scaled(20, 8) do
      local db, Post, open = file_blog()
      local ran, made = 0, 0
      under_pressure(function()
        ran = ran + 1
        if ran == after then
          db:close()
        end
      end, function()
        local ok, err = pcall(function()
          for i = 1, 30 do
            Post:bulk_create { { title = "a" .. i }, { title = "b" .. i } }
            made = made + 2
          end
        end)
        assert.is_true(ok or err.message == CLOSED, tostring(err))
      end)
      db:close()
      local living = count_of(open)
      assert.is_true(living == made or living == made + 2)
      helper.clean()
    end
  end)
end)
