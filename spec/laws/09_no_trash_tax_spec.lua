-- Law 9: a query on `objects` that the key or a declared index serves does the same work with
-- 99 % dead rows as with none.
--
-- Work is what SQLite counts of a statement (`steps.c`), not time: the steps of its virtual
-- machine, among them those of a scan, and the rows that it had to sort. The two
-- tables have the same living rows.
local helper = require "helper"
local tombstone = require "tombstone"
local counter = require "laws.work"
local shapes = require "laws.shapes"

local LIVING, DEAD_EACH = helper.scaled(200, 100), 99

-- ---- two tables -------------------------------------------------------------------------

local function declare(db, strategy, key)
  local f = tombstone.field
  local fields = {
    title = f.char { max_length = 60, unique = true, index = true },
    views = f.integer { default = 0, index = true },
    owner = f.text { index = true, collate = "NOCASE" },
    score = f.number { null = true, index = true },
    born = f.datetime { null = true, index = true },
    note = f.text { null = true },
  }
  if key == "text" then
    fields.code = f.char { max_length = 20, primary_key = true }
  end
  return db:model("Post", fields, {
    indexes = { { "owner", "views" } },
    unique_together = { { "owner", "title" } },
    soft_delete = { unique = strategy },
  })
end

-- The i-th living row; the dead ones around it have the same values where they may.
local function row_of(i, dead, key)
  local row = {
    title = string.format("title %05d", i),
    views = i % 10,
    owner = "owner " .. i % 7,
    score = i % 3 > 0 and i % 5 + 0.5 or nil,
    born = 1763880000 + i % 20,
    note = "x",
  }
  if dead then
    row.title = string.format("title %05d %02d", i, dead)
  end
  if key == "text" then
    row.code = string.format("key %05d %s", i, dead and string.format("%02d", dead) or "49 lives")
  end
  return row
end

local function furnish(model, dead_each, key)
  local list = {}
  for i = 1, LIVING do
    for dead = 1, dead_each do
      if dead == 50 then
        list[#list + 1] = row_of(i, nil, key)
      end
      list[#list + 1] = row_of(i, dead, key)
    end
    if dead_each < 50 then
      list[#list + 1] = row_of(i, nil, key)
    end
  end
  model:bulk_create(list)
  model.objects:filter(tombstone.Q({ title__like = "title _____ __" })):delete()
  assert(model.objects:count() == LIVING)
  assert(model.all_objects:count() == LIVING * (dead_each + 1))
end

local function table_of(strategy, key, dead_each)
  local made = { path = helper.path(), log = {} }
  made.db = tombstone.open(made.path, {
    synchronous = "normal",
    clock = helper.clock().tell,
    log = function(sql, values)
      made.log[#made.log + 1] = { sql = sql, values = values }
    end,
  })
  made.model = declare(made.db, strategy, key)
  made.db:create_tables()
  furnish(made.model, dead_each, key)
  return made
end

-- ---- what is asked ----------------------------------------------------------------------

local function walk(query)
  for row in query:each() do
    assert(row)
  end
end

-- Pages by the key, as a program turns them.
local function turn_pages(model, key)
  local last
  repeat
    local query = model.objects:order_by(key):limit(20)
    local page = (last and query:filter({ [key .. "__gt"] = last }) or query):all()
    last = page[#page] and page[#page][key]
  until not last
end

-- Each gets the manager of the living, the model, the name of the key and a living row.
local QUESTIONS = {
  ["get by key"] = function(objects, _, key, row)
    objects:get(row[key])
  end,
  ["get by unique value"] = function(objects, _, _, row)
    objects:get { title = row.title }
  end,
  ["several keys"] = function(objects, _, key, row)
    objects:filter({ [key .. "__in"] = { row[key], "none" and row[key] } }):all()
  end,
  ["filter by an indexed field"] = function(objects)
    objects:filter({ views = 3 }):all()
  end,
  ["filter by a range"] = function(objects)
    objects:filter({ views__gte = 8 }):all()
  end,
  ["filter by a list"] = function(objects)
    objects:filter({ views__in = { 2, 5, 7 } }):all()
  end,
  ["filter by NULL"] = function(objects)
    objects:filter({ score__isnull = true }):all()
  end,
  ["filter by a time"] = function(objects)
    objects:filter({ born__lt = 1763880004 }):all()
  end,
  ["filter by two fields of an index"] = function(objects)
    objects:filter({ owner = "OWNER 3", views = 3 }):all()
  end,
  ["texts that begin alike"] = function(objects)
    objects:filter({ title__startswith = "title 0001" }):all()
  end,
  ["a page in the key's order"] = function(objects, _, key)
    objects:order_by(key):limit(50):all()
  end,
  ["a page backwards"] = function(objects, _, key)
    objects:order_by("-" .. key):limit(50):all()
  end,
  ["all pages by key"] = function(_, model, key)
    turn_pages(model, key)
  end,
  ["a page by an indexed field"] = function(objects)
    objects:order_by("views"):limit(50):all()
  end,
  ["a page backwards by an indexed field"] = function(objects)
    objects:order_by("-views"):limit(50):all()
  end,
  ["a page by a text"] = function(objects)
    objects:order_by("title"):limit(50):all()
  end,
  ["a page by two fields"] = function(objects)
    objects:order_by("owner", "views"):limit(50):all()
  end,
  ["a filtered page in an index's order"] = function(objects)
    objects:filter({ owner = "owner 2" }):order_by("views"):limit(10):all()
  end,
  all = function(objects)
    objects:all()
  end,
  first = function(objects)
    objects:first()
  end,
  last = function(objects)
    objects:last()
  end,
  count = function(objects)
    objects:count()
  end,
  ["count of some"] = function(objects)
    objects:filter({ views = 3 }):count()
  end,
  exists = function(objects)
    objects:exists()
  end,
  ["exists of some"] = function(objects)
    objects:filter({ views = 3 }):exists()
  end,
  ["exists of none"] = function(objects)
    objects:filter({ views = 77 }):exists()
  end,
  each = walk,
  ["each by an indexed field"] = function(objects)
    walk(objects:order_by "views")
  end,
  ["values"] = function(objects)
    objects:values("views", "owner")
  end,
  ["pluck"] = function(objects)
    objects:filter({ views__lt = 2 }):pluck "title"
  end,
  ["the largest"] = function(objects)
    objects:aggregate { top = tombstone.max "views" }
  end,
  ["groups"] = function(objects)
    objects:group_by("views"):aggregate { n = tombstone.count "*" }
  end,
  ["different values"] = function(objects)
    objects:distinct():pluck "views"
  end,
  ["update of some"] = function(objects)
    objects:filter({ views = 3 }):update { note = "y" }
  end,
  ["update by key"] = function(_, _, _, row)
    row:update { note = "z" }
  end,
  ["delete of some"] = function(objects)
    objects:filter({ views = 4 }):delete()
  end,
  ["delete by key"] = function(_, _, _, row)
    row:delete()
  end,
}

-- A read of everything walks the living keys, which SQLite calls no scan of the table.
local MAY_SORT = { ["filter by a list"] = true }

local function names()
  local list = {}
  for name in pairs(QUESTIONS) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

-- The statements of a question, each with its work; what it wrote is taken back.
local function ask(made, name, key)
  local row = made.model.objects:order_by(key):offset(math.floor(LIVING / 2)):first()
  local log, statements = {}, {}
  made.log = log
  local rollback = {}
  local _, why = pcall(made.db.transaction, made.db, function()
    QUESTIONS[name](made.model.objects, made.model, key, row)
    error(rollback, 0)
  end)
  assert(why == rollback, why)
  for i = 1, #log do
    statements[i] = log[i]
  end
  local work = counter.of_log(made.path, statements)
  assert(#work > 0, name .. " asks nothing")
  return work
end

-- Of the query plan no line may walk the whole table.
local function check_plan(query)
  for _, line in ipairs(query:explain()) do
    local walks = line:match "^SCAN" and not line:find("INDEX", 1, true)
    assert.is_falsy(walks, query:sql() .. ": " .. line)
  end
end

local function plans(objects, key, row)
  check_plan(objects)
  check_plan(objects:filter { [key] = row[key] })
  check_plan(objects:filter { views = 3 })
  check_plan(objects:filter { views__gte = 3 })
  check_plan(objects:filter { title = "title 00001" })
  check_plan(objects:order_by(key):limit(10))
  check_plan(objects:order_by("-" .. key):limit(10))
  check_plan(objects:order_by("views"):limit(10))
  check_plan(objects:order_by("-owner", "-views"):limit(10))
  check_plan(objects:filter({ [key .. "__gt"] = row[key] }):order_by(key):limit(10))
end

describe("law 9, no trash tax:", function()
  setup(counter.compile)
  teardown(function()
    counter.clean()
    helper.clean()
  end)

  for _, strategy in ipairs(shapes.strategies) do
    for _, kind in ipairs { "integer", "text" } do
      local key = kind == "text" and "code" or "id"
      it("99 % dead rows cost nothing (" .. strategy .. ", " .. kind .. " key)", function()
        local none, many = table_of(strategy, kind, 0), table_of(strategy, kind, DEAD_EACH)
        for _, name in ipairs(names()) do
          counter.compare(name, ask(none, name, key), ask(many, name, key), { sort = MAY_SORT[name] })
        end
        plans(many.model.objects, key, many.model.objects:first())
        none.db:close()
        many.db:close()
      end)
    end
  end
end)
