--- The `m` of a migration, without its words: one table at a time is edited as a value, and becomes
-- one change of the database when the next word speaks of something else.
-- @module tombstone.migrate.migration
local core = require "tombstone.core"
local change = require "tombstone.migrate.change"
local schema = require "tombstone.migrate.schema"
local tokens = require "tombstone.migrate.tokens"

local M = {}

local Migration = {}
Migration.__index = Migration
M.Migration = Migration

-- How each word is taken back: word -> function(its arguments) -> word, arguments; or nil, why.
M.inverse = {}

--- The `m` of a migration.
-- @tparam job job
function M.new(job)
  return setmetatable({ job = job, db = job.db }, Migration)
end

--- Carries out what words have changed so far. Done by itself before all else that reads or writes.
function Migration:flush()
  local edit = self.edit
  self.edit = nil
  if edit then
    change.alter(self.job, edit.old, edit.new, edit.from)
  end
end

--- Refuses what is no name.
-- @raise misuse
function M.need_name(name, what, example)
  if type(name) ~= "string" then
    core.misuse(what .. " is a name, not a " .. type(name), example)
  end
end

local HIDDEN = "SELECT 1 FROM temp.sqlite_master"
  .. " WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"

--- A table of the database, as a value of its schema.
-- @raise migration where there is none of that name
function Migration:table(name)
  M.need_name(name, "A table", 'as in "posts"')
  self:flush()
  if #self.db:query(HIDDEN, name) > 0 then
    self.job:refuse(("A temporary table hides '%s'"):format(name), "drop it first")
  end
  local t = schema.read_table(self.db, name)
  if not t then
    self.job:refuse(("There is no table '%s'"):format(name), "look at its name, or create it first")
  end
  return t
end

local NAMED = "SELECT type, name, tbl_name FROM sqlite_master"
  .. " WHERE type <> 'trigger' AND name = ? COLLATE NOCASE"

--- Refuses a name that a table, a view or an index has, but for the indexes of one table.
-- @string name
-- @string[opt] own that table
-- @raise migration
function Migration:need_free_name(name, own)
  local row = self.db:query(NAMED, name)[1]
  local is_own = own and row and row.type == "index" and tokens.same(row.tbl_name, own)
  if row and not is_own then
    local article = row.type == "index" and "an" or "a"
    self.job:refuse(("There is %s %s '%s' already"):format(article, row.type, row.name), "give another name")
  end
end

local function edits(self, name)
  local edit = self.edit
  return edit and type(name) == "string" and tokens.same(edit.old.name, name) and edit or nil
end

--- Changes a table by `fn(t, from)`: `t` is the value to edit, `from` the SQL over the present table
-- that gives each column its values. What other words are built on.
-- @string name
-- @tparam function fn
function Migration:alter(name, fn)
  local edit = edits(self, name)
  if not edit then
    local old = self:table(name)
    edit = { old = old, new = schema.copy(old), from = change.identity(old) }
    self.edit = edit
  end
  local new, from = schema.copy(edit.new), schema.copy(edit.from)
  fn(new, from) -- which may refuse half-way
  edit.new, edit.from = new, from
end

return M
