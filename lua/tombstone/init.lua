--- tombstone: an ORM core whose first-class citizen is soft delete.
--
--     local tombstone = require "tombstone"
--     local f = tombstone.field
--     local db = tombstone.open "blog.db"
--     local Post = db:model("Post", { title = f.char { max_length = 100, unique = true } })
--     db:create_tables()
--
-- @module tombstone
local core = require "tombstone.core"
local condition = require "tombstone.condition"
local expression = require "tombstone.expression"
local database = require "tombstone.database"
local json = require "tombstone.json"

return {
  _VERSION = core._VERSION,
  --- Opens a database; see `tombstone.database`.
  open = database.open,
  --- The words that declare fields; see `tombstone.field`.
  field = require "tombstone.field",
  --- NULL in values and filters; the null of lua-cjson and ngx is the same.
  null = core.null,
  --- Conditions that combine; see `tombstone.condition`.
  Q = condition.Q,
  all = condition.all,
  any = condition.any,
  none = condition.none,
  --- Arithmetic and aggregates over fields; see `tombstone.expression`.
  F = expression.F,
  count = expression.count,
  sum = expression.sum,
  min = expression.min,
  max = expression.max,
  avg = expression.avg,
  --- The most memory that SQLite may have in this process, in bytes: `tombstone.memory_limit(n)`,
  -- where 0 is no limit, answers what it was. Beyond it calls raise `not enough memory`.
  memory_limit = core.memory_limit,
  --- Sets the JSON codec: `tombstone.json(encode, decode)`.
  json = json.use,
}
