-- "min" is what Lua 5.1 to 5.4 and LuaJIT have in common.
std = "min"
max_line_length = 110
exclude_files = { "build" }
files["spec"] = { std = "+busted" }
files["examples/hosts/love"] = { std = "luajit+love" }
files["examples/hosts/neovim"] = { std = "luajit", globals = { "vim" } }
files["examples/hosts/nginx"] = { globals = { "ngx" } }
files["examples/hosts/nginx/load.lua"] = { globals = { "init", "request", "wrk" } }
files["spec/hosts/nginx_mixed.lua"] = { globals = { "init", "request", "response", "wrk" } }
files["examples/hosts/tshark"] = { globals = { "Field", "Listener" } }
files["examples/hosts/haproxy"] = { globals = { "core" } }
files["examples/hosts/c"] = { read_globals = { "db", "field" } } -- what its host gives scripts
