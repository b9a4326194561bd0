--- The doctor looks for indexes that are missing, mislead, or count the dead.
-- @module tombstone.migrate.doctor_indexes
local counted = require("tombstone.migrate.doctor_report").counted
local ddl = require "tombstone.migrate.ddl"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

-- ---- comparing -------------------------------------------------------------------------------

local function names_of(index)
  local names = {}
  for i, part in ipairs(index.columns) do
    names[i] = part.name and not part.desc and not part.collate and fold(part.name) or false
  end
  return names
end

local function same_list(a, b)
  for i = 1, math.max(#a, #b) do
    if not a[i] or a[i] ~= b[i] then
      return false
    end
  end
  return true
end

local function where_of(index)
  return index.where and tokens.bare(index.where) or ""
end

local function same_index(a, b)
  return (a.unique or false) == (b.unique or false)
    and where_of(a) == where_of(b)
    and same_list(names_of(a), names_of(b))
end

local function folded(names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = fold(name)
  end
  return list
end

-- A constraint on the same columns is a whole unique index.
local function has_constraint(made, index)
  for _, unique in ipairs(made.uniques or {}) do
    if index.unique and not index.where and same_list(folded(unique.columns), names_of(index)) then
      return true
    end
  end
  return false
end

local function has_index(made, wanted)
  for _, index in ipairs(made.indexes or {}) do
    if same_index(index, wanted) then
      return true
    end
  end
  return has_constraint(made, wanted)
end

local function index_named(report, name)
  for _, made in pairs(report.found) do
    for _, index in ipairs(made.indexes or {}) do
      if fold(index.name) == fold(name) then
        return made
      end
    end
  end
end

-- ---- missing ones ----------------------------------------------------------------------------

local function columns_text(index)
  local list = {}
  for i, part in ipairs(index.columns) do
    list[i] = part.name
  end
  return table.concat(list, ", ")
end

-- One of that name is of another shape; one of another table is nothing of ours.
local function maker(report, made, wanted)
  local owner = index_named(report, wanted.name)
  if owner and owner ~= made then
    return nil, ("rename or drop index %s of table %s"):format(wanted.name, owner.name)
  end
  return function()
    if index_named(report, wanted.name) then
      report.db:exec("DROP INDEX " .. tokens.name(wanted.name))
    end
    report.db:exec(ddl.create_index(made, wanted))
  end
end

local GROUPS = "SELECT min(%s) AS one, max(%s) AS other FROM %s WHERE %s%s GROUP BY %s HAVING count(*) > 1"

-- Rows that a unique index would refuse: how many groups of them, and the keys of the first.
local function duplicates(report, made, wanted)
  local columns, given = {}, {}
  for i, part in ipairs(wanted.columns) do
    columns[i] = tokens.name(part.name)
    given[i] = columns[i] .. " IS NOT NULL"
  end
  local key = tokens.name(made.primary_key[1])
  local groups = GROUPS:format(
    key,
    key,
    tokens.name(made.name),
    table.concat(given, " AND "),
    wanted.where and " AND (" .. wanted.where .. ")" or "",
    table.concat(columns, ", ")
  )
  local first = report.db:query(groups .. " LIMIT 1")[1]
  local n = first and report.db:query("SELECT count(*) AS n FROM (" .. groups .. ")")[1].n or 0
  return n, first and tostring(first.one) .. " and " .. tostring(first.other)
end

local function add_missing_unique(report, made, wanted)
  local n, rows = duplicates(report, made, wanted)
  local fix, remedy = maker(report, made, wanted)
  local finding = {
    problem = "unique_missing",
    severity = "error",
    table = made.name,
    message = ("nothing keeps %s of %s unique"):format(columns_text(wanted), made.name),
    remedy = remedy or "CREATE UNIQUE INDEX " .. wanted.name,
    fix = n == 0 and fix or nil,
  }
  if n > 0 then
    local same = counted(n, "group") .. " of rows have the same, as rows " .. rows
    finding.message = finding.message .. ": " .. same
    finding.remedy = "make the rows differ first"
  end
  report:add(finding)
end

local WHAT = { living = "of the living", event = "of the dead by event" }

local function add_missing_index(report, made, wanted)
  local ending = wanted.name:match "__(%l+)$"
  local what = wanted.where and WHAT[ending] or "on " .. columns_text(wanted)
  report:add {
    problem = "index_missing",
    severity = "warning",
    table = made.name,
    message = ("table %s has no index %s"):format(made.name, what),
    remedy = "CREATE INDEX " .. wanted.name,
    fix = maker(report, made, wanted),
  }
end

-- ---- those that are too much -----------------------------------------------------------------

local function drop(report, index)
  return function()
    report.db:exec("DROP INDEX " .. tokens.name(index.name))
  end
end

local function check_stamp_index(report, made, stamp)
  for _, index in ipairs(made.indexes or {}) do
    local names = names_of(index)
    if not index.where and not index.unique and names[1] == stamp then
      report:add {
        problem = "stamp_index",
        severity = "warning",
        table = made.name,
        message = ("index %s of %s begins with %s, also for the living: it misleads SQLite"):format(
          index.name,
          made.name,
          index.columns[1].name
        ),
        remedy = "DROP INDEX " .. index.name,
        fix = #names == 1 and drop(report, index) or nil,
      }
    end
  end
end

-- All that is unique among living and dead: the columns, and the index where it is none of a
-- constraint.
local function whole_uniques(made)
  local list = {}
  for _, unique in ipairs(made.uniques or {}) do
    list[#list + 1] = { names = folded(unique.columns) }
  end
  for _, index in ipairs(made.indexes or {}) do
    if index.unique and not index.where then
      list[#list + 1] = { names = names_of(index), index = index }
    end
  end
  return list
end

local function contains(list, name)
  for _, one in ipairs(list) do
    if one == name then
      return true
    end
  end
  return false
end

-- The model's own index on the columns: "whole", "living", or nil.
local function wanted_among(wanted, names)
  for _, index in ipairs(wanted.indexes or {}) do
    if index.unique and same_list(names_of(index), names) then
      return index.where and "living" or "whole"
    end
  end
end

local function show(unique)
  local list = {}
  for i, name in ipairs(unique.names) do
    list[i] = name or "an expression"
  end
  return table.concat(list, ", ")
end

local function check_whole_unique(report, made, wanted, unique, stamp)
  local among = wanted_among(wanted, unique.names)
  if among == "whole" or same_list(unique.names, folded(made.primary_key or {})) then
    return
  elseif contains(unique.names, stamp) then
    report:add {
      problem = "unique_useless",
      severity = "warning",
      table = made.name,
      message = ("UNIQUE (%s) of %s keeps no living rows apart: each NULL is another one"):format(
        show(unique),
        made.name
      ),
      remedy = 'unique = "live" in the model',
    }
    return
  end
  report:add {
    problem = "unique_counts_dead",
    severity = among == "living" and "error" or "warning",
    table = made.name,
    message = ("UNIQUE (%s) of %s counts the dead: their values stay taken"):format(show(unique), made.name),
    remedy = unique.index and "DROP INDEX " .. unique.index.name or "m:change_unique in a migration",
    fix = among == "living" and unique.index and drop(report, unique.index) or nil,
  }
end

-- ---- tables ----------------------------------------------------------------------------------

local function check_table(report, made, wanted)
  for _, index in ipairs(wanted.indexes or {}) do
    if not has_index(made, index) then
      local add = index.unique and add_missing_unique or add_missing_index
      add(report, made, index)
    end
  end
end

local function check_soft(report, described)
  local name = fold(described.table)
  local made, wanted = report.found[name], report.wanted[name]
  local stamp = described.by_name.deleted_at
  if described.soft_delete ~= "off" and shape.column(made, stamp.column) then
    check_stamp_index(report, made, fold(stamp.column))
    for _, unique in ipairs(whole_uniques(made)) do
      check_whole_unique(report, made, wanted, unique, fold(stamp.column))
    end
  end
end

--- Examines the indexes of the models' tables, and of the engine's own.
-- @tparam table report
function M.examine(report)
  for _, name in ipairs(report.wanted_schema.order) do
    if report:is_whole(name) then
      check_table(report, report.found[fold(name)], report.wanted_schema.tables[name])
    end
  end
  report:each_model(function(described)
    check_soft(report, described)
  end)
end

return M
