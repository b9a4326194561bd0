-- The n-th statement of a migration fails, for every n: nothing of it is left, and the next run
-- does all of it.
local core = require "tombstone.core"
local database = require "tombstone.database"
local digests = require "migrate.digests"
local helper = require "helper"
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"

local BEFORE = [[
  CREATE TABLE authors (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);
  CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL, views text,
    author_id integer REFERENCES authors (id));
  CREATE INDEX posts__views ON posts (views);
  CREATE VIEW titles AS SELECT title FROM posts;
  CREATE TRIGGER touched AFTER UPDATE ON authors BEGIN UPDATE posts SET views = views; END;
  INSERT INTO authors (name) VALUES ('ana'), ('bo');
  INSERT INTO posts (title, views, author_id) VALUES ('one', '1', 1), ('two', '2', 2);
]]

local function up(m)
  m:create_table("tags", { { "id", "integer", key = true }, { "name", "text" } })
  m:change_column("posts", { "views", "integer" }, { from = { "views", "text", null = true } })
  m:add_column("posts", { "slug", "text", using = "lower(title)" })
  m:add_index("posts", { "slug" }, { unique = true })
  m:rename_column("posts", "title", "headline")
  m:rename_table("authors", "people")
  m:update("people", { name = "upper(name)" })
  m:add_soft_delete "people"
  m:run(function(db)
    db:exec "INSERT INTO tags (name) VALUES ('red')"
  end)
end

local path

before_each(function()
  path = helper.path()
  local db = tombstone.open(path)
  db:exec(BEFORE)
  db:close()
end)

after_each(helper.clean)

local function digest()
  local db = tombstone.open(path)
  local found = digests.digest(db)
  db:close()
  return found
end

local function migrations(options)
  local given = { name = "0001_all", up = up }
  for key, value in pairs(options or {}) do
    given[key] = value
  end
  return { migrations = { given } }
end

-- Slow builds try some of the statements.
local STRIDE = math.max(1, math.floor(20 / helper.scaled(20, 1)))

-- Answers whether it went through, so that there are no more than n statements.
local function try(n, kind, options)
  local db = database.fake(path)
  local runner = migrate.open(db, migrations(options))
  core.fake.fail(db, n, kind, "injected")
  local ok, err = pcall(runner.up, runner)
  core.fake.fail(db, 0)
  local foreign_keys = db:query("PRAGMA foreign_keys")[1].foreign_keys
  db:close()
  if not (ok or kind == "integrity") then
    assert.truthy(err.message:find "injected", tostring(err))
  end
  return ok, foreign_keys
end

local function states()
  local db, list = tombstone.open(path), {}
  for i, entry in ipairs(migrate.open(db, migrations()):status()) do
    list[i] = entry.state
  end
  db:close()
  return list
end

describe("a statement that fails", function()
  local AFTER

  before_each(function()
    -- What an undisturbed run comes to, in a file of its own.
    local other = helper.path()
    local db = tombstone.open(other)
    db:exec(BEFORE)
    migrate.open(db, migrations()):up()
    AFTER = digests.digest(db)
    db:close()
  end)

  for _, kind in ipairs { "database", "busy", "integrity" } do
    it("leaves nothing of its migration: " .. kind, function()
      local before, n = digest(), 0
      repeat
        n = n + STRIDE
        local ok, foreign_keys = try(n, kind)
        local now = digest()
        -- The last statement switches foreign keys on again, when all is committed.
        local is_whole = now ~= before
        assert.equal(1, foreign_keys, "statement " .. n)
        if is_whole then
          assert.equal(AFTER, now, "statement " .. n)
        end
        assert.is_true(is_whole or not ok)
      until ok or is_whole
      assert.is_true(n > 100)
      assert.same({ "applied" }, { states()[1] })
    end)
  end

  it("leaves one outside of a transaction to be run again", function()
    local function again(m)
      m:execute "CREATE TABLE IF NOT EXISTS t (a); DELETE FROM t"
      m:update("posts", { views = "'5'" })
      m:execute "INSERT INTO t VALUES (1)"
    end
    local options, n = { up = again, transaction = false }, 0
    repeat
      n = n + STRIDE
    until try(n, "database", options)
    local db = tombstone.open(path)
    assert.equal(1, db:query("SELECT count(*) AS n FROM t")[1].n)
    assert.equal("applied", migrate.open(db, migrations(options)):status()[1].state)
    db:close()
  end)
end)
