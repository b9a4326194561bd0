-- Functions of the program that run inside a model's writes: which, when, in what order, and
-- what becomes of the call when one of them raises.
local tombstone = require "tombstone"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F

local NAMES = {
  "before_save",
  "after_save",
  "before_delete",
  "after_delete",
  "before_restore",
  "after_restore",
  "before_purge",
  "after_purge",
  "after_commit",
}

local function plain(row)
  local fields = {}
  for name, value in pairs(row) do
    fields[name] = value
  end
  return fields
end

-- A model whose hooks write down that they ran; `extra` ones run besides.
local function watched(extra, options)
  local db = tombstone.open ":memory:"
  local seen, on = {}, {}
  for _, name in ipairs(NAMES) do
    on[name] = function(row, more)
      local what = type(more) == "table" and "event" .. more.id or more
      seen[#seen + 1] = name .. " " .. tostring(row.id) .. (what and " " .. what or "")
      local also = extra and extra[name]
      if also then
        also(row, more)
      end
    end
  end
  options = options or {}
  options.on = on
  local Post = db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    content = f.text { null = true },
    views = f.integer { default = 0 },
  }, options)
  db:create_tables()
  local function take()
    local list = seen
    seen = {}
    return list
  end
  return Post, db, take
end

describe("hooks of rows", function()
  it("run around each write, and after_commit when it is done", function()
    local Post, _, take = watched()
    local row = Post:create { title = "a" }
    assert.are.same({ "before_save nil", "after_save 1", "after_commit 1 save" }, take())
    row:save()
    assert.are.same({ "before_save 1", "after_save 1", "after_commit 1 save" }, take())
    row:update { views = 5 }
    assert.are.same({ "before_save 1", "after_save 1", "after_commit 1 save" }, take())
    row:delete()
    assert.are.same({ "before_delete 1", "after_delete 1 event1", "after_commit 1 delete" }, take())
    row:restore()
    assert.are.same({ "before_restore 1", "after_restore 1", "after_commit 1 restore" }, take())
    row:purge()
    assert.are.same({
      "before_delete 1",
      "after_delete 1 event2",
      "before_purge 1",
      "after_purge 1",
      "after_commit 1 delete",
      "after_commit 1 purge",
    }, take())
    row = Post:new { title = "b" }
    assert.are.same({}, take())
    row:save()
    row:delete()
    take()
    row:purge()
    assert.are.same({ "before_purge 2", "after_purge 2", "after_commit 2 purge" }, take())
  end)

  it("get the row itself", function()
    local got = {}
    local extra = {}
    for _, name in ipairs(NAMES) do
      extra[name] = function(row)
        got[#got + 1] = row
      end
    end
    local Post = watched(extra)
    local row = Post:create { title = "a" }
    row:update { views = 1 }
    row:delete()
    row:restore()
    row:purge()
    assert.is_true(#got > 15)
    for i = 1, #got do
      assert.is_true(rawequal(row, got[i]), i)
    end
  end)

  it("see the row as it is at that moment", function()
    local seen = {}
    local Post = watched {
      before_save = function(row)
        seen[#seen + 1] = "before " .. tostring(row.views)
      end,
      after_save = function(row)
        seen[#seen + 1] = "after " .. tostring(row.views)
      end,
      before_delete = function(row)
        seen[#seen + 1] = tostring(row:is_deleted()) .. " " .. row.title
      end,
      after_delete = function(row, event)
        seen[#seen + 1] = tostring(row:is_deleted()) .. " " .. row:original "title" .. " " .. event.actor
      end,
      before_restore = function(row)
        seen[#seen + 1] = "dead " .. tostring(row:is_deleted())
      end,
      after_restore = function(row)
        seen[#seen + 1] = "dead " .. tostring(row:is_deleted()) .. " " .. row.title
      end,
    }
    local row = Post:create { title = "a" }
    row:update { views = 7 }
    row:update { views = F "views" + 1 }
    row:delete { actor = "ana" }
    row:restore()
    assert.are.same({
      "before 0",
      "after 0",
      "before 7",
      "after 7",
      "before 7",
      "after 8",
      "false a",
      "true a ana",
      "dead true",
      "dead false a",
    }, seen)
  end)

  it("do not run where nothing happens", function()
    local Post, _, take = watched()
    local row = Post:create { title = "a" }
    take()
    assert.is_false(row:restore())
    row:delete()
    take()
    assert.is_nil(row:delete())
    assert.are.same({}, take())
    row:purge()
    take()
    assert.is_false(row:purge())
    assert.is_nil(row:delete())
    assert.is_false(row:restore())
    assert.are.same({}, take())
  end)

  it("keep the key of a row's own deletion in its event", function()
    local Post, db = watched()
    local event = Post:create({ title = "a" }):delete { actor = "ana", reason = "x" }
    assert.are.equal("1", event.pk)
    assert.are.equal("ana", event.actor)
    assert.are.equal(1, #db:events { pk = 1 })
  end)
end)

describe("before_save", function()
  it("may change fields of what is created, saved and updated", function()
    local Post = watched {
      before_save = function(row)
        row.title = row.title:upper()
        row.content = row.content and row.content .. "!" or nil
        row._seen = true
      end,
    }
    local row = Post:create { title = "a", content = "x" }
    assert.are.equal("A", row.title)
    assert.are.same({ id = 1, title = "A", content = "x!", views = 0 }, plain(Post.objects:get(1)))
    row.title = "b"
    row:save()
    assert.are.equal("B", Post.objects:get(1).title)
    assert.are.equal("x!!", Post.objects:get(1).content)
    row:update { views = 5 }
    assert.are.same({ id = 1, title = "B", content = "x!!!", views = 5 }, plain(Post.objects:get(1)))
    row:update { content = tombstone.null }
    assert.is_nil(Post.objects:get(1).content)
    Post:bulk_create { { title = "c" }, { title = "d" } }
    assert.are.same({ "B", "C", "D" }, helper.list(Post.objects, "title"))
    assert.are.equal("E", Post:upsert({ title = "e", views = 1 }, { on = "title" }).title)
    Post:upsert({ title = "e", views = 2 }, { on = "title" })
    assert.are.same({ 4 }, helper.list(Post.objects:filter { title = "E", views = 2 }, "id"))
    assert.are.equal("F", Post:get_or_create({ title = "f" }).title)
  end)

  it("may fill in what is required", function()
    local Post = watched {
      before_save = function(row)
        row.title = row.title or "untitled"
      end,
    }
    assert.are.equal("untitled", Post:create({}).title)
  end)

  it("may set a field to nil in an update", function()
    local Post = watched {
      before_save = function(row)
        if row.views == 5 then
          row.content = nil
        end
      end,
    }
    local row = Post:create { title = "a", content = "x" }
    row:update { views = 5 }
    assert.is_nil(Post.objects:get(1).content)
  end)

  it("is checked like the program: nothing bad gets in", function()
    local Post = watched {
      before_save = function(row)
        row.views = "many"
      end,
    }
    helper.raises("validation", Post.create, Post, { title = "a" })
    assert.are.equal(0, Post.all_objects:count())
  end)
end)

describe("a hook that raises", function()
  local VETO = { "no" }
  local function raise()
    error(VETO)
  end

  -- Everything that a refused call must leave as it was.
  local function state(db, Post)
    local list = {}
    for i, row in ipairs(Post.all_objects:all()) do
      list[i] = plain(row)
    end
    return { list, #db:events(), db:depth() }
  end

  local function vetoed(db, Post, row, call, ...)
    local before, fields = state(db, Post), plain(row)
    local ok, err = pcall(call, ...)
    assert.is_false(ok)
    assert.is_true(rawequal(VETO, err))
    assert.are.same(before, state(db, Post))
    assert.are.same(fields, plain(row))
  end

  for _, name in ipairs(NAMES) do
    if name ~= "after_commit" then
      it(name .. " vetoes the whole call", function()
        local extra = {}
        local Post, db = watched(extra)
        Post:bulk_create { { title = "a" }, { title = "b" }, { title = "c" } }
        local row, dead = Post.objects:get(1), Post.objects:get(2)
        dead:delete()
        extra[name] = function(hooked)
          hooked.views = 77
          hooked._mark = true
          raise()
        end
        if name:find "save" then
          vetoed(db, Post, row, row.save, row)
          vetoed(db, Post, row, row.update, row, { views = 9 })
          vetoed(db, Post, row, Post.create, Post, { title = "x" })
          vetoed(db, Post, row, Post.bulk_create, Post, { { title = "x" }, { title = "y" } })
          vetoed(db, Post, row, Post.upsert, Post, { title = "a" }, { on = "title" })
          vetoed(db, Post, row, Post.get_or_create, Post, { title = "x" })
          local new = Post:new { title = "x" }
          vetoed(db, Post, new, new.save, new)
          extra[name] = nil
          new:save()
        elseif name:find "delete" then
          vetoed(db, Post, row, row.delete, row)
          vetoed(db, Post, row, row.purge, row)
          local living = Post.objects:filter { id__gte = 1 }
          vetoed(db, Post, row, living.delete, living)
          vetoed(db, Post, row, living.purge, living, { living = true })
        elseif name:find "restore" then
          vetoed(db, Post, dead, dead.restore, dead)
          local all = Post.deleted_objects:filter { id__gte = 1 }
          vetoed(db, Post, dead, all.restore, all)
          vetoed(db, Post, dead, all.restore, all, {
            on_conflict = function()
              return "rename"
            end,
          })
          local event = db:events()[1]
          vetoed(db, Post, event, event.undo, event)
        else
          vetoed(db, Post, dead, dead.purge, dead)
          local all = Post.deleted_objects:filter { id__gte = 1 }
          vetoed(db, Post, dead, all.purge, all)
        end
      end)
    end
  end

  it("in after_commit comes too late: what is committed stays, and the others run", function()
    local extra = {}
    local Post, db, take = watched(extra)
    extra.after_commit = raise
    local row = Post:new { title = "a" }
    local ok, err = pcall(row.save, row)
    assert.is_false(ok)
    assert.is_true(rawequal(VETO, err))
    assert.are.equal(1, row.id)
    assert.are.equal(1, Post.objects:count())
    assert.are.equal(0, db:depth())
    take()
    pcall(db.transaction, db, function()
      Post:create { title = "b" }
      Post:create { title = "c" }
    end)
    local seen = take()
    assert.are.same({ "after_commit 2 save", "after_commit 3 save" }, { seen[5], seen[6] })
    extra.after_commit = nil
    row:save()
    assert.are.equal(3, Post.objects:count())
  end)
end)

describe("hooks of queries", function()
  it("run for each row: all before-hooks first, then the write, then the after-hooks", function()
    local Post, _, take = watched()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    assert.are.same({
      "before_save nil",
      "before_save nil",
      "after_save 1",
      "after_save 2",
      "after_commit 1 save",
      "after_commit 2 save",
    }, take())
    assert.are.equal(2, (Post.objects:filter({ id__gte = 1 }):delete()))
    assert.are.same({
      "before_delete 1",
      "before_delete 2",
      "after_delete 1 event1",
      "after_delete 2 event1",
      "after_commit 1 delete",
      "after_commit 2 delete",
    }, take())
    assert.are.equal(2, Post.deleted_objects:restore { all = true })
    assert.are.same({
      "before_restore 1",
      "before_restore 2",
      "after_restore 1",
      "after_restore 2",
      "after_commit 1 restore",
      "after_commit 2 restore",
    }, take())
    assert.are.equal(2, Post.objects:purge { all = true, living = true })
    assert.are.same({
      "before_delete 1",
      "before_delete 2",
      "after_delete 1 event2",
      "after_delete 2 event2",
      "before_purge 1",
      "before_purge 2",
      "after_purge 1",
      "after_purge 2",
      "after_commit 1 delete",
      "after_commit 2 delete",
      "after_commit 1 purge",
      "after_commit 2 purge",
    }, take())
  end)

  it("run in the query's order", function()
    local Post, _, take = watched()
    Post:bulk_create { { title = "a" }, { title = "b" }, { title = "c" } }
    take()
    Post.objects:order_by("-title"):limit(2):delete()
    local seen = take()
    assert.are.same({ "before_delete 3", "before_delete 2" }, { seen[1], seen[2] })
  end)

  it("come to the same as without hooks", function()
    local function run(with_hooks)
      local clock = helper.clock()
      local db = tombstone.open(":memory:", { clock = clock.tell })
      local Post = db:model("Post", {
        title = f.char { max_length = 100, unique = true },
        views = f.integer { default = 0 },
      }, { on = with_hooks and { before_delete = function() end } or nil })
      db:create_tables()
      local list = {}
      for i = 1, 8 do
        list[i] = { title = "t" .. i, views = i }
      end
      local answers = { #Post:bulk_create(list) }
      local function note(...)
        answers[#answers + 1] = (...)
      end
      note(Post.objects:filter({ views__gte = 7 }):delete { actor = "ana", reason = "x" })
      note(Post.all_objects:order_by("-views"):limit(3):delete())
      note(Post.all_objects:offset(4):limit(3):delete())
      note(Post.deleted_objects:order_by("-id"):limit(1):restore())
      note(Post.all_objects:limit(6):restore())
      note(Post.deleted_objects:filter({ id = 1 }):delete())
      note(pcall(Post.objects.delete, Post.objects:filter { id__gte = 1 }, { max_rows = 1 }))
      note(Post.objects:filter({ views = 3 }):delete())
      Post:create { title = "t3" }
      note(pcall(Post.deleted_objects.restore, Post.deleted_objects, { all = true }))
      note(Post.deleted_objects:restore { all = true, on_conflict = "rename" })
      note(Post.objects:filter({ views = 4 }):purge { living = true })
      note(Post.objects:filter({ views = 5 }):delete())
      note(Post.deleted_objects:purge { all = true })
      local rows = {}
      for i, row in ipairs(Post.all_objects:all()) do
        rows[i] = plain(row)
      end
      local events = {}
      for i, event in ipairs(db:events()) do
        events[i] = { event.model, event.pk, event.actor, event.reason }
      end
      return { answers, rows, events }
    end
    assert.are.same(run(false), run(true))
  end)

  it("fix the rows when the call begins: what a hook does to others is not caught up with", function()
    local Post
    local extra = {}
    local _, take
    Post, _, take = watched(extra)
    Post:bulk_create { { title = "a", views = 1 }, { title = "b", views = 1 }, { title = "c", views = 2 } }
    extra.before_delete = function(row)
      if row.id == 1 then
        Post.objects:filter({ id = 3 }):update { views = 1 }
        Post:create { title = "d", views = 1 }
      end
    end
    take()
    assert.are.equal(2, (Post.objects:filter({ views = 1 }):delete()))
    assert.are.same({ "c", "d" }, helper.list(Post.objects, "title"))
  end)

  it("restore runs the after-hooks of the rows that came back", function()
    local Post, _, take = watched()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    Post.objects:delete { all = true }
    Post:create { title = "a" }
    take()
    assert.are.equal(1, Post.deleted_objects:restore { all = true, on_conflict = "skip" })
    assert.are.same(
      { "before_restore 1", "before_restore 2", "after_restore 2", "after_commit 2 restore" },
      take()
    )
    assert.are.equal(
      1,
      Post.deleted_objects:restore {
        all = true,
        on_conflict = function()
          return { title = "z" }
        end,
      }
    )
    assert.are.same({ "before_restore 1", "after_restore 1", "after_commit 1 restore" }, take())
  end)

  it("run when an event is undone and when the trash is emptied", function()
    local clock = helper.clock()
    local db = tombstone.open(":memory:", { clock = clock.tell })
    local seen = {}
    local Post = db:model("Post", { title = f.text { unique = true } }, {
      soft_delete = { keep = "1d" },
      on = {
        before_restore = function(row)
          seen[#seen + 1] = "restore " .. row.id
        end,
        before_purge = function(row)
          seen[#seen + 1] = "purge " .. row.id
        end,
      },
    })
    db:create_tables()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    local _, event = Post.objects:delete { all = true }
    assert.are.equal(2, event:undo())
    assert.are.equal(clock.now, event.undone_at)
    Post.objects:get(1):delete()
    clock.now = clock.now + 2 * 86400
    assert.are.equal(1, db:purge_expired().Post)
    assert.are.same({ "restore 1", "restore 2", "purge 1" }, seen)
    assert.are.equal(1, Post.all_objects:count())
  end)

  it("do not run for an update, which still bumps updated_at and version", function()
    local Post, _, take = watched(nil, { timestamps = true, version = true })
    local row = Post:create { title = "a" }
    take()
    Post.objects:filter({ id = 1 }):update { views = 5 }
    assert.are.same({}, take())
    assert.are.equal(2, row:reload().version)
  end)

  it("refuse what is refused without them, in the same words", function()
    local Post, db, take = watched()
    Post:create { title = "a" }
    take()
    helper.raises("misuse", Post.objects.delete, Post.objects)
    helper.raises("misuse", Post.deleted_objects.restore, Post.deleted_objects)
    helper.raises("misuse", Post.deleted_objects.purge, Post.deleted_objects)
    helper.refuses(
      "misuse",
      "A purge of living rows must be meant",
      Post.objects.purge,
      Post.objects:filter { id = 1 }
    )
    helper.refuses(
      "misuse",
      "objects holds no deleted rows to restore",
      Post.objects.restore,
      Post.objects:filter { id = 1 }
    )
    for _, verb in ipairs { "delete", "restore", "purge" } do
      helper.refuses(
        "misuse",
        verb .. " takes a table of options, not a number",
        Post.objects[verb],
        Post.objects,
        5
      )
      helper.refuses(
        "misuse",
        verb .. " has no option 'x'",
        Post.objects[verb],
        Post.objects,
        { x = 1, all = true }
      )
      helper.raises("misuse", Post.objects[verb], {})
      helper.raises("misuse", Post[verb], {})
      helper.raises("misuse", Post[verb], 5)
    end
    for _, call in ipairs { "create", "bulk_create", "upsert", "get_or_create" } do
      helper.raises("misuse", Post[call], Post)
      helper.raises("misuse", Post[call], Post, 5)
      helper.raises("misuse", Post[call], { title = "x" })
    end
    for _, call in ipairs { "save", "update" } do
      helper.raises("misuse", Post[call], 5)
      helper.raises("misuse", Post[call], {})
      helper.raises("misuse", Post[call])
    end
    local new = Post:new { title = "x" }
    for _, call in ipairs { "update", "delete", "restore", "purge" } do
      helper.refuses(
        "misuse",
        "The row is not saved yet",
        new[call],
        new,
        call == "update" and { views = 1 } or nil
      )
    end
    local err = helper.raises("validation", Post.bulk_create, Post, { { title = "x" }, { title = 5 } })
    assert.are.equal(2, err.index)
    err = helper.raises("misuse", Post.bulk_create, Post, { { title = "x" }, { titel = 5 } })
    assert.are.equal(2, err.index)
    assert.are.same({}, Post:bulk_create {})
    assert.are.equal(1, Post.all_objects:count())
    assert.are.equal(0, db:depth())
  end)

  it("of a model without soft delete refuse its words, and purge", function()
    local Post, _, take = watched(nil, { soft_delete = false })
    local row = Post:create { title = "a" }
    take()
    helper.refuses("misuse", "Post has no soft delete, so it cannot delete", row.delete, row)
    helper.refuses("misuse", "Post has no soft delete, so it cannot restore", row.restore, row)
    local query = Post.all_objects:filter { id = 1 }
    helper.refuses("misuse", "Post has no soft delete, so it cannot delete", query.delete, query)
    helper.refuses("misuse", "Post has no soft delete, so it cannot restore", query.restore, query)
    assert.are.same({}, take())
    assert.is_true(row:purge())
    assert.are.same({ "before_purge 1", "after_purge 1", "after_commit 1 purge" }, take())
    Post:create { title = "b" }
    take()
    assert.are.equal(1, Post.objects:filter({ title = "b" }):purge { living = true })
    assert.are.same({ "before_purge 2", "after_purge 2", "after_commit 2 purge" }, take())
  end)

  it("of a model without events get none", function()
    local Post, _, take = watched(nil, { soft_delete = { event = false } })
    local row = Post:create { title = "a" }
    take()
    assert.is_true(row:delete())
    assert.are.same({ "before_delete 1", "after_delete 1", "after_commit 1 delete" }, take())
    assert.is_true(row:restore())
  end)
end)

describe("after_commit", function()
  it("runs after the outermost commit only, in order", function()
    local Post, db, take = watched()
    db:transaction(function()
      Post:create { title = "a" }
      db:transaction(function()
        Post:create { title = "b" }
      end)
      assert.are.same({ "before_save nil", "after_save 1", "before_save nil", "after_save 2" }, take())
    end)
    assert.are.same({ "after_commit 1 save", "after_commit 2 save" }, take())
  end)

  it("does not run after a rollback, of the whole or of a part", function()
    local Post, db, take = watched()
    pcall(db.transaction, db, function()
      Post:create { title = "a" }
      error "no"
    end)
    take()
    db:transaction(function()
      Post:create { title = "b" }
      pcall(db.transaction, db, function()
        Post:create { title = "c" }
        error "no"
      end)
      pcall(Post.create, Post, { title = "b" })
      Post:create { title = "d" }
      take()
    end)
    local seen = take()
    assert.are.equal(2, #seen)
    assert.are.equal(2, Post.objects:count())
    Post:create { title = "e" }
    assert.are.equal(1, #take() - 2)
  end)

  it("may write, in transactions of its own", function()
    local Post
    local extra = {}
    local _, take
    Post, _, take = watched(extra)
    extra.after_commit = function(row)
      if row.title == "a" then
        Post:create { title = "made after" }
      end
    end
    Post:create { title = "a" }
    assert.are.same({ "a", "made after" }, helper.list(Post.objects, "title"))
    assert.are.equal(6, #take())
  end)

  it("of a handle calls a function then, or at once outside of a transaction", function()
    local _, db = watched()
    local seen = {}
    local function note(what)
      return function()
        seen[#seen + 1] = what
      end
    end
    db:after_commit(note "now")
    assert.are.same({ "now" }, seen)
    db:transaction(function()
      db:after_commit(note "later")
      assert.are.same({ "now" }, seen)
    end)
    assert.are.same({ "now", "later" }, seen)
  end)
end)

describe("on", function()
  it("takes functions by names that exist", function()
    local function declare(on)
      tombstone.open(":memory:"):model("Post", { title = f.text() }, { on = on })
    end
    helper.refuses("misuse", "on has no option 'before_sav'", declare, { before_sav = print })
    helper.refuses("misuse", "before_save is a function, not a string", declare, { before_save = "x" })
    helper.refuses("misuse", "on takes a table of options, not a number", declare, 5)
    declare {}
  end)

  it("may read and write inside of hooks", function()
    local db = tombstone.open ":memory:"
    local Log = db:model("Log", { text = f.text() })
    local Post = db:model("Post", { title = f.text { unique = true } }, {
      on = {
        after_save = function(row)
          Log:create { text = "saved " .. row.title }
        end,
        before_delete = function(row)
          Log:create { text = "deleting " .. row.title .. " of " .. getmetatable(row).objects:count() }
        end,
      },
    })
    db:create_tables()
    Post:bulk_create { { title = "a" }, { title = "b" } }
    Post.objects:delete { all = true }
    assert.are.same(
      { "saved a", "saved b", "deleting a of 2", "deleting b of 2" },
      helper.list(Log.objects, "text")
    )
    Log:create({ text = "x" }):delete()
    pcall(db.transaction, db, function()
      Post:create { title = "c" }
      error "no"
    end)
    assert.are.equal(4, Log.objects:count())
  end)
end)
