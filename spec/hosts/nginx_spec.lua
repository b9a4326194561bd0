-- The blog of examples/hosts/nginx: its API, and what is said of the wrong module.
local host = require "hosts.host"
if not host.runs "luajit" then
  return
end

local foreign = require "hosts.foreign"
local helper = require "helper"
local nginx_blog = require "hosts.nginx"
local server = require "hosts.server"

local with_blog, with_database = nginx_blog.with_blog, nginx_blog.with_database

describe("the blog in nginx", function()
  it("creates, shows, changes, deletes and undoes", function()
    with_blog(function(ask, _, folder)
      assert.same({ posts = {} }, select(2, ask("GET", "/posts")))
      local code, post = ask("POST", "/posts", '{"title":"Hello","content":"…"}')
      assert.equal(201, code)
      assert.same({ id = 1, title = "Hello", content = "…", views = 0 }, post)
      assert.equal(200, (ask("PATCH", "/posts/1", '{"views":7}')))
      assert.equal(7, select(2, ask("GET", "/posts/1")).views)

      assert.same({ event = 1 }, select(2, ask("DELETE", "/posts/1?actor=ana&reason=spam")))
      assert.equal(404, (ask("GET", "/posts/1")))
      assert.equal(404, (ask("DELETE", "/posts/1")))
      assert.equal("Hello", select(2, ask("GET", "/trash")).posts[1].title)
      local event = select(2, ask("GET", "/events?actor=ana")).events[1]
      assert.equal("spam", event.reason)
      assert.equal(1, event.post)

      assert.same({ restored = 1 }, select(2, ask("POST", "/trash/1/undo")))
      assert.equal(404, (ask("POST", "/trash/2/undo")))
      assert.equal(7, select(2, ask("GET", "/posts/1")).views)
      assert.same({ posts = {} }, select(2, ask("GET", "/trash")))
      with_database(folder, function(db, Post)
        assert.equal("Hello", Post.objects:get(1).title)
        assert.is_number(db:events({ id = 1 })[1].undone_at)
      end)
    end)
    host.passed("nginx", "delete, undo")
  end)

  it("is driven by the commands of its README", function()
    with_blog(function(_, _, _, port)
      local codes = {}
      for _, line in ipairs(server.commands "examples/hosts/nginx/README.md") do
        if line:match "^curl" then
          line = line:gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port)
          line = line:gsub("curl ", "curl -sS -w '\\n=%%{http_code}\\n' ")
          for code in host.must(line):gmatch "\n=(%d+)\n" do
            codes[#codes + 1] = code
          end
        end
      end
      assert.equal("201 200 200 200 200 200 201 409 200", table.concat(codes, " "))
    end)
  end)

  it("says what a restore runs into, and resolves it", function()
    with_blog(function(ask)
      ask("POST", "/posts", '{"title":"Hello"}')
      ask("DELETE", "/posts/1")
      ask("POST", "/posts", '{"title":"Hello","content":"a newcomer takes the title"}')
      for _, path in ipairs { "/posts/1/restore", "/trash/1/undo" } do
        local code, answer = ask("POST", path)
        assert.equal(409, code)
        local err = answer.error
        assert.equal("integrity", err.kind)
        assert.equal("unique", err.constraint)
        assert.same({ "title" }, err.fields)
        assert.same({ { dead_pk = 1, live_pk = 2 } }, err.conflicts)
        assert.is_truthy(err.hint:find("rename", 1, true))
      end
      assert.equal(422, (ask("POST", "/posts/1/restore?on_conflict=skip")))
      local code, post = ask("POST", "/posts/1/restore?on_conflict=rename")
      assert.equal(200, code)
      assert.equal("Hello (restored)", post.title)

      ask("DELETE", "/posts/1")
      ask("POST", "/posts", '{"title":"Hello (restored)"}')
      assert.equal(200, (ask("POST", "/posts/1/restore?on_conflict=replace")))
      assert.equal(3, select(2, ask("GET", "/trash")).posts[1].id)
    end)
    host.passed("nginx", "restore with conflict")
  end)

  it("filters and pages by known fields only", function()
    with_blog(function(ask)
      for i = 1, 5 do
        ask("POST", "/posts", ('{"title":"Post %d","views":%d}'):format(i, i))
      end
      local function titles(path)
        local list = {}
        for i, post in ipairs(select(2, ask("GET", path)).posts) do
          list[i] = post.title:match "%d"
        end
        return table.concat(list)
      end
      assert.equal("345", titles "/posts?views__gte=3")
      assert.equal("54", titles "/posts?order=-views&limit=2")
      assert.equal("23", titles "/posts?offset=1&limit=2")
      assert.equal("4", titles "/posts?id__gt=3&title__contains=t%204")
      assert.equal("", titles "/posts?title=%27%20OR%201=1%20--")
      assert.equal("", titles "/posts?title=%ff")
      ask("DELETE", "/posts/2")
      assert.equal("2", titles "/trash?title__original=Post%202")

      for _, path in ipairs {
        "/posts?deleted_at__isnull=false", "/posts?views__gte=x", "/posts?views__gte=1e400", "/posts?title",
        "/posts?title=a&title=b", "/posts?limit=101", "/posts?limit=-1", "/posts?order=deleted_at",
        "/posts?views__bogus=1", "/posts/99999999999999999999", "/events?days=nan",
      } do
        assert.equal(422, (ask("GET", path)), path)
      end
    end)
  end)

  it("stops a search that takes too long", function()
    with_blog(function(ask, _, folder)
      with_database(folder, function(db)
        db:exec [[
          INSERT INTO posts (title, content, views)
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
          SELECT 'Post number ' || i, '', 0 FROM n
        ]]
      end)
      local code, answer = ask("GET", "/posts?title__icontains=zzz")
      assert.equal(503, code)
      assert.equal("interrupted", answer.error.kind)
      assert.equal("Post number 77", select(2, ask("GET", "/posts/77")).title)
    end)
    host.passed("nginx", "a slow query stopped")
  end)

  it("has a code for each error", function()
    with_blog(function(ask, _, folder)
      assert.equal(400, (ask("POST", "/posts", "{")))
      assert.equal(400, (ask("POST", "/posts")))
      local code, answer = ask("POST", "/posts", '{"title":null,"views":"x"}')
      assert.equal(422, code)
      assert.same({ title = "cannot be null", views = "must be an integer" }, answer.error.reasons)
      assert.equal(422, (ask("POST", "/posts", '{"title":"x","deleted_at":1}')))
      assert.equal(422, (ask("POST", "/posts", '{"title":"x","views":-1}')))
      assert.equal(201, (ask("POST", "/posts", '{"title":"x"}')))
      assert.equal(409, (ask("POST", "/posts", '{"title":"x"}')))
      assert.equal(405, (ask("PUT", "/posts")))
      assert.equal(404, (ask("GET", "/nothing")))
      with_database(folder, function(db)
        db:transaction(function()
          db:exec "UPDATE posts SET views = 1"
          code, answer = ask("PATCH", "/posts/1", '{"views":2}')
        end)
      end)
      assert.equal(503, code)
      assert.equal("busy", answer.error.kind)
    end)
  end)
end)

describe("the measurement of nginx", function()
  it("prints a line for each request", function()
    local port = server.free_port()
    local table_of = host.must(("TOMBSTONE=%s examples/hosts/nginx/load 1 %d"):format(
      helper.quote(host.module), port))
    local _, lines = table_of:gsub("| %u+ [^|]+ | %d+ | %d+%.%d | %d+%.%d%d ms | %d+%.%d%d ms |", "")
    assert.equal(4, lines, table_of)
  end)
end)

-- ---- what is wrong with a module ---------------------------------------------------------------------

describe("a module that nginx cannot load", function()
  local function refused(module, break_it, message)
    with_blog(function(ask, nginx, folder)
      if break_it then
        break_it(nginx, folder)
      end
      nginx:wait("a line in the error log", function()
        return server.read(folder .. "/error.log"):find(message, 1, true)
      end)
      nginx:wait("a refusal", function()
        return ask("GET", "/posts") == 503
      end)
      -- It has nothing to do with the configuration.
      host.must(("nginx -t -q -p %s/ -e error.log -c nginx.conf"):format(helper.quote(folder)))
    end, module)
  end

  it("because it is for another Lua", function()
    host.in_folder(function(folder)
      local module = folder .. "/core.so"
      foreign.build(module, "5.4")
      refused(module, nil, "undefined symbol: lua_")
    end)
    host.passed("nginx", "a module for another Lua refused")
  end)

  it("because it is not there", function()
    refused(nil, function(nginx, folder)
      os.remove(folder .. "/tombstone.so")
      os.execute("kill -HUP " .. nginx.pid)
    end, "module 'tombstone' not found")
  end)
end)
