-- Disks that are full, closed to us, locked, damaged or gone: one clear error each, nothing
-- half-done, and the handle works again when the cause is gone.
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local ROOM = "free space on the disk and try again"

local function open(path, options)
  local db = tombstone.open(path, options)
  local Post = db:model("Post", {
    title = f.char { max_length = 60, unique = true },
    content = f.text { default = "" },
  })
  return db, Post
end

local function fill(Post, from, to, size)
  local rows = {}
  for i = from, to do
    rows[#rows + 1] = { title = "post " .. i, content = ("x"):rep(size or 10) }
  end
  return Post:bulk_create(rows)
end

local function is_sound(db)
  return db:query("PRAGMA integrity_check")[1].integrity_check == "ok"
end

-- ---- files and commands --------------------------------------------------------

local function read_file(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read "*a"
  if file then
    file:close()
  end
  return bytes
end

local function write_file(path, bytes)
  local file = assert(io.open(path, "wb"))
  local ok, why = file:write(bytes)
  file:close()
  return ok, why
end

-- Programs of the system, free of what is preloaded for us.
local function shell(command)
  local status = os.execute("exec env -u LD_PRELOAD sh -c " .. helper.quote(command) .. " 2>/dev/null")
  return status == true or status == 0
end

local function is_root()
  local pipe = assert(io.popen "exec env -u LD_PRELOAD id -u")
  local id = pipe:read "*l"
  pipe:close()
  return id == "0"
end

local NOBODY = "exec setpriv --reuid=65534 --regid=65534 --clear-groups "

-- What another user's process prints that opens and writes the file with our modules.
local function as_nobody(path)
  local script = os.tmpname()
  write_file(
    script,
    ([[
    local found, tombstone = pcall(require, "tombstone")
    if not found then
      return print "no module"
    end
    local ok, err = pcall(function()
      local db = tombstone.open(%q)
      local Post = db:model("Post", { title = tombstone.field.text { unique = true } })
      Post:create { title = "new" }
    end)
    print(ok, err.kind, err.hint)
  ]]):format(path)
  )
  shell("chmod 644 " .. script)
  local pipe = assert(io.popen(NOBODY .. helper.lua_command(script):gsub("^exec ", "") .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(script)
  return output
end

-- ---- full ------------------------------------------------------------------------

-- Both ways of having no room offer: open(), crowd(db) takes the room away and room(db)
-- gives it back.
local function pages()
  local ways = { name = "max_page_count" }
  local path = helper.path()
  function ways.open()
    return open(path)
  end
  function ways.crowd(db)
    local count = db:query("PRAGMA page_count")[1].page_count
    db:query("PRAGMA max_page_count = " .. count)
  end
  function ways.room(db)
    db:query "PRAGMA max_page_count = 1000000"
  end
  function ways.done() end
  return ways
end

local function tmpfs()
  local ways = { name = "tmpfs" }
  local folder = os.tmpname()
  os.remove(folder)
  if not is_root() or not shell("mkdir " .. folder .. " && mount -t tmpfs -o size=2m tmpfs " .. folder) then
    os.remove(folder)
    return nil
  end
  function ways.open()
    return open(folder .. "/a.db")
  end
  function ways.crowd()
    shell("dd if=/dev/zero of=" .. folder .. "/ballast bs=4096")
  end
  function ways.room()
    os.remove(folder .. "/ballast")
  end
  function ways.done()
    shell("umount " .. folder)
    os.remove(folder)
  end
  return ways
end

local function refuses_for_room(fn, ...)
  local err = helper.raises("database", fn, ...)
  assert.is_nil(err.message:find "\n")
  assert.equal(ROOM, err.hint)
  assert.equal(13, err.code)
  return err
end

local function fills_up(ways)
  local db, Post = ways.open()
  db:create_tables()
  fill(Post, 1, 20)
  ways.crowd(db)
  -- Small writes may still find room in pages that are there: one after another uses it up.
  local stop
  for i = 21, 2000 do
    local ok, err = pcall(Post.create, Post, { title = "post " .. i, content = ("x"):rep(900) })
    if not ok then
      stop = err
      break
    end
  end
  assert.equal("database", stop and stop.kind)
  return db, Post
end

local function full_disk(make)
  local ways = make()
  if not ways then
    pending "needs to be root, and mounts"
    return
  end
  local ok, why = pcall(function()
    local db, Post = fills_up(ways)
    local before = Post.objects:count()

    -- a call of its own
    refuses_for_room(fill, Post, 3000, 3050, 900)
    assert.equal(0, db:depth())
    assert.equal(before, Post.objects:count())

    -- within a transaction, where the program goes on all the same
    local lost
    local _, err = pcall(db.transaction, db, function()
      Post.objects:filter({ title = "post 1" }):update { content = "changed" }
      refuses_for_room(fill, Post, 4000, 4100, 900)
      lost = not pcall(Post.create, Post, { title = "small" })
    end)
    assert.equal(0, db:depth())
    if lost then
      assert.equal("The transaction is gone - the database rolled it back", err.message)
      assert.equal("roll back and run the whole transaction again", err.hint)
      assert.equal("post 1", Post.objects:filter({ content = ("x"):rep(10) }):first().title)
    end

    -- rows in memory stay as the database has them
    local post = Post.objects:get { title = "post 2" }
    local tried, why_not = pcall(post.update, post, { content = ("y"):rep(200000) })
    assert.is_false(tried)
    assert.equal("database", why_not.kind)
    assert.equal(("x"):rep(10), post.content)

    ways.room(db)
    assert.is_true(is_sound(db))
    fill(Post, 5000, 5010, 900)
    local event = post:delete()
    assert.equal(1, event:undo())
    post:purge()
    db:close()

    db, Post = ways.open()
    assert.is_true(is_sound(db))
    assert.equal(11, Post.objects:filter({ title__startswith = "post 50" }):count())
    assert.equal(0, Post.objects:filter({ title__startswith = "post 30" }):count())
    db:close()
  end)
  ways.done()
  assert(ok, why)
end

describe("a full disk", function()
  after_each(helper.clean)

  it("refuses and loses nothing: max_page_count", function()
    full_disk(pages)
  end)

  it("refuses and loses nothing: a small tmpfs", function()
    full_disk(tmpfs)
  end)

  it("refuses a deletion whole", function()
    local path = helper.path()
    local db, Post = open(path)
    db:create_tables()
    fill(Post, 1, 500)
    local pages_now = db:query("PRAGMA page_count")[1].page_count
    db:query("PRAGMA max_page_count = " .. pages_now)
    -- every title grows by its suffix, for which there is no room
    refuses_for_room(Post.objects.delete, Post.objects, { all = true })
    assert.equal(0, db:depth())
    assert.equal(500, Post.objects:count())
    assert.equal(0, #db:events())
    db:query "PRAGMA max_page_count = 1000000"
    assert.equal(500, (Post.objects:delete { all = true }))
    db:close()
  end)
end)

-- ---- closed to us -------------------------------------------------------------------

describe("a file that is closed to us", function()
  after_each(helper.clean)

  local function prepared()
    local path = helper.path()
    local db, Post = open(path)
    db:create_tables()
    fill(Post, 1, 3)
    db:close()
    return path
  end

  it("is read with read_only and refuses each write", function()
    local path = prepared()
    local db, Post = open(path, { read_only = true })
    assert.equal(3, Post.objects:count())
    local post = Post.objects:first()
    for _, write in ipairs {
      function()
        Post:create { title = "new" }
      end,
      function()
        post:update { content = "new" }
      end,
      function()
        post:delete()
      end,
      function()
        Post.objects:filter({ title = "post 2" }):delete()
      end,
      function()
        db:transaction(function()
          post:purge()
        end)
      end,
      function()
        db:create_tables()
        Post:create { title = "new" }
      end,
    } do
      local err = helper.raises("database", write)
      assert.equal(
        "open the database for writing, and check the permissions of the file and its folder",
        err.hint
      )
      assert.equal(0, db:depth())
    end
    assert.equal("post 1", post.title)
    assert.equal(3, Post.objects:count())
    db:close()
  end)

  it("is refused with mode=ro too", function()
    local db, Post = open("file:" .. prepared() .. "?mode=ro")
    assert.equal(3, Post.objects:count())
    local err = helper.raises("database", Post.create, Post, { title = "new" })
    assert.equal(8, err.code % 256)
    db:close()
  end)

  it("of another user gives one clear error", function()
    if not is_root() then
      pending "needs to be root"
      return
    end
    local folder = os.tmpname()
    os.remove(folder)
    assert.is_true(shell("mkdir -m 755 " .. folder))
    local path = folder .. "/a.db"
    local db, Post = open(path)
    db:create_tables()
    fill(Post, 1, 3)
    db:close()
    local readable = as_nobody(path)
    shell("chmod 600 " .. path)
    local secret = as_nobody(path)
    shell("rm -r " .. folder)
    if readable == "no module\n" then
      pending "needs a build that other users can read"
      return
    end
    local refusal = "false\tconnection\t%s\n"
    assert.equal(refusal:format "check the permissions of the file and its folder", secret)
    assert.equal(refusal:format("its folder must be open for writing, even to read; "
      .. 'where nobody writes the file, open "file:path?immutable=1"'), readable)
  end)
end)

-- ---- locked ---------------------------------------------------------------------------

describe("a locked file", function()
  local path, holder, db, Post
  local LOCKED = "another connection holds the lock: try again, or wait longer with busy_timeout"

  before_each(function()
    path = helper.path()
    holder = open(path)
    holder:create_tables()
  end)

  after_each(function()
    db:close()
    holder:close()
    helper.clean()
  end)

  local function while_locked(fn)
    holder:transaction(function()
      holder:exec("INSERT INTO post (title, content) VALUES ('held', '')")
      fn()
    end)
  end

  it("is busy at once without a timeout, and free afterwards", function()
    db, Post = open(path, { busy_timeout = 0 })
    while_locked(function()
      for _, write in ipairs {
        function()
          Post:create { title = "new" }
        end,
        function()
          db:transaction(function() end)
        end,
        function()
          Post:bulk_create { { title = "new" } }
        end,
      } do
        local err = helper.raises("busy", write)
        assert.equal(LOCKED, err.hint)
        assert.equal(0, db:depth())
      end
      assert.equal(0, Post.objects:count()) -- readers do not wait
    end)
    Post:create { title = "new" }
    assert.equal(2, Post.objects:count())
  end)

  it("is waited for as long as it says", function()
    db, Post = open(path, { busy_timeout = 1500 })
    while_locked(function()
      local start = os.time()
      helper.raises("busy", Post.create, Post, { title = "new" })
      local waited = os.time() - start
      assert.is_true(waited >= 1 and waited <= 10, waited .. " s")
    end)
    Post:create { title = "new" }
  end)

  it("is busy where a reader has become a writer too late", function()
    db, Post = open(path, { busy_timeout = 0 })
    Post:create { title = "a" }
    local stream = Post.objects:each { snapshot = true }
    stream()
    holder:exec "UPDATE post SET content = 'b'"
    helper.raises("misuse", Post.create, Post, { title = "c" })
    stream:close()
    Post:create { title = "c" }
  end)

  it("cannot be opened, or is, but never hangs", function()
    db, Post = open(path, { busy_timeout = 0 })
    holder:query "PRAGMA locking_mode = EXCLUSIVE"
    local ok, err = pcall(function()
      holder:transaction(function()
        holder:exec "DELETE FROM post"
        local third = open(path, { busy_timeout = 0 })
        third:close()
      end)
    end)
    assert.is_true(ok or err.kind == "busy", tostring(err))
    holder:query "PRAGMA locking_mode = NORMAL"
    holder:query "SELECT * FROM post"
    Post:create { title = "new" }
  end)
end)

-- ---- damaged -----------------------------------------------------------------------------

-- What damage may lead to: the database's own words, or refusals of what it makes of rows.
local KINDS = {
  database = true,
  connection = true,
  integrity = true,
  validation = true,
  not_found = true,
  deleted = true,
}

local function is_clear(err)
  return type(err) == "table"
    and KINDS[err.kind] ~= nil
    and #err.message > 0
    and not err.message:find "[%z\n]"
end

local function use(path)
  local db, Post = open(path)
  local ok, err = pcall(function()
    Post.objects:all()
    Post.deleted_objects:order_by("-title"):all()
    for post in Post.all_objects:each() do
      post:is_deleted()
    end
    local _, event = Post.objects:filter({ title__contains = "1" }):delete()
    if event then
      event:undo()
    end
    Post:create { title = "new" }
    Post.deleted_objects:purge { all = true }
  end)
  local depth = db:is_open() and db:depth()
  db:close()
  return ok, err, depth
end

describe("a damaged file", function()
  after_each(helper.clean)

  local function original()
    local path = helper.path()
    local db, Post = open(path)
    db:create_tables()
    fill(Post, 1, 60, 300)
    Post.objects:filter({ title__endswith = "5" }):delete()
    db:close()
    return assert(read_file(path))
  end

  local function flipped(bytes, random)
    local out = {}
    local at = random(#bytes)
    out[1] = bytes:sub(1, at - 1)
    out[2] = string.char((bytes:byte(at) + 2 ^ random(0, 7)) % 256)
    out[3] = bytes:sub(at + 1)
    return table.concat(out)
  end

  it("gives clear errors or works, whatever bits have flipped", function()
    local bytes = original()
    local seed = os.time()
    math.randomseed(seed)
    local refused = 0
    local path = helper.path()
    for i = 1, helper.scaled(300, 20) do
      local damaged = bytes
      for _ = 1, math.random(4) do
        -- half of them where the structure is
        local head = math.random(2) == 1 and damaged:sub(1, 4096) or damaged
        damaged = flipped(head, math.random) .. damaged:sub(#head + 1)
      end
      if math.random(10) == 1 then
        damaged = damaged:sub(1, math.random(#damaged))
      end
      write_file(path, damaged)
      local opened, ok, err, depth = pcall(use, path)
      if not opened then
        ok, err, depth = false, ok, 0
      end
      refused = refused + (ok and 0 or 1)
      assert.is_true(ok or is_clear(err), "seed " .. seed .. ", copy " .. i .. ": " .. tostring(err))
      assert.equal(0, depth)
      for _, ending in ipairs { "-wal", "-shm", "-journal" } do
        os.remove(path .. ending)
      end
    end
    assert.is_true(refused > 0)
  end)

  it("that is no database cannot be opened", function()
    local path = helper.path()
    write_file(path, ("not a database, but long enough to have a header. "):rep(100))
    local err = helper.raises("connection", tombstone.open, path)
    assert.equal("the file is something else or is encrypted: check the path", err.hint)
  end)

  it("that has lost its end says so", function()
    local path = helper.path()
    write_file(path, original():sub(1, 8192))
    local opened, ok, err = pcall(use, path)
    assert.is_false(opened and ok)
    assert.is_true(is_clear(opened and err or ok))
  end)

  it("that is emptied while it is open says so", function()
    local path = helper.path()
    write_file(path, original())
    local db, Post = open(path)
    assert.equal(54, Post.objects:count())
    write_file(path, "")
    local ok, err = pcall(function()
      db:exec "PRAGMA shrink_memory"
      Post:create { title = "new", content = ("x"):rep(20000) }
      return Post.objects:all()
    end)
    assert.is_true(ok or is_clear(err), tostring(err))
    assert.equal(0, db:depth())
    db:close()
  end)

  it("that is gone is made anew, and misses its tables", function()
    local path = helper.path()
    write_file(path, original())
    local db = open(path)
    db:close()
    os.remove(path)
    local again, Post = open(path)
    local err = helper.raises("database", Post.objects.count, Post.objects)
    assert.is_truthy(err.message:find("no such table", 1, true))
    again:create_tables()
    assert.equal(0, Post.objects:count())
    again:close()
  end)
end)
