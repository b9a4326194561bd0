--- An inventory of the names that hosts ask DNS for, with a trash. A script for tshark, whose Lua is 5.2.
-- What is done after a capture has been read, the words of -X lua_script1 say: see README.md.
local path = assert(os.getenv "TOMBSTONE", "TOMBSTONE is the path of the module for Lua 5.2")
local tombstone = assert(package.loadlib(path, "luaopen_tombstone"))()
local f, F = tombstone.field, tombstone.F

local db = tombstone.open(os.getenv "NAMES" or "names.db")
local Name = db:model("Name", {
  name = f.text { unique = true },
  asked = f.integer(),
  first = f.datetime(),
  last = f.datetime(),
}, { order_by = "name" })
db:create_tables()

-- ---- from the capture --------------------------------------------------------------------------

local seen = {} -- by name; what a capture holds is written at once, when it ends

local names_of = Field.new "dns.qry.name"
local queries = Listener.new("dns", "dns.flags.response == 0")

function queries.packet(pinfo)
  for _, field in ipairs { names_of() } do
    local name, at = field.value:lower(), pinfo.abs_ts
    local entry = seen[name] or { asked = 0, first = at, last = at }
    entry.asked, entry.last = entry.asked + 1, at
    seen[name] = entry
  end
end

-- A name in the trash is no match: asked for again, it is a new one.
local function store()
  for name, entry in pairs(seen) do
    Name:upsert({ name = name, asked = entry.asked, first = entry.first, last = entry.last }, {
      on = "name",
      update = { asked = F "asked" + entry.asked, last = entry.last },
    })
  end
  seen = {}
end

-- ---- words -------------------------------------------------------------------------------------

local function day(seconds)
  return os.date("!%Y-%m-%d %H:%M", math.floor(seconds))
end

local words = {}

function words.list()
  for name in Name.objects:each() do
    print(("%5d  %s  %s"):format(name.asked, day(name.last), name.name))
  end
end

function words.trash()
  for name in Name.deleted_objects:each() do
    print(("%5d  event %d  %s"):format(name.asked, name.deleted_event, name:original "name"))
  end
end

-- delete=%.ads.example
function words.delete(pattern)
  local count, event = Name.objects:filter({ name__like = pattern }):delete { reason = pattern }
  print(event and ("event %d: %d in the trash"):format(event.id, count) or "nothing is like that")
end

-- undo=1, or undo=1=replace
function words.undo(argument)
  local id, on_conflict = argument:match "^(%d+)=?(%l*)$"
  local event = id and db:events({ id = id })[1]
  if not event then
    return print("there is no event " .. argument)
  end
  print(("%d back"):format(event:undo { on_conflict = on_conflict ~= "" and on_conflict or nil }))
end

local function run(word)
  local name, argument = word:match "^(%l+)=?(.*)$"
  if not words[name] then
    return print(word .. " is not one of list, trash, delete=…, undo=…")
  end
  local ok, err = pcall(words[name], argument)
  if not ok then
    print(tostring(err))
  end
end

local asked_for = { ... }

-- tshark calls this at the end.
function queries.draw()
  db:transaction(store)
  for _, word in ipairs(asked_for) do
    run(word)
  end
end
