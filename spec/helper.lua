--- What the specs share.
local tombstone = require "tombstone"

local helper = {}

--- True where integers have 64 bits.
helper.has_integers = rawget(math, "type") ~= nil
--- True where conditions combine by `|`, `&` and `~`.
helper.has_bit_operators = helper.has_integers
--- True where `for` closes what it iterates over.
helper.has_close = _VERSION == "Lua 5.4"
helper.unpack = rawget(table, "unpack") or rawget(_G, "unpack")

--- `n`, scaled for slow builds, but at least `least`.
function helper.scaled(n, least)
  local scale = tonumber(os.getenv "SPEC_SCALE" or "") or 1
  return math.max(least or 1, math.floor(n * scale))
end

local chosen

--- The seed of this run: SPEC_SEED, a number, or "random" for another one each time. Without it a
--- tree has the same result whenever it is tested. The same in all specs of a run.
function helper.seed()
  local given = os.getenv "SPEC_SEED" or "1"
  if not chosen and given == "random" then
    chosen = os.time() % 1000000
    io.stderr:write("SPEC_SEED=", chosen, "\n")
  end
  chosen = chosen or assert(tonumber(given), "SPEC_SEED is a number, or random")
  return chosen
end

-- ---- files -------------------------------------------------------------------

local paths = {}

--- The path of a file that does not exist; `clean` removes it.
function helper.path()
  local path = os.tmpname()
  os.remove(path)
  path = path .. ".db"
  paths[#paths + 1] = path
  return path
end

--- Removes the files of `path`; for teardown.
function helper.clean()
  for i = #paths, 1, -1 do
    for _, ending in ipairs { "", "-wal", "-shm", "-journal" } do
      os.remove(paths[i] .. ending)
    end
    paths[i] = nil
  end
end

-- ---- processes -------------------------------------------------------------

--- The interpreter that runs this suite: its name stands before the script's.
function helper.interpreter()
  local i = 0
  while arg and arg[i - 1] do
    i = i - 1
  end
  return i < 0 and arg[i] or "lua5.4"
end

--- A word of a shell command.
function helper.quote(text)
  return "'" .. tostring(text):gsub("'", [['\'']]) .. "'"
end

--- The command that runs a script with this suite's interpreter and modules. It replaces
-- the shell, which would be searched for leaks too where sanitizers are preloaded.
function helper.lua_command(...)
  local words = {
    "exec env -u LUA_PATH_5_2 -u LUA_PATH_5_3 -u LUA_PATH_5_4",
    "-u LUA_CPATH_5_2 -u LUA_CPATH_5_3 -u LUA_CPATH_5_4 -u LUA_INIT",
    "LUA_PATH=" .. helper.quote(package.path),
    "LUA_CPATH=" .. helper.quote(package.cpath),
    helper.quote(helper.interpreter()),
  }
  for _, word in ipairs { ... } do
    words[#words + 1] = helper.quote(word)
  end
  return table.concat(words, " ")
end

-- ---- time --------------------------------------------------------------------

--- A clock that stands still until `clock.now` is set: `open(path, { clock = clock.tell })`.
function helper.clock(now)
  local clock = { now = now or 1763880000 }
  function clock.tell()
    return clock.now
  end
  return clock
end

--- Calls `fn` with the list in each of its orders; the list is changed meanwhile.
function helper.each_order(list, fn, from)
  from = from or 1
  if from > #list then
    fn(list)
  end
  for i = from, #list do
    list[from], list[i] = list[i], list[from]
    helper.each_order(list, fn, from + 1)
    list[from], list[i] = list[i], list[from]
  end
end

-- ---- databases ---------------------------------------------------------------

--- A database in memory with a model Post, its tables made.
function helper.blog(options, fields, model_options)
  local f = tombstone.field
  local db = tombstone.open(":memory:", options)
  local Post = db:model("Post", fields or {
    title = f.char { max_length = 100, unique = true },
    content = f.text { null = true },
    views = f.integer { default = 0, index = true },
  }, model_options)
  db:create_tables()
  return db, Post
end

--- The values of one field, in the query's order.
function helper.list(query, name)
  local values = query:pluck(name)
  values.n = nil
  return values
end

-- ---- errors ------------------------------------------------------------------

local function describe(err)
  if type(err) ~= "table" then
    return tostring(err)
  end
  return tostring(err.kind) .. ": " .. tostring(err)
end

--- Calls `fn`, which must raise an error of this kind; answers the error.
function helper.raises(kind, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then
    error("nothing was raised where " .. kind .. " was expected", 2)
  end
  if type(err) ~= "table" or err.kind ~= kind then
    error("expected " .. kind .. ", but got " .. describe(err), 2)
  end
  return err
end

--- The same; the message must be exactly this one.
function helper.refuses(kind, message, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then
    error("nothing was raised where " .. kind .. " was expected", 2)
  end
  if type(err) ~= "table" or err.kind ~= kind or err.message ~= message then
    error("expected " .. kind .. ": " .. message .. "\nbut got " .. describe(err), 2)
  end
  return err
end

return helper
