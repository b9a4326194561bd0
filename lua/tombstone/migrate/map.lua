--- The models as nodes and the relations between them as edges, for drawings.
-- @module tombstone.migrate.map
local models = require "tombstone.migrate.declared"

local M = {}

local SOFT = { events = "soft delete", stamp = "soft delete, no events" }

local function days(seconds)
  local whole = seconds / 86400
  return whole == math.floor(whole) and ("%d days"):format(whole) or ("%g hours"):format(seconds / 3600)
end

-- "soft delete, kept 90 days"; nil where deletions are real.
local function mark_of(described)
  local mark = SOFT[described.soft_delete]
  return mark and described.keep and mark .. ", kept " .. days(described.keep) or mark
end

local function type_of(field)
  return field.type == "char" and ("char(%d)"):format(field.max_length) or field.type
end

-- What a column is: its key, and what is to be said besides.
local function column_of(field)
  local notes = {}
  notes[#notes + 1] = field.null and "null" or nil
  notes[#notes + 1] = field.unique and "unique, " .. field.unique or nil
  notes[#notes + 1] = field.counts and "counts " .. field.counts or nil
  return {
    name = field.name,
    type = type_of(field),
    key = (field.primary_key and "PK") or (field.references and "FK") or (field.unique and "UK") or nil,
    note = #notes > 0 and table.concat(notes, ", ") or nil,
  }
end

local function node_of(described)
  local columns = {}
  for i, field in ipairs(described.fields) do
    columns[i] = column_of(field)
  end
  return { name = described.name, table = described.table, mark = mark_of(described), columns = columns }
end

local function add_relations(edges, described, list)
  for _, field in ipairs(described.fields) do
    if field.references and list[field.references] then
      edges[#edges + 1] = {
        from = described.name,
        to = field.references,
        name = field.relation,
        on_delete = field.on_delete,
        null = field.null,
        one = field.unique ~= nil and field.unique ~= false,
      }
    end
  end
end

local function add_links(edges, described, list)
  for _, link in ipairs(described.links) do
    if list[link.to] then
      edges[#edges + 1] = {
        from = described.name,
        to = link.to,
        name = link.name,
        many = true,
        through = not link.generated and link.through or nil,
      }
    end
  end
end

--- What there is to draw. The models of links that nobody declared are edges only.
-- @tparam database db with its models declared
-- @treturn table `nodes`, each with `name`, `table`, `mark`, `columns` (`name`, `type`, `key`, `note`),
-- and `edges`, each with `from`, `to`, `name` and either `on_delete`, `null`, `one` or `many`, `through`
function M.of(db)
  local list, nodes, edges = models.list(db), {}, {}
  for _, described in ipairs(list) do
    if not described.is_link then
      nodes[#nodes + 1] = node_of(described)
      add_relations(edges, described, list)
      add_links(edges, described, list)
    end
  end
  return { nodes = nodes, edges = edges }
end

return M
