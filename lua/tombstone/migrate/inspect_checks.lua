--- The checks of a table that fields can have.
-- @module tombstone.migrate.inspect_checks
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

-- The one field that a check names, or nil.
local function field_of(draft, sql)
  local found
  for _, token in ipairs(tokens.list(sql)) do
    local column = (token.kind == "word" or token.kind == "name") and shape.column(draft.table, token.value)
    local field = column and draft.fields[fold(column.name)]
    if column and (not field or field.relation or field.is_key or (found and found ~= field)) then
      return nil
    end
    found = field or found
  end
  return found
end

-- The engine lets the dead pass.
local function for_the_living(draft, sql)
  local before = draft.stamp and tokens.name(draft.stamp) .. " IS NOT NULL OR ("
  if before and sql:sub(1, #before) == before and sql:sub(-1) == ")" then
    return sql:sub(#before + 1, -2)
  end
  return not draft.stamp and sql or nil
end

local function only_valid(sql, name)
  local said, valid = tokens.bare(sql), "json_valid(" .. name .. ")"
  return said == tokens.normal(valid) or said == tokens.normal(valid .. " OR " .. name .. " IS NULL")
end

local function read_check(draft, check)
  local list = tokens.list(check.sql)
  local sql = tokens.join(list, tokens.inside(list))
  local living = for_the_living(draft, sql)
  local field = living and field_of(draft, living)
  local is_json = field and field.word == "json"
  if is_json and only_valid(living, tokens.name(field.column.name)) then
    return -- fields of JSON hold nothing else
  elseif field and not field.check and not is_json then
    field.check = living
  else
    draft:note("CHECK (" .. sql:gsub("%s+", " ") .. ") is the table's alone")
  end
end

--- Reads checks into a draft, whose fields have names by now.
-- @tparam table draft
function M.read(draft)
  for _, check in ipairs(draft.table.checks or {}) do
    read_check(draft, check)
  end
end

return M
