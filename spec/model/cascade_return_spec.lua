-- The way back of rows that died together: undo in every order, restores, parents.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

-- The orders of 1 to n.
local function orders(n)
  local list, all = {}, {}
  for i = 1, n do
    list[i] = i
  end
  helper.each_order(list, function(order)
    all[#all + 1] = { helper.unpack(order) }
  end)
  return all
end

for _, unique in ipairs { "mangle", "live" } do
  describe("undo of a family, unique by " .. unique .. ",", function()
    local s

    before_each(function()
      s = family.tree { unique = unique }
    end)

    after_each(function()
      s:close()
    end)

    it("gives every row back as it was", function()
      s:add("Note", "n", s.a)
      local before = {}
      for _, name in ipairs(s.names) do
        before[name] = s[name].all_objects:order_by("id"):all()
      end
      local event = s.t:delete()
      assert.are.equal(7, event:undo { on_conflict = "fail" })
      for _, name in ipairs(s.names) do
        assert.are.same(before[name], s[name].all_objects:order_by("id"):all())
      end
      assert.is_truthy(event.undone_at)
      assert.are.same({}, event:counts())
      assert.are.equal(0, event:undo())
    end)

    -- Who is held by which of the events of p, a and t.
    local OWNERS = {
      p = { 1, 2, 3, model = "Post" },
      c = { 1, 2, 3, model = "Comment" },
      q = { 2, 3, model = "Post" },
      d = { 2, 3, model = "Comment" },
      a = { 2, 3, model = "Author" },
      b = { 3, model = "Author" },
      t = { 3, model = "Team" },
    }

    -- What lives, and what each event holds, once those in `undone` are.
    local function expected(undone)
      local living, held = {}, { {}, {}, {} }
      for name, owners in pairs(OWNERS) do
        local n = 0
        for _, event in ipairs(owners) do
          if not undone[event] then
            n = n + 1
            held[event][owners.model] = (held[event][owners.model] or 0) + 1
          end
        end
        living[#living + 1] = n == 0 and name or nil
      end
      table.sort(living)
      return table.concat(living, " "), held, #living
    end

    for _, order in ipairs(orders(3)) do
      it("in the order " .. table.concat(order, ", "), function()
        local events = { s.p:delete(), s.a:delete(), s.t:delete() }
        local undone, before = {}, 0
        for _, which in ipairs(order) do
          local count = events[which]:undo()
          undone[which] = true
          local living, held, n = expected(undone)
          assert.are.equal(living, s:living())
          assert.are.equal(n - before, count)
          for i = 1, 3 do
            assert.are.same(held[i], events[i]:counts())
          end
          before = n
        end
        assert.are.equal("", s:owners())
        assert.are.equal("c", s.c:reload().name)
      end)
    end

    it("hands a row to its oldest further owner, and changes nothing else of it", function()
      local first, second, third = s.p:delete(), s.a:delete(), s.t:delete()
      local row = s:at("Post", 1)
      first:undo()
      row.deleted_event = second.id
      assert.are.same(row, s:at("Post", 1))
      assert.are.equal(row.deleted_event, s:at("Comment", 1).deleted_event)
      second:undo()
      row.deleted_event = third.id
      assert.are.same(row, s:at("Post", 1))
      assert.are.equal("", s:owners())
    end)

    it("holds back a row whose restricting parent stays dead", function()
      local pin = s:add("Pin", "n", s.p)
      local first = pin:delete()
      local second = s.a:delete()
      assert.are.equal(0, first:undo())
      assert.are.equal("b t", s:living())
      assert.are.same({ Pin = 1 }, first:counts())
      assert.are.equal(first.id, pin:reload().deleted_event)
      assert.are.equal(5, second:undo())
      assert.are.equal("a b c d p q t", s:living())
      assert.are.equal(1, first:undo())
      assert.are.equal("a b c d n p q t", s:living())
    end)

    it("brings a restricting row back together with its parent", function()
      local pin = s:add("Pin", "n", s.p)
      local event = s.db:deletion({}, function()
        pin:delete()
        s.a:delete()
      end)
      assert.are.equal(6, event:undo())
      assert.are.equal("a b c d n p q t", s:living())
    end)

    it("does not look at parents that are kept", function()
      local note = s:add("Note", "n", s.a)
      local first = note:delete()
      s.a:delete()
      assert.are.equal(1, first:undo())
      assert.are.equal("b n t", s:living())
    end)
  end)
end

-- With hooks the Lua side is in between.
for kind, on in pairs { plain = {}, hooked = { Post = { before_restore = function() end } } } do
  describe("undo, " .. kind .. ",", function()
    it("takes an event out of every row, in whichever order", function()
      local s = family.tree { on = on }
      local first, second, third = s.p:delete(), s.a:delete(), s.t:delete()
      assert.are.equal(0, first:undo())
      assert.are.equal(2, third:undo())
      assert.are.equal("b t", s:living())
      assert.are.equal(5, second:undo())
      assert.are.equal("a b c d p q t", s:living())
      assert.are.equal("", s:owners())
      s:close()
    end)
  end)

  describe("restore, " .. kind .. ",", function()
    local s

    before_each(function()
      s = family.tree { on = on }
    end)

    after_each(function()
      s:close()
    end)

    it("of a parent brings back what died with it", function()
      local own = s.d:delete()
      local event = s.a:delete()
      assert.is_true(s.a:restore())
      assert.are.equal("a b c p q t", s:living())
      assert.are.same({}, event:counts())
      assert.are.same({ Comment = 1 }, own:counts())
      assert.are.equal("", s:owners())
      assert.is_false(s.a:restore())
      s.d:reload()
      assert.is_true(s.d:restore())
      assert.are.equal("a b c d p q t", s:living())
    end)

    it("of a query counts its own rows only", function()
      s.p:delete()
      s.t:delete()
      assert.are.equal(1, s.Team.deleted_objects:restore { all = true })
      assert.are.equal("a b d q t", s:living())
      s.Author.objects:delete { all = true }
      assert.are.equal(2, s.Author.deleted_objects:restore { all = true })
      assert.are.equal(1, s.Post.deleted_objects:restore { all = true })
      assert.are.equal("a b c d p q t", s:living())
    end)

    it("takes only what its own rows were held by out of those below", function()
      local first, second, third = s.p:delete(), s.a:delete(), s.t:delete()
      assert.is_true(s.t:restore())
      assert.are.equal("b t", s:living())
      assert.are.same({}, third:counts())
      assert.are.same({ Author = 1, Post = 2, Comment = 2 }, second:counts())
      s.a:reload()
      assert.is_true(s.a:restore())
      assert.are.equal("a b d q t", s:living())
      assert.are.same({ Post = 1, Comment = 1 }, first:counts())
      assert.are.equal(first.id, s.p:reload().deleted_event)
      assert.are.equal("", s:owners())
    end)

    it("is refused below a dead parent", function()
      s.p:delete()
      s.a:delete()
      local before = s:digest()
      local message = "Cannot restore record - Post 1 belongs to Author 1, which is deleted"
      local dead = s.Post.deleted_objects:filter { id = s.p.id }
      for _, call in ipairs {
        function()
          s.p:restore()
        end,
        function()
          dead:restore()
        end,
        function()
          s.Post.deleted_objects:filter({ id = 1 }):restore { on_conflict = "skip" }
        end,
        function()
          s.p:restore { on_conflict = "rename" }
        end,
        function()
          s.p:restore {
            on_conflict = function()
              return "skip"
            end,
          }
        end,
      } do
        local err = helper.refuses("parent_deleted", message, call)
        assert.are.equal("Post", err.model)
        assert.are.same({ "parent_id" }, err.fields)
        assert.are.same({ parent_id = "points to a deleted row" }, err.reasons)
        assert.are.equal(1, err.value)
        assert.are.same({ { dead_pk = 1 } }, err.conflicts)
        assert.are.equal("restore Author 1 first, or pass parents = true", err.hint)
        assert.are.equal(before, s:digest())
      end
      assert.is_true(s.p:is_deleted())
    end)

    it("is refused for all where one has a dead parent", function()
      local pin = s:add("Pin", "n", s.p)
      pin:delete()
      s.q:delete()
      s:add("Pin", "m", s:add("Post", "r", s.b)):delete()
      s.p:delete()
      local before, dead = s:digest(), s.Pin.deleted_objects
      helper.raises("parent_deleted", dead.restore, dead, { all = true })
      assert.are.equal(before, s:digest())
      assert.are.equal(2, dead:restore { all = true, parents = true })
      assert.are.equal("a b c m n p r t", s:living())
    end)

    it("with parents brings all that died with these back too", function()
      s.c:delete()
      local event = s.t:delete()
      assert.is_true(s.c:restore { parents = true })
      assert.are.equal("a b c d p q t", s:living())
      assert.are.same({}, event:counts())
      assert.are.equal("c", s.c.name)
      assert.is_nil(s.c.deleted_at)
      assert.are.equal("", s:owners())
    end)

    it("with parents leaves relatives that died alone", function()
      s.q:delete()
      s.a:delete()
      s.c:reload()
      assert.are.equal(1, s.Comment.deleted_objects:filter({ id = s.c.id }):restore { parents = true })
      assert.are.equal("a b c p t", s:living())
    end)

    it("with parents is a restore where these live", function()
      s.p:delete()
      assert.is_true(s.p:restore { parents = true })
      assert.are.equal("a b c d p q t", s:living())
      assert.is_false(s.p:restore { parents = true })
    end)
  end)
end

describe("a row with another dead parent", function()
  -- x dies with left; then right, which would restrict it, dies too
  local function open()
    local s = family.of { { "Left" }, { "Right" } }
    s.X = s.db:model("X", {
      name = f.text(),
      left = f.belongs_to("Left", { on_delete = "cascade" }),
      right = f.belongs_to("Right", { on_delete = "restrict" }),
    })
    s.names[#s.names + 1] = "X"
    s.db:create_tables()
    local left, right = s:add("Left", "left"), s:add("Right", "right")
    s.x = s.X:create { name = "x", left = left, right = right }
    local first, second = left:delete(), right:delete()
    return s, left, right, first, second
  end

  it("keeps its owners when a restore would free it", function()
    local s, left, right, first = open()
    assert.is_true(left:restore())
    assert.are.equal("left", s:living())
    assert.are.same({ X = 1 }, first:counts())
    assert.are.equal(first.id, s.x:reload().deleted_event)
    assert.is_true(right:restore())
    assert.are.equal("left right", s:living())
    assert.is_true(s.x:restore())
    assert.are.equal("left right x", s:living())
    s:close()
  end)

  it("keeps its owners when an undo would free it", function()
    local s, _, _, first, second = open()
    assert.are.equal(1, first:undo())
    assert.are.equal("left", s:living())
    assert.are.same({ X = 1 }, first:counts())
    assert.are.equal(1, second:undo())
    assert.are.equal(1, first:undo())
    assert.are.equal("left right x", s:living())
    s:close()
  end)

  it("comes back with both as its parents", function()
    local s = open()
    s.x:reload()
    assert.is_true(s.x:restore { parents = true })
    assert.are.equal("left right x", s:living())
    s:close()
  end)
end)
