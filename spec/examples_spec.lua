-- The numbered examples print what their comments say: what follows `-->` is one
-- line of output each, in their order, and all of it. Tabs count as spaces.
local helper = require "helper"
local lfs = require "lfs"

local function names()
  local list = {}
  for name in lfs.dir "examples" do
    if name:match "^%d.*%.lua$" then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- What a fresh process of its own writes, errors included.
local function output_of(...)
  local pipe = assert(io.popen(helper.lua_command(...) .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function plain(line)
  return (line:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = plain(line)
  end
  return lines
end

local function promised_by(path)
  local lines = {}
  for line in io.lines(path) do
    local promised = line:match "%-%->(.*)"
    if promised then
      lines[#lines + 1] = plain(promised)
    end
  end
  return lines
end

describe("the examples", function()
  it("are there", function()
    assert.is_true(#names() >= 10)
  end)

  for _, name in ipairs(names()) do
    it("print what they say: " .. name, function()
      local path = "examples/" .. name
      local promised = promised_by(path)
      assert.is_true(#promised > 0)
      assert.same(promised, lines_of(output_of(path)))
    end)
  end

  -- It checks what it does by itself; its last lines say that it came to its end.
  local function assert_is_told(output)
    assert.is_truthy(output:find "is unused, really %(stands%)\n$", output)
  end

  it("tell the story of the machine's packages", function()
    assert_is_told(output_of "examples/packages.lua")
  end)

  it("tell the story of their dependencies, to its end", function()
    for _, output in ipairs {
      output_of "examples/dependencies.lua",
      output_of("examples/dependencies.lua", "examples/packages.status"),
    } do
      local before, gone, after = output:match "tables was (%x+), then (%x+), and is (%x+)"
      assert.is_truthy(before, output)
      assert.are.equal(before, after)
      assert.are_not.equal(before, gone)
      local levels, read = output:match "(%d) levels deep.*read with (%d) statements\n$"
      assert.is_truthy(levels, output)
      assert.are.equal(levels + 1, tonumber(read))
    end
  end)

  it("tell it of the excerpt, into a file that is kept", function()
    local path = os.tmpname()
    os.remove(path)
    local output = output_of("examples/packages.lua", "examples/packages.status", path)
    assert.is_truthy(output:find("30 rows", 1, true), output)
    assert.is_truthy(output:find("is unused, really (stands)\nThe database is " .. path, 1, true), output)
    assert.is_true(os.remove(path))
  end)
end)
