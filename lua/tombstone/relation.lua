--- Relations: the ways from a row to its parent, to its children and to rows that are linked.
-- @module tombstone.relation
local along = require "tombstone.along"
local core = require "tombstone.core"
local field = require "tombstone.field"
local loading = require "tombstone.loading"
local related = require "tombstone.related"
local tables = require "tombstone.tables"

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

-- The fields of a spec, with those that the engine adds.
local function each_name(spec)
  local names, has_key = {}, false
  for _, column in ipairs(spec.fields) do
    names[#names + 1] = column.name
    has_key = has_key or column.primary_key
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

-- What of a spec opens ways: fields that point to a parent, and links.
local function each_way(spec)
  local ways = {}
  for _, list in ipairs { spec.fields, spec.links } do
    for _, declared in ipairs(list) do
      ways[#ways + 1] = declared.references and declared or nil
    end
  end
  return ways
end

-- Models that point to this one may have taken names before.
local function claim_own(names, spec)
  for _, name in ipairs(each_name(spec)) do
    if names[name] == "relation" then
      M.refuse(spec.name, name, names[name])
    end
    names[name] = "field"
  end
  for _, way in ipairs(each_way(spec)) do
    local name = way.relation
    if name and names[name] then
      M.refuse(spec.name, name, names[name], way.through and "give it another name")
    end
    if name then
      names[name] = "relation"
    end
  end
end

-- Related names are words in programs, as those of fields are.
local function check_related_name(spec, way)
  local name = way.related_name
  local what = "related_name of " .. spec.name .. "." .. way.relation
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

local function claim_related(names, parent, spec, way)
  local name = way.related_name
  check_related_name(spec, way)
  local kind = names[name]
  if M.is_method(name) or (parent and not kind and rawget(parent, name) ~= nil) then
    kind = "method"
  end
  if kind then
    local relation = spec.name .. "." .. way.relation
    M.refuse(way.references, name, kind, "pass " .. relation .. " another related_name")
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
    plan[model_name] = plan[model_name] or tables.copy(side.names[model_name])
    return plan[model_name]
  end
  claim_own(names_of(spec.name), spec)
  for _, way in ipairs(each_way(spec)) do
    if way.related_name ~= nil then
      claim_related(names_of(way.references), side.by_name[way.references], spec, way)
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
local function to_parent(side, model, way)
  local name = way.name
  return function(row)
    need_row(row, model, way.relation)
    local key = row[name]
    if key == nil and core.lacks(row, name) then
      core.misuse("The row was read without " .. name, "name it in only, or reload the row")
    end
    if key == nil or key == core.null then
      return nil
    end
    local parent = side.by_name[way.references]
    if not parent then
      local relation = rawget(model, "__name") .. "." .. name
      core.misuse(
        relation .. " points to " .. way.references .. ", which is not declared",
        "declare the model " .. way.references
      )
    end
    local found = loading.of(row, way.relation, key)
    if found ~= nil then
      return found or nil
    end
    return parent.objects:find(key)
  end
end

-- The key of a row that others are asked by.
local function need_key(row, model, key, name)
  need_row(row, model, name)
  need_kept(row)
  if row[key] == nil then
    core.misuse("The row has no " .. key, "save it first")
  end
  return row[key]
end

-- author:posts(), or user:profile() where the relation is unique
local function to_children(parent, child, way)
  local key, name = along.key_of(parent), way.related_name
  return function(row)
    local value = need_key(row, parent, key, name)
    local found = loading.of(row, name, value)
    if not way.unique then
      local owner = { row = row, name = name, key = value, loaded = found }
      return related.children(child.objects:filter { [way.name] = value }, owner, child, way)
    end
    if found ~= nil then
      return found and found[1] or nil
    end
    return child.objects:find { [way.name] = value }
  end
end

-- post:tags(), and the way back; `back` is what the other side calls it.
local function to_linked(side, model, name, back)
  local own = along.key_of(model)
  local way -- known when all three models are declared
  return function(row)
    local key = need_key(row, model, own, name)
    way = way or core.way(model, name)
    if not way then
      core.misuse(
        rawget(model, "__name") .. "." .. name .. " needs models that are not declared",
        "declare both sides and the model of the links"
      )
    end
    local found = loading.of(row, name, key)
    local target, through = side.by_name[way.model], side.by_name[way.through]
    local query = target.objects:filter { [back .. "__" .. own] = key }
    local owner = { row = row, name = name, key = key, loaded = found }
    return related.links(query, owner, target, through, way)
  end
end

-- The model may be declared later.
local function give(side, spec, model, name, accessor)
  if name == spec.name or side.by_name[name] then
    return accessor(name == spec.name and model or side.by_name[name])
  end
  side.waiting[name] = side.waiting[name] or {}
  table.insert(side.waiting[name], accessor)
end

local function give_children(side, spec, model, way)
  give(side, spec, model, way.references, function(parent)
    rawset(parent, way.related_name, to_children(parent, model, way))
  end)
end

local function give_links(side, spec, model, link)
  rawset(model, link.name, to_linked(side, model, link.name, link.back))
  if link.related_name then
    give(side, spec, model, link.references, function(other)
      rawset(other, link.related_name, to_linked(side, other, link.related_name, link.name))
    end)
  end
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
  for _, way in ipairs(spec.fields) do
    if way.relation then
      rawset(model, way.relation, to_parent(side, model, way))
    end
    if way.related_name then
      give_children(side, spec, model, way)
    end
  end
  for _, link in ipairs(spec.links) do
    give_links(side, spec, model, link)
  end
  for _, accessor in ipairs(side.waiting[spec.name] or {}) do
    accessor(model)
  end
  side.waiting[spec.name] = nil
end

-- ---- links -----------------------------------------------------------------------------------

-- BlogPost -> blog_post, which is no word that rows answer to already.
local function relation_name(model_name)
  local name = model_name:gsub("(%l)(%u)", "%1_%2"):gsub("(%d)(%u)", "%1_%2"):lower()
  return (M.is_method(name) or name == "id") and name .. "_row" or name
end

-- Options that would be passed over.
local function check_link(what, declared)
  for _, option in ipairs { "near", "far" } do
    if declared[option] and not declared.through then
      core.misuse(option .. " of " .. what .. " is a field of a model of yours", "name that with through")
    end
  end
  if declared.table and declared.through then
    core.misuse(what .. " takes table or through, not both", "the table is an option of " .. declared.through)
  end
  if declared.near and declared.near == declared.far then
    core.misuse("near and far of " .. what .. " are one field", "a link points here and there")
  end
end

--- What a spec says of a link. The way back always has a name in the engine; one that programs
-- did not give cannot be written in a filter by accident.
-- @string model_name
-- @string name
-- @tparam table declared by `field.many_to_many`
-- @treturn table
function M.link(model_name, name, declared)
  local back = declared.related_name or (model_name .. "." .. name)
  check_link(model_name .. "." .. name, declared)
  local link = {
    name = name,
    relation = name,
    references = declared.links_to,
    to = declared.links_to,
    related_name = declared.related_name,
    back = back,
    near = declared.near,
    far = declared.far,
    through = declared.through,
  }
  if not declared.through then
    local near, far = relation_name(model_name), relation_name(declared.links_to)
    if near == far then
      near, far = "from_" .. near, "to_" .. far
    end
    link.through, link.generated = model_name .. "_" .. name, true
    link.table, link.sides = declared.table, { near, far }
    link.near, link.far = near .. "_id", far .. "_id"
  end
  return link
end

--- The models of links that a spec asks for.
-- @tparam table spec
-- @treturn {table,...} each with `name`, `fields` and `options`
-- @raise misuse: they would die with rows that have no events
function M.generated(spec)
  local models = {}
  for _, link in ipairs(spec.links) do
    if link.generated and spec.soft_delete ~= "events" then
      core.misuse(
        spec.name .. "." .. link.name .. ": links cannot die with " .. spec.name .. ", which has no events",
        "declare a model of the links, and name it with through"
      )
    elseif link.generated then
      models[#models + 1] = {
        name = link.through,
        fields = {
          [link.sides[1]] = field.belongs_to(spec.name, { on_delete = "cascade" }),
          [link.sides[2]] = field.belongs_to(link.to, { on_delete = "cascade" }),
        },
        options = { table = link.table, unique_together = { { link.near, link.far, unique = "live" } } },
      }
    end
  end
  return models
end

return M
