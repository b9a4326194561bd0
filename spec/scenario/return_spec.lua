-- What comes back with a row, and what does not: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local function users(clock)
  local db = tombstone.open(":memory:", { clock = clock and clock.tell })
  local User = db:model("User", { name = f.text { unique = true } })
  local Post = db:model("Post", {
    title = f.text { unique = true },
    user = f.belongs_to("User", { on_delete = "cascade", related_name = "posts" }),
  })
  db:create_tables()
  local user = User:create { name = "ana" }
  Post:bulk_create {
    { title = "1", user = user },
    { title = "2", user = user },
    { title = "3", user = user },
  }
  return user, Post, db
end

local function titles(Post)
  return table.concat(helper.list(Post.objects:order_by "id", "title"), " ")
end

-- The ways back of a user that was deleted in this event.
local WAYS = {
  restore = function(user)
    user:restore()
  end,
  undo = function(_, event)
    event:undo()
  end,
}

for name, back in pairs(WAYS) do
  describe("by " .. name .. ",", function()
    -- A user deletes one of three posts, an admin deletes the user and restores it: all three
    -- posts are back. Also laravel-soft-cascade#92, django-softdelete#78.
    it("soft-cascade#129: a post that was deleted before its user stays dead", function()
      local user, Post = users()
      Post.objects:get({ title = "2" }):delete()
      back(user, user:delete())
      assert.are.equal("1 3", titles(Post))
      assert.are.equal("2", Post.deleted_objects:first():original "title")
    end)

    -- Restoring by a window of time was asked for, and built: what was deleted 30 seconds before
    -- its parent comes back as well. So it does with one stamp for two deletions.
    it("paranoia#260: neither a second nor a day decides what comes back", function()
      for _, seconds in ipairs { 0, 0.000001, 1, 30, 86400 } do
        local clock = helper.clock()
        local user, Post = users(clock)
        Post.objects:get({ title = "2" }):delete()
        clock.now = clock.now + seconds
        back(user, user:delete())
        assert.are.equal("1 3", titles(Post), tostring(seconds))
      end
    end)

    -- Restoring was refused as impossible: one could not know whether a child had died with its
    -- parent or before. Also #35. So a restored user had no posts at all.
    it("laravel-cascade-soft-deletes#4: what died with its user comes back with it", function()
      local user, Post = users()
      back(user, user:delete())
      assert.are.equal("1 2 3", titles(Post))
      assert.are.equal(0, Post.deleted_objects:count())
    end)

    -- A mark "deleted by a cascade" remembers that, but not by which one.
    it("django-safedelete: what comes back is right the second time, too", function()
      local user, Post = users()
      back(user, user:delete())
      Post.objects:get({ title = "1" }):delete()
      back(user, user:reload():delete())
      assert.are.equal("2 3", titles(Post))
      Post.deleted_objects:get({ title__original = "1" }):restore()
      back(user, user:reload():delete())
      assert.are.equal("1 2 3", titles(Post))
    end)
  end)
end

-- Sub-document first, then its parent, then the sub-document is restored: a message of success,
-- and it stays where it was. Here it is said who stands in the way, and nothing has happened.
describe("suitenumerique/docs#1489: a child whose parent is dead,", function()
  local s

  before_each(function()
    s = family.tree()
    s.c:delete()
    s.p:delete()
    s.a:delete()
  end)

  after_each(function()
    s:close()
  end)

  it("is not restored, and the error names all of those above", function()
    local before = s:digest()
    helper.refuses(
      "parent_deleted",
      "Cannot restore record - Comment 1 belongs to Post 1, which is deleted, as is Author 1",
      s.c.restore,
      s.c
    )
    assert.are.equal(before, s:digest())
    assert.is_true(s.c:is_deleted())
  end)

  it("is not lost either: it can be restored once its parents are back", function()
    s.a:restore()
    s:at("Post", s.p.id):restore()
    assert.are.equal("a b d p q t", s:living())
    assert.is_true(s:at("Comment", s.c.id):restore())
    assert.are.equal("a b c d p q t", s:living())
  end)
end)

-- Comment, post and blog are in the trash, and a comment is restored: its post and blog had to be
-- restored by hand, model by model.
it("soft-cascade#144: a comment can bring its post and its author back first", function()
  local s = family.tree()
  s.t:delete()
  assert.is_true(s:at("Comment", s.c.id):restore { parents = true })
  assert.is_truthy(s:living():find "a .*c .*p .*t")
  assert.are.equal("a", s.c:reload():parent():parent().name)
  s:close()
end)

-- The restore button was shown for children of deleted parents, and failed. A page must be able
-- to ask before; also drive#184.
it("suitenumerique/docs#2148: a page can ask what must come back first", function()
  local s = family.tree()
  local alone = s.d:delete()
  s.a:delete()
  local before = s:digest()
  local plan = s.Comment.deleted_objects:filter({ id = s.c.id }):restore_plan()
  assert.are.same({ { model = "Author", pk = 1 }, { model = "Post", pk = 1 } }, plan.parents)
  plan = s.Author.deleted_objects:filter({ id = s.a.id }):restore_plan()
  assert.are.same({}, plan.parents)
  assert.are.same({ Comment = 1 }, alone:restore_plan().held_back)
  assert.are.equal(before, s:digest())
  s:close()
end)

-- There a child that was deleted before its parent cannot be undeleted any more at all.
it("Salesforce undelete: a child deleted before its parent can be had back", function()
  local s = family.tree()
  local own = s.p:delete()
  local event = s.a:delete()
  event:undo()
  assert.are.equal("a b d q t", s:living())
  assert.are.equal(2, own:undo())
  assert.are.equal("a b c d p q t", s:living())
  s:close()
end)

-- A restored batch could come back in part: a zone without its records.
it("SpatiumDDI#969: an undo is whole, or it has not happened", function()
  local s = family.tree()
  local event = s.t:delete()
  s:add("Comment", "d", s:add("Post", "new", s:add("Author", "new", s:add("Team", "new"))))
  local before = s:digest()
  local err = helper.raises("integrity", event.undo, event)
  assert.are.equal("Comment", err.model)
  assert.are.equal(before, s:digest())
  assert.are.equal(6, event:undo { on_conflict = "skip" })
  assert.is_true(s:at("Comment", s.d.id):is_deleted())
  s:close()
end)
