--- Models from a database that is there already.
--
--     local text = require("tombstone.migrate.inspect").text(db)
--
-- The text is that of a models.lua. Its models fit the tables as they are, so that
-- `db:create_tables()` adds the indexes that soft delete needs and refuses nothing. What a model
-- cannot express is said in comments.
-- @module tombstone.migrate.inspect
local checks = require "tombstone.migrate.inspect_checks"
local keys = require "tombstone.migrate.inspect_keys"
local links = require "tombstone.migrate.inspect_links"
local names = require "tombstone.migrate.inspect_names"
local schema = require "tombstone.migrate.schema"
local tables = require "tombstone.migrate.inspect_table"
local shape = require "tombstone.migrate.shape"
local tokens = require "tombstone.migrate.tokens"
local write = require "tombstone.migrate.inspect_write"

local M = {}

local function is_ours(name)
  return tokens.fold(name):sub(1, 10) == "tombstone_"
end

-- Drafts of the tables that models can express, and why the others are none.
local function drafts_of(db, found)
  local drafts, others, taken = {}, {}, {}
  for _, name in ipairs(found.order) do
    local why = tables.refusal(found.tables[name])
    if why and not is_ours(name) then
      others[#others + 1] = "table " .. name .. ": " .. why
    elseif not is_ours(name) then
      local model_name = names.free(taken, names.model_name(name))
      drafts[#drafts + 1] = tables.draft(db, found.tables[name], model_name)
    end
  end
  return drafts, others
end

local function add_others(others, found)
  for _, name in ipairs(shape.keys(found.views)) do
    others[#others + 1] = "view " .. name
  end
  for _, name in ipairs(shape.keys(found.others)) do
    others[#others + 1] = "virtual table " .. name
  end
end

--- The models that fit a database's tables, as the text of a models.lua.
-- @tparam database db whose rows are looked at where a type alone does not tell
-- @treturn string
-- @raise migration where a table's text cannot be read; busy, database
-- @usage file:write(require("tombstone.migrate.inspect").text(db))
function M.text(db)
  local found = schema.read(db)
  local drafts, others = drafts_of(db, found)
  links.find_relations(drafts)
  for _, draft in ipairs(drafts) do
    tables.name_fields(draft)
    keys.read(draft)
    checks.read(draft)
  end
  links.settle(drafts)
  links.find_counters(drafts, found.triggers)
  add_others(others, found)
  return write.text(drafts, others)
end

return M
