-- A database that another program has filled for years: models are written from it, its own soft
-- delete is adopted, and ten more changes of the models become migrations, up and down again.
--
--   legacy.lua [FOLDER]
--
-- FOLDER is where the database, models.lua and migrations/ are left; by default they are
-- removed. Needs Django, which makes the database (legacy_app.py), and LuaFileSystem.
local lfs = require "lfs"
local inspect = require "tombstone.migrate.inspect"
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"

local HERE = arg[0]:match "^.*/" or ""
local loads = rawget(_G, "loadstring") or load

-- ---- files --------------------------------------------------------------------------------

local function new_folder(given)
  local path = given or os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  assert(lfs.mkdir(path .. "/migrations"))
  return path
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function quoted(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

-- ---- the database as it was found ------------------------------------------------------------

-- All rows of all tables but those that this program made, byte for byte.
local function digest(db)
  local lines = {}
  for _, name in ipairs(migrate.schema(db).order) do
    local columns = {}
    for i, column in ipairs(name:find "^tombstone_" and {} or migrate.schema(db).tables[name].columns) do
      columns[i] = 'quote("' .. column.name .. '")'
    end
    local sql = #columns > 0 and 'SELECT %s AS line FROM "%s" ORDER BY 1' or "SELECT 1 WHERE 0"
    for _, row in ipairs(db:query(sql:format(table.concat(columns, " || ',' || "), name))) do
      lines[#lines + 1] = name .. ": " .. row.line
    end
  end
  return table.concat(lines, "\n"), #lines
end

-- ---- a year of work on models.lua --------------------------------------------------------------

local function replaced(from, to)
  return function(text)
    local at, last = text:find(from, 1, true)
    assert(at, from .. " is not in models.lua")
    return text:sub(1, at - 1) .. to .. text:sub(last + 1)
  end
end

local CHANGES = {
  { "longer titles", replaced("title = f.char { max_length = 100", "title = f.char { max_length = 200") },
  { "a column with a default", replaced("content = f.text(),", "content = f.text(),\n    views = f.integer { default = 0 },") },
  { "an index on it", replaced("views = f.integer { default = 0 }", "views = f.integer { default = 0, index = true }") },
  { "another name", replaced("content = f.text()", 'body = f.text { renamed_from = "content" }') },
  { "the other strategy", replaced("max_length = 200, unique = \"mangle\"", 'max_length = 200, unique = "live"') },
  { "a new model", replaced('db:model("BlogPost"', [[db:model("Comment", {
    text = f.text(),
    post = f.belongs_to("BlogPost", { on_delete = "cascade", related_name = "comments" }),
  })

  db:model("BlogPost"]]) },
  { "a counter of it", replaced("body = f.text", 'comment_count = f.counter "comments",\n    body = f.text') },
  { "a check", replaced("default = 0, index = true", 'default = 0, index = true, check = "views >= 0"') },
  { "two columns unique together", replaced("text = f.text(),\n    post", "place = f.integer(),\n    text = f.text(),\n    post") },
  { "a column that may be NULL", replaced("first_name = f.char { max_length = 150 }", "first_name = f.char { max_length = 150, null = true }") },
}

-- ---- the story --------------------------------------------------------------------------------------

local function open(path, text)
  local db = tombstone.open(path)
  assert(loads(text))()(db)
  return db
end

local function next_migration(folder, path, text, words)
  write(folder .. "/models.lua", text)
  local db = open(path, text)
  local file, change = migrate.write(db, folder .. "/migrations", words)
  assert(file, words .. " changes nothing")
  migrate.open(db, { migrations = folder .. "/migrations" }):up()
  local left = migrate.diff(db)
  assert(left.empty, left.text)
  db:close()
  print(("  %-34s %2d words%s"):format(file:match "[^/]+$", #change.words, #change.lost > 0 and ", drops" or ""))
end

local folder = new_folder(arg[1])
local path = folder .. "/django.db"
assert(os.execute("/usr/bin/python3 " .. quoted(HERE .. "legacy_app.py") .. " " .. quoted(path)))

local db = tombstone.open(path)
local before, n_rows = digest(db)
print(("Django has left %d tables and %d rows."):format(#migrate.schema(db).order, n_rows))

print "\nIts models, written from its tables:"
local text = inspect.text(db)
db:close()
db = open(path, text)
local User = db:model "AuthUser"
for _, user in ipairs(User.objects:filter({ groups__name = "writers" }):order_by("username"):all()) do
  local rights = db:model("AuthPermission").objects:filter { auth_group_set__auth_user_set = user }
  print(("  %-5s writes, and has %d rights"):format(user.username, rights:count()))
end
db:close()
