--- What a restore would meet: conflicts and dead parents, shown and told.
-- @module tombstone.cli.plan
local label = require "tombstone.cli.label"
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

--- All of some counts.
-- @tparam {[string]=number} counts
-- @treturn number
function M.sum(counts)
  local total = 0
  for _, n in pairs(counts) do
    total = total + n
  end
  return total
end

local function value_of(conflict)
  return conflict.value ~= nil and conflict.value or output.null
end

-- A conflict in a line.
local function conflict_line(conflict)
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
    lines[i] = conflict_line(conflict)
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

local function along_words(counts, name)
  local words = {}
  for model, n in pairs(counts) do
    n = model == name and n - 1 or n -- the row itself
    words[#words + 1] = n > 0 and ("%d of %s"):format(n, model) or nil
  end
  table.sort(words)
  return #words > 0 and ", and along with it " .. table.concat(words, ", ") or ""
end

local function along(row, name)
  return getmetatable(row):is_soft() and along_words(row:delete_plan(), name) or ""
end

local function replaced_line(db, title, conflict)
  local row = db:model(conflict.model).objects:find(conflict.live_pk)
  local name = row and label.short(row)
  return title .. (name and " " .. name or "") .. (row and along(row, conflict.model) or "")
end

--- Prints the living rows that `--on-conflict replace` deletes, and what goes along with them.
-- @tparam output out
-- @tparam database db
-- @tparam table arguments `on_conflict`
-- @tparam {table,...} conflicts
function M.show_replaced(out, db, arguments, conflicts)
  local lines, seen = {}, {}
  for _, conflict in ipairs(arguments.on_conflict == "replace" and conflicts or {}) do
    local title = conflict.model .. " " .. tostring(conflict.live_pk)
    if conflict.live_pk ~= nil and not seen[title] then
      seen[title] = true
      lines[#lines + 1] = #lines < MOST and replaced_line(db, title, conflict) or title
    end
  end
  show_some(out, "Living rows that are deleted for them:", lines)
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
