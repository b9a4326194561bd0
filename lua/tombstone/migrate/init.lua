--- Migrations: changes of the schema, as Lua that people can read.
--
--     local migrate = require "tombstone.migrate"
--     local runner = migrate.open(db, { migrations = "migrations" })
--     runner:up()
--
-- @module tombstone.migrate
local models = require "tombstone.migrate.models"
local recognise = require "tombstone.migrate.recognise"
local runner = require "tombstone.migrate.runner"
local schema = require "tombstone.migrate.schema"

return {
  --- A runner; see `tombstone.migrate.runner`.
  open = runner.open,
  --- What makes a database what its models say; see `tombstone.migrate.models`.
  diff = models.diff,
  --- Writes that into the next file of a folder; see `tombstone.migrate.models`.
  write = models.write,
  --- How a table of others marks deleted rows; see `tombstone.migrate.recognise`.
  recognise = recognise.recognise,
  --- The schema of a database, as a plain table; see `tombstone.migrate.schema`.
  schema = schema.read,
}
