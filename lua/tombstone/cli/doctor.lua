--- `tombstone doctor`
-- @module tombstone.cli.doctor
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "doctor",
  summary = "Look for what is wrong with the database, and say what to do.",
  epilog = "Ends with 1 where an error is left.",
}

function M.arguments(command)
  command:flag("--fix", "Mend what can be mended safely.")
end

local COLOURS = { error = "red", warning = "yellow", info = "cyan" }

local function show(out, findings)
  for _, finding in ipairs(findings) do
    local mendable = finding.fix and " (--fix does it)" or ""
    out:line(finding.severity .. ": " .. output.plain(finding.message), COLOURS[finding.severity])
    out:line("  " .. output.plain(finding.remedy) .. mendable)
  end
end

local function told(findings)
  local list = output.list {}
  for i, finding in ipairs(findings) do
    list[i] = {
      problem = finding.problem,
      severity = finding.severity,
      table = finding.table,
      message = finding.message,
      remedy = finding.remedy,
      fixable = finding.fix ~= nil,
    }
  end
  return list
end

local function code_of(findings)
  for _, finding in ipairs(findings) do
    if finding.severity == "error" then
      return refusal.FAILED
    end
  end
  return refusal.DONE
end

local function mendable(findings)
  local list = {}
  for _, finding in ipairs(findings) do
    list[#list + 1] = finding.fix and finding or nil
  end
  return list
end

local function say(out, findings)
  show(out, findings)
  if #findings == 0 then
    out:line("Nothing is wrong.", "green")
  end
end

-- A program may have none, or an empty folder.
local function options_of(context)
  local folder = context:settings().migrations
  local ok, lfs = pcall(require, "lfs")
  local is_there = false
  if ok and lfs.attributes(folder, "mode") == "directory" then
    for name in lfs.dir(folder) do
      is_there = is_there or name:match "%.lua$" ~= nil
    end
  end
  return { migrations = is_there and folder or nil }
end

local LOOK = "leave --fix out"

-- What is left is said at the end.
local function mend(context, doctor, findings)
  local out, ill = context.out, mendable(findings)
  show(out, ill)
  if #ill > 0 and not context:agreed(("Mend %s?"):format(#ill == 1 and "this" or "these " .. #ill), LOOK) then
    refusal.raise "not agreed, nothing was changed"
  end
  local mended, left = doctor.fix(context:db(), options_of(context), findings)
  for _, finding in ipairs(mended) do
    out:line("mended: " .. output.plain(finding.message), "green")
  end
  say(out, left)
  out:result { mended = told(mended), findings = told(left) }
  return code_of(left)
end

function M.run(context, arguments)
  local doctor = require "tombstone.migrate.doctor"
  local findings = doctor.check(context:db { read_only = not arguments.fix }, options_of(context))
  if arguments.fix then
    return mend(context, doctor, findings)
  end
  say(context.out, findings)
  context.out:result { findings = told(findings) }
  return code_of(findings)
end

return M
