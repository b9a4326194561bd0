-- Much trash: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local LIVING, DEAD = 100, helper.scaled(20000, 2000)

local function shop()
  local db = tombstone.open ":memory:"
  local Order = db:model("Order", {
    shop = f.integer { index = true },
    number = f.integer { unique = true },
    total = f.integer { index = true },
  }, { table = "orders" })
  db:create_tables()
  local rows = {}
  for i = 1, DEAD do
    rows[i] = { shop = i % 50, number = i, total = i }
  end
  Order:bulk_create(rows)
  Order.objects:delete { all = true }
  for i = 1, LIVING do
    Order:create { shop = i % 50, number = i, total = i }
  end
  db:exec "ANALYZE"
  return db, Order
end

-- Counting the living took two minutes. The usual advice, an index on deleted_at, makes the lists of
-- an owner's rows slower still: it has SQLite believe that next to nothing is living. Also
-- acts_as_paranoid#9, opencollective#5388.
describe("active_admin_paranoia#19: with far more dead rows than living,", function()
  local db, Order

  setup(function()
    db, Order = shop()
  end)

  teardown(function()
    db:close()
  end)

  it("no index stands on deleted_at alone", function()
    local names = {}
    for _, index in ipairs(db:query "SELECT name, sql FROM sqlite_master WHERE type = 'index'") do
      local columns = (index.sql or ""):match "%((.-)%)"
      names[#names + 1] = columns == '"deleted_at"' and index.name or nil
    end
    assert.are.same({}, names)
  end)

  for name, ask in pairs {
    ["a count"] = function(orders)
      return orders
    end,
    ["an owner's list"] = function(orders)
      return orders:filter { shop = 7 }
    end,
    ["the newest"] = function(orders)
      return orders:order_by("-id"):limit(20)
    end,
    ["a unique value"] = function(orders)
      return orders:filter { number = 5 }
    end,
    ["a range"] = function(orders)
      return orders:filter { total__gte = 10, total__lt = 20 }
    end,
  } do
    it(name .. " goes by an index that holds the living only", function()
      local text = table.concat(ask(Order.objects):explain(), "\n")
      local index = text:match "USING [%u ]*INDEX ([%w_]+)"
      assert.is_truthy(index, text)
      local sql = db:query("SELECT sql FROM sqlite_master WHERE name = ?", index)[1].sql
      assert.is_truthy(sql:find('WHERE "deleted_at" IS NULL', 1, true), text .. "\n" .. sql)
    end)
  end

  it("the answers are right", function()
    assert.are.equal(LIVING, Order.objects:count())
    assert.are.equal(2, Order.objects:filter({ shop = 7 }):count())
    assert.are.equal(1, Order.objects:filter({ number = 5 }):count())
    assert.are.equal(DEAD + LIVING, Order.all_objects:count())
  end)
end)
