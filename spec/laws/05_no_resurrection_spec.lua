-- Law 5: no write reaches a dead row unless its verb says so, and a restore never overwrites a
-- living one.
--
-- The bytes of every row are compared before and after each operation; the mirror has no part
-- in this.
local helper = require "helper"
local tombstone = require "tombstone"
local World = require "laws.world"
local failure = require "laws.failure"
local run = require "laws.run"
local shapes = require "laws.shapes"
local show = require "laws.show"

local fail = failure.fail

-- Verbs that are about the dead.
local OF_THE_DEAD = {
  restore_row = true,
  restore_query = true,
  undo = true,
  purge_row = true,
  purge_query = true,
}

local function may_change_dead(operation)
  return OF_THE_DEAD[operation.op] or operation.on_deleted == "restore"
end

local function is_restore(operation)
  return operation.op == "restore_row" or operation.op == "restore_query" or operation.op == "undo"
end

-- "replace" deletes the living twin, and a function may answer it.
local function may_change_living(operation)
  return not is_restore(operation) or operation.on_conflict == "replace"
    or type(operation.on_conflict) == "table"
end

local function same(a, b)
  return b ~= nil and table.concat(a, "|") == table.concat(b, "|")
end

local function check(world, operation)
  local before, after = world.before or {}, world:bytes(world.locked)
  world.before = after
  if operation.ops then
    return -- its parts were looked at
  end
  for pk, bytes in pairs(before) do
    local was_dead = bytes[#bytes - 1] ~= "NULL"
    if was_dead and not may_change_dead(operation) and not same(bytes, after[pk]) then
      fail("%s changed the dead row %s", operation.op, show.show(pk))
    elseif not was_dead and not may_change_living(operation) and not same(bytes, after[pk]) then
      fail("a restore changed the living row %s", show.show(pk))
    end
  end
end

-- ---- every write, on a row that somebody else has deleted -------------------------------

local function values_of(shape, text)
  local made = { rank = 1 }
  for _, field in ipairs(shapes.named(shape).fields) do
    if shapes.is_text(field) and field.name ~= "brief" and field.name ~= "tiny" then
      made[field.name] = text
    end
  end
  return made
end

-- What each write should come to: the kind of an error, or how many rows it changed.
local WRITES = {
  {
    "deleted",
    function(row)
      row.rank = 9
      row:save()
    end,
  },
  {
    "deleted",
    function(row)
      row.rank = 9
      row:save { "rank" }
    end,
  },
  {
    "deleted",
    function(row)
      row:update { rank = 9 }
    end,
  },
  {
    "deleted",
    function(row)
      row:update { rank = tombstone.F "rank" + 1 }
    end,
  },
  {
    0,
    function(row, model, key)
      return model.objects:filter({ [key] = row[key] }):update { rank = 9 }
    end,
  },
  {
    0,
    function(row, model, key)
      return model.objects:filter({ [key] = row[key] }):delete()
    end,
  },
  {
    0,
    function(row, model, key)
      return model.all_objects:filter({ [key] = row[key] }):delete()
    end,
  },
  {
    "deleted",
    function(row, model, key, shape)
      local given = values_of(shape, "new")
      given[key] = row[key]
      model:upsert(given, { on = key })
    end,
  },
  {
    "misuse",
    function(row, model, key)
      model.all_objects:filter({ [key] = row[key] }):update { rank = 9 }
    end,
  },
  {
    "misuse",
    function(row, model, key)
      model.deleted_objects:filter({ [key] = row[key] }):update { rank = 9 }
    end,
  },
}

local function try_write(world, stale, write)
  local wanted, call = write[1], write[2]
  local model, key = world.conns[1].model, world.known.key.name
  local ok, answer = pcall(call, stale, model, key, world.known.shape.name)
  if type(wanted) == "string" then
    assert(not ok and type(answer) == "table" and answer.kind == wanted, tostring(answer))
  else
    assert(ok, tostring(answer))
    assert.equal(wanted, answer)
  end
end

describe("law 5, no resurrection:", function()
  run.each_case(function(shape, strategy)
    local case = " (" .. shape .. ", " .. strategy .. ")"

    it("no write reaches a dead row" .. case, function()
      run.run {
        law = "law 5",
        shape = shape,
        strategy = strategy,
        steps = 2000,
        after = check,
        weights = {
          fetch = 14,
          save = 14,
          save_some = 8,
          update_row = 10,
          update_query = 10,
          upsert = 16,
          get_or_create = 8,
          delete_row = 16,
        },
      }
    end)

    it("each write knows a row that died behind it" .. case, function()
      for _, write in ipairs(WRITES) do
        local world = World.new(shape, strategy)
        local model = world.conns[1].model
        local key = world.known.key.name
        local row = model:create(values_of(shape, "a"))
        local stale = model.objects:get(row[key])
        row:delete()
        local before = world:digest()
        try_write(world, stale, write)
        assert.equal(before, world:digest())
        world:close()
      end
    end)

    -- The row in Lua bears the suffix, the row in the database lives again.
    it("a row that shows itself dead is not saved over a living one" .. case, function()
      local world = World.new(shape, strategy)
      local model = world.conns[1].model
      local row = model:create(values_of(shape, "a"))
      pcall(world.conns[1].db.transaction, world.conns[1].db, function()
        row:delete()
        error "taken back"
      end)
      local before = world:digest()
      helper.raises("deleted", row.save, row)
      assert.equal(before, world:digest())
      row:reload():save()
      world:close()
    end)

    it("a restore does not overwrite the row that took its values" .. case, function()
      local world = World.new(shape, strategy)
      local model, key = world.conns[1].model, world.known.key.name
      local row = model:create(values_of(shape, "a"))
      row:delete()
      local given = values_of(shape, "a")
      given[key] = key == "code" and "another" or nil
      local taken = model:create(given)
      local before = world:digest()
      local err = helper.raises("integrity", row.restore, row)
      assert.equal(taken[key], err.conflicts[1].live_pk)
      assert.equal(before, world:digest())
      world:close()
    end)
  end)
end)
