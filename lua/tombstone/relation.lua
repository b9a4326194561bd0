--- Relations: the ways from a row to its parent and to its children.
-- @module tombstone.relation
local core = require "tombstone.core"
local hooks = require "tombstone.hooks"

local M = {}

local MANAGERS = { objects = true, all_objects = true, deleted_objects = true }
local need_kept = core.methods.model.need_kept

--- True for words that every model answers to: another meaning would hide them.
-- @string name
-- @treturn boolean
function M.is_method(name)
  return core.methods.model[name] ~= nil or MANAGERS[name] == true
end

--- Raises for a name that would hide another one.
-- @string model_name
-- @string name
-- @string kind what is called so already
-- @string[opt] hint what to do; without it: to use `attr`
-- @raise misuse
function M.refuse(model_name, name, kind, hint)
  hint = hint or 'rename it with attr, as in { attr = "' .. name .. '_value" }'
  core.misuse(model_name .. "." .. name .. " would hide the " .. kind .. " of that name", hint)
end

-- ---- names ---------------------------------------------------------------------------------

-- What a handle knows of names: by model, declared or only pointed to, name -> what has it.

local function copy(names)
  local copied = {}
  for name, kind in pairs(names or {}) do
    copied[name] = kind
  end
  return copied
end

-- The fields of a spec, with those that the engine adds.
local function each_name(spec)
  local names, has_key = {}, false
  for _, field in ipairs(spec.fields) do
    names[#names + 1] = field.name
    has_key = has_key or field.primary_key
  end
  names[#names + 1] = not has_key and "id" or nil
  names[#names + 1] = spec.version and "version" or nil
  for _, name in ipairs(spec.timestamps and { "created_at", "updated_at" } or {}) do
    names[#names + 1] = name
  end
  names[#names + 1] = spec.soft_delete ~= "off" and "deleted_at" or nil
  names[#names + 1] = spec.soft_delete == "events" and "deleted_event" or nil
  return names
end

-- Models that point to this one may have taken names before.
local function claim_own(names, spec)
  for _, name in ipairs(each_name(spec)) do
    if names[name] == "relation" then
      M.refuse(spec.name, name, names[name])
    end
    names[name] = "field"
  end
  for _, field in ipairs(spec.fields) do
    local name = field.relation
    if name and names[name] then
      M.refuse(spec.name, name, names[name])
    end
    if name then
      names[name] = "relation"
    end
  end
end

-- Related names are words in programs, as those of fields are.
local function check_related_name(spec, field)
  local name = field.related_name
  local what = "related_name of " .. spec.name .. "." .. field.relation
  if type(name) ~= "string" then
    core.misuse(what .. " is a name, not a " .. type(name))
  end
  if not name:match "^%a[%w_]*$" or name:match "__" or name:match "_$" then
    core.misuse(
      what .. " cannot be '" .. name .. "'",
      "names are letters, digits and single underscores, and begin with a letter"
    )
  end
end

local function claim_related(names, parent, spec, field)
  local name = field.related_name
  check_related_name(spec, field)
  local kind = names[name]
  if M.is_method(name) or (parent and not kind and rawget(parent, name) ~= nil) then
    kind = "method"
  end
  if kind then
    local relation = spec.name .. "." .. field.relation
    M.refuse(field.references, name, kind, "pass " .. relation .. " another related_name")
  end
  names[name] = "relation"
end

--- Refuses relations of a spec whose names would hide others.
-- @tparam table side what the handle knows (`core.side`)
-- @tparam table spec
-- @treturn table what `install` is to be given
-- @raise misuse
function M.plan(side, spec)
  local plan = {}
  local function names_of(model_name)
    plan[model_name] = plan[model_name] or copy(side.names[model_name])
    return plan[model_name]
  end
  claim_own(names_of(spec.name), spec)
  for _, field in ipairs(spec.fields) do
    if field.related_name ~= nil then
      claim_related(names_of(field.references), side.by_name[field.references], spec, field)
    end
  end
  return plan
end

-- ---- accessors -----------------------------------------------------------------------------

local function need_row(row, model, name)
  if getmetatable(row) ~= model then
    core.misuse(
      "A row of " .. rawget(model, "__name") .. " is needed, not a " .. type(row),
      "call it with a colon, as row:" .. name .. "()"
    )
  end
end

-- post:author()
local function to_parent(side, model, field)
  local name = field.name
  return function(row)
    need_row(row, model, field.relation)
    local key = row[name]
    if key == nil and core.lacks(row, name) then
      core.misuse("The row was read without " .. name, "name it in only, or reload the row")
    end
    if key == nil or key == core.null then
      return nil
    end
    local parent = side.by_name[field.references]
    if not parent then
      local relation = rawget(model, "__name") .. "." .. name
      core.misuse(
        relation .. " points to " .. field.references .. ", which is not declared",
        "declare the model " .. field.references
      )
    end
    return parent.objects:find(key)
  end
end

-- author:posts()
local function to_children(parent, child, field)
  local key = hooks.key_of(parent)
  return function(row)
    need_row(row, parent, field.related_name)
    need_kept(row)
    if row[key] == nil then
      core.misuse("The row has no " .. key, "save it first")
    end
    return child.objects:filter { [field.name] = row[key] }
  end
end

local function give(parent, child, field)
  rawset(parent, field.related_name, to_children(parent, child, field))
end

-- The parent may be declared later.
local function give_related(side, model, spec, field)
  local name = field.references
  local parent = name == spec.name and model or side.by_name[name]
  if parent then
    return give(parent, model, field)
  end
  side.waiting[name] = side.waiting[name] or {}
  table.insert(side.waiting[name], { child = model, field = field })
end

--- Gives a declared model, and those that it points to, their ways to other rows.
-- @tparam table side
-- @tparam model model
-- @tparam table spec
-- @tparam table plan what `plan` answered
function M.install(side, model, spec, plan)
  for name, names in pairs(plan) do
    side.names[name] = names
  end
  for _, field in ipairs(spec.fields) do
    if field.relation then
      rawset(model, field.relation, to_parent(side, model, field))
    end
    if field.related_name then
      give_related(side, model, spec, field)
    end
  end
  for _, entry in ipairs(side.waiting[spec.name] or {}) do
    give(model, entry.child, entry.field)
  end
  side.waiting[spec.name] = nil
end

return M
