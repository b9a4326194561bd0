-- The first column of the README's table: a child D under two parents, B and C, line by line. What
-- the others do there stands in the table.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function open(options)
  local db = tombstone.open(":memory:", options)
  local s = { db = db }
  s.A = db:model("A", { name = f.text() })
  s.B = db:model("B", { name = f.text(), a = f.belongs_to("A", { on_delete = "cascade" }) })
  s.C = db:model("C", { name = f.text(), a = f.belongs_to("A", { on_delete = "cascade" }) })
  s.D = db:model("D", {
    name = f.text { unique = true },
    b = f.belongs_to("B", { on_delete = "cascade" }),
    c = f.belongs_to("C", { on_delete = "cascade" }),
  })
  db:create_tables()
  s.a = s.A:create { name = "a" }
  s.b, s.c = s.B:create { name = "b", a = s.a }, s.C:create { name = "c", a = s.a }
  s.d = s.D:create { name = "d", b = s.b, c = s.c }
  return s
end

-- The names of the living, and under which parents D lives.
local function living(s)
  local names = {}
  for _, model in ipairs { s.A, s.B, s.C, s.D } do
    for _, name in ipairs(helper.list(model.objects, "name")) do
      names[#names + 1] = name
    end
  end
  return table.concat(names)
end

-- The ways to take back the deletion of a row.
local WAYS = {
  restore = function(row)
    row:reload():restore()
  end,
  undo = function(_, event)
    event:undo()
  end,
}

describe("the diamond:", function()
  local s, clock

  before_each(function()
    clock = helper.clock()
    s = open { clock = clock.tell }
  end)

  after_each(function()
    s.db:close()
  end)

  it("B's deletion takes D", function()
    s.b:delete()
    assert.are.equal("ac", living(s))
  end)

  for name, back in pairs(WAYS) do
    describe("by " .. name .. ",", function()
      for _, first in ipairs { "b", "c" } do
        local second = first == "b" and "c" or "b"

        it("after two deletions and one way back, of " .. first .. ", D is dead", function()
          local events = { b = s.b:delete(), c = s.c:delete() }
          back(s[first], events[first])
          assert.are.equal("a" .. first, living(s))
        end)

        it("after the second one, of " .. second .. ", D lives as it did before", function()
          local before = s.D.objects:first()
          local events = { b = s.b:delete(), c = s.c:delete() }
          back(s[first], events[first])
          back(s[second], events[second])
          assert.are.equal("abcd", living(s))
          assert.are.same(before, s.D.objects:first())
        end)
      end

      it("D, dead before B, stays dead, however short before", function()
        for _, seconds in ipairs { 0, 30, 86400 } do
          local own = s.d:reload():delete()
          clock.now = clock.now + seconds
          back(s.b, s.b:reload():delete())
          assert.are.equal("abc", living(s))
          own:undo()
          assert.are.equal("abcd", living(s))
        end
      end)

      it("D below A, through B and C, comes back once", function()
        back(s.a, s.a:delete())
        assert.are.equal("abcd", living(s))
      end)

      it("a taken name below lets nothing come back, and both rows are named", function()
        local event = s.b:delete()
        local x = s.D:create { name = "d", b = s.B:create { name = "x", a = s.a }, c = s.c }
        local err = helper.raises("integrity", back, s.b, event)
        assert.are.same({ "D", "name", "d" }, { err.model, err.fields[1], err.value })
        assert.are.same({ s.d.id, x.id }, { err.conflicts[1].dead_pk, err.conflicts[1].live_pk })
        assert.are.equal("axcd", living(s))
      end)
    end)
  end

  for word, after in pairs { rename = "abxcd (restored)d", skip = "abxcd", replace = "abxcd" } do
    it("a taken name below is no end: " .. word, function()
      s.b:delete()
      local x = s.D:create { name = "d", b = s.B:create { name = "x", a = s.a }, c = s.c }
      assert.is_true(s.b:restore { on_conflict = word })
      assert.are.equal(after, living(s))
      assert.are.equal(word == "skip", s.d:reload():is_deleted())
      assert.are.equal(word == "replace", x:reload():is_deleted())
    end)
  end

  it("each deletion says which rows it took", function()
    local events = { s.b:delete(), s.c:delete() }
    assert.are.same({ B = 1, D = 1 }, events[1]:counts())
    assert.are.same({ C = 1, D = 1 }, events[2]:counts())
    events[1]:undo()
    assert.are.same({}, events[1]:counts())
    assert.are.same({ C = 1, D = 1 }, events[2]:counts())
  end)

  it("a child without soft delete is refused when it is declared", function()
    helper.raises("misuse", function()
      local fields = { b = f.belongs_to("B", { on_delete = "cascade" }) }
      s.db:model("E", fields, { soft_delete = false })
    end)
  end)

  it("D is not restored alone while B is dead, but with it", function()
    s.b:delete()
    s.d:reload()
    helper.raises("parent_deleted", s.d.restore, s.d)
    assert.are.equal("ac", living(s))
    assert.is_true(s.d:restore { parents = true })
    assert.are.equal("abcd", living(s))
  end)

  it("no new D comes under a dead B, by whichever verb", function()
    s.b:delete()
    local x = s.D:create { name = "x", b = s.B:create { name = "y", a = s.a }, c = s.c }
    for _, call in ipairs {
      function()
        s.D:create { name = "new", b = s.b, c = s.c }
      end,
      function()
        s.D:bulk_create { { name = "new", b = s.b, c = s.c } }
      end,
      function()
        s.D:upsert({ name = "new", b = s.b, c = s.c }, { on = "name" })
      end,
      function()
        x:update { b = s.b }
      end,
      function()
        s.D.objects:filter({ id = x.id }):update { b = s.b }
      end,
    } do
      helper.raises("parent_deleted", call)
      assert.are.equal("aycx", living(s))
    end
  end)
end)

describe("one row with others below it", function()
  local function statements(n)
    local count = 0
    local db = tombstone.open(":memory:", {
      log = function()
        count = count + 1
      end,
    })
    local Author = db:model("Author", { name = f.text { unique = true } })
    local Post = db:model("Post", {
      title = f.text { unique = true },
      author = f.belongs_to("Author", { on_delete = "cascade" }),
    })
    db:create_tables()
    local author = Author:create { name = "a" }
    for i = 1, n do
      Post:create { title = "p" .. i, author = author }
    end
    count = 0
    author:delete()
    local deleted = count
    count = 0
    author:restore()
    local restored = count
    assert.are.equal(n, Post.objects:count())
    db:close()
    return { deleted, restored }
  end

  it("takes as many statements as the README says, for any number", function()
    local told = {}
    for line in io.lines "README.md" do
      local deleted, restored = line:match "^| statements for 1 %+ 100 rows, .- | (%d+) / (%d+) "
      told[#told + 1] = deleted and { tonumber(deleted), tonumber(restored) }
    end
    assert.are.equal(1, #told)
    for _, n in ipairs { 1, 100 } do
      assert.are.same(told[1], statements(n))
    end
  end)
end)
