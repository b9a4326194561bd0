--- The commands, in the order of the help. A new one is a file and a line here.
--
-- Each is a table with `name`, `summary` (one line), `arguments` (a function that gets the command
-- of lua-argparse and declares what it takes) and `run` (a function that gets context and parsed
-- arguments and answers an exit code, or nothing for 0); or with `commands`, a list of the same,
-- in place of `run`. `epilog` stands below its help.
-- @module tombstone.cli.commands
local FILES = {
  "begin",
  "diff",
  "migrate",
  "rollback",
  "status",
  "sql",
  "inspect",
  "types",
  "graph",
  "shell",
  "doctor",
  "trash",
  "completion",
  "version",
}

local M = {}
for i, file in ipairs(FILES) do
  M[i] = require("tombstone.cli." .. file)
end

return M
