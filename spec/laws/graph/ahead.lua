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

return M
