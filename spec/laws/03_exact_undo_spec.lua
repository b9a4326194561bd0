-- Law 3: a restore gives back, byte for byte, what its deletion took.
--
-- The bytes are those that SQL's quote() shows of every column, noted when a row dies and
-- compared when it lives again: the mirror has no part in this.
local World = require "laws.world"
local failure = require "laws.failure"
local helper = require "helper"
local run = require "laws.run"
local show = require "laws.show"

local fail = failure.fail

local function is_mark(field)
  return field.role == "deleted_at" or field.role == "event"
end

-- What a deletion may rewrite.
local function is_mangled(world, field)
  for _, group in ipairs(world.known.groups) do
    for _, one in ipairs(group.strategy == "mangle" and group.fields or {}) do
      if one == field then
        return true
      end
    end
  end
  return false
end

local function compare(world, pk, before, after, what, may_differ)
  for i, field in ipairs(world.known.fields) do
    if before[i] ~= after[i] and not may_differ(field) then
      fail("%s changed %s of row %s from %s to %s", what, field.name, show.show(pk), before[i], after[i])
    end
  end
end

local function died(world, pk, before, after)
  compare(world, pk, before, after, "a deletion", function(field)
    return is_mark(field) or is_mangled(world, field)
  end)
  world.at_death[pk] = before
end

-- New names and values are asked for, and an upsert edits what it restores.
local EDITS = { upsert = true, get_or_create = false }

local function came_back(world, operation, pk, after)
  local before = world.at_death[pk]
  local word = operation.on_conflict
  local edits = EDITS[operation.op] or word == "rename" or type(word) == "table"
  if before and not edits then
    compare(world, pk, before, after, "a restore", function()
      return false
    end)
    world.restored = (world.restored or 0) + 1
  end
  world.at_death[pk] = nil
end

local function check(world, operation)
  local before, after = world.before or {}, world:bytes(world.locked)
  world.before, world.at_death = after, world.at_death or {}
  if operation.ops then
    return -- its parts were looked at; a rollback is no restore
  end
  for pk, bytes in pairs(after) do
    local was, marks = before[pk], #bytes - 1
    local dead, was_dead = bytes[marks] ~= "NULL", was and was[marks] ~= "NULL"
    if was and dead and not was_dead then
      died(world, pk, was, bytes)
    elseif was_dead and not dead then
      came_back(world, operation, pk, bytes)
    end
  end
end

-- Rows that live again were dead when they were noted, also after a rollback.
local function check_and_forget(world, operation)
  if operation.ops and operation.rollback then
    world.at_death = {}
  end
  check(world, operation)
end

-- ---- all at once ------------------------------------------------------------------------

local function same_rows(world, before, what)
  local after = world:bytes()
  for pk, bytes in pairs(before) do
    if not after[pk] then
      fail("%s lost row %s", what, show.show(pk))
    end
    compare(world, pk, bytes, after[pk], what, function()
      return false
    end)
  end
end

-- All living rows die and come back: in one event and one by one, the last first.
local function finish(world)
  local model, key = world.conns[1].model, world.known.key.name
  local before = world:bytes()
  local count, event = model.objects:delete { all = true }
  if count > 0 then
    event:undo()
  end
  same_rows(world, before, "an undo")
  local rows = model.objects:all()
  for _, row in ipairs(rows) do
    row:delete()
  end
  for i = #rows, 1, -1 do
    rows[i]:restore()
  end
  same_rows(world, before, "restores row by row")
  local keys = model.objects:pluck(key)
  model.objects:delete { all = true }
  model.deleted_objects:filter(key .. "__in", keys):restore { on_conflict = "skip" }
  same_rows(world, before, "a restore of a query")
end

-- ---- rows that other programs have marked -------------------------------------------------

local STAMP = "2025-11-23 06:40:00.250000" -- 1763880000.25

-- What a text of a row that died then is after its restore.
local MARKED = {
  { "a", "a" },
  { "", "" },
  { "__deleted_1763880000.250000", "" },
  { "a__deleted_1763880000.250000", "a" },
  { "a__deleted_1763880000.25", "a" }, -- as the article's code writes it
  { "a__deleted_1763880000.250001", "a" }, -- a float that was rounded
  { "a__deleted_1763880000.249999", "a" },
  { "a__deleted_1763880000.250002", "a__deleted_1763880000.250002" },
  { "a__deleted_1763880000.249998", "a__deleted_1763880000.249998" },
  { "a__deleted_1763880000", "a__deleted_1763880000" },
  { "a__deleted_1763880000.250000 ", "a__deleted_1763880000.250000 " },
  { "a__deleted_-1763880000.250000", "a__deleted_-1763880000.250000" },
  { "a__deleted_1763880000.250000__deleted_1763880000.250000", "a__deleted_1763880000.250000" },
  { "a__deleted_1763880000.250000__deleted_5.000000", "a__deleted_1763880000.250000__deleted_5.000000" },
}

local function restored_text(strategy, text)
  local world = World.new("texts", strategy)
  local db, model = world.conns[1].db, world.conns[1].model
  local row = model:create { name = text }
  db:exec("UPDATE texts SET deleted_at = ? WHERE id = ?", STAMP, row.id)
  row:reload():restore()
  local name = row.name
  world:close()
  return name
end

describe("law 3, exact undo:", function()
  local restored = 0

  run.each_case(function(shape, strategy)
    it("a restore gives every byte back (" .. shape .. ", " .. strategy .. ")", function()
      run.run {
        law = "law 3",
        shape = shape,
        strategy = strategy,
        steps = 2000,
        after = check_and_forget,
        finish = function(world)
          restored = restored + (world.restored or 0)
          finish(world)
        end,
        weights = { delete_row = 16, restore_row = 16, restore_query = 12, undo = 12, clock = 10 },
      }
    end)
  end)

  it("only the row's own suffix is taken off", function()
    for _, pair in ipairs(MARKED) do
      assert.equal(pair[2], restored_text("mangle", pair[1]))
      assert.equal(pair[1], restored_text("live", pair[1]))
    end
  end)

  it("was tried on rows of every sort", function()
    -- A short run may meet few.
    assert.is_true(restored > helper.scaled(50) or helper.scaled(50) < 5)
  end)
end)
