--- The README's table of Luas and hosts, made of what the runs have noted.
--
--     lua5.4 spec/hosts/matrix.lua build/*/hosts.tsv             prints it
--     lua5.4 spec/hosts/matrix.lua --check build/*/hosts.tsv     compares it with README.md
local LUAS = { "5.1", "5.2", "5.3", "5.4", "luajit" }
local HEAD = "| host | Lua | what passed there |\n|---|---|---|\n"

local function name_of(lua)
  return lua == "luajit" and "LuaJIT" or lua
end

-- Adds to the set of names that is `key` of `sets`.
local function add(sets, key, name)
  sets[key] = sets[key] or {}
  sets[key][name] = true
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function luas_of(set)
  local names = {}
  for _, lua in ipairs(LUAS) do
    names[#names + 1] = set[lua] and name_of(lua) or nil
  end
  return table.concat(names, ", ")
end

-- By host and deed, the Luas that it passed with.
local function noted_in(paths)
  local luas = {}
  for _, path in ipairs(paths) do
    for lua, deed in read(path):gmatch "([^\t\n]+)\t([^\t\n]+\t[^\n]+)\n" do
      add(luas, deed, lua)
    end
  end
  return luas
end

-- A line for each host and set of Luas, with all deeds that passed there.
local function table_of(paths)
  local deeds, lines = {}, {}
  for deed, luas in pairs(noted_in(paths)) do
    local host, what = deed:match "^(.-)\t(.*)$"
    add(deeds, ("| %s | %s |"):format(host, luas_of(luas)), what)
  end
  for i, line in ipairs(sorted(deeds)) do
    lines[i] = ("%s %s |\n"):format(line, table.concat(sorted(deeds[line]), "; "))
  end
  return HEAD .. table.concat(lines)
end

local is_check = arg[1] == "--check"
if is_check then
  table.remove(arg, 1)
end
local made = table_of(arg)
if not is_check then
  io.write(made)
elseif not read("README.md"):find(made, 1, true) then
  io.stderr:write("README.md has another table of hosts than this run:\n\n", made)
  os.exit(1)
end
