-- Handles that only read: every write is refused in one way, tables are compared and not made.
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local READONLY = "attempt to write a readonly database"
local INDEX = [[SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%("views")%']]
local MISSING = " is missing, and this handle only reads"

local function post(db)
  return db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0, index = true },
  })
end

-- A file with a living and a dead post, and a handle that only reads it.
local function reader(address, options)
  local path = helper.path()
  local db = tombstone.open(path)
  local Post = post(db)
  db:create_tables()
  Post:create { title = "a" }
  Post:create({ title = "b" }):delete()
  db:close()
  local ro = tombstone.open((address or "%s"):format(path), options or { read_only = true })
  return ro, post(ro), path
end

local HANDLES = {
  ["by an option"] = {},
  ["by mode=ro"] = { "file:%s?mode=ro", {} },
  ["by immutable=1"] = { "file:%s?immutable=1", {} },
  ["by both"] = { "file:%s?mode=ro", { read_only = true } },
}

describe("a handle that only reads,", function()
  after_each(helper.clean)

  for how, arguments in pairs(HANDLES) do
    it(how .. ", refuses every write in one way", function()
      local db, Post = reader(arguments[1], arguments[2])
      local a, event = Post.objects:first(), db:events()[1]
      local b = Post.deleted_objects:first()
      local writes = {
        create = function() Post:create { title = "c" } end,
        bulk_create = function() Post:bulk_create { { title = "c" } } end,
        upsert = function() Post:upsert({ title = "a", views = 2 }, { on = "title" }) end,
        save = function() a:save() end,
        update = function() a:update { views = 3 } end,
        update_query = function() Post.objects:update({ views = 3 }, { all = true }) end,
        delete = function() a:delete() end,
        delete_query = function() Post.objects:delete { all = true } end,
        restore = function() b:restore() end,
        restore_query = function() Post.deleted_objects:restore { all = true } end,
        undo = function() event:undo() end,
        purge = function() b:purge() end,
        purge_query = function() Post.deleted_objects:purge { all = true } end,
        forget = function() a:forget() end,
        exec = function() db:exec "DELETE FROM post" end,
      }
      for name, write in pairs(writes) do
        local err = helper.raises("database", write)
        assert.are.equal(READONLY, err.message, name)
        assert.truthy(err.hint:find "open the database for writing", name)
        assert.are.equal(0, db:depth(), name)
      end
      assert.are.equal(1, Post.objects:count())
      assert.are.equal(1, db:transaction(function() return Post.deleted_objects:count() end))
      db:close()
    end)
  end

  it("looks ahead without writing", function()
    local db, Post = reader()
    assert.are.equal(1, Post.objects:delete_plan().Post)
    assert.are.equal(1, Post.deleted_objects:restore_plan().rows.Post)
    local _, report = Post.deleted_objects:purge { all = true, dry_run = true }
    assert.are.equal(1, report.rows.Post)
    db:close()
  end)

  it("compares its tables and makes none", function()
    local db = reader()
    db:create_tables()
    db:model("Other", { name = f.text() })
    local err = helper.raises("migration", db.create_tables, db)
    assert.are.equal('Table "other" differs from Other - it' .. MISSING, err.message)
    assert.are.equal("let create_tables run on a handle that writes, or migrate the file", err.hint)
    assert.are.equal(0, #db:query "SELECT 1 FROM sqlite_master WHERE name = 'other'")
    db:close()
  end)

  it("says so where an index is missing, or a column differs", function()
    local db, _, path = reader()
    db:close()
    local writer = tombstone.open(path)
    writer:exec('DROP INDEX "' .. writer:query(INDEX)[1].name .. '"')
    writer:close()
    local ro = tombstone.open(path, { read_only = true })
    post(ro)
    local err = helper.raises("migration", ro.create_tables, ro)
    assert.are.equal('Table "post" differs from Post - an index' .. MISSING, err.message)
    ro:close()
    ro = tombstone.open(path, { read_only = true })
    ro:model("Post", { headline = f.text() })
    helper.raises("migration", ro.create_tables, ro)
    ro:close()
  end)

  it("is refused where there is no file, and makes none", function()
    local path = helper.path()
    helper.raises("connection", tombstone.open, path, { read_only = true })
    assert.is_nil(io.open(path))
  end)
end)
