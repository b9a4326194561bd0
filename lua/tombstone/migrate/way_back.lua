--- What takes the adoption of a table back: recipes for its old values out of the new ones, tried on
-- all rows before anything is changed.
--
-- A recipe is SQL in which `%s` stands for a row's `deleted_at` and `%v` for the column's new value.
-- @module tombstone.migrate.way_back
local adoption = require "tombstone.migrate.adoption"
local finding = require "tombstone.migrate.finding"
local schemes = require "tombstone.migrate.schemes"
local tokens = require "tombstone.migrate.tokens"

local M = {}

-- What most rows of a kind have in a column, as SQL.
local function common(job, t, column, condition)
  local sql = ("SELECT quote(%s) AS value FROM %s WHERE %s GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"):format(
    tokens.name(column),
    tokens.name(t.name),
    condition
  )
  return job:value(sql)
end

--- What most living rows have in an old mark, as SQL; "NULL" where there are none.
function M.living(job, t, plan, column)
  return common(job, t, column, ("(%s) IS NULL"):format(plan.stamp)) or "NULL"
end

local function of_mark(job, t, plan, column)
  local living = M.living(job, t, plan, column)
  local head = "CASE WHEN %s IS NULL THEN " .. living .. " ELSE "
  if not (plan.reading.stamp and tokens.same(column, plan.reading.stamp)) then
    local dead = common(job, t, column, ("(%s) IS NOT NULL"):format(plan.stamp))
    return { head .. (dead or "1") .. " END" }
  end
  return { head .. "%s END", head .. "tombstone_units(%s, " .. plan.reading.units .. ") END" }
end

local function of_text(plan, column)
  local is_marked = #plan.reading.marks > 0 and finding.names(plan.texts, column)
  if is_marked then
    return { "%v", "CASE WHEN %s IS NULL THEN %v ELSE %v || tombstone_suffix(%s) END" }
  end
  return { "CASE WHEN %s IS NULL THEN %v ELSE tombstone_original(%v, %s) END" }
end

--- The SQL of a recipe.
-- @string recipe
-- @string stamp SQL
-- @string value SQL
function M.fill(recipe, stamp, value)
  local given = { s = "(" .. stamp .. ")", v = "(" .. value .. ")" }
  return (recipe:gsub("%%([sv])", given))
end

local function is_exact(job, t, column, sql)
  local name = tokens.name(column)
  local differs = ("(%s) IS NOT %s OR typeof(%s) <> typeof(%s)"):format(sql, name, sql, name)
  return not schemes.some(job.db, t, differs)
end

local function first_exact(job, t, plan, column, list)
  local value = plan.values[tokens.fold(column)] or tokens.name(column)
  for _, recipe in ipairs(list) do
    if is_exact(job, t, column, M.fill(recipe, plan.stamp, value)) then
      return recipe
    end
  end
end

--- The recipes that give each changed column what it has now.
-- @tparam job job
-- @tparam table t as it is
-- @tparam table plan of `tombstone.migrate.adoption`
-- @treturn {[string]=string} by column in lower case
-- @treturn {string,...} columns for which there is none
function M.recipes(job, t, plan)
  local found, lost = {}, {}
  local function try(column, list)
    local recipe = first_exact(job, t, plan, column, list)
    found[tokens.fold(column)] = recipe
    lost[#lost + 1] = not recipe and column or nil
  end
  local marks = adoption.sources(plan.reading)
  for _, column in ipairs(marks) do
    try(column, of_mark(job, t, plan, column))
  end
  for _, column in ipairs(t.columns) do
    if plan.values[tokens.fold(column.name)] and not finding.names(marks, column.name) then
      try(column.name, of_text(plan, column.name))
    end
  end
  return found, lost
end

return M
