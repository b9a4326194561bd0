--- `:NotesBackup`: a copy of the database, made in a thread so that the editor goes on.
local engine = require "notes.engine"
local message = require "notes.message"
local store = require "notes.store"

local M = {}

-- Runs in a thread, which has a Lua state of its own: it loads the module by itself and opens a
-- handle of its own. Nothing of this file can be seen there.
local function copy(module, path, cpath, from, to)
  local ok, err = pcall(function()
    local tombstone
    if module ~= "" then
      tombstone = assert(package.loadlib(module, "luaopen_tombstone")) "tombstone"
    else
      package.path, package.cpath = path, cpath
      tombstone = require "tombstone"
    end
    local db = tombstone.open(from, { read_only = true })
    local copied, why = pcall(db.backup, db, to)
    db:close()
    return copied or error(why, 0)
  end)
  return ok, tostring(err)
end

local function check(target, from, is_forced)
  if vim.loop.fs_realpath(target) == vim.loop.fs_realpath(from) then
    error({ message = target .. " is the database itself", hint = "name another file" }, 0)
  elseif vim.loop.fs_stat(target) and not is_forced then
    error({ message = target .. " is there already", hint = ":NotesBackup! writes over it" }, 0)
  end
end

--- Copies the database.
-- @tparam string path where to
-- @tparam[opt] boolean is_forced over a file that is there
-- @tparam[opt] function done gets whether it went well
-- @raise `{ message, hint }`
function M.start(path, is_forced, done)
  local target = vim.fn.fnamemodify(vim.fn.expand(path), ":p")
  local from = store.open().path -- a database that is there
  check(target, from, is_forced)
  local work = vim.loop.new_work(copy, vim.schedule_wrap(function(ok, why)
    if ok then
      message.say("copied to %s", target)
    else
      message.try(error, { message = why }, 0)
    end
    if done then
      done(ok)
    end
  end))
  work:queue(engine.path() or "", package.path, package.cpath, from, target)
end

return M
