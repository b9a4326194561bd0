--- What SQLite counts of a statement: the steps of its virtual machine, among them those of a
-- scan, and the rows that it had to sort (`steps.c`).
local helper = require "helper"
local tombstone = require "tombstone"

local M = {}

local here = debug.getinfo(1, "S").source:gsub("^@", ""):gsub("[^/\\]*$", "")
local program

local function output_of(command)
  -- a sanitizer that is loaded into this Lua is not for the compiler
  local pipe = assert(io.popen("exec env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- Makes the program; for setup.
function M.compile()
  program = os.tmpname()
  local command = "cc -O1 -o %s %s -lsqlite3"
  local said = output_of(command:format(helper.quote(program), helper.quote(here .. "steps.c")))
  assert(said == "", "steps.c cannot be compiled: " .. said)
end

--- Removes it; for teardown.
function M.clean()
  os.remove(program)
end

local function argument(value)
  if value == nil or value == tombstone.null then
    return "n:"
  end
  local is_text = type(value) == "string"
  return is_text and "t:" .. value or string.format("i:%.0f", value)
end

--- The work of a statement on a file: `rows`, `steps`, `scanned` and `sorted`.
function M.of(path, sql, values)
  local command = { helper.quote(program), helper.quote(path), helper.quote(sql) }
  for i = 1, values.n do
    command[#command + 1] = helper.quote(argument(values[i]))
  end
  local said = output_of(table.concat(command, " "))
  local work = {}
  work.rows, work.steps, work.scanned, work.sorted = said:match "^(%d+) (%d+) (%d+) (%d+)\n$"
  assert(work.rows, said)
  return work
end

local IS_COUNTED = { SELECT = true, UPDATE = true, DELETE = true }

--- The work of each statement of a log that reads or changes rows, but for those of events.
function M.of_log(path, log)
  local work = {}
  for _, statement in ipairs(log) do
    if IS_COUNTED[statement.sql:match "^%u+"] and not statement.sql:find("tombstone_event", 1, true) then
      local counted = M.of(path, statement.sql, statement.values)
      counted.sql = statement.sql
      work[#work + 1] = counted
    end
  end
  return work
end

--- Fails unless the same statements did the same work on tables without dead rows and with many;
-- `may.sort`: it may sort, `may.more`: so many steps do not count.
function M.compare(name, none, many, may)
  assert(#none == #many, name .. ": not the same number of statements")
  for i = 1, #none do
    local a, b = none[i], many[i]
    local said = name .. ": " .. a.sql
    assert(a.sql == b.sql, said)
    assert(a.rows == b.rows, said .. ": rows " .. a.rows .. " and " .. b.rows)
    -- a search may look at the entry behind the last one, which is not always there
    local more = math.abs(a.steps - b.steps)
    assert(more <= (may.more or 2), said .. ": steps " .. a.steps .. " and " .. b.steps)
    assert(a.scanned == b.scanned, said .. ": steps of a scan " .. a.scanned .. " and " .. b.scanned)
    assert(a.sorted == b.sorted or may.sort, said .. ": sorted")
  end
end

return M
