-- A conflict of a restore told times as the database's text and booleans as numbers; messages told
-- times in microseconds.
local helper = require "helper"
local tombstone = require "tombstone"

local function dead(kind, value)
  local db = tombstone.open ":memory:"
  local Thing = db:model("Thing", { what = tombstone.field[kind] { unique = true } })
  db:create_tables()
  local thing = Thing:create { what = value }
  thing:delete()
  local taken = Thing:create { what = value }
  return Thing, thing, taken
end

describe("the value of a restore's conflict", function()
  for kind, value in pairs { datetime = 1763880000.25, boolean = true, number = 2, blob = "\0" } do
    it("is of the field's type: " .. kind, function()
      local Thing, thing, taken = dead(kind, value)
      local err = helper.raises("integrity", thing.restore, thing)
      assert.equal(value, err.value)
      assert.equal(value, Thing.deleted_objects:restore_plan().conflicts[1].value)
      local told
      pcall(thing.restore, thing, {
        on_conflict = function(_, conflict)
          told = conflict
          return "fail"
        end,
      })
      assert.equal(value, told.value)
      assert.equal(taken.id, told.live_pk)
    end)
  end

  it("is a time that people can read", function()
    local Thing, thing = dead("datetime", 1763880000.25)
    local value = "what with value 2025-11-23 06:40:00.250000 already exists"
    helper.refuses("integrity", "Cannot restore record - " .. value, thing.restore, thing)
    helper.refuses("integrity", "Cannot create record - " .. value, Thing.create, Thing, {
      what = 1763880000.25,
    })
  end)
end)
