--- What plans say, against the reference and against what the call then does.
local failure = require "laws.failure"
local relatives = require "laws.graph.relatives"

local M = {}
local fail = failure.fail

local function lives(row)
  return next(row.owners) == nil
end

local function same_number(what, found, wanted)
  if (found or 0) ~= (wanted or 0) then
    fail("%s is %s and should be %d", what, tostring(found), wanted or 0)
  end
end

local function same_counts(world, what, found, wanted)
  for _, model in ipairs(world.shape.models) do
    same_number(what .. " of " .. model.name, found[model.name], wanted[model.name])
  end
end

-- ---- deletion ---------------------------------------------------------------------------

-- The living rows that would be left below those that die, by relation.
local function needing(reference, dying)
  local found = {}
  for row in reference:each() do
    for _, relation in ipairs(reference.shape.by_name[row.model].relations) do
      local key = relation.on_delete == "restrict" and row.points[relation.name]
      local parent = key and reference:at(relation.to, key)
      if parent and dying[parent] and lives(row) and not dying[row] then
        local id = row.model .. "." .. relation.column
        local line = found[id] or { count = 0, example = row.key }
        line.count = line.count + 1
        line.example = row.key < line.example and row.key or line.example
        found[id] = line
      end
    end
  end
  return found
end

local function dying_of(reference, model, keys)
  local reached, dying, counts, total = {}, {}, {}, 0
  for row in pairs(reference:set(model, keys)) do
    reached[row] = lives(row) or nil
  end
  for row in pairs(relatives.below(reference, reached, relatives.CASCADE)) do
    reached[row] = true
  end
  for row in pairs(reached) do
    if lives(row) then
      dying[row], total = true, total + 1
      counts[row.model] = (counts[row.model] or 0) + 1
    end
  end
  return dying, counts, total
end

local function same_needed(needed, wanted)
  local n = 0
  for _, line in ipairs(needed) do
    local id = line.model .. "." .. line.field
    local should = wanted[id] or fail("a plan names %s, which is not in the way", id)
    same_number("the count of " .. id, line.count, should.count)
    if line.example ~= should.example then
      fail("the example of %s is %s and should be %s", id, tostring(line.example), tostring(should.example))
    end
    n = n + 1
  end
  for _ in pairs(wanted) do
    n = n - 1
  end
  same_number("what a plan leaves out of those in the way", -n, 0)
end

--- The plan of a deletion. Answers it, for `deleted`.
function M.delete(world, subject, model, keys)
  local counts, plan = subject:delete_plan()
  local dying, wanted, total = dying_of(world.reference, model, keys)
  same_counts(world, "a plan's count", counts, wanted)
  same_number("a plan's total", plan.total, total)
  same_needed(plan.needed, needing(world.reference, dying))
  return plan
end

--- What the deletion then did, which was tried with `max_rows` of one less as well.
function M.deleted(plan, results, few)
  local first, err = plan.needed[1], results[2]
  if first then
    local named = type(err) == "table" and err.model == first.model and err.fields[1] == first.field
      and err.conflicts[1].live_pk == first.example
    if not named then
      fail("a plan names %s.%s first, and the error is %s", first.model, first.field, failure.describe(err))
    end
  elseif few and (few[1] or few[2].kind ~= "too_many") then
    fail("%d rows die, and max_rows did not count them: %s", plan.total, failure.describe(few[2]))
  end
end

-- ---- restore and undo --------------------------------------------------------------------

local function id_of(row)
  return row.model .. " " .. tostring(row.key)
end

local function tally(rows)
  local counts = {}
  for row in pairs(rows) do
    counts[row.model] = (counts[row.model] or 0) + 1
  end
  return counts
end

-- Rows that lose an event and stay dead.
local function staying(taken, coming)
  local rows = {}
  for row, events in pairs(taken) do
    for event in pairs(events) do
      rows[row] = rows[row] or (row.owners[event] and not coming[row]) or nil
    end
  end
  return rows
end

-- The ids of dead rows above these, without some.
local function dead_above(reference, rows, ...)
  local ids = {}
  for row in pairs(relatives.above(reference, rows, relatives.BINDING)) do
    local known = lives(row)
    for _, set in ipairs { ... } do
      known = known or set[row]
    end
    if not known then
      ids[id_of(row)] = true
    end
  end
  return ids
end

local function same_parents(what, plan, below, wanted)
  for _, parent in ipairs(plan.parents) do
    if (parent.below or false) == below then
      local id = parent.model .. " " .. tostring(parent.pk)
      if not wanted[id] then
        fail("%s: a plan names %s, or names it twice", what, id)
      end
      wanted[id] = nil
    end
  end
  if next(wanted) then
    fail("%s: a plan does not name %s", what, next(wanted))
  end
end

-- By model and tag, the living row and how many come back.
local function in_each_others_way(reference, coming)
  local groups = {}
  for row in reference:each() do
    if lives(row) or coming[row] then
      local id = row.model .. " " .. row.tag
      local group = groups[id] or { n = 0, dead = {} }
      groups[id] = group
      if coming[row] then
        group.n, group.dead[row.key] = group.n + 1, true
      else
        group.living = row.key
      end
    end
  end
  return groups
end

local function note_twin(group, conflict)
  if group.first ~= nil and group.first ~= conflict.twin_pk then
    fail("twins of %s are compared with more than one", conflict.value)
  end
  group.first = conflict.twin_pk
end

-- Each comes once: with the living row, and with the first of those that come back.
local function same_conflicts(reference, plan, coming)
  local groups, left = in_each_others_way(reference, coming), {}
  for _, group in pairs(groups) do
    left[group] = (group.living and group.n or 0) + math.max(group.n - 1, 0)
  end
  for _, conflict in ipairs(plan.conflicts) do
    local group = groups[conflict.model .. " " .. conflict.value]
    local other = group and (conflict.live_pk == nil and group.dead[conflict.twin_pk]
      or conflict.live_pk ~= nil and group.living == conflict.live_pk)
    if not other or not group.dead[conflict.dead_pk] or conflict.dead_pk == conflict.twin_pk then
      fail("a plan names a conflict of %s %s that is none", conflict.model, tostring(conflict.dead_pk))
    end
    if conflict.twin_pk ~= nil then
      note_twin(group, conflict)
    end
    left[group] = left[group] - 1
  end
  for _, n in pairs(left) do
    same_number("what a plan leaves out of a conflict", n, 0)
  end
end

local function check_return(world, what, plan, taken, coming)
  local held = staying(taken, coming)
  same_counts(world, what .. ": a plan's count", plan.rows, tally(coming))
  same_counts(world, what .. ": what a plan holds back", plan.held_back, tally(held))
  same_conflicts(world.reference, plan, coming)
  return held
end

local function dead_of(reference, model, keys)
  local wanted = {}
  for row in pairs(reference:set(model, keys)) do
    wanted[row] = not lives(row) or nil
  end
  return wanted
end

local function with_dead_above(reference, wanted)
  local all = {}
  for row in pairs(relatives.above(reference, wanted, relatives.BINDING)) do
    all[row] = not lives(row) or nil
  end
  for row in pairs(wanted) do
    all[row] = true
  end
  return all
end

--- The plan of a restore.
function M.restore(world, subject, operation, keys)
  local reference = world.reference
  local plan = subject:restore_plan { parents = operation.parents }
  local wanted = dead_of(reference, operation.model, keys)
  local all = with_dead_above(reference, wanted)
  local taken = reference:taken_by_restore(operation.parents and all or wanted)
  local coming = reference:coming(taken, all)
  local held = check_return(world, "restore", plan, taken, coming)
  same_parents("restore", plan, false, dead_above(reference, wanted, wanted))
  same_parents("restore", plan, true, dead_above(reference, held, held, coming, all))
end

--- The plan of an undo.
function M.undo(world, event, number)
  local reference, plan = world.reference, event:restore_plan()
  local taken = reference:taken_by_undo(number)
  local coming = reference:coming(taken)
  local held = check_return(world, "undo", plan, taken, coming)
  same_parents("undo", plan, false, dead_above(reference, held, held, coming))
end

return M
