-- Law 1 across relations: what lookups, orders, values and annotations say of random rows is what
-- plain Lua says of them (laws/across), and no dead row has a part in it.
local tombstone = require "tombstone"
local Random = require "laws.random"
local across = require "laws.across"
local f = tombstone.field

local SCALE = tonumber(os.getenv "SPEC_SCALE") or 1
local FIELDS = {
  Team = { name = "text", size = "integer" },
  Author = { name = "no_case", karma = "integer" },
  Post = { title = "text", views = "integer" },
  Tag = { name = "text", weight = "integer" },
}
local MODELS = { "Team", "Author", "Post", "Tag" }

-- In an order that is the same in every process, so that a seed is.
local function fields_of(model)
  local names = {}
  for name in pairs(FIELDS[model]) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function declare(strategy)
  local db = tombstone.open ":memory:"
  local options = { soft_delete = { unique = strategy } }
  local function to(model, related_name)
    return f.belongs_to(model, { on_delete = "keep", null = true, related_name = related_name })
  end
  db:model("Team", { name = f.text { null = true }, size = f.integer { null = true } }, options)
  db:model("Author", {
    name = f.text { null = true, collate = "NOCASE" },
    karma = f.integer { null = true },
    team = to("Team", "authors"),
    boss = to("Author", "staff"),
  }, options)
  db:model("Post", {
    title = f.text { null = true },
    views = f.integer { null = true },
    author = to("Author", "posts"),
    editor = to("Author", "edited"),
    tags = f.many_to_many("Tag", { through = "Link", related_name = "posts" }),
  }, options)
  db:model("Tag", { name = f.text { null = true }, weight = f.integer { null = true } }, options)
  db:model("Link", { post = to "Post", tag = to "Tag" }, options)
  db:create_tables()
  return db
end

-- ---- random rows -----------------------------------------------------------------------------

local function random_value(random, kind)
  if random:chance(20) then
    return nil
  end
  if kind == "integer" then
    return random:int(0, 3)
  end
  return random:pick(kind == "text" and { "a", "ab", "b", "" } or { "a", "A", "Ab", "B", "" })
end

local function fill(db, random)
  local world = { by_id = {} }
  local function create(name, values)
    local row = db:model(name):create(values)
    local copy = { id = row.id }
    for key, value in pairs(values) do
      copy[key] = value
    end
    world[name] = world[name] or {}
    world.by_id[name] = world.by_id[name] or {}
    table.insert(world[name], copy)
    world.by_id[name][row.id] = copy
  end
  local function some(name)
    return world[name] and random:chance(75) and random:int(1, #world[name]) or nil
  end
  for _, name in ipairs(MODELS) do
    for _ = 1, random:int(2, 5) do
      local values = {}
      for _, field in ipairs(fields_of(name)) do
        values[field] = random_value(random, FIELDS[name][field])
      end
      if name == "Author" then
        values.team_id, values.boss_id = some "Team", some "Author"
      elseif name == "Post" then
        values.author_id, values.editor_id = some "Author", some "Author"
      end
      create(name, values)
    end
  end
  for _ = 1, random:int(1, 8) do
    create("Link", { post_id = some "Post", tag_id = some "Tag" })
  end
  for _, name in ipairs { "Team", "Author", "Post", "Tag", "Link" } do
    for _, row in ipairs(world[name]) do
      row.dead = random:chance(25)
      if row.dead then
        db:model(name).objects:filter({ id = row.id }):delete()
      end
    end
  end
  return world
end

-- ---- random questions --------------------------------------------------------------------------

local function random_ways(random, model, longest)
  local ways = {}
  for _ = 1, random:int(1, longest) do
    local names = {}
    for name in pairs(across.WAYS[model]) do
      names[#names + 1] = name
    end
    table.sort(names)
    ways[#ways + 1] = random:pick(names)
    model = across.WAYS[model][ways[#ways]].to
  end
  return ways, model
end

local function random_field(random, model)
  return random:pick(fields_of(model))
end

local function random_lookup(random, model)
  local ways, to = random_ways(random, model, 3)
  if random:chance(20) then
    return { ways = ways, op = "isnull", value = random:chance(50) }
  end
  local field = random_field(random, to)
  local text = FIELDS[to][field] ~= "integer"
  local op = random:pick { "eq", "ne", "gt", "lte", "isnull", "in", text and "startswith" or "eq" }
  local value = text and random:pick { "a", "b", "ab" } or random:int(0, 3)
  if op == "isnull" then
    value = random:chance(50)
  elseif op == "in" then
    value = { value, text and "b" or 2, n = 2, null = random:chance(30) }
  end
  return { ways = ways, field = field, op = op, value = value, no_case = FIELDS[to][field] == "no_case" }
end

local function key_of(lookup)
  local key = table.concat(lookup.ways, "__")
  return key .. (lookup.field and "__" .. lookup.field or "") .. "__" .. lookup.op
end

-- One table of lookups: no two of one name.
local function random_table(random, model)
  local lookups, names = {}, {}
  for _ = 1, random:int(1, 3) do
    local lookup = random_lookup(random, model)
    if not names[key_of(lookup)] then
      names[key_of(lookup)] = true
      lookups[#lookups + 1] = lookup
    end
  end
  return lookups
end

local function random_cond(random, model, depth)
  if depth == 0 or random:chance(50) then
    return random_table(random, model)
  end
  local cond = { kind = random:pick { "any", "all", "none" } }
  for i = 1, random:int(1, 3) do
    cond[i] = random_cond(random, model, depth - 1)
  end
  return cond
end

local function given(lookup)
  if lookup.op ~= "in" then
    return lookup.value
  end
  local list = { lookup.value[1], lookup.value[2] }
  list[3] = lookup.value.null and tombstone.null or nil
  return list
end

local function written(cond)
  if cond.kind then
    local parts = {}
    for i, part in ipairs(cond) do
      parts[i] = written(part)
    end
    return tombstone[cond.kind](parts)
  end
  local filter = {}
  for _, lookup in ipairs(cond) do
    filter[key_of(lookup)] = given(lookup)
  end
  return filter
end

-- ---- the law -------------------------------------------------------------------------------------

local function ids(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.id
  end
  return table.concat(list, " ")
end

local function living(rows)
  local list = {}
  for _, row in ipairs(rows) do
    list[#list + 1] = not row.dead and row or nil
  end
  return list
end

-- Some queries show the dead of some ways.
local function random_manager(db, world, random, model)
  local query = db:model(model).objects
  world.shown = {}
  while random:chance(25) do
    local ways = random_ways(random, model, 3)
    world.shown[across.path(ways)] = true
    query = query:with_deleted(table.concat(ways, "."))
  end
  return query
end

local function check_filter(db, world, random, model)
  local cond, exclude = random_cond(random, model, 2), random:chance(30)
  local query = random_manager(db, world, random, model):order_by "id"
  query = exclude and query:exclude(written(cond)) or query:filter(written(cond))
  local expected = {}
  for _, row in ipairs(living(world[model])) do
    if across.holds(world, model, row, cond) ~= exclude then
      expected[#expected + 1] = row
    end
  end
  assert.are.equal(ids(expected), ids(query:all()), (query:sql()))
  assert.are.equal(#expected, query:count())
end

local function as_text(value)
  return value == across.NONE and "nil" or tostring(value)
end

local function check_values(db, world, random, model)
  local query = random_manager(db, world, random, model):order_by "id"
  local ways, to = random_ways(random, model, 3)
  local field = random_field(random, to)
  local name = table.concat(ways, "__") .. "__" .. field
  local expected, got = {}, {}
  for _, row in ipairs(living(world[model])) do
    for _, value in ipairs(across.values(world, model, row, ways, field)) do
      expected[#expected + 1] = row.id .. " " .. as_text(value)
    end
  end
  for _, line in ipairs(query:values("id", name)) do
    got[#got + 1] = line.id .. " " .. as_text(line[name])
  end
  table.sort(expected)
  table.sort(got)
  assert.are.same(expected, got, name)
end

-- Of many values the least counts, or in the other direction the greatest.
local function outermost(values, descending, no_case)
  local found
  for _, value in ipairs(values) do
    value = no_case and across.folded(value) or value
    if value ~= across.NONE and (found == nil or (value ~= found and (value > found) == descending)) then
      found = value
    end
  end
  return found
end

-- NULL comes first, descending last; the key breaks ties in the same direction.
local function check_order(db, world, random, model)
  local ways, to = random_ways(random, model, 2)
  local query, descending = random_manager(db, world, random, model), random:chance(50)
  local field = random_field(random, to)
  local rows, keys = living(world[model]), {}
  for _, row in ipairs(rows) do
    local values = across.values(world, model, row, ways, field)
    keys[row] = outermost(values, descending, FIELDS[to][field] == "no_case")
  end
  table.sort(rows, function(a, b)
    a, b = descending and b or a, descending and a or b
    local x, y = keys[a], keys[b]
    if x == y then
      return a.id < b.id
    end
    return x == nil or (y ~= nil and x < y)
  end)
  local name = table.concat(ways, "__") .. "__" .. field
  query = query:order_by((descending and "-" or "") .. name)
  assert.are.equal(ids(rows), ids(query:all()), (query:sql()))
  local streamed = {}
  for row in query:each() do
    streamed[#streamed + 1] = row
  end
  assert.are.equal(ids(rows), ids(streamed))
end

local function check_annotation(db, world, random, model)
  local ways, to = random_ways(random, model, 2)
  local field = random_field(random, to)
  local path, no_case = table.concat(ways, "__"), FIELDS[to][field] == "no_case"
  local query = random_manager(db, world, random, model):order_by("id"):annotate {
    n = tombstone.count(path),
    most = tombstone.max(path .. "__" .. field),
  }
  local rows, read, reaching = living(world[model]), query:all(), 0
  assert.are.equal(#rows, #read)
  for i, row in ipairs(read) do
    local reached = across.reach(world, model, rows[i], ways)
    local most = outermost(across.values(world, model, rows[i], ways, field), true, no_case)
    assert.are.equal(#reached, row.n, path)
    reaching = reaching + (#reached > 0 and 1 or 0)
    assert.are.equal(most, no_case and across.folded(row.most) or row.most, path .. "__" .. field)
  end
  local some = query:filter { n__gt = 0 }
  for _, row in ipairs(some:all()) do
    assert.is_true(row.n > 0)
  end
  assert.are.equal(reaching, some:count())
  assert.are.equal(reaching, #some:all())
end

local CALLS = {
  delete = function(query)
    return (query:delete())
  end,
  restore = function(query)
    return (query:restore())
  end,
  purge = function(query)
    return (query:purge { living = true })
  end,
}

-- A write reaches what the same filter finds, though it changes what that is about.
local function check_write(db, world, random, model)
  local name, cond = random:pick { "delete", "restore", "purge" }, random_cond(random, model, 1)
  local query = random_manager(db, world, random, model)
  local of_dead, limit = name == "restore", random:chance(30) and 2 or nil
  local Model = db:model(model)
  if of_dead then
    world.shown = {}
    query = Model.deleted_objects
  end
  query = query:filter(written(cond))
  local before, reached, left = Model[of_dead and "deleted_objects" or "objects"], {}, {}
  for _, row in ipairs(world[model]) do
    if (row.dead or false) == of_dead then
      local takes = across.holds(world, model, row, cond) and #reached < (limit or #world[model])
      table.insert(takes and reached or left, row)
    end
  end
  local ok, err = pcall(db.transaction, db, function()
    local n = CALLS[name](limit and query:order_by("id"):limit(limit) or query)
    assert.are.equal(#reached, n, name .. " " .. query:sql())
    assert.are.equal(ids(left), ids(before:order_by("id"):all()), name)
    error "back"
  end)
  assert(not ok and tostring(err):find("back", 1, true), err)
end

-- Whatever a statement reads, only the living of it are seen.
local function check_liveness(db, random, model)
  local query = db:model(model).objects:filter(written(random_cond(random, model, 1)))
  local tables = query:explain_liveness()
  assert.is_true(#tables > 0)
  for _, seen in ipairs(tables) do
    assert.are.equal("living", seen.rows)
  end
end

local CHECKS = {
  check_filter,
  check_filter,
  check_values,
  check_order,
  check_annotation,
  check_write,
  function(db, _, random, model)
    check_liveness(db, random, model)
  end,
}

local function try(seed, strategy)
  local random, db = Random.new(seed), declare(strategy)
  local world = fill(db, random)
  for _ = 1, 25 do
    local model = random:pick(MODELS)
    for _, check in ipairs(CHECKS) do
      check(db, world, random, model)
    end
  end
  db:close()
end

describe("law 1 across relations:", function()
  for _, strategy in ipairs { "mangle", "live" } do
    it("what is asked is what plain Lua answers, with " .. strategy, function()
      for seed = 1, math.max(2, math.floor(60 * SCALE)) do
        local ok, err = pcall(try, seed, strategy)
        assert(ok, "seed " .. seed .. ": " .. tostring(err))
      end
    end)
  end
end)
