-- operations.lua - what is measured: each operation compares `b` with `a`, raw
-- and tombstone on the same file unless it says otherwise.
--
-- `n` is how often the operation is done, as a part of the living rows of the
-- file. Operations that write get a fresh copy of the file each time.

local function against_raw(operation)
  local file, n = operation.file, operation.n
  operation.run = operation.name
  operation.against = "raw C"
  operation.a = { side = "raw", file = file, n = n }
  operation.b = { side = "tombstone", file = file, n = n }
  return operation
end

-- tombstone against itself: the file with trash has the living rows of the
-- clean one, and 99 dead rows to each.
local function with_trash(operation)
  local n = operation.n
  operation.a = { side = "tombstone", file = "clean", n = n }
  operation.b = { side = "tombstone", file = "trash",
    n = operation.all_rows and n * 100 or n }
  return operation
end

return {
  against_raw { name = "get", label = "get by key",
    target = 1.5, file = "filled", n = 0.5 },
  against_raw { name = "page", label = "page of 50 rows",
    target = 1.2, file = "filled", n = 0.04 },
  against_raw { name = "scan", label = "scan, per row",
    target = 1.3, file = "filled", n = 3 },
  against_raw { name = "insert_many", label = "insert in bulk, per row",
    target = 1.3, file = "empty", n = 1, writes = true },
  against_raw { name = "insert", label = "insert one by one",
    target = 1.6, file = "empty", n = 1, writes = true },
  against_raw { name = "update", label = "load and update",
    target = 1.5, file = "filled", n = 0.2, writes = true },
  against_raw { name = "delete", label = "load and delete",
    target = 1.5, file = "filled", n = 0.2, writes = true },
  against_raw { name = "restore", label = "load and restore",
    target = 1.5, file = "filled", n = 0.2, writes = true },
  against_raw { name = "delete_many", label = "delete in bulk, per row",
    target = 1.2, file = "filled", n = 0.5, writes = true },
  against_raw { name = "restore_many", label = "undo of that, per row",
    target = 1.2, file = "filled", n = 0.5, writes = true },
  with_trash { name = "trash", run = "page", n = 0.2, target = 2.0,
    label = "page of 50 rows, 99 % dead", against = "0 % dead" },
  -- Nothing may grow; where the collector stands in its round may differ.
  with_trash { name = "memory", run = "memory", n = 1, target = 1.1,
    label = "peak memory of a scan", against = "1 % of the rows",
    all_rows = true },
}
