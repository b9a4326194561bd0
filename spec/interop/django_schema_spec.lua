-- A database that Django has made and migrated, read and written again.
local ddl = require "tombstone.migrate.ddl"
local helper = require "helper"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

-- Debian's own, which has Debian's python3-django.
local PYTHON = "/usr/bin/python3"

local function output_of(command)
  local pipe = io.popen("exec env -u LD_PRELOAD " .. command)
  local output = pipe:read "*a"
  pipe:close()
  return output
end

describe("the schema of a Django project", function()
  local path, found

  setup(function()
    if output_of(PYTHON .. " -c 'import django; print(1)' 2>&1") ~= "1\n" then
      return
    end
    path = helper.path()
    local said = output_of(PYTHON .. " spec/interop/django_schema.py " .. path .. " 2>&1")
    assert(said == "made\n", said)
    local db = tombstone.open(path)
    found = schema.read(db)
    db:close()
  end)

  teardown(helper.clean)

  local function check(name, body)
    it(name, function()
      if not path then
        pending "needs Debian's python3-django"
        return
      end
      body()
    end)
  end

  check("is read", function()
    assert.is_true(#found.order > 15)
    local user = found.tables.auth_user
    assert.same({ "id" }, user.primary_key)
    assert.is_true(user.autoincrement)
    assert.same({ { columns = { "username" } } }, user.uniques)
    local log = found.tables.django_admin_log
    assert.same({ { sql = '"action_flag" >= 0' } }, log.checks)
    assert.equal(2, #log.foreign_keys)
    assert.equal("deferred", log.foreign_keys[1].deferrable)
  end)

  check("is read with fields of all kinds", function()
    local book, shelf = found.tables.library_book, found.tables['the shelf']
    assert.same({ "code" }, book.primary_key)
    assert.equal('the shelf', book.foreign_keys[1].table)
    assert.same({ "order" }, book.foreign_keys[1].columns)
    local named = {}
    for _, index in ipairs(book.indexes) do
      named[index.name] = index
    end
    assert.same({ { name = "order" }, { name = "made", desc = true } }, named.latest.columns)
    assert.equal('"pages" > 3', named.thick.where)
    assert.same({ { sql = 'LOWER("code")', desc = true }, { name = "pages" } }, named.by_lower.columns)
    assert.is_true(named["one price"].unique)
    assert.equal('"raw" IS NOT NULL', named["one price"].where)
    assert.equal("nocase", schema.column(shelf, "name").collate)
    assert.equal("integer", schema.column(shelf, "size").type)
    local checks = {}
    for _, one in ipairs(book.checks) do
      checks[#checks + 1] = one.name
    end
    assert.same({ "is it (sound)" }, checks)
  end)

  check("is written again", function()
    local copy = tombstone.open ":memory:"
    for _, sql in ipairs(ddl.schema(found)) do
      copy:exec(sql)
    end
    local same, why = schema.same(found, schema.read(copy))
    assert.is_true(same, why)
    copy:close()
  end)
end)
