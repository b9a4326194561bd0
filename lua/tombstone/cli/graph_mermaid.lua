--- Models as an entity relationship diagram of Mermaid, which GitHub draws in Markdown.
-- @module tombstone.cli.graph_mermaid
local M = {}

-- Words of the diagram's language, which tells no case.
local RESERVED = { pk = true, fk = true, uk = true }

local function quoted(text)
  return '"' .. text:gsub('"', "'") .. '"'
end

local function attribute(column)
  local name = RESERVED[column.name:lower()] and column.name .. "_" or column.name
  local words = { "    " .. column.type, name }
  words[#words + 1] = column.key
  words[#words + 1] = column.note and quoted(column.note) or nil
  return table.concat(words, " ")
end

local function label(node)
  local name = node.name .. (node.mark and " · " .. node.mark or "")
  return quoted(name)
end

local function entity(add, node)
  add("  " .. quoted(node.name) .. "[" .. label(node) .. "] {")
  for _, column in ipairs(node.columns) do
    add(attribute(column))
  end
  add "  }"
end

-- The parent stands left: exactly one, or none where the key may be NULL.
local function relation(edge)
  local parents = edge.null and "|o" or "||"
  local children = edge.one and "o|" or "o{"
  return quoted(edge.to) .. " " .. parents .. "--" .. children .. " " .. quoted(edge.from),
    edge.name .. ", " .. edge.on_delete
end

local function link(edge)
  local through = edge.through and " through " .. edge.through or ""
  return quoted(edge.from) .. " }o..o{ " .. quoted(edge.to), edge.name .. through
end

--- The text of the diagram.
-- @tparam table map as `tombstone.migrate.map` answers it
-- @treturn string
function M.text(map)
  local lines = { "erDiagram" }
  local function add(line)
    lines[#lines + 1] = line
  end
  for _, node in ipairs(map.nodes) do
    entity(add, node)
  end
  for _, edge in ipairs(map.edges) do
    local line, said = (edge.many and link or relation)(edge)
    add("  " .. line .. " : " .. quoted(said))
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
