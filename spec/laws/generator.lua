--- Random operations, chosen by weights, with values that are likely to meet.
local tombstone = require "tombstone"
local shapes = require "laws.shapes"
local values = require "laws.values"

local Generator = {}
Generator.__index = Generator
local null = tombstone.null

--- A generator for a world. `weights` are by operation; those not named keep their own.
function Generator.new(world, random, weights)
  local generator = { world = world, random = random, rows = {}, events = {}, last = 0 }
  generator.weights, generator.names = {}, {}
  for name, weight in pairs(Generator.weights) do
    generator.weights[name] = weights and weights[name] or weight
    generator.names[#generator.names + 1] = name
  end
  table.sort(generator.names)
  return setmetatable(generator, Generator)
end

--- How often each operation is tried.
Generator.weights = {
  clock = 6,
  create = 18,
  new_save = 4,
  bulk_create = 4,
  save = 8,
  save_some = 4,
  update_row = 6,
  update_query = 5,
  upsert = 7,
  get_or_create = 5,
  delete_row = 12,
  delete_query = 7,
  restore_row = 12,
  restore_query = 8,
  undo = 7,
  purge_row = 2,
  purge_query = 2,
  reload = 3,
  fetch = 4,
  transaction = 5,
  deletion = 4,
  inject = 0,
  limit = 0,
}

-- ---- numbers of rows --------------------------------------------------------------------

function Generator:number()
  self.last = self.last + 1
  return self.last
end

function Generator:new_row()
  local number = self:number()
  self.rows[#self.rows + 1] = number
  return number
end

-- Mostly one of the last: those are likely to be there.
function Generator:a_row()
  local n = #self.rows
  if n == 0 then
    return nil
  end
  local from = self.random:chance(75) and math.max(1, n - 11) or 1
  return self.rows[self.random:int(from, n)]
end

function Generator:some_rows()
  local some = {}
  for i = math.max(1, #self.rows - 15), #self.rows do
    if self.random:chance(40) then
      some[#some + 1] = self.rows[i]
    end
  end
  return some
end

function Generator:handle()
  return #self.world.conns > 1 and self.random:int(1, #self.world.conns) or nil
end

-- ---- values -----------------------------------------------------------------------------

-- About what the next deletion will be stamped with.
function Generator:stamp()
  local conn = self.world.conns[1]
  return math.max(values.micro(conn.clock.now), conn.guessed_stamp + 1)
end

-- What a row has, had, or has in the way: values that are likely to be refused.
function Generator:met(field)
  local mirror = self.world.mirror
  local keys = mirror:keys()
  if #keys == 0 then
    return nil
  end
  local row = mirror.rows[self.random:pick(keys)]
  local from = self.random:chance(70) and mirror:originals(row) or row.values
  local value = values.given(field, from[field.name])
  return value ~= nil and values.store(field, value) and value or nil
end

function Generator:value(field)
  local value
  if field.name == "rank" then
    return self.random:int(0, 5)
  elseif self.random:chance(2) then
    return values.misfit(self.random, field)
  elseif self.random:chance(35) then
    value = self:met(field)
  end
  if value == nil then
    value = values.nasty(self.random, field, self:stamp())
  end
  return value
end

local ODD_KEYS = { "", "it's", "\"\\\1", "é", "__deleted_1", "%s", "key " }

function Generator:key(field)
  local mirror = self.world.mirror
  if self.random:chance(5) then
    return self:met(field) or "k"
  end
  local key = self.random:pick(ODD_KEYS)
  if self.random:chance(3) then
    key = ("long é"):rep(50)
  end
  while mirror.rows[key] do
    key = key .. self.random:pick { "a", "'", "é" }
  end
  return key
end

-- What a dead row had, or nil.
function Generator:had()
  local mirror = self.world.mirror
  local dead = mirror:select { scope = "deleted_objects", order = { self.world.known.key.name } }
  return #dead > 0 and mirror:originals(mirror.rows[self.random:pick(dead)]) or nil
end

-- All that a dead row had, so that it gets a twin in every group.
function Generator:values_again(made)
  local originals = self:had()
  for _, field in ipairs(originals and self.world.known.shape.fields or {}) do
    if not field.primary_key then
      made[field.name] = values.given(field, originals[field.name])
    end
  end
end

function Generator:values()
  local made = {}
  for _, field in ipairs(self.world.known.shape.fields) do
    if field.primary_key then
      made[field.name] = self:key(field)
    elseif self.random:chance(field.unique and 85 or 60) or not (field.null or field.default) then
      made[field.name] = self:value(field)
    end
  end
  if self.random:chance(12) then
    self:values_again(made)
  end
  return made
end

function Generator:field(unique)
  local list = {}
  for _, field in ipairs(self.world.known.shape.fields) do
    if not field.primary_key and (not unique or field.unique) then
      list[#list + 1] = field
    end
  end
  return self.random:pick(list)
end

function Generator:changes(most)
  local made = {}
  for _ = 1, self.random:int(1, most or 3) do
    local field = self:field(self.random:chance(60))
    made[field.name] = self:value(field)
  end
  return made
end

-- ---- queries ----------------------------------------------------------------------------

function Generator:where()
  local random, where = self.random, {}
  local kind = random:int(1, 5)
  if kind == 1 then
    where.rank__gte = random:int(0, 4)
  elseif kind == 2 then
    where.rank__lt = random:int(1, 6)
  elseif kind == 3 then
    where.rank__in = { random:int(0, 5), random:int(0, 5) }
  else
    local field = self:field(true)
    if field.null and random:chance(60) then
      where[field.name .. "__isnull"] = random:chance(50)
    elseif shapes.is_text(field) then
      where[field.name] = self:met(field) or "a"
    else
      where.rank__ne = 3
    end
  end
  return where
end

function Generator:order()
  local terms = {}
  for _ = 1, self.random:int(1, 2) do
    local field = self:field()
    if field.kind ~= "integer" or field.name == "rank" then
      terms[#terms + 1] = (self.random:chance(50) and "-" or "") .. field.name
    end
  end
  if self.random:chance(20) then
    terms = { "-" .. self.world.known.key.name }
  end
  return #terms > 0 and terms or nil
end

--- A query of one of these scopes.
function Generator:query(scopes)
  local random = self.random
  local query = { scope = random:pick(scopes) }
  if random:chance(60) then
    query.rows = self:some_rows()
  end
  if random:chance(40) then
    query.where = self:where()
  end
  if random:chance(15) then
    query.exclude = self:where()
  end
  if random:chance(40) then
    query.order = self:order()
  end
  if random:chance(25) then
    query.limit = random:int(0, 4)
    query.offset = random:chance(40) and random:int(1, 2) or nil
  end
  return query
end

-- ---- operations -------------------------------------------------------------------------

local make = {}

local function on_row(name, more)
  make[name] = function(generator)
    local operation = { op = name, row = generator:a_row() }
    if more then
      more(generator, operation)
    end
    return operation.row and operation
  end
end

-- Microseconds; in between the clock stands still.
local STEPS = { 1, 2, 500000, 1000000, -1000000, -3, -3600000000, 86400000000 }

function make.clock(generator)
  local now = values.micro(generator.world.conns[1].clock.now) + generator.random:pick(STEPS)
  return { op = "clock", on = generator:handle(), now = now / 1e6 }
end

function make.inject(generator)
  local kind = generator.random:pick { "database", "busy", "interrupted" }
  return { op = "inject", nth = generator.random:int(1, 8), kind = kind }
end

-- Few end a call at its first statement, many let it come to its end.
function make.limit(generator)
  return { op = "limit", steps = generator.random:int(1, generator.random:pick { 10, 60, 400, 3000 }) }
end

function make.create(generator)
  return { op = "create", on = generator:handle(), as = generator:new_row(), values = generator:values() }
end

function make.new_save(generator)
  return { op = "new_save", on = generator:handle(), as = generator:new_row(), values = generator:values() }
end

function make.bulk_create(generator)
  local operation = { op = "bulk_create", on = generator:handle(), as = {}, values = {} }
  for i = 1, generator.random:int(1, 4) do
    operation.as[i] = generator:new_row()
    operation.values[i] = generator:values()
  end
  return operation
end

on_row("save", function(generator, operation)
  operation.changes = generator.random:chance(30) and {} or generator:changes()
end)

on_row("save_some", function(generator, operation)
  operation.changes = generator:changes()
end)

on_row("update_row", function(generator, operation)
  operation.changes = generator:changes()
  if generator.random:chance(25) then
    operation.changes.rank = { plus = generator.random:int(-2, 2) }
  end
end)

function make.update_query(generator)
  local random = generator.random
  local scopes = random:chance(90) and { "objects" } or { "all_objects", "deleted_objects" }
  local operation = { op = "update_query", on = generator:handle(), query = generator:query(scopes) }
  operation.changes = random:chance(50) and { rank = random:int(0, 5) } or generator:changes(2)
  if random:chance(20) then
    operation.changes.rank = { plus = 1 }
  end
  operation.all = random:chance(80) or nil
  return operation
end

local ON_DELETED = { "new", "restore", "restore", "refuse" }

function make.upsert(generator)
  local random = generator.random
  local operation = { op = "upsert", on = generator:handle(), as = generator:new_row() }
  operation.values = generator:values()
  local group = random:pick(generator.world.known.groups)
  local is_key = group.fields[1].role == "key"
  if is_key and group.fields[1].kind == "integer" then
    operation.row_key = generator:a_row()
  end
  operation.by = group.names
  for _, field in ipairs(group.fields) do
    if field.role ~= "key" and operation.values[field.name] == nil then
      operation.values[field.name] = generator:value(field)
    end
  end
  operation.on_deleted = random:chance(60) and random:pick(ON_DELETED) or nil
  if random:chance(25) then
    operation.update = random:chance(50) and generator:changes(2) or { rank = { plus = 1 } }
  end
  return operation
end

function make.get_or_create(generator)
  local random = generator.random
  local operation = { op = "get_or_create", on = generator:handle(), as = generator:new_row(), match = {} }
  operation.defaults = generator:values()
  local field = generator:field(true)
  local had = random:chance(50) and generator:had() or {}
  local value = values.given(field, had[field.name])
  while value == null or value == nil do
    value = random:chance(60) and generator:met(field) or values.nasty(random, field, generator:stamp())
  end
  operation.match[field.name] = value
  operation.defaults[field.name] = nil
  operation.on_deleted = random:chance(60) and random:pick(ON_DELETED) or nil
  return operation
end

local ACTORS = { "ana", "ben" }

local function sign(generator, operation)
  if generator.random:chance(30) then
    operation.actor = generator.random:pick(ACTORS)
  end
  if generator.random:chance(20) then
    operation.reason = "because"
  end
end

function Generator:new_event()
  local number = self:number()
  self.events[#self.events + 1] = number
  return number
end

on_row("delete_row", function(generator, operation)
  operation.as = generator:new_event()
  sign(generator, operation)
end)

local MOSTLY_OBJECTS = { "objects", "objects", "objects", "all_objects", "deleted_objects" }
local MOSTLY_DELETED = { "deleted_objects", "deleted_objects", "all_objects" }

function make.delete_query(generator)
  local operation = { op = "delete_query", on = generator:handle(), query = generator:query(MOSTLY_OBJECTS) }
  operation.as = generator:new_event()
  operation.all = generator.random:chance(85) or nil
  operation.max_rows = generator.random:chance(10) and generator.random:int(1, 3) or nil
  sign(generator, operation)
  return operation
end

local WORDS = { "fail", "skip", "rename", "replace" }

local function answers(generator)
  local list = {}
  for i = 1, generator.random:int(1, 3) do
    list[i] = generator.random:chance(70) and generator.random:pick(WORDS) or generator:changes(2)
  end
  return list
end

function Generator:on_conflict()
  if self.random:chance(25) then
    return nil
  end
  return self.random:chance(75) and self.random:pick(WORDS) or answers(self)
end

on_row("restore_row", function(generator, operation)
  operation.on_conflict = generator:on_conflict()
  sign(generator, operation)
end)

function make.restore_query(generator)
  local random = generator.random
  local scopes = random:chance(95) and MOSTLY_DELETED or { "objects" }
  local operation = { op = "restore_query", on = generator:handle(), query = generator:query(scopes) }
  operation.on_conflict = generator:on_conflict()
  operation.all = random:chance(85) or nil
  sign(generator, operation)
  return operation
end

function make.undo(generator)
  local n = #generator.events
  if n == 0 then
    return nil
  end
  local event = generator.events[generator.random:int(math.max(1, n - 7), n)]
  return { op = "undo", event = event, on_conflict = generator:on_conflict() }
end

on_row("purge_row", sign)

function make.purge_query(generator)
  local random = generator.random
  local operation = { op = "purge_query", on = generator:handle(), query = generator:query(MOSTLY_DELETED) }
  operation.living = random:chance(30) or nil
  operation.all = random:chance(60) or nil
  sign(generator, operation)
  return operation
end

on_row "reload"

on_row("fetch", function(generator, operation)
  operation.on = generator:handle()
  operation.as = generator:new_row()
end)

function Generator:inner(depth)
  local ops = {}
  for i = 1, self.random:int(1, 5) do
    ops[i] = self:operation(depth + 1)
  end
  return ops
end

function make.transaction(generator, depth)
  local operation = { op = "transaction", on = generator:handle(), ops = generator:inner(depth) }
  operation.rollback = generator.random:chance(50) or nil
  return operation
end

function make.deletion(generator, depth)
  local operation = { op = "deletion", on = generator:handle(), as = generator:new_event() }
  operation.ops = generator:inner(depth)
  operation.rollback = generator.random:chance(25) or nil
  sign(generator, operation)
  return operation
end

local DEEPEST = 3

--- The next operation.
function Generator:operation(depth)
  depth = depth or 0
  local operation
  repeat
    local name = self.random:weighted(self.names, self.weights)
    local nests = name == "transaction" or name == "deletion"
    operation = not (nests and depth >= DEEPEST) and make[name](self, depth)
  until operation
  return operation
end

return Generator
