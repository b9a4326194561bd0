--- The graphs of models that the laws of relations are tried on.
--
-- A model is `{ name =, key =, relations = { { name =, to =, on_delete =, null = } } }`; `key` is
-- the name of a text key, or absent for an integer `id`. Each has a unique text `tag`, so that
-- rows can be in each other's way. A shape may have `links`, each `{ from =, name =, to =,
-- related_name =, through =, near =, far = }`: `through` is one of the models, `near` and `far` its
-- relations.
local tombstone = require "tombstone"

local M = {}

local function to(model, name, on_delete, options)
  local relation = { name = name, to = model, on_delete = on_delete, null = true }
  for option, value in pairs(options or {}) do
    relation[option] = value
  end
  return relation
end

local MUST = { null = false }

local chain = {
  name = "chain",
  models = {
    { name = "A", relations = {} },
    { name = "B", relations = { to("A", "a", "cascade", MUST) } },
    { name = "C", relations = { to("B", "b", "cascade") } },
  },
}

local diamond = {
  name = "diamond",
  models = {
    { name = "D", relations = { to("B", "b", "cascade"), to("C", "c", "cascade") } },
    { name = "B", relations = { to("A", "a", "cascade") } },
    { name = "C", relations = { to("A", "a", "cascade", MUST) } },
    { name = "A", relations = {} },
  },
}

local tree = {
  name = "tree",
  models = { { name = "Node", relations = { to("Node", "parent", "cascade") } } },
}

-- A receipt and a stamp restrict what cascades from above; the stamp dies with the post too.
local mixed = {
  name = "mixed",
  models = {
    { name = "Author", relations = { to("Author", "mentor", "keep") } },
    { name = "Post", relations = { to("Author", "author", "cascade"), to("Author", "editor", "restrict") } },
    { name = "Comment", relations = { to("Post", "post", "cascade"), to("Author", "author", "keep") } },
    { name = "Receipt", relations = { to("Post", "post", "restrict") } },
    { name = "Stamp", relations = { to("Post", "post", "cascade"), to("Comment", "comment", "restrict") } },
  },
}

-- The same texts are keys of every model.
local keys = {
  name = "keys",
  models = {
    { name = "Land", key = "code", relations = { to("Town", "capital", "keep") } },
    { name = "Town", key = "code", relations = { to("Land", "land", "cascade") } },
    { name = "Road", key = "nr", relations = {
      to("Town", "start", "cascade"), to("Town", "goal", "restrict"), to("Road", "after", "cascade"),
    } },
    { name = "Toll", relations = { to("Road", "road", "cascade", MUST) } },
  },
}

local cycle = {
  name = "cycle",
  models = {
    { name = "A", relations = { to("B", "b", "cascade") } },
    { name = "B", relations = { to("A", "a", "cascade") } },
  },
}

-- A cycle in which a row can also need the row that it dies with.
local guarded = {
  name = "guarded",
  models = {
    { name = "A", relations = { to("B", "b", "cascade"), to("A", "peer", "restrict") } },
    { name = "B", relations = { to("A", "a", "cascade"), to("A", "guard", "restrict") } },
  },
}

-- Posts and words, many for many; words are a tree, and linked to each other as well.
local links = {
  name = "links",
  models = {
    { name = "Link", relations = {
      to("Post", "post", "cascade", MUST), to("Word", "word", "cascade", MUST),
    } },
    { name = "Post", relations = {} },
    { name = "Word", relations = { to("Word", "parent", "cascade") } },
    { name = "Pair", relations = {
      to("Word", "one", "cascade", MUST), to("Word", "other", "cascade", MUST),
    } },
  },
  links = {
    {
      from = "Post", name = "words", to = "Word", related_name = "posts",
      through = "Link", near = "post", far = "word",
    },
    {
      from = "Word", name = "peers", to = "Word", related_name = "peered",
      through = "Pair", near = "one", far = "other",
    },
  },
}

--- All shapes, and the strategies that each is tried with.
M.all = { chain, diamond, tree, mixed, keys, cycle, guarded, links }
M.strategies = { "mangle", "live" }

for _, shape in ipairs(M.all) do
  shape.by_name = {}
  for _, model in ipairs(shape.models) do
    shape.by_name[model.name] = model
    model.key_name, model.ways = model.key or "id", {}
    for _, relation in ipairs(model.relations) do
      relation.column = relation.name .. "_id"
      relation.related_name = model.name:lower() .. "s_as_" .. relation.name
    end
  end
end

-- Both ways of each link, by model and name: `{ to =, through =, near =, far = }`.
for _, shape in ipairs(M.all) do
  for _, link in ipairs(shape.links or {}) do
    shape.by_name[link.from].ways[link.name] =
      { to = link.to, through = link.through, near = link.near, far = link.far }
    shape.by_name[link.to].ways[link.related_name] =
      { to = link.from, through = link.through, near = link.far, far = link.near }
    shape.by_name[link.through].is_link = true
  end
end

local function reaches(shape, from, goal, seen)
  for _, relation in ipairs(shape.by_name[from].relations) do
    if relation.to == goal then
      return true
    elseif not seen[relation.to] then
      seen[relation.to] = true
      if reaches(shape, relation.to, goal, seen) then
        return true
      end
    end
  end
  return false
end

--- Whether rows of several models can need each other.
function M.has_rings(shape)
  for _, model in ipairs(shape.models) do
    for _, relation in ipairs(model.relations) do
      if relation.to ~= model.name and reaches(shape, relation.to, model.name, {}) then
        return true
      end
    end
  end
  return false
end

--- The shape of that name.
function M.named(name)
  for _, shape in ipairs(M.all) do
    if shape.name == name then
      return shape
    end
  end
  error("there is no shape " .. name)
end

--- The name of a model's table.
function M.table_of(model)
  return "t_" .. model.name:lower()
end

--- The counter of a relation's children, in the parent's model.
function M.counter_of(relation)
  return "n_" .. relation.related_name
end

-- Counters of all relations that point to the model.
local function add_counters(fields, shape, model)
  for _, child in ipairs(shape.models) do
    for _, relation in ipairs(child.relations) do
      if relation.to == model.name then
        fields[M.counter_of(relation)] = tombstone.field.counter(relation.related_name)
      end
    end
  end
end

-- Links get tags that no other row has.
local function new_tags(prefix)
  local n = 0
  return function()
    n = n + 1
    return prefix .. n
  end
end

local function fields_of(shape, model)
  local f, fields = tombstone.field, {}
  if model.key then
    fields[model.key] = f.text { primary_key = true }
  end
  fields.tag = f.text { unique = true, default = model.is_link and new_tags(model.name) or nil }
  for _, relation in ipairs(model.relations) do
    fields[relation.name] = f.belongs_to(relation.to, {
      on_delete = relation.on_delete,
      related_name = relation.related_name,
      null = relation.null,
    })
  end
  add_counters(fields, shape, model)
  for _, link in ipairs(shape.links or {}) do
    if link.from == model.name then
      fields[link.name] = f.many_to_many(link.to, {
        related_name = link.related_name,
        through = link.through,
        near = link.near .. "_id",
        far = link.far .. "_id",
      })
    end
  end
  return fields
end

local function nothing() end

-- Hooks that do nothing: the library takes other ways where there are some.
local IDLE_HOOKS = {
  before_save = nothing,
  after_delete = nothing,
  before_restore = nothing,
  after_purge = nothing,
}

--- Declares the shape's models in a database, with idle hooks if wished; answers them by name.
function M.declare(db, shape, strategy, has_hooks)
  local models = {}
  for _, model in ipairs(shape.models) do
    models[model.name] = db:model(model.name, fields_of(shape, model), {
      table = M.table_of(model),
      soft_delete = { unique = strategy },
      on = has_hooks and IDLE_HOOKS or nil,
    })
  end
  return models
end

return M
