--- What the doctor's examinations share: the models, both schemas, and the list of what was found.
-- @module tombstone.migrate.doctor_report
local models = require "tombstone.migrate.declared"
local schema = require "tombstone.migrate.schema"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local Report = {}
Report.__index = Report

local SHOWN = 3 -- keys of rows that a message names

--- A new report of a database with its models declared.
-- @tparam database db
-- @treturn table `db`, `models`, `wanted` and `found` (tables by their names in small letters),
-- `wanted_schema`, `found_schema`
-- @raise misuse where a model points to one that is not declared
function M.new(db)
  local wanted, found = schema.of_models(db), schema.read(db)
  return setmetatable({
    db = db,
    models = models.list(db),
    wanted_schema = wanted,
    found_schema = found,
    wanted = shape.by_fold(wanted.tables),
    found = shape.by_fold(found.tables),
    broken = {},
    list = {},
  }, Report)
end

--- Adds a finding: `problem`, `severity`, `table`, `message`, `remedy`, `fix`.
function Report:add(finding)
  self.list[#self.list + 1] = finding
end

--- The rows of a table are not to be asked: something that they need is not there.
function Report:mark_broken(table_name)
  self.broken[tokens.fold(table_name)] = true
end

--- True where the rows of a table can be asked.
function Report:is_whole(table_name)
  local name = tokens.fold(table_name)
  return self.found[name] ~= nil and not self.broken[name]
end

--- Models whose rows can be asked.
function Report:each_model(fn)
  for _, described in ipairs(self.models) do
    if self:is_whole(described.table) then
      fn(described)
    end
  end
end

--- How many rows a condition finds, and the keys of the first ones.
-- @string from what stands behind FROM, with its WHERE
-- @string key an expression
-- @param ... values
-- @treturn number
-- @treturn string "4, 7, 9, …"
function Report:count(from, key, ...)
  local n = self.db:query("SELECT count(*) AS n FROM " .. from, ...)[1].n
  if n == 0 then
    return 0, ""
  end
  local keys = {}
  local sql = "SELECT " .. key .. " AS k FROM " .. from .. " ORDER BY 1 LIMIT " .. SHOWN
  for i, row in ipairs(self.db:query(sql, ...)) do
    keys[i] = tostring(row.k)
  end
  return n, table.concat(keys, ", ") .. (n > SHOWN and ", …" or "")
end

--- Adds a finding where a condition finds rows, or says nothing. Its `message` is a function of their
-- number and the keys of the first ones.
-- @tparam table described the model whose table it is of
-- @tparam table finding
-- @string from as of `count`
-- @string key
-- @param ... values
function Report:add_rows(described, finding, from, key, ...)
  local n, keys = self:count(from, key, ...)
  if n > 0 then
    finding.table, finding.message = described.table, finding.message(n, keys)
    self:add(finding)
  end
end

--- "1 row", "3 rows"
function M.counted(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

--- The column of a field, as SQL writes it.
function M.column(described, name)
  return tokens.name(described.by_name[name].column)
end

--- The table of a model, as SQL writes it.
function M.table(described)
  return tokens.name(described.table)
end

--- A condition for living rows of the table called `alias`, or nil where all of them live.
function M.living(described, alias)
  if described.soft_delete == "off" then
    return nil
  end
  return (alias and alias .. "." or "") .. M.column(described, "deleted_at") .. " IS NULL"
end

return M
