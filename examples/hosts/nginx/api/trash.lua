--- The trash and the events that put posts there.
local blog = require "api.blog"
local params = require "api.params"
local reply = require "api.reply"

local M = {}

function M.list(request)
  local posts = params.dead(blog.Post.deleted_objects, request.args):all()
  return 200, '{"posts":' .. reply.list(posts, blog.shown) .. "}"
end

--- Brings back what a deletion took and still holds; a title that is taken is a 409.
function M.undo(_, id)
  local event = blog.db:events({ id = id })[1]
  if not event then
    reply.refuse("not_found", "There is no event " .. id)
  end
  return 200, { restored = event:undo() }
end

local function shown(event)
  return {
    id = event.id, at = blog.moment(event.at), post = tonumber(event.pk),
    actor = event.actor, reason = event.reason, undone_at = blog.moment(event.undone_at),
  }
end

local DAY = 24 * 60 * 60

--- Those of the last day, or of `?days=7`; of one actor, of one reason.
function M.events(request)
  local asked = params.texts(request.args, "actor", "reason", "days")
  local days = tonumber(asked.days or 1)
  if not days or days ~= days or days < 0 or days > 3650 then
    reply.refuse("validation", "days is a number from 0 to 3650")
  end
  local since = ngx.time() - days * DAY
  local events = blog.db:events { actor = asked.actor, reason = asked.reason, since = since }
  return 200, '{"events":' .. reply.list(events, shown) .. "}"
end

return M
