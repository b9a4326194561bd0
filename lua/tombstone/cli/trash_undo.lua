--- `tombstone trash undo`
-- @module tombstone.cli.trash_undo
local output = require "tombstone.cli.output"
local plan = require "tombstone.cli.plan"
local refusal = require "tombstone.cli.refusal"
local selection = require "tombstone.cli.selection"

local M = {
  name = "undo",
  summary = "Undo a deletion: bring back exactly what it took and still holds.",
  epilog = "Ends with 3 where the event holds no row that could come back.",
}

function M.arguments(command)
  command:argument("event", "The number of the event, as trash list shows it."):convert(selection.event_id)
  plan.arguments(command)
  command:flag("--dry-run", "Only say what would happen."):target "dry_run"
end

local function without_zeros(counts)
  local kept = {}
  for name, n in pairs(counts) do
    kept[name] = n > 0 and n or nil
  end
  return kept
end

local function show(out, ahead)
  plan.show_counts(out, without_zeros(ahead.rows), "COME BACK")
  plan.show_counts(out, ahead.held_back, "STAY, HELD BY OTHERS")
  plan.show_conflicts(out, ahead.conflicts)
  plan.show_parents(out, ahead.parents)
end

local function told(event, ahead, restored)
  return {
    event = event.id,
    rows = without_zeros(ahead.rows),
    held_back = ahead.held_back,
    conflicts = plan.conflicts_told(ahead.conflicts),
    parents = plan.parents_told(ahead.parents),
    restored = restored,
  }
end

local function question(event, total)
  local of = event.actor and " of " .. output.plain(event.actor) or ""
  return ("Undo event %s%s: bring back %s?"):format(tostring(event.id), of, plan.rows(total))
end

function M.run(context, arguments)
  local db, out = context:db(), context.out
  local event = selection.event(db, arguments.event)
  local ahead = event:restore_plan()
  local total = plan.sum(ahead.rows)
  show(out, ahead)
  plan.show_replaced(out, db, arguments, ahead.conflicts)
  if total == 0 then
    out:line(("Event %s holds nothing that could come back."):format(tostring(event.id)))
    out:result(told(event, ahead, 0))
    return refusal.NOTHING
  elseif arguments.dry_run then
    out:result(told(event, ahead, 0))
    return
  end
  plan.need_way(arguments, ahead)
  if not context:agreed(question(event, total)) then
    refusal.raise "not agreed, nothing was changed"
  end
  local restored = context:transaction(function()
    return event:undo { on_conflict = arguments.on_conflict }
  end)
  out:line(plan.rows(restored) .. (restored == 1 and " is" or " are") .. " back.", "green")
  out:result(told(event, ahead, restored))
end

return M
