-- A refused edit of some fields told NULL for the fields that it left alone, one of an upsert the
-- values of the row that it did not insert, and neither named the row in the way.
local helper = require "helper"
local tombstone = require "tombstone"

local function places()
  local f = tombstone.field
  local db = tombstone.open ":memory:"
  local Place = db:model("Place", {
    row = f.text(),
    seat = f.integer(),
    name = f.text { null = true, unique = true },
  }, { unique_together = { "row", "seat" } })
  db:create_tables()
  local holder = Place:create { row = "A", seat = 1, name = "x" }
  local place = Place:create { row = "B", seat = 1, name = "y" }
  return Place, place, holder
end

local TAKEN = "Cannot %s record - row, seat with values 'A', 1 already exist"

describe("a refused edit", function()
  it("of one field of a group tells the whole group and the row in the way", function()
    local _, place, holder = places()
    local err = helper.refuses("integrity", TAKEN:format "save", place.update, place, { row = "A" })
    assert.equal(holder.id, err.conflicts[1].live_pk)
    place.row = "A"
    err = helper.refuses("integrity", TAKEN:format "save", place.save, place, { "row" })
    assert.equal(holder.id, err.conflicts[1].live_pk)
  end)

  it("of an expression tells what is known", function()
    local Place, place = places()
    Place:create { row = "B", seat = 2 }
    local message = "Cannot save record - row, seat already exist"
    helper.refuses("integrity", message, place.update, place, { seat = tombstone.F "seat" + 1 })
  end)

  it("of a query tells the value and the row in the way", function()
    local Place, place, holder = places()
    local query = Place.objects:filter { id = place.id }
    local message = "Cannot update records - name with value 'x' already exists"
    local err = helper.refuses("integrity", message, query.update, query, { name = "x" })
    assert.equal("x", err.value)
    assert.equal(holder.id, err.conflicts[1].live_pk)
  end)

  it("of an upsert tells what the row would have become", function()
    local Place, place, holder = places()
    local given = { id = place.id, row = "C", seat = 3 }
    local options = { on = "id", update = { row = "A" } }
    local err = helper.refuses("integrity", TAKEN:format "upsert", Place.upsert, Place, given, options)
    assert.equal(holder.id, err.conflicts[1].live_pk)
  end)
end)
