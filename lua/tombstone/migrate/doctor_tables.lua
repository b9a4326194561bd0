--- The doctor looks for tables that differ from their models.
-- @module tombstone.migrate.doctor_tables
local ddl = require "tombstone.migrate.ddl"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold
local DIFF = "write a migration: tombstone diff"

-- ---- columns ---------------------------------------------------------------------------------

-- What SQLite makes of a value that is put into a column of a type.
local function affinity(type_name)
  local found = shape.affinity(type_name)
  return (found == "text" or found == "blob") and found or "number"
end

-- Times are texts that no column changes, and a column of bytes changes nothing.
local function holds(column, wanted)
  local there = affinity(column.type)
  return there == "blob" or fold(wanted.type) == "datetime" or there == affinity(wanted.type)
end

local function add_difference(report, made, severity, why)
  report:add {
    problem = "table_differs",
    severity = severity,
    table = made.name,
    message = ("table %s differs from its model: %s"):format(made.name, why),
    remedy = DIFF,
  }
end

local function is_in_key(made, column)
  for _, name in ipairs(made.primary_key or {}) do
    if fold(name) == fold(column.name) then
      return true
    end
  end
  return false
end

local function same_null(column, wanted)
  return (column.null or false) == (wanted.null or false)
end

local function same_collation(column, wanted)
  return fold(column.collate or "binary") == fold(wanted.collate or "binary")
end

local function check_column(report, made, wanted_table, wanted)
  local column = shape.column(made, wanted.name)
  if not column then
    report:mark_broken(made.name)
    add_difference(report, made, "error", wanted.name .. " is missing")
  elseif is_in_key(wanted_table, wanted) then
    if not is_in_key(made, column) then
      add_difference(report, made, "error", wanted.name .. " is no primary key there")
    end
  elseif not same_null(column, wanted) then
    local there = column.null and " is NULL there" or " is NOT NULL there"
    add_difference(report, made, "error", wanted.name .. there)
  elseif not holds(column, wanted) then
    local why = ("%s is %s there, not %s"):format(wanted.name, column.type, wanted.type)
    add_difference(report, made, "warning", why)
  elseif not same_collation(column, wanted) then
    local there = column.collate or "bytes"
    add_difference(report, made, "warning", wanted.name .. " compares by " .. there .. " there")
  end
end

-- A column that nobody fills keeps every row out.
local function check_others(report, made, wanted)
  for _, column in ipairs(made.columns) do
    local is_needed = not column.null and not column.default and not column.generated
    if is_needed and not shape.column(wanted, column.name) and not is_in_key(made, column) then
      add_difference(report, made, "error", column.name .. " is NOT NULL there and not in the model")
    end
  end
end

-- ---- keys ------------------------------------------------------------------------------------

local function check_numbering(report, made, wanted)
  if wanted.autoincrement and not made.autoincrement then
    report:add {
      problem = "keys_again",
      severity = "info",
      table = made.name,
      message = "keys of purged rows of " .. made.name .. " may be given out again: it has no AUTOINCREMENT",
      remedy = "a migration with m:change_table, its column { \"id\", \"integer\", key = true }",
    }
  end
end

local function find_foreign_key(made, wanted)
  for _, key in ipairs(made.foreign_keys or {}) do
    local same = #key.columns == 1 and fold(key.columns[1]) == fold(wanted.columns[1])
    if same and fold(key.table) == fold(wanted.table) then
      return key
    end
  end
end

local function check_foreign_key(report, made, wanted)
  local key, column = find_foreign_key(made, wanted), wanted.columns[1]
  if not key then
    report:add {
      problem = "foreign_key_missing",
      severity = "warning",
      table = made.name,
      message = ("%s.%s has no foreign key to %s: raw SQL may take its parent away"):format(
        made.name,
        column,
        wanted.table
      ),
      remedy = DIFF,
    }
  elseif key.on_delete then
    report:add {
      problem = "foreign_key_acts",
      severity = "warning",
      table = made.name,
      message = ("the foreign key %s.%s has ON DELETE %s, behind the back of the models"):format(
        made.name,
        column,
        key.on_delete:upper()
      ),
      remedy = DIFF,
    }
  end
end

-- ---- tables ----------------------------------------------------------------------------------

local function add_missing(report, wanted)
  report:add {
    problem = "table_missing",
    severity = "error",
    table = wanted.name,
    message = "table " .. wanted.name .. " is missing",
    remedy = "db:create_tables(), or a migration",
    fix = function()
      for _, sql in ipairs(ddl.table(wanted)) do
        report.db:exec(sql)
      end
    end,
  }
end

local function check_table(report, made, wanted)
  for _, column in ipairs(wanted.columns) do
    check_column(report, made, wanted, column)
  end
  check_others(report, made, wanted)
  check_numbering(report, made, wanted)
  for _, key in ipairs(wanted.foreign_keys or {}) do
    if shape.column(made, key.columns[1]) then
      check_foreign_key(report, made, key)
    end
  end
end

--- Examines the tables of the models, and the engine's own.
-- @tparam table report
function M.examine(report)
  for _, name in ipairs(report.wanted_schema.order) do
    local wanted, made = report.wanted_schema.tables[name], report.found[fold(name)]
    if made then
      check_table(report, made, wanted)
    else
      add_missing(report, wanted)
    end
  end
end

return M
