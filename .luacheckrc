-- "min" is what Lua 5.1 to 5.4 and LuaJIT have in common.
std = "min"
max_line_length = 110
exclude_files = { "build" }
files["spec"] = { std = "+busted" }
files["examples/hosts/neovim"] = { std = "luajit", globals = { "vim" } }
