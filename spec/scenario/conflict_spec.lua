-- Restores whose unique value somebody has taken meanwhile: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local function files(unique)
  local db = tombstone.open ":memory:"
  local File = db:model("File", {
    name = f.char { max_length = 60, unique = unique },
    text = f.text { default = "" },
  })
  db:create_tables()
  return File, db
end

local function names(query)
  return helper.list(query:order_by "id", "name")
end

for _, unique in ipairs { "mangle", "live" } do
  describe("unique by " .. unique .. ",", function()
    local File, db, old, new

    before_each(function()
      File, db = files(unique)
      old = File:create { name = "file.txt", text = "old" }
      old:delete()
      new = File:create { name = "file.txt", text = "new" }
    end)

    -- Deleted, made anew, restored: "unknown error", and no way to say what to do. Also
    -- ckan#2438, LinkAce#1004, doctrine-extensions#2591.
    describe("owncloud/web#1730: a name that is taken", function()
      it("refuses the restore, and the error says which two rows it is about", function()
        local before = family.digest(db)
        local err = helper.refuses(
          "integrity",
          "Cannot restore record - name with value 'file.txt' already exists",
          old.restore,
          old
        )
        assert.are.same({ { dead_pk = old.id, live_pk = new.id } }, err.conflicts)
        assert.are.equal(before, family.digest(db))
        assert.is_true(old:is_deleted())
      end)

      it("can be foreseen, without a write", function()
        local before = family.digest(db)
        local conflict = File.deleted_objects:restore_plan().conflicts[1]
        assert.are.same({ old.id, new.id }, { conflict.dead_pk, conflict.live_pk })
        assert.are.equal("file.txt", conflict.value)
        assert.are.equal(before, family.digest(db))
      end)

      it("can be renamed", function()
        assert.is_true(old:restore { on_conflict = "rename" })
        assert.are.same({ "file.txt (restored)", "file.txt" }, names(File.objects))
      end)

      -- OR REPLACE would do the same with the living row gone for ever.
      it("can be replaced, and the row that had it is in the trash then", function()
        assert.is_true(old:restore { on_conflict = "replace" })
        assert.are.same({ "old" }, helper.list(File.objects, "text"))
        assert.are.equal("new", File.deleted_objects:get(new.id).text)
        assert.are.equal(2, File.all_objects:count())
        db:events()[2]:undo { on_conflict = "replace" }
        assert.are.same({ "new" }, helper.list(File.objects, "text"))
      end)

      it("can be skipped", function()
        File:create({ name = "other" }):delete()
        assert.are.equal(1, File.deleted_objects:restore { all = true, on_conflict = "skip" })
        assert.are.same({ "file.txt", "other" }, names(File.objects))
        assert.is_true(old:reload():is_deleted())
      end)

      -- Also papra#142: the same document again should be one document.
      it("can be merged into the row that has it", function()
        File.deleted_objects:restore {
          all = true,
          on_conflict = function(dead, conflict)
            local living = File.objects:get(conflict.live_pk)
            living:update { text = dead.text .. "+" .. living.text }
            return "skip"
          end,
        }
        assert.are.same({ "old+new" }, helper.list(File.objects, "text"))
        assert.are.equal("old", old:reload().text)
      end)
    end)

    -- Two deleted files of one name, restored at once: one of them fails. Also Cellarion#78.
    it("owncloud/web#3477: two dead rows of one name come back together", function()
      new:delete()
      local all = File.deleted_objects
      local err = helper.raises("integrity", all.restore, all, { all = true })
      assert.are.equal(new.id, err.conflicts[1].dead_pk)
      assert.are.equal(0, File.objects:count())
      assert.are.equal(2, all:restore { all = true, on_conflict = "rename" })
      assert.are.same({ "file.txt", "file.txt (restored)" }, names(File.objects))
    end)

    -- Names in the trash had a marker appended, which was seen in pages and stayed after the
    -- restore; values that held the marker themselves came back cut off.
    it("tracim#518: no marker is left in a name, and none is taken that was there before", function()
      new:purge()
      for _, name in ipairs { "file.txt", "a__deleted_b", "a__deleted_1763880000.000000", "__deleted_" } do
        old:restore()
        old:update { name = name }
        old:delete()
        assert.are.equal(name, old:original "name")
        assert.are.equal(old.id, File.deleted_objects:get({ name__original = name }).id)
        old:restore()
        assert.are.same({ name }, names(File.objects))
        old:delete()
      end
    end)

    -- restore() skipped all validations, and where uniqueness was one of them there were two
    -- living rows then. Also paranoia#285 and a comment of laravel#38124.
    it("discard#113: no restore makes a second living row of a value", function()
      local event = db:events()[1]
      local one, all = File.deleted_objects:filter { id = old.id }, File.all_objects:filter { id = old.id }
      for _, call in ipairs {
        function()
          old:restore()
        end,
        function()
          one:restore()
        end,
        function()
          all:restore()
        end,
        function()
          event:undo()
        end,
        function()
          one:restore {
            on_conflict = function()
              return { text = "still the same name" }
            end,
          }
        end,
        function()
          db:exec("UPDATE file SET deleted_at = NULL, name = 'file.txt' WHERE id = ?", old.id)
        end,
      } do
        assert.are.equal("unique", helper.raises("integrity", call).constraint)
        assert.are.same({ "new" }, helper.list(File.objects, "text"))
        assert.is_true(old:reload():is_deleted())
      end
    end)
  end)
end

-- Checks of a field bind the living; a dead row that has become bad must not come back so.
it("paranoia#285: a row that the checks would refuse stays dead", function()
  local db = tombstone.open ":memory:"
  local User = db:model("User", { age = f.integer { check = "age >= 0" } })
  db:create_tables()
  local user = User:create { age = 5 }
  user:delete()
  db:exec "UPDATE user SET age = -1"
  local err = helper.raises("integrity", user.restore, user)
  assert.are.equal("check", err.constraint)
  assert.are.equal(0, User.objects:count())
  db:exec "UPDATE user SET age = 6"
  assert.is_true(user:restore())
end)

-- A name below the restored row is taken, not its own: the driver's error said nothing of it.
it("doctrine-extensions#2591: a conflict far below is told by its model, and can be settled", function()
  local s = family.tree()
  s.a:delete()
  s:add("Post", "p", s.b)
  local err = helper.raises("integrity", s.a.restore, s.a)
  assert.are.same({ "Post", "name", "p" }, { err.model, err.fields[1], err.value })
  assert.are.equal("b p t", s:living())
  assert.is_true(s.a:restore { on_conflict = "rename" })
  assert.are.equal("a b c d p p (restored) q t", s:living())
  s:close()
end)
