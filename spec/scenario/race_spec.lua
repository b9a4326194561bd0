-- Two handles on one file, one call between the two halves of another: what looked right alone.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function open(path, on)
  local db = tombstone.open(path, { busy_timeout = 0, synchronous = "normal" })
  local User = db:model("User", { name = f.text { unique = true } }, { on = on })
  local Post = db:model("Post", {
    user = f.belongs_to("User", { on_delete = "cascade", related_name = "posts" }),
  })
  db:create_tables()
  return { db = db, User = User, Post = Post }
end

describe("two programs on one file,", function()
  local path, here, there, between

  before_each(function()
    path = helper.path()
    there = open(path)
    between = nil
    local function run()
      local step = between
      between = nil
      if step then
        step()
      end
    end
    here = open(path, { before_restore = run, before_save = run })
  end)

  after_each(function()
    here.db:close()
    there.db:close()
    helper.clean()
  end)

  -- exists() said that the name is free, then another request took it, then save() failed with
  -- the driver's words and left an object that looked restored.
  it("the article's restore: a name cannot be taken between the look and the write", function()
    local user = here.User:create { name = "ana" }
    user:delete()
    local ok, kind
    between = function()
      local err
      ok, err = pcall(there.User.create, there.User, { name = "ana" })
      kind = not ok and err.kind
    end
    assert.is_true(user:restore())
    assert.are.equal("busy", kind) -- the restore's transaction had begun
    assert.are.equal(1, there.User.objects:count())
    helper.raises("integrity", there.User.create, there.User, { name = "ana" })
  end)

  it("paranoia#285: the restore that comes second is refused, and says by whom", function()
    local user = here.User:create { name = "ana" }
    user:delete()
    local newcomer = there.User:create { name = "ana" }
    local err = helper.raises("integrity", user.restore, user)
    assert.are.equal(newcomer.id, err.conflicts[1].live_pk)
    assert.is_true(user:is_deleted())
  end)

  -- Each of two requests looked, each found nothing, both inserted, and the second one failed.
  it("laravel#58308: two get_or_create at once end with one row", function()
    here.User:create({ name = "ana" }):delete()
    local ok, err
    between = function()
      ok, err = pcall(there.User.get_or_create, there.User, { name = "ana" })
    end
    local mine, created = here.User:get_or_create { name = "ana" }
    assert.is_true(created)
    assert.are.same({ false, "busy" }, { ok, err.kind }) -- it waits, with a busy_timeout
    local theirs, again = there.User:get_or_create { name = "ana" }
    assert.are.same({ mine.id, false }, { theirs.id, again })
    assert.are.equal(1, there.User.objects:count())
  end)

  -- The parent was deleted after the form was shown, and nothing was in the way of a living child
  -- under it: no foreign key is violated by a row that is only marked.
  it("acts_as_paranoid#254: no child comes under a parent that died meanwhile", function()
    local user = here.User:create { name = "ana" }
    there.User.objects:get(user.id):delete()
    helper.raises("parent_deleted", here.Post.create, here.Post, { user = user })
    assert.are.equal(0, here.Post.all_objects:count())
  end)

  -- Rows loaded before somebody deleted them, saved afterwards: alive again, with old values.
  it("jazz#987: a row that was loaded before its deletion does not come back by save", function()
    local stale = here.User:create { name = "ana" }
    there.User.objects:get(stale.id):delete { actor = "ben" }
    stale.name = "old"
    helper.raises("deleted", stale.save, stale)
    helper.raises("deleted", stale.update, stale, { name = "old" })
    assert.are.equal(0, there.User.objects:count())
    assert.are.equal("ana", there.User.deleted_objects:get(stale.id):original "name")
  end)

  -- A double click on "delete": two requests, two deletions, counters taken down twice.
  it("paranoia#390: of two deletions of one row one has happened", function()
    local user = here.User:create { name = "ana" }
    local same = there.User.objects:get(user.id)
    assert.is_truthy(same:delete())
    local stamp = same.deleted_at
    assert.is_nil(user:delete())
    assert.are.equal(1, #here.db:events())
    assert.are.equal(stamp, here.User.deleted_objects:get(user.id).deleted_at)
  end)
end)
