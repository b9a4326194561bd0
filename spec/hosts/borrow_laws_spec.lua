-- Random sequences on a connection that a host lends while a transaction of its own is open: the laws hold
-- as ever, and the host's rollback takes all of it back.
local helper = require "helper"
local host = require "hosts.host"
if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then return end
local tombstone = require "tombstone"
local build = require "hosts.borrow.build"
local graph = require "laws.graph.run"
local run = require "laws.run"

local TABLES = "SELECT name, sql FROM sqlite_master ORDER BY name"
local lender
local own_open = tombstone.open
local lent = {}

setup(function()
  host.in_folder(function(folder)
    build.lender(folder)
    lender = assert(package.loadlib(folder .. "/lender.so", "luaopen_lender"))()
  end)
end)

-- In place of open: a connection with something of the host's in its open transaction.
local function lend(_, options)
  local conn = lender.open ":memory:"
  conn:exec "CREATE TABLE score (n); INSERT INTO score VALUES (1)"
  lent[#lent + 1] = { conn = conn, tables = conn:ask(TABLES) }
  conn:exec "BEGIN; UPDATE score SET n = 2"
  return conn:lend { clock = options.clock, log = options.log }
end

-- The handle is closed: the host's transaction is as open as before, and the host's to end.
local function end_all(word, check)
  for i = 1, #lent do
    local conn = lent[i].conn
    assert.equal("2", conn:ask "SELECT n FROM score")
    conn:exec(word)
    check(conn, lent[i])
    assert.equal(0, conn:close())
    lent[i] = nil
  end
end

local function is_as_before(conn, entry)
  assert.equal(entry.tables, conn:ask(TABLES))
  assert.equal("1", conn:ask "SELECT n FROM score")
end

local function is_kept(conn)
  assert.equal("2", conn:ask "SELECT n FROM score")
  assert.truthy(conn:ask(TABLES):find "tombstone_event")
end

describe("a lent connection in a transaction of the host", function()
  before_each(function()
    tombstone.open = lend
  end)

  after_each(function()
    tombstone.open = own_open
    lent = {}
  end)

  run.each_case(function(shape, strategy)
    it("keeps the laws, and all goes with a rollback (" .. shape .. ", " .. strategy .. ")", function()
      run.run { law = "a lent connection", shape = shape, strategy = strategy, steps = 1000 }
      assert.is_true(#lent > 0)
      end_all("ROLLBACK", is_as_before)
    end)

    it("keeps them, and what is committed stays (" .. shape .. ", " .. strategy .. ")", function()
      run.run { law = "a lent connection", shape = shape, strategy = strategy, steps = 300 }
      end_all("COMMIT", is_kept)
    end)
  end)

  graph.each_case(function(shape, strategy)
    it("keeps the laws of related rows (" .. shape .. ", " .. strategy .. ")", function()
      graph.run { shape = shape, strategy = strategy, steps = 600, length = 60 }
      assert.is_true(#lent > 0)
      end_all("ROLLBACK", is_as_before)
    end)
  end)

  it("undoes what fails in the middle of it", function()
    local db = lend(nil, {})
    local Post = db:model("Post", { title = tombstone.field.char { max_length = 20, unique = true } })
    db:create_tables()
    Post:create { title = "a" }
    helper.raises("integrity", Post.bulk_create, Post, { { title = "b" }, { title = "a" } })
    assert.equal(1, Post.objects:count())
    db:close()
    end_all("COMMIT", is_kept)
  end)
end)
