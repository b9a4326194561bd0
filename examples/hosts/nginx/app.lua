--- The application: opens the blog in each worker, and finds who answers a request.
local blog = require "api.blog"
local clock = require "api.clock"
local posts = require "api.posts"
local reply = require "api.reply"
local trash = require "api.trash"
local turn = require "api.turn"

local M = {}

local ROUTES = {
  { "GET", "^/posts$", posts.list },
  { "POST", "^/posts$", posts.create },
  { "GET", "^/posts/(%d+)$", posts.show },
  { "PATCH", "^/posts/(%d+)$", posts.update },
  { "DELETE", "^/posts/(%d+)$", posts.delete },
  { "POST", "^/posts/(%d+)/restore$", posts.restore },
  { "GET", "^/trash$", trash.list },
  { "POST", "^/trash/(%d+)/undo$", trash.undo },
  { "GET", "^/events$", trash.events },
}

--- Opens the database of this worker. What goes wrong stands in the error log, and requests are
--- answered by 503.
function M.open()
  local ok, problem = pcall(blog.open, ngx.config.prefix() .. "posts.db")
  if not ok then
    ngx.log(ngx.ERR, "the blog cannot be opened: ", tostring(problem))
  elseif problem then
    ngx.log(ngx.WARN, problem)
  end
end

local function find(method, path)
  local is_known = false
  for _, route in ipairs(ROUTES) do
    local id = path:match(route[2])
    if id and route[1] == method then
      return route[3], id
    end
    is_known = is_known or id ~= nil
  end
  return reply.refuse(is_known and "method" or "not_found", ("There is no %s %s"):format(method, path))
end

local function answer(request)
  if not blog.db then
    reply.refuse("connection", "The database is not open", "the error log of the server says why")
  end
  local handler, id = find(request.method, request.path)
  return handler(request, id)
end

-- Nothing in here yields to another request, so that no two share a transaction.
local function answer_now(request)
  local from = clock.now()
  reply.send(pcall(answer, request))
  ngx.var.handler_us = ("%.0f"):format((clock.now() - from) * 1e6)
end

local function answer_in_turn(request)
  local ok, err = pcall(turn.take)
  if not ok then
    return reply.send(false, err)
  end
  ok, err = pcall(answer_now, request)
  turn.give()
  if not ok then
    error(err, 0)
  end
end

--- Answers a request. nginx may switch to another one while this reads the body and waits for its
--- turn to write.
function M.handle()
  ngx.req.read_body()
  local request = {
    method = ngx.req.get_method(),
    path = ngx.var.uri,
    args = ngx.req.get_uri_args(),
    body = ngx.req.get_body_data(),
  }
  if request.method == "GET" then
    answer_now(request)
  else
    answer_in_turn(request)
  end
end

return M
