--- The save file: opened, and brought up to date where an earlier version of the game wrote it.
local migrate = require "tombstone.migrate"
local migrations = require "migrations"
local declare = require "models"
local tombstone = require "tombstone"

local M = {}

local THINGS = {
  { name = "Rope", kind = "rope", x = 5, y = 4 },
  { name = "Rope", kind = "rope", x = 7, y = 4 },
  { name = "Rope", kind = "rope", x = 9, y = 4 },
  { name = "Brass key", kind = "key", x = 2, y = 2 },
  { name = "Ruby", kind = "gem", x = 8, y = 7 },
  { name = "Fly agaric", kind = "mushroom", x = 3, y = 8 },
  { name = "Lantern", kind = "lantern", x = 9, y = 1 },
  { name = "Pear", kind = "pear", x = 5, y = 9 },
}

local function runner_of(db)
  return migrate.open(db, { migrations = migrations })
end

local function version_of(runner)
  local version = 0
  for _, migration in ipairs(runner:status()) do
    if migration.state == "missing" then
      error("This save was written by a later version of the game", 0)
    end
    version = version + (migration.state == "applied" and 1 or 0)
  end
  return version
end

-- A copy of the save stays as it was, in case the player goes back to the earlier version.
local function bring_up_to_date(db, path)
  local runner = runner_of(db)
  local version = version_of(runner)
  if version > 0 and version < #migrations then
    db:backup(("%s.version%d"):format(path, version))
  end
  runner:up()
  return version
end

--- Opens a save; a new one gets a meadow.
-- @tparam string path
-- @treturn database
-- @treturn table the models
-- @treturn integer the version that it had, 0 where it is new
-- @treturn integer the version that it has
-- @raise where a later version of the game wrote it
function M.open(path)
  local db = tombstone.open(path, { synchronous = "normal" })
  local version = bring_up_to_date(db, path)
  local models = declare(db)
  db:create_tables() -- which finds all as the models say
  if version == 0 then
    models.Thing:bulk_create(THINGS)
  end
  return db, models, version, #migrations
end

--- Writes a save as version 1 of the game left it, with two apples of one name.
function M.write_version_1(path)
  local db = tombstone.open(path)
  local runner = runner_of(db)
  if version_of(runner) > 0 then
    error("There is a save already, which stays: " .. path, 0)
  end
  runner:up { to = "0001_satchel" }
  local lay = "INSERT INTO things (label, kind, x, y) VALUES (?, ?, ?, ?)"
  for _, thing in ipairs(THINGS) do
    db:exec(lay, thing.name, thing.kind, thing.x, thing.y)
  end
  for slot, label in ipairs { "Apple", "Quill", "Apple" } do
    local kind = label:lower()
    db:exec("INSERT INTO items (label, kind, slot) VALUES (?, ?, ?)", label, kind, slot)
  end
  db:close()
end

return M
