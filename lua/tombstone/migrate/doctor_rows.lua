--- The doctor looks at rows: children of the dead, values with and without a suffix, counters.
-- @module tombstone.migrate.doctor_rows
local core = require "tombstone.core"
local mangling = require "tombstone.migrate.mangling"
local models = require "tombstone.migrate.declared"
local reports = require "tombstone.migrate.doctor_report"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local counted, column, living, table_of = reports.counted, reports.column, reports.living, reports.table

-- ---- living children of dead parents ---------------------------------------------------------

local function check_relation(report, child, field, parent)
  local lives = living(child, "c")
  local from = ("%s AS c JOIN %s AS p ON p.%s = c.%s WHERE p.%s IS NOT NULL"):format(
    table_of(child),
    table_of(parent),
    column(parent, parent.key),
    tokens.name(field.column),
    column(parent, "deleted_at")
  ) .. (lives and " AND " .. lives or "")
  report:add_rows(child, {
    problem = "living_under_dead",
    severity = "error",
    message = function(n, keys)
      return ("%s of %s live under dead rows of %s: %s"):format(
        counted(n, "row"),
        child.name,
        parent.name,
        keys
      )
    end,
    remedy = "restore the parents, or delete the rows",
  }, from, "c." .. column(child, child.key))
end

local function check_relations(report, described)
  for _, field in ipairs(described.fields) do
    local parent = field.references and report.models[field.references]
    local needs = field.on_delete == "cascade" or field.on_delete == "restrict"
    if needs and parent and parent.soft_delete ~= "off" and report:is_whole(parent.table) then
      check_relation(report, described, field, parent)
    end
  end
end

-- ---- suffixes --------------------------------------------------------------------------------

local MARKED = "GLOB '*__deleted_[0-9]*.[0-9][0-9][0-9][0-9][0-9][0-9]'"

local function check_living_values(report, described, field)
  local name = tokens.name(field.column)
  local from = ("%s WHERE %s AND %s %s"):format(table_of(described), living(described), name, MARKED)
  report:add_rows(described, {
    problem = "mangled_living",
    severity = "warning",
    message = function(n, keys)
      return ("%s of %s live with the suffix of a deletion in %s: %s"):format(
        counted(n, "row"),
        described.name,
        field.name,
        keys
      )
    end,
    remedy = "look whether half a restore left it there, and update them",
  }, from, column(described, described.key))
end

local function texts_of(described, group)
  local texts = {}
  for _, name in ipairs(group.fields) do
    local field = described.by_name[name]
    texts[#texts + 1] = models.is_rewritable(field) and field.column or nil
  end
  return texts
end

-- Dead rows of which no text of the group is freed. NULLs are free anyway.
local function unfreed(described, group)
  local texts, stamp, parts = texts_of(described, group), column(described, "deleted_at"), {}
  for i, name in ipairs(texts) do
    local text = tokens.name(name)
    parts[i] = ("(%s IS NULL OR tombstone_original(%s, %s) = %s)"):format(text, text, stamp, text)
  end
  local given = {}
  for i, name in ipairs(group.fields) do
    given[i] = column(described, name) .. " IS NOT NULL"
  end
  local all = table.concat(parts, " AND ") .. " AND " .. table.concat(given, " AND ")
  return stamp .. " IS NOT NULL AND " .. all, texts
end

local function free_values(report, described, where, text)
  return function()
    report.db:exec(
      ("UPDATE %s SET %s = %s WHERE %s AND tombstone_suffix(%s) IS NOT NULL"):format(
        table_of(described),
        tokens.name(text),
        mangling.mangled(text, described.by_name.deleted_at.column),
        where,
        column(described, "deleted_at")
      )
    )
  end
end

local function check_dead_values(report, described, group)
  local where, texts = unfreed(described, group)
  report:add_rows(described, {
    problem = "mangled_missing",
    severity = "warning",
    message = function(n, keys)
      return ("%s of %s are dead, but keep %s taken: %s"):format(
        counted(n, "row"),
        described.name,
        table.concat(group.fields, ", "),
        keys
      )
    end,
    remedy = "give the values the suffix of their deletion",
    fix = free_values(report, described, where, texts[#texts]),
  }, table_of(described) .. " WHERE " .. where, column(described, described.key))
end

local function check_values(report, described)
  if described.soft_delete == "off" then
    return
  end
  for _, field in ipairs(described.fields) do
    if field.mangled then
      check_living_values(report, described, field)
    end
  end
  for _, group in ipairs(described.groups) do
    if group.unique == "mangle" then
      check_dead_values(report, described, group)
    end
  end
end

-- ---- counters --------------------------------------------------------------------------------

local function check_counter(report, described, field)
  local way = core.need_way(described.model, field.counts)
  local child = report.models[way.through or way.model]
  if not report:is_whole(child.table) then
    return
  end
  local lives = living(child, "c")
  local children = ("SELECT count(*) FROM %s AS c WHERE c.%s = p.%s"):format(
    table_of(child),
    column(child, way.near),
    column(described, described.key)
  ) .. (lives and " AND " .. lives or "")
  local from = ("%s AS p WHERE p.%s <> (%s)"):format(table_of(described), tokens.name(field.column), children)
  report:add_rows(described, {
    problem = "counter_wrong",
    severity = "error",
    message = function(n, keys)
      return ("%s of %s is wrong in %s: %s"):format(field.name, described.name, counted(n, "row"), keys)
    end,
    remedy = described.name .. ":recount()",
    fix = function()
      described.model:recount()
    end,
  }, from, "p." .. column(described, described.key))
end

local function check_counters(report, described)
  for _, field in ipairs(described.fields) do
    if field.counts then
      check_counter(report, described, field)
    end
  end
end

-- ---- triggers --------------------------------------------------------------------------------

local function same_trigger(a, b)
  return a ~= nil and tokens.normal(a.sql) == tokens.normal(b.sql)
end

-- The model whose counter the trigger keeps.
local function recount(report, trigger_name)
  for _, described in ipairs(report.models) do
    if trigger_name:find("tombstone_" .. described.table .. ".", 1, true) == 1 then
      described.model:recount()
    end
  end
end

local function trigger_maker(report, name, trigger)
  return function()
    report.db:exec("DROP TRIGGER IF EXISTS " .. tokens.name(name))
    report.db:exec(trigger.sql)
    recount(report, name)
  end
end

local function check_triggers(report)
  for _, name in ipairs(shape.keys(report.wanted_schema.triggers)) do
    local wanted = report.wanted_schema.triggers[name]
    if not same_trigger(report.found_schema.triggers[name], wanted) and report:is_whole(wanted.table) then
      report:add {
        problem = "counter_trigger_missing",
        severity = "error",
        table = wanted.table,
        message = ("the trigger %s that keeps a counter %s"):format(
          name,
          report.found_schema.triggers[name] and "is another one" or "is missing"
        ),
        remedy = "db:create_tables()",
        fix = trigger_maker(report, name, wanted),
      }
    end
  end
end

--- Examines the rows of the models.
-- @tparam table report
function M.examine(report)
  check_triggers(report)
  report:each_model(function(described)
    check_relations(report, described)
    check_values(report, described)
    check_counters(report, described)
  end)
end

return M
