--- Where database, models and migrations are: options, the environment, tombstone.config.lua.
-- @module tombstone.cli.config
local refusal = require "tombstone.cli.refusal"

local M = {}

--- The file that `tombstone init` writes.
M.FILE = "tombstone.config.lua"
local SETTINGS = { "database", "models", "migrations" }
local DEFAULTS = { models = "models.lua", migrations = "migrations" }

--- Whether there is such a file.
function M.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

local function folder_of(path)
  return path:match "^(.*/)[^/]*$" or ""
end

local function is_absolute(path)
  return path:match "^/" or path:match "^%a:[/\\]" or path:match "^[%w+]+://" or path == ":memory:"
end

-- Runs a file of the user; what it returns is of one type.
local function run_file(path, wanted, example)
  local chunk, why = loadfile(path)
  if not chunk then
    refusal.raise(why)
  end
  local ok, value = pcall(chunk)
  if not ok then
    refusal.of_file(path, value)
  end
  if type(value) ~= wanted then
    refusal.raise(("%s returns a %s, not a %s"):format(path, type(value), wanted), "as in " .. example)
  end
  return value
end

local function is_setting(name)
  for _, known in ipairs(SETTINGS) do
    if known == name then
      return true
    end
  end
  return false
end

local function check(path, settings)
  for name, value in pairs(settings) do
    if not is_setting(name) then
      local known = table.concat(SETTINGS, ", ")
      refusal.raise(("%s has an unknown setting '%s'"):format(path, tostring(name)), "it knows " .. known)
    elseif type(value) ~= "string" or value == "" then
      refusal.raise(("%s of %s is a path, not a %s"):format(name, path, type(value)))
    end
  end
end

local function read_file(path)
  local settings = run_file(path, "table", 'return { database = "blog.db", models = "models.lua" }')
  check(path, settings)
  return settings
end

--- The settings of this run. Paths in the file are relative to its folder, those of options and
-- of `TOMBSTONE_DATABASE` to the working folder.
-- @tparam table options `config`, `database`, `models`, `migrations`
-- @treturn table `database` (or nil), `models`, `migrations`, `file` (or nil), `folder`
-- @raise a refusal where the file is missing or wrong
function M.read(options)
  local path = options.config or (M.exists(M.FILE) and M.FILE) or nil
  if options.config and not M.exists(path) then
    refusal.raise(path .. " is not there", "tombstone init writes " .. M.FILE)
  end
  local written = path and read_file(path) or {}
  local folder = path and folder_of(path) or ""
  local settings = { file = path, folder = folder }
  local environment = { database = os.getenv "TOMBSTONE_DATABASE" }
  for _, name in ipairs(SETTINGS) do
    local value = written[name] or DEFAULTS[name]
    if value and not is_absolute(value) then
      value = folder .. value
    end
    local from_environment = environment[name] ~= "" and environment[name] or nil
    settings[name] = options[name] or from_environment or value
  end
  return settings
end

-- So that models.lua finds what lies beside it.
local function add_to_path(folder)
  local own = folder .. "?.lua;" .. folder .. "?/init.lua;"
  if folder ~= "" and package.path:sub(1, #own) ~= own then
    package.path = own .. package.path
  end
end

--- The function that declares the models.
-- @tparam table settings as `read` gives them
-- @treturn function it takes a database
-- @raise a refusal where the file is missing or wrong
function M.models(settings)
  local path = settings.models
  if not M.exists(path) then
    refusal.raise(path .. " is not there", "tombstone init writes one; or give --models FILE")
  end
  add_to_path(folder_of(path))
  return run_file(path, "function", 'return function(db) db:model("Post", { … }) end')
end

--- Refuses settings without a database.
function M.need_database(settings)
  if not settings.database then
    local where = settings.file and settings.file .. " names no database" or "no database is named"
    refusal.raise(where, "tombstone init writes " .. M.FILE .. "; or give --database FILE")
  end
  return settings.database
end

return M
