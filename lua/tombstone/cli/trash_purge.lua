--- `tombstone trash purge`
-- @module tombstone.cli.trash_purge
local output = require "tombstone.cli.output"
local plan = require "tombstone.cli.plan"
local refusal = require "tombstone.cli.refusal"
local selection = require "tombstone.cli.selection"

local M = {
  name = "purge",
  summary = "Remove rows in the trash for good, all that are asked for or none.",
  epilog = "One transaction: Ctrl-C leaves everything as it was. Ends with 3 where nothing fits.",
}

-- Rows that go between two looks at Ctrl-C and two drawings of the progress.
local CHUNK = 1000

function M.arguments(command)
  selection.arguments(command)
  selection.all_argument(command)
  command:flag("--expired", "What is longer dead than the keep of its model, and events without rows.")
  command:flag("--dry-run", "Only say what would happen."):target "dry_run"
end

-- ---- looking ahead ----------------------------------------------------------------------------

local function add(to, counts)
  for name, n in pairs(counts) do
    to[name] = (to[name] or 0) + n
  end
end

-- What each set takes along. Rows may go along with several, so that this is the most.
local function look_ahead(sets)
  local found = { along = {}, kept = {}, needed = {} }
  for _, set in ipairs(sets) do
    local _, report = set.query:purge { dry_run = true, all = true }
    report.rows[set.name] = report.rows[set.name] - set.count
    add(found.along, report.rows)
    add(found.kept, report.kept)
    for _, need in ipairs(report.needed) do
      table.insert(found.needed, need)
    end
  end
  return found
end

local function show(out, sets, found)
  local rows, names = {}, {}
  local function at_most(n)
    return #sets > 1 and "up to " .. n or n
  end
  for name, n in pairs(found.along) do
    names[#names + 1] = n > 0 and name or nil
  end
  local chosen = selection.counts(sets)
  for _, set in ipairs(sets) do
    local along = found.along[set.name] or 0
    rows[#rows + 1] = { set.name, set.count, along > 0 and at_most(along) or nil }
  end
  table.sort(names)
  for _, name in ipairs(names) do
    if not chosen[name] then
      rows[#rows + 1] = { name, nil, at_most(found.along[name]) }
    end
  end
  out:table({ "MODEL", "PURGED", "GO ALONG" }, rows)
  plan.show_counts(out, found.kept, "LINKS BECOME NULL")
end

local function need_nobody(needed)
  local need = needed[1]
  if need then
    local example = need.example ~= nil and (", as %s %s"):format(need.model, tostring(need.example)) or ""
    local who = ("%d living of %s"):format(need.count, need.model)
    local message = ("%s need these rows as their %s%s"):format(who, need.field, example)
    refusal.raise(message, "delete or move them first")
  end
end

local function needed_told(needed)
  local list = output.list {}
  for i, need in ipairs(needed) do
    list[i] = { model = need.model, field = need.field, count = need.count, example = need.example }
  end
  return list
end

-- ---- rows that are asked for --------------------------------------------------------------------

-- By ranges of the key, each a call of its own: between them Lua runs, draws the progress and
-- hears Ctrl-C, which one long call would not.
local function purge_set(context, set, report)
  local key = selection.key_field(set.model).name
  local rest, done = set.query:order_by(key), 0
  local keys = rest:limit(CHUNK):pluck(key)
  while #keys > 0 do
    local _, went = set.model.deleted_objects:filter(key .. "__in", keys):purge()
    add(report.rows, went.rows)
    add(report.kept, went.kept)
    done = done + #keys
    context.terminal:progress("Purging " .. set.name, done, set.count)
    keys = rest:filter(key .. "__gt", keys[#keys]):limit(CHUNK):pluck(key)
  end
end

-- Children before their parents, so that each row counts as what was asked for.
local function purge_all(context, sets)
  local report = { rows = {}, kept = {} }
  for i = #sets, 1, -1 do
    purge_set(context, sets[i], report)
  end
  context.terminal:clear()
  return report
end

local function told(sets, found, report)
  return {
    asked_for = selection.counts(sets),
    along_at_most = found.along,
    needed = needed_told(found.needed),
    purged = report.rows,
    links_cleared = report.kept,
  }
end

local function finish(out, report)
  local total = plan.sum(report.rows)
  out:line(plan.rows(total) .. (total == 1 and " is" or " are") .. " gone.", "green")
end

local NONE = { rows = {}, kept = {} }

local function purge_chosen(context, arguments)
  selection.need_narrow(arguments)
  local db, out = context:db(), context.out
  local sets, total = selection.counted(db, arguments)
  if total == 0 then
    out:line "Nothing in the trash fits."
    out:result(told(sets, { along = {}, needed = {} }, NONE))
    return refusal.NOTHING
  end
  local found = look_ahead(sets)
  show(out, sets, found)
  if arguments.dry_run then
    out:result(told(sets, found, NONE))
    return
  end
  need_nobody(found.needed)
  if not context:agreed("Remove " .. plan.rows(total) .. " for good?") then
    refusal.raise "not agreed, nothing was changed"
  end
  local report = context:transaction(function()
    selection.need_same(db, arguments, sets)
    return purge_all(context, sets)
  end)
  finish(out, report)
  out:result(told(sets, found, report))
end

-- ---- rows that are expired -----------------------------------------------------------------------

local function expired_told(report, is_done)
  return {
    purged = is_done and report.rows or {},
    expired = report.rows,
    events = report.events.removed,
    left = report.left,
    needed = needed_told(report.needed),
    links_cleared = report.kept,
  }
end

local function purge_expired(context, arguments)
  local db, out = context:db(), context.out
  local _, ahead = db:purge_expired { dry_run = true }
  local total = plan.sum(ahead.rows)
  plan.show_counts(out, ahead.rows, "EXPIRED")
  plan.show_counts(out, ahead.left, "STAY, NEEDED BY OTHERS")
  if ahead.events.removed > 0 then
    out:line(("Events that hold no row any more: %d"):format(ahead.events.removed))
  end
  if total == 0 and ahead.events.removed == 0 then
    out:line "Nothing is expired."
    out:result(expired_told(ahead))
    return refusal.NOTHING
  elseif arguments.dry_run then
    out:result(expired_told(ahead))
    return
  end
  local question = ("Remove %s and %d events for good?"):format(plan.rows(total), ahead.events.removed)
  if not context:agreed(question) then
    refusal.raise "not agreed, nothing was changed"
  end
  local report = context:transaction(function()
    local _, done = db:purge_expired()
    return done
  end)
  finish(out, report)
  out:result(expired_told(report, true))
end

function M.run(context, arguments)
  if arguments.expired and selection.is_said(arguments) then
    refusal.raise("--expired is of all models", "leave out what says which rows", refusal.USAGE)
  elseif arguments.expired then
    return purge_expired(context, arguments)
  end
  return purge_chosen(context, arguments)
end

return M
