--- What a database remembers of its migrations: the table `tombstone_migration`.
-- @module tombstone.migrate.history
local core = require "tombstone.core"
local schema = require "tombstone.migrate.schema"

local M = {}

M.TABLE = "tombstone_migration"

local CREATE = [[CREATE TABLE IF NOT EXISTS tombstone_migration (
  name text NOT NULL PRIMARY KEY, checksum text, applied_at datetime NOT NULL,
  seconds real, finished boolean NOT NULL)]]

--- The migrations that are applied, or were begun.
-- @tparam database db
-- @treturn {[string]=table} by name: `name`, `checksum`, `applied_at`, `seconds`, `finished` (0 or 1)
function M.read(db)
  local found = {}
  if schema.has(db, M.TABLE) then
    for _, row in ipairs(db:query "SELECT * FROM tombstone_migration") do
      found[row.name] = row
    end
  end
  return found
end

--- Notes a migration; `finished` is false while one outside of a transaction runs.
-- @tparam database db
-- @tparam table migration
-- @bool finished
-- @tparam[opt] number seconds that it took
function M.note(db, migration, finished, seconds)
  if not os then
    core.misuse("The history of migrations needs os.date, which this Lua has not", "let the host migrate")
  end
  db:exec(CREATE)
  db:exec("DELETE FROM tombstone_migration WHERE name = ?", migration.name)
  db:exec(
    "INSERT INTO tombstone_migration (name, checksum, applied_at, seconds, finished) VALUES (?, ?, ?, ?, ?)",
    migration.name,
    migration.checksum or core.null,
    os.date("!%Y-%m-%d %H:%M:%S", math.floor(db:now())),
    seconds or core.null,
    finished and 1 or 0
  )
end

--- Forgets a migration that was taken back.
function M.forget(db, migration)
  db:exec("DELETE FROM tombstone_migration WHERE name = ?", migration.name)
end

--- Takes a migration's file as it is now for the one that was applied.
function M.accept(db, migration)
  db:exec(
    "UPDATE tombstone_migration SET checksum = ? WHERE name = ?",
    migration.checksum or core.null,
    migration.name
  )
end

-- Migrations of a program have no checksum.
local function is_edited(row, migration)
  return row.checksum and migration.checksum and row.checksum ~= migration.checksum
end

local function state_of(row, migration)
  if not row then
    return "pending"
  end
  if not migration then
    return "missing"
  end
  if row.finished ~= 1 then
    return "unfinished"
  end
  return is_edited(row, migration) and "edited" or "applied"
end

--- How files and database stand to each other.
-- @tparam database db
-- @tparam {table,...} list of migrations
-- @treturn {table,...} in order: `name`, `state` (`"applied"`, `"pending"`, `"unfinished"`, `"edited"`,
-- `"missing"`), `applied_at` (text, UTC), `seconds`, `migration`
function M.status(db, list)
  local rows, entries = M.read(db), {}
  local function add(name, row, migration)
    entries[#entries + 1] = {
      name = name,
      state = state_of(row, migration),
      applied_at = row and row.applied_at,
      seconds = row and row.seconds,
      migration = migration,
    }
  end
  for _, migration in ipairs(list) do
    add(migration.name, rows[migration.name], migration)
    rows[migration.name] = nil
  end
  for name, row in pairs(rows) do
    add(name, row, nil)
  end
  table.sort(entries, function(a, b)
    return a.name < b.name
  end)
  return entries
end

local REFUSALS = {
  edited = {
    "was edited after it was applied",
    "put the file back and write a new migration; or migrate with --accept-edited",
  },
  missing = {
    "is applied, but its file is missing",
    "put the file back; or migrate with --accept-edited, which forgets it",
  },
}

--- Raises `migration` where applied files were edited or are missing.
-- @tparam {table,...} entries what `status` answered
function M.check(entries)
  for _, entry in ipairs(entries) do
    local refusal = REFUSALS[entry.state]
    if refusal then
      core.fail("migration", ("Migration '%s' %s"):format(entry.name, refusal[1]), refusal[2])
    end
  end
end

return M
