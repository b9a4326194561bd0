-- The end of families: what goes along with a purged row, what it leaves, what keeps it.
local helper = require "helper"
local family = require "model.family"

describe("a purge of dead rows", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  -- How many rows there are of each, dead or alive.
  local function sizes()
    local counts = {}
    for _, name in ipairs { "Team", "Author", "Post", "Comment", "Pin", "Note" } do
      counts[#counts + 1] = s[name].all_objects:count()
    end
    return table.concat(counts, " ")
  end

  it("takes along what hangs on them, whoever killed it", function()
    s.c:delete()
    s.p:delete()
    s.a:delete()
    assert.is_true(s.a:purge())
    assert.are.equal("1 1 0 0 0 0", sizes())
    assert.are.equal("b t", s:living())
    assert.are.equal("", s:owners())
    assert.is_false(s.a:purge())
  end)

  it("leaves what they hang on", function()
    s.t:delete()
    s.p:purge()
    assert.are.equal("1 2 1 1 0 0", sizes())
    assert.are.equal(5, s.db:events()[1]:undo())
    assert.are.equal("a b d q t", s:living())
  end)

  it("counts those of its own model", function()
    s.a:delete()
    s.b:delete()
    assert.are.equal(0, s.Post.deleted_objects:filter({ name = "none" }):purge())
    assert.are.equal(2, s.Author.deleted_objects:purge { all = true })
    assert.are.equal("1 0 0 0 0 0", sizes())
    assert.are.equal("t", s:living())
  end)

  it("takes dead rows that restricted them along", function()
    local pin = s:add("Pin", "n", s.p)
    pin:delete()
    s.p:delete()
    assert.is_true(s.p:purge())
    assert.are.equal("1 2 1 1 0 0", sizes())
    assert.are.equal("a b d q t", s:living())
  end)

  it("unlinks what is kept, dead or alive", function()
    local living, dead = s:add("Note", "n", s.a), s:add("Note", "m", s.a)
    local other = s:add("Note", "o", s.b)
    local event = dead:delete()
    s.a:delete()
    s.a:purge()
    assert.is_nil(living:reload().parent_id)
    assert.is_nil(dead:reload().parent_id)
    assert.are.equal(s.b.id, other:reload().parent_id)
    assert.is_true(dead:is_deleted())
    event:undo()
    assert.are.equal("b m n o t", s:living())
  end)

  it("is refused where a living row would be left without its parent", function()
    s.a:delete()
    s.db:exec "INSERT INTO pin (name, parent_id) VALUES ('n', 1)" -- by another program
    local before, dead = s:digest(), s.Author.deleted_objects
    for _, call in ipairs {
      function()
        s.a:purge()
      end,
      function()
        dead:purge { all = true }
      end,
      function()
        s:at("Post", 1):purge()
      end,
    } do
      local err = helper.refuses("restricted", "Cannot purge records - 1 of Pin still need them", call)
      assert.are.equal("Pin", err.model)
      assert.are.same({ "parent_id" }, err.fields)
      assert.are.same({ { live_pk = 1 } }, err.conflicts)
      assert.are.equal("purge or move the rows of Pin first", err.hint)
      assert.are.equal(before, s:digest())
    end
    s.db:exec "DELETE FROM pin"
    s.db:exec "UPDATE comment SET deleted_at = NULL, deleted_event = NULL, name = 'c' WHERE id = 1"
    before = s:digest()
    helper.refuses("restricted", "Cannot purge records - 1 of Comment still need them", s.a.purge, s.a)
    assert.are.equal(before, s:digest())
  end)

  it("forgets who owned them, so that a new row of that key has no past", function()
    s.p:delete()
    s.a:delete()
    s.a:purge()
    s.Post:create { id = 1, name = "p", parent = s.b }
    local event = s.Post.objects:get(1):delete()
    assert.are.same({ Post = 1 }, event:counts())
    for _, other in ipairs(s.db:events()) do
      assert.is_nil(other.id ~= event.id and other:counts().Post or nil)
    end
    assert.are.equal(1, event:undo())
    assert.are.equal("b p t", s:living())
  end)
end)

describe("a purge of living rows", function()
  local s

  before_each(function()
    s = family.tree()
  end)

  after_each(function()
    s:close()
  end)

  it("takes the whole family, and keeps the rest", function()
    local note = s:add("Note", "n", s.a)
    s.c:delete()
    assert.is_true(s.a:purge { actor = "ana" })
    assert.are.equal("b n t", s:living())
    assert.are.equal(0, s.Post.all_objects:count() + s.Comment.all_objects:count())
    assert.are.equal(1, s.Author.all_objects:count())
    assert.is_nil(note:reload().parent_id)
    assert.are.equal("", s:owners())
    assert.are.equal(1, #s.db:events { actor = "ana" })
  end)

  it("of a query must be meant, and counts its own", function()
    local some = s.Author.all_objects:filter { name__in = { "a", "b" } }
    helper.raises("misuse", some.purge, some)
    assert.are.equal("a b c d p q t", s:living())
    assert.are.equal(2, some:purge { living = true })
    assert.are.equal("t", s:living())
    assert.are.equal(0, s.Comment.all_objects:count())
  end)

  it("is refused by a living row that restricts, and then nothing is dead", function()
    s:add("Pin", "n", s.p)
    local before = s:digest()
    helper.raises("restricted", s.a.purge, s.a)
    local every = s.Team.all_objects
    helper.raises("restricted", every.purge, every, { all = true, living = true })
    assert.are.equal(before, s:digest())
    assert.is_false(s.a:is_deleted())
  end)

  it("is refused by a row without soft delete", function()
    local own = family.of {
      { "Team", nil, nil, { soft_delete = false } },
      { "Badge", "Team", "restrict", { soft_delete = false } },
      { "Note", "Team", "keep" },
    }
    local t = own:add("Team", "t")
    local badge, note = own:add("Badge", "x", t), own:add("Note", "n", t)
    local before = own:digest()
    helper.refuses("restricted", "Cannot purge records - 1 of Badge still need them", t.purge, t)
    assert.are.equal(before, own:digest())
    badge:purge()
    t:purge()
    assert.is_nil(note:reload().parent_id)
    assert.are.equal(0, own.Team.all_objects:count())
    own:close()
  end)

  it("goes along with the cleaning up of old rows", function()
    local clock = helper.clock()
    local own = family.of({
      { "Team", nil, nil, { soft_delete = { keep = "1d" } } },
      { "Author", "Team", "cascade", { soft_delete = { keep = "1d" } } },
      { "Note", "Team", "keep" },
    }, { clock = clock.tell })
    local t = own:add("Team", "t")
    own:add("Author", "a", t)
    local note = own:add("Note", "n", t)
    t:delete()
    own.db:purge_expired()
    assert.are.equal(2, own.Team.all_objects:count() + own.Author.all_objects:count())
    clock.now = clock.now + 2 * 86400
    own.db:purge_expired()
    assert.are.equal(0, own.Team.all_objects:count() + own.Author.all_objects:count())
    assert.is_nil(note:reload().parent_id)
    own:close()
  end)
end)
