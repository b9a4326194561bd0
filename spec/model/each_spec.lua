-- each(): rows one by one, with no statement open while the program's code runs.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local MANY = 700 -- more than two chunks

local function filled(n, options)
  local db, Post = helper.blog(nil, {
    title = f.text { unique = true },
    rank = f.integer { index = true },
    group = f.integer { null = true },
  }, options)
  local list = {}
  for i = 1, n or MANY do
    list[i] = { title = string.format("t%05d", i), rank = i * 37 % (n or MANY), group = i % 3 }
    if i % 3 == 0 then
      list[i].group = nil
    end
  end
  Post:bulk_create(list)
  return db, Post
end

local function walk(stream)
  local ids = {}
  for row in stream do
    ids[#ids + 1] = row.id
  end
  return ids
end

local function expected(query)
  local ids = {}
  for i, row in ipairs(query:all()) do
    ids[i] = row.id
  end
  return ids
end

-- The loop closes what it iterates over on 5.4 alone: elsewhere we do.
local function first_of(stream)
  local row = stream()
  stream:close()
  return row
end

local FORMS = { {}, { snapshot = true }, { reuse = true }, { snapshot = true, reuse = true } }

describe("each", function()
  local db, Post

  setup(function()
    db, Post = filled()
    Post.objects:filter({ id__in = { 3, 300, 600 } }):delete()
  end)

  it("gives the rows of all, in every order, cut or not, in every form", function()
    for _, form in ipairs(FORMS) do
      for _, query in ipairs {
        Post.objects,
        Post.all_objects,
        Post.deleted_objects,
        Post.objects:order_by "id",
        Post.objects:order_by "-id",
        Post.objects:order_by "rank",
        Post.objects:order_by "-rank",
        Post.objects:order_by "group",
        Post.objects:order_by("-group", "title"),
        Post.objects:filter { rank__gte = 100 },
        Post.objects:filter({ rank__gte = 100 }):order_by "-title",
        Post.objects:limit(5),
        Post.objects:limit(256),
        Post.objects:limit(257),
        Post.objects:limit(512):offset(100),
        Post.objects:offset(690),
        Post.objects:order_by("-rank"):limit(300):offset(50),
        Post.objects:order_by("group"):offset(500),
        Post.objects:limit(0),
        Post.objects:offset(10000),
        Post.objects:filter { rank = -1 },
        Post.objects:filter(tombstone.any {}),
      } do
        assert.are.same(expected(query), walk(query:each(form)))
      end
    end
  end)

  it("gives whole rows, like all", function()
    for _, form in ipairs(FORMS) do
      local row = first_of(Post.objects:filter({ id = 5 }):each(form))
      assert.are.same(Post.objects:get(5), row)
      assert.is_true(rawequal(Post, getmetatable(row)))
    end
  end)

  it("gives the dead with their marks", function()
    local row = first_of(Post.deleted_objects:each())
    assert.is_true(row:is_deleted())
    assert.are.equal("t00003", row:original "title")
  end)

  it("ends for good, and may be asked again and again", function()
    for _, form in ipairs(FORMS) do
      local stream = Post.objects:limit(1):each(form)
      assert.is_truthy(stream())
      assert.is_nil(stream())
      assert.is_nil(stream())
      stream:close()
      assert.is_nil(stream())
      stream:close()
    end
  end)

  it("can be left by break or an error, and the handle is free", function()
    for _, form in ipairs(FORMS) do
      local stream, state, control, closing = Post.objects:each(form)
      local seen = 0
      for _ in stream, state, control, closing do -- luacheck: ignore 512
        seen = seen + 1
        break
      end
      assert.are.equal(1, seen)
      if form.snapshot and helper.has_close then
        assert.is_nil(stream())
      else
        stream:close()
      end
      assert.is_nil(stream())
      local mine = {}
      local another = Post.objects:each(form)
      local ok, err = pcall(function()
        for _ in another do
          error(mine)
        end
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(mine, err))
      another:close()
      Post.objects:filter({ id = 1 }):update { group = 1 }
      db:transaction(function() end)
    end
  end)

  it("takes only options that it has", function()
    helper.refuses(
      "misuse",
      "each has no option 'snapshots'",
      Post.objects.each,
      Post.objects,
      { snapshots = true }
    )
    helper.refuses(
      "misuse",
      "each takes a table of options, not a number",
      Post.objects.each,
      Post.objects,
      5
    )
    helper.refuses("misuse", "A query is needed, not a nil", Post.objects.each)
  end)

  it("can run inside itself, and beside others", function()
    local pairs_seen = 0
    for a in Post.objects:limit(300):each() do
      for b in Post.objects:filter({ id__gt = a.id }):limit(2):each() do
        pairs_seen = pairs_seen + (b.id > a.id and 1 or 0)
      end
    end
    assert.are.equal(600, pairs_seen)
    local one, two = Post.objects:each(), Post.objects:order_by("-id"):each()
    for _ = 1, 400 do
      one()
      two()
    end
    assert.are.equal(403, one().id)
    one:close()
    two:close()
  end)

  it("reuse hands out one row again and again", function()
    local first, same, titles = nil, true, {}
    for row in Post.objects:filter({ id__lte = 6 }):each { reuse = true } do
      first = first or row
      same = same and rawequal(first, row)
      titles[#titles + 1] = row.title .. ":" .. tostring(row.group)
    end
    assert.is_true(same)
    assert.are.same({ "t00001:1", "t00002:2", "t00004:1", "t00005:2", "t00006:nil" }, titles)
  end)

  it("of partial rows gives rows that know what they lack", function()
    for _, form in ipairs(FORMS) do
      for _, query in ipairs { Post.objects:only "title", Post.objects:only("title"):order_by "-rank" } do
        local row = first_of(query:filter({ id = 5 }):each(form))
        assert.are.same({ id = 5, title = "t00005" }, setmetatable(row, nil))
      end
    end
  end)
end)

describe("each in chunks", function()
  it("lets the loop update, commit and roll back", function()
    local db, Post = filled()
    local seen = 0
    for row in Post.objects:each() do
      seen = seen + 1
      row:update { rank = -row.id }
      if row.id % 100 == 0 then
        pcall(db.transaction, db, function()
          Post:create { title = "new" .. row.id, rank = 0 }
          if row.id == 100 then
            error "no"
          end
        end)
      end
      if row.id == 200 then
        break
      end
    end
    assert.are.equal(200, seen)
    assert.are.equal(200, Post.objects:filter({ rank__lt = 0 }):count())
    assert.are.same(
      { "new200" },
      helper.list(Post.objects:filter { title__startswith = "new" }, "title")
    )
  end)

  it("gives no row twice, whatever the loop does to the order", function()
    for _, order in ipairs { "id", "-id", "rank", "-rank", "group", "title" } do
      local _, Post = filled(600)
      local seen, n = {}, 0
      for row in Post.objects:order_by(order):each() do
        assert.is_nil(seen[row.id], order)
        seen[row.id] = true
        n = n + 1
        row:update {
          rank = row.rank + 10000,
          group = row.group and row.group + 5,
          title = "z" .. row.title,
        }
      end
      assert.are.equal(600, n, order)
    end
  end)

  it("leaves out later rows that the loop has deleted or purged", function()
    for _, order in ipairs { "id", "-id", "rank" } do
      for _, verb in ipairs { "delete", "purge" } do
        local _, Post = filled(600)
        local ids, victims = {}, {}
        for row in Post.objects:order_by(order):each() do
          ids[#ids + 1] = row.id
          if #ids == 1 then
            -- all those that come after the chunk at hand
            local later = Post.objects:order_by(order):offset(400):all()
            for i, victim in ipairs(later) do
              victims[i] = victim.id
              victim[verb](victim)
            end
          end
        end
        assert.are.equal(400, #ids, order .. " " .. verb)
        assert.are.equal(200, #victims)
      end
    end
  end)

  it("lets the loop delete each row that it is given", function()
    for _, order in ipairs { "id", "-id", "rank" } do
      local _, Post = filled(600)
      local n = 0
      for row in Post.objects:order_by(order):each() do
        row:delete()
        n = n + 1
      end
      assert.are.equal(600, n)
      assert.are.equal(0, Post.objects:count())
      n = 0
      for row in Post.deleted_objects:order_by(order):each() do
        row:restore()
        n = n + 1
      end
      assert.are.equal(600, n)
      for row in Post.objects:order_by(order):each() do
        row:purge()
      end
      assert.are.equal(0, Post.all_objects:count())
    end
  end)

  it("keeps to its limit though rows vanish before it", function()
    local _, Post = filled(600)
    local n = 0
    for row in Post.objects:limit(500):each() do
      n = n + 1
      row:delete()
    end
    assert.are.equal(500, n)
    assert.are.equal(100, Post.objects:count())
  end)

  it("ends though the loop adds rows behind it", function()
    for _, order in ipairs { "id", "-id", "rank" } do
      local _, Post = filled(300)
      local n = 0
      for row in Post.objects:order_by(order):each() do
        n = n + 1
        Post:create { title = "later" .. row.id, rank = 0 }
      end
      assert.are.equal(300, n)
      assert.are.equal(600, Post.objects:count())
    end
  end)

  it("can be begun in a transaction and go on after it", function()
    local db, Post = filled(600)
    local stream
    db:transaction(function()
      stream = Post.objects:each()
      stream()
      Post.objects:get(300):delete()
    end)
    local n = 1
    for _ in stream do
      n = n + 1
    end
    assert.are.equal(599, n)
  end)

  it("raises when the handle is closed inside the loop", function()
    for _, order in ipairs { "id", "rank" } do
      local db, Post = filled(600)
      local n = 0
      local err = helper.raises("misuse", function()
        for _ in Post.objects:order_by(order):each() do
          n = n + 1
          db:close()
        end
      end)
      assert.are.equal("The database is closed", err.message)
      assert.are.equal(1, n)
    end
  end)

  it("needs memory for a chunk, not for the rows", function()
    local _, Post = filled(6000)
    local function peak(query)
      collectgarbage()
      collectgarbage()
      local before, most = collectgarbage "count", 0
      local n = 0
      for _ in query:each() do
        n = n + 1
        if n % 100 == 0 then
          collectgarbage()
          most = math.max(most, collectgarbage "count" - before)
        end
      end
      assert.are.equal(query:count(), n)
      return most
    end
    local small = peak(Post.objects:limit(1000))
    assert.is_true(peak(Post.objects) < small + 40)
    -- in another order a few bytes a row are kept: its key
    assert.is_true(peak(Post.objects:order_by "-rank") < small + 40 + 6000 * 24 / 1024)
  end)
end)

describe("a snapshot", function()
  it("shows one moment: what others write meanwhile is not seen", function()
    local path = helper.path()
    local mine, theirs = tombstone.open(path), tombstone.open(path)
    local function declare(db)
      return db:model("Post", { title = f.text() })
    end
    local Mine, Theirs = declare(mine), declare(theirs)
    mine:create_tables()
    local list = {}
    for i = 1, 600 do
      list[i] = { title = tostring(i) }
    end
    Mine:bulk_create(list)
    local n = 0
    for row in Mine.objects:each { snapshot = true } do
      n = n + 1
      if n == 1 then
        Theirs.objects:filter({ id__gt = 500 }):delete()
        Theirs:create { title = "new" }
        Theirs.objects:filter({ id = 400 }):update { title = "changed" }
      end
      assert.are.equal(tostring(n), row.title)
    end
    assert.are.equal(600, n)
    assert.are.equal(501, Mine.objects:count())
    mine:close()
    theirs:close()
    helper.clean()
  end)

  it("refuses every write of its handle with misuse, and lets it read", function()
    local db, Post = filled(10)
    local row = Post.objects:get(1)
    local dead = Post.objects:get(2)
    dead:delete()
    local stream = Post.objects:each { snapshot = true }
    stream()
    for _, write in ipairs {
      function()
        Post:create { title = "x", rank = 0 }
      end,
      function()
        Post:bulk_create { { title = "x", rank = 0 } }
      end,
      function()
        row:save()
      end,
      function()
        row:update { rank = 5 }
      end,
      function()
        row:delete()
      end,
      function()
        dead:restore()
      end,
      function()
        row:purge()
      end,
      function()
        Post.objects:filter({ id = 1 }):update { rank = 1 }
      end,
      function()
        Post.objects:filter({ id = 1 }):delete()
      end,
      function()
        Post.deleted_objects:filter({ id = 2 }):restore()
      end,
      function()
        Post.deleted_objects:filter({ id = 2 }):purge()
      end,
      function()
        Post:upsert({ title = "x", rank = 0 }, { on = "title" })
      end,
      function()
        Post:get_or_create({ title = "x" }, { rank = 0 })
      end,
      function()
        db:transaction(function() end)
      end,
      function()
        db:exec "UPDATE post SET rank = 0"
      end,
      function()
        db:create_tables()
      end,
    } do
      local err =
        helper.refuses("misuse", "A snapshot is being read, so this handle cannot write", write)
      assert.are.equal("finish or close the stream, or read without snapshot", err.hint)
    end
    assert.are.equal(9, Post.objects:count())
    assert.are.equal(9, #Post.objects:all())
    assert.are.equal(3, stream().id)
    stream:close()
    row:update { rank = 77 }
    assert.are.equal(77, Post.objects:get(1).rank)
    assert.are.equal(0, db:depth())
  end)

  it("frees its handle when it has ended, is closed or is collected", function()
    local _, Post = filled(3)
    for _ in Post.objects:each { snapshot = true } do -- luacheck: ignore 542
    end
    Post.objects:filter({ id = 1 }):update { rank = 1 }
    local stream = Post.objects:each { snapshot = true }
    stream()
    stream = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    Post.objects:filter({ id = 1 }):update { rank = 2 }
  end)

  it("raises when the handle is closed inside the loop", function()
    local db, Post = filled(10)
    local err = helper.raises("misuse", function()
      for _ in Post.objects:each { snapshot = true } do
        db:close()
      end
    end)
    assert.are.equal("The database is closed", err.message)
    assert.is_false(db:is_open())
  end)

  it("of a row that is kept alone keeps its database open", function()
    local stream
    do
      local _, Post = filled(600)
      stream = Post.objects:each { snapshot = true }
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal(600, #walk(stream))
  end)
end)

describe("each of raw SQL", function()
  it("gives plain tables, and is closed like the others", function()
    local db = filled(5)
    local ids = {}
    for row in db:each("SELECT id FROM post WHERE id > ? ORDER BY id", 2) do
      assert.is_nil(getmetatable(row))
      ids[#ids + 1] = row.id
    end
    assert.are.same({ 3, 4, 5 }, ids)
    local rows = db:each "SELECT id FROM post"
    assert.are.equal(1, rows().id)
    rows:close()
    assert.is_nil(rows())
    rows:close()
    db:exec "DROP TABLE post"
  end)

  it("ends when its database is closed", function()
    local db = filled(5)
    local rows = db:each "SELECT id FROM post"
    rows()
    db:close()
    helper.refuses("misuse", "The database is closed", rows)
    assert.is_false(db:is_open())
  end)
end)
