--- Bookmarks in what is played, with a trash, for mpv, whose Lua is 5.2. Keys: B sets one, D deletes the
-- nearest, U undoes the last deletion, N goes to the next. Each is a script-message as well:
-- bookmark-add [NAME], bookmark-delete, bookmark-undo [fail|rename|replace], bookmark-next, bookmark-list.
local path = assert(os.getenv "TOMBSTONE", "TOMBSTONE is the path of the module for Lua 5.2")
local tombstone = assert(package.loadlib(path, "luaopen_tombstone"))()
local mp = require "mp"
local f = tombstone.field

local db = tombstone.open(os.getenv "BOOKMARKS" or mp.command_native { "expand-path", "~~/bookmarks.db" })
local Bookmark = db:model("Bookmark", {
  file = f.text(),
  name = f.text(),
  at = f.number(),
}, { unique_together = { { "file", "name" } }, order_by = "at" })
db:create_tables()

local function say(format, ...)
  local text = format:format(...)
  mp.osd_message(text, 3)
  mp.msg.info(text)
end

local function here()
  return mp.get_property "path" or "", mp.get_property_number("time-pos", 0)
end

local function clock(seconds)
  seconds = math.floor(seconds * 100 + 0.5) / 100
  return ("%d:%05.2f"):format(math.floor(seconds / 60), seconds % 60)
end

local function in_this_file()
  return Bookmark.objects:filter { file = (here()) }
end

local actions = {}

function actions.add(name)
  local file, at = here()
  local mark = Bookmark:create { file = file, name = name or clock(at), at = at }
  say("%s at %s", mark.name, clock(mark.at))
end

-- The last one before this place, or else the first after it.
local function nearest()
  local _, at = here()
  return in_this_file():filter({ at__lte = at }):last() or in_this_file():first()
end

function actions.delete()
  local mark = nearest()
  if mark and mark:delete() then
    return say("%s is in the trash; U brings it back", mark.name)
  end
  say "there is no bookmark here"
end

local function last_deletion()
  local events = db:events { undone = false }
  return events[#events]
end

function actions.undo(on_conflict)
  local event = last_deletion()
  if not event then
    return say "nothing to undo"
  end
  say("%d back", event:undo { on_conflict = on_conflict })
end

function actions.next()
  local _, at = here()
  local mark = in_this_file():filter({ at__gt = at + 0.01 }):first() or in_this_file():first()
  if not mark then
    return say "there is no bookmark here"
  end
  mp.commandv("seek", mark.at, "absolute", "exact")
  say("%s", mark.name)
end

function actions.list()
  for mark in in_this_file():each() do
    say("%s  %s", clock(mark.at), mark.name)
  end
end

-- An error that is let out would end the script.
local function safely(action)
  return function(...)
    local ok, err = pcall(action, ...)
    if not ok then
      say("%s", tostring(err))
    end
  end
end

local keys = { add = "B", delete = "D", undo = "U", next = "N" }
for name, action in pairs(actions) do
  mp.register_script_message("bookmark-" .. name, safely(action))
  if keys[name] then
    -- Without a name: mpv would make it a script-message, in place of the one that takes words.
    mp.add_key_binding(keys[name], safely(function()
      action()
    end))
  end
end
