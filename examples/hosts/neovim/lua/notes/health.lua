--- `:checkhealth notes`
local config = require "notes.config"
local engine = require "notes.engine"
local message = require "notes.message"
local store = require "notes.store"

-- Neovim has renamed these twice.
local health = vim.health or require "health"
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local info = health.info or health.report_info
local warn = health.warn or health.report_warn
local bad = health.error or health.report_error

local M = {}

local function check_editor()
  if vim.fn.has "nvim-0.7" == 1 then
    ok(("Neovim with %s"):format(jit and jit.version or _VERSION))
  else
    bad("Neovim is older than 0.7", { "install a newer one" })
  end
end

local function check_module()
  local loaded, result = pcall(engine.load)
  if not loaded then
    bad(result.message, { result.hint })
    info("The loader says: " .. vim.trim(result.cause))
    return nil
  end
  local where = engine.path() or "found as a rock, by package.path and package.cpath"
  ok(("tombstone %s: %s"):format(result._VERSION, where))
  return result
end

local function check_sqlite(tombstone)
  local db = tombstone.open ":memory:"
  local engine_info = db:info()
  db:close()
  if engine_info.warning then
    warn(
      ("SQLite %s: %s"):format(engine_info.version, engine_info.warning),
      { "write from one Neovim at a time until SQLite is newer, and keep a :NotesBackup" }
    )
  else
    ok("SQLite " .. engine_info.version)
  end
end

local function check_pages(db)
  local said = db:query("PRAGMA main.integrity_check(1)")[1].integrity_check
  if said == "ok" then
    ok "its pages and indexes are sound"
  else
    bad("SQLite finds damage: " .. said, { "go back to a copy that :NotesBackup has made" })
  end
end

local function check_mode(db)
  local mode = db:query("PRAGMA journal_mode")[1].journal_mode
  if mode == "wal" then
    ok "several Neovims can share it (WAL)"
  else
    warn("its journal mode is " .. mode, { "put it on a local disk: WAL needs shared memory" })
  end
end

local function check_database()
  local path = config.get "database"
  if vim.fn.filereadable(path) == 0 and vim.fn.isdirectory(path) == 0 then
    return info(path .. " is not there yet; the first :Note makes it")
  end
  local opened, result = pcall(store.open)
  if not opened then
    return bad(path .. ": " .. message.line(result), {
      "set another path: vim.g.notes_database, or the option database of setup",
    })
  end
  local living, dead = result.notes.objects:count(), result.notes.deleted_objects:count()
  ok(("%s: %s, and %d in the trash"):format(path, message.count(living), dead))
  check_mode(result.db)
  check_pages(result.db)
end

--- Says whether editor, module, SQLite and database are right, and what to do where they are not.
function M.check()
  start "notes: the editor"
  check_editor()
  start "notes: the module"
  local tombstone = check_module()
  if tombstone then
    check_sqlite(tombstone)
    start "notes: the database"
    check_database()
  end
end

return M
