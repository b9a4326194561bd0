--- What the specs of C programs share: the README's blocks, and a script with what it prints.
local assert = require "luassert"
local helper = require "helper"
local host = require "hosts.host"

local M = {}

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local chapter = M.read("README.md"):match "\n## From C\n(.-)\n## "

--- The block of the README's chapter on C in that language which contains `text`.
function M.block(language, text)
  for block in chapter:gmatch("```" .. language .. "\n(.-)```") do
    if block:find(text, 1, true) then
      return block
    end
  end
  error(("README.md has no block of %s with %s"):format(language, text))
end

--- The README's program, "game.c", and its script in a folder.
function M.write_game(folder)
  M.write(folder .. "/game.c", M.block("c", "luaopen_tombstone"))
  M.write(folder .. "/game.lua", M.read "spec/hosts/game.lua")
end

--- What game.lua prints.
M.game_prints = "deleted\t2\t0\nundone\t2\t2\nrefused\ttrue\tintegrity\n"
--- What examples/embed.c prints at its end.
M.embed_prints = "\npurged 2\n"

--- Fails unless the program prints what game.lua does.
function M.plays(folder, program)
  assert.equal(M.game_prints, host.must(("cd %s && %s"):format(helper.quote(folder), program)))
end

--- Fails unless the program ends as examples/embed.c does.
function M.embeds(folder, program)
  local output = host.must(("cd %s && %s"):format(helper.quote(folder), program))
  assert.equal(M.embed_prints, output:sub(-#M.embed_prints))
end

--- The warnings that the house compiles with, as errors: flags of CMakeLists.txt.
function M.warnings()
  local flags = M.read("CMakeLists.txt"):match "add_compile_options%((%-Wall.-)%)"
  return flags:gsub("%s+", " ") .. " -Werror"
end

--- The functions that the public headers promise: by name, the header.
function M.promised()
  local names = {}
  for path in host.must("ls csrc/*.h"):gmatch "[^\n]+" do
    for name in M.read(path):gmatch "\nTOMB_API [^;(]-([%w_]+)%(" do
      names[name] = path
    end
  end
  return names
end

--- The external symbols that object files, or with flags "-D" a shared object, define: a sorted list.
function M.symbols(flags, path)
  local names = {}
  for line in host.must(("nm %s -g --defined-only %s"):format(flags, path)):gmatch "[^\n]+" do
    names[#names + 1] = line:match "^%x+ %u ([%w_]+)$"
  end
  table.sort(names)
  assert(#names > 0, "no symbols: " .. path)
  return names
end

return M
