-- Statements with words missing, doubled or in the wrong place. Many are refused by SQLite; what it
-- takes is read as it has understood it, or refused, and never read as something else.
local Random = require "laws.random"
local catalogue = require "migrate.catalogue"
local ddl = require "tombstone.migrate.ddl"
local helper = require "helper"
local nasty = require "migrate.nasty"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"
local tombstone = require "tombstone"

local function words_of(sql, list)
  for _, token in ipairs(tokens.list(sql)) do
    list[#list + 1] = token.text
  end
  return list
end

local pool = {}
for _, sql in ipairs(nasty) do
  words_of(sql, pool)
end

local DAMAGE = {
  function(random, list)
    table.remove(list, random:int(3, #list))
  end,
  function(random, list)
    table.insert(list, random:int(3, #list), random:pick(pool))
  end,
  function(random, list)
    list[random:int(3, #list)] = random:pick(pool)
  end,
  function(random, list)
    table.insert(list, random:int(3, #list), list[random:int(3, #list)])
  end,
}

local function damaged(random)
  local list = words_of(random:pick(nasty), {})
  for _ = 1, random:int(1, 3) do
    random:pick(DAMAGE)(random, list)
  end
  return table.concat(list, random:pick { " ", "\n", "/* ) */" })
end

local function assert_is(db, found, sql)
  local copy = tombstone.open ":memory:"
  for _, text in ipairs(ddl.schema(found)) do
    local ok, err = pcall(copy.exec, copy, text)
    assert.is_true(ok, sql .. "\n" .. text .. "\n" .. tostring(err))
  end
  local same, why = schema.same(found, schema.read(copy))
  assert.is_true(same, sql .. "\n" .. tostring(why))
  assert.same(catalogue.of(db), catalogue.of(copy), sql)
  copy:close()
end

describe("a damaged statement", function()
  it("is read as SQLite understands it, or refused", function()
    local seed, taken, refused = helper.seed(), 0, 0
    for n = 1, helper.scaled(8000, 400) do
      local db = tombstone.open ":memory:"
      local sql = damaged(Random.new(seed * 100000 + n))
      if pcall(db.exec, db, sql) then
        taken = taken + 1
        local ok, found = pcall(schema.read, db)
        if ok then
          assert_is(db, found, sql)
        else
          refused = refused + 1
          assert.equal("migration", found.kind, sql .. "\n" .. tostring(found))
        end
      end
      db:close()
    end
    assert.is_true(taken > helper.scaled(8000, 400) / 30)
    assert.is_true(refused < 2 + taken / 50)
  end)
end)
