--- What a restore would meet: conflicts and dead parents, shown and told.
-- @module tombstone.cli.plan
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {}

-- How many conflicts and parents are shown; JSON has all.
local MOST = 10

--- The strategies of `--on-conflict`.
M.STRATEGIES = { "fail", "skip", "rename", "replace" }

--- Declares `--on-conflict`.
function M.arguments(command)
  command
    :option("--on-conflict", "Where a living row has the value: fail (if not given), skip, rename, replace.")
    :argname("HOW")
    :target("on_conflict")
    :choices(M.STRATEGIES)
end

local function value_of(conflict)
  return conflict.value ~= nil and conflict.value or output.null
end

--- A conflict in a line.
function M.conflict_line(conflict)
  local fields = table.concat(conflict.fields or {}, ", ")
  local value = conflict.value ~= nil and " '" .. output.plain(conflict.value) .. "'" or ""
  local taken = conflict.live_pk ~= nil and "is of " .. conflict.model .. " " .. tostring(conflict.live_pk)
    or "comes back twice"
  return ("%s %s: %s%s %s"):format(conflict.model, tostring(conflict.dead_pk), fields, value, taken)
end

local function conflict_told(conflict)
  return {
    model = conflict.model,
    fields = output.list(conflict.fields or {}),
    value = value_of(conflict),
    dead_key = conflict.dead_pk,
    living_key = conflict.live_pk,
  }
end

--- Conflicts for JSON.
function M.conflicts_told(conflicts)
  local list = output.list {}
  for i, conflict in ipairs(conflicts) do
    list[i] = conflict_told(conflict)
  end
  return list
end

--- Dead parents for JSON.
function M.parents_told(parents)
  local list = output.list {}
  for i, parent in ipairs(parents) do
    list[i] = { model = parent.model, key = parent.pk }
  end
  return list
end

local function show_some(out, title, lines)
  if #lines == 0 then
    return
  end
  out:line(title, "yellow")
  for i = 1, math.min(#lines, MOST) do
    out:line("  " .. lines[i])
  end
  if #lines > MOST then
    out:line(("  … and %d more"):format(#lines - MOST))
  end
end

--- Prints the conflicts.
function M.show_conflicts(out, conflicts)
  local lines = {}
  for i, conflict in ipairs(conflicts) do
    lines[i] = M.conflict_line(conflict)
  end
  show_some(out, "Values that are taken:", lines)
end

--- Prints the dead parents.
function M.show_parents(out, parents)
  local lines = {}
  for i, parent in ipairs(parents) do
    lines[i] = parent.model .. " " .. tostring(parent.pk)
  end
  show_some(out, "Parents that are dead:", lines)
end

--- Rows by model, as a table.
-- @tparam output out
-- @tparam {[string]=number} counts
-- @tparam string header
function M.show_counts(out, counts, header)
  local names, rows = {}, {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    rows[#rows + 1] = { name, counts[name] }
  end
  if #rows > 0 then
    out:table({ "MODEL", header }, rows)
  end
end

--- "1 row", "2 rows".
function M.rows(n)
  return n == 1 and "1 row" or n .. " rows"
end

--- Refuses a restore that the plan knows to fail, before anybody is asked.
-- @tparam table arguments `on_conflict`, `parents`
-- @tparam table found `conflicts`, `parents`
-- @raise a refusal
function M.need_way(arguments, found)
  if #found.conflicts > 0 and (arguments.on_conflict or "fail") == "fail" then
    local hint = "give --on-conflict skip, rename or replace"
    refusal.raise(M.rows(#found.conflicts) .. " cannot come back: values are taken by living rows", hint)
  end
end

return M
