-- Writes under dead parents, and which models may cascade at all.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

describe("a row under a dead parent that it keeps", function()
  local s, note, other

  before_each(function()
    s = family.tree()
    note, other = s:add("Note", "n", s.a), s:add("Note", "o", s.b)
    s.a:delete()
  end)

  after_each(function()
    s:close()
  end)

  it("may be written, and stay where it is", function()
    note:update { name = "n2" }
    note:update { name = "n3", parent = s.a }
    note.name = "n4"
    note:save()
    assert.are.same({ "n4", s.a.id }, { note:reload().name, note.parent_id })
    assert.are.equal(1, s.Note.objects:filter({ name = "n4" }):update { parent = s.a })
  end)

  it("may be named by upsert with the parent that it has", function()
    local row = s.Note:upsert({ name = "n", parent = s.a }, { on = "name" })
    assert.are.same({ note.id, s.a.id }, { row.id, row.parent_id })
  end)

  it("may move to a living one, and not back", function()
    note:update { parent = s.b }
    helper.raises("parent_deleted", note.update, note, { parent = s.a })
    assert.are.equal(s.b.id, note:reload().parent_id)
    note:update { parent = tombstone.null }
    helper.raises("parent_deleted", note.update, note, { parent = s.a })
    assert.is_nil(note:reload().parent_id)
  end)

  it("does not let others follow it", function()
    local before, both = s:digest(), s.Note.objects:filter { name__in = { "n", "o" } }
    helper.raises("parent_deleted", both.update, both, { parent = s.a })
    assert.are.equal(before, s:digest())
    helper.raises("parent_deleted", other.update, other, { parent_id = s.a.id, name = "x" })
    other.parent_id = s.a.id
    helper.raises("parent_deleted", other.save, other)
    helper.raises("parent_deleted", s.Note.upsert, s.Note, { name = "o", parent = s.a }, { on = "name" })
    helper.raises("parent_deleted", s.Note.upsert, s.Note, { name = "new", parent = s.a }, { on = "name" })
    helper.raises("parent_deleted", s.Note.bulk_create, s.Note, {
      { name = "y", parent = s.b },
      { name = "z", parent = s.a },
    })
    assert.are.equal(before, s:digest())
  end)

  it("is not reached by arithmetic either", function()
    local before = s:digest()
    assert.is_false(pcall(other.update, other, { parent_id = tombstone.F "parent_id" - 1 }))
    assert.are.equal(before, s:digest())
    local one = s.Note.objects:filter { name = "o" }
    assert.is_false(pcall(one.update, one, { parent_id = tombstone.F "parent_id" - 1 }))
    assert.are.equal(before, s:digest())
  end)
end)

describe("a dead row under a dead parent", function()
  local s

  before_each(function()
    s = family.tree()
    s.p:delete()
    s.a:delete()
  end)

  after_each(function()
    s:close()
  end)

  it("is not brought back by upsert or get_or_create", function()
    local before = s:digest()
    local how = { on = "name", on_deleted = "restore" }
    local err = helper.raises("parent_deleted", s.Post.upsert, s.Post, { name = "p" }, how)
    assert.are.same({ "parent_id" }, err.fields)
    assert.are.equal(before, s:digest())
    helper.raises("parent_deleted", s.Post.get_or_create, s.Post, { name = "p" }, nil, {
      on_deleted = "restore",
    })
    assert.are.equal(before, s:digest())
  end)

  it("is brought back by upsert and get_or_create with all below it once the parent lives", function()
    s.a:restore()
    assert.are.equal("a b d q t", s:living())
    s.Post:upsert({ name = "p" }, { on = "name", on_deleted = "restore" })
    assert.are.equal("a b c d p q t", s:living())
    s.p:reload():delete()
    s.Post:get_or_create({ name = "p" }, nil, { on_deleted = "restore" })
    assert.are.equal("a b c d p q t", s:living())
  end)

  it("is not reached by update and save", function()
    local before = s:digest()
    assert.are.equal(0, s.Post.objects:filter({ id = 1 }):update { parent = s.b })
    helper.raises("deleted", s.p.update, s.p, { parent = s.b })
    helper.raises("deleted", s.p.save, s.p)
    assert.are.equal(before, s:digest())
  end)
end)

describe("a cascade", function()
  local SIDES = { off = false, stamp = { event = false } }

  -- Declares both models in one of the two orders.
  local function declare(db, parent_first, author, post)
    local function parent()
      db:model("Author", { name = f.text() }, { soft_delete = author })
    end
    local function child()
      db:model("Post", { author = f.belongs_to("Author", { on_delete = "cascade" }) }, { soft_delete = post })
    end
    local first, second = parent, child
    if not parent_first then
      first, second = child, parent
    end
    first()
    return second
  end

  for kind, soft_delete in pairs(SIDES) do
    for _, parent_first in ipairs { true, false } do
      local how = kind .. (parent_first and ", parent first" or ", child first")

      it("needs events of its parent: " .. how, function()
        local db = tombstone.open ":memory:"
        local second = declare(db, parent_first, soft_delete, nil)
        local message = "Post.author_id cannot cascade - Author has no events"
        local err = helper.refuses("misuse", message, second)
        assert.are.equal(
          'soft_delete with events is needed on both sides; or use "restrict" or "keep"',
          err.hint
        )
        assert.are.equal("Post", err.model)
        db:close()
      end)

      it("needs events of its child: " .. how, function()
        local db = tombstone.open ":memory:"
        local second = declare(db, parent_first, nil, soft_delete)
        helper.refuses("misuse", "Post.author_id cannot cascade - Post has no events", second)
        db:close()
      end)
    end

    it("to its own model needs events: " .. kind, function()
      local db = tombstone.open ":memory:"
      local message = "Node.parent_id cannot cascade - Node has no events"
      helper.refuses("misuse", message, db.model, db, "Node", {
        parent = f.belongs_to("Node", { on_delete = "cascade", null = true }),
      }, { soft_delete = soft_delete })
      db:close()
    end)
  end

  it("that was refused has left nothing behind", function()
    local db = tombstone.open ":memory:"
    helper.raises("misuse", declare(db, true, nil, false))
    db:model("Post", { author = f.belongs_to("Author", { on_delete = "cascade" }) })
    db:create_tables()
    local tables = db:query "SELECT name FROM sqlite_master WHERE name IN ('author', 'post')"
    assert.are.equal(2, #tables)
    db:close()
    db = tombstone.open ":memory:"
    helper.raises("misuse", declare(db, false, false, nil))
    local Author = db:model("Author", { name = f.text() })
    db:create_tables()
    assert.is_not_nil(Author:create({ name = "a" }):delete())
    db:close()
  end)
end)
