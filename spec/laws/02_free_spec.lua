-- Law 2: after a deletion the unique values of its rows can be taken at once.
local failure = require "laws.failure"
local helper = require "helper"
local run = require "laws.run"
local show = require "laws.show"
local values = require "laws.values"

local fail = failure.fail

local ROLLBACK = {}

-- The values of a row that make it unique, as a program gives them.
local function unique_values(world, originals)
  local given = {}
  for _, group in ipairs(world.known.groups) do
    for _, field in ipairs(group.fields) do
      if field.role ~= "key" then
        given[field.name] = values.given(field, originals[field.name])
      end
    end
  end
  return given
end

-- What the model needs besides.
local function complete(world, given)
  if world.known.key.kind ~= "integer" then
    given[world.known.key.name] = "a key that nobody has"
  end
  for _, field in ipairs(world.known.shape.fields) do
    if not field.null and field.default == nil and given[field.name] == nil then
      given[field.name] = "a text that nobody has"
    end
  end
  return given
end

-- Others may have taken a value meanwhile: a living row, or a text that a later deletion mangled
-- to it. A row of the same deletion may not.
local function is_taken(world, originals, but)
  local dead = world.mirror.rows[but]
  for _, conflict in ipairs(world.mirror:conflicts(originals, but)) do
    for _, pk in ipairs(conflict.pks) do
      local other = world.mirror.rows[pk]
      local may_take = other.at == nil
        or conflict.group.strategy == "mangle" and (dead == nil or other.at ~= dead.at)
      if conflict.group.strategy ~= "key" and may_take then
        return true
      end
    end
  end
  return false
end

-- Creates a row of these values and takes it back.
local function try(conn, given)
  local ok, err = pcall(conn.db.transaction, conn.db, function()
    conn.model:create(given)
    error(ROLLBACK, 0)
  end)
  return err == ROLLBACK, ok, err
end

local function check_freed(world, conn, pk, originals)
  if is_taken(world, originals, pk) then
    return
  end
  local given = complete(world, unique_values(world, originals))
  local taken, _, err = try(conn, given)
  if not taken then
    fail("row %s is dead, and what it had cannot be taken: %s", show.show(pk), tostring(err))
  end
  world.freed = (world.freed or 0) + 1
end

-- The living rows before the operation, by key.
local function note_living(world)
  world.living = {}
  for pk, row in pairs(world.mirror.rows) do
    if row.at == nil then
      world.living[pk] = row.values
    end
  end
end

local function check(world)
  local conn = world.locked or world.conns[1]
  for pk, originals in pairs(world.living or {}) do
    if not world.mirror:lives(pk) then
      check_freed(world, conn, pk, originals)
    end
  end
  note_living(world)
end

describe("law 2, free:", function()
  local freed = 0

  run.each_case(function(shape, strategy)
    it("what a dead row had can be taken at once (" .. shape .. ", " .. strategy .. ")", function()
      run.run {
        law = "law 2",
        shape = shape,
        strategy = strategy,
        steps = 2000,
        after = check,
        finish = function(world)
          freed = freed + (world.freed or 0)
        end,
        weights = { delete_row = 20, delete_query = 14, deletion = 8, clock = 12, purge_query = 4 },
      }
    end)
  end)

  it("was tried on rows of every sort", function()
    -- A short run may meet few.
    assert.is_true(freed > helper.scaled(100) or helper.scaled(100) < 10)
  end)

  -- One deletion of two rows, of which one bears the text that the other would be mangled to.
  it("holds where a text ends like the stamp to come", function()
    for _, strategy in ipairs { "mangle", "live" } do
      local at = 1763880000
      local first = values.suffix(values.micro(at))
      run.replay("texts", strategy, {
        { op = "clock", now = at },
        { op = "create", as = 1, values = { name = "a" } },
        { op = "create", as = 2, values = { name = "a" .. first } },
        { op = "delete_row", as = 3, row = 1 },
        { op = "create", as = 4, values = { name = "a" } },
        { op = "delete_query", as = 5, all = true, query = { scope = "objects" } },
        { op = "create", as = 6, values = { name = "a" } },
        { op = "create", as = 7, values = { name = "a" .. first } },
      }, nil, check)
    end
  end)

  it("holds where one deletion would mangle a row to the text of another", function()
    for _, strategy in ipairs { "mangle", "live" } do
      local at = 1763880000
      local first = values.suffix(values.micro(at))
      run.replay("texts", strategy, {
        { op = "create", as = 1, values = { name = "a" .. first } },
        { op = "create", as = 2, values = { name = "a" } },
        { op = "clock", now = at },
        { op = "delete_query", as = 3, all = true, query = { scope = "objects" } },
        { op = "create", as = 4, values = { name = "a" .. first } },
        { op = "create", as = 5, values = { name = "a" } },
      }, nil, check)
    end
  end)
end)
