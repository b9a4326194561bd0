-- Rows that join two others, which is what many-to-many is made of: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function open()
  local db = tombstone.open ":memory:"
  local s = { db = db }
  s.Post = db:model("Post", { title = f.text() })
  s.Tag = db:model("Tag", { name = f.text() })
  s.Tagging = db:model("Tagging", {
    post = f.belongs_to("Post", { on_delete = "cascade", related_name = "taggings" }),
    tag = f.belongs_to("Tag", { on_delete = "cascade", related_name = "taggings" }),
  }, { unique_together = { { "post_id", "tag_id" } } })
  db:create_tables()
  s.post, s.other = s.Post:create { title = "post" }, s.Post:create { title = "other" }
  s.lua, s.sql = s.Tag:create { name = "lua" }, s.Tag:create { name = "sql" }
  for _, pair in ipairs { { s.post, s.lua }, { s.post, s.sql }, { s.other, s.lua } } do
    s.Tagging:create { post = pair[1], tag = pair[2] }
  end
  return s
end

-- The names of the tags that a post has.
local function tags(post)
  local list = {}
  for tagging in post:taggings():order_by("tag_id"):each() do
    list[#list + 1] = tagging:tag().name
  end
  return table.concat(list, " ")
end

describe("a row that joins two others", function()
  local s

  before_each(function()
    s = open()
  end)

  after_each(function()
    s.db:close()
  end)

  -- detach() removed the row of the join table for good, though its model was soft. Refused as a
  -- feature in #31224. Also gorm#6836.
  it("laravel#14008: is detached softly, and can be attached again as it was", function()
    local event = s.post:taggings():filter({ tag = s.lua }):delete() and s.db:events()[1]
    assert.are.equal("sql", tags(s.post))
    assert.are.equal(3, s.Tagging.all_objects:count())
    assert.are.equal(1, event:undo())
    assert.are.equal("lua sql", tags(s.post))
  end)

  -- Attaching again what had been detached: the dead row sat on the pair.
  it("sequelize#6626: can be made anew after it was detached, once", function()
    s.post:taggings():filter({ tag = s.lua }):delete()
    s.Tagging:create { post = s.post, tag = s.lua }
    assert.are.equal("lua sql", tags(s.post))
    local err = helper.raises("integrity", s.Tagging.create, s.Tagging, { post = s.post, tag = s.lua })
    assert.are.equal("unique", err.constraint)
    assert.are.equal("lua sql", tags(s.post))
  end)

  -- Rows through a join table showed, though one side or the join row was deleted.
  it("safedelete#72: leads to no dead row, and from none", function()
    s.lua:delete()
    assert.are.equal("sql", tags(s.post))
    assert.are.equal("", tags(s.other))
    assert.are.equal(0, s.lua:taggings():count())
    assert.are.equal(1, s.Tagging.objects:count())
  end)

  -- It has two parents, each of which may take it: it is back when both are.
  it("gorm#6836: comes back with both of its sides, in either order", function()
    for _, order in ipairs { { 1, 2 }, { 2, 1 } } do
      local events = { s.post:delete(), s.lua:delete() }
      assert.are.equal(0, s.Tagging.objects:count())
      events[order[1]]:undo()
      assert.are.equal(1, s.Tagging.objects:count())
      s.post:reload()
      s.lua:reload()
      events[order[2]]:undo()
      assert.are.equal("lua sql", tags(s.post))
      assert.are.equal("lua", tags(s.other))
      s.post:reload()
      s.lua:reload()
    end
  end)

  it("laravel#14008: stays detached when its post comes back", function()
    s.post:taggings():filter({ tag = s.lua }):delete()
    s.post:delete():undo()
    assert.are.equal("sql", tags(s.post))
  end)
end)
