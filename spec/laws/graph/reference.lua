--- What a database of related rows should be, in plain Lua: each row keeps the set of the events
-- that hold it dead, and lives when the set is empty.
--
-- A row is `{ model =, key =, number =, tag =, points = { relation = key }, owners = { [event] =
-- true }, first = event }`, with events as numbers that rise with time. Each verb answers
-- `refusal, answer`: a set of kinds, one of which the library must raise (then nothing has
-- changed), or nil and what the call should answer. Nothing here is clever: it says each rule of
-- the design once, over all rows, again and again until nothing moves.
local relatives = require "laws.graph.relatives"

local Reference = {}
Reference.__index = Reference

local BINDING, CASCADE = relatives.BINDING, relatives.CASCADE
local above, below, has_parent = relatives.above, relatives.below, relatives.has_parent

--- An empty reference of a shape.
function Reference.new(shape)
  local reference = setmetatable({ shape = shape, rows = {} }, Reference)
  for _, model in ipairs(shape.models) do
    reference.rows[model.name] = {}
  end
  return reference
end

local function copy(from)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  return to
end

--- A reference that changes on its own.
function Reference:clone()
  local twin = Reference.new(self.shape)
  for row in self:each() do
    local other = copy(row)
    other.points, other.owners = copy(row.points), copy(row.owners)
    twin.rows[row.model][row.key] = other
  end
  return twin
end

--- All rows, in no order.
function Reference:each()
  return coroutine.wrap(function()
    for _, model in ipairs(self.shape.models) do
      for _, row in pairs(self.rows[model.name]) do
        coroutine.yield(row)
      end
    end
  end)
end

--- The row of that model and key, or nil.
function Reference:at(model, key)
  return self.rows[model][key]
end

local function lives(row)
  return next(row.owners) == nil
end
Reference.lives = lives

local function size(set)
  local n = 0
  for _ in pairs(set) do
    n = n + 1
  end
  return n
end

local function count(rows, model)
  local n = 0
  for row in pairs(rows) do
    n = n + (row.model == model and 1 or 0)
  end
  return n
end

local function refuse(kind)
  return { [kind] = true }
end

--- The rows of a model with these keys, as a set; those that are not there are not in it.
function Reference:set(model, keys)
  local set = {}
  for _, key in ipairs(keys) do
    local row = self:at(model, key)
    if row then
      set[row] = true
    end
  end
  return set
end

local function only(rows, is_wanted)
  local some = {}
  for row in pairs(rows) do
    some[row] = is_wanted(row) and true or nil
  end
  return some
end

local function is_dead(row)
  return not lives(row)
end

local function union(one, other)
  local all = copy(one)
  for row in pairs(other) do
    all[row] = true
  end
  return all
end

--- A living row under a dead or missing parent of a cascade or a restrict, or nil.
function Reference:orphan()
  for row in self:each() do
    for _, relation in ipairs(self.shape.by_name[row.model].relations) do
      local key = row.points[relation.name]
      local parent = key ~= nil and self:at(relation.to, key)
      if key ~= nil and not parent then
        return row, relation
      elseif parent and lives(row) and BINDING[relation.on_delete] and is_dead(parent) then
        return row, relation
      end
    end
  end
end

-- ---- owners -----------------------------------------------------------------------------

local function own(row, event)
  row.owners[event] = true
  row.first = row.first or event
end

-- Where the first owner leaves, the oldest of the others takes its place.
local function disown(row, event)
  row.owners[event] = nil
  if row.first == event then
    row.first = nil
    for other in pairs(row.owners) do
      row.first = math.min(row.first or other, other)
    end
  end
end

-- What would come to life but for a parent that stays dead, as a set. The assumed count as living.
local function held_back(reference, candidates, assumed)
  return relatives.grow(reference, function(row, held)
    return candidates[row] and has_parent(reference, row, BINDING, function(parent)
      return is_dead(parent) and not assumed[parent] and (not candidates[parent] or held[parent])
    end)
  end)
end

-- True where another row that lives, or will, has a tag of one of these.
local function has_conflict(reference, coming)
  local taken = {}
  for row in reference:each() do
    if lives(row) or coming[row] then
      local tag = row.model .. " " .. row.tag
      if taken[tag] then
        return true
      end
      taken[tag] = true
    end
  end
  return false
end

--- The rows that come to life when these lose these events, `taken[row]` a set of them, and those
-- that stay dead below a dead parent. The rows in the set `assumed` count as living.
function Reference:coming(taken, assumed)
  local candidates = {}
  for row, events in pairs(taken) do
    local rest = copy(row.owners)
    for event in pairs(events) do
      rest[event] = nil
    end
    candidates[row] = is_dead(row) and next(rest) == nil or nil
  end
  local held = held_back(self, candidates, assumed or {})
  return only(candidates, function(row)
    return not held[row]
  end), held
end

-- Takes events out of rows. A row that would come to life under a dead parent keeps what it has.
local function release(reference, taken)
  local coming, held = reference:coming(taken)
  if has_conflict(reference, coming) then
    return refuse "integrity"
  end
  for row, events in pairs(taken) do
    for event in pairs(held[row] and {} or events) do
      disown(row, event)
    end
  end
  return nil, coming
end

-- ---- create and update ------------------------------------------------------------------

local function check_parent(reference, relation, key, problems)
  local parent = reference:at(relation.to, key)
  if not parent then
    problems.integrity = true
  elseif is_dead(parent) then
    problems.parent_deleted = true
  end
end

-- What is wrong with what these values would make of a row; `row` is nil for a new one.
local function check_values(reference, model, row, values, problems)
  for _, relation in ipairs(reference.shape.by_name[model].relations) do
    local key = values.points[relation.name]
    local is_given = key ~= nil and key ~= "null"
    if is_given and not (row and row.points[relation.name] == key) then
      check_parent(reference, relation, key, problems)
    elseif not is_given and not relation.null and (key == "null" or not row) then
      problems.validation = true
    end
  end
  for _, other in pairs(reference.rows[model]) do
    if other ~= row and lives(other) and other.tag == values.tag then
      problems.integrity = true
    end
  end
end

local function write(row, values)
  row.tag = values.tag or row.tag
  for name, key in pairs(values.points) do
    if key == "null" then
      row.points[name] = nil
    else
      row.points[name] = key
    end
  end
end

--- A new row. `values` are `{ tag =, points = { relation = key or "null" } }`.
function Reference:create(model, key, values, number)
  local problems = {}
  if self:at(model, key) then
    problems.integrity = true
  end
  check_values(self, model, nil, values, problems)
  if next(problems) then
    return problems
  end
  local row = { model = model, key = key, number = number, points = {}, owners = {} }
  write(row, values)
  self.rows[model][key] = row
  return nil, 1
end

--- New values for the living among these rows.
function Reference:update(model, keys, values)
  local living, problems = only(self:set(model, keys), lives), {}
  for row in pairs(living) do
    check_values(self, model, row, values, problems)
  end
  if values.tag and size(living) > 1 then
    problems.integrity = true
  end
  if next(problems) then
    return problems
  end
  for row in pairs(living) do
    write(row, values)
  end
  return nil, size(living)
end

--- The living row of a model that has a tag, or nil.
function Reference:tagged(model, tag)
  for _, row in pairs(self.rows[model]) do
    if lives(row) and row.tag == tag then
      return row
    end
  end
end

-- ---- delete, undo, restore, purge -------------------------------------------------------

--- Deletes the living among these rows, and what is below them. Answers how many rows of their
-- model died.
function Reference:delete(model, keys, event)
  local living = only(self:set(model, keys), lives)
  if not next(living) then
    return nil, 0
  end
  local reached = union(living, below(self, living, CASCADE))
  local dying = only(reached, lives)
  for row in self:each() do
    local stays = lives(row) and not dying[row]
    if stays and has_parent(self, row, relatives.RESTRICT, function(parent)
      return dying[parent]
    end) then
      return refuse "restricted"
    end
  end
  for row in pairs(reached) do
    own(row, event)
  end
  return nil, count(dying, model)
end

--- What an undo takes: the event out of every row, as `taken[row]`.
function Reference:taken_by_undo(event)
  local taken = {}
  for row in self:each() do
    taken[row] = row.owners[event] and { [event] = true } or nil
  end
  return taken
end

--- Takes an event out of every set of owners. Answers how many rows came to life.
function Reference:undo(event)
  local refusal, coming = release(self, self:taken_by_undo(event))
  return refusal, coming and size(coming)
end

--- What a restore of the rows of a set takes: all their events, out of what is below them too.
function Reference:taken_by_restore(wanted)
  local taken = {}
  for row in pairs(wanted) do
    for reached in pairs(union({ [row] = true }, below(self, { [row] = true }, CASCADE))) do
      taken[reached] = union(taken[reached] or {}, row.owners)
    end
  end
  return taken
end

--- Restores the dead among these rows, and what is below them out of the same events; with
-- `chain` their dead ancestors too. Answers how many rows of their model came to life, of those
-- that are restored themselves.
function Reference:restore(model, keys, chain)
  local wanted = only(self:set(model, keys), is_dead)
  if chain then
    wanted = union(wanted, only(above(self, wanted, BINDING), is_dead))
  end
  for row in pairs(wanted) do
    if has_parent(self, row, BINDING, function(parent)
      return is_dead(parent) and not wanted[parent]
    end) then
      return refuse "parent_deleted"
    end
  end
  local refusal, coming = release(self, self:taken_by_restore(wanted))
  return refusal, coming and count(only(wanted, function(row)
    return coming[row]
  end), model)
end

--- Deletes the living among these rows (`event` is their deletion), and takes away what is then
-- dead, with its children. Answers how many rows of their model are gone.
function Reference:purge(model, keys, event)
  local refusal = self:delete(model, keys, event)
  if refusal then
    return refusal
  end
  local rows = self:set(model, keys)
  local gone = union(rows, below(self, rows, BINDING))
  assert(not next(only(gone, lives)), "the reference purges a living row")
  for row in self:each() do
    for _, relation in ipairs(self.shape.by_name[row.model].relations) do
      local key = relatives.KEEP[relation.on_delete] and row.points[relation.name]
      if key and gone[self:at(relation.to, key)] then
        row.points[relation.name] = nil
      end
    end
  end
  for row in pairs(gone) do
    self.rows[row.model][row.key] = nil
  end
  return nil, count(gone, model)
end

return Reference
