-- Every verb with every one of its steps failing in turn: nothing is half-done, the row in Lua is
-- what it was, no transaction stays open, and the same call succeeds afterwards.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F

local KINDS = { "database", "busy", "interrupted", "connection", "commit_unknown" }

-- ---- what is there -----------------------------------------------------------------

local function line_of(row)
  local names, parts = {}, {}
  for name in pairs(row) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = name .. "=" .. tostring(row[name])
  end
  return table.concat(parts, " ")
end

-- All tables, row by row; the schema too.
local function digest(db)
  local lines = {}
  for _, entry in ipairs(db:query "SELECT type, name, sql FROM sqlite_master ORDER BY name") do
    lines[#lines + 1] = line_of(entry)
    if entry.type == "table" then
      for _, row in ipairs(db:query('SELECT * FROM "' .. entry.name .. '" ORDER BY rowid')) do
        lines[#lines + 1] = line_of(row)
      end
    end
  end
  return table.concat(lines, "\n")
end

local function copy(row)
  local fields = {}
  for name, value in pairs(row or {}) do
    fields[name] = value
  end
  return fields
end

-- ---- scenarios ----------------------------------------------------------------------

local function open(path, strategy, scenario)
  local now = 1763880000
  local db = database.fake(path, {
    clock = function()
      return now
    end,
  })
  local state = { db = db }
  state.Post = db:model("Post", {
    title = f.char { max_length = 100, unique = strategy },
    slug = f.text { null = true },
    number = f.integer { null = true },
    views = f.integer { default = 0, index = true },
  }, {
    unique_together = { { "slug", "number", unique = strategy } },
    soft_delete = { keep = "1d" },
    on = scenario.on,
  })
  if not scenario.bare then
    db:create_tables()
  end
  function state.later()
    now = now + 10 * 86400
  end
  return state
end

local function post(s, title, more)
  local values = copy(more)
  values.title = title
  return s.Post:create(values)
end

-- A dead row whose title is taken, and one whose title is not.
local function conflict(s)
  s.row = post(s, "taken")
  post(s, "free", { slug = "s", number = 1 })
  s.Post.objects:delete { all = true }
  post(s, "taken")
  s.row:reload()
end

local function restore_by(answer, back)
  return {
    setup = conflict,
    call = function(s)
      return s.Post.deleted_objects:restore { all = true, on_conflict = answer }
    end,
    check = function(s)
      assert.are.equal(back, s.Post.objects:count())
    end,
  }
end

local SCENARIOS = {
  create = {
    call = function(s)
      post(s, "a")
    end,
    check = function(s)
      assert.are.equal(1, s.Post.objects:count())
    end,
  },
  bulk_create = {
    call = function(s)
      s.Post:bulk_create { { title = "a" }, { title = "b" }, { title = "c" } }
    end,
    check = function(s)
      assert.are.equal(3, s.Post.objects:count())
    end,
  },
  save = {
    setup = function(s)
      s.row = post(s, "a")
      s.row.views = 5
    end,
    call = function(s)
      s.row:save()
    end,
    check = function(s)
      assert.are.equal(5, s.Post.objects:get(s.row.id).views)
    end,
  },
  update = {
    setup = function(s)
      s.row = post(s, "a")
    end,
    call = function(s)
      s.row:update { views = F "views" + 2, slug = "x" }
    end,
    check = function(s)
      assert.are.equal(2, s.row.views)
      assert.are.equal("x", s.row.slug)
    end,
  },
  update_query = {
    setup = function(s)
      post(s, "a")
      post(s, "b")
    end,
    call = function(s)
      s.Post.objects:update({ views = F "views" + 2 }, { all = true })
    end,
    check = function(s)
      assert.are.equal(2, s.Post.objects:filter({ views = 2 }):count())
    end,
  },
  delete = {
    setup = function(s)
      s.row = post(s, "a", { slug = "s", number = 1 })
    end,
    call = function(s)
      s.row:delete { actor = "ana" }
    end,
    check = function(s)
      assert.is_true(s.row:is_deleted())
      assert.are.equal(1, #s.db:events { actor = "ana" })
    end,
  },
  delete_query = {
    setup = function(s)
      for i = 1, 5 do
        post(s, "a" .. i, { views = i })
      end
    end,
    call = function(s)
      s.Post.objects:filter({ views__gt = 2 }):delete { max_rows = 3 }
    end,
    check = function(s)
      assert.are.equal(2, s.Post.objects:count())
    end,
  },
  hooks = {
    on = {
      before_save = function(row)
        row.slug = "by the hook"
      end,
      after_save = function(row)
        row.note = "after"
      end,
      before_delete = function() end,
      after_delete = function() end,
    },
    setup = function(s)
      s.row = post(s, "a")
      s.row.note, s.row.views = nil, 4
    end,
    call = function(s)
      s.row:save()
    end,
    check = function(s)
      assert.are.equal("after", s.row.note)
    end,
  },
  delete_with_hooks = {
    on = {
      before_delete = function(row)
        row.views = 99
      end,
      after_delete = function() end,
    },
    setup = function(s)
      s.row = post(s, "a")
    end,
    call = function(s)
      s.row:delete()
    end,
    check = function(s)
      assert.is_true(s.row:is_deleted())
    end,
  },
  restore = {
    setup = function(s)
      s.row = post(s, "a", { slug = "s", number = 1 })
      s.row:delete()
    end,
    call = function(s)
      s.row:restore()
    end,
    check = function(s)
      assert.are.equal("a", s.row.title)
      assert.are.equal("s", s.row.slug)
    end,
  },
  restore_skip = restore_by("skip", 2),
  restore_rename = restore_by("rename", 3),
  restore_replace = restore_by("replace", 2),
  restore_by_a_function = restore_by(function()
    return "rename"
  end, 3),
  restore_by_a_function_of_values = restore_by(function()
    return { title = "new" }
  end, 3),
  restore_row_by_a_function = {
    setup = conflict,
    call = function(s)
      s.row:restore {
        on_conflict = function()
          return "replace"
        end,
      }
    end,
    check = function(s)
      assert.is_false(s.row:is_deleted())
      assert.are.equal("taken", s.row.title)
    end,
  },
  undo = {
    setup = function(s)
      post(s, "a")
      post(s, "b")
      local _, event = s.Post.objects:delete { all = true }
      s.row = event
    end,
    call = function(s)
      s.row:undo()
    end,
    check = function(s)
      assert.are.equal(2, s.Post.objects:count())
      assert.are.equal(1, #s.db:events { undone = true })
    end,
  },
  undo_by_a_function = {
    setup = function(s)
      conflict(s)
      s.row = s.db:events()[1]
    end,
    call = function(s)
      s.row:undo {
        on_conflict = function()
          return "skip"
        end,
      }
    end,
    check = function(s)
      assert.are.equal(2, s.Post.objects:count())
    end,
  },
  purge = {
    setup = function(s)
      s.row = post(s, "a")
    end,
    call = function(s)
      s.row:purge()
    end,
    check = function(s)
      assert.are.equal(0, s.Post.all_objects:count())
    end,
  },
  purge_query = {
    setup = function(s)
      post(s, "a"):delete()
      post(s, "b")
      post(s, "c", { views = 1 })
    end,
    call = function(s)
      s.Post.all_objects:filter({ views = 0 }):purge { living = true }
    end,
    check = function(s)
      assert.are.equal(1, s.Post.all_objects:count())
    end,
  },
  upsert = {
    setup = function(s)
      post(s, "a")
    end,
    call = function(s)
      s.Post:upsert({ title = "a", views = 3 }, { on = "title" })
      s.Post:upsert({ title = "a", views = 3 }, { on = "title" })
    end,
    loose = true, -- two calls: the first stays
    check = function(s)
      assert.are.equal(3, s.Post.objects:get({ title = "a" }).views)
    end,
  },
  upsert_that_restores = {
    setup = function(s)
      post(s, "a"):delete()
    end,
    call = function(s)
      s.Post:upsert({ title = "a", views = 3 }, { on = "title", on_deleted = "restore" })
    end,
    check = function(s)
      assert.are.equal(1, s.Post.all_objects:filter({ views = 3 }):count())
      assert.are.equal(1, s.Post.all_objects:count())
    end,
  },
  get_or_create = {
    call = function(s)
      s.Post:get_or_create({ title = "a" }, { views = 3 })
    end,
    check = function(s)
      assert.are.equal(1, s.Post.objects:count())
    end,
  },
  get_or_create_that_restores = {
    setup = function(s)
      post(s, "a"):delete()
    end,
    call = function(s)
      s.Post:get_or_create({ title = "a" }, { views = 3 }, { on_deleted = "restore" })
    end,
    check = function(s)
      assert.are.equal(1, s.Post.all_objects:count())
      assert.are.equal(1, s.Post.objects:count())
    end,
  },
  transactions = {
    setup = function(s)
      s.row = post(s, "a")
    end,
    call = function(s)
      s.db:transaction(function()
        post(s, "b")
        s.db:transaction(function()
          s.Post.objects:filter({ title = "b" }):delete()
          s.db:transaction(function()
            post(s, "b")
          end)
        end)
        -- What is given up inside must go, or all must.
        pcall(s.db.transaction, s.db, function()
          post(s, "never")
          s.Post.objects:delete { all = true }
          error("given up", 0)
        end)
        s.Post.objects:filter({ title = "a" }):update { views = 8 }
      end)
    end,
    check = function(s)
      assert.are.equal(2, s.Post.objects:count())
      assert.are.equal(1, s.Post.deleted_objects:count())
      assert.are.equal(8, s.row:reload().views)
    end,
    untouched = false, -- the row is not what is worked on
  },
  deletion = {
    setup = function(s)
      post(s, "a")
      post(s, "b")
    end,
    call = function(s)
      s.db:deletion({ actor = "ana" }, function()
        s.Post.objects:filter({ title = "a" }):delete()
        s.Post.objects:filter({ title = "b" }):delete()
      end)
    end,
    check = function(s)
      assert.are.equal(0, s.Post.objects:count())
      assert.are.equal(1, #s.db:events())
    end,
  },
  purge_expired = {
    setup = function(s)
      post(s, "a"):delete()
      post(s, "b"):delete()
      s.later()
      post(s, "c"):delete()
    end,
    call = function(s)
      s.db:purge_expired()
    end,
    loose = true, -- batches of their own transactions
    check = function(s)
      assert.are.equal(1, s.Post.all_objects:count())
      assert.are.equal(1, #s.db:events())
    end,
  },
  create_tables = {
    bare = true,
    call = function(s)
      s.db:create_tables()
    end,
    check = function(s)
      post(s, "a"):delete()
    end,
  },
  each = {
    setup = function(s)
      for i = 1, 5 do
        post(s, "a" .. i)
      end
    end,
    call = function(s)
      local n = 0
      for _, options in ipairs { {}, { snapshot = true }, { reuse = true } } do
        for row in s.Post.objects:order_by("-title"):each(options) do
          n = n + row.id
        end
      end
      assert.are.equal(45, n)
    end,
    check = function(s)
      assert.are.equal(5, s.Post.objects:count())
    end,
  },
  reads = {
    setup = function(s)
      s.row = post(s, "a")
    end,
    call = function(s)
      assert.are.equal(1, s.Post.objects:count())
      assert.are.equal(1, #s.Post.objects:all())
      assert.are.equal(1, #s.Post.objects:pluck "title")
      assert.are.equal(0, s.Post.objects:aggregate({ top = tombstone.max "views" }).top)
      s.row:reload()
      assert.are.equal(1, s.Post.objects:delete_plan().Post)
    end,
    check = function() end,
  },
}

-- ---- failing ----------------------------------------------------------------------------

-- The n-th step of the call fails; false when there was no such step.
local function fails_at(scenario, state, n)
  local db = state.db
  local before, row = digest(db), copy(state.row)
  local kind = KINDS[n % #KINDS + 1]
  core.fake.fail(db, n, kind, "step " .. n)
  local ok, err = pcall(scenario.call, state)
  core.fake.fail(db, 0)
  assert.are.equal(0, db:depth())
  if ok then
    -- The failing step is not reached, or it was within what the program caught.
    return false
  end
  local told = type(err) == "table" and err.kind or tostring(err)
  -- Where the way back from a failure fails, the transaction says that it cannot go on.
  local lost = told == "database" and tostring(err):find("cannot go on", 1, true) ~= nil
  assert.is_true(told == kind or lost, "step " .. n .. ": " .. tostring(err))
  if not scenario.loose then
    assert.are.equal(before, digest(db))
  end
  if scenario.untouched ~= false then
    assert.are.same(row, copy(state.row))
  end
  return true
end

local function setup(path, strategy, scenario)
  local state = open(path, strategy, scenario)
  if scenario.setup then
    scenario.setup(state)
  end
  return state
end

-- No call here has as many steps.
local MOST = 400

describe("a step that fails in", function()
  after_each(helper.clean)

  for name, scenario in pairs(SCENARIOS) do
    for _, strategy in ipairs { "mangle", "live" } do
      it(name .. ", unique by " .. strategy .. ", leaves nothing half-done", function()
        -- A failure that the call itself survives is no end yet: eight of them are.
        local n, failed, quiet = 0, 0, 0
        repeat
          n = n + 1
          local state = setup(":memory:", strategy, scenario)
          if fails_at(scenario, state, n) then
            failed, quiet = failed + 1, 0
            scenario.call(state)
          else
            quiet = quiet + 1
          end
          scenario.check(state)
          assert.are.equal("ok", state.db:query("PRAGMA integrity_check")[1].integrity_check)
          assert.are.equal(0, state.db:depth())
          state.db:close()
        until quiet > 8 or n == MOST
        assert.is_true(failed > 0 and n < MOST)
      end)
    end

    it(name .. " leaves a file as it was, as others see it", function()
      local path = helper.path()
      local state = setup(path, "mangle", scenario)
      local other = tombstone.open(path)
      local before, n = digest(other), 0
      repeat
        n = n + 1
        local failed = fails_at(scenario, state, n)
        if failed and not scenario.loose then
          assert.are.equal(before, digest(other))
        end
      until not failed
      scenario.check(state)
      other:close()
      state.db:close()
    end)
  end
end)
