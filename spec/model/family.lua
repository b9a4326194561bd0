--- Parents and children for the specs of relations. Each model has a `name` and a `parent`: a Team
-- has Authors, an Author Posts, a Post Comments and a Node Nodes, all by cascade; Pins restrict
-- their Post, and Notes are kept without their Author.
local tombstone = require "tombstone"
local f = tombstone.field

local Family = {}
Family.__index = Family

local family = {}

-- Children come first: they point to models that are not declared yet.
local MODELS = {
  { "Comment", "Post", "cascade" },
  { "Post", "Author", "cascade" },
  { "Author", "Team", "cascade" },
  { "Team" },
  { "Pin", "Post", "restrict" },
  { "Note", "Author", "keep" },
  { "Node", "Node", "cascade" },
}

-- `name` and `parent`.
local function fields_of(unique, parent, on_delete)
  return {
    name = f.text { unique = unique },
    parent = parent and f.belongs_to(parent, { on_delete = on_delete, null = true }) or nil,
  }
end

-- Declares a model as those of a family are.
function Family:model(name, parent, on_delete, options)
  self[name] = self.db:model(name, fields_of(self.unique, parent, on_delete), options)
  self.names[#self.names + 1] = name
  return self[name]
end

--- A database with these models only, `{ name, parent, on_delete, options }` each.
-- `options.unique` is how names are unique, `options.open` opens a path.
function family.of(models, options)
  options = options or {}
  local open = options.open or tombstone.open
  local self = setmetatable({ names = {}, unique = options.unique or "mangle" }, Family)
  self.db = open(options.path or ":memory:", { log = options.log, clock = options.clock })
  for _, model in ipairs(models) do
    local own = model[4] or (options.on and { on = options.on[model[1]] }) or nil
    self:model(model[1], model[2], model[3], own)
  end
  self.db:create_tables()
  return self
end

--- The whole family, without rows.
function family.open(options)
  return family.of(MODELS, options)
end

--- The family with rows: t has a and b; a has p and q; p has c, q has d.
function family.tree(options)
  local self = family.open(options)
  self.t = self:add("Team", "t")
  self.a, self.b = self:add("Author", "a", self.t), self:add("Author", "b", self.t)
  self.p, self.q = self:add("Post", "p", self.a), self:add("Post", "q", self.a)
  self.c, self.d = self:add("Comment", "c", self.p), self:add("Comment", "d", self.q)
  return self
end

--- A new row.
function Family:add(model, name, parent)
  return self[model]:create { name = name, parent = parent }
end

--- The names of the living rows of all models, "a b c".
function Family:living()
  local names = {}
  for _, model in ipairs(self.names) do
    local found = self[model].objects:pluck "name"
    for i = 1, #found do
      names[#names + 1] = found[i]
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end

local function line_of(row)
  local parts = {}
  for name, value in pairs(row) do
    parts[#parts + 1] = name .. "=" .. tostring(value)
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

--- All that is stored in a database, as a text.
function family.digest(db)
  local lines, tables = {}, {}
  for _, entry in ipairs(db:query "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") do
    tables[#tables + 1] = entry.name
  end
  for _, name in ipairs(tables) do
    local rows = {}
    for i, row in ipairs(db:query('SELECT * FROM "' .. name .. '"')) do
      rows[i] = line_of(row)
    end
    table.sort(rows)
    lines[#lines + 1] = name .. ":\n" .. table.concat(rows, "\n")
  end
  return table.concat(lines, "\n")
end

function Family:digest()
  return family.digest(self.db)
end

--- The further owners, "2 Post 1, 3 Post 1".
function Family:owners()
  local list = {}
  for i, row in
    ipairs(self.db:query "SELECT event, model, pk FROM tombstone_owner ORDER BY event, model, length(pk), pk")
  do
    list[i] = row.event .. " " .. row.model .. " " .. row.pk
  end
  return table.concat(list, ", ")
end

--- The model's row with that key, whether dead or alive.
function Family:at(model, key)
  return self[model].all_objects:get(key)
end

function Family:close()
  assert(self.db:depth() == 0, "a transaction is open")
  self.db:close()
end

return family
