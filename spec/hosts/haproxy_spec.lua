-- The deny list of examples/hosts/haproxy.
local host = require "hosts.host"
if not host.runs "5.3" then
  return
end

local foreign = require "hosts.foreign"
local helper = require "helper"
local server = require "hosts.server"
local f = require("tombstone").field

local CONFIG = "examples/hosts/haproxy/haproxy.cfg"

-- The list, as another process sees it.
local function with_database(folder, fn)
  host.with_database(folder .. "/deny.db", function(db)
    return db:model("Denied", { address = f.text { unique = true }, reason = f.text() })
  end, fn)
end

local function status_of(port, from)
  return tonumber((host.must(("curl -sS --interface %s -o /dev/null -w '%%{http_code}' 127.0.0.1:%d"):format(
    from, port))))
end

local function is_listening(port)
  return function()
    local _, code = host.run(("curl -s 127.0.0.1:%d"):format(port))
    return code == 0
  end
end

-- A running HAProxy in `folder`, for `fn`, which gets the service's port and how to ask for the list.
local function with_haproxy(folder, options, fn, file)
  local port, admin = server.free_port(), server.free_port()
  local command = ("env -C %s TOMBSTONE=./core.so DENY_DB=%s PORT=%d ADMIN_PORT=%d "):format(
    helper.quote(folder), file or "deny.db", port, admin)
  command = command .. server.as_nobody(("haproxy %s -f %s"):format(options, CONFIG))
  server.during(command, folder .. "/output", function(haproxy)
    haproxy:wait("the service", is_listening(port))
    fn(port, function(method, path)
      local url = helper.quote(("127.0.0.1:%d%s"):format(admin, path))
      return (host.must(("curl -sS -X %s %s"):format(method, url)))
    end, haproxy)
  end)
end

local function in_layout(fn)
  server.in_open_folder(function(folder)
    server.lay_out("haproxy", folder)
    fn(folder)
  end)
end

describe("the deny list in HAProxy", function()
  it("is kept by the commands of its README", function()
    server.in_open_folder(function(folder)
      local output = server.follow("haproxy", folder)
      local told = output:match "hello\n127%.0%.0%.2  is denied.*"
      assert.equal(table.concat({
        "hello", "127.0.0.2  is denied", "403", "event 1", "hello", "200", "event 1  127.0.0.2  spam",
        "127.0.0.2  is denied", "Cannot restore record - address with value '127.0.0.2' already exists",
        "1 back", "127.0.0.2  spam", "event 2  127.0.0.2  scrapes", "",
      }, "\n"), told, output)
      with_database(folder, function(db, Denied)
        assert.equal("spam", Denied.objects:get({ address = "127.0.0.2" }).reason)
        assert.equal("ana", db:events({ id = 1 })[1].actor)
      end)
    end)
    host.passed("HAProxy", "delete, undo")
    host.passed("HAProxy", "restore with conflict")
  end)

  it("follows what another process writes, and is there after a crash", function()
    in_layout(function(folder)
      with_haproxy(folder, "", function(port, ask, haproxy)
        ask("POST", "/?address=127.0.0.2&reason=spam")
        assert.equal(403, status_of(port, "127.0.0.2"))
        with_database(folder, function(_, Denied)
          Denied.objects:get({ address = "127.0.0.2" }):delete()
          Denied:create { address = "127.0.0.3", reason = "by hand" }
        end)
        assert.equal(200, status_of(port, "127.0.0.2"))
        assert.equal(403, status_of(port, "127.0.0.3"))
        os.execute("kill -KILL " .. haproxy.pid)
      end)
      with_haproxy(folder, "-W -db", function(port, ask) -- which forks after the script is loaded
        assert.equal("1 back\n", ask("POST", "/undo?event=1"))
        assert.equal(403, status_of(port, "127.0.0.2"))
        assert.equal(403, status_of(port, "127.0.0.3"))
      end)
    end)
    host.passed("HAProxy", "another process, a crash, a fork")
  end)

  it("refuses what makes no sense", function()
    in_layout(function(folder)
      with_haproxy(folder, "", function(port, ask)
        local function refuses(method, path, text)
          local answer = ask(method, path)
          assert.is_truthy(answer:find(text, 1, true), answer)
        end
        refuses("POST", "/", "address is required")
        refuses("POST", "/?address=%ff", "must be UTF-8")
        refuses("DELETE", "/?address=nobody", "There is no such Denied")
        refuses("POST", "/undo?event=x", "There is no such event")
        refuses("POST", "/undo?event=9", "There is no such event")
        refuses("PUT", "/", "There is no such call")
        ask("POST", "/?address=127.0.0.2&reason=%0d%0aX-Injected:%20yes")
        refuses("POST", "/?address=127.0.0.2", "already exists")
        ask("DELETE", "/?address=127.0.0.2")
        refuses("POST", "/undo?event=1&on_conflict=rename", "on_conflict can be replace")
        ask("POST", "/undo?event=1")
        local headers = host.must(("curl -sS -i --interface 127.0.0.2 127.0.0.1:%d"):format(port))
        assert.is_nil(headers:find "\r\n[Xx]%-[Ii]njected")
        assert.is_truthy(headers:find "^HTTP/1.1 403")
      end)
    end)
  end)

  it("lets requests pass where it cannot be read, and says why", function()
    in_layout(function(folder)
      with_haproxy(folder, "", function(port, ask)
        assert.equal(200, status_of(port, "127.0.0.2"))
        local why = 'Cannot open "nowhere/deny.db" - unable to open database file'
        assert.equal(why .. "\n", ask("GET", "/"))
        local log = server.read(folder .. "/output")
        assert.is_truthy(log:find("the deny list cannot be read: " .. why, 1, true), log)
      end, "nowhere/deny.db")
    end)
  end)

  it("is an error of the configuration with a module for another Lua", function()
    in_layout(function(folder)
      foreign.build(folder .. "/core.so", "5.4")
      local output = server.script(folder, ("! TOMBSTONE=./core.so haproxy -c -f %s"):format(CONFIG))
      assert.is_truthy(output:find("undefined symbol: lua_", 1, true), output)
      os.remove(folder .. "/core.so")
      output = server.script(folder, ("! TOMBSTONE=./core.so haproxy -c -f %s"):format(CONFIG))
      assert.is_truthy(output:find("core.so: cannot open shared object file", 1, true), output)
    end)
    host.passed("HAProxy", "a module for another Lua refused")
  end)
end)
