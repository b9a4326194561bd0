--- A text that a command prints, or writes into a file that is named.
-- @module tombstone.cli.into
local config = require "tombstone.cli.config"
local refusal = require "tombstone.cli.refusal"

local M = {}

--- Declares `--output`.
-- @param command of lua-argparse
-- @string example a name of a file
function M.option(command, example)
  local summary = "The file to write, as " .. example .. "; else the text is printed."
  command:option("-o --output", summary):argname "FILE"
end

--- Writes a file.
-- @raise a refusal
function M.write(path, text)
  local file, why = io.open(path, "wb")
  local ok = file and file:write(text)
  if file then
    local closed, broken = file:close()
    ok, why = ok and closed, why or broken
  end
  if not ok then
    refusal.raise("cannot write " .. path .. " - " .. tostring(why), "name another file")
  end
end

--- Declares `--force`, of commands whose files people edit.
function M.force_option(command)
  command:flag("--force", "Write over a file that is there.")
end

--- Refuses a file that is there, but for `--force`.
-- @tparam table arguments `output`, `force`
-- @raise a refusal
function M.keep(arguments)
  local path = arguments.output
  if path and not arguments.force and config.exists(path) then
    refusal.raise(path .. " is there already", "name another file, or give --force to write over it")
  end
end

--- Prints the text, or writes it; with `--json` the result says which.
-- @tparam table context of the command
-- @tparam string|nil path
-- @string text
function M.put(context, path, text)
  if path then
    M.write(path, text)
    context.out:line("wrote " .. path)
    context.out:result { written = path }
  else
    context.out:line((text:gsub("\n$", "")))
    context.out:result { text = text }
  end
end

return M
