--- What makes a database what its models say: the next migration.
-- @module tombstone.migrate.models
local choice = require "tombstone.migrate.choice"
local core = require "tombstone.core"
local diff = require "tombstone.migrate.diff"
local files = require "tombstone.migrate.files"
local hints = require "tombstone.migrate.hints"
local history = require "tombstone.migrate.history"
local losses = require "tombstone.migrate.losses"
local schema = require "tombstone.migrate.schema"
local soft_diff = require "tombstone.migrate.soft_diff"
local target = require "tombstone.migrate.target"
local tokens = require "tombstone.migrate.tokens"
local write = require "tombstone.migrate.write"

local M = {}

-- ---- triggers of counters -----------------------------------------------------------------

local PREFIX = "^tombstone_"

local function execute(list, sql, down)
  list[#list + 1] = { word = "execute", n = 2, sql, down }
end

local function names_of(triggers)
  local names = {}
  for name in pairs(triggers) do
    names[#names + 1] = name:match(PREFIX) and name or nil
  end
  table.sort(names)
  return names
end

local COUNTS = 'BEGIN UPDATE (".-") SET (".-") = .- WHERE (.-); END$'

-- A counter counts what is there before its triggers count what comes. The trigger for new rows says
-- which these are, in terms of NEW.
local function count_now(list, trigger)
  local parent, counter, condition = trigger.sql:match(COUNTS)
  if parent then
    local sql = ('UPDATE %s SET %s = (SELECT count(*) FROM %s AS "NEW" WHERE %s.%s)'):format(
      parent,
      counter,
      tokens.name(trigger.table),
      parent,
      condition
    )
    execute(list, sql, "SELECT 1")
  end
end

-- Old ones go before tables change, new ones come when all is in place.
local function change_triggers(there, models)
  local first, last = {}, {}
  local function is_same(name)
    local a, b = there.triggers[name], models.triggers[name]
    return a and b and tokens.normal(a.sql) == tokens.normal(b.sql)
  end
  for _, name in ipairs(names_of(there.triggers)) do
    if not is_same(name) then
      execute(first, "DROP TRIGGER " .. tokens.name(name), there.triggers[name].sql)
    end
  end
  for _, name in ipairs(names_of(models.triggers)) do
    if not is_same(name) then
      execute(last, models.triggers[name].sql, "DROP TRIGGER " .. tokens.name(name))
      if name:match "%.born$" then
        count_now(last, models.triggers[name])
      end
    end
  end
  return first, last
end

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, entry in ipairs(list) do
      all[#all + 1] = entry
    end
  end
  return all
end

-- ---- what is said about it ------------------------------------------------------------------

local function drops(words, lost)
  for _, word in ipairs(words) do
    if word.word == "drop_column" and word[1] == lost.table and word[2] == lost.column then
      return word[3]
    end
  end
end

-- A column that goes while one of its type comes may be the same one under another name.
local function suspect_rename(words, lost, remarks)
  local gone = lost.column and drops(words, lost)
  for _, word in ipairs(gone and words or {}) do
    if word.word == "add_column" and word[1] == lost.table and word[2][2] == gone[2] then
      local hint = "is it '%s' now? then say renamed_from = %q in the model of '%s', "
        .. "remove this file, and diff again"
      remarks[#remarks + 1] = hint:format(word[2][1], lost.column, lost.table)
    end
  end
end

-- A table that no model has, while one with most of its columns comes.
local function suspect_table(words, there, models, remarks)
  for _, word in ipairs(words) do
    for _, name in ipairs(word.word == "create_table" and there.order or {}) do
      local shared, t = 0, there.tables[name]
      for _, column in ipairs(word[2]) do
        shared = shared + (schema.column(t, column[1]) and 1 or 0)
      end
      local is_alike = shared * 3 >= #t.columns * 2 and #t.columns > 1
      if is_alike and not models.tables[name] and not name:match(PREFIX) then
        local hint = "is '%s' the table '%s' now? then say renamed_from = %q among the options of its model, "
          .. "remove this file, and diff again"
        remarks[#remarks + 1] = hint:format(name, word[1], name)
      end
    end
  end
end

local function n_rows(db, name, where)
  return losses.count(db, ("SELECT count(*) AS n FROM %s%s"):format(tokens.name(name), where or "")) or 0
end

local function length_of(type)
  return tonumber((type or ""):match "%((%d+)%)")
end

-- What the rows that are there will not bear.
local function foresee(db, word, remarks)
  if word.word == "add_column" then
    local column, n = word[2], n_rows(db, word[1])
    local is_filled = column.null or column.default or column.using or column.generated
    if n > 0 and not is_filled then
      local hint = "column '%s' of '%s' needs a value for %d rows: say it by using, or give a default"
      remarks[#remarks + 1] = hint:format(column[1], word[1], n)
    end
  elseif word.word == "change_column" and word[3].from then
    local now, before = length_of(word[2][2]), length_of(word[3].from[2])
    local longer = now and before and now < before and (" WHERE length(%s) > %d"):format(
      tokens.name(word[2][1]),
      now
    )
    local n = longer and n_rows(db, word[1], longer) or 0
    if n > 0 then
      remarks[#remarks + 1] = ("%d values of '%s' in '%s' are longer than %d"):format(
        n,
        word[2][1],
        word[1],
        now
      )
    end
  end
end

local function describe(db, words, lost, warnings)
  local remarks = {}
  for _, word in ipairs(words) do
    foresee(db, word, remarks)
  end
  for _, entry in ipairs(lost) do
    remarks[#remarks + 1] = losses.say(db, entry)
    suspect_rename(words, entry, remarks)
  end
  return joined(remarks, warnings)
end

-- ---- its name -------------------------------------------------------------------------------

local VERBS = { create_table = "create", drop_table = "drop", add_column = "add", drop_column = "drop" }

local function name_for(words)
  local tables, seen, verb = {}, {}, nil
  for _, word in ipairs(words) do
    local own = VERBS[word.word]
    local name = word.word ~= "execute" and word[1]
    if word.word ~= "add_index" and word.word ~= "execute" then
      verb = (verb == nil or verb == own) and (own or "change") or "change"
    end
    if name and not seen[name] and not name:match(PREFIX) then
      seen[name] = true
      tables[#tables + 1] = name
    end
  end
  if #tables == 0 then
    return "tables of tombstone"
  end
  local column = #words == 1 and (words[1].word == "add_column" and words[1][2][1] or words[1].column)
  local text = (verb or "change") .. " " .. table.concat(tables, " ", 1, math.min(#tables, 3))
  return text .. (column and " " .. column or "")
end

-- ---- all of it ------------------------------------------------------------------------------

--- The words that make the database what its models say. Tables, indexes and constraints that no
-- model knows are left alone; what is dropped is said.
-- @tparam database db with its models declared
-- @treturn table `words`; `empty`, true where nothing is to do; `lost`, what is dropped; `remarks`, lines
-- for people; `name`, words for the file's name; `text`, the file
-- @usage local change = migrate.diff(db); if not change.empty then print(change.text) end
function M.diff(db)
  local there, models, told = schema.read(db), schema.of_models(db), hints.of(db)
  there.tables[history.TABLE] = nil
  for i = #there.order, 1, -1 do
    if there.order[i] == history.TABLE then
      table.remove(there.order, i)
    end
  end
  local soft_words, soft_remarks = soft_diff.words(there, models, told)
  local wanted, warnings = target.of(diff.renamed(there, models, told), models, told.tables, told.columns)
  local changes, lost, unfollowed = diff.schemas(there, wanted, told)
  local first, last = change_triggers(there, models)
  local words = joined(first, soft_words, changes, last)
  local remarks = joined(unfollowed, soft_remarks, describe(db, words, lost, warnings))
  suspect_table(words, there, models, remarks)
  for i, remark in ipairs(remarks) do
    remarks[i] = remark:gsub("%c", " ") -- each stays one line of comment
  end
  return {
    words = words,
    empty = #words == 0,
    lost = lost,
    remarks = remarks,
    name = name_for(words),
    text = write.file(words, remarks),
  }
end

--- Writes the next migration of a folder.
-- @tparam database db
-- @string folder
-- @string[opt] name words in place of those that `diff` finds
-- @treturn string|nil its path; nil where nothing is to do
-- @treturn table what `diff` answers
-- @raise migration where some are not applied, were edited or are missing, and where the file cannot
-- be written
-- @usage local path = migrate.write(db, "migrations")
function M.write(db, folder, name)
  local list = files.load(folder)
  if #choice.forward(db, list, {}) > 0 then
    core.fail(
      "migration",
      "Some migrations are not applied",
      "apply them first, so that the next one starts there"
    )
  end
  local change = M.diff(db)
  if change.empty then
    return nil, change
  end
  local path = ("%s/%s.lua"):format(folder, files.next_name(list, name or change.name))
  files.create(path, change.text)
  return path, change
end

return M
