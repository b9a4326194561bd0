-- What a family costs: the statements of a call do not grow with the rows.
local helper = require "helper"
local family = require "model.family"

-- A team with `n` authors, each with a post, each with a comment; and the statements since.
local function open(n, log)
  local s = family.open { log = log.note }
  s.t = s:add("Team", "t")
  local parents = {}
  for i = 1, n do
    parents[i] = s.t
  end
  for _, name in ipairs { "Author", "Post", "Comment" } do
    local rows = {}
    for i = 1, n do
      rows[i] = { name = "r" .. i, parent = parents[i] }
    end
    parents = s[name]:bulk_create(rows)
  end
  return s
end

local function new_log()
  local log = { statements = {} }
  function log.note(sql)
    log.statements[#log.statements + 1] = sql
  end
  function log.take()
    local taken = log.statements
    log.statements = {}
    return taken
  end
  return log
end

-- Each call, with what must hold behind it; `n` of each model below t.
local CALLS = {
  {
    "delete",
    function(s)
      s.event = s.t:delete()
    end,
    0,
  },
  {
    "undo",
    function(s, n)
      assert.are.equal(3 * n + 1, s.event:undo())
    end,
    1,
  },
  {
    "delete of a query",
    function(s, n)
      local count, event = s.Author.objects:filter({ id__gt = 0 }):delete()
      assert.are.equal(n, count)
      s.first = event
    end,
    0,
  },
  {
    "a further delete",
    function(s)
      s.event = s.t:delete()
    end,
    0,
  },
  {
    "undo under a further owner",
    function(s)
      assert.are.equal(0, s.first:undo())
    end,
    0,
  },
  {
    "restore",
    function(s)
      assert.are.equal(1, s.Team.deleted_objects:restore { all = true })
    end,
    1,
  },
  {
    "delete of a query through relations",
    function(s, n)
      local count, event = s.Post.objects:filter({ parent__parent__name = "t" }):delete()
      assert.are.equal(n, count)
      assert.are.equal(n, event:counts().Comment)
      s.event = event
    end,
    0,
  },
  {
    "undo of that",
    function(s, n)
      assert.are.equal(2 * n, s.event:undo())
    end,
    1,
  },
  {
    "delete again",
    function(s)
      s.Team.objects:delete { all = true }
    end,
    0,
  },
  {
    "restore with parents",
    function(s)
      local last = s.Comment.deleted_objects:order_by("-id"):first()
      assert.is_true(last:restore { parents = true })
    end,
    1,
  },
  {
    "purge",
    function(s)
      s.t:purge()
      assert.are.equal(0, s.Comment.all_objects:count())
    end,
    0,
  },
}

-- The statements of each call with `n` rows in each of three tables.
local function statements(n)
  local log = new_log()
  local s = open(n, log)
  local taken = {}
  for i, call in ipairs(CALLS) do
    log.take()
    call[2](s, n)
    taken[i] = log.take()
    assert.are.equal(call[3] * n, s.Comment.objects:count())
    assert.are.equal(call[3] * n, s.Post.objects:count())
  end
  s:close()
  return taken
end

it("a family of 100,000 takes as many statements as one of 2", function()
  local few, many = statements(2), statements(helper.scaled(33334, 200))
  for i, call in ipairs(CALLS) do
    assert.is_true(#few[i] > 1, call[1])
    assert.are.equal(#few[i], #many[i], call[1])
  end
end)

it("a deletion writes one statement a table, and a row for its event", function()
  local log = new_log()
  local s = open(3, log)
  log.take()
  s.t:delete()
  local writes = {}
  for _, sql in ipairs(log.take()) do
    local name = sql:match '^UPDATE "?([%w_]+)"?'
    if name then
      writes[name] = (writes[name] or 0) + 1
    end
  end
  assert.are.same({ team = 1, author = 1, post = 1, comment = 1 }, writes)
  s:close()
end)
