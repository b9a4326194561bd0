-- worker.lua - one operation of one side, in a process of its own.
--
--   lua5.4 worker.lua SIDE OPERATION FILE TURNS ROWS
--
-- ROWS are the living rows of the file, by which data.lua computes. Prints
-- what a turn cost and what came of it, for bench.lua.
local raw = require "raw"
local data = require "bench.data"

local CACHE_KIB = 65536
-- A memory run has a cache that the small file fills too, so that only what
-- grows with the rows can make a difference.
local SMALL_CACHE_KIB = 256

-- A sum over rows that depends on their order, small enough for a double.
local function new_sum()
  local sum = { value = 0 }
  function sum.add(row)
    sum.value = (sum.value * 31 + row.id + row.views) % 2147483648
  end
  function sum.add_all(rows)
    for i = 1, #rows do
      sum.add(rows[i])
    end
  end
  return sum
end

-- Reads every row, which warms the cache and proves that the sides read alike.
local function read_all(side, sum)
  side.each(function(row)
    sum.add(row)
    sum.value = sum.value + #row.title + #row.content
      + row.title:byte(12) + row.content:byte(22)
  end)
end

local function peak_kib()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmHWM:%s*(%d+) kB"
    if kib then
      return tonumber(kib)
    end
  end
end

local NOTHING_TO_READ = { insert = true, insert_many = true, memory = true }
local READS = { get = true, page = true, scan = true, memory = true }

local function measure(side, name, n, rows)
  local sum = new_sum()
  if not NOTHING_TO_READ[name] then
    read_all(side, sum)
  end
  local run = side[name](n, rows, sum)
  collectgarbage()
  collectgarbage()
  local start = raw.now()
  run()
  local seconds = raw.now() - start
  if name == "memory" then
    return peak_kib() / 1024, sum.value
  end
  return seconds / n * 1e6, sum.value
end

-- Files that the operations start from.
local function prepare(side, name, rows)
  side.exec "PRAGMA synchronous = OFF"
  if name == "create_tables" then
    side.create_tables()
  elseif name == "fill" then
    side.exec(data.fill(rows))
  else
    side.exec(data.trash(rows, name == "trash"))
  end
end

local function state_of(path, rows)
  local db = raw.open(path)
  local state = db.text(data.state(rows))
  db.close()
  return state
end

local function main(side_name, name, path, n, rows)
  local side = require("bench." .. side_name .. "_side")
  side.open(path)
  if n == 0 then
    prepare(side, name, rows)
    side.close()
    return
  end
  side.exec("PRAGMA cache_size = -"
    .. (name == "memory" and SMALL_CACHE_KIB or CACHE_KIB))
  local cost, sum = measure(side, name, n, rows)
  side.close()
  local state = READS[name] and "" or state_of(path, rows)
  print(string.format("cost=%.6f sum=%d %s", cost, sum, state))
end

main(arg[1], arg[2], arg[3], tonumber(arg[4]), tonumber(arg[5]))
