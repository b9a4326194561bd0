-- The two workers of examples/hosts/nginx write to one file, and are killed while they do.
local host = require "hosts.host"
if not host.runs "luajit" then
  return
end

local helper = require "helper"
local nginx_blog = require "hosts.nginx"
local server = require "hosts.server"

local with_blog, with_database = nginx_blog.with_blog, nginx_blog.with_database

local function drive(port, folder, seconds)
  local seed = helper.seed()
  return ("wrk -t1 -c8 -d%d -s spec/hosts/nginx_mixed.lua http://127.0.0.1:%d -- %s %d"):format(
    seconds, port, helper.quote(folder .. "/notes"), seed)
end

-- What the clients have been promised: how many posts and events, and which.
local function promises(folder)
  local found = { post = {}, event = {}, refused = {} }
  for what, id in server.read(folder .. "/notes"):gmatch "(%l+) (%d+)\n" do
    table.insert(found[what], tonumber(id))
  end
  assert.is_true(#found.post > 20, "too few posts for a test")
  assert.is_true(#found.event > 10, "too few deletions for a test")
  return found
end

local function scalar(db, sql)
  local rows = db:query(sql)
  return select(2, next(rows[1]))
end

-- Nothing that was promised is lost, nothing is there twice, and each dead post belongs to one event
-- that stands.
local function assert_whole(folder, given)
  with_database(folder, function(db, Post)
    assert.equal("ok", scalar(db, "PRAGMA integrity_check"))
    for _, id in ipairs(given.post) do
      assert.is_truthy(Post.all_objects:find(id), "post " .. id .. " is lost")
    end
    for _, id in ipairs(given.event) do
      assert.is_truthy(db:events({ id = id })[1], "event " .. id .. " is lost")
    end
    local titles = {}
    for post in Post.objects:each() do
      assert.is_nil(titles[post.title], "two living posts are called " .. post.title)
      titles[post.title] = true
    end
    for event in Post.deleted_objects:each() do
      assert.is_nil(db:events({ id = event.deleted_event })[1].undone_at)
    end
    assert.equal(#db:events { undone = false }, Post.deleted_objects:count())
  end)
end

-- Which codes the workers gave for requests of this method; and which workers did.
local function log_of(folder, method)
  local codes, workers = {}, {}
  for name, code, pid in server.read(folder .. "/access.log"):gmatch "(%u+) %S+ (%d+) %S+ (%d+)\n" do
    workers[tonumber(pid)] = true
    if name == method then
      codes[tonumber(code)] = (codes[tonumber(code)] or 0) + 1
    end
  end
  return codes, workers
end

describe("two workers of nginx", function()
  it("write to one file at the same time", function()
    with_blog(function(_, nginx, folder, port)
      host.must(drive(port, folder, 3))
      local given = promises(folder)
      local _, workers = log_of(folder, "DELETE")
      for _, pid in ipairs(nginx:children()) do
        assert.is_true(workers[pid], "a worker has had nothing to do")
      end
      -- Where the disk stands still for seconds, others may be told to come back.
      for _, code in ipairs(given.refused) do
        assert.is_true(code == 404 or code == 409 or code == 503, "refused with " .. code)
      end
      for line in server.read(folder .. "/error.log"):gmatch "[^\n]*%[error%][^\n]*" do
        assert.is_truthy(line:find("busy: ", 1, true), line)
      end
      with_database(folder, function(db, Post)
        nginx:wait("as many rows as were answered for", function()
          local created, deleted = log_of(folder, "POST")[201], log_of(folder, "DELETE")[200]
          return created == Post.all_objects:count() and deleted == #db:events()
        end)
        -- Eight clients may have left before their last answer came.
        assert.is_true(Post.all_objects:count() - #given.post <= 8)
        assert.is_true(#db:events() - #given.event <= 8)
      end)
      assert_whole(folder, given)
    end)
    host.passed("nginx", "two workers on one file")
  end)

  it("come back when they are killed, and lose nothing", function()
    with_blog(function(ask, nginx, folder, port)
      local load = server.start(drive(port, folder, 5), folder .. ".wrk")
      for _ = 1, 3 do
        local before, noted = nginx:children(), #server.read(folder .. "/notes")
        nginx:wait("some answers", function()
          return #server.read(folder .. "/notes") > noted + 200
        end)
        os.execute("kill -KILL " .. before[1])
        nginx:wait("another worker", function()
          local now = nginx:children()
          return #now == 2 and now[1] ~= before[1] and now[2] ~= before[1]
        end)
      end
      server.wait("the end of the load", function()
        return not load:is_alive()
      end)
      nginx:wait("a new post", function()
        return ask("POST", "/posts", '{"title":"after all that"}') == 201
      end)
      assert_whole(folder, promises(folder))
    end)
    host.passed("nginx", "a killed worker")
  end)
end)
