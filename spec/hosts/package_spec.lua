-- The library as other builds find it: installed, moved, or in their own tree.
local helper = require "helper"
local host = require "hosts.host"

if not host.runs("5.4") then
  return
end

local program = require "hosts.program"

local LISTS = [[
cmake_minimum_required(VERSION 3.25)
project(game LANGUAGES C)
]]
-- The consumer's own: its program needs a Lua besides the binding for one.
local LUA = [[
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
target_link_libraries(game PRIVATE PkgConfig::LUA ${CMAKE_DL_LIBS})
]]
local GAME = "add_executable(game game.c)\n"
local EMBED = "add_executable(embed " .. host.root .. "/examples/embed.c)\n"
local ENGINE = "target_link_libraries(embed PRIVATE tombstone::tombstone)\n"

local folder, installed

-- A project of that name with the README's game; answers its folder.
local function project(name, lists)
  local path = folder .. "/" .. name
  host.must("mkdir -p " .. path)
  program.write_game(path)
  program.write(path .. "/CMakeLists.txt", LISTS .. lists)
  return path
end

local function build(path, options)
  host.must(("cmake -G Ninja -S %s -B %s/build %s"):format(path, path, options), 60)
  return host.must(("cmake --build %s/build -j 2"):format(path), 240)
end

local function pkg_config(words)
  return ("PKG_CONFIG_PATH=%s/lib/pkgconfig pkg-config %s"):format(installed, words)
end

describe("The installed library", function()
  setup(function()
    folder = host.must("mktemp -d"):match "^[^\n]+"
    installed = folder .. "/moved"
    host.must(("cmake --install %s --prefix %s/first"):format(host.build, folder))
    host.must(("mv %s/first %s"):format(folder, installed)) -- it is the same wherever it lies
  end)

  teardown(function()
    host.must("rm -rf " .. helper.quote(folder))
  end)

  it("is found by CMake, with the README's words", function()
    local path = project("found", GAME .. EMBED
      .. program.block("cmake", "find_package(tombstone") .. ENGINE .. LUA)
    build(path, "-DCMAKE_PREFIX_PATH=" .. installed)
    program.plays(path, "build/game")
    program.embeds(path, "build/embed")
    host.passed("C program", "find_package")
  end)

  it("says which Lua is missing, and which version", function()
    local function refusal(words)
      local path = project("refused", "find_package(tombstone " .. words .. " CONFIG REQUIRED)\n")
      local text, code = host.run(
        ("cmake -S %s -B %s/build -DCMAKE_PREFIX_PATH=%s"):format(path, path, installed))
      assert.not_equal(0, code)
      return text
    end
    assert.is_truthy(refusal("COMPONENTS lua5.9"):find("lua5.9", 1, true))
    assert.is_truthy(refusal("99.0"):find("99.0", 1, true))
  end)

  it("is found by pkg-config, with the README's words", function()
    local path = project("named", "")
    host.must(("cd %s && export PKG_CONFIG_PATH=%s/lib/pkgconfig && %s"):format(
      path, installed, program.block("sh", "pkg-config")))
    program.plays(path, "./game")
    host.must(("cc -std=c99 examples/embed.c $(%s) -o %s/embed"):format(
      pkg_config "--cflags --libs tombstone", path))
    program.embeds(path, "./embed")
    assert.equal(program.read("csrc/tombstone.h"):match 'TOMB_VERSION "(.-)"',
      host.must(pkg_config "--modversion tombstone"):match "%S+")
    host.passed("C program", "pkg-config")
  end)

  it("has no external symbol that could be another's", function()
    for _, name in ipairs { "tombstone", "tombstone-lua5.4" } do
      for _, symbol in ipairs(program.symbols("", ("%s/lib/lib%s.a"):format(installed, name))) do
        assert.is_truthy(symbol:match "^tomb_" or symbol:match "^luaopen_", symbol)
      end
    end
  end)

  it("has a module that exports what its header promises", function()
    local promised = program.promised()
    for _, symbol in ipairs(program.symbols("-D", host.module)) do
      assert.is_string(promised[symbol], symbol)
      assert.is_truthy(symbol:match "^luaopen_")
    end
  end)

  -- Configured anew, with the files of the build that is there.
  it("lands on Debian's paths with the prefix /usr", function()
    local place = folder .. "/debian"
    host.must(("cmake -G Ninja -S . -B %s -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_BUILD_TYPE=RelWithDebInfo")
      :format(place))
    host.must(("cp -r %s/lua %s/*.a %s"):format(host.build, host.build, place))
    host.must(("DESTDIR=%s/stage cmake --install %s"):format(place, place))
    local paths = host.must "env -u LUA_PATH -u LUA_CPATH lua5.4 -e 'print(package.cpath, package.path)'"
    local cpath, path = paths:match "^(.-)\t(.-)\n"
    local function is_on(list, name)
      for template in list:gmatch "[^;]+" do
        local file = io.open(place .. "/stage" .. template:gsub("%?", name))
        if file then
          file:close()
          return not template:match "^/usr/local/"
        end
      end
      return false
    end
    assert.is_true(is_on(cpath, "tombstone/core"))
    assert.is_true(is_on(path, "tombstone/init"))
    host.must(("cd / && %s/stage/usr/bin/tombstone --help"):format(place))
  end)
end)

describe("The library in another tree", function()
  setup(function()
    folder = host.must("mktemp -d"):match "^[^\n]+"
  end)

  teardown(function()
    host.must("rm -rf " .. helper.quote(folder))
  end)

  it("is fetched with its binding, shared, and exports what its headers promise", function()
    local path = project("fetched", GAME .. EMBED
      .. program.block("cmake", "FetchContent") .. ENGINE .. LUA)
    host.must(("ln -s %s %s/tombstone"):format(host.root, path))
    build(path, "-DBUILD_SHARED_LIBS=ON")
    program.plays(path, "build/game")
    program.embeds(path, "build/embed")
    local library = host.must(("find %s/build -name 'libtombstone.so' -type l"):format(path)):match "%S+"
    local exported = {}
    for _, name in ipairs(program.symbols("-D", library)) do
      exported[name] = true
    end
    for name, header in pairs(program.promised()) do
      local is_binding = header == "csrc/tombstone_lua.h"
      assert.equal(not is_binding, exported[name] or false, name)
      exported[name] = nil
    end
    assert.same({}, exported)
    host.must(("cmake --install %s/build --prefix %s/installed"):format(path, path))
    assert.is_nil(io.open(path .. "/installed")) -- what the program installs is its own business
    host.passed("C program", "FetchContent")
  end)

  it("is added without a Lua, with clang", function()
    local path = project("added", "set(TOMB_LUA_MODULE OFF)\nset(TOMB_WERROR ON)\n" .. EMBED
      .. "add_subdirectory(" .. host.root .. " tombstone)\n" .. ENGINE)
    local output = build(path, "-DCMAKE_C_COMPILER=clang")
    assert.is_nil(output:find "warning")
    program.embeds(path, "build/embed")
    host.passed("C program", "add_subdirectory")
  end)
end)
