--- Posts: list, create, show, change, delete, restore.
local blog = require "api.blog"
local params = require "api.params"
local reply = require "api.reply"

local M = {}

function M.list(request)
  local posts = params.living(blog.Post.objects, request.args):all()
  return 200, '{"posts":' .. reply.list(posts, blog.shown) .. "}"
end

function M.create(request)
  return 201, blog.shown(blog.Post:create(params.values(request.body)))
end

function M.show(_, id)
  return 200, blog.shown(blog.Post.objects:get(id))
end

function M.update(request, id)
  return 200, blog.shown(blog.Post.objects:get(id):update(params.values(request.body)))
end

--- `?actor=ana&reason=spam`. The event is what undoes it.
function M.delete(request, id)
  local event = blog.Post.objects:get(id):delete(params.texts(request.args, "actor", "reason"))
  if not event then
    reply.refuse("not_found", "There is no Post " .. id) -- another worker was faster
  end
  return 200, { event = event.id }
end

local CHOICES = { fail = true, rename = true, replace = true }

--- `?on_conflict=rename` or `replace`; else a title that is taken is a 409 that says by whom.
function M.restore(request, id)
  local choice = params.texts(request.args, "on_conflict").on_conflict or "fail"
  if not CHOICES[choice] then
    reply.refuse("validation", "on_conflict is not known", "one of fail rename replace")
  end
  local post = blog.Post.all_objects:get(id)
  post:restore { on_conflict = choice }
  return 200, blog.shown(post)
end

return M
