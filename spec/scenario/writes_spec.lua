-- Writes that meet dead rows, hooks of deletions, and who it was: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local function docs(options)
  local clock = helper.clock(1000)
  local db = tombstone.open(":memory:", { clock = clock.tell })
  local Doc = db:model("Doc", { name = f.text { unique = true }, text = f.text { default = "" } }, options)
  db:create_tables()
  return Doc, db, clock
end

describe("a dead row", function()
  -- An update of a deleted row brought it back.
  it("jazz#987: is not brought back by an update", function()
    local Doc = docs()
    local stale = Doc:create { name = "a", text = "old" }
    Doc.objects:get(stale.id):delete()
    stale.text = "new"
    for _, call in ipairs {
      function()
        stale:save()
      end,
      function()
        stale:save { "text" }
      end,
      function()
        stale:update { text = "new" }
      end,
    } do
      helper.raises("deleted", call)
      assert.are.equal(0, Doc.objects:count())
      assert.are.equal("old", Doc.all_objects:get(stale.id).text)
    end
  end)

  -- save() of an entity that is in the trash wrote it there, and nobody was told: an edit that
  -- went through and cannot be seen.
  it("typeorm#9676: is not edited in the trash", function()
    local Doc, db = docs()
    Doc:create({ name = "a", text = "old" }):delete()
    local row = Doc.deleted_objects:first()
    local before = family.digest(db)
    row.text = "new"
    helper.raises("deleted", row.save, row)
    helper.raises("deleted", row.update, row, { text = "new" })
    assert.are.equal(0, Doc.objects:filter({ id = row.id }):update { text = "new" })
    assert.are.equal(before, family.digest(db))
  end)

  -- The instance that had been deleted was saved again, with other values: they were stored.
  it("mongoose-delete#106: is not edited by the object that it was deleted by", function()
    local Doc = docs()
    local row = Doc:create { name = "a", text = "old" }
    row:delete()
    row.text = "new"
    helper.raises("deleted", row.save, row)
    assert.are.equal("old", Doc.all_objects:get(row.id).text)
    row:restore()
    row.text = "new"
    row:save()
    assert.are.equal("new", Doc.objects:get(row.id).text)
  end)

  -- A second deletion changed deleted_at, and the marker was appended twice by the article's code;
  -- an import did it so often that the database timed out.
  it("soft_deletion#16: keeps the time of its deletion, whatever is deleted after it", function()
    local Doc, db, clock = docs()
    local row = Doc:create { name = "a" }
    local stale = Doc.objects:get(row.id)
    row:delete()
    local before = family.digest(db)
    clock.now = 2000
    for _ = 1, 3 do
      assert.is_nil(row:delete())
      assert.is_nil(stale:delete())
      assert.are.same({ 0 }, { Doc.objects:delete { all = true } })
      assert.are.same({ 0 }, { Doc.all_objects:delete { all = true } })
    end
    assert.are.equal(before, family.digest(db))
  end)

  it("soft_deletion#16: keeps it when its parent is deleted after it", function()
    local s = family.tree()
    s.p:delete()
    local before = s:at("Post", s.p.id)
    s.t:delete()
    assert.are.same(before, s:at("Post", s.p.id))
    s:close()
  end)

  -- delete() saved every column that the object held: what others had edited meanwhile was lost,
  -- and what was not meant to be saved was stored.
  it("the article's delete: takes no other column along", function()
    local Doc = docs()
    local row = Doc:create { name = "a", text = "1" }
    Doc.objects:get(row.id):update { text = "2" }
    row.text = "3"
    row:delete()
    assert.are.equal("2", Doc.all_objects:get(row.id).text)
  end)
end)

describe("hooks", function()
  local function recording(names)
    local seen, on = {}, {}
    for _, name in ipairs(names) do
      on[name] = function(row)
        seen[#seen + 1] = name .. (row:is_deleted() and " dead" or " living")
      end
    end
    return seen, on
  end

  local ALL = {
    "before_save", "after_save", "before_delete", "after_delete", "before_restore", "after_restore",
    "before_purge", "after_purge",
  }

  -- A soft removal ran BeforeUpdate and AfterUpdate and not those of a removal. Also #6349.
  it("typeorm#6179: of a deletion are those of a deletion, and none of a save", function()
    local seen, on = recording(ALL)
    local Doc = docs { on = on }
    local row = Doc:create { name = "a" }
    assert.are.same({ "before_save living", "after_save living" }, seen)
    row:delete()
    row:restore()
    row:delete()
    row:purge()
    assert.are.same({
      "before_delete living", "after_delete dead", "before_restore dead", "after_restore living",
      "before_delete living", "after_delete dead", "before_purge dead", "after_purge dead",
    }, { helper.unpack(seen, 3) })
  end)

  -- The subscriber saw no deleted_at, or the same before and after: it could not know what was
  -- deleted, so that the search index kept it. Also #6349.
  it("typeorm#6327: get the row as it was before, and as it is after", function()
    local before, after
    local Doc = docs {
      on = {
        before_delete = function(row)
          before = { row.deleted_at, row.deleted_event, row.name }
        end,
        after_delete = function(row)
          after = { row.deleted_at, row.deleted_event, row:original "name" }
        end,
      },
    }
    local row = Doc:create { name = "a" }
    local event = row:delete()
    assert.are.same({ nil, nil, "a" }, before)
    assert.are.same({ 1000, event.id, "a" }, after)
  end)
end)

-- Nobody could say who had deleted a patient, and the rows that went along said nothing at all.
-- Also covan#93: "which button must I press first?"
it("openhospital#1603: each dead row says who, why and with what it was deleted", function()
  local s = family.tree()
  s.p:delete { actor = "ana", reason = "spam" }
  s.t:delete { actor = "ben", reason = "closed" }
  for model, expected in pairs { Post = { "ana", "ben" }, Comment = { "ana", "ben" } } do
    for i, who in ipairs(expected) do
      local row = s:at(model, i)
      local event
      for _, candidate in ipairs(s.db:events()) do
        event = candidate.id == row.deleted_event and candidate or event
      end
      assert.are.equal(who, event.actor)
    end
  end
  local mine = s.db:events { actor = "ben" }
  assert.are.same({ 1, "closed", "Team", "1" }, { #mine, mine[1].reason, mine[1].model, mine[1].pk })
  assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, mine[1]:counts())
  s:close()
end)
