--- `tombstone completion`
-- @module tombstone.cli.completion
local parser = require "tombstone.cli.parser"

local M = {
  name = "completion",
  summary = "Print a script that completes the command in a shell.",
  epilog = [[
As in
   tombstone completion bash > ~/.local/share/bash-completion/completions/tombstone
   tombstone completion zsh > ~/.zfunc/_tombstone
   tombstone completion fish > ~/.config/fish/completions/tombstone.fish]],
}

local WRITERS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

function M.arguments(command)
  command:argument("shell", "bash, zsh or fish."):choices { "bash", "zsh", "fish" }
end

function M.run(context, arguments)
  local made = parser.make(context.commands)
  local script = made[WRITERS[arguments.shell]](made)
  context.out:line((script:gsub("\n$", "")))
  context.out:result { script = script }
end

return M
