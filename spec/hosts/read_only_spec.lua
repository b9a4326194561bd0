-- A file on a medium that nobody can write, seen by a user who is not root.
local helper = require "helper"
local host = require "hosts.host"
local tombstone = require "tombstone"

if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then
  return
end

local function make(path)
  local db = tombstone.open(path)
  local Post = db:model("Post", { title = tombstone.field.text { unique = true } })
  db:create_tables()
  Post:create { title = "a" }
  Post:create({ title = "b" }):delete()
  db:close()
end

describe("a medium that is read only", function()
  it("is read as immutable, and says so where it is not", function()
    host.in_folder(function(folder)
      local medium = folder .. "/medium"
      host.must(("mkdir %s && cp %s %s/tombstone.so && cp spec/hosts/read_only.lua %s"):format(
        medium, helper.quote(host.module), folder, folder))
      make(medium .. "/a.db")
      host.must(("chmod 755 %s && chmod 755 %s/* && chmod 444 %s/a.db && chmod 555 %s"):format(
        folder, folder, medium, medium))
      local as_nobody = host.must("id -u"):match "^0" and "setpriv --reuid=65534 --clear-groups " or ""
      local output = host.run(("cd / && %s%s %s/read_only.lua %s/tombstone.so %s"):format(
        as_nobody, helper.interpreter(), folder, folder, medium))
      host.must("chmod 755 " .. medium)
      assert.are.equal("passed\n", output)
    end)
  end)
end)
