-- Verbs that reach relatives, with every one of their steps failing in turn: nothing is half-done,
-- the row in Lua is what it was, no transaction stays open, and the same call succeeds afterwards.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local family = require "model.family"
local helper = require "helper"

local KINDS = { "database", "busy", "interrupted", "connection", "commit_unknown" }

local function copy(row)
  local fields = {}
  for name, value in pairs(row or {}) do
    fields[name] = value
  end
  return fields
end

-- ---- scenarios ----------------------------------------------------------------------

-- p died alone, then t with all of the others.
local function dead_family(s)
  s.first = s.p:delete()
  s.event = s.t:delete()
end

-- a died with all below it, and another p lives.
local function taken(s)
  s.event = s.a:delete()
  s.twin = s:add("Post", "p", s.b)
  s:add("Comment", "e", s.twin)
  s.row = s.a
end

local function undo_by(word, living)
  return {
    setup = taken,
    call = function(s)
      s.event:undo { on_conflict = word }
    end,
    living = living,
  }
end

local function restore_by(word, living)
  return {
    setup = taken,
    call = function(s)
      s.row:restore { on_conflict = word }
    end,
    living = living,
  }
end

local function skip()
  return "skip"
end

local SCENARIOS = {
  delete = {
    setup = function(s)
      s.p:delete()
      s:add("Note", "n", s.a)
      s.row = s.t
    end,
    call = function(s)
      s.row:delete { actor = "ana" }
    end,
    living = "n",
    check = function(s)
      assert.are.equal("E Comment 1, E Post 1", (s:owners():gsub("%d+ (%a+)", "E %1")))
    end,
  },
  delete_query = {
    call = function(s)
      s.Author.objects:filter({ name__ne = "x" }):delete { max_rows = 6 }
    end,
    living = "t",
  },
  delete_restricted = {
    setup = function(s)
      s:add("Pin", "n", s.p)
      s.row = s.t
    end,
    call = function(s)
      s.row:delete()
    end,
    refused = "restricted",
    living = "a b c d n p q t",
  },
  delete_too_many = {
    call = function(s)
      s.Team.objects:filter({ id = 1 }):delete { max_rows = 6 }
    end,
    refused = "too_many",
    living = "a b c d p q t",
  },
  deletion = {
    call = function(s)
      s.db:deletion({ actor = "ana" }, function()
        s.p:delete()
        s.Author.objects:filter({ name = "a" }):delete()
      end)
    end,
    untouched = false,
    living = "b t",
    check = function(s)
      assert.are.equal("", s:owners())
    end,
  },
  undo_with_owners = {
    setup = function(s)
      dead_family(s)
      s.row = s.event
    end,
    call = function(s)
      s.row:undo()
    end,
    living = "a b d q t",
    check = function(s)
      assert.are.equal("", s:owners())
      assert.are.same({ Post = 1, Comment = 1 }, s.first:counts())
    end,
  },
  undo_of_the_first_owner = {
    setup = function(s)
      dead_family(s)
      s.row = s.first
    end,
    call = function(s)
      s.row:undo()
    end,
    living = "",
    check = function(s)
      assert.are.equal("", s:owners())
      assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, s.event:counts())
    end,
  },
  undo_skip = undo_by("skip", "a b d e p q t"),
  undo_rename = undo_by("rename", "a b c d e p p (restored) q t"),
  undo_replace = undo_by("replace", "a b c d p q t"),
  undo_by_a_function = undo_by(skip, "a b d e p q t"),
  restore_skip = restore_by("skip", "a b d e p q t"),
  restore_rename = restore_by("rename", "a b c d e p p (restored) q t"),
  restore_replace = restore_by("replace", "a b c d p q t"),
  restore = {
    setup = function(s)
      dead_family(s)
      s.row = s.t
    end,
    call = function(s)
      s.row:restore()
    end,
    living = "a b d q t",
  },
  restore_refused = {
    setup = function(s)
      dead_family(s)
      s.row = s.c:reload()
    end,
    call = function(s)
      s.row:restore()
    end,
    refused = "parent_deleted",
    living = "",
  },
  restore_with_parents = {
    setup = function(s)
      dead_family(s)
      s.row = s.c:reload()
    end,
    call = function(s)
      s.row:restore { parents = true }
    end,
    living = "a b c d p q t",
    check = function(s)
      assert.are.equal("c", s.row.name)
    end,
  },
  purge = {
    setup = function(s)
      s:add("Note", "n", s.a)
      dead_family(s)
      s.row = s.t
    end,
    call = function(s)
      s.row:purge()
    end,
    living = "n",
    check = function(s)
      assert.are.equal(0, s.Comment.all_objects:count())
      assert.is_nil(s.Note.objects:first().parent_id)
      assert.are.equal("", s:owners())
    end,
  },
  purge_living = {
    setup = function(s)
      s.row = s.a
    end,
    call = function(s)
      s.row:purge()
    end,
    living = "b t",
    check = function(s)
      assert.are.equal(0, s.Comment.all_objects:count())
    end,
  },
  purge_restricted = {
    setup = function(s)
      s:add("Pin", "n", s.p)
    end,
    call = function(s)
      s.Author.all_objects:purge { all = true, living = true }
    end,
    refused = "restricted",
    living = "a b c d n p q t",
  },
  look_at_a_purge = {
    setup = dead_family,
    call = function(s)
      local _, report = s.Team.deleted_objects:purge { all = true, dry_run = true }
      assert.are.same({ Team = 1, Author = 2, Post = 2, Comment = 2 }, report.rows)
      assert.are.same(report.rows, s.t:forget({ dry_run = true }).rows)
    end,
    living = "",
  },
  forget = {
    setup = function(s)
      s:add("Note", "n", s.a)
      s:add("Pin", "x", s.p):delete()
      s.row = s.a
    end,
    call = function(s)
      s.row:forget { reason = "asked" }
    end,
    living = "b n t",
    check = function(s)
      assert.are.equal(0, s.Comment.all_objects:count() + s.Pin.all_objects:count())
      assert.is_nil(s.Note.objects:first().parent_id)
      assert.are.equal(1, #s.db:events())
    end,
  },
  forget_dead = {
    setup = function(s)
      dead_family(s)
      s.row = s.t
    end,
    call = function(s)
      s.row:forget()
    end,
    living = "",
    check = function(s)
      assert.are.equal(0, s.Comment.all_objects:count())
      assert.are.equal("", s:owners())
      assert.are.equal(0, #s.db:events())
    end,
  },
  forget_restricted = {
    setup = function(s)
      s:add("Pin", "n", s.p)
      s.row = s.a
    end,
    call = function(s)
      s.row:forget()
    end,
    refused = "restricted",
    living = "a b c d n p q t",
  },
  create_under_the_dead = {
    setup = function(s)
      s.a:delete()
    end,
    call = function(s)
      s:add("Post", "x", s.a)
    end,
    refused = "parent_deleted",
    living = "b t",
  },
}

-- ---- failing ------------------------------------------------------------------------

local function is_refusal(scenario, ok, err)
  return not ok and type(err) == "table" and err.kind == scenario.refused
end

-- The n-th step of the call fails; false when there was no such step.
local function fails_at(scenario, s, n)
  local before, row = s:digest(), copy(s.row)
  local kind = KINDS[n % #KINDS + 1]
  core.fake.fail(s.db, n, kind, "step " .. n)
  local ok, err = pcall(scenario.call, s)
  core.fake.fail(s.db, 0)
  assert.are.equal(0, s.db:depth())
  if not ok then
    assert.are.equal(before, s:digest())
    if scenario.untouched ~= false then
      assert.are.same(row, copy(s.row))
    end
  end
  if ok or is_refusal(scenario, ok, err) then
    return false
  end
  local told = type(err) == "table" and err.kind or tostring(err)
  -- Where the way back from a failure fails, the transaction says that it cannot go on.
  local lost = told == "database" and tostring(err):find("cannot go on", 1, true) ~= nil
  assert.is_true(told == kind or lost, "step " .. n .. ": " .. tostring(err))
  return true
end

-- It does its work afterwards.
local function finish(scenario, s)
  if scenario.refused then
    local before = s:digest()
    helper.raises(scenario.refused, scenario.call, s)
    assert.are.equal(before, s:digest())
  else
    scenario.call(s)
  end
end

local function look_after(scenario, s)
  assert.are.equal(scenario.living, s:living())
  if scenario.check then
    scenario.check(s)
  end
  assert.are.equal("ok", s.db:query("PRAGMA integrity_check")[1].integrity_check)
  assert.are.same({}, s.db:query "PRAGMA foreign_key_check")
end

local function setup(scenario, path, unique)
  local s = family.tree { path = path, unique = unique, open = database.fake }
  if scenario.setup then
    scenario.setup(s)
  end
  return s
end

-- No call here has as many steps; slow builds leave some out.
local MOST = 400
local STRIDE = math.floor(20 / helper.scaled(20, 2))

describe("a step that fails among relatives in", function()
  after_each(helper.clean)

  for name, scenario in pairs(SCENARIOS) do
    for _, unique in ipairs { "mangle", "live" } do
      it(name .. ", unique by " .. unique .. ", leaves nothing half-done", function()
        -- A failure that the call itself survives is no end yet: eight of them are.
        local n, failed, quiet = 1 - STRIDE, 0, 0
        repeat
          n = n + STRIDE
          local s = setup(scenario, ":memory:", unique)
          if fails_at(scenario, s, n) then
            failed, quiet = failed + 1, 0
            finish(scenario, s)
          else
            quiet = quiet + STRIDE
          end
          look_after(scenario, s)
          s:close()
        until quiet > 8 or n >= MOST
        assert.is_true(failed > 0 and n < MOST)
      end)
    end

    it(name .. " leaves a file as it was, as others see it", function()
      local path = helper.path()
      local s = setup(scenario, path, "mangle")
      local other = tombstone.open(path)
      local function seen()
        return family.digest(other)
      end
      local before, n = seen(), 1 - STRIDE
      repeat
        n = n + STRIDE
        local failed = fails_at(scenario, s, n)
        if failed then
          assert.are.equal(before, seen())
        end
      until not failed
      look_after(scenario, s)
      other:close()
      s:close()
    end)
  end
end)
