-- The calls of a relation's query, and writes by other rows, with every one of their steps failing
-- in turn: nothing is half-done, the rows in Lua are what they were, and the same call succeeds
-- afterwards.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local family = require "model.family"
local helper = require "helper"
local f = tombstone.field

local KINDS = { "database", "busy", "interrupted", "connection", "commit_unknown" }

-- Post p has the tags a and b and the author ana; q has nothing.
local function open()
  local s = { db = database.fake ":memory:" }
  s.Author = s.db:model("Author", { name = f.text() })
  s.Tag = s.db:model("Tag", { name = f.text { unique = true } })
  s.Post = s.db:model("Post", {
    title = f.text(),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
  })
  s.db:create_tables()
  s.ana, s.ben = s.Author:create { name = "ana" }, s.Author:create { name = "ben" }
  s.p, s.q = s.Post:create { title = "p", author = s.ana }, s.Post:create { title = "q" }
  s.a, s.b, s.c = s.Tag:create { name = "a" }, s.Tag:create { name = "b" }, s.Tag:create { name = "c" }
  s.p:tags():add(s.a, s.b)
  return s
end

-- What each does, and what the tags of p and the posts of ana and ben are then.
local CALLS = {
  add = {
    function(s)
      assert.are.equal(1, s.p:tags():add(s.b, s.c))
    end,
    "a b c, p, ",
  },
  remove = {
    function(s)
      assert.are.equal(2, (s.p:tags():remove(s.a, s.b)))
    end,
    ", p, ",
  },
  set = {
    function(s)
      assert.are.equal(1, s.p:tags():set { s.b, s.c })
    end,
    "b c, p, ",
  },
  create = {
    function(s)
      s.p:tags():create { name = "d" }
    end,
    "a b d, p, ",
  },
  delete_a_side = {
    function(s)
      s.a:delete()
    end,
    "b, p, ",
  },
  undo = {
    function(s)
      s.event:undo()
    end,
    "a b, p, ",
    function(s)
      local _
      _, s.event = s.p:tags():remove(s.a, s.b)
    end,
  },
  add_children = {
    function(s)
      assert.are.equal(2, s.ben:posts():add(s.p, s.q))
    end,
    "a b, , p q",
  },
  remove_children = {
    function(s)
      assert.are.equal(1, s.ana:posts():remove(s.p))
    end,
    "a b, , ",
  },
  set_children = {
    function(s)
      assert.are.equal(1, s.ana:posts():set { s.q })
    end,
    "a b, q, ",
  },
  create_a_child = {
    function(s)
      s.ben:posts():create { title = "r" }
    end,
    "a b, p, r",
  },
  update_across = {
    function(s)
      local query = s.Post.objects:filter { tags__name = "a", author__name = "ana" }
      assert.are.equal(1, query:update { author = s.ben })
    end,
    "a b, , p",
  },
  delete_across = {
    function(s)
      local query = s.Post.objects:filter({ author__name = "ana" }):order_by "-author__name"
      assert.are.equal(1, (query:limit(1):delete()))
    end,
    ", , ",
  },
  restore_across = {
    function(s)
      local query = s.Post.deleted_objects:with_deleted "tags"
      assert.are.equal(1, query:filter({ tags__name = "b", author__name__ne = "ben" }):restore())
    end,
    "a b, p, ",
    function(s)
      s.p:delete()
    end,
  },
  purge_across = {
    function(s)
      local query = s.Tag.objects:annotate { n = tombstone.count "posts" }
      assert.are.equal(2, (query:filter({ n = 1, posts__author = s.ana }):purge { living = true }))
    end,
    ", p, ",
  },
}

local function names(query, field)
  local list = helper.list(query, field)
  table.sort(list)
  return table.concat(list, " ")
end

local function state(s)
  return table.concat({
    names(s.p:tags(), "name"),
    names(s.ana:posts(), "title"),
    names(s.ben:posts(), "title"),
  }, ", ")
end

local function copy(row)
  local fields = {}
  for name, value in pairs(row) do
    fields[name] = value
  end
  return fields
end

local function rows_of(s)
  local rows = {}
  for _, name in ipairs { "ana", "ben", "p", "q", "a", "b", "c" } do
    rows[name] = copy(s[name])
  end
  return rows
end

-- False when the call had no n-th step.
local function fails_at(call, s, n)
  local before, rows, kind = family.digest(s.db), rows_of(s), KINDS[n % #KINDS + 1]
  core.fake.fail(s.db, n, kind, "step " .. n)
  local ok, err = pcall(call, s)
  core.fake.fail(s.db, 0)
  assert.are.equal(0, s.db:depth())
  if ok then
    return false
  end
  assert.are.equal(before, family.digest(s.db))
  assert.are.same(rows, rows_of(s))
  local told = type(err) == "table" and err.kind or tostring(err)
  local lost = told == "database" and tostring(err):find("cannot go on", 1, true) ~= nil
  assert.is_true(told == kind or lost, "step " .. n .. ": " .. tostring(err))
  return true
end

-- No call here has as many steps.
local MOST = 400

describe("a step that fails in a relation's", function()
  for name, scenario in pairs(CALLS) do
    it(name .. " leaves nothing half-done", function()
      local call, wanted, setup = scenario[1], scenario[2], scenario[3]
      -- A failure that the call itself survives is no end yet: eight of them are.
      local n, failed, quiet = 0, 0, 0
      repeat
        n = n + 1
        local s = open()
        if setup then
          setup(s)
        end
        if fails_at(call, s, n) then
          failed, quiet = failed + 1, 0
          call(s)
        else
          quiet = quiet + 1
        end
        assert.are.equal(wanted, state(s))
        assert.are.same({}, s.db:query "PRAGMA foreign_key_check")
        s.db:close()
      until quiet > 8 or n >= MOST
      assert.is_true(failed > 0 and n < MOST)
    end)
  end
end)
