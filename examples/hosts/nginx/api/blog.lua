--- The database of a worker and its model.
local M = {}

local function at_least_none(number)
  return number >= 0, "is negative"
end

--- Opens it; sets `db` and `Post`.
-- @treturn string|nil what is wrong with this SQLite, if anything is
function M.open(path)
  local tombstone = require "tombstone"
  local f = tombstone.field
  -- Milliseconds. Writers of this program wait elsewhere (turn.lua), so this is for other programs.
  local db = tombstone.open(path, { busy_timeout = 1000 })
  M.Post = db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    content = f.text { default = "" },
    views = f.integer { default = 0, index = true, check = at_least_none },
  }, { table = "posts" })
  db:create_tables()
  M.db = db
  return db:info().warning
end

--- A time in JSON.
function M.moment(seconds)
  return seconds and os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

--- A post in JSON; one in the trash shows the title that it had.
function M.shown(post)
  return {
    id = post.id,
    title = post:original "title",
    content = post.content,
    views = post.views,
    deleted_at = M.moment(post.deleted_at),
    deleted_event = post.deleted_event,
  }
end

return M
