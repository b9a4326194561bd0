--- `tombstone types`: annotations of the declared models for lua-language-server, a concrete class
-- for each: rows, models, queries, what filters and writes take.
--
--     local text = require("tombstone.cli.types").text(db)
--
-- @module tombstone.cli.types
local base = require "tombstone.cli.types_base"
local declared = require "tombstone.cli.declared"
local filters = require "tombstone.cli.types_filter"
local into = require "tombstone.cli.into"
local models = require "tombstone.migrate.declared"

local M = {}

-- ---- names of classes ------------------------------------------------------------------------

local KINDS = { "Model", "Query", "Related", "Filter", "New", "Values", "Field" }
local BUILT_IN = {
  "nil", "any", "boolean", "string", "number", "integer", "function", "table", "thread", "userdata",
  "lightuserdata", "unknown", "self", "fun", "true", "false",
}

local function free(taken, name)
  while taken[name] do
    name = name .. "_"
  end
  taken[name] = true
  return name
end

-- Rows have the model's name where they may; the others stand aside for these.
local function class_names(list)
  local taken, names = {}, {}
  for _, word in ipairs(BUILT_IN) do
    taken[word] = true
  end
  for _, described in ipairs(list) do
    names[described.name] = { row = free(taken, described.name) }
  end
  for _, described in ipairs(list) do
    for _, kind in ipairs(KINDS) do
      names[described.name][kind] = free(taken, described.name .. kind)
    end
  end
  return names
end

-- ---- lines -----------------------------------------------------------------------------------

local VISIBILITY = { public = true, private = true, protected = true, package = true }

local function writer()
  local lines = {}
  return {
    lines = lines,
    class = function(name, parent)
      lines[#lines + 1] = ""
      lines[#lines + 1] = "---@class " .. name .. (parent and ": " .. parent or "")
    end,
    field = function(name, type_name)
      local word = name:match "^%w+"
      local visible = VISIBILITY[word] and name:match "^%w+%??$" and "public " or ""
      lines[#lines + 1] = "---@field " .. visible .. name .. " " .. type_name
    end,
  }
end

local function fun(self_class, parameters, result)
  local with_self = "self: " .. self_class .. (parameters ~= "" and ", " .. parameters or "")
  return "fun(" .. with_self .. ")" .. (result and ": " .. result or "")
end

-- ---- rows ------------------------------------------------------------------------------------

local function row_fields(out, described)
  for _, field in ipairs(described.fields) do
    local type_name = filters.type_of(field)
    local null = field.null and type_name ~= "any" and "|nil" or ""
    out.field(field.name, type_name .. null)
  end
end

local function row_ways(out, list, names, described)
  local own = names[described.name]
  for _, way in ipairs(models.ways(list, described)) do
    local target = names[way.model]
    if target then
      local to_one = way.kind == "parent" or way.kind == "child"
      out.field(way.name, fun(own.row, "", to_one and target.row .. "|nil" or target.Related))
    end
  end
end

local DELETED = { events = "tombstone.Event|nil", stamp = "true|nil" }

local function trash_methods(out, row, deleted)
  out.field("delete", fun(row, "options?: tombstone.DeleteOptions", deleted))
  out.field("restore", fun(row, "options?: tombstone.RestoreOptions", "boolean"))
  out.field("delete_plan", fun(row, "", "table<string, integer>"))
  out.field("restore_plan", fun(row, "", "tombstone.RestorePlan"))
end

local function row_methods(out, own, described)
  local row, field = own.row, own.Field
  out.field("save", fun(row, "names?: " .. field .. "[]", row))
  out.field("update", fun(row, "values: " .. own.Values, row))
  out.field("reload", fun(row, "", row))
  out.field("purge", fun(row, "options?: tombstone.PurgeOptions", "boolean, tombstone.Report"))
  out.field("forget", fun(row, "options?: tombstone.PurgeOptions", "tombstone.Report"))
  out.field("is_deleted", fun(row, "", "boolean"))
  out.field("original", fun(row, "field: " .. field, "any"))
  if DELETED[described.soft_delete] then
    trash_methods(out, row, DELETED[described.soft_delete])
  end
end

local function field_alias(out, described, own)
  local words = {}
  for i, field in ipairs(described.fields) do
    words[i] = '"' .. field.name .. '"'
  end
  out.lines[#out.lines + 1] = ""
  out.lines[#out.lines + 1] = "---@alias " .. own.Field .. " " .. table.concat(words, "|")
end

-- ---- models and queries ----------------------------------------------------------------------

local function model_class(out, own)
  local model, row = own.Model, own.row
  out.class(model, "tombstone.Model")
  for _, manager in ipairs { "objects", "all_objects", "deleted_objects" } do
    out.field(manager, own.Query)
  end
  out.field("new", fun(model, "values?: " .. own.Values, row))
  out.field("create", fun(model, "values: " .. own.New, row))
  out.field("bulk_create", fun(model, "list: " .. own.New .. "[], options?: tombstone.Limits", row .. "[]"))
  local found = "match: " .. own.Values .. ", defaults?: " .. own.Values
  local how = ", options?: tombstone.GetOrCreateOptions"
  out.field("get_or_create", fun(model, found .. how, row .. ", boolean"))
  out.field("upsert", fun(model, "values: " .. own.New .. ", options?: tombstone.UpsertOptions", row))
end

local REFINING = {
  { "order_by", "...: string" },
  { "limit", "n: integer" },
  { "offset", "n: integer" },
  { "distinct", "" },
  { "with", "...: string" },
  { "with_deleted", "...: string" },
  { "group_by", "...: string" },
  { "as_of", "seconds: number" },
  { "annotate", "what: table<string, tombstone.Aggregate>" },
  { "within", "limits: tombstone.Limits" },
}

local function query_class(out, own)
  local query, row = own.Query, own.row
  local asked = own.Filter .. "|tombstone.Condition"
  out.class(query, "tombstone.Query")
  for _, name in ipairs { "filter", "exclude" } do
    out.field(name, fun(query, "what: " .. asked .. "|string, value?: any", query))
  end
  out.field("only", fun(query, "...: " .. own.Field, query))
  for _, refining in ipairs(REFINING) do
    out.field(refining[1], fun(query, refining[2], query))
  end
  out.field("all", fun(query, "", row .. "[]"))
  out.field("first", fun(query, "", row .. "|nil"))
  out.field("last", fun(query, "", row .. "|nil"))
  out.field("get", fun(query, "key: " .. asked .. "|string|integer", row))
  out.field("find", fun(query, "key: " .. asked .. "|string|integer", row .. "|nil"))
  out.field("each", fun(query, "options?: tombstone.EachOptions", "fun(): " .. row .. "|nil"))
  out.field("update", fun(query, "values: " .. own.Values .. ", options?: tombstone.AllOptions", "integer"))
  out.field("model", fun(query, "", own.Model))
end

local function related_class(out, own)
  local related, row = own.Related, own.row
  out.class(related, own.Query)
  out.field("add", fun(related, "...: " .. row .. "|table<string, any>", "integer"))
  out.field("remove", fun(related, "...: " .. row, "integer, tombstone.Event|nil"))
  out.field("set", fun(related, "rows: " .. row .. "[]", "integer"))
  out.field("create", fun(related, "values: " .. own.Values .. ", more?: table<string, any>", row))
end

-- ---- values ----------------------------------------------------------------------------------

local WRITTEN_BY_VERBS = { deleted_at = true, deleted_event = true }

local function is_written(field)
  return not field.counts and not WRITTEN_BY_VERBS[field.role or ""]
end

-- What create must be given. A relation may be given as a row or as its key.
local function is_needed(field, described)
  local plain = field.role == nil and not field.references and not field.null and not field.has_default
  local has_own_key = field.name == described.key and field.type == "integer"
  return plain and not has_own_key
end

local function value_class(out, name, names, described, for_create)
  out.class(name)
  for _, field in ipairs(described.fields) do
    if is_written(field) then
      local needed = for_create and is_needed(field, described)
      local type_name = filters.type_of(field)
      local null = field.null and "|tombstone.Null" or ""
      local expression = for_create and "" or "|tombstone.Expression"
      out.field(field.name .. (needed and "" or "?"), type_name .. null .. expression)
    end
    local parent = field.relation and names[field.references]
    if parent then
      out.field(field.relation .. "?", parent.row .. (field.null and "|tombstone.Null" or ""))
    end
  end
end

local function filter_class(out, list, names, described)
  out.class(names[described.name].Filter)
  local function row_class(name)
    return names[name].row
  end
  for _, key in ipairs(filters.keys(list, described, row_class)) do
    out.field(key[1] .. "?", key[2])
  end
end

-- ---- the file --------------------------------------------------------------------------------

local function write_model(out, list, names, described)
  local own = names[described.name]
  out.class(own.row, own.Model)
  row_fields(out, described)
  row_ways(out, list, names, described)
  row_methods(out, own, described)
  field_alias(out, described, own)
  model_class(out, own)
  query_class(out, own)
  related_class(out, own)
  value_class(out, own.New, names, described, true)
  value_class(out, own.Values, names, described, false)
  filter_class(out, list, names, described)
end

local function overloads(list, line)
  local lines = {}
  for i, described in ipairs(list) do
    lines[i] = line(described)
  end
  return table.concat(lines)
end

local DECLARING = ", fields?: table<string, any>, options?: table<string, any>"

local function tail(list, names)
  local rows = overloads(list, function(described)
    local own = names[described.name]
    local model = '"' .. described.name .. '"|' .. own.Model
    return "---@overload fun(self: tombstone.Event, model: " .. model .. "): " .. own.Query .. "\n"
  end)
  local known = overloads(list, function(described)
    local model = names[described.name].Model
    local name = 'name: "' .. described.name .. '"' .. DECLARING
    return "---@overload fun(self: tombstone.Database, " .. name .. "): " .. model .. "\n"
  end)
  return base.TAIL:format(rows, known)
end

--- The text of the file.
-- @tparam database db with its models declared
-- @treturn string
-- @usage local text = require("tombstone.cli.types").text(db)
function M.text(db)
  local list = models.list(db)
  local names, out = class_names(list), writer()
  for _, described in ipairs(list) do
    write_model(out, list, names, described)
  end
  return base.HEAD .. table.concat(out.lines, "\n") .. "\n" .. tail(list, names)
end

-- ---- the command -----------------------------------------------------------------------------

M.name = "types"
M.summary = "Write the models' types, for editors with lua-language-server."

function M.arguments(command)
  into.option(command, "types.lua")
end

function M.run(context, arguments)
  into.put(context, arguments.output, declared.with(context, M.text))
end

return M
