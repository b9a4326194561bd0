-- Many-to-many: what people reported elsewhere. (pivot_spec.lua has the same with a model of one's
-- own in between, which stays.)
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function blog()
  local db = tombstone.open ":memory:"
  local s = { db = db }
  s.Tag = db:model("Tag", { name = f.text { unique = true } })
  s.Post = db:model("Post", {
    title = f.text(),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  })
  db:create_tables()
  s.post, s.other = s.Post:create { title = "post" }, s.Post:create { title = "other" }
  s.lua, s.sql = s.Tag:create { name = "lua" }, s.Tag:create { name = "sql" }
  s.post:tags():add(s.lua)
  s.post:tags():add(s.sql)
  s.other:tags():add(s.lua)
  return s
end

local function tags(post)
  return table.concat(helper.list(post:tags():order_by "name", "name"), " ")
end

local function posts(tag)
  return table.concat(helper.list(tag:posts():order_by "title", "title"), " ")
end

describe("many-to-many", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    s.db:close()
  end)

  -- The join row was soft-deleted, and the row behind it still showed.
  it("safedelete#72: does not lead over a link that was removed", function()
    s.post:tags():remove(s.lua)
    assert.are.equal("sql", tags(s.post))
    assert.are.equal("other", posts(s.lua))
    assert.are.equal(1, s.post:tags():count())
  end)

  -- Attaching what had been detached: the dead link sat on the pair, or was found and left dead.
  it("sequelize#6626: can be linked again, as often as wanted", function()
    for _ = 1, 3 do
      s.post:tags():remove(s.lua)
      s.post:tags():add(s.lua)
    end
    s.post:tags():add(s.lua) -- twice is once
    assert.are.equal("lua sql", tags(s.post))
    assert.are.equal(2, s.post:tags():count())
  end)

  -- Deleting one side deleted its links for good: a restored post had no tags. Also gorm#6836.
  it("laravel#14008: has its links back with the row", function()
    local event = s.post:delete()
    assert.are.equal("other", posts(s.lua))
    event:undo()
    assert.are.equal("lua sql", tags(s.post))
    assert.are.equal("other post", posts(s.lua))
  end)

  it("gorm#6836: shows no dead row, and comes back with both of its sides in either order", function()
    for _, order in ipairs { { 1, 2 }, { 2, 1 } } do
      local events = { s.post:reload():delete(), s.lua:reload():delete() }
      assert.are.equal("", tags(s.other))
      events[order[1]]:undo()
      assert.are.equal(order[1] == 1 and "sql" or "", tags(s.post:reload()))
      assert.are.equal(order[1] == 2 and "lua" or "", tags(s.other))
      events[order[2]]:undo()
      assert.are.equal("lua sql", tags(s.post))
      assert.are.equal("lua", tags(s.other))
    end
  end)

  it("laravel/framework#31224: a link that was removed stays so when its post comes back", function()
    s.post:tags():remove(s.lua)
    s.post:reload():delete():undo()
    assert.are.equal("sql", tags(s.post:reload()))
  end)

  it("soft-cascade#79: a deletion does not go over the link to the row behind it", function()
    s.post:delete()
    assert.are.equal(2, s.Tag.objects:count())
    s.lua:delete()
    assert.are.equal("other", table.concat(helper.list(s.Post.objects, "title"), " "))
  end)

  it("django-safedelete#158: no post is found by a dead tag", function()
    assert.are.equal(2, s.Post.objects:filter({ tags__name = "lua" }):count())
    s.lua:delete()
    assert.are.equal(0, s.Post.objects:filter({ tags__name = "lua" }):count())
    assert.are.equal(2, s.Post.objects:count())
  end)

  it("paranoia#575: a tag that is purged takes its links along, and no post", function()
    s.lua:delete()
    s.lua:purge()
    assert.are.equal("sql", tags(s.post))
    assert.are.equal("", tags(s.other))
    assert.are.equal(0, #s.db:query "PRAGMA foreign_key_check")
  end)

  -- No link to a dead row, from either side.
  it("acts_as_paranoid#254: links no dead row", function()
    local new = s.Post:create { title = "new" }
    s.lua:delete()
    local links = new:tags()
    helper.raises("parent_deleted", links.add, links, s.lua)
    assert.are.equal("", tags(new))
    s.lua:restore()
    assert.are.equal("", tags(new))
  end)
end)
