--- Models as a graph of Graphviz.
-- @module tombstone.cli.graph_dot
local M = {}

local HEAD = [[
digraph models {
  rankdir = LR
  node [shape = plain, fontname = "Helvetica", fontsize = 11]
  edge [fontname = "Helvetica", fontsize = 9]
]]

local STYLES = { cascade = "solid", restrict = "bold", keep = "dashed" }

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function html(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function header(node)
  local colour = node.mark and "#d8d8d8" or "#ffffff"
  local mark = node.mark and "<br/><i>" .. html(node.mark) .. "</i>" or ""
  local name = "<b>" .. html(node.name) .. "</b>"
  return '<tr><td bgcolor="' .. colour .. '" colspan="2">' .. name .. mark .. "</td></tr>"
end

local function line(column)
  local key = column.key and " " .. column.key or ""
  local note = column.note and " <i>" .. html(column.note) .. "</i>" or ""
  local name = '<td align="left">' .. html(column.name) .. "</td>"
  return "<tr>" .. name .. '<td align="left">' .. html(column.type) .. key .. note .. "</td></tr>"
end

local function node_text(node)
  local rows = { header(node) }
  for _, column in ipairs(node.columns) do
    rows[#rows + 1] = line(column)
  end
  local body = '<table border="0" cellborder="1" cellspacing="0">' .. table.concat(rows) .. "</table>"
  return "  " .. quoted(node.name) .. " [label = <" .. body .. ">]\n"
end

local function relation(edge)
  local tail = edge.one and "teetee" or "crow"
  local head = edge.null and "odottee" or "teetee"
  return quoted(edge.name .. ", " .. edge.on_delete),
    "style = " .. STYLES[edge.on_delete] .. ", dir = both, arrowtail = " .. tail .. ", arrowhead = " .. head
end

local function link(edge)
  local through = edge.through and " through " .. edge.through or ""
  return quoted(edge.name .. through), "style = dotted, dir = both, arrowtail = crow, arrowhead = crow"
end

--- The text of the graph.
-- @tparam table map as `tombstone.migrate.map` answers it
-- @treturn string
function M.text(map)
  local parts = { HEAD }
  for _, node in ipairs(map.nodes) do
    parts[#parts + 1] = node_text(node)
  end
  for _, edge in ipairs(map.edges) do
    local label, style = (edge.many and link or relation)(edge)
    local ends = quoted(edge.from) .. " -> " .. quoted(edge.to)
    parts[#parts + 1] = "  " .. ends .. " [label = " .. label .. ", " .. style .. "]\n"
  end
  return table.concat(parts) .. "}\n"
end

return M
