--- Runs the blog of examples/hosts/nginx for its specs.
local cjson = require "cjson"
local helper = require "helper"
local host = require "hosts.host"
local server = require "hosts.server"
local f = require("tombstone").field

local M = {}

local RUN = host.root .. "/examples/hosts/nginx/run"

-- A server with the blog in `folder`.
local function command(folder, port, module)
  local words = { RUN, folder, port }
  for i, word in ipairs(words) do
    words[i] = helper.quote(word)
  end
  return ("env TOMBSTONE=%s %s"):format(helper.quote(module or host.module), table.concat(words, " "))
end

-- What a request is answered: the code and the JSON.
local function asker(port)
  return function(method, path, body)
    local data = body and " -d " .. helper.quote(body) or ""
    local url = helper.quote(("127.0.0.1:%d%s"):format(port, path))
    local text = host.must(("curl -sS -w '\\n%%{http_code}' -X %s %s%s"):format(method, url, data))
    local json, code = text:match "^(.*)\n(%d+)$"
    return tonumber(code), cjson.decode(json)
  end
end

local function is_listening(port)
  return function()
    local _, code = host.run(("curl -s 127.0.0.1:%d/plain"):format(port))
    return code == 0
  end
end

--- Calls `fn` with how to ask a new blog, the running server and its folder.
function M.with_blog(fn, module)
  server.in_open_folder(function(folder)
    local port = server.free_port()
    folder = folder .. "/blog"
    server.during(command(folder, port, module), folder .. ".out", function(nginx)
      nginx:wait("the blog", is_listening(port))
      fn(asker(port), nginx, folder, port)
    end)
  end)
end

--- Calls `fn` with the file, as another process sees it, and its model.
function M.with_database(folder, fn)
  host.with_database(folder .. "/posts.db", function(db)
    return db:model("Post", {
      title = f.char { max_length = 100, unique = true },
      content = f.text { default = "" },
      views = f.integer { default = 0, index = true },
    }, { table = "posts" })
  end, fn)
end

return M
