--- What operations say, in words of the library and of the mirror.
local helper = require "helper"
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local failure = require "laws.failure"
local plans = require "laws.plans"

local M = {}
local copy = Mirror.copy
local fail = failure.fail

--- The query of the library that an operation describes.
function M.query_of(world, conn, described)
  local query = conn.model[described.scope]
  if described.rows then
    query = query:filter(world.known.key.name .. "__in", world:keys_of(described.rows))
  end
  if described.where then
    query = query:filter(described.where)
  end
  if described.exclude then
    query = query:exclude(described.exclude)
  end
  if described.order then
    query = query:order_by(helper.unpack(described.order))
  end
  query = described.limit and query:limit(described.limit) or query
  return described.offset and query:offset(described.offset) or query
end

--- The same for the mirror.
function M.described_for(world, described)
  local with_keys = copy(described)
  with_keys.pks = described.rows and world:keys_of(described.rows)
  return with_keys
end

--- True when nothing narrows the query.
function M.is_whole(described)
  return not (described.rows or described.limit or described.offset or next(described.where or {})
    or next(described.exclude or {}))
end

--- Values for the library: `{ plus = 1 }` stands for an expression over the field.
function M.lua_values(given)
  local made = {}
  for name, value in pairs(given) do
    local is_expression = type(value) == "table" and value.plus ~= nil
    made[name] = is_expression and tombstone.F(name) + value.plus or value
  end
  return made
end

--- Some fields of a table.
function M.pick(from, ...)
  local made = {}
  for _, name in ipairs { ... } do
    made[name] = from[name]
  end
  return made
end

--- The options of a restore; a list of answers becomes a function.
function M.how_of(world, operation)
  local how = M.pick(operation, "on_conflict", "actor", "reason", "all")
  local answers = operation.on_conflict
  if type(answers) == "table" then
    function how.on_conflict(row, conflict)
      if not row:is_deleted() or conflict.dead_pk ~= row[world.known.key.name] or #conflict.fields == 0 then
        fail "a conflict function was told of another row"
      end
      return plans.answer(answers, row.rank)
    end
  end
  return how
end

--- True where an actor or a reason is not that of the deletion of many calls around it.
function M.is_foreign(plan, operation)
  local shared = plan.shared
  local function differs(name)
    return operation[name] ~= nil and operation[name] ~= shared[name]
  end
  return shared ~= nil and (differs "actor" or differs "reason")
end

--- The key of a row in Lua.
function M.key_of(world, row)
  return row[world.known.key.name]
end

--- Adds a row that the database has given its key.
function M.new_key(world, made, row)
  local pk = M.key_of(world, row)
  if world.mirror.rows[pk] then
    fail("the key %s was given out twice", tostring(pk))
  end
  plans.insert(world.mirror, pk, made)
end

--- Keeps an event under the number of the operation that made it.
function M.keep_event(world, operation, conn, event)
  if operation.as and event then
    world.events[operation.as] = { event = event, conn = conn }
  end
end

--- Fails where a call answers something else.
function M.check_answer(what, answer, wanted)
  if answer ~= wanted then
    fail("%s answers %s and should answer %s", what, tostring(answer), tostring(wanted))
  end
end

return M
