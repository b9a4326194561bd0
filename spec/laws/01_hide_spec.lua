-- Law 1, for one table: no dead row comes out of `objects`, whatever is asked and however.
local helper = require "helper"
local tombstone = require "tombstone"
local Generator = require "laws.generator"
local Random = require "laws.random"
local asked = require "laws.asked"
local failure = require "laws.failure"
local run = require "laws.run"
local show = require "laws.show"

local fail = failure.fail

local function same_list(what, found, wanted)
  if #found ~= #wanted then
    fail("%s gives %d rows and should give %d", what, #found, #wanted)
  end
  for i = 1, #wanted do
    if found[i] ~= wanted[i] then
      fail("%s gives %s at place %d and should give %s", what, show.show(found[i]), i, show.show(wanted[i]))
    end
  end
end

local function same(what, found, wanted)
  if found ~= wanted then
    fail("%s gives %s and should give %s", what, show.show(found), show.show(wanted))
  end
end

local function keys(rows, name)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row[name]
  end
  return list
end

local function streamed(query, name, options)
  local list = {}
  for row in query:each(options) do
    list[#list + 1] = row[name]
  end
  return list
end

-- ---- all ways to read a query -----------------------------------------------------------

local function check_rows(query, name, pks)
  same_list("all", keys(query:all(), name), pks)
  same_list("only", keys(query:only("rank"):all(), name), pks)
  same_list("values", keys(query:values(name, "rank"), name), pks)
  same_list("pluck", query:pluck(name), pks)
  same_list("each", streamed(query, name), pks)
  same_list("each{reuse}", streamed(query, name, { reuse = true }), pks)
  same_list("each{snapshot}", streamed(query, name, { snapshot = true }), pks)
  local first = query:first()
  same("first", first and first[name], pks[1])
end

local function check_last(query, name, pks, described)
  if described.limit or described.offset then
    return
  end
  local last = query:last()
  same("last", last and last[name], pks[#pks])
end

local function ranks_of(world, pks)
  local ranks, by_rank, low, top, sum = {}, {}, nil, nil, nil
  for _, pk in ipairs(pks) do
    local rank = world.mirror.rows[pk].values.rank
    if not by_rank[rank] then
      ranks[#ranks + 1] = rank
    end
    by_rank[rank] = (by_rank[rank] or 0) + 1
    low = math.min(low or rank, rank)
    top = math.max(top or rank, rank)
    sum = (sum or 0) + rank
  end
  table.sort(ranks)
  return { ranks = ranks, by_rank = by_rank, low = low, top = top, sum = sum }
end

local function check_figures(world, query, pks)
  local wanted = ranks_of(world, pks)
  same("count", query:count(), #pks)
  same("exists", query:exists(), #pks > 0)
  local found = query:aggregate {
    n = tombstone.count "*",
    ranks = tombstone.count("rank", { distinct = true }),
    low = tombstone.min "rank",
    top = tombstone.max "rank",
    sum = tombstone.sum "rank",
  }
  same("aggregate's count", found.n, #pks)
  same("aggregate's distinct count", found.ranks, #wanted.ranks)
  same("aggregate's min", found.low, wanted.low)
  same("aggregate's max", found.top, wanted.top)
  same("aggregate's sum", found.sum, wanted.sum)
  local grouped = query:order_by("rank"):group_by("rank"):aggregate { n = tombstone.count "*" }
  if #pks == query:limit(1000000):offset(0):count() then -- groups of a slice are of its own rows
    same_list("group_by", keys(grouped, "rank"), wanted.ranks)
    for _, group in ipairs(grouped) do
      same("a group's count", group.n, wanted.by_rank[group.rank])
    end
  end
end

-- ---- conditions that try to get out of the manager --------------------------------------

local function check_conditions(conn, name, living)
  local objects = conn.model.objects:order_by(name)
  local dead = { deleted_at__isnull = false }
  local both = { rank__gte = -1000 }
  same_list("a filter for the dead", objects:filter(dead):pluck(name), {})
  same_list("any with the dead", objects:filter(tombstone.any { dead, both }):pluck(name), living)
  same_list("none", objects:filter(tombstone.none { { rank__lt = -1000 } }):pluck(name), living)
  same_list("exclude", objects:exclude({ deleted_at = tombstone.null }):pluck(name), {})
  local nobody = tombstone.any { dead, { rank__lt = -1000 } }
  same_list("exclude of any", objects:exclude(nobody):pluck(name), living)
  same_list("distinct", objects:distinct():pluck(name), living)
  if helper.has_bit_operators then -- which are no syntax before 5.3
    local combine = load "local a, b = ...; return a | b"
    local combined = combine(tombstone.Q(dead), tombstone.Q(both))
    same_list("an operator", objects:filter(combined):pluck(name), living)
  end
end

local function check_keys(world, conn)
  local name = world.known.key.name
  for pk, row in pairs(world.mirror.rows) do
    local found = conn.model.objects:find(pk)
    local ok, err = pcall(function()
      return conn.model.objects:get(pk)
    end)
    if row.at == nil then
      same("find", found and found[name], pk)
      same("get", ok and err[name], pk)
    else
      same("find", found, nil)
      same("get", not ok and err.kind, "not_found")
    end
  end
end

local function check_managers(world, conn)
  local name = world.known.key.name
  local mirror, by_key = world.mirror, { world.known.key.name }
  for _, scope in ipairs { "objects", "all_objects", "deleted_objects" } do
    local wanted = mirror:select { scope = scope, order = by_key }
    same_list(scope, conn.model[scope]:order_by(name):pluck(name), wanted)
    for _, row in ipairs(conn.model[scope]:all()) do
      same("is_deleted", row:is_deleted(), mirror:is_dead(row[name]))
    end
  end
end

-- A query of random shape, each way.
local function check_query(world, conn, generator)
  local name = world.known.key.name
  local described = generator:query { "objects", "objects", "objects", "all_objects", "deleted_objects" }
  described.rows = described.rows and #described.rows > 0 and described.rows or nil
  local query = asked.query_of(world, conn, described)
  local pks = world.mirror:select(asked.described_for(world, described))
  check_rows(query, name, pks)
  check_last(query, name, pks, described)
  check_figures(world, query, pks)
end

local function check(world)
  local conn = world.locked or world.conns[1]
  local reader = Generator.new(world, Random.new(#world.mirror:keys() * 1000 + conn.guessed_stamp % 1000))
  for number in pairs(world.rows) do
    reader.rows[#reader.rows + 1] = number
  end
  table.sort(reader.rows)
  check_query(world, conn, reader)
  check_query(world, conn, reader)
  check_conditions(conn, world.known.key.name, world.mirror:select {
    scope = "objects",
    order = { world.known.key.name },
  })
  check_keys(world, conn)
  check_managers(world, conn)
end

describe("law 1, hide:", function()
  run.each_case(function(shape, strategy)
    it("no dead row is read (" .. shape .. ", " .. strategy .. ")", function()
      run.run {
        law = "law 1",
        shape = shape,
        strategy = strategy,
        steps = 700,
        after = check,
        weights = { delete_row = 16, delete_query = 10, purge_query = 0 },
      }
    end)
  end)
end)
