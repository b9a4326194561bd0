-- What thrown.cpp runs: each call of a model fails, by the module, by Lua or by the host's hook.
local tombstone = require "tombstone"
local f = tombstone.field

local M = {}

local function open(hooks)
  local db = tombstone.open ":memory:"
  local Note = db:model("Note", { title = f.text { unique = true } }, { on = hooks })
  db:create_tables()
  Note:create { title = "a" }
  Note:create({ title = "b" }):delete()
  Note:create { title = "b" }
  return db, Note
end

-- What is called, by the hook that fails in it.
local calls = {
  before_save = function(Note) Note:create { title = "c" } end,
  after_save = function(Note) Note.objects:first():update { title = "d" } end,
  before_delete = function(Note) Note.objects:delete { all = true } end,
  after_delete = function(Note) Note.objects:first():delete() end,
  before_restore = function(Note) Note.deleted_objects:first():restore { on_conflict = "rename" } end,
  after_restore = function(Note) Note.deleted_objects:restore { all = true, on_conflict = "rename" } end,
  before_purge = function(Note) Note.deleted_objects:first():purge() end,
  after_purge = function(Note) Note.deleted_objects:purge { all = true } end,
}

local function is_as_before(db, Note)
  assert(db:depth() == 0, "a transaction is open")
  assert(Note.objects:count() == 2 and Note.deleted_objects:count() == 1, "something was written")
end

local function fail_in_hooks(fail, guarded, how)
  local n = 0
  for hook, call in pairs(calls) do
    local armed = false
    local db, Note = open { [hook] = function()
      if armed then
        fail(how)
      end
    end }
    armed = true
    assert(not pcall(guarded, function() call(Note) end), "nothing failed")
    armed = false
    is_as_before(db, Note)
    n = n + 1
  end
  return n
end

-- The conflict function fails while a restore waits in its savepoint.
local function fail_in_conflicts(fail, guarded, how)
  local db, Note = open()
  assert(not pcall(guarded, function()
    Note.deleted_objects:first():restore { on_conflict = function() fail(how) end }
  end))
  is_as_before(db, Note)
  return 1
end

-- Loops that are left by an error, with and without a statement open.
local function fail_in_loops(fail, guarded, how)
  for _, options in ipairs { {}, { snapshot = true } } do
    local db, Note = open()
    assert(not pcall(guarded, function()
      for _ in Note.objects:each(options) do
        fail(how)
      end
    end))
    collectgarbage()
    collectgarbage()
    is_as_before(db, Note)
  end
  return 2
end

-- Errors of the module's own.
local function refuse(guarded)
  local db, Note = open()
  for kind, call in pairs {
    integrity = function() Note:create { title = "a" } end,
    validation = function() Note:create { title = 1 } end,
    not_found = function() Note.objects:get(99) end,
    misuse = function() Note.objects:filter { tittle = "a" } end,
    database = function() db:query "SELEC" end,
  } do
    local ok, err = pcall(guarded, call)
    assert(not ok and err.kind == kind, tostring(err))
  end
  is_as_before(db, Note)
  return 5
end

--- Answers how many calls failed.
function M.run(fail, guarded)
  local n = refuse(guarded)
  for _, how in ipairs { "raise", "throw" } do
    n = n + fail_in_hooks(fail, guarded, how) + fail_in_conflicts(fail, guarded, how)
      + fail_in_loops(fail, guarded, how)
  end
  return n
end

return M
