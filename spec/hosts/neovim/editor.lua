--- Runs Neovim with the plug-in: scripts without a screen, and what the database holds after them.
local helper = require "helper"
local host = require "hosts.host"
local server = require "hosts.server"

local quote = helper.quote
local M = {}

local PLUGIN = "examples/hosts/neovim"

--- The command that the README has, with the build folder of this run, in a home of its own.
-- @string folder the home
-- @string[opt] more arguments
function M.command(folder, more)
  local readme = host.must("cat " .. PLUGIN .. "/README.md")
  local shown = assert(readme:match "\n    (nvim %-%-clean [^\n]+)", "the README has the command")
  local command, n = shown:gsub("build/luajit", (host.build:gsub("%%", "%%%%")))
  assert(n == 1, shown)
  local places = {}
  for i, name in ipairs { "DATA", "CONFIG", "STATE", "CACHE" } do
    places[i] = ("XDG_%s_HOME=%s"):format(name, quote(folder .. "/" .. name:lower()))
  end
  return ("env %s HOME=%s %s %s"):format(table.concat(places, " "), quote(folder), command, more or "")
end

--- Runs a script in Neovim. It has what spec/hosts/neovim/prelude.lua gives it, and must not fail.
-- @string folder the home
-- @string script
-- @string[opt] more arguments, before the plug-in is loaded
-- @treturn string what it printed
function M.run(folder, script, more)
  local path = os.tmpname()
  server.write(path, script)
  local arguments = ("%s --headless -c %s"):format(
    more or "",
    quote(("lua dofile('spec/hosts/neovim/prelude.lua')(%q)"):format(path))
  )
  local output, code = host.run(M.command(folder, arguments))
  os.remove(path)
  assert(code == 0, output)
  return output
end

--- Where the notes of a home are.
function M.database(folder)
  return folder .. "/data/nvim/notes.db"
end

--- What a statement answers, asked by this process.
-- @treturn {table,...}
function M.query(folder, sql, ...)
  local db = require("tombstone").open(M.database(folder))
  local ok, rows = pcall(db.query, db, sql, ...)
  db:close()
  return ok and rows or error(rows, 0)
end

--- The titles of the living notes, or of the dead, in order.
function M.titles(folder, are_dead)
  local rows = M.query(
    folder,
    ("SELECT title FROM notes WHERE deleted_at IS %s NULL ORDER BY title"):format(are_dead and "NOT" or "")
  )
  for i, row in ipairs(rows) do
    rows[i] = row.title
  end
  return rows
end

return M
