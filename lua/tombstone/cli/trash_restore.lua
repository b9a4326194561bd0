--- `tombstone trash restore`
-- @module tombstone.cli.trash_restore
local plan = require "tombstone.cli.plan"
local refusal = require "tombstone.cli.refusal"
local selection = require "tombstone.cli.selection"

local M = {
  name = "restore",
  summary = "Bring rows back, all that are asked for or none.",
  epilog = "Ends with 3 where nothing in the trash fits.",
}

function M.arguments(command)
  selection.arguments(command)
  selection.all_argument(command)
  plan.arguments(command)
  command:flag("--parents", "Bring dead parents back first.")
  command:flag("--dry-run", "Only say what would happen."):target "dry_run"
end

local function among(sets)
  local coming = {}
  for _, set in ipairs(sets) do
    local key = selection.key_field(set.model).name
    coming[set.name] = function(pk)
      return set.query:filter(key, pk):exists()
    end
  end
  return coming
end

-- Conflicts of all sets, and the dead parents that are not asked for themselves.
local function look_ahead(sets)
  local found, coming = { conflicts = {}, parents = {} }, among(sets)
  for _, set in ipairs(sets) do
    local ahead = set.query:restore_plan()
    for _, conflict in ipairs(ahead.conflicts) do
      table.insert(found.conflicts, conflict)
    end
    for _, parent in ipairs(ahead.parents) do
      local comes = coming[parent.model]
      if not (comes and comes(parent.pk)) then
        table.insert(found.parents, parent)
      end
    end
  end
  return found
end

local function show(out, sets, found)
  plan.show_counts(out, selection.counts(sets), "COME BACK")
  plan.show_conflicts(out, found.conflicts)
  plan.show_parents(out, found.parents)
end

local function told(sets, found, restored)
  return {
    asked_for = selection.counts(sets),
    conflicts = plan.conflicts_told(found.conflicts),
    parents = plan.parents_told(found.parents),
    restored = restored,
  }
end

-- How many of those that were asked for are not in the trash any more, by model: what a restore
-- answers leaves out rows that came back below others before their turn.
local function restore_all(sets, arguments)
  local options = { all = true, on_conflict = arguments.on_conflict, parents = arguments.parents }
  for _, set in ipairs(sets) do
    set.query:restore(options)
  end
  local restored = {}
  for _, set in ipairs(sets) do
    restored[set.name] = set.count - set.query:count()
  end
  return restored
end

local function finish(out, restored, total)
  local back = 0
  for _, n in pairs(restored) do
    back = back + n
  end
  out:line(("%d of %s back, with what hangs on them."):format(back, plan.rows(total)), "green")
end

local function need_parents(arguments, found)
  if #found.parents > 0 and not arguments.parents then
    local first = found.parents[1]
    local message = ("%s %s, a parent of these rows, is dead"):format(first.model, tostring(first.pk))
    refusal.raise(message, "give --parents, which brings parents back first")
  end
end

function M.run(context, arguments)
  selection.need_narrow(arguments)
  local db, out = context:db(), context.out
  local sets, total = selection.counted(db, arguments)
  if total == 0 then
    out:line "Nothing in the trash fits."
    out:result(told(sets, { conflicts = {}, parents = {} }, {}))
    return refusal.NOTHING
  end
  local found = look_ahead(sets)
  show(out, sets, found)
  plan.show_replaced(out, db, arguments, found.conflicts)
  if arguments.dry_run then
    out:result(told(sets, found, {}))
    return
  end
  plan.need_way(arguments, found)
  need_parents(arguments, found)
  if not context:agreed("Bring back " .. plan.rows(total) .. "?") then
    refusal.raise "not agreed, nothing was changed"
  end
  local restored = context:transaction(function()
    selection.need_same(db, arguments, sets)
    return restore_all(sets, arguments)
  end)
  finish(out, restored, total)
  out:result(told(sets, found, restored))
end

return M
