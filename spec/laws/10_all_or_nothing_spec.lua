-- Law 10: every call is one transaction: an error in the middle leaves nothing of it behind.
local core = require "tombstone.core"
local helper = require "helper"
local tombstone = require "tombstone"
local Mirror = require "laws.mirror"
local World = require "laws.world"
local run = require "laws.run"
local shapes = require "laws.shapes"
local show = require "laws.show"

-- ---- a small world with something of everything -----------------------------------------

-- Living: a, b, c (and the twin of dead "d"); dead: "d" and "e", in one event.
local function furnished(strategy, options)
  local world = World.new("texts", strategy, options)
  local model = world.conns[1].model
  local env = { world = world, db = world.conns[1].db, model = model, rows = {} }
  for i, name in ipairs { "a", "b", "c", "d", "e" } do
    env.rows[name] = model:create { name = name, nick = "nick " .. i, a = "a", b = i, c = "c", rank = i }
  end
  env.event = select(2, model.objects:filter({ rank__gte = 4 }):delete())
  env.rows.twin = model:create { name = "d", rank = 9 }
  env.rows.d:reload()
  env.rows.e:reload()
  return env
end

local function restore_all(word)
  return function(env)
    env.model.deleted_objects:restore { all = true, on_conflict = word }
  end
end

local function many(env)
  env.model:create { name = "one" }
  env.rows.a:delete()
  env.rows.e:restore()
  env.model.objects:filter({ rank = 2 }):update { note = "many" }
end

-- Each is one call, or several in one transaction.
local CALLS = {
  create = function(env)
    env.model:create { name = "new", nick = "new" }
  end,
  new_save = function(env)
    env.model:new({ name = "new" }):save()
  end,
  bulk_create = function(env)
    env.model:bulk_create { { name = "x" }, { name = "y" }, { name = "z" } }
  end,
  save = function(env)
    env.rows.a:save()
  end,
  update_row = function(env)
    env.rows.a:update { name = "renamed", rank = tombstone.F "rank" + 1 }
  end,
  update_query = function(env)
    env.model.objects:filter({ rank__lt = 3 }):update { note = "x" }
  end,
  upsert_insert = function(env)
    env.model:upsert({ name = "new" }, { on = "name" })
  end,
  upsert_update = function(env)
    env.model:upsert({ name = "a", note = "x" }, { on = "name" })
  end,
  upsert_restore = function(env)
    env.model:upsert({ name = "e", note = "x" }, { on = "name", on_deleted = "restore" })
  end,
  get_or_create = function(env)
    env.model:get_or_create({ name = "new" }, { note = "x" })
  end,
  get_or_restore = function(env)
    env.model:get_or_create({ name = "e" }, nil, { on_deleted = "restore" })
  end,
  delete_row = function(env)
    env.rows.a:delete { actor = "ana" }
  end,
  delete_query = function(env)
    env.model.objects:delete { all = true }
  end,
  delete_few = function(env)
    env.model.objects:delete { all = true, max_rows = 10 }
  end,
  delete_slice = function(env)
    env.model.objects:order_by("-rank"):limit(2):delete()
  end,
  restore_row = function(env)
    env.rows.e:restore()
  end,
  restore_renamed = function(env)
    env.rows.d:restore { on_conflict = "rename" }
  end,
  restore_replacing = function(env)
    env.rows.d:restore { on_conflict = "replace" }
  end,
  restore_asking = function(env)
    env.rows.d:restore {
      on_conflict = function()
        return { name = "another" }
      end,
    }
  end,
  restore_skipping = restore_all "skip",
  restore_all_renamed = restore_all "rename",
  restore_all_replacing = restore_all "replace",
  restore_all_asking = restore_all(function()
    return "replace"
  end),
  undo = function(env)
    env.event:undo { on_conflict = "replace" }
  end,
  undo_asking = function(env)
    env.event:undo {
      on_conflict = function()
        return "rename"
      end,
    }
  end,
  purge_row = function(env)
    env.rows.a:purge()
  end,
  purge_dead = function(env)
    env.model.deleted_objects:purge { all = true }
  end,
  purge_living = function(env)
    env.model.objects:purge { all = true, living = true }
  end,
  forget = function(env)
    env.rows.a:forget { reason = "asked" }
  end,
  transaction = function(env)
    env.db:transaction(many, env)
  end,
  deletion = function(env)
    env.db:deletion({ actor = "ana" }, function()
      env.rows.a:delete()
      env.db:transaction(function()
        env.rows.b:delete()
      end)
      env.model.objects:filter({ rank = 3 }):delete()
    end)
  end,
  nested = function(env)
    env.db:transaction(function()
      env.model:create { name = "outer" }
      env.db:transaction(many, env)
      pcall(env.db.transaction, env.db, function()
        env.model:create { name = "inner" }
        error "taken back"
      end)
    end)
  end,
}

local function names_of(calls)
  local names = {}
  for name in pairs(calls) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- ---- what an error must leave as it was -------------------------------------------------

local function rows_now(env)
  local rows = {}
  for name, row in pairs(env.rows) do
    rows[name] = show.show(Mirror.copy(row))
  end
  return rows
end

local function note(env)
  env.before, env.before_rows = env.world:digest(), rows_now(env)
end

-- The calls of a program's own transaction have each changed their row in Lua: that is not taken
-- back, the database is.
local OF_SEVERAL = { transaction = true, deletion = true, nested = true }

local function assert_as_before(env, what, name)
  assert.equal(0, env.db:depth(), what)
  assert.equal(env.before, env.world:digest(), what)
  if not OF_SEVERAL[name] then
    assert.same(env.before_rows, rows_now(env), what)
  end
end

-- ---- every statement fails --------------------------------------------------------------

local KINDS = { "database", "busy", "interrupted" }

local function after_success(name, strategy)
  local env = furnished(strategy, { fake = true })
  CALLS[name](env)
  local digest = env.world:digest()
  env.world:close()
  return digest
end

-- True when the call got by without meeting its n-th statement.
local function fail_at(name, strategy, kind, nth, wanted)
  local env = furnished(strategy, { fake = true })
  local what = string.format("%s, statement %d fails (%s)", name, nth, kind)
  note(env)
  core.fake.fail(env.db, nth, kind, "injected")
  local ok, err = pcall(CALLS[name], env)
  core.fake.fail(env.db, 0)
  if ok then
    assert.equal(0, env.db:depth(), what)
    local is_survived = env.world:digest() == wanted
    env.world:close()
    assert.is_true(is_survived, what .. ": nothing was raised, and something is missing")
    return true
  end
  -- a savepoint that could not be taken back dooms the transaction around it
  assert.is_true(err.kind == kind or name == "nested", what .. ": " .. tostring(err))
  assert_as_before(env, what, name)
  if not OF_SEVERAL[name] then
    CALLS[name](env) -- and the handle is as good as ever
  end
  env.world:close()
  return false
end

local MOST_STATEMENTS = 300

local function sweep(name, strategy, kind)
  local wanted, survived = after_success(name, strategy), 0
  for nth = 1, MOST_STATEMENTS do
    -- what is read for an error's words may fail unseen, so that one success ends nothing
    survived = fail_at(name, strategy, kind, nth, wanted) and survived + 1 or 0
    if survived == 3 then
      return
    end
  end
  error(name .. " has no end of statements")
end

-- ---- a program that catches each error -----------------------------------------------------

-- A transaction that goes on after an error: what is committed is each call whole, or not at all.
local function go_on(env)
  local done = {}
  local steps = {
    created = function()
      env.model:bulk_create { { name = "one" }, { name = "two" } }
    end,
    deleted = function()
      env.rows.a:delete()
    end,
    restored = function()
      env.rows.e:restore()
    end,
    replaced = function()
      env.rows.d:restore { on_conflict = "replace" }
    end,
    purged = function()
      env.rows.b:purge()
    end,
  }
  env.db:transaction(function()
    for _, name in ipairs { "created", "deleted", "restored", "replaced", "purged" } do
      done[name] = pcall(steps[name])
    end
  end)
  return done
end

local function lives(env, name)
  return env.model.objects:filter({ name = name }):exists()
end

local function assert_whole(env, done, what)
  local twin = env.model.all_objects:get(env.rows.twin.id)
  local b = env.model.all_objects:find(env.rows.b.id)
  assert.equal(done.created, lives(env, "one"), what)
  assert.equal(done.created, lives(env, "two"), what)
  assert.equal(done.deleted, not lives(env, "a"), what)
  assert.equal(done.restored, lives(env, "e"), what)
  assert.equal(done.replaced, twin:is_deleted(), what)
  assert.is_true(lives(env, "d"), what)
  assert.equal(done.purged, b == nil, what)
  assert.is_true(done.purged or not b:is_deleted(), what)
  for _, row in ipairs(env.model.deleted_objects:all()) do
    assert.equal(1, #env.db:query("SELECT id FROM tombstone_event WHERE id = ?", row.deleted_event), what)
  end
end

local function go_on_at(strategy, nth)
  local env = furnished(strategy, { fake = true })
  local what = "statement " .. nth .. " fails"
  note(env)
  core.fake.fail(env.db, nth, "database", "injected")
  local ok, done = pcall(go_on, env)
  core.fake.fail(env.db, 0)
  assert.equal(0, env.db:depth(), what)
  local met = not ok
  if ok then
    assert_whole(env, done, what)
    for _, is_done in pairs(done) do
      met = met or not is_done
    end
  else
    assert.equal(env.before, env.world:digest(), what)
  end
  env.world:close()
  return met
end

-- ---- hooks that raise -------------------------------------------------------------------

local SAVES = { "create", "new_save", "bulk_create", "save", "update_row", "upsert_update", "get_or_create" }
local DELETIONS = { "delete_row", "delete_query", "delete_slice", "purge_row", "purge_living", "deletion" }
local RESTORES = { "restore_row", "restore_renamed", "restore_all_replacing", "undo", "get_or_restore" }
local PURGES = { "purge_row", "purge_dead", "purge_living", "forget" }

local HOOKS = {
  before_save = SAVES,
  after_save = SAVES,
  before_delete = DELETIONS,
  after_delete = DELETIONS,
  before_restore = RESTORES,
  after_restore = RESTORES,
  before_purge = PURGES,
  after_purge = PURGES,
}

local RAISED = { "raised by a hook" }

-- Raises at the `nth` call of the hook, once armed.
local function raising(hook, nth)
  local state = { calls = 0, armed = false }
  state.on = {
    [hook] = function(row)
      row.note = "a hook was here"
      state.calls = state.calls + (state.armed and 1 or 0)
      if state.armed and state.calls == nth then
        error(RAISED, 0)
      end
    end,
  }
  return state
end

local function raise_in(hook, name, strategy, nth)
  local state = raising(hook, nth)
  local env = furnished(strategy, { model = { on = state.on } })
  local what = hook .. " number " .. nth .. " raises in " .. name
  note(env)
  state.armed = true
  local ok, err = pcall(CALLS[name], env)
  state.armed = false
  local met = state.calls >= nth
  assert.equal(met, not ok, what .. ": " .. tostring(err))
  if met then
    assert.equal(RAISED, err, what)
    assert_as_before(env, what, name)
  end
  env.world:close()
  return met
end

describe("law 10, all or nothing:", function()
  for _, strategy in ipairs(shapes.strategies) do
    for _, name in ipairs(names_of(CALLS)) do
      it(name .. " leaves nothing when a statement fails (" .. strategy .. ")", function()
        for _, kind in ipairs(KINDS) do
          sweep(name, strategy, kind)
        end
      end)
    end

    it("a transaction that goes on after an error keeps no half of a call (" .. strategy .. ")", function()
      local nth, calm = 1, 0
      while calm < 3 do
        calm = go_on_at(strategy, nth) and 0 or calm + 1
        nth = nth + 1
      end
      assert.is_true(nth > 12)
    end)

    it("a hook that raises vetoes the whole call (" .. strategy .. ")", function()
      for _, hook in ipairs(names_of(HOOKS)) do
        for _, name in ipairs(HOOKS[hook]) do
          local nth, calls = 1, 0
          while raise_in(hook, name, strategy, nth) do
            nth, calls = nth + 1, calls + 1
          end
          assert.is_true(calls > 0, hook .. " is never called in " .. name)
        end
      end
    end)

    it("an error of the program takes all back (" .. strategy .. ")", function()
      for _, verb in ipairs { "transaction", "deletion" } do
        local env = furnished(strategy)
        local oops = {}
        env.before = env.world:digest()
        local function body()
          many(env)
          env.db:transaction(function()
            env.model.objects:delete { all = true }
          end)
          error(oops, 0)
        end
        local ok, err
        if verb == "deletion" then
          ok, err = pcall(env.db.deletion, env.db, { actor = "ana" }, body)
        else
          ok, err = pcall(env.db.transaction, env.db, body)
        end
        assert.is_false(ok)
        assert.equal(oops, err)
        assert.equal(0, env.db:depth())
        assert.equal(env.before, env.world:digest())
        env.world:close()
      end
    end)

    it("a conflict function that raises, or answers nonsense, takes all back (" .. strategy .. ")", function()
      for _, answer in ipairs { "raise", 5, "fail", { name = "a" }, { name = false }, { nobody = 1 } } do
        local env = furnished(strategy)
        note(env)
        local ok = pcall(env.model.deleted_objects.restore, env.model.deleted_objects, {
          all = true,
          on_conflict = function()
            env.rows.a:delete()
            env.rows.a:reload()
            return answer == "raise" and error(RAISED, 0) or answer
          end,
        })
        if type(answer) ~= "table" or answer.name ~= "a" then
          assert.is_false(ok)
          env.rows.a:reload()
          assert_as_before(env, show.show(answer))
        end
        env.world:close()
      end
    end)

    it("a disk that is full takes all back (" .. strategy .. ")", function()
      local env = furnished(strategy)
      local pages = env.db:query("PRAGMA page_count")[1].page_count
      env.db:exec("PRAGMA max_page_count = " .. (pages + 2))
      note(env)
      local list = {}
      for i = 1, 200 do
        list[i] = { name = "row " .. i, note = ("x"):rep(500) }
      end
      local err = helper.raises("database", env.model.bulk_create, env.model, list)
      assert.truthy(err.hint:find "disk")
      assert_as_before(env, "bulk_create")
      env.model:create { name = "small" }
      env.world:close()
    end)
  end

  run.each_case(function(shape, strategy)
    it("random calls that fail leave nothing (" .. shape .. ", " .. strategy .. ")", function()
      local injected = 0
      run.run {
        law = "law 10",
        shape = shape,
        strategy = strategy,
        steps = 1500,
        world = { fake = true },
        finish = function(world)
          injected = injected + (world.injected or 0)
        end,
        weights = { inject = 60, transaction = 2, deletion = 2 },
      }
      -- A short run may meet no statement that fails.
      assert.is_true(injected > 0 or helper.scaled(1500) < 300)
    end)
  end)
end)
