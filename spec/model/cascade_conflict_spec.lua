-- Names that were taken while a family was dead: every way out, for undo and for restore.
local helper = require "helper"
local family = require "model.family"

local TAKEN = "Cannot restore record - name with value 'p' already exists"

for _, unique in ipairs { "mangle", "live" } do
  describe("a name taken meanwhile, unique by " .. unique .. ",", function()
    local s, event, twin

    -- a died with p, q, c and d; b has got a p of its own with a comment e
    before_each(function()
      s = family.tree { unique = unique }
      event = s.a:delete()
      twin = s:add("Post", "p", s.b)
      s:add("Comment", "e", twin)
    end)

    after_each(function()
      s:close()
    end)

    -- Both ways back: of the event, and of the row that died in it.
    local function both(name, check)
      it(name .. ", undo", function()
        check(function(on_conflict)
          return event:undo { on_conflict = on_conflict }
        end, 1)
      end)
      it(name .. ", restore", function()
        check(function(on_conflict)
          return s.Author.deleted_objects:filter({ id = 1 }):restore { on_conflict = on_conflict }
        end)
      end)
    end

    both("changes nothing by fail", function(back)
      local before = s:digest()
      for _, word in ipairs { false, "fail" } do
        local err = helper.refuses("integrity", TAKEN, back, word or nil)
        assert.are.equal("unique", err.constraint)
        assert.are.equal("Post", err.model)
        assert.are.equal(1, err.conflicts[1].dead_pk)
        assert.are.equal(twin.id, err.conflicts[1].live_pk)
        assert.are.equal(before, s:digest())
      end
    end)

    both("leaves the row and what hangs on it by skip", function(back, is_undo)
      assert.are.equal(is_undo and 3 or 1, back "skip")
      assert.are.equal("a b d e p q t", s:living())
      assert.are.same({ Post = 1, Comment = 1 }, event:counts())
      assert.are.equal("", s:owners())
      twin:update { name = "r" }
      assert.are.equal(2, event:undo())
      assert.are.equal("a b c d e p q r t", s:living())
    end)

    both("gives another name by rename", function(back, is_undo)
      assert.are.equal(is_undo and 5 or 1, back "rename")
      assert.are.equal("a b c d e p p (restored) q t", s:living())
      assert.are.equal("p (restored)", s:at("Post", 1).name)
      assert.are.same({}, event:counts())
    end)

    both("takes the place of the twin and what hangs on it by replace", function(back, is_undo)
      assert.are.equal(is_undo and 5 or 1, back "replace")
      assert.are.equal("a b c d p q t", s:living())
      assert.is_true(s:at("Post", twin.id):is_deleted())
      local comment = s.Comment.all_objects:get { name__original = "e" }
      assert.are.equal(s:at("Post", twin.id).deleted_event, comment.deleted_event)
      assert.are_not.equal(event.id, comment.deleted_event)
      assert.are.same({}, event:counts())
    end)

    both("changes nothing where the twin cannot be replaced", function(back)
      s:add("Pin", "n", twin)
      local before = s:digest()
      helper.refuses("restricted", "Cannot delete records - 1 of Pin still need them", back, "replace")
      assert.are.equal(before, s:digest())
    end)

    it("is put before a function by undo", function()
      local asked = {}
      local function answer(row, conflict)
        asked[#asked + 1] = getmetatable(row) == s.Post and row.id .. " " .. conflict.value
        return "skip"
      end
      assert.are.equal(3, event:undo { on_conflict = answer })
      assert.are.same({ "1 p" }, asked)
      assert.are.equal("a b d e p q t", s:living())
      assert.are.same({ Post = 1, Comment = 1 }, event:counts())
    end)

    it("is changed by the function that undo asks", function()
      local function answer()
        return { name = "by hand", parent = s.b }
      end
      event:undo { on_conflict = answer }
      assert.are.equal("a b by hand c d e p q t", s:living())
      assert.are.equal("b", s:at("Post", 1):parent().name)
      assert.are.same({}, event:counts())
    end)

    it("cannot be given a dead parent by the function", function()
      local dead = s:add("Author", "x")
      dead:delete()
      local before = s:digest()
      helper.raises("parent_deleted", event.undo, event, {
        on_conflict = function()
          return { name = "by hand", parent = dead }
        end,
      })
      assert.are.equal(before, s:digest())
    end)

    it("changes nothing where the function raises or fails", function()
      local before = s:digest()
      local ok, err = pcall(event.undo, event, {
        on_conflict = function()
          error("on purpose", 0)
        end,
      })
      assert.are.same({ false, "on purpose" }, { ok, err })
      assert.are.equal(before, s:digest())
      helper.refuses("integrity", TAKEN, event.undo, event, {
        on_conflict = function()
          return "fail"
        end,
      })
      assert.are.equal(before, s:digest())
    end)
  end)

  describe("the restored row's own name, unique by " .. unique .. ",", function()
    local s, event, twin

    before_each(function()
      s = family.tree { unique = unique }
      event = s.a:delete()
      twin = s:add("Author", "a", s.t)
    end)

    after_each(function()
      s:close()
    end)

    it("leaves all below it where it is skipped", function()
      local before = s:digest()
      assert.is_false(s.a:restore { on_conflict = "skip" })
      assert.are.equal(before, s:digest())
      assert.are.equal(0, event:undo { on_conflict = "skip" })
      assert.are.equal("a b t", s:living())
      assert.are.same({ Author = 1, Post = 2, Comment = 2 }, event:counts())
      twin:purge()
      assert.are.equal(5, event:undo())
      assert.are.equal("a b c d p q t", s:living())
    end)

    it("leaves the owners of all below it where it is skipped", function()
      twin:update { name = "x" }
      event:undo()
      local first = s.c:delete()
      local second = s.a:reload():delete()
      twin:update { name = "a" }
      local before = s:digest()
      assert.is_false(s.a:restore { on_conflict = "skip" })
      assert.are.equal(before, s:digest())
      twin:purge()
      assert.are.equal(0, first:undo())
      assert.are.equal(5, second:undo())
    end)

    it("is settled by every other answer, and all below comes back", function()
      local expected = {
        rename = "a a (restored) b c d p q t",
        replace = "a b c d p q t",
        values = "a b by hand c d p q t",
      }
      for word, living in pairs(expected) do
        local function answer(row, conflict)
          assert.are.same({ s.a.id, "a", twin.id }, { row.id, conflict.value, conflict.live_pk })
          return word == "values" and { name = "by hand" } or word
        end
        for _, on_conflict in ipairs { answer, word ~= "values" and word or nil } do
          pcall(s.db.transaction, s.db, function()
            assert.is_true(s:at("Author", 1):restore { on_conflict = on_conflict })
            assert.are.equal(living, s:living())
            assert.are.same({}, event:counts())
            error("and back", 0)
          end)
          assert.are.equal("a b t", s:living())
        end
      end
    end)

    it("does not stand in the way of relatives", function()
      local dead = s.Author.deleted_objects
      s.b:delete()
      assert.are.equal(1, dead:restore { all = true, on_conflict = "skip" })
      assert.are.equal("a b t", s:living())
      assert.are.equal(2, s.Author.objects:count())
    end)
  end)

  it("of a parent that is brought back changes nothing, unique by " .. unique, function()
    local s = family.tree { unique = unique }
    s.t:delete()
    s:add("Author", "a")
    s.c:reload()
    local before = s:digest()
    helper.refuses(
      "integrity",
      "Cannot restore record - name with value 'a' already exists",
      s.c.restore,
      s.c,
      { parents = true }
    )
    assert.are.equal(before, s:digest())
    assert.is_true(s.c:restore { parents = true, on_conflict = "rename" })
    assert.are.equal("a a (restored) b c d p q t", s:living())
    s:close()
  end)

  it("of a parent that is skipped holds the row back, unique by " .. unique, function()
    local s = family.tree { unique = unique }
    s.t:delete()
    s:add("Author", "a")
    s.c:reload()
    local ok = pcall(s.c.restore, s.c, { parents = true, on_conflict = "skip" })
    assert.is_false(s:at("Author", 1).deleted_at == nil)
    assert.are.equal(0, s.Comment.objects:filter({ name = "c" }):count())
    assert.is_truthy(ok or s:living() == "a")
    s:close()
  end)
end
