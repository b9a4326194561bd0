--- The model in plain Lua that a database is compared with: what the rows of one table are,
-- which of them live, and which event holds each dead one.
--
-- `rows` are by key: `{ values =, at =, event = }`, with `at` (microseconds) and `event` of a
-- dead row, whose values are as the database stores them, suffixes included. `events` are by id.
local values = require "laws.values"
local shapes = require "laws.shapes"

local Mirror = {}
Mirror.__index = Mirror

--- An empty mirror of a described shape.
function Mirror.new(known)
  return setmetatable({ known = known, rows = {}, events = {} }, Mirror)
end

local function copy(from)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  return to
end
Mirror.copy = copy

--- A mirror that changes on its own.
function Mirror:clone()
  local twin = Mirror.new(self.known)
  for pk, row in pairs(self.rows) do
    twin.rows[pk] = { values = copy(row.values), at = row.at, event = row.event }
  end
  for id, event in pairs(self.events) do
    twin.events[id] = copy(event)
  end
  return twin
end

--- True where the row with that key is there and lives.
function Mirror:lives(pk)
  local row = self.rows[pk]
  return row ~= nil and row.at == nil
end

--- True where the row with that key is there and dead.
function Mirror:is_dead(pk)
  local row = self.rows[pk]
  return row ~= nil and row.at ~= nil
end

-- ---- suffixes ---------------------------------------------------------------------------

-- Of a group that is freed by a suffix, the last text that is not NULL bears it.
local function bearer(group, row_values)
  for i = #group.fields, 1, -1 do
    local field = group.fields[i]
    if shapes.is_text(field) and field.role ~= "key" and row_values[field.name] ~= nil then
      return field.name
    end
  end
end

--- The names of the fields that a deletion of these values rewrites.
function Mirror:bearers(row_values)
  local names = {}
  for _, group in ipairs(self.known.groups) do
    local name = group.strategy == "mangle" and bearer(group, row_values)
    if name then
      names[name] = true
    end
  end
  return names
end

--- These values with the suffix of a deletion at `at`.
function Mirror:mangled(row_values, at)
  local made = copy(row_values)
  for name in pairs(self:bearers(row_values)) do
    made[name] = made[name] .. values.suffix(at)
  end
  return made
end

--- The values of a row as they are while it lives.
function Mirror:originals(row)
  local made = copy(row.values)
  if not row.at then
    return made
  end
  local suffix = values.suffix(row.at)
  for name in pairs(self:bearers(made)) do
    if made[name]:sub(-#suffix) == suffix then
      made[name] = made[name]:sub(1, #made[name] - #suffix)
    end
  end
  return made
end

-- ---- what is unique ---------------------------------------------------------------------

local function have_same(group, a, b)
  for _, field in ipairs(group.fields) do
    local one, other = a[field.name], b[field.name]
    if one == nil or other == nil or not values.same(field, one, other) then
      return false
    end
  end
  return true
end

--- What refuses a living row of these values: a list of `{ group =, pks = }`. The row with
-- key `but` is not asked.
function Mirror:conflicts(row_values, but)
  local list = {}
  for _, group in ipairs(self.known.groups) do
    local pks = {}
    for pk, row in pairs(self.rows) do
      local asked = pk ~= but and (row.at == nil or group.strategy ~= "live")
      if asked and have_same(group, row_values, row.values) then
        pks[#pks + 1] = pk
      end
    end
    if #pks > 0 then
      list[#list + 1] = { group = group, pks = pks }
    end
  end
  return list
end

--- True where these stored values, with others, are unique in the table: no two rows clash.
function Mirror:is_sound()
  for pk, row in pairs(self.rows) do
    for _, conflict in ipairs(self:conflicts(row.values, pk)) do
      if row.at == nil or conflict.group.strategy ~= "live" then
        return false, conflict
      end
    end
  end
  return true
end

-- ---- queries ----------------------------------------------------------------------------

local lookups = {}

function lookups.eq(field, value, wanted)
  if wanted == nil then
    return value == nil
  end
  return value ~= nil and values.same(field, value, wanted)
end

function lookups.ne(field, value, wanted)
  return not lookups.eq(field, value, wanted)
end

function lookups.gte(field, value, wanted)
  return value ~= nil and not values.before(field, value, wanted)
end

function lookups.lt(field, value, wanted)
  return value ~= nil and values.before(field, value, wanted)
end

function lookups.isnull(_, value, wanted)
  return (value == nil) == wanted
end

lookups["in"] = function(field, value, wanted)
  for i = 1, #wanted do
    if value ~= nil and values.same(field, value, wanted[i]) then
      return true
    end
  end
  return false
end

local function fields_of(mirror, pk)
  local row, known = mirror.rows[pk], mirror.known
  local all = copy(row.values)
  all[known.key.name] = pk
  all.deleted_at = row.at and values.time_of_micro(row.at)
  all.deleted_event = row.event
  return all
end

local function matches(known, all, where)
  for key, wanted in pairs(where) do
    local name, lookup = key:match "^(.-)__(%l+)$"
    name, lookup = name or key, lookup or "eq"
    local field = known.by_name[name]
    if type(wanted) == "userdata" then
      wanted = nil -- tombstone.null
    elseif type(wanted) ~= "table" and lookup ~= "isnull" then
      local _, stored = values.store(field, wanted)
      wanted = stored
    end
    if not lookups[lookup](field, all[name], wanted) then
      return false
    end
  end
  return true
end

local scopes = {
  objects = function(row)
    return row.at == nil
  end,
  deleted_objects = function(row)
    return row.at ~= nil
  end,
  all_objects = function()
    return true
  end,
}

-- The key breaks ties, in the direction of the last term.
local function terms_of(known, order)
  local terms, has_key, descending = {}, false, false
  for _, term in ipairs(order or known.shape.options.order_by or {}) do
    descending = term:sub(1, 1) == "-"
    local name = descending and term:sub(2) or term
    terms[#terms + 1] = { field = known.by_name[name], descending = descending }
    has_key = has_key or name == known.key.name
  end
  if not has_key then
    terms[#terms + 1] = { field = known.key, descending = descending }
  end
  return terms
end

local function sort(rows, terms)
  table.sort(rows, function(a, b)
    for _, term in ipairs(terms) do
      local x, y = a[term.field.name], b[term.field.name]
      if term.descending then
        x, y = y, x
      end
      if values.before(term.field, x, y) then
        return true
      elseif values.before(term.field, y, x) then
        return false
      end
    end
    return false
  end)
end

local function among(pks)
  if not pks then
    return nil
  end
  local set = {}
  for _, pk in ipairs(pks) do
    set[pk] = true
  end
  return set
end

--- The keys of a query's rows, in its order: `{ scope =, pks =, where =, exclude =, order =,
-- limit =, offset = }`, all but the scope optional.
function Mirror:select(query)
  local known, found, wanted = self.known, {}, among(query.pks)
  for pk, row in pairs(self.rows) do
    if scopes[query.scope](row) and (not wanted or wanted[pk]) then
      local all = fields_of(self, pk)
      local kept = matches(known, all, query.where or {})
      if kept and not (query.exclude and matches(known, all, query.exclude)) then
        found[#found + 1] = all
      end
    end
  end
  sort(found, terms_of(known, query.order))
  local pks, from = {}, query.offset or 0
  for i = from + 1, math.min(#found, from + (query.limit or #found)) do
    pks[#pks + 1] = found[i][known.key.name]
  end
  return pks
end

--- The keys of the rows that an event holds dead.
function Mirror:held_by(event)
  local pks = {}
  for _, pk in ipairs(self:select { scope = "deleted_objects" }) do
    if self.rows[pk].event == event then
      pks[#pks + 1] = pk
    end
  end
  return pks
end

--- All fields of a row as they are stored, marks included.
function Mirror:fields(pk)
  return fields_of(self, pk)
end

--- The keys of all rows.
function Mirror:keys()
  return self:select { scope = "all_objects", order = { self.known.key.name } }
end

return Mirror
