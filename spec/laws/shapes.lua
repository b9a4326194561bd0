--- The models that the laws are tried on, described so that the mirror knows them too.
--
-- A shape is a list of fields, in the order of the columns, and groups of them that are
-- unique together. What `kind` a field has and its options are those of tombstone.field.
local tombstone = require "tombstone"

local M = {}

local function text(name, options)
  local field = { name = name, kind = options.max_length and "char" or "text" }
  for option, value in pairs(options) do
    field[option] = value
  end
  return field
end

local function of(kind, name, options)
  local field = text(name, options)
  field.kind = kind
  return field
end

local rank = of("integer", "rank", { default = 0, index = true })

-- Texts of every sort, one too short for a suffix and one too short for a new name.
local texts = {
  name = "texts",
  model = "Texts",
  fields = {
    text("name", { max_length = 60, unique = true }),
    text("nick", { null = true, unique = true, collate = "NOCASE" }),
    text("brief", { max_length = 12, null = true, unique = true }),
    text("tiny", { max_length = 6, null = true, unique = true }),
    text("a", { null = true }),
    of("integer", "b", { null = true }),
    text("c", { max_length = 40, null = true, collate = "NOCASE" }),
    text("note", { null = true }),
    rank,
  },
  groups = { { "a", "b", "c" } },
  options = { timestamps = true, version = true },
}

-- What is no text, and columns with names of their own.
local types = {
  name = "types",
  model = "Types",
  fields = {
    of("integer", "n", { null = true, unique = true }),
    of("number", "x", { null = true, unique = true }),
    of("boolean", "flag", { null = true, unique = true }),
    of("datetime", "moment", { null = true, unique = true }),
    of("blob", "raw", { null = true, unique = true }),
    text("label", { null = true, unique = true, column = 'la"bel' }),
    of("integer", "d", { null = true }),
    of("boolean", "e", { null = true }),
    of("blob", "g", { null = true }),
    rank,
  },
  groups = { { "d", "e", "g" } },
  options = { soft_delete = { column = "died", event = "died in" } },
}

-- A text key, also in a group.
local keys = {
  name = "keys",
  model = "Keys",
  key = "code",
  fields = {
    text("code", { max_length = 400, primary_key = true }),
    text("title", { unique = true }),
    text("alias", { null = true, collate = "NOCASE" }),
    of("integer", "level", { null = true }),
    rank,
  },
  groups = { { "alias", "level" }, { "alias", "code" } },
  options = { version = true, order_by = { "-rank" } },
}

--- All shapes, and the strategies that each is tried with.
M.all = { texts, types, keys }
M.strategies = { "mangle", "live" }

--- The shape of that name.
function M.named(name)
  for _, shape in ipairs(M.all) do
    if shape.name == name then
      return shape
    end
  end
  error("there is no shape " .. name)
end

local HIDDEN = { name = true, kind = true }

local function declare(field)
  local options = {}
  for option, value in pairs(field) do
    if not HIDDEN[option] then
      options[option] = value
    end
  end
  return tombstone.field[field.kind](options)
end

--- Declares the shape's model in a database. `more` are options of the model.
function M.declare(db, shape, strategy, more)
  local fields = {}
  for _, field in ipairs(shape.fields) do
    fields[field.name] = declare(field)
  end
  local options = { table = shape.name, unique_together = shape.groups, soft_delete = { unique = strategy } }
  for name, value in pairs(shape.options) do
    if name == "soft_delete" then
      options.soft_delete.column, options.soft_delete.event = value.column, value.event
    else
      options[name] = value
    end
  end
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return db:model(shape.model, fields, options)
end

-- ---- what the mirror wants to know ------------------------------------------------------

local function is_text(field)
  return field.kind == "char" or field.kind == "text"
end
M.is_text = is_text

local function own(kind, name, role, null)
  return { name = name, kind = kind, role = role, null = null, column = name }
end

-- All fields in the order of the columns, with those that the engine adds.
local function all_fields(shape)
  local list, soft = {}, shape.options.soft_delete or {}
  if not shape.key then
    list[1] = own("integer", "id", "key")
  end
  for _, field in ipairs(shape.fields) do
    local known = text(field.name, field)
    known.kind, known.column = field.kind, field.column or field.name
    known.role = field.primary_key and "key" or nil
    list[#list + 1] = known
  end
  if shape.options.version then
    list[#list + 1] = own("integer", "version", "version")
  end
  if shape.options.timestamps then
    list[#list + 1] = own("datetime", "created_at", "created_at")
    list[#list + 1] = own("datetime", "updated_at", "updated_at")
  end
  local died = own("datetime", "deleted_at", "deleted_at", true)
  local event = own("integer", "deleted_event", "event", true)
  died.column, event.column = soft.column or died.column, soft.event or event.column
  list[#list + 1], list[#list + 2] = died, event
  return list
end

-- Which strategy frees a group: a suffix needs a text that is not the key.
local function strategy_of(fields, strategy)
  for _, field in ipairs(fields) do
    if is_text(field) and field.role ~= "key" then
      return strategy
    end
  end
  return "live"
end

local function group_of(fields, strategy)
  local group = { fields = fields, strategy = strategy_of(fields, strategy), names = {} }
  for i, field in ipairs(fields) do
    group.names[i] = field.name
  end
  return group
end

--- The shape as the engine sees it: `fields`, `by_name`, `key` (a field) and `groups` (each
-- with `fields`, `names` and `strategy`: "mangle", "live" or "key"), the key's group first.
function M.describe(shape, strategy)
  local known = { shape = shape, strategy = strategy, fields = all_fields(shape), by_name = {}, groups = {} }
  for _, field in ipairs(known.fields) do
    known.by_name[field.name] = field
    if field.role == "key" then
      known.key = field
    end
  end
  known.groups[1] = { fields = { known.key }, names = { known.key.name }, strategy = "key" }
  for _, field in ipairs(known.fields) do
    if field.unique then
      known.groups[#known.groups + 1] = group_of({ field }, strategy)
    end
  end
  for _, names in ipairs(shape.groups) do
    local fields = {}
    for i, name in ipairs(names) do
      fields[i] = known.by_name[name]
    end
    known.groups[#known.groups + 1] = group_of(fields, strategy)
  end
  return known
end

return M
