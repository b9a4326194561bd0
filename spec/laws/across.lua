--- What lookups across relations mean, in plain Lua: the reference of 01_across_spec.
--
-- A world is a set of rows by model; a row has `id`, `dead` and its fields. A lookup is
-- `{ ways, field, op, value }`: names of ways, then a field of the rows at their end (nil: whether
-- one is there). `world.shown` has the ways whose dead are seen, as `author__team = true`.
local M = {}

-- Ways by model: where they lead, and how.
M.WAYS = {
  Team = { authors = { to = "Author", by = "team_id", many = true } },
  Author = {
    team = { to = "Team", by = "team_id" },
    boss = { to = "Author", by = "boss_id" },
    staff = { to = "Author", by = "boss_id", many = true },
    posts = { to = "Post", by = "author_id", many = true },
    edited = { to = "Post", by = "editor_id", many = true },
  },
  Post = {
    author = { to = "Author", by = "author_id" },
    editor = { to = "Author", by = "editor_id" },
    tags = { to = "Tag", link = "Link", by = "post_id", far = "tag_id", many = true },
  },
  Tag = { posts = { to = "Post", link = "Link", by = "tag_id", far = "post_id", many = true } },
}

--- The ways up to one, as a key writes them.
function M.path(ways, to)
  return table.concat(ways, "__", 1, to)
end

--- The rows that are seen at the end of a way; `path` is all that leads there.
function M.step(world, model, row, name, path)
  local way, found = M.WAYS[model][name], {}
  local all = world.shown ~= nil and world.shown[path]
  local function living(there)
    return there and (all or not there.dead) and there or nil
  end
  if way.link then
    for _, link in ipairs(world.Link) do
      local target = living(link) and link[way.by] == row.id and living(world.by_id[way.to][link[way.far]])
      found[#found + 1] = target or nil
    end
  elseif way.many then
    for _, child in ipairs(world[way.to]) do
      found[#found + 1] = living(child) and child[way.by] == row.id and child or nil
    end
  else
    found[1] = living(world.by_id[way.to][row[way.by]])
  end
  return found, way.to
end

local TESTS = {
  eq = function(a, b)
    return a == b
  end,
  ne = function(a, b)
    return a ~= b
  end,
  gt = function(a, b)
    return a ~= nil and a > b
  end,
  lte = function(a, b)
    return a ~= nil and a <= b
  end,
  startswith = function(a, b)
    return a ~= nil and a:sub(1, #b) == b
  end,
  isnull = function(a, b)
    return (a == nil) == b
  end,
  ["in"] = function(a, list)
    if a == nil then
      return list.null or false
    end
    for i = 1, list.n do
      if a == list[i] then
        return true
      end
    end
    return false
  end,
}

--- A text as NOCASE compares it.
function M.folded(value)
  return type(value) == "string" and value:lower() or value
end

-- `lookup.no_case`: its field compares without regard to case, but for the beginnings of texts.
local function test(lookup, value)
  local wanted = lookup.value
  if lookup.no_case and lookup.op ~= "startswith" then
    value = M.folded(value)
    wanted = M.folded(wanted)
    if type(wanted) == "table" and lookup.op == "in" then
      wanted = {}
      for i = 1, lookup.value.n do
        wanted[i] = M.folded(lookup.value[i])
      end
      wanted.n, wanted.null = lookup.value.n, lookup.value.null
    end
  end
  return TESTS[lookup.op](value, wanted)
end

local function holds_for_null(lookup)
  local value = lookup.value
  return lookup.op == "ne" or (lookup.op == "isnull" and value) or (lookup.op == "in" and value.null)
end

-- Over ways to one a missing row is NULL; whether rows are there may be asked of many, too.
local function asks_for_value(model, lookup, from)
  for i = from, #lookup.ways do
    local way = M.WAYS[model][lookup.ways[i]]
    if way.many and not (i == #lookup.ways and lookup.field == nil) then
      return false
    end
    model = way.to
  end
  return holds_for_null(lookup)
end

local function value_of(world, model, row, lookup, from)
  for i = from, #lookup.ways do
    local rows
    rows, model = M.step(world, model, row, lookup.ways[i], M.path(lookup.ways, i))
    row = rows[1]
    if not row then
      return nil
    end
  end
  if lookup.field == nil then
    return true
  end
  return row[lookup.field]
end

local all_hold

local function some_row(world, model, row, name, group, from)
  local rows, to = M.step(world, model, row, name, M.path(group[1].ways, from))
  for _, there in ipairs(rows) do
    if all_hold(world, to, there, group, from + 1) then
      return true
    end
  end
  return false
end

-- Lookups of one table that take the same way speak of one row.
function all_hold(world, model, row, lookups, from)
  local groups, order = {}, {}
  for _, lookup in ipairs(lookups) do
    local name = lookup.ways[from]
    if name == nil then
      if lookup.field ~= nil and not test(lookup, row[lookup.field]) then
        return false
      end
    elseif asks_for_value(model, lookup, from) then
      if not test(lookup, value_of(world, model, row, lookup, from)) then
        return false
      end
    else
      if not groups[name] then
        groups[name] = {}
        order[#order + 1] = name
      end
      table.insert(groups[name], lookup)
    end
  end
  for _, name in ipairs(order) do
    if not some_row(world, model, row, name, groups[name], from) then
      return false
    end
  end
  return true
end

--- Does the condition hold for the row? It is a list of lookups (one table), or has a `kind`:
-- `any`, `all`, `none` of its parts.
function M.holds(world, model, row, cond)
  if not cond.kind then
    return all_hold(world, model, row, cond, 1)
  end
  local n = 0
  for _, part in ipairs(cond) do
    n = n + (M.holds(world, model, row, part) and 1 or 0)
  end
  if cond.kind == "all" then
    return n == #cond
  end
  return (n > 0) == (cond.kind == "any")
end

--- The values of a field at the end of ways, one for each line of an outer join.
function M.values(world, model, row, ways, field, from)
  from = from or 1
  if from > #ways then
    return { row[field] == nil and M.NONE or row[field] }
  end
  local rows, to = M.step(world, model, row, ways[from], M.path(ways, from))
  local list = {}
  for _, there in ipairs(rows) do
    for _, value in ipairs(M.values(world, to, there, ways, field, from + 1)) do
      list[#list + 1] = value
    end
  end
  return #list > 0 and list or { M.NONE }
end

--- What stands for NULL in `values`.
M.NONE = {}

--- The living rows at the end of ways, each as often as a way leads there.
function M.reach(world, model, row, ways, from)
  from = from or 1
  if from > #ways then
    return { row }
  end
  local rows, to = M.step(world, model, row, ways[from], M.path(ways, from))
  local list = {}
  for _, there in ipairs(rows) do
    for _, last in ipairs(M.reach(world, to, there, ways, from + 1)) do
      list[#list + 1] = last
    end
  end
  return list
end

return M
