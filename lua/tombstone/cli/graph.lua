--- `tombstone graph`: the models and their relations as a drawing, with what each deletion means.
--
--     local text = require("tombstone.cli.graph").text(db, "mermaid")
--
-- @module tombstone.cli.graph
local core = require "tombstone.core"
local declared = require "tombstone.cli.declared"
local dot = require "tombstone.cli.graph_dot"
local into = require "tombstone.cli.into"
local map = require "tombstone.migrate.map"
local mermaid = require "tombstone.cli.graph_mermaid"

local M = {}

local WRITERS = { mermaid = mermaid.text, dot = dot.text }

--- The text of the drawing.
-- @tparam database db with its models declared
-- @tparam[opt] string format `"mermaid"` (default), or `"dot"` of Graphviz
-- @treturn string
-- @raise misuse for another format
-- @usage local text = require("tombstone.cli.graph").text(db, "dot")
function M.text(db, format)
  local writer = WRITERS[format or "mermaid"]
  if not writer then
    core.misuse("There is no format '" .. tostring(format) .. "'", 'it is "mermaid" or "dot"')
  end
  return writer(map.of(db))
end

M.name = "graph"
M.summary = "Draw the models and their relations."

function M.arguments(command)
  local format = command:option("-f --format", "mermaid, which GitHub shows, or dot of Graphviz.", "mermaid")
  format:choices { "mermaid", "dot" }
  into.option(command, "models.mmd")
end

function M.run(context, arguments)
  local text = declared.with(context, function(db)
    return M.text(db, arguments.format)
  end)
  into.put(context, arguments.output, text)
end

return M
