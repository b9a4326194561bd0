--- What the declared models say, in one plain shape for tools.
--
--     { name = "Post", table = "posts", model = Post, soft_delete = "events", -- or "stamp", "off"
--       key = "id", fields = { { name =, column =, type =, null =, … }, … }, links = { … } }
--
-- A field has what it was declared with, `unique` as the strategy that is settled (`"mangle"`,
-- `"live"`, `"always"`), and `role` where the engine made it.
-- @module tombstone.migrate.declared
local core = require "tombstone.core"

local M = {}

--- The table of a model that names none: BlogPost -> blog_post.
-- @string model_name
-- @treturn string
function M.table_name(model_name)
  return (model_name:gsub("([^%u_])(%u)", "%1_%2"):lower())
end

-- ---- strategies ------------------------------------------------------------------------------

local function settled(spec, wanted, has_text, is_composite)
  if not wanted then
    return nil
  elseif spec.soft_delete == "off" then
    return "always"
  elseif wanted ~= "yes" then
    return wanted
  elseif spec.unique == "live" or not has_text then
    return "live"
  end
  return is_composite and spec.unique ~= "mangle" and "live" or "mangle"
end

--- True for a text whose values a deletion may mangle.
-- @tparam table field
function M.is_rewritable(field)
  local is_text = field.type == "char" or field.type == "text"
  return is_text and not field.primary_key and not field.references
end

local function mark_mangled(names, by_name)
  for _, name in ipairs(names) do
    by_name[name].mangled = by_name[name].mangled or M.is_rewritable(by_name[name])
  end
end

local function has_text(names, by_name)
  for _, name in ipairs(names) do
    if M.is_rewritable(by_name[name]) then
      return true
    end
  end
  return false
end

-- Indexes and constraints of the model, a field's own among them.
local function groups_of(spec, fields, by_name)
  local groups = {}
  local function add(names, wanted, is_composite)
    local unique = settled(spec, wanted, has_text(names, by_name), is_composite)
    groups[#groups + 1] = { fields = names, unique = unique }
    if unique == "mangle" then
      mark_mangled(names, by_name)
    end
    return unique
  end
  for _, field in ipairs(fields) do
    field.unique = field.unique and add({ field.name }, field.unique, false)
    if field.index then
      add({ field.name }, nil, false)
    end
  end
  for _, group in ipairs(spec.groups) do
    add(group.fields, group.unique, true)
  end
  return groups
end

-- ---- fields ----------------------------------------------------------------------------------

local KEPT = {
  "unique", "index", "max_length", "default", "choices", "check", "collate", "references", "on_delete",
  "relation", "related_name", "counts",
}

local ROLES = {
  id = "key",
  version = "version",
  created_at = "created_at",
  updated_at = "updated_at",
  deleted_at = "deleted_at",
  deleted_event = "deleted_event",
}

local function declared_fields(spec)
  local declared = {}
  for _, field in ipairs(spec.fields) do
    declared[field.name] = field
  end
  return declared
end

-- The engine knows the columns, and the types of keys that point elsewhere.
local function fields_of(model, spec)
  local declared, fields, by_name = declared_fields(spec), model:fields(), {}
  for _, field in ipairs(fields) do
    local said = declared[field.name]
    for _, option in ipairs(KEPT) do
      field[option] = said and said[option]
    end
    field.role = not said and ROLES[field.name] or nil
    field.has_default = said ~= nil and (said.default ~= nil or spec.functions[field.name] ~= nil)
    by_name[field.name] = field
  end
  return fields, by_name
end

local function key_of(fields)
  for _, field in ipairs(fields) do
    if field.primary_key then
      return field.name
    end
  end
end

-- ---- models ----------------------------------------------------------------------------------

local function describe(model, spec)
  local fields, by_name = fields_of(model, spec)
  return {
    name = spec.name,
    table = core.table_of(model),
    model = model,
    fields = fields,
    by_name = by_name,
    key = key_of(fields),
    groups = groups_of(spec, fields, by_name),
    links = spec.links,
    soft_delete = spec.soft_delete,
    keep = spec.keep,
    timestamps = spec.timestamps,
    version = spec.version,
  }
end

--- The models of a handle, in the order of their declaration; those of links, which
-- `many_to_many` makes, have `is_link`.
-- @tparam database db
-- @treturn {table,...} each can be found by its name too
function M.list(db)
  local side, list = core.side(db), {}
  for _, model in ipairs(db:models()) do
    local spec = side.specs[rawget(model, "__name")]
    list[#list + 1] = describe(model, spec)
    list[spec.name] = list[#list]
  end
  for _, described in ipairs(list) do
    for _, link in ipairs(described.links) do
      local through = link.generated and list[link.through]
      if through then
        through.is_link = true
      end
    end
  end
  return list
end

-- ---- ways ------------------------------------------------------------------------------------

local function add_children(ways, other, name)
  for _, field in ipairs(other.fields) do
    if field.references == name and field.related_name then
      local kind = field.unique and "child" or "children"
      ways[#ways + 1] = { name = field.related_name, kind = kind, model = other.name }
    end
  end
end

local function add_linked(ways, other, name)
  for _, link in ipairs(other.links) do
    if link.to == name and link.related_name then
      ways[#ways + 1] = { name = link.related_name, kind = "linked", model = other.name }
    end
  end
end

--- The ways from a model's rows to others, by name: `kind` is `"parent"`, `"child"` (one row or
-- none), `"children"` or `"linked"`.
-- @tparam {table,...} list as `list` answers it
-- @tparam table described one of its models
-- @treturn {table,...} each with `name`, `kind`, `model` (a name)
function M.ways(list, described)
  local ways = {}
  for _, field in ipairs(described.fields) do
    if field.relation then
      ways[#ways + 1] = { name = field.relation, kind = "parent", model = field.references }
    end
  end
  for _, link in ipairs(described.links) do
    ways[#ways + 1] = { name = link.name, kind = "linked", model = link.to }
  end
  for _, other in ipairs(list) do
    add_children(ways, other, described.name)
    add_linked(ways, other, described.name)
  end
  return ways
end

return M
