-- Creating what may be there, living or dead: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local function configs(unique)
  local db = tombstone.open ":memory:"
  local Config = db:model("Config", { key = f.text { unique = unique }, value = f.integer { default = 0 } })
  db:create_tables()
  return Config, db
end

for _, unique in ipairs { "mangle", "live" } do
  describe("unique by " .. unique .. ",", function()
    local Config, db

    before_each(function()
      Config, db = configs(unique)
    end)

    -- With a partial unique index ON CONFLICT (key) named no constraint and failed, until its
    -- condition was repeated by hand; also sequelize#13412, prisma/orm#6974.
    it("gorm#4442: an upsert finds the index of the living", function()
      local first = Config:upsert({ key = "a", value = 1 }, { on = "key" })
      local second = Config:upsert({ key = "a", value = 2 }, { on = "key" })
      assert.are.equal(first.id, second.id)
      assert.are.same({ 2 }, helper.list(Config.all_objects, "value"))
    end)

    -- The upsert hit the tombstone, which stayed deleted: the write was done where no read could
    -- see it, and nobody was told. "Clear it or refuse, doing neither is invisible."
    -- Also garrytan/gbrain#3071 and cornflow#762.
    it("kagent#2488: an upsert over a tombstone clears it, makes a new row or refuses", function()
      local dead = Config:create { key = "a", value = 1 }
      dead:delete()
      local before = family.digest(db)

      local call = { on = "key", on_deleted = "refuse" }
      local err = helper.raises("deleted", Config.upsert, Config, { key = "a", value = 7 }, call)
      assert.are.equal(dead.id, err.conflicts[1].dead_pk)
      assert.are.equal(before, family.digest(db))

      local made = Config:upsert({ key = "a", value = 8 }, { on = "key" })
      assert.are.equal(8, Config.objects:get({ key = "a" }).value)
      assert.are_not.equal(dead.id, made.id)
      assert.are.equal(1, Config.deleted_objects:get(dead.id).value)

      made:purge()
      local back = Config:upsert({ key = "a", value = 9 }, { on = "key", on_deleted = "restore" })
      assert.are.equal(dead.id, back.id)
      assert.are.equal(9, Config.objects:get({ key = "a" }).value)
      assert.are.equal(0, Config.deleted_objects:count())
    end)

    -- createOrFirst tried to insert, met the dead row's unique value, looked for the row among the
    -- living and raised. Also safedelete#98, #185, #200, model-utils#447 and sequelize#2835.
    it("laravel#58308: get_or_create over a dead row gives a living one", function()
      Config:create({ key = "a", value = 1 }):delete()
      local row, created = Config:get_or_create({ key = "a" }, { value = 5 })
      assert.is_true(created)
      assert.are.same({ 5 }, helper.list(Config.objects, "value"))
      local again
      again, created = Config:get_or_create({ key = "a" }, { value = 6 })
      assert.is_false(created)
      assert.are.equal(row.id, again.id)
      assert.are.equal(5, again.value)
    end)

    -- Between two versions firstOrCreate began to find dead rows: it filled them in and saved, and
    -- the user who had created the thing again did not see it. What is meant must be said.
    it("laravel#11268: a dead row is found only where the program asks for it", function()
      local dead = Config:create { key = "a", value = 1 }
      dead:delete()
      local _, err = pcall(Config.get_or_create, Config, { key = "a" }, {}, { on_deleted = "refuse" })
      assert.are.equal("deleted", err.kind)
      assert.are.equal(0, Config.objects:count())
      local row, created = Config:get_or_create({ key = "a" }, { value = 5 }, { on_deleted = "restore" })
      assert.is_false(created)
      assert.are.equal(dead.id, row.id)
      assert.are.equal(1, Config.objects:get({ key = "a" }).value) -- as it died, not half new
      assert.are.equal(1, Config.all_objects:count())
    end)
  end)
end

-- Upsert by the key of a deleted row: count() stayed 0 afterwards, and no error said why.
it("sequelize#11968: an upsert by the key of a dead row restores or refuses it", function()
  local Config, db = configs "mangle"
  Config:create({ id = 1, key = "a" }):delete()
  local before = family.digest(db)
  helper.raises("deleted", Config.upsert, Config, { id = 1, key = "a", value = 3 }, { on = "id" })
  assert.are.equal(before, family.digest(db))
  Config:upsert({ id = 1, key = "a", value = 3 }, { on = "id", on_deleted = "restore" })
  assert.are.equal(1, Config.objects:count())
  assert.are.equal(3, Config.objects:get(1).value)
end)

-- 21 partial indices were written by hand, and no generated call could name those of two columns.
it("prisma/orm#6974: pairs that are unique among the living can be upserted by", function()
  local db = tombstone.open ":memory:"
  local Seat = db:model("Seat", { show = f.integer(), seat = f.text(), guest = f.text() }, {
    unique_together = { { "show", "seat" } },
  })
  db:create_tables()
  local by = { on = { "show", "seat" } }
  local dead = Seat:create { show = 1, seat = "A1", guest = "ana" }
  dead:delete()
  local row = Seat:upsert({ show = 1, seat = "A1", guest = "ben" }, by)
  assert.are.equal(row.id, Seat:upsert({ show = 1, seat = "A1", guest = "cy" }, by).id)
  assert.are.same({ "cy" }, helper.list(Seat.objects, "guest"))
  assert.are.same({ "ana" }, helper.list(Seat.deleted_objects, "guest"))
  helper.raises("integrity", dead.restore, dead)
end)

-- restoreOrCreate brings the row back, and leaves everything that died with it in the trash: the
-- add-ons for cascades only know how to delete (dyrynda/laravel-cascade-soft-deletes#4).
it("laravel-cascade-soft-deletes#4: what a create revives comes with all that died with it", function()
  for _, revive in ipairs {
    function(Author)
      return Author:upsert({ name = "a" }, { on = "name", on_deleted = "restore" })
    end,
    function(Author)
      return (Author:get_or_create({ name = "a" }, {}, { on_deleted = "restore" }))
    end,
  } do
    local s = family.tree()
    s.q:delete()
    s.a:delete()
    assert.are.equal(s.a.id, revive(s.Author).id)
    assert.are.equal("a b c p t", s:living())
    s:close()
  end
end)
