--- What makes a database what its models say: the next migration.
-- @module tombstone.migrate.models
local diff = require "tombstone.migrate.diff"
local files = require "tombstone.migrate.files"
local hints = require "tombstone.migrate.hints"
local history = require "tombstone.migrate.history"
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

local function count(db, sql)
  local ok, rows = pcall(db.query, db, sql)
  return ok and rows[1].n or nil -- a table that was renamed on the way
end

local function loss(db, lost)
  local from = tokens.name(lost.table)
  if not lost.column then
    local n = count(db, "SELECT count(*) AS n FROM " .. from)
    return ("drops table '%s'%s"):format(lost.table, n and (" and its %d rows"):format(n) or "")
  end
  local n = count(db, ("SELECT count(%s) AS n FROM %s"):format(tokens.name(lost.column), from))
  local values = n and (" and its values in %d rows"):format(n) or " and its values"
  return ("drops column '%s' of '%s'%s"):format(lost.column, lost.table, values)
end

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
      local hint = "is it '%s' now? then say renamed_from = %q in the model of '%s', and diff again"
      remarks[#remarks + 1] = hint:format(word[2][1], lost.column, lost.table)
    end
  end
end

local function describe(db, words, lost, warnings)
  local remarks = {}
  for _, entry in ipairs(lost) do
    remarks[#remarks + 1] = loss(db, entry)
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
  local wanted, warnings = target.of(diff.renamed(there, models, told), models, told.tables)
  local changes, lost = diff.schemas(there, wanted, told)
  local first, last = change_triggers(there, models)
  local words = joined(first, soft_words, changes, last)
  local remarks = joined(soft_remarks, describe(db, words, lost, warnings))
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
-- @raise migration where the file cannot be written
-- @usage local path = migrate.write(db, "migrations")
function M.write(db, folder, name)
  local change = M.diff(db)
  if change.empty then
    return nil, change
  end
  local path = ("%s/%s.lua"):format(folder, files.next_name(files.load(folder), name or change.name))
  files.create(path, change.text)
  return path, change
end

return M
