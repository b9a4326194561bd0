--- Random models, declared in a handle.
local tombstone = require "tombstone"
local f = tombstone.field

local M = {}

local WORDS = { "text", "char", "integer", "number", "boolean", "datetime", "blob" }
local NAMES = { "title", "views", "kind", "end", "score", "public", "code", "left", "order", "note" }
local MODELS = { "Author", "BlogPost", "HTTPLog", "Tag", "post", "Item2" }

local function plain_field(random)
  local word = random:pick(WORDS)
  local options = {}
  options.max_length = word == "char" and random:int(1, 200) or nil
  options.null = random:chance(30) or nil
  options.index = random:chance(30) or nil
  if random:chance(30) then
    local text = word == "text" or word == "char"
    options.unique = random:pick(text and { "mangle", "live", "always" } or { "live", "always" })
  end
  if random:chance(15) and word ~= "blob" then
    options.column = "col_" .. random:int(1, 1000)
  end
  if (word == "text" or word == "char") and random:chance(20) then
    options.collate = "NOCASE"
  end
  return f[word](options)
end

local SOFT = {
  true,
  true,
  false,
  { event = false },
  { column = "removed" },
  { column = "gone", event = "gone_by" },
}

-- A cascade needs events on both sides.
local function relation(random, name, soft, target)
  local null = random:chance(50) or nil
  local ways = { "restrict" }
  ways[#ways + 1] = null and "keep" or nil
  if soft.has_events[name] and soft.has_events[target] then
    ways[#ways + 1] = "cascade"
  end
  return f.belongs_to(target, {
    on_delete = random:pick(ways),
    null = null,
    index = random:chance(20) or nil,
    unique = random:chance(20) and random:pick { "live", "always" } or nil,
    column = random:chance(20) and "fk_" .. random:int(1, 1000) or nil,
    related_name = "from_" .. name:lower() .. random:int(1, 100000),
  })
end

local function add_plain(random, fields, names)
  for _, name in ipairs(random:some(NAMES, 40)) do
    fields[name] = plain_field(random)
    names[#names + 1] = name
  end
end

local function add_relations(random, fields, names, name, soft, known)
  for i = 1, random:int(0, 2) do
    local way = random:pick { "parent", "owner", "source" } .. i
    fields[way] = relation(random, name, soft, random:pick(known))
    names[#names + 1] = way .. "_id"
  end
end

local function options_of(random, names, kind)
  local options = { soft_delete = kind }
  options.timestamps = random:chance(30) or nil
  options.version = random:chance(30) or nil
  options.table = random:chance(20) and "t" .. random:int(1, 100000) or nil
  if #names > 1 and random:chance(40) then
    options.indexes = { { names[1], names[2] } }
  end
  if #names > 1 and random:chance(40) then
    options.unique_together = { { names[#names], names[1], unique = random:pick { "live", "always" } } }
  end
  return options
end

-- A link from this model to one that is there, and a counter of it.
local function add_links(random, fields, name, soft, known)
  local target = random:pick(known)
  if soft.has_events[name] and soft.has_events[target] and random:chance(40) then
    fields.links = f.many_to_many(target, { related_name = "linked_by_" .. name:lower() })
    fields.link_count = random:chance(50) and f.counter "links" or nil
  end
end

local function declare(db, random, name, soft, known)
  local fields, names = {}, {}
  if random:chance(20) then
    fields.slug = f.char { primary_key = true, max_length = 20 }
  end
  add_plain(random, fields, names)
  local kind = soft.kinds[name]
  known[#known + 1] = name
  add_relations(random, fields, names, name, soft, known)
  add_links(random, fields, name, soft, known)
  db:model(name, fields, options_of(random, names, kind))
end

--- Declares one to four models in a new handle.
-- @tparam Random random of `laws.random`
-- @treturn database
function M.declare(random)
  local db = tombstone.open ":memory:"
  local soft, known = { kinds = {}, has_events = {} }, {}
  local names = random:some(MODELS, 60)
  names[1] = names[1] or MODELS[1]
  for _, name in ipairs(names) do
    local kind = random:pick(SOFT)
    soft.kinds[name] = kind
    soft.has_events[name] = kind == true or (type(kind) == "table" and kind.event ~= false)
  end
  for _, name in ipairs(names) do
    declare(db, random, name, soft, known)
  end
  return db
end

return M
