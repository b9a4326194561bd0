-- The engine and the binding in one C file each, compiled by nothing but a compiler.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.4") then
  return
end

local program = require "hosts.program"
local sqlite = require "hosts.borrow.amalgamation"

local CFLAGS = "-std=c99 -fexceptions -fPIC " .. program.warnings()
local TRY = [[
local open, err = package.loadlib(arg[1], "luaopen_tombstone")
local ok = open
if open then
  ok, err = pcall(open)
end
print(ok and "opened" or type(err) == "string" and "refused: " .. err or "neither")
]]
-- The sweep through all allocations takes a minute; it is the same code in any file.
local LEFT_OUT = { test_memory = true }

local folder, joined

local function cc(text, ...)
  host.must(("cd %s && "):format(helper.quote(folder)) .. text:format(...), 120)
end

local bindings = {}

-- The binding's object file for the Lua whose headers lie in that folder, compiled at the first call.
local function binding(include)
  if not bindings[include] then
    bindings[include] = ("binding_%s.o"):format(include)
    cc("gcc %s -I/usr/include/%s -c %s/tombstone_lua.c -o %s", CFLAGS, include, joined, bindings[include])
  end
  return bindings[include]
end

local function objects(pattern)
  return host.must(("find %s/CMakeFiles -path '%s' | sort"):format(host.build, pattern))
end

describe("The amalgamation", function()
  setup(function()
    folder = host.must("mktemp -d"):match "^[^\n]+"
    joined = host.build .. "/amalgamation"
    host.must(("cmake --build %s --target amalgamation"):format(host.build), 120)
    program.write_game(folder)
    cc("gcc %s -c %s/tombstone.c", CFLAGS, joined)
  end)

  teardown(function()
    host.must("rm -rf " .. helper.quote(folder))
  end)

  it("compiles with clang as with gcc, without a warning", function()
    cc("clang %s -fsyntax-only %s/tombstone.c", CFLAGS, joined)
    cc("clang %s -I/usr/include/lua5.4 -fsyntax-only %s/tombstone_lua.c", CFLAGS, joined)
  end)

  it("is the same each time, from any Lua", function()
    for _, lua in ipairs { "lua5.1", "luajit", "lua5.4" } do
      host.must(("%s csrc/amalgamate.lua csrc %s/tombstone.c csrc/core/*.c csrc/driver/[!f]*.c"):format(
        lua, folder))
      host.must(("cmp %s/tombstone.c %s/tombstone.c"):format(folder, joined))
    end
  end)

  it("has no external symbol that could be another's", function()
    for _, object in ipairs { "tombstone.o", binding "lua5.4" } do
      for _, name in ipairs(program.symbols("", folder .. "/" .. object)) do
        assert.is_truthy(name:match "^tomb_" or name:match "^luaopen_", object .. " has " .. name)
      end
    end
  end)

  it("serves a C program, by the README's commands", function()
    local commands = program.block("sh", "--target amalgamation"):gsub("build/test", host.build)
    host.in_folder(function(place)
      program.write_game(place)
      host.must(("cd %s && %s"):format(place, commands), 120)
      program.plays(place, "./game")
    end)
    host.passed("C program", "amalgamation")
  end)

  -- Compiles a C++ program with the binding for a Lua and with its static library.
  local function plays_with(include, lua)
    cc("g++ -Wall -Wextra -Werror -pedantic -I/usr/include/%s -I%s %s/spec/hosts/game.cpp %s "
      .. "tombstone.o -l:lib%s.a -lsqlite3 -lm -ldl -o play",
      include, joined, host.root, binding(include), lua)
    program.plays(folder, "./play")
  end

  it("serves a C++ program, with each Lua", function()
    for _, version in ipairs { "5.1", "5.2", "5.3", "5.4" } do
      plays_with("lua" .. version, "lua" .. version)
      host.passed("C++ program", "delete, undo", version)
    end
    plays_with("luajit-2.1", "luajit-5.1")
    host.passed("C++ program", "delete, undo", "luajit")
  end)

  it("lets a Lua that is C++ throw through its frames", function()
    plays_with("lua5.4", "lua5.4-c++")
  end)

  it("passes the C tests", function()
    local fakes = objects("*/csrc/driver/fake*.o"):gsub("\n", " ")
    local count = 0
    for object in objects("*/spec/c/test_*.o"):gmatch "[^\n]+" do
      local name = object:match "([%w_]+)%.c%.o$"
      if not LEFT_OUT[name] then
        cc("gcc -rdynamic %s %s tombstone.o -lsqlite3 -lm -o %s && ./%s", object, fakes, name, name)
        count = count + 1
      end
    end
    assert.is_true(count > 20)
  end)

  it("works on 32 bits", function()
    local amalgam = sqlite.folder()
    local store = sqlite.object("sqlite3-32", "-m32 -DSQLITE_OMIT_LOAD_EXTENSION")
    cc("gcc -m32 %s -isystem %s -c %s/tombstone.c -o tombstone_32.o", CFLAGS, amalgam, joined)
    cc("gcc -m32 -std=c99 -I%s %s/examples/embed.c tombstone_32.o %s -lm -lpthread -o embed_32",
      joined, host.root, store)
    program.embeds(folder, "./embed_32")
    assert.is_truthy(program.read(folder .. "/embed_32"):match "^\127ELF\1")
    for _, name in ipairs { "value", "instant", "keys", "restore", "across" } do
      cc("gcc -m32 -std=c99 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 "
        .. "-isystem %s -I%s/csrc -I%s/csrc/core -I%s/csrc/driver %s/spec/c/test_%s.c "
        .. "%s/csrc/driver/fake*.c tombstone_32.o %s -lm -lpthread -o test_32 && ./test_32",
        amalgam, host.root, host.root, host.root, host.root, name, host.root, store)
    end
    host.passed("C program", "32 bits, without Lua")
  end)

  -- A module that was built for another Lua is an error, and never more.
  for _, lua in ipairs { "lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit" } do
    local own = lua == "luajit" and "lua5.1" or lua
    for _, built in ipairs { "lua5.1", "lua5.3", "lua5.4" } do
      local answer = built == own and "opened" or "refused"
      it(("built for %s is %s by %s"):format(built, answer, lua), function()
        cc("gcc -shared %s tombstone.o -lsqlite3 -lm -o module.so", binding(built))
        program.write(folder .. "/try.lua", TRY)
        local output = host.must(("cd %s && %s try.lua ./module.so"):format(folder, lua))
        assert.equal(answer, output:match "^%a+", output)
      end)
    end
  end
end)
