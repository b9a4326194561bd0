-- Dead rows and unique values: what people reported elsewhere, and that it does not happen here.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

-- A clock that stands still: freeing a value is no matter of time.
local function open()
  return tombstone.open(":memory:", { clock = helper.clock().tell })
end

local function users(unique, more)
  local db = open()
  local fields = { name = f.text { unique = unique } }
  for name, field in pairs(more or {}) do
    fields[name] = field
  end
  local User = db:model("User", fields)
  db:create_tables()
  return User, db
end

for _, unique in ipairs { "mangle", "live" } do
  describe("unique by " .. unique .. ",", function()
    -- A user 'foo' was destroyed, and creating 'foo' again failed: the dead row still sat on the
    -- name. Also sequelize#3813, prisma-extension-soft-delete#6, bun#243 and twenty#26216.
    it("sequelize#14871: the name of a deleted user can be taken at once", function()
      local User = users(unique)
      local first = User:create { name = "foo" }
      first:delete()
      local second = User:create { name = "foo" }
      assert.are.equal(second.id, User.objects:get({ name = "foo" }).id)
      assert.are.equal(2, User.all_objects:count())
      assert.are.equal("foo", User.deleted_objects:get(first.id):original "name")
    end)

    -- "I want it unique and soft-deleted" was called impossible: either the second living row is
    -- let in or the dead one is in the way. The index itself must say both, to raw SQL too.
    it("typeorm#7549: the database itself keeps the living apart and lets the dead be", function()
      local User, db = users(unique)
      User:create({ name = "foo" }):delete()
      db:exec "INSERT INTO user (name) VALUES ('foo')"
      local err = helper.raises("integrity", db.exec, db, "INSERT INTO user (name) VALUES ('foo')")
      assert.are.equal("unique", err.constraint)
      assert.are.equal(1, User.objects:count())
      assert.are.equal(2, User.all_objects:count())
    end)

    -- With deletion times in the unique key, two deletions of one value within one tick of the
    -- clock collided, so that the second could not be deleted: go-gorm/soft_delete, in seconds.
    it("gorm#759: one name can be deleted again and again in the same instant", function()
      local User = users(unique)
      for _ = 1, 5 do
        User:create({ name = "thread" }):delete()
      end
      assert.are.equal(5, User.deleted_objects:count())
      for _, row in ipairs(User.deleted_objects:all()) do
        assert.are.equal("thread", row:original "name")
      end
      User.deleted_objects:get(3):restore()
      assert.are.equal("thread", User.objects:get(3).name)
    end)

    -- The proposed cure was (name, deleted_at) as unique key. NULL is not equal to NULL, so that
    -- for the living, whose deleted_at is NULL, nothing was unique any more; nobody noticed.
    it("gorm#4442: two living rows of one name are refused, whoever writes them", function()
      local User, db = users(unique)
      User:create({ name = "foo" }):delete()
      User:create { name = "foo" }
      local bar = User:create { name = "bar" }
      local some = User.objects:filter { name = "bar" }
      for _, call in ipairs {
        function()
          User:create { name = "foo" }
        end,
        function()
          User:bulk_create { { name = "new" }, { name = "foo" } }
        end,
        function()
          bar:update { name = "foo" }
        end,
        function()
          some:update { name = "foo" }
        end,
        function()
          db:exec("UPDATE user SET name = 'foo' WHERE id = ?", bar.id)
        end,
      } do
        assert.are.equal("unique", helper.raises("integrity", call).constraint)
        assert.are.equal(2, User.objects:count())
        assert.are.equal(1, User.objects:filter({ name = "foo" }):count())
      end
    end)
  end)
end

-- Validations that skip the dead had to be written by hand, and those of two columns, of numbers
-- or of texts without regard to case were forgotten; also safedelete#203.
describe("discard#37: not only texts are freed,", function()
  local function is_freed(fields, options, values)
    local db = open()
    local Thing = db:model("Thing", fields, options)
    db:create_tables()
    local first = Thing:create(values)
    helper.raises("integrity", Thing.create, Thing, values)
    first:delete()
    local second = Thing:create(values)
    helper.raises("integrity", Thing.create, Thing, values)
    helper.raises("integrity", first.restore, first)
    second:delete()
    first:restore()
    for name, value in pairs(values) do
      assert.are.equal(value, Thing.objects:get(first.id)[name])
    end
    db:close()
  end

  it("but numbers, times and truths", function()
    is_freed({ v = f.integer { unique = true } }, nil, { v = 0 })
    is_freed({ v = f.number { unique = true } }, nil, { v = 0.5 })
    is_freed({ v = f.datetime { unique = true } }, nil, { v = 1763880000.5 })
    is_freed({ v = f.boolean { unique = true } }, nil, { v = false })
  end)

  it("but empty texts and full ones", function()
    is_freed({ v = f.text { unique = true } }, nil, { v = "" })
    is_freed({ v = f.char { unique = true, max_length = 5 } }, nil, { v = "12345" })
  end)

  it("but pairs", function()
    local fields = { site = f.integer(), slug = f.text() }
    is_freed(fields, { unique_together = { { "site", "slug" } } }, { site = 1, slug = "a" })
  end)

  it("but texts of any case", function()
    is_freed({ v = f.text { unique = true, collate = "NOCASE" } }, nil, { v = "Ana@X.io" })
    local User = users("mangle", { mail = f.text { unique = true, collate = "NOCASE" } })
    User:create({ name = "a", mail = "Ana@X.io" }):delete()
    User:create { name = "a", mail = "ana@x.io" }
    helper.raises("integrity", User.create, User, { name = "b", mail = "ANA@x.io" })
  end)
end)
