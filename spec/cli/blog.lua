--- A blog with a trash: what the specs of the command work on.
local command = require "cli.command"
local tombstone = require "tombstone"

local blog = {}

local MODELS = [[
local f = require("tombstone").field
return function(db)
  db:model("Author", { name = f.text { unique = true } })
  db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    views = f.integer { default = 0 },
    author = f.belongs_to("Author", { on_delete = "cascade", null = true, related_name = "posts" }),
  }, { table = "posts", soft_delete = { keep = "90d" } })
  db:model("Invoice", {
    author = f.belongs_to("Author", { on_delete = "restrict", null = true }),
    file = f.blob { null = true },
    paid = f.datetime { null = true },
  })
  db:model("Log", { line = f.text() }, { soft_delete = false })
  db:model("Legacy", { name = f.text { unique = true } }, { soft_delete = { event = false } })
end
]]

local function declare(folder, db)
  assert(loadfile(folder .. "/models.lua"))()(db)
end

--- Opens the blog's database.
function blog.open(folder, options)
  local db = tombstone.open(folder .. "/blog.db", options)
  declare(folder, db)
  return db
end

--- A folder with configuration, models and an empty database.
function blog.empty()
  local folder = command.folder()
  command.write(folder .. "/tombstone.config.lua", 'return { database = "blog.db" }\n')
  command.write(folder .. "/models.lua", MODELS)
  local db = blog.open(folder)
  db:create_tables()
  db:close()
  return folder
end

-- At fixed times, so that what the command prints is known.
local function fill(db, clock)
  local Author, Post = db:model "Author", db:model "Post"
  local ana, ben = Author:create { name = "Ana" }, Author:create { name = "Ben" }
  local one = Post:create { title = "One", author = ana }
  Post:create { title = "Two", author = ana, views = 3 }
  local three = Post:create { title = "Three\27[31m", author = ben }
  one:delete { actor = "eve", reason = "spam" }
  clock.now = clock.now + 3600.25
  ana:delete { actor = "zoe" }
  clock.now = clock.now + 86400
  three:delete()
  Post:create { title = "Three\27[31m" }
  db:model("Invoice"):create({ author = ben, file = "\1\2\255", paid = clock.now }):delete()
  db:model("Legacy"):create({ name = "old" }):delete()
end

--- The same, filled: One was deleted by itself and then with Ana and Two; Three's title is taken.
function blog.filled()
  local folder = blog.empty()
  local clock = { now = 1580000000 }
  local db = blog.open(folder, {
    clock = function()
      return clock.now
    end,
  })
  fill(db, clock)
  db:close()
  return folder
end

--- All rows of all tables as text, to compare two states.
function blog.state(folder)
  local db = tombstone.open(folder .. "/blog.db")
  local lines = {}
  for _, name in ipairs { "author", "posts", "invoice", "legacy", "tombstone_event", "tombstone_owner" } do
    for _, row in ipairs(db:query("SELECT * FROM " .. name .. " ORDER BY id")) do
      local cells = {}
      for column, value in pairs(row) do
        cells[#cells + 1] = column .. "=" .. tostring(value)
      end
      table.sort(cells)
      lines[#lines + 1] = name .. " " .. table.concat(cells, " ")
    end
  end
  db:close()
  return table.concat(lines, "\n")
end

return blog
