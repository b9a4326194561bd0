--- Foreign keys as relations, tables of links as relations of many to many, counters.
-- @module tombstone.migrate.inspect_links
local models = require "tombstone.migrate.declared"
local names = require "tombstone.migrate.inspect_names"
local relation = require "tombstone.relation"
local tokens = require "tombstone.migrate.tokens"

local M = {}
local fold = tokens.fold

-- ---- foreign keys ----------------------------------------------------------------------------

local function points_to_key(foreign, parent)
  local key = parent.table.primary_key[1]
  return not foreign.to or fold(foreign.to[1]) == fold(key)
end

-- Why a foreign key is no relation; nil where it is one.
local function obstacle(field, foreign, parent)
  if not parent then
    return "which has no model"
  elseif not points_to_key(foreign, parent) then
    return "which is not its primary key"
  elseif field.is_key then
    return "and no primary key can be a relation"
  elseif field.parent then
    return "a second time"
  end
end

local function read_foreign_key(draft, foreign, by_table)
  local parent = by_table[fold(foreign.table)]
  local target = foreign.table .. (foreign.to and " (" .. table.concat(foreign.to, ", ") .. ")" or "")
  local field = #foreign.columns == 1 and draft.fields[fold(foreign.columns[1])]
  if not field then
    local columns = table.concat(foreign.columns, ", ")
    draft:note(("the foreign key (%s) to %s is the table's alone"):format(columns, target))
    return
  end
  local why = obstacle(field, foreign, parent)
  if why then
    field.notes[#field.notes + 1] = "points to " .. target .. ", " .. why
  else
    field.parent, field.foreign = parent, foreign
  end
  if parent and foreign.to and not points_to_key(foreign, parent) then
    parent.referenced[fold(foreign.to[1])] = true
  end
end

--- Finds the relations of drafts.
-- @tparam {table,...} drafts
function M.find_relations(drafts)
  local by_table = {}
  for _, draft in ipairs(drafts) do
    by_table[fold(draft.table.name)] = draft
    draft.referenced = {}
  end
  for _, draft in ipairs(drafts) do
    for _, foreign in ipairs(draft.table.foreign_keys or {}) do
      read_foreign_key(draft, foreign, by_table)
    end
  end
end

-- ---- what a deletion means -------------------------------------------------------------------

-- A guess: what the database does, where the models can, and links go with their sides; else the row
-- is kept where it may be.
local function guess_on_delete(draft, field)
  local says = field.foreign.on_delete
  if (says == "cascade" or draft.link) and draft.event and field.parent.event then
    return "cascade"
  end
  return field.column.null and "keep" or "restrict"
end

local function set_on_delete(draft, field)
  field.on_delete = guess_on_delete(draft, field)
  local says = field.foreign.on_delete
  field.notes[#field.notes + 1] = says and "ON DELETE " .. says:upper() .. " there" or nil
end

-- ---- links -----------------------------------------------------------------------------------

local function relations_of(draft)
  local list = {}
  for _, field in ipairs(draft.fields) do
    list[#list + 1] = field.parent and field or nil
  end
  return list
end

local function pair_of(draft, near, far)
  local wanted = { [near.name .. "_id"] = true, [far.name .. "_id"] = true }
  for _, group in ipairs(draft.together) do
    if #group == 2 and wanted[group[1]] and wanted[group[2]] then
      return group
    end
  end
end

-- Both sides of a table whose rows are pairs.
local function sides_of(draft)
  local list = relations_of(draft)
  local near, far = list[1], list[2]
  if #list ~= 2 or near.column.null or far.column.null or not pair_of(draft, near, far) then
    return nil
  end
  return near, far
end

local function side_names(near, far)
  local function side(model_name)
    local name = model_name:gsub("(%l)(%u)", "%1_%2"):gsub("(%d)(%u)", "%1_%2"):lower()
    return (relation.is_method(name) or name == "id") and name .. "_row" or name
  end
  local a, b = side(near.parent.name), side(far.parent.name)
  if a == b then
    return "from_" .. a, "to_" .. b
  end
  return a, b
end

-- A table that many_to_many would make just so needs no model of its own.
local function is_generated(draft, near, far)
  local a, b = side_names(near, far)
  local pair = pair_of(draft, near, far)
  return draft.event ~= nil
    and draft.stamp == "deleted_at"
    and near.parent.event ~= nil
    and far.parent.event ~= nil
    and draft.has_plain_key
    and #draft.fields == 2
    and near.column.name == a .. "_id"
    and far.column.name == b .. "_id"
    and pair.unique == "live"
    and pair[1] == a .. "_id"
    and #draft.together == 1
    and #draft.indexes == 0
    and #(draft.table.checks or {}) == 0
    and not draft.times
    and not draft.version
end

-- auth_user_groups of auth_user -> "groups"
local function link_name(draft, near, far)
  local before = fold(near.parent.table.name) .. "_"
  local own = fold(draft.table.name)
  local rest = own:sub(1, #before) == before and names.clean(own:sub(#before + 1), "")
  return rest and rest:match "^%a" and rest or models.table_name(far.parent.name)
end

local function taken_of(draft)
  local taken = draft.taken
  for _, name in ipairs { "id", "version", "created_at", "updated_at", "deleted_at", "deleted_event" } do
    taken[name] = true
  end
  return taken
end

local function add_link(draft, near, far)
  local one, other = near.parent, far.parent
  local link = { to = other, near = near, far = far, draft = draft }
  link.name = names.free(taken_of(one), link_name(draft, near, far))
  link.related_name = names.free(taken_of(other), models.table_name(one.name) .. "_set")
  link.generated = is_generated(draft, near, far)
  local usual = models.table_name(one.name .. "_" .. link.name)
  link.table = link.generated and usual ~= draft.table.name and draft.table.name or nil
  link.needs_ends = one == other
  draft.is_made_by_link = link.generated
  draft.link = link
  one.links[#one.links + 1] = link
end

-- ---- ways back -------------------------------------------------------------------------------

local function relations_to(draft, parent)
  local n = 0
  for _, field in ipairs(draft.fields) do
    n = n + (field.parent == parent and 1 or 0)
  end
  return n
end

-- As Django calls them: post_set, or the child alone where there is one at most.
local function add_way_back(draft, field)
  local own = models.table_name(draft.name)
  local name = field.unique and own or own .. "_set"
  if relations_to(draft, field.parent) > 1 then
    name = field.name .. "_" .. name
  end
  field.related_name = names.free(taken_of(field.parent), names.clean(name, "r_"))
end

--- Settles what deletions mean, finds tables of links, and names the ways back.
-- @tparam {table,...} drafts with keys and names
function M.settle(drafts)
  for _, draft in ipairs(drafts) do
    local near, far = sides_of(draft)
    if near then
      add_link(draft, near, far)
    end
  end
  for _, draft in ipairs(drafts) do
    for _, field in ipairs(draft.fields) do
      if field.parent then
        set_on_delete(draft, field)
      end
      if field.parent and not draft.link then
        add_way_back(draft, field)
      end
    end
  end
end

-- ---- counters --------------------------------------------------------------------------------

-- What the parent calls the rows that a trigger counts.
local function counted_way(child, field)
  local link = child.link
  if not link then
    return field.related_name
  end
  return link.near == field and link.name or link.related_name
end

local function child_of(trigger, drafts)
  for _, draft in ipairs(drafts) do
    if fold(draft.table.name) == fold(trigger.table) then
      return draft
    end
  end
end

local function field_of(trigger, child, parent)
  for _, field in ipairs(child.fields) do
    local needle = "= NEW." .. tokens.name(field.column.name)
    if field.parent == parent and trigger.sql:find(needle, 1, true) then
      return field
    end
  end
end

--- Finds the fields that triggers of ours keep.
-- @tparam {table,...} drafts
-- @tparam {[string]=table} triggers of the schema
function M.find_counters(drafts, triggers)
  for _, parent in ipairs(drafts) do
    for _, field in ipairs(parent.fields) do
      local name = ("tombstone_%s.%s.born"):format(parent.table.name, field.column.name)
      local trigger = triggers[name]
      local child = trigger and child_of(trigger, drafts)
      local counted = child and field_of(trigger, child, parent)
      field.counts = counted and counted_way(child, counted)
    end
  end
end

return M
