-- The rules of the house, checked by machine: layers, symbols, sizes, documentation, places,
-- and that the README tells the truth.
local lfs = require "lfs"

-- ---- files ----------------------------------------------------------------------

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- The files of a folder whose names match, in order.
local function list(folder, pattern)
  local names = {}
  for name in lfs.dir(folder) do
    if name:match(pattern) then
      names[#names + 1] = folder .. "/" .. name
    end
  end
  table.sort(names)
  assert(#names > 0, folder .. " is empty")
  return names
end

local function base(path)
  return path:match "[^/]+$"
end

local CORE = list("csrc/core", "%.[ch]$")
local DRIVER = list("csrc/driver", "%.[ch]$")
local BINDING = list("csrc/lua", "%.[ch]$")

local function joined(...)
  local all = {}
  for _, names in ipairs { ... } do
    for _, name in ipairs(names) do
      all[#all + 1] = name
    end
  end
  return all
end

local C = joined(CORE, DRIVER, BINDING)

-- The Lua side: a folder a layer.
local LUA = list("lua/tombstone", "%.lua$")
for _, folder in ipairs { "migrate", "cli" } do
  if lfs.attributes("lua/tombstone/" .. folder) then
    LUA = joined(LUA, list("lua/tombstone/" .. folder, "%.lua$"))
  end
end

local function set(...)
  local found = {}
  for _, name in ipairs { ... } do
    found[name] = true
  end
  return found
end

local function sorted(keys)
  local names = {}
  for name in pairs(keys) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- Fails with all that is wrong, not only the first.
local function assert_none(faults)
  assert.equal("", table.concat(faults, "\n"))
end

local function output_of(command)
  local pipe = assert(io.popen("exec env -u LD_PRELOAD " .. command .. " 2>/dev/null"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

-- ---- layers -----------------------------------------------------------------------

local LIBC = set(
  "errno.h", "inttypes.h", "limits.h", "math.h", "stdarg.h", "stdbool.h", "stddef.h",
  "stdint.h", "stdio.h", "stdlib.h", "string.h"
)

-- What a C file includes: names in <> as they are, in "" with their quotes.
local function includes(path)
  local names = {}
  for name in ("\n" .. read(path)):gmatch '\n#include ([<"][^>"]+[>"])' do
    names[#names + 1] = name
  end
  return names
end

local function check_includes(paths, allowed)
  local faults = {}
  for _, path in ipairs(paths) do
    for _, name in ipairs(includes(path)) do
      local plain = name:sub(2, -2)
      if not (name:sub(1, 1) == "<" and LIBC[plain]) and not allowed(plain, path, name) then
        faults[#faults + 1] = path .. " includes " .. name
      end
    end
  end
  assert_none(faults)
end

local function own(paths)
  local names = {}
  for _, path in ipairs(paths) do
    names[base(path)] = true
  end
  return names
end

-- A cycle in a graph of names, as text, or nil.
local function cycle(edges)
  local state = {}
  local function visit(name, path)
    if state[name] == "done" then
      return nil
    elseif state[name] == "open" then
      return path .. " -> " .. name
    end
    state[name] = "open"
    for _, next_name in ipairs(edges[name] or {}) do
      local found = visit(next_name, path .. " -> " .. name)
      if found then
        return found
      end
    end
    state[name] = "done"
    return nil
  end
  for _, name in ipairs(sorted(edges)) do
    local found = visit(name, "")
    if found then
      return found
    end
  end
  return nil
end

describe("the layers", function()
  local core, driver, binding = own(CORE), own(DRIVER), own(BINDING)

  it("let the core know itself only", function()
    check_includes(CORE, function(name)
      return core[name] or name == "tombstone.h"
    end)
  end)

  it("let a driver know the core and one client", function()
    local system = {
      sqlite = set("sqlite3.c", "sqlite3ext.h", "sys/stat.h", "tombstone_sqlite.h"),
      clock = set "time.h",
      process = set("sys/mman.h", "unistd.h"),
    }
    check_includes(DRIVER, function(name, path)
      local client = base(path):match "^%l+"
      return core[name] or driver[name] or name == "tombstone.h" or (system[client] or {})[name]
    end)
  end)

  it("let the binding know Lua and the public header", function()
    check_includes(BINDING, function(name, path)
      return binding[name]
        or set("lua.h", "lauxlib.h", "tombstone.h", "tombstone_lua.h")[name]
        or (name == "../driver/fake.h" and base(path) == "lfake.c")
    end)
  end)

  it("have no cycles among headers", function()
    local edges = {}
    for _, path in ipairs(C) do
      if path:match "%.h$" then
        edges[base(path)] = {}
        for _, name in ipairs(includes(path)) do
          table.insert(edges[base(path)], base(name:sub(2, -2)))
        end
      end
    end
    assert.is_nil(cycle(edges))
  end)

  -- What a file may require besides its own kind: the library works without, but for JSON
  -- and folders of migrations.
  local function strangers(path)
    if path:match "^lua/tombstone/cli/" then
      return set("tombstone", "argparse", "cjson", "lfs", "readline", "term")
    end
    return ({ ["json.lua"] = set "cjson", ["files.lua"] = set "lfs" })[base(path)] or {}
  end

  it("let the Lua side require itself, and the command a few libraries", function()
    local faults, edges = {}, {}
    for _, path in ipairs(LUA) do
      local file = path:match "^lua/(.*)%.lua$"
      local module = file:gsub("/init$", ""):gsub("/", ".")
      local is_command = module:match "^tombstone%.cli" ~= nil
      edges[module] = {}
      local text = read(path):gsub("%-%-[^\n]*", "")
      for name in text:gmatch "require[ (,]+\"([^\"]+)\"" do
        local is_below = is_command or not name:match "^tombstone%.cli"
        if not (is_command or module:match "^tombstone%.migrate") then
          is_below = is_below and not name:match "^tombstone%.migrate"
        end
        if name:match "^tombstone%." and is_below then
          table.insert(edges[module], name)
        elseif not strangers(path)[name] then
          faults[#faults + 1] = path .. " requires " .. name
        end
      end
    end
    assert_none(faults)
    assert.is_nil(cycle(edges))
  end)

  it("let the Lua side set no globals and use few", function()
    local known = set(
      "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "rawget",
      "rawset", "require", "select", "setmetatable", "string", "table", "tonumber", "tostring",
      "type", "unpack"
    )
    -- Migrations are files, or texts, and note when they ran.
    local known_to_migrations = set("_G", "io", "load", "os")
    -- The command reads files and the environment, prints, and runs what users wrote.
    local known_to_command = set("_G", "_VERSION", "arg", "io", "load", "loadfile", "os", "package")
    local faults = {}
    for _, path in ipairs(LUA) do
      local listing = output_of("luac5.1 -l -l -p " .. path)
      assert.is_truthy(listing:find "main <", "luac5.1 is missing")
      for what, name in listing:gmatch "([SG]ETGLOBAL)[%s%d-]+; ([%w_]+)" do
        local is_known = known[name]
          or (path:match "^lua/tombstone/cli/" and known_to_command[name])
          or (path:match "^lua/tombstone/migrate/" and known_to_migrations[name])
        if what == "SETGLOBAL" or not is_known then
          faults[#faults + 1] = path .. ": " .. what .. " " .. name
        end
      end
    end
    assert_none(faults)
  end)
end)

-- ---- texts of C ---------------------------------------------------------------------

-- C without its comments: strings and everything else stay.
local function without_comments(text)
  local out, at = {}, 1
  while true do
    local from = text:find("[/\"']", at)
    if not from then
      break
    end
    local two = text:sub(from, from + 1)
    local to
    if two == "/*" then
      out[#out + 1] = text:sub(at, from - 1)
      to = select(2, text:find("*/", from + 2, true))
      local lines = text:sub(from, to):gsub("[^\n]", "")
      out[#out + 1] = lines -- numbers of lines stay right
    elseif text:sub(from, from) == "/" then
      to = from
      out[#out + 1] = text:sub(at, to)
    else
      local quote = text:sub(from, from)
      to = from + 1
      while text:sub(to, to) ~= quote do
        to = to + (text:sub(to, to) == "\\" and 2 or 1)
      end
      out[#out + 1] = text:sub(at, to)
    end
    at = to + 1
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

local function strings(text)
  return without_comments(text):gmatch '"(.-)"'
end

describe("the C source", function()
  it("has no SQL in the binding", function()
    local words = set(
      "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT",
      "RELEASE", "DROP", "ALTER", "WHERE", "FROM", "VALUES", "PRAGMA", "JOIN", "RETURNING"
    )
    local faults = {}
    for _, path in ipairs(BINDING) do
      for text in strings(read(path)) do
        for word in text:gmatch "%u+" do
          if words[word] then
            faults[#faults + 1] = path .. ": " .. text
          end
        end
      end
    end
    assert_none(faults)
  end)

  it("has files of at most 400 lines", function()
    local faults = {}
    for _, path in ipairs(C) do
      local _, n = read(path):gsub("\n", "")
      if n > 400 then
        faults[#faults + 1] = path .. " has " .. n .. " lines"
      end
    end
    assert_none(faults)
  end)

  it("has functions of at most 60 lines", function()
    local faults = {}
    for _, path in ipairs(C) do
      local name, begun, number
      number = 0
      for line in (without_comments(read(path)) .. "\n"):gmatch "(.-)\n" do
        number = number + 1
        if not begun then
          name = line:match "^[%a_].-([%w_]+)%(" or name
          begun = line:match "^[^#%s].*%) {$" and number or line:match "^  .*%) {$" and name and number
        elseif line == "}" then
          if number - begun + 1 > 60 then
            faults[#faults + 1] = ("%s: %s has %d lines"):format(path, name, number - begun + 1)
          end
          begun, name = nil, nil
        end
      end
    end
    assert_none(faults)
  end)

  it("says at its top what each file is", function()
    local faults = {}
    for _, path in ipairs(C) do
      local top = read(path):match "^/%*[%*%s]*([%w_]+%.[ch]) %- "
      if top ~= base(path) then
        faults[#faults + 1] = path
      end
    end
    assert_none(faults)
  end)
end)

-- ---- symbols --------------------------------------------------------------------------

-- The folder of the build whose module this suite has loaded.
local BUILD = package.cpath:match "([^;]+)/lua/%?%.so"

local function objects(layer)
  return output_of("find " .. BUILD .. "/CMakeFiles -path '*/csrc/" .. layer .. "/*.o'"):gsub("\n", " ")
end

-- Symbols of object files: name -> type and section.
local function symbols(files)
  local found = {}
  for line in output_of("nm --format=sysv " .. files):gmatch "[^\n]+" do
    local name, class, kind, section = line:match "^([%w_.]+)%s*|[^|]*|%s*(%a)%s*|%s*(%u*)|[^|]*|[^|]*|(%S*)"
    if name then
      found[#found + 1] = { name = name, class = class, kind = kind, section = section }
    end
  end
  assert(#found > 0, "no symbols: " .. files)
  return found
end

local function names_of(found, classes)
  local names = {}
  for _, symbol in ipairs(found) do
    if classes[symbol.class] then
      names[symbol.name] = true
    end
  end
  return names
end

-- The functions that the public header promises.
local function promised()
  local names = {}
  local header = without_comments(read "csrc/tombstone.h")
  for name in header:gmatch "\nTOMB_API [^;(]-([%w_]+)%(" do
    names[name] = true
  end
  return names
end

local function is_sanitized()
  return next(names_of(symbols(objects "core"), set "U")) ~= nil
    and names_of(symbols(objects "core"), set "U").__asan_init ~= nil
end

describe("the symbols", function()
  if not BUILD or not lfs.attributes(BUILD .. "/CMakeFiles") then
    it("need a build", function()
      pending "this suite does not run from a build"
    end)
    return
  end

  it("show a core that does no I/O, reads no clock and knows no stranger", function()
    if is_sanitized() then
      pending "sanitizers add symbols of their own"
      return
    end
    local libc = set(
      "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "memcpy", "memcmp", "memset", "memmove", "memchr",
      "strlen", "strcmp", "strncmp", "strchr", "strstr", "strpbrk", "strcspn", "strspn", "snprintf",
      "vsnprintf", "realloc", "free", "llround", "strtod", "floor"
    )
    local found = symbols(objects "core")
    local defined = names_of(found, set("T", "R", "D", "V", "W"))
    local faults = {}
    for name in pairs(names_of(found, set "U")) do
      if not defined[name] and not libc[name] then
        faults[#faults + 1] = "the core uses " .. name
      end
    end
    assert_none(faults)
  end)

  it("keep no state outside of handles", function()
    if is_sanitized() then
      pending "sanitizers add symbols of their own"
      return
    end
    -- SQLite tells its functions nothing that could be read without this (sqlite_entry.c).
    local known, faults = { copies = "driver" }, {}
    for _, layer in ipairs { "core", "driver", "lua" } do
      for _, symbol in ipairs(symbols(objects(layer))) do
        local constant = symbol.section:match "^%.rodata" or symbol.section:match "^%.data%.rel%.ro"
        if symbol.kind == "OBJECT" and not constant and known[symbol.name] ~= layer then
          faults[#faults + 1] = layer .. ": " .. symbol.name .. " is in " .. symbol.section
        end
      end
    end
    assert_none(faults)
  end)

  it("of the module are two", function()
    local exported = {}
    for line in output_of("nm -D --defined-only " .. BUILD .. "/lua/tombstone/core.so"):gmatch "[^\n]+" do
      exported[line:match "%S+$"] = true
    end
    assert.same({ "luaopen_tombstone", "luaopen_tombstone_core" }, sorted(exported))
  end)

  it("of a shared library are those that the header promises", function()
    if is_sanitized() then
      pending "needs a build without sanitizers"
      return
    end
    local shared = os.tmpname()
    os.execute(
      ("cc -shared -o %s -Wl,--whole-archive %s/libtombstone.a -Wl,--no-whole-archive -lsqlite3 -lm"):format(
        shared,
        BUILD
      )
    )
    local exported = {}
    for line in output_of("nm -D --defined-only " .. shared):gmatch "[^\n]+" do
      exported[line:match "%S+$"] = true
    end
    os.remove(shared)
    local faults, header = {}, promised()
    for _, name in ipairs(sorted(header)) do
      faults[#faults + 1] = not exported[name] and name .. " is not exported" or nil
    end
    for _, name in ipairs(sorted(exported)) do
      faults[#faults + 1] = not header[name] and name .. " is exported" or nil
    end
    assert_none(faults)
  end)
end)

-- ---- documentation --------------------------------------------------------------------

-- Names that a comment for LDoc stands above: "Query:filter", "core.open", "M.Q".
local function documented()
  local found, before_was_block = {}, false
  for _, path in ipairs(LUA) do
    local block = false
    for line in io.lines(path) do
      local comment = line:match "^%s*%-%-"
      block = line:match "^%s*%-%-%-" ~= nil or (block and comment ~= nil)
      local name = line:match "^function ([%w_.:]+)" or line:match "^%s*([%w_.]+) = "
      if before_was_block and name then
        found[name] = true
      elseif block and line:match "@function" then
        found[line:match "@function ([%w_.:]+)"] = true
      end
      before_was_block = block
    end
  end
  for _, path in ipairs(BINDING) do
    for block in read(path):gmatch "/%*%*%*\n(.-)%*/" do
      for name in block:gmatch "@function ([%w_.:]+)" do
        found[name] = true
      end
    end
  end
  return found
end

local function check_documented(class, functions)
  local known, faults = documented(), {}
  for name, value in pairs(functions) do
    if type(value) == "function" and not known[class .. tostring(name)] then
      faults[#faults + 1] = class .. name .. " is not documented"
    end
  end
  table.sort(faults)
  assert_none(faults)
end

describe("the documentation", function()
  local core = require "tombstone.core"
  local tombstone = require "tombstone"

  it("of Lua has every method of databases, models, queries, streams and events", function()
    local db = tombstone.open ":memory:"
    local methods = core.methods
    local event = core.side(db).events
    check_documented("Database:", methods.db)
    check_documented("Model:", methods.model)
    check_documented("Query:", methods.query)
    check_documented("Stream:", methods.stream)
    check_documented("Job:", methods.restore)
    check_documented("core.", core)
    check_documented("core.fake.", core.fake)
    local own_methods = {}
    for name, value in pairs(event) do
      if type(name) == "string" and not methods.model[name] and not name:match "^_" then
        own_methods[name] = value
      end
    end
    check_documented("Event:", own_methods)
    db:close()
  end)

  it("of Lua has every function of the module", function()
    local known, faults = documented(), {}
    local function look(functions)
      for name, value in pairs(functions) do
        if type(value) == "function" and not known["M." .. name] and not known[name] then
          faults[#faults + 1] = name .. " is not documented"
        end
      end
    end
    look(tombstone)
    look(tombstone.field)
    assert_none(faults)
  end)

  it("of the C side says what goes in and comes out, by example", function()
    local faults = {}
    for _, path in ipairs(BINDING) do
      for block in read(path):gmatch "/%*%*%*\n(.-)%*/" do
        local name = block:match "@function (%S+)"
        if name and not block:match "@usage %S" then
          faults[#faults + 1] = name .. " has no example"
        end
      end
    end
    assert_none(faults)
  end)

  it("of C stands above every public function", function()
    local faults = {}
    local explained = false -- by a comment above, with no blank line between
    for _, header in ipairs { "csrc/tombstone.h", "csrc/tombstone_lua.h" } do
      for line in io.lines(header) do
        if line == "" then
          explained = false
        elseif line:match "^/%*" then
          explained = true
        elseif line:match "^TOMB_API " and not explained and not line:match "/%*.*%*/$" then
          faults[#faults + 1] = line
        end
      end
    end
    assert_none(faults)
  end)

  it("walks through every file of the C source", function()
    local walk, faults = read "csrc/README.md", {}
    for _, path in ipairs(C) do
      local stem = base(path):match "^[%w_]+"
      local family = stem:match "^%l+"
      local named = walk:find("`" .. stem .. "`", 1, true) or walk:find("`" .. family .. "*`", 1, true)
      if path:match "%.c$" and not named then
        faults[#faults + 1] = path
      end
    end
    assert_none(faults)
  end)

  it("is read by LDoc without a warning", function()
    if _VERSION ~= "Lua 5.4" or os.getenv "ASAN_OPTIONS" then
      pending "once is enough"
      return
    end
    local folder = os.tmpname()
    os.remove(folder)
    local command = "env -u LUA_PATH -u LUA_CPATH ldoc --fatalwarnings -c .config.ld -d "
    local pipe = assert(io.popen(command .. folder .. " . 2>&1; echo status $?"))
    local output = pipe:read "*a"
    pipe:close()
    os.execute("rm -rf " .. folder)
    assert.is_truthy(output:find "status 0\n$", output)
  end)
end)

-- ---- places ----------------------------------------------------------------------------

describe("the tree", function()
  local PLACES = {
    "^%.ci/run$",
    "^%.config%.ld$", "^%.busted$", "^%.clang%-format$", "^%.editorconfig$", "^%.gitignore$",
    "^%.luacheckrc$",
    "^CMakeLists%.txt$", "^CMakePresets%.json$", "^README%.md$", "^LICENSE$", "^CHANGELOG%.md$",
    "^[%w.-]+%.rockspec$",
    "^csrc/README%.md$", "^csrc/tombstone[%l_]*%.h$",
    "^csrc/core/[%w_]+%.[ch]$", "^csrc/driver/[%w_]+%.[ch]$", "^csrc/lua/[%w_]+%.[ch]$",
    "^csrc/lua/embed%.cmake$", "^csrc/amalgamate%.lua$", "^csrc/tombstone[%l.-]*%.in$",
    "^csrc/lua/exports%.map$",
    "^lua/tombstone/[%w_]+%.lua$", "^lua/tombstone%.in$", "^lua/tombstone/%l+/README%.md$",
    "^lua/tombstone/migrate/[%w_]+%.lua$",
    "^lua/tombstone/cli/[%w_]+%.lua$", "^spec/cli/golden/[%w_]+%.json$", "^spec/cli/[%w_]+%.py$",
    "^examples/[%w_]+%.lua$", "^examples/embed%.c$", "^examples/[%w_]+%.py$",
    "^examples/run$", "^examples/packages%.status$",
    "^spec/run$", "^spec/[%w_]+%.lua$", "^spec/packages%.sh$",
    "^spec/%l+/[%w_]+%.lua$", "^spec/%l+/[%w_]+%.[ch]$", "^spec/bench/run$",
    "^spec/laws/graph/[%w_]+%.lua$", "^spec/oom/scenarios/[%w_]+%.lua$", "^spec/interop/[%w_]+%.py$",
    "^examples/hosts/%l+/[%w_./-]+$", "^spec/hosts/[%w_./-]+$",
    "^spec/interop/postgres/[%w_]+%.lua$", "^spec/interop/postgres/serve%.sh$",
  }

  local function has_place(path)
    for _, place in ipairs(PLACES) do
      if path:match(place) then
        return true
      end
    end
    return false
  end

  it("has every file where the house says", function()
    local listed = output_of "git ls-files"
    if listed == "" then
      pending "needs git"
      return
    end
    local faults = {}
    for path in listed:gmatch "[^\n]+" do
      if not has_place(path) then
        faults[#faults + 1] = path
      end
    end
    assert_none(faults)
  end)

  it("has its specs where busted finds them", function()
    local faults = {}
    for path in output_of("git ls-files spec"):gmatch "[^\n]+" do
      local text = path:match "%.lua$" and not path:match "^spec/oom/" and read(path) or ""
      if text:find "\ndescribe%(" and not path:match "_spec%.lua$" then
        faults[#faults + 1] = path
      end
    end
    assert_none(faults)
  end)
end)

-- ---- the README ---------------------------------------------------------------------------

-- Consecutive blocks of one section are one chunk. Answers { { title =, code =, line = }, … }.
local function chapters(path)
  local found = {}
  local title, code, line_number, number = "the top", nil, nil, 0
  local section
  for line in (read(path) .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if code then
      if line == "```" then
        if section then
          section.code = section.code .. code
        else
          section = { title = title, code = ("\n"):rep(line_number) .. code }
          found[#found + 1] = section
        end
        code = nil
      else
        code = code .. line .. "\n"
      end
    elseif line == "```lua" then
      code, line_number = "", number
      if section then -- numbers of lines stay right
        local _, n = section.code:gsub("\n", "")
        section.code = section.code .. ("\n"):rep(number - n)
      end
    elseif line:match "^##? " then
      title, section = line:match "^#+ (.*)", nil
    end
  end
  return found
end

local function plain(line)
  return (line:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function promises(code)
  local lines = {}
  for text in code:gmatch "%-%->([^\n]*)" do
    lines[#lines + 1] = plain(text)
  end
  return lines
end

-- Runs a chunk and answers the lines that it prints.
local function printed_by(chapter)
  local lines = {}
  local environment = setmetatable({
    print = function(...)
      local words = {}
      for i = 1, select("#", ...) do
        words[i] = tostring((select(i, ...)))
      end
      for line in (table.concat(words, "\t") .. "\n"):gmatch "(.-)\n" do
        lines[#lines + 1] = plain(line)
      end
    end,
  }, { __index = _G })
  local chunk
  if setfenv then -- luacheck: ignore
    chunk = assert(loadstring(chapter.code, "=README.md")) -- luacheck: ignore
    setfenv(chunk, environment) -- luacheck: ignore
  else
    chunk = assert(load(chapter.code, "=README.md", "t", environment))
  end
  chunk()
  return lines
end

local function folder_of(path)
  return path:match "^(.*/)[^/]*$" or ""
end

for _, path in ipairs { "README.md", "lua/tombstone/migrate/README.md", "lua/tombstone/cli/README.md" } do
  describe(path, function()
    for _, chapter in ipairs(chapters(path)) do
      it("prints what it says: " .. chapter.title, function()
        local ok, lines = pcall(printed_by, chapter)
        assert.is_true(ok, tostring(lines))
        assert.same(promises(chapter.code), lines)
      end)
    end

    it("names files that are there", function()
      local faults = {}
      for target in read(path):gmatch "%]%(([^)#]+)%)" do
        if not target:match "^https?:" and not lfs.attributes(folder_of(path) .. target) then
          faults[#faults + 1] = target
        end
      end
      assert_none(faults)
    end)
  end)
end

-- Every file of the Lua folders is named in the README beside it.
describe("the map of the Lua folders", function()
  for _, folder in ipairs { "lua/tombstone/migrate", "lua/tombstone/cli" } do
    it("names every file of " .. folder, function()
      local map, faults = read(folder .. "/README.md"), {}
      for _, path in ipairs(list(folder, "%.lua$")) do
        local stem = base(path):match "^(.*)%.lua$"
        local family = stem:match "^%l+"
        local is_named = map:find("`" .. stem .. "`", 1, true) or map:find("`" .. family .. "*`", 1, true)
        if not is_named and stem ~= "init" then
          faults[#faults + 1] = path
        end
      end
      assert_none(faults)
    end)
  end
end)
