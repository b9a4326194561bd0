--- Words on soft delete.
-- @module tombstone.migrate.words_soft
local core = require "tombstone.core"
local dying = require "tombstone.migrate.dying"
local event_tables = require "tombstone.migrate.event_tables"
local memo = require "tombstone.migrate.memo"
local migration = require "tombstone.migrate.migration"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local soft_shape = require "tombstone.migrate.soft_shape"

local Migration, inverse = migration.Migration, migration.inverse

-- ---- what options say -----------------------------------------------------------------------

local function need_word(value, words, what, hint)
  for _, word in ipairs(words) do
    if value == word then
      return
    end
  end
  core.misuse(("%s is %s, not '%s'"):format(what, table.concat(words, ", "), tostring(value)), hint)
end

local function check_add(options)
  core.check_options(options, { "unique", "event", "column", "dead", "model", "kept" }, "add_soft_delete")
  if options.unique ~= nil then
    need_word(options.unique, { "mangle", "live" }, "unique of add_soft_delete")
  end
  if options.dead ~= nil then
    need_word(options.dead, { "purge", "revive", "keep" }, "dead of add_soft_delete")
  end
end

-- ---- adding --------------------------------------------------------------------------------------

local function need_free_columns(t, stamp, event)
  for _, name in pairs { stamp, event } do
    if schema.column(t, name) then
      core.fail(
        "migration",
        ("Table '%s' has a column '%s' already"):format(t.name, name),
        "adopt takes over what is there; or name another column"
      )
    end
  end
end

local function replace_parts(t, from)
  for _, part in ipairs { "indexes", "uniques", "checks" } do
    t[part] = schema.copy(from[part])
  end
end

-- What `remove_soft_delete` has kept comes back as it was.
local function add_again(self, t)
  local kept = memo.get(self.job, "remove_soft_delete", t)
  if not kept then
    self.job:refuse(
      ("Nothing is known of the soft delete that '%s' had"):format(t.name),
      "call add_soft_delete without kept, or adopt"
    )
  end
  self:alter(t.name, function(new)
    replace_parts(new, kept.table)
  end)
  self:flush()
  memo.drop(self.job, "remove_soft_delete", t)
end

local function add(self, t, options)
  local how = {
    stamp = options.column or "deleted_at",
    event = soft.event_column(options.event),
    unique = options.unique,
  }
  soft.key(t)
  need_free_columns(t, how.stamp, how.event)
  memo.put(self.job, "add_soft_delete", t)
  local tables = schema.read(self.db).tables
  self:alter(t.name, function(new)
    soft_shape.add(tables, new, how)
  end)
  self:flush()
  self:create_event_tables("add_soft_delete", t)
end

--- Creates them, and notes in what was kept that it did: they go with the table's soft delete.
-- @local
function Migration:create_event_tables(word, t)
  for _, name in ipairs(event_tables.create(self.job)) do
    memo.add(self.job, word, t, nil, name, "created")
  end
end

--- Makes a table soft-deletable, as models are: the columns `deleted_at` and `deleted_event`, the
-- indexes of the living and of the dead, plain indexes of models' names partial on the living, a
-- foreign key's by key and `deleted_at`, checks that bind the living only. Unique texts stay as they
-- are and are freed by a suffix, all else becomes unique among the living; what a foreign key points
-- at stays.
-- @string name of the table
-- @tparam[opt] table options `unique` (`"mangle"` or `"live"`, as `soft_delete` of models), `event`
-- (false for none, or its column's name), `column` (in place of `deleted_at`), `dead` (what becomes
-- of the rows that are dead when this is taken back, as of `remove_soft_delete`), `model` (its name)
-- @raise migration where the columns are there, the table has no key of one column, or rows are not
-- unique
-- @usage m:add_soft_delete("posts", { unique = "live" })
function Migration:add_soft_delete(name, options)
  options = options or {}
  check_add(options)
  self:need_transaction "add_soft_delete"
  local t = self:table(name)
  local how = options.kept and add_again or add
  how(self, t, options)
end

function inverse.add_soft_delete(name, options)
  options = options or {}
  local back = { column = options.column, model = options.model }
  back.dead = options.kept and "keep" or options.dead or "none"
  return "remove_soft_delete", name, back
end

-- ---- removing ----------------------------------------------------------------------------------

local WAYS = { "purge", "revive", "keep" }

local function check_remove(options)
  core.check_options(options, { "dead", "column", "model" }, "remove_soft_delete")
  if not dying.ways[options.dead or ""] then
    local hint = 'as in m:remove_soft_delete("posts", { dead = "purge" })'
    need_word(options.dead, WAYS, "What becomes of the dead", hint)
  end
end

local function forget_events(self, t, is, options)
  if is.event then
    event_tables.forget(self.job, t, is.event, event_tables.model_of(self.db, t, options.model))
  end
end

local function remove(self, t, is, options)
  local before = memo.get(self.job, "add_soft_delete", t)
  local keeps = options.dead == "keep"
  if keeps then
    memo.put(self.job, "remove_soft_delete", t)
  else
    forget_events(self, t, is, options)
  end
  dying.ways[options.dead](self.job, t, is)
  local how = { stamp = is.stamp, event = is.event, keep = keeps }
  self:alter(t.name, function(new, from)
    soft_shape.remove(new, from, how, before and before.table)
  end)
  self:flush()
  if not keeps then
    memo.drop(self.job, "add_soft_delete", t)
    event_tables.drop_unused(self.job, before and before.texts or {})
  end
end

--- Makes a table's rows be deleted for good again. What is unique becomes so among all rows.
--
-- What becomes of the dead must be said: `"purge"` deletes them, and refuses while others point at
-- them; `"revive"` lets them live with the values that they had, and refuses where others have
-- these; `"keep"` leaves them and the columns, which mean nothing any more. Events that hold no
-- row any more go too.
-- @string name of the table
-- @tparam table options `dead`; `column` where it is not `deleted_at` and no index tells it; `model`,
-- its name, where it is not declared on the handle nor what the table is called
-- @raise migration with `rows` and `count` of what is in the way; misuse
-- @usage m:remove_soft_delete("posts", { dead = "revive" })
function Migration:remove_soft_delete(name, options)
  options = options or {}
  check_remove(options)
  self:need_transaction "remove_soft_delete"
  local t = self:table(name)
  remove(self, t, soft.need(t, options.column), options)
end

function inverse.remove_soft_delete(name, options)
  local dead = options and options.dead
  if dead == "keep" then
    return "add_soft_delete", name, { kept = true, column = options.column, model = options.model }
  end
  return nil, "remove_soft_delete has " .. (dead == "revive" and "let the dead live" or "purged the dead")
end

-- ---- all or nothing ------------------------------------------------------------------------------

--- Refuses to run in pieces: half of a word cannot be told from all of it later.
-- @string word
-- @raise migration
function Migration:need_transaction(word)
  self:flush()
  if self.db:depth() == 0 then
    self.job:refuse(word .. " needs the transaction of its migration", "leave transaction = false out")
  end
end

return Migration
