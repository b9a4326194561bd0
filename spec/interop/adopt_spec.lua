-- A file of Django's with the article's code, adopted: what Django has deleted comes back by tombstone.
local app = require "interop.django"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local f = tombstone.field
local NOON = 1763899200 -- 2025-11-23 12:00:00 UTC
local TITLES = { "Hello", "On the second", "a__deleted_b", "Grüße, 世界 ☃", " ", ("x"):rep(73) }

local function rows(db)
  return db:query "SELECT * FROM blog_post ORDER BY id"
end

describe("adopting Django's rows", function()
  local path, db

  setup(function()
    if app.is_there then
      app.start()
    end
  end)

  teardown(function()
    if app.is_there then
      app.stop()
    end
  end)

  after_each(function()
    if db then
      db:close()
      db = nil
    end
    helper.clean()
  end)

  -- Each title is created, deleted with some microseconds, and created again but for the first.
  local function fill()
    local calls = { { "make_tables" } }
    for i, title in ipairs(TITLES) do
      calls[#calls + 1] = { "create", title }
      calls[#calls + 1] = { "delete", i, NOON + i, (i - 2) * 50005 % 1000000 }
    end
    for i = 2, #TITLES do
      calls[#calls + 1] = { "create", TITLES[i] }
    end
    local answer = app.ask(path, helper.unpack(calls))
    assert.is_table(answer, answer)
  end

  local function check(name, body)
    it(name, function()
      if not app.is_there then
        pending "needs Debian's python3-django and lua-cjson"
        return
      end
      path = helper.path()
      fill()
      db = tombstone.open(path)
      body()
    end)
  end

  local function runner(options)
    return migrate.open(db, {
      migrations = {
        {
          name = "0001_adopt",
          up = function(m)
            m:adopt("blog_post", options)
          end,
        },
      },
    })
  end

  local function model(soft)
    return db:model("Post", { title = f.char { max_length = 100, unique = true }, content = f.text() }, {
      table = "blog_post",
      soft_delete = soft,
    })
  end

  check("finds them", function()
    local found = migrate.recognise(db, "blog_post")
    assert.same({ "mangled", "deleted_at", 6, 5, 0 },
      { found.scheme, found.column, found.dead, found.living, found.count })
  end)

  for _, unique in ipairs { "mangle", "live" } do
    check("restores them, with " .. unique, function()
      runner({ unique = unique }):up()
      local Post = model { unique = unique }
      local diff = migrate.diff(db)
      assert.is_true(diff.empty, diff.text)
      db:create_tables()
      assert.equal("Hello", Post.deleted_objects:get(1):original "title")
      Post.deleted_objects:get(1):restore()
      assert.equal("Hello", Post.objects:get(1).title)
      for i = 2, #TITLES do
        local err = helper.raises("integrity", function()
          Post.deleted_objects:get(i):restore()
        end)
        assert.equal(TITLES[i], err.value)
      end
      Post.objects:filter { id__gt = 6 }:purge { living = true }
      assert.equal(6, #db:events { reason = "adopted" })
      for _, event in ipairs(db:events { reason = "adopted" }) do
        event:undo()
      end
      assert.same(TITLES, helper.list(Post.objects:order_by "id", "title"))
    end)

    check("gives them back to Django, with " .. unique, function()
      local before, shape = rows(db), schema.read_table(db, "blog_post")
      local there = runner { unique = unique }
      there:up()
      if unique == "live" then -- Django's ".0" and ".05" are not our six digits
        helper.raises("migration", there.down, there)
        return
      end
      there:down()
      assert.same(before, rows(db))
      assert.is_true(schema.same_table(shape, schema.read_table(db, "blog_post")))
      assert.truthy(app.ask(path, { "restore", 1 })[1].title == "Hello")
    end)
  end
end)
