--- Declaring models.
-- @module tombstone.model
local core = require "tombstone.core"
local field = require "tombstone.field"
local hooks = require "tombstone.hooks"
local relation = require "tombstone.relation"

local M = {}

local OPTIONS = {
  "table",
  "indexes",
  "unique_together",
  "order_by",
  "soft_delete",
  "timestamps",
  "version",
  "on",
  "renamed_from",
}
local SOFT_DELETE = { "unique", "event", "column", "keep" }
local LONGEST = 1e11 -- some three thousand years
local UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

--- "90d" -> seconds; numbers are seconds already.
function M.seconds(text)
  local seconds = text
  if type(text) == "string" then
    local number, unit = text:match "^(%d+%.?%d*)([smhdw])$"
    seconds = number and tonumber(number) * UNITS[unit]
  end
  if type(seconds) ~= "number" or not (seconds > 0 and seconds < LONGEST) then
    core.misuse("'" .. tostring(text) .. "' is no duration", 'as in "90d", "12h", or a number of seconds')
  end
  return seconds
end

local UNIQUE = { [true] = "yes", mangle = "mangle", live = "live", always = "always" }

local function unique_word(value)
  if value and not UNIQUE[value] then
    core.misuse("unique is true, \"mangle\", \"live\" or \"always\", not '" .. tostring(value) .. "'")
  end
  return value and UNIQUE[value] or nil
end

-- "no" is true to Lua, which nobody means.
local function need_flags(options, names, what)
  for _, name in ipairs(names) do
    local value = options[name]
    if value ~= nil and type(value) ~= "boolean" then
      core.misuse(name .. " of " .. what .. " is true or false, not a " .. type(value))
    end
  end
end

local function each_field(fields)
  local list = {}
  for name, declared in pairs(fields) do
    if type(name) ~= "string" then
      core.misuse("A field needs a name, not a " .. type(name), "as in title = f.text()")
    end
    if not field.is(declared) then
      core.misuse("Field '" .. tostring(name) .. "' is not declared by a word", "as in title = f.text()")
    end
    list[#list + 1] = { name = name, declared = declared }
  end
  table.sort(list, function(a, b)
    return a.declared.place < b.declared.place
  end)
  return list
end

-- Words of the engine that a row answers to: a column of that name would hide them.
local function check_name(name, model_name, hint)
  if relation.is_method(name) or name:match "^__" then
    relation.refuse(model_name, name, "method", hint)
  end
end

local function read_field(spec, entry)
  local declared = entry.declared
  local name = declared.attr or entry.name
  need_flags(declared, { "null", "index", "primary_key" }, spec.name .. "." .. entry.name)
  if type(name) ~= "string" then
    core.misuse("attr is a name, not a " .. type(name))
  end
  check_name(name, spec.name)
  local related, suffix = declared.references and name, declared.references and "_id" or ""
  name = name .. suffix -- the relation author is the field author_id
  local default, check = declared.default, declared.check
  spec.hints[name] = { renamed_from = declared.renamed_from, default = default, unique = declared.unique }
  if type(default) == "function" then
    spec.functions[name], default = default, nil
  end
  if type(check) == "function" then
    spec.checks[name], check = check, nil
  end
  spec.fields[#spec.fields + 1] = {
    name = name,
    column = declared.column or (declared.attr and entry.name .. suffix) or nil,
    type = declared.type,
    primary_key = declared.primary_key,
    null = declared.null,
    index = declared.index,
    unique = unique_word(declared.unique),
    max_length = declared.max_length,
    default = default,
    choices = declared.choices,
    check = check,
    collate = declared.collate,
    references = declared.references,
    on_delete = declared.on_delete,
    relation = related,
    related_name = declared.related_name,
    counts = declared.counts,
  }
end

-- A link is no column, but a name all the same.
local function read_link(spec, entry)
  local declared = entry.declared
  check_name(entry.name, spec.name, "give it another name")
  for _, option in ipairs { "through", "near", "far", "table" } do
    if declared[option] ~= nil and type(declared[option]) ~= "string" then
      local link = spec.name .. "." .. entry.name
      core.misuse(option .. " of " .. link .. " is a name, not a " .. type(declared[option]))
    end
  end
  spec.links[#spec.links + 1] = relation.link(spec.name, entry.name, declared)
end

local function read_fields(spec, fields)
  spec.functions, spec.checks, spec.links, spec.hints = {}, {}, {}, {}
  for _, entry in ipairs(each_field(fields)) do
    if entry.declared.links_to then
      read_link(spec, entry)
    else
      read_field(spec, entry)
    end
  end
end

-- A list, or one name in place of a list of one.
local function as_list(value, what)
  if type(value) == "string" then
    return { value }
  end
  if value ~= nil and type(value) ~= "table" then
    core.misuse(what .. " is a list of names, not a " .. type(value))
  end
  return value
end

-- Names of fields; that of a relation is the name of its field.
local function field_names(spec, names, what)
  local field_of, found = {}, {}
  for _, entry in ipairs(spec.fields) do
    field_of[entry.relation or entry.name] = entry.name
  end
  for i, name in pairs(as_list(names, what) or {}) do
    found[i] = field_of[name] or name
  end
  return found
end

local function read_groups(spec, options)
  for _, fields in ipairs(as_list(options.indexes, "indexes") or {}) do
    spec.groups[#spec.groups + 1] = { fields = field_names(spec, fields, "an index") }
  end
  local together = as_list(options.unique_together, "unique_together") or {}
  if type(together[1]) == "string" then
    together = { together }
  end
  for _, fields in ipairs(together) do
    local found = field_names(spec, fields, "unique_together")
    local unique = found.unique
    found.unique = nil
    spec.groups[#spec.groups + 1] = { fields = found, unique = unique_word(unique or true) }
  end
end

local function read_soft_delete(spec, soft)
  if soft == false then
    spec.soft_delete = "off"
    return
  end
  if soft == true then
    soft = nil
  end
  core.check_options(soft, SOFT_DELETE, "soft_delete")
  soft = soft or {}
  spec.soft_delete = soft.event == false and "stamp" or "events"
  spec.deleted_event = type(soft.event) == "string" and soft.event or nil
  spec.deleted_at = soft.column
  spec.unique = soft.unique
  spec.keep = soft.keep and M.seconds(soft.keep)
end

-- A method that is called like a column would hide that column where it is NULL.
local function guard(model, names)
  return {
    __index = core.methods.model,
    __newindex = function(_, key, value)
      if names[key] then
        core.misuse("A method cannot be called like the column '" .. key .. "'")
      end
      rawset(model, key, value)
    end,
    __tostring = function()
      return "tombstone.model (" .. rawget(model, "__name") .. ")"
    end,
  }
end

local function dress(model, spec)
  local names = {}
  for _, entry in ipairs(spec.fields) do
    names[entry.name] = true
  end
  rawset(model, "__name", spec.name)
  return setmetatable(model, guard(model, names))
end

-- What the engine is told of a model.
local function spec_of(name, fields, options)
  local spec = {
    name = name,
    table = options.table,
    renamed_from = options.renamed_from,
    fields = {},
    groups = {},
    order_by = as_list(options.order_by, "order_by"),
    timestamps = options.timestamps,
    version = options.version,
  }
  read_fields(spec, fields)
  read_groups(spec, options)
  read_soft_delete(spec, options.soft_delete)
  return spec
end

-- The models of links come after this one, and what speaks against them is said before it.
local function check_generated(db, spec, links)
  if #links > 0 then
    db:define(nil, spec)
  end
  for _, link in ipairs(links) do
    db:define(nil, spec_of(link.name, link.fields, link.options))
  end
  return links
end

--- Declares a model of `db`: what `db:model(name, fields, options)` does.
-- @tparam database db
-- @tparam string name
-- @tparam {[string]=field} fields
-- @tparam[opt] table options `table`, `indexes` and `unique_together` (of fields; a relation's name is
-- that of its field), `order_by`, `soft_delete`, `timestamps`, `version`, `on`,
-- `renamed_from` (the table's name before, for migrations)
-- @return the model, which is also the metatable of its rows
-- @treturn {table,...} models of links to be declared next: `name`, `fields`, `options`
function M.declare(db, name, fields, options)
  if type(name) ~= "string" or type(fields) ~= "table" then
    core.misuse("A model needs a name and a table of fields", 'as in db:model("Post", { title = f.text() })')
  end
  core.check_options(options, OPTIONS, "model")
  options = options or {}
  need_flags(options, { "timestamps", "version" }, name)
  local spec = spec_of(name, fields, options)
  local side, model = core.side(db), dress({}, spec)
  local plan = relation.plan(side, spec)
  local links = check_generated(db, spec, relation.generated(spec))
  db:define(model, spec)
  side.specs[name] = spec
  hooks.install(model, options.on)
  relation.install(side, model, spec, plan)
  return model, links
end

return M
