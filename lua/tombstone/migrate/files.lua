--- The list of migrations: files of a folder, or a table in the program.
-- @module tombstone.migrate.files
local core = require "tombstone.core"

local M = {}

local PATTERN = "^(%d%d%d%d+)_[%w_]+$"
local KEYS = { "name", "up", "down", "transaction", "irreversible" }
local loads = rawget(_G, "loadstring") or load

local function refuse(name, why, hint)
  core.fail("migration", ("Migration '%s' %s"):format(tostring(name), why), hint)
end

local function need_function(migration, key)
  local value = migration[key]
  if value ~= nil and type(value) ~= "function" then
    refuse(migration.name, ("has a %s that is no function"):format(key), "as in up = function(m) … end")
  end
end

local function checked(given, name)
  if type(given) ~= "table" then
    refuse(name, "is no table", "as in return { up = function(m) … end }")
  end
  local migration = { name = name or given.name }
  if type(migration.name) ~= "string" or not migration.name:match(PATTERN) then
    refuse(migration.name, "has no name like 0001_create_posts", "digits for its place, then words")
  end
  for key in pairs(given) do
    core.check_options({ [key] = true }, KEYS, "migration " .. migration.name)
  end
  for _, key in ipairs(KEYS) do
    migration[key] = migration[key] or given[key]
  end
  migration.transaction = given.transaction ~= false
  need_function(migration, "up")
  need_function(migration, "down")
  if not migration.up then
    refuse(migration.name, "has no up", "as in return { up = function(m) … end }")
  end
  return migration
end

-- ---- files --------------------------------------------------------------------------------

-- A host may have taken it away.
local function need_io()
  if not io then
    core.misuse("Files of migrations need io, which this Lua has not", "give the migrations as a table")
  end
end

local function read(path)
  need_io()
  local file, why = io.open(path, "rb")
  if not file then
    core.fail("migration", "A migration cannot be read - " .. tostring(why), "check the file's permissions")
  end
  local text = file:read "*a"
  file:close()
  return text
end

-- Version control may turn the ends of lines.
local function checksum(text)
  return core.checksum((text:gsub("\r\n", "\n")))
end

local function load_file(path, name)
  local text = read(path)
  local chunk, why = loads(text, "@" .. path)
  if not chunk then
    refuse(name, "is no Lua - " .. tostring(why), "mend the file")
  end
  local ok, given = pcall(chunk)
  if not ok then
    refuse(name, "cannot be loaded - " .. tostring(given), "mend the file")
  end
  local migration = checked(given, name)
  migration.path, migration.checksum = path, checksum(text)
  return migration
end

local function file_system()
  local ok, lfs = pcall(require, "lfs")
  if not ok then
    core.misuse("A folder of migrations needs LuaFileSystem", "install it, or give the migrations as a table")
  end
  return lfs
end

local function names_in(folder)
  local lfs, names = file_system(), {}
  if lfs.attributes(folder, "mode") ~= "directory" then
    core.fail("migration", ("There is no folder '%s'"):format(folder), "create it, or give the folder's path")
  end
  for entry in lfs.dir(folder) do
    local name = entry:match "^([^.].*)%.lua$"
    if name and not name:match(PATTERN) then
      refuse(entry, "has no name like 0001_create_posts.lua", "rename the file, or move it elsewhere")
    end
    names[#names + 1] = name
  end
  return names
end

local function load_folder(folder)
  local list = names_in(folder)
  for i, name in ipairs(list) do
    list[i] = load_file(folder .. "/" .. name .. ".lua", name)
  end
  return list
end

-- ---- all of them ----------------------------------------------------------------------------

local function number(migration)
  return tonumber(migration.name:match(PATTERN))
end

local function in_order(list)
  table.sort(list, function(a, b)
    return number(a) < number(b)
  end)
  for i = 2, #list do
    if number(list[i]) == number(list[i - 1]) then
      refuse(
        list[i].name,
        ("has the number of '%s'"):format(list[i - 1].name),
        "give one of them the next number"
      )
    end
  end
  return list
end

--- The migrations of a folder or a table, in their order.
-- @tparam string|{table,...} given a folder's path (needs LuaFileSystem), or tables with `name`, `up`
-- and what else a file returns
-- @treturn {table,...} `name`, `up`, `down`, `transaction`, `irreversible`, and of files `path` and
-- `checksum`
-- @raise migration, misuse
function M.load(given)
  if type(given) == "string" then
    return in_order(load_folder(given))
  end
  if type(given) ~= "table" then
    core.misuse(
      "Migrations are a folder or a table, not a " .. type(given),
      'as in { migrations = "migrations" }'
    )
  end
  local list = {}
  for i, entry in ipairs(given) do
    list[i] = checked(entry)
  end
  return in_order(list)
end

--- Writes a new file; one that is there is not touched.
-- @string path
-- @string text
-- @raise migration
function M.create(path, text)
  need_io()
  local there = io.open(path, "rb")
  if there then
    there:close()
    core.fail("migration", ("File '%s' is there already"):format(path), "remove it, or give another name")
  end
  local file, why = io.open(path, "wb")
  local written = file and file:write(text)
  written = file and file:close() and written
  if not written then
    core.fail(
      "migration",
      ("File '%s' cannot be written - %s"):format(path, tostring(why)),
      "look at the folder"
    )
  end
end

--- The name of the next migration.
-- @tparam {table,...} list what `load` answered
-- @string words `"add posts.slug"`
-- @treturn string as `0004_add_posts_slug`
function M.next_name(list, words)
  local last = list[#list]
  local name = words:lower():gsub("[^%w]+", "_"):gsub("^_+", ""):gsub("_+$", "")
  return ("%04d_%s"):format((last and number(last) or 0) + 1, name ~= "" and name or "change")
end

return M
