--- `tombstone init`
-- @module tombstone.cli.begin
local config = require "tombstone.cli.config"
local into = require "tombstone.cli.into"
local output = require "tombstone.cli.output"
local refusal = require "tombstone.cli.refusal"

local M = {
  name = "init",
  summary = "Write tombstone.config.lua, models.lua and migrations/.",
  epilog = "What is there already is never written over.",
}

local CONFIG = [[
-- Where the command `tombstone` finds things; paths are relative to this file.
return {
  database = "%s",
  models = "models.lua",
  migrations = "migrations",
}
]]

local MODELS = [[
-- The models of the program: require this file there too, and call it with the open database.
local tombstone = require "tombstone"
local f = tombstone.field

return function(db)
  db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    content = f.text { default = "" },
    views = f.integer { default = 0, index = true },
  }, { table = "posts" })
end
]]

function M.arguments(command)
  command:argument("folder", "Where to write them; else the working folder."):args "?"
end

local function library()
  local ok, lfs = pcall(require, "lfs")
  if not ok then
    refusal.raise("init needs lua-filesystem", "install it: on Debian, apt install lua-filesystem")
  end
  return lfs
end

local function write(path, text)
  if config.exists(path) then
    return false
  end
  into.write(path, text)
  return true
end

local function make_folder(path)
  local lfs = library()
  if lfs.attributes(path, "mode") == "directory" then
    return false
  end
  local ok, why = lfs.mkdir(path)
  if not ok then
    refusal.raise(("cannot make the folder %s - %s"):format(path, why))
  end
  return true
end

-- A name of a file stands in Lua source.
local function quoted(text)
  return (text:gsub('[\\"]', "\\%0"):gsub("%%", "%%%%"))
end

function M.run(context, arguments)
  local folder = (arguments.folder or "."):gsub("(.)/+$", "%1")
  local prefix = folder == "." and "" or folder .. "/"
  local done = { written = output.list {}, kept = output.list {} }
  local function say(is_new, path)
    table.insert(is_new and done.written or done.kept, path)
    context.out:line((is_new and "wrote " or "kept  ") .. path)
  end
  if prefix ~= "" then
    make_folder(folder)
  end
  local settings = CONFIG:gsub("%%s", quoted(context.options.database or "app.db"))
  say(write(prefix .. config.FILE, settings), prefix .. config.FILE)
  say(write(prefix .. "models.lua", MODELS), prefix .. "models.lua")
  say(make_folder(prefix .. "migrations"), prefix .. "migrations/")
  context.out:result(done)
end

return M
