--- What the tables hold, read by plain SQL, against the reference.
local failure = require "laws.failure"
local links = require "laws.graph.links"
local shapes = require "laws.graph.shapes"

local M = {}
local fail = failure.fail

local SUFFIX = "__deleted_%d+%.%d%d%d%d%d%d$"

-- ---- reading ----------------------------------------------------------------------------

local function sql_of(model)
  local columns = { string.format('"%s" AS k', model.key_name), "tag", "deleted_at", "deleted_event" }
  for _, relation in ipairs(model.relations) do
    columns[#columns + 1] = string.format('"%s"', relation.column)
  end
  return string.format('SELECT %s FROM "%s"', table.concat(columns, ", "), shapes.table_of(model))
end

local function row_of(world, model, read)
  local row = { stored = read.tag, at = read.deleted_at, tag = read.tag, points = {}, owners = {} }
  if row.at and world.strategy == "mangle" then
    row.tag = read.tag:gsub(SUFFIX, "")
    if row.tag == read.tag then
      fail("%s %s is dead and its tag %s is not freed", model.name, tostring(read.k), read.tag)
    end
  end
  for _, relation in ipairs(model.relations) do
    row.points[relation.name] = read[relation.column]
  end
  if read.deleted_event then
    row.first = world.numbers[read.deleted_event] or fail("event %d is unknown", read.deleted_event)
    row.owners[row.first] = true
  end
  if (row.at == nil) ~= (row.first == nil) then
    fail("%s %s has only one of deleted_at and deleted_event", model.name, tostring(read.k))
  end
  return row
end

-- The rows of tombstone_owner: each further owner of a dead row, once.
local function read_owners(world, rows)
  local by_text = {}
  for name, of_model in pairs(rows) do
    by_text[name] = {}
    for key, row in pairs(of_model) do
      by_text[name][tostring(key)] = row
    end
  end
  for _, read in ipairs(world.db:query "SELECT event, model, pk FROM tombstone_owner") do
    local row = by_text[read.model] and by_text[read.model][read.pk]
    local number = world.numbers[read.event]
    local what = string.format("tombstone_owner: (%s, %s, %s)", read.event, read.model, read.pk)
    if not row or not number then
      fail("%s speaks of what is not there", what)
    elseif not row.first then
      fail("%s speaks of a row that lives", what)
    elseif row.owners[number] then
      fail("%s says again what is said already", what)
    end
    row.owners[number] = true
  end
end

--- All rows of the database, by model and key, as the reference has them.
function M.take(world)
  local rows = {}
  for _, model in ipairs(world.shape.models) do
    rows[model.name] = {}
    for _, read in ipairs(world.db:query(sql_of(model))) do
      rows[model.name][read.k] = row_of(world, model, read)
    end
  end
  read_owners(world, rows)
  return rows
end

-- ---- comparing --------------------------------------------------------------------------

local function set_text(set)
  local list = {}
  for event in pairs(set) do
    list[#list + 1] = event
  end
  table.sort(list)
  return "{" .. table.concat(list, " ") .. "}"
end

local function points_text(model, points)
  local parts = {}
  for i, relation in ipairs(model.relations) do
    parts[i] = relation.name .. "=" .. tostring(points[relation.name])
  end
  return table.concat(parts, " ")
end

local function row_text(model, row)
  if not row then
    return "not there"
  end
  return string.format("%s, %s, owners %s, first %s", row.tag, points_text(model, row.points),
    set_text(row.owners), tostring(row.first))
end

local function differences(world, model, now, list)
  local wanted = world.reference.rows[model.name]
  local function look(key)
    local found, should = row_text(model, now[key]), row_text(model, wanted[key])
    if found ~= should then
      local number = wanted[key] and wanted[key].number or "?"
      list[#list + 1] = string.format("%s %s (row %s) is [%s] and should be [%s]", model.name,
        tostring(key), tostring(number), found, should)
    end
  end
  for key in pairs(wanted) do
    look(key)
  end
  for key in pairs(now) do
    if not wanted[key] then
      look(key)
    end
  end
end

--- Fails with all rows that are not what the reference says.
function M.compare(world, now)
  local list = {}
  for _, model in ipairs(world.shape.models) do
    differences(world, model, now[model.name], list)
  end
  if list[1] then
    table.sort(list)
    fail("%s", table.concat(list, "\n"))
  end
end

--- The stamp and the stored text of a row that stays dead do not change.
function M.check_frozen(world, before, now)
  for _, model in ipairs(world.shape.models) do
    for key, row in pairs(now[model.name]) do
      local was = before[model.name][key]
      local stayed = was and was.at and row.at
      if stayed and (was.at ~= row.at or was.stored ~= row.stored) then
        fail("%s %s stayed dead, and its stamp or tag changed: %s, %s, now %s, %s", model.name,
          tostring(key), was.at, was.stored, row.at, row.stored)
      end
    end
  end
end

-- ---- what the library says --------------------------------------------------------------

local function same_keys(what, found, wanted)
  table.sort(found)
  table.sort(wanted)
  for i = 1, math.max(#found, #wanted) do
    if found[i] ~= wanted[i] then
      fail("%s are {%s} and should be {%s}", what, table.concat(found, " "), table.concat(wanted, " "))
    end
  end
end

local function keys_of(query, model)
  local keys = query:pluck(model.key_name)
  keys.n = nil
  return keys
end

--- What an event says that it holds: as the first owner, or a further one.
function M.check_event(world, number, event)
  local counts = event:counts()
  for _, model in ipairs(world.shape.models) do
    local wanted = {}
    for key, row in pairs(world.reference.rows[model.name]) do
      wanted[#wanted + 1] = row.owners[number] and key or nil
    end
    local found = keys_of(event:rows(world.models[model.name]), model)
    same_keys(string.format("the rows of %s that event %d holds", model.name, number), found, wanted)
    if (counts[model.name] or 0) ~= #wanted then
      fail("event %d counts %s of %s and should count %d", number, tostring(counts[model.name]), model.name,
        #wanted)
    end
  end
end

local function check_parent(world, row, model, relation)
  local key = row[relation.column]
  local wanted = key ~= nil and world.reference:at(relation.to, key)
  local found = row[relation.name](row)
  local parent = wanted and world.reference.lives(wanted) and wanted.key or nil
  if (found and found[world.shape.by_name[relation.to].key_name]) ~= parent then
    fail("%s:%s() is not %s", model.name, relation.name, tostring(parent))
  end
end

local function check_children(world, row, model, child, relation)
  local wanted, key = {}, row[model.key_name]
  for child_key, other in pairs(world.reference.rows[child.name]) do
    local is_child = other.points[relation.name] == key and world.reference.lives(other)
    wanted[#wanted + 1] = is_child and child_key or nil
  end
  same_keys(model.name .. ":" .. relation.related_name .. "()",
    keys_of(row[relation.related_name](row), child), wanted)
end

--- What a row answers for its relations: its living parents, and its living children.
function M.check_row(world, name, row)
  local model = world.shape.by_name[name]
  for _, relation in ipairs(model.relations) do
    check_parent(world, row, model, relation)
  end
  for _, child in ipairs(world.shape.models) do
    for _, relation in ipairs(child.relations) do
      if relation.to == name then
        check_children(world, row, model, child, relation)
      end
    end
  end
  links.check(world, model, row, same_keys)
end

return M
