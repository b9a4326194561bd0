-- A process that migrates until it is killed: migrator.lua FILE ROWS
--
-- The first migration fills a table, the others rebuild it, move its data and run a long step
-- outside of a transaction. A line tells of each that is committed.
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"

local M = {}

--- The migrations; all of them together leave the rows as `check` wants them.
function M.migrations(rows)
  return {
    {
      name = "0001_create",
      up = function(m)
        m:create_table(
          "item",
          { { "id", "integer", key = true }, { "n", "text" }, { "note", "text", null = true } }
        )
        m:add_index("item", { "n" })
        m:execute(([[WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d)
          INSERT INTO item (n, note) SELECT n, 'note ' || n FROM i]]):format(rows))
      end,
    },
    {
      name = "0002_rebuild",
      up = function(m)
        m:change_column("item", { "n", "integer" }, { using = "CAST(n AS integer)" })
      end,
    },
    {
      name = "0003_double",
      up = function(m)
        m:update("item", { n = "n * 2", note = "note || '!'" })
      end,
    },
    {
      name = "0004_outside",
      transaction = false,
      up = function(m)
        m:update("item", { note = "NULL" }, { where = "id % 2 = 0 AND note IS NOT NULL" })
        m:execute "VACUUM"
      end,
    },
    {
      name = "0005_rebuild_again",
      up = function(m)
        m:add_column("item", { "half", "integer", using = "n / 2" })
      end,
    },
  }
end

--- What is wrong with a file, or nil. `done` is how many migrations it says are applied.
function M.fault(db, rows, done)
  local item = db:query "SELECT count(*) AS n FROM sqlite_master WHERE name = 'item'"
  if done == 0 then
    return item[1].n ~= 0 and "a table before its migration" or nil
  end
  local sums = db:query "SELECT count(*) AS n, sum(n) AS sum, max(id) AS id, count(note) AS notes FROM item"
  local expected = rows * (rows + 1) / 2 * (done >= 3 and 2 or 1)
  if sums[1].n ~= rows or sums[1].id ~= rows or sums[1].sum ~= expected then
    return ("%s rows, sum %s after %d"):format(tostring(sums[1].n), tostring(sums[1].sum), done)
  end
  local ends = db:query "SELECT count(*) AS n FROM item WHERE note LIKE '%!'"
  if (done == 3 and ends[1].n > rows) or (done < 3 and ends[1].n ~= 0) then
    return "notes that were not meant"
  end
  if done >= 4 and sums[1].notes ~= rows - math.floor(rows / 2) then
    return "notes left"
  end
end

local function main(path, rows)
  local db = tombstone.open(path, { synchronous = "normal" })
  local list = M.migrations(tonumber(rows))
  for i = 1, #list do
    for _, name in ipairs(migrate.open(db, { migrations = list }):up { to = i }) do
      io.write(name, "\n")
      io.flush()
    end
  end
  db:close()
end

if arg and arg[0] and arg[0]:match "migrator%.lua$" then
  main(arg[1], arg[2])
end

return M
