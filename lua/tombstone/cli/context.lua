--- What a command gets: settings, the database with its models, the terminal, the output.
-- @module tombstone.cli.context
local config = require "tombstone.cli.config"
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"
local terminal = require "tombstone.cli.terminal"

local M = {}
local Context = {}
Context.__index = Context

--- The context of one run.
-- @tparam table options of the command line
-- @treturn table with `options`, `terminal` and `out`
function M.new(options)
  local screen = terminal.open { no_colour = options.no_color }
  return setmetatable({
    options = options,
    terminal = screen,
    out = output.new(screen, options.json),
  }, Context)
end

--- Where database, models and migrations are.
-- @treturn table `database`, `models`, `migrations`, `file`, `folder`
-- @raise a refusal where the configuration is missing or wrong
function Context:settings()
  self.read = self.read or config.read(self.options)
  return self.read
end

local function is_file(address)
  return address ~= ":memory:" and not address:match "^[%w+]+://"
end

local function need_file(address)
  if is_file(address) and not config.exists(address) then
    local hint = "make it with tombstone diff and tombstone migrate; or give --database FILE"
    refusal.raise(address .. " is not there", hint)
  end
end

local function declare(self, db)
  local path = self:settings().models
  local ok, err = pcall(config.models(self:settings()), db)
  if not ok then
    refusal.of_file(path, err)
  end
end

--- The configured database, its models declared and nothing created; the same one in each call.
-- @tparam[opt] table options `create`: the file may be missing, then it is made, or with `look` is an
-- empty database in memory; `read_only`;
-- `models = false`: none are declared
-- @treturn database
-- @raise a refusal, or what opening raises
-- @usage local db = context:db { read_only = true }
function Context:db(options)
  options = options or {}
  if not self.database then
    local address = config.need_database(self:settings())
    if not options.create then
      need_file(address)
    elseif options.look and is_file(address) and not config.exists(address) then
      address = ":memory:"
    end
    -- Here, so that answers about the command line itself need no engine.
    local tombstone = require "tombstone"
    self.database = tombstone.open(address, { read_only = options.read_only })
    if options.models ~= false then
      declare(self, self.database)
    end
  end
  return self.database
end

--- Runs `fn` in a transaction. What breaks it, Ctrl-C as well, leaves the database as it was.
-- @tparam function fn
-- @return what it returned
function Context:transaction(fn)
  self.change = "begun"
  local function finish(...)
    self.change = nil
    return ...
  end
  return finish(self:db():transaction(function()
    local result = fn()
    self.change = "committing"
    return result
  end))
end

local OUTCOMES = {
  begun = "nothing was changed",
  committing = "it came just at the commit: look whether that was done",
}

--- What a transaction that Ctrl-C broke off has come to.
-- @treturn string|nil nil: there was none
function Context:outcome()
  return OUTCOMES[self.change]
end

--- Asks on a terminal; `--yes` is a yes, and without either the command is refused.
-- @tparam string question
-- @tparam[opt] string look how to look only, `"--dry-run"`
-- @treturn boolean
-- @raise a refusal where nobody can be asked
function Context:agreed(question, look)
  if self.options.yes then
    return true
  elseif not self.terminal:can_ask() then
    local hint = ("give --yes, or %s to look only"):format(look or "--dry-run")
    refusal.raise("nobody is there to be asked: " .. question, hint)
  end
  return self.terminal:ask(question)
end

--- Closes what is open. A transaction that was broken off rolls back.
function Context:close()
  self.terminal:clear()
  local db = self.database
  self.database = nil
  if db and db:is_open() then
    pcall(db.close, db)
  end
end

return M
