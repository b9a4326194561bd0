-- bench.lua - runs the operations of both sides in turn and prints one table.
--
--   lua5.4 bench.lua FOLDER [--quick] [--markdown] [--pairs N] [--bound X]
--                           [--only NAME,NAME...]
--
-- The machine is never quiet, so nothing is compared with a number of another
-- run: a measurement is a pair of processes, one after the other, that take
-- turns in going first, and the ratio is the median of the pairs' ratios.
local operations = require "bench.operations"
local report = require "bench.report"

local FULL = { pairs = 7, rows = 100000, living = 10000 }
local QUICK = { pairs = 3, rows = 20000, living = 1000 }

-- ---- processes and files ---------------------------------------------------

local function quoted(text)
  return "'" .. string.gsub(text, "'", "'\\''") .. "'"
end

local function work(side, operation, path, n, rows)
  local command = string.format(
    "lua5.4 spec/bench/worker.lua %s %s %s %d %d && echo done", side,
    operation, quoted(path), n, rows)
  local pipe = assert(io.popen(command))
  local answer = pipe:read "*a"
  pipe:close()
  if not string.find(answer, "done\n$") then
    error("failed: " .. command, 0)
  end
  return answer
end

-- Written out to the disk, or the first commit that syncs pays for the copy.
local function copy(from, to)
  for _, suffix in ipairs { "", "-wal", "-shm" } do
    os.remove(to .. suffix)
  end
  from, to = quoted(from), quoted(to)
  assert(os.execute(string.format("cp %s %s && sync %s", from, to, to)))
end

-- Both sides start from the same bytes; tombstone has made the tables.
local function make_files(folder, scale)
  local function path(name)
    return folder .. "/" .. name .. ".db"
  end
  work("tombstone", "create_tables", path "empty", 0, 0)
  copy(path "empty", path "filled")
  work("raw", "fill", path "filled", 0, scale.rows)
  for _, name in ipairs { "clean", "trash" } do
    copy(path "empty", path(name))
    work("raw", name, path(name), 0, scale.living)
  end
  return path
end

-- ---- measuring -------------------------------------------------------------

local function living_rows(scale, file)
  return (file == "clean" or file == "trash") and scale.living or scale.rows
end

local function measure(operation, which, path, scale)
  local run = operation[which]
  local file = path(run.file)
  local rows = living_rows(scale, run.file)
  if operation.writes then
    copy(file, path "work")
    file = path "work"
  end
  local answer = work(run.side, operation.run, file,
    math.floor(run.n * rows), rows)
  local cost, outcome = string.match(answer, "cost=(%S+) (.-)\n")
  return tonumber(cost), outcome
end

local function check(operation, outcome)
  operation.outcome = operation.outcome or outcome
  if outcome ~= operation.outcome then
    error(string.format("%s: the results differ:\n  %s\n  %s",
      operation.name, operation.outcome, outcome), 0)
  end
  if operation.writes and not string.find(outcome, " wrong=0 ") then
    error(string.format("%s: rows are wrong: %s", operation.name, outcome), 0)
  end
end

local function measure_pair(operation, turn, path, scale)
  local order = turn % 2 == 1 and { "a", "b" } or { "b", "a" }
  local pair = {}
  for _, which in ipairs(order) do
    local cost, outcome = measure(operation, which, path, scale)
    check(operation, outcome)
    pair[which] = cost
  end
  table.insert(operation.pairs, pair)
end

-- The rounds go over all operations, so that a slow minute of the machine
-- does not fall on one of them alone.
local function measure_all(list, path, scale)
  for _, operation in ipairs(list) do
    operation.pairs = {}
  end
  for turn = 1, scale.pairs do
    for _, operation in ipairs(list) do
      measure_pair(operation, turn, path, scale)
    end
  end
end

-- ---- options ---------------------------------------------------------------

local function usage()
  io.stderr:write("usage: spec/bench/run [--quick] [--markdown] [--pairs N] "
    .. "[--bound X] [--only NAME,NAME...]\n")
  os.exit(2)
end

local function read_options(args)
  local options = {}
  local takes_value = { ["--pairs"] = true, ["--bound"] = true,
    ["--only"] = true }
  local i = 2
  while args[i] do
    local name = args[i]
    if name == "--quick" or name == "--markdown" then
      options[string.sub(name, 3)] = true
    elseif takes_value[name] and args[i + 1] then
      i = i + 1
      options[string.sub(name, 3)] = args[i]
    else
      usage()
    end
    i = i + 1
  end
  return options
end

local function chosen(only)
  if not only then
    return operations
  end
  local list = {}
  for _, operation in ipairs(operations) do
    if string.find("," .. only .. ",", "," .. operation.name .. ",", 1, true)
    then
      list[#list + 1] = operation
    end
  end
  if #list == 0 then
    usage()
  end
  return list
end

local function main(args)
  local options = read_options(args)
  local scale = options.quick and QUICK or FULL
  scale.pairs = tonumber(options.pairs) or scale.pairs
  local list = chosen(options.only)
  measure_all(list, make_files(args[1], scale), scale)
  io.write(report.table(list, options.markdown))
  local bound = tonumber(options.bound)
  if bound and report.highest(list) > bound then
    io.stderr:write(string.format("a ratio is above %g\n", bound))
    os.exit(1)
  end
end

local ok, message = pcall(main, arg)
if not ok then
  io.stderr:write("bench: " .. tostring(message) .. "\n")
  os.exit(1)
end
