-- Insert, or update the living row with the same unique value. Never a dead one,
-- unless you say so.
local tombstone = require "tombstone"
local f, F = tombstone.field, tombstone.F

local db = tombstone.open ":memory:"
local Page = db:model("Page", {
  path = f.text { unique = true },
  title = f.text { default = "" },
  visits = f.integer { default = 1 },
})
db:create_tables()

-- The database decides in one statement, so no other writer can come between.
local function visit(path)
  return Page:upsert({ path = path }, { on = "path", update = { visits = F "visits" + 1 } })
end
visit "/"
visit "/about"
print(visit("/").visits, Page.objects:count()) --> 2  2

-- Without `update` all given values are written; a list names those that are.
Page:upsert({ path = "/", title = "Home" }, { on = "path" })
Page:upsert({ path = "/", title = "Start", visits = 100 }, { on = "path", update = { "title" } })
local home = Page.objects:get { path = "/" }
print(home.title, home.visits) --> Start  2

-- A dead twin is no match: a new row is made, and the old one stays what it was.
home:delete()
print(visit("/").visits, Page.all_objects:filter({ path__original = "/" }):count()) --> 1  2

-- on_deleted asks for something else: "restore" or "refuse".
Page.objects:get({ path = "/about" }):delete()
local _, err = pcall(Page.upsert, Page, { path = "/about" }, { on = "path", on_deleted = "refuse" })
print(err) --> Cannot upsert record - path with value '/about' belongs to a deleted row
local page = Page:upsert({ path = "/about", title = "About" }, { on = "path", on_deleted = "restore" })
print(page.id, page.title, page.visits) --> 2  About  1

-- get_or_create writes nothing where the row is there, and says what it did.
local found, created = Page:get_or_create({ path = "/" }, { title = "Other" })
print(found.visits, created) --> 1  false
found, created = Page:get_or_create({ path = "/help" }, { title = "Help" })
print(found.title, created) --> Help  true
