--- Applies migrations and takes them back.
--
-- Each runs in a transaction of its own, with the note of it, so that it is applied or not,
-- whenever the process ends. Who comes second finds it noted, and goes on.
-- @module tombstone.migrate.runner
local core = require "tombstone.core"
local checks = require "tombstone.migrate.checks"
local choice = require "tombstone.migrate.choice"
local files = require "tombstone.migrate.files"
local history = require "tombstone.migrate.history"
local jobs = require "tombstone.migrate.job"
local lock = require "tombstone.migrate.lock"
local losses = require "tombstone.migrate.losses"
local reverse = require "tombstone.migrate.reverse"
local scratch = require "tombstone.migrate.scratch"
local words = require "tombstone.migrate.words"

local M = {}

local Runner = {}
Runner.__index = Runner

local OPTIONS = { "migrations", "progress", "log" }

--- A runner for the migrations of `db`.
-- @tparam database db
-- @tparam table options `migrations`, a folder's path or a table; `progress` and `log`, functions, see
-- `tombstone.migrate.job`
-- @raise migration, misuse
-- @usage local runner = migrate.open(db, { migrations = "migrations" })
function M.open(db, options)
  if type(db) ~= "userdata" then
    core.misuse("migrate.open takes a database, not a " .. type(db), "as in migrate.open(db, { … })")
  end
  core.side(db) -- refuses other userdata
  core.check_options(options, OPTIONS, "migrate.open")
  if not (options and options.migrations) then
    core.misuse("migrate.open needs migrations", 'as in migrate.open(db, { migrations = "migrations" })')
  end
  return setmetatable({
    db = db,
    list = files.load(options.migrations),
    options = { progress = options.progress, log = options.log },
  }, Runner)
end

--- How files and database stand to each other; writes nothing.
-- @treturn {table,...} see `tombstone.migrate.history`
function Runner:status()
  return history.status(self.db, self.list)
end

--- Takes the migrations as they are now for those that were applied: edited files are noted as they
-- are, those that are missing are forgotten.
-- @treturn {string,...} their names
function Runner:accept()
  local names = {}
  self.db:transaction(function()
    for _, entry in ipairs(self:status()) do
      if entry.state == "edited" then
        history.accept(self.db, entry.migration)
        names[#names + 1] = entry.name
      elseif entry.state == "missing" then
        history.forget(self.db, entry)
        names[#names + 1] = entry.name
      end
    end
  end)
  return names
end

-- ---- one migration --------------------------------------------------------------------------

-- Says whose failure it is. Errors of the library stay what they are.
local function fail(migration, err)
  if type(err) == "table" then
    if rawget(err, "kind") then
      rawset(err, "migration", migration.name)
    end
    error(err, 0)
  end
  if type(err) == "string" and err:match "interrupted!$" then
    error(err, 0) -- Ctrl-C, as the interpreter says it
  end
  local message = ("Migration '%s' failed - %s"):format(migration.name, tostring(err))
  local ok, made = pcall(
    core.fail,
    "migration",
    message,
    "nothing of it is kept: mend the file and migrate again"
  )
  made = not ok and made or nil
  rawset(made, "migration", migration.name)
  rawset(made, "cause", err)
  error(made, 0)
end

-- Foreign keys are checked at the end, when all tables are in place again.
local function without_foreign_keys(db, fn)
  local before = db:query("PRAGMA foreign_keys")[1].foreign_keys
  local ok, err = pcall(function()
    db:exec "PRAGMA foreign_keys = OFF"
    return fn()
  end)
  db:exec("PRAGMA foreign_keys = " .. before)
  if not ok then
    error(err, 0)
  end
  return err
end

local function run_step(step, job)
  local m = words.new(job)
  step(m)
  m:flush()
end

local function is_done(db, migration, direction)
  local row = history.read(db)[migration.name]
  if direction == "down" then
    return row == nil
  end
  return row ~= nil and row.finished == 1
end

local function note(db, migration, direction, started)
  if direction == "up" then
    history.note(db, migration, true, db:now() - started)
  else
    history.forget(db, migration)
  end
end

-- One transaction; what was right before it is right after it.
local function guarded(db, job, fn)
  return without_foreign_keys(db, function()
    return db:transaction(function()
      local before = checks.before(db)
      local result = fn()
      if result ~= false then
        checks.check(job, before)
      end
      return result
    end)
  end)
end

local function in_transaction(db, migration, direction, step, job)
  return guarded(db, job, function()
    if is_done(db, migration, direction) then
      return false
    end
    local started = db:now()
    run_step(step, job)
    note(db, migration, direction, started)
    return true
  end)
end

local function main_file(db)
  local file = db:query("PRAGMA database_list")[1].file
  return file ~= "" and file or nil
end

-- What was begun and not finished is run again: such a migration must bear that.
local function by_itself(db, migration, direction, step, job)
  local release = lock.take(main_file(db))
  local ok, err = pcall(function()
    if is_done(db, migration, direction) then
      return false
    end
    local started = db:now()
    if direction == "up" then
      history.note(db, migration, false)
    end
    job.guard = function(fn)
      return guarded(db, job, fn)
    end
    run_step(step, job)
    note(db, migration, direction, started)
    return true
  end)
  release(ok)
  if not ok then
    error(err, 0)
  end
  return err
end

local function step_of(migration, direction)
  return direction == "up" and migration.up or reverse.down(migration)
end

-- True when this runner did it, false when another had.
local function apply(self, migration, direction, log)
  local job = jobs.new(self.db, { log = log or self.options.log, progress = self.options.progress })
  job.name = migration.name
  local how = migration.transaction and in_transaction or by_itself
  local ok, result = pcall(function()
    return how(self.db, migration, direction, step_of(migration, direction), job)
  end)
  if not ok then
    fail(migration, result)
  end
  return result
end

local function pretend(self, migration, direction)
  self.db:transaction(function()
    note(self.db, migration, direction, self.db:now())
  end)
  return true
end

-- ---- several --------------------------------------------------------------------------------

local function need_no_transaction(self)
  if self.db:depth() > 0 or self.db:in_transaction() then
    core.misuse("Migrations begin their own transactions", "call them outside of db:transaction")
  end
end

local UNDO_ALL = {}

-- Tries each in one transaction that is taken back.
local function rehearse(self, chosen, direction)
  local names = {}
  without_foreign_keys(self.db, function()
    local ok, err = pcall(self.db.transaction, self.db, function()
      for _, migration in ipairs(chosen) do
        if not migration.transaction then
          break
        end
        names[#names + 1] = migration.name
        apply(self, migration, direction)
      end
      error(UNDO_ALL, 0)
    end)
    if not ok and err ~= UNDO_ALL then
      error(err, 0)
    end
  end)
  return names
end

local function run_all(self, chosen, direction, options)
  if options.dry_run then
    return rehearse(self, chosen, direction)
  end
  local names = {}
  local how = options.fake and pretend or apply
  for _, migration in ipairs(chosen) do
    if how(self, migration, direction) then
      names[#names + 1] = migration.name
    end
  end
  return names
end

--- The names of those that `up` or `down` would run, in its order.
-- @string direction `"up"` or `"down"`
-- @tparam[opt] table options `to`, `steps`
-- @treturn {string,...}
-- @raise migration where files were edited or are missing
function Runner:plan(direction, options)
  local names = {}
  local choose = direction == "up" and choice.forward or choice.backward
  for i, migration in ipairs(choose(self.db, self.list, options or {})) do
    names[i] = migration.name
  end
  return names
end

--- What `down` would drop, in words with the rows that are there now: of migrations whose words are
-- turned round, for a `down` of one's own says nothing of it.
-- @tparam[opt] table options `to`, `steps`
-- @treturn {string,...}
-- @raise migration where one cannot be taken back
function Runner:losses(options)
  local lines = {}
  for _, migration in ipairs(choice.backward(self.db, self.list, options or {})) do
    for _, lost in ipairs(reverse.lost(migration)) do
      lines[#lines + 1] = losses.say(self.db, lost)
    end
  end
  return lines
end

--- Applies what is pending, in order. Each migration is committed by itself: after a failure the
-- next call goes on where it failed.
-- @tparam[opt] table options `to` (a name or number: no further), `fake` (notes them without running
-- them), `dry_run` (runs them in a transaction that is taken back, as far as one that
-- wants no transaction)
-- @treturn {string,...} names of those applied
-- @raise migration, busy, and what the migrations raise; each error has `migration`
-- @usage runner:up()
function Runner:up(options)
  core.check_options(options, { "to", "fake", "dry_run" }, "up")
  need_no_transaction(self)
  options = options or {}
  return run_all(self, choice.forward(self.db, self.list, options), "up", options)
end

--- Takes applied migrations back, the last first.
-- @tparam[opt] table options `steps` (how many, 1), `to` (a name or number that stays, 0 for none),
-- `fake`, `dry_run`
-- @treturn {string,...} names of those taken back
-- @raise migration, busy, and what the migrations raise
-- @usage runner:down { to = "0003" }
function Runner:down(options)
  core.check_options(options, { "to", "steps", "fake", "dry_run" }, "down")
  need_no_transaction(self)
  options = options or {}
  return run_all(self, choice.backward(self.db, self.list, options), "down", options)
end

-- ---- SQL ------------------------------------------------------------------------------------

--- The SQL of migrations, found by running them on an empty copy of the database in memory: functions
-- run too, without rows.
-- @tparam[opt] table options `to`, `steps`, and `down`, to see them taken back
-- @treturn {table,...} `name` and `statements`, texts
-- @raise migration, and what the migrations raise
function Runner:sql(options)
  core.check_options(options, { "to", "steps", "down" }, "sql")
  options = options or {}
  local direction = options.down and "down" or "up"
  local choose = options.down and choice.backward or choice.forward
  local chosen = choose(self.db, self.list, options)
  local found, copy = {}, scratch.of(self.db)
  local stand_in = setmetatable({ db = copy, list = self.list, options = {} }, Runner)
  local ok, err = pcall(function()
    for i, migration in ipairs(chosen) do
      local statements = {}
      apply(stand_in, migration, direction, function(sql)
        statements[#statements + 1] = sql
      end)
      found[i] = { name = migration.name, statements = statements }
    end
  end)
  copy:close()
  if not ok then
    error(err, 0)
  end
  return found
end

return M
