-- Not a measurement: the bench runs, both sides come to the same rows, and
-- nothing is slower than it could ever be by chance.

-- raw.c is for Lua 5.4, and sanitizers slow down one side alone.
local function is_measurable()
  return _VERSION == "Lua 5.4" and not os.getenv "ASAN_OPTIONS"
end

-- The folder of the build whose module this suite is loading.
local function build_folder()
  return string.match(package.cpath, "([^;]+)/lua/%?%.so")
end

local function runs(what)
  local build = build_folder()
  if not is_measurable() or not build then
    pending "needs Lua 5.4 without sanitizers"
    return
  end
  local pipe = assert(io.popen("TOMB_BUILD='" .. build
    .. "' spec/bench/run " .. what .. " --quick --bound 3 2>&1; echo status $?"))
  local output = pipe:read "*a"
  pipe:close()
  assert.is_truthy(string.find(output, "status 0\n$"), output)
end

describe("the bench", function()
  it("runs alike on both sides, without a great loss", function()
    runs ""
  end)

  it("of related rows does so too", function()
    runs "family"
  end)
end)
