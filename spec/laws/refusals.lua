--- What an error of the library says, compared with what is in the way.
local compare = require "laws.compare"
local failure = require "laws.failure"
local show = require "laws.show"
local values = require "laws.values"

local M = {}
local fail = failure.fail

local function holds(list, pk)
  for i = 1, #list do
    if list[i] == pk then
      return true
    end
  end
  return false
end

local function names_group(err, group)
  if #err.fields ~= #group.names then
    return false
  end
  for _, name in ipairs(group.names) do
    if not holds(err.fields, name) then
      return false
    end
  end
  return true
end

local function find_conflict(err, conflicts)
  for _, conflict in ipairs(conflicts) do
    if names_group(err, conflict.group) then
      return conflict
    end
  end
end

-- Errors keep the beginning of a long text.
local LONG = 250

local function is_told(field, stored, told)
  if type(told) == "string" and #told >= LONG then
    return type(stored) == "string" and stored:sub(1, LONG) == told:sub(1, LONG)
  end
  return values.is_shown(field, stored, told)
end

local function check_row_told(world, err, why, conflict)
  local told = err.conflicts and err.conflicts[1] or {}
  local pk = told.live_pk == nil and told.dead_pk or told.live_pk
  if pk == nil and why.names_row then
    fail("a refusal names no row: %s", failure.describe(err))
  elseif pk == nil or why.loose then
    return
  end
  for _, there in ipairs(conflict.pks) do
    if is_told(world.known.key, there, pk) then
      return
    end
  end
  if told.live_pk ~= nil then
    fail("a refusal names row %s: %s", show.show(told.live_pk), failure.describe(err))
  end
end

-- Which of several refusals is told is the database's choice; what is told must be true.
local function check_integrity(world, err, why)
  if err.constraint ~= "unique" or err.model ~= world.known.shape.model or not err.fields then
    fail("a refusal of %s says %s: %s", tostring(err.model), tostring(err.constraint), failure.describe(err))
  end
  local conflict = find_conflict(err, why.conflicts)
  if not conflict then
    fail("a refusal names the fields %s: %s", show.show(err.fields), failure.describe(err))
  end
  local field = conflict.group.fields[1]
  local alone = #conflict.group.fields == 1 and why.values
  if alone and err.value ~= nil and not is_told(field, why.values[field.name], err.value) then
    fail("a refusal names the value %s: %s", show.show(err.value), failure.describe(err))
  end
  check_row_told(world, err, why, conflict)
end

--- Fails where an error is not of this kind, says what is not true, or has changed a row in Lua.
function M.check(world, err, kind, why, shown)
  if failure.is(err) then
    error(err, 0)
  elseif type(err) ~= "table" or err.kind ~= kind then
    fail("expected %s, but got %s", kind, failure.describe(err))
  end
  if kind == "integrity" and why then
    check_integrity(world, err, why)
  end
  compare.check_unchanged(world, shown)
end


return M
