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
  local lines, schema = {}, migrate.schema(db)
  local function add(name)
    local columns = {}
    for i, column in ipairs(schema.tables[name].columns) do
      columns[i] = 'quote("' .. column.name .. '")'
    end
    local sql = ('SELECT %s AS line FROM "%s" ORDER BY 1'):format(table.concat(columns, " || ',' || "), name)
    for _, row in ipairs(db:query(sql)) do
      lines[#lines + 1] = name .. ": " .. row.line
    end
  end
  for _, name in ipairs(schema.order) do
    if not name:find "^tombstone_" then
      add(name)
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

local NEW_MODEL = [[db:model("Comment", {
    text = f.text(),
    post = f.belongs_to("BlogPost", { on_delete = "cascade", related_name = "comments" }),
  })

  db:model("BlogPost"]]

local CHANGES = {
  { "longer titles", replaced("title = f.char { max_length = 100", "title = f.char { max_length = 200") },
  { "views", replaced("content = f.text(),", "content = f.text(),\n    views = f.integer { default = 0 },") },
  { "an index on them", replaced("f.integer { default = 0 }", "f.integer { default = 0, index = true }") },
  { "another name", replaced("content = f.text()", 'body = f.text { renamed_from = "content" }') },
  { "the other strategy", replaced('200, unique = "mangle"', '200, unique = "live"') },
  { "comments", replaced('db:model("BlogPost"', NEW_MODEL) },
  { "their number", replaced("body = f.text", 'comment_count = f.counter "comments",\n    body = f.text') },
  { "a check", replaced("0, index = true", '0, index = true, check = "views >= 0"') },
  { "places", replaced("text = f.text(),\n    post", "text = f.text(),\n    at = f.integer(),\n    post") },
  {
    "first names that may be missing",
    replaced("first_name = f.char { max_length = 150", "first_name = f.char { max_length = 150, null = true"),
  },
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
  print(("  %-41s %2d words"):format(file:match "[^/]+$", #change.words))
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

print "\nIts soft delete, recognised and adopted:"
db = tombstone.open(path)
local found = migrate.recognise(db, "blog_post")
print(("  %s: %d living, %d dead"):format(found.scheme, found.living, found.dead))
db:close()
write(folder .. "/migrations/0001_adopt_posts.lua", [[
return {
  up = function(m)
    m:adopt("blog_post", { model = "BlogPost" })
  end,
}
]])
db = tombstone.open(path)
migrate.open(db, { migrations = folder .. "/migrations" }):up()
text = inspect.text(db) -- which sees soft delete of our kind now
db:close()
db = open(path, text)
local posts = db:model("BlogPost").deleted_objects
local post = posts:order_by("id"):first()
print(("  %s was called %s"):format(post.title, post:original "title"))
local ok, err = pcall(post.restore, post)
print("  " .. (ok and "it is back" or tostring(err)))
local plan = posts:restore_plan()
print(("  of %d dead posts %d find their title taken"):format(posts:count(), #plan.conflicts))
db:close()

print "\nTen changes of models.lua, each a migration that wrote itself:"
next_migration(folder, path, text, "what models want besides")
for _, change in ipairs(CHANGES) do
  text = change[2](text)
  next_migration(folder, path, text, change[1])
end

print "\nAll the way back:"
db = tombstone.open(path)
local runner = migrate.open(db, { migrations = folder .. "/migrations" })
print(("  %d migrations taken back"):format(#runner:down { to = 0 }))
local after = digest(db)
print("  every row is as Django left it: " .. tostring(after == before))
print(("  and up again: %d migrations"):format(#runner:up()))
db:close()
assert(after == before)

if not arg[1] then
  os.execute("rm -rf " .. quoted(folder))
end
