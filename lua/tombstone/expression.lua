--- Arithmetic over fields, and aggregates.
--
--     Post.objects:filter { id = 1 }:update { views = F "views" + 1 }
--     Post.objects:aggregate { n = count "*", top = max "views" }
--
-- @module tombstone.expression
local core = require "tombstone.core"

local M = {}
local Expression = core.expression

--- A field's own value, in a filter or an update. Takes `+ - * / %`.
-- @tparam string name
-- @treturn expression
function M.F(name)
  if type(name) ~= "string" then
    core.misuse("F takes the name of a field", 'as in F"views" + 1')
  end
  return setmetatable({ field = name }, Expression)
end

local function binary(op)
  return function(left, right)
    return setmetatable({ op = op, left, right }, Expression)
  end
end

Expression.__add = binary "+"
Expression.__sub = binary "-"
Expression.__mul = binary "*"
Expression.__div = binary "/"
Expression.__mod = binary "%"

function Expression.__unm(operand)
  return setmetatable({ op = "-", 0, operand }, Expression)
end

local function aggregate(fn)
  return function(field, options)
    core.check_options(options, { "distinct" }, fn)
    return setmetatable({
      fn = fn,
      field = field or "*",
      distinct = options ~= nil and options.distinct == true,
    }, core.aggregates)
  end
end

--- Counts rows (`count "*"`) or values that are not NULL (`count "views"`).
-- `count("views", { distinct = true })` counts different ones.
-- @function count
M.count = aggregate "count"
--- The sum of a field; nil of no rows.
-- @function sum
M.sum = aggregate "sum"
--- The smallest value of a field.
-- @function min
M.min = aggregate "min"
--- The largest value of a field.
-- @function max
M.max = aggregate "max"
--- The mean of a field.
-- @function avg
M.avg = aggregate "avg"

return M
