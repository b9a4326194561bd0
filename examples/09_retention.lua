-- The trash empties itself: rows stay in it as long as their model says.
local tombstone = require "tombstone"
local f = tombstone.field

local DAY = 24 * 60 * 60
local now = 1763880000 -- a clock of our own: we cannot wait for 90 days
local db = tombstone.open(":memory:", { clock = function() return now end })
local Post = db:model("Post", { title = f.text { unique = true } }, { soft_delete = { keep = "90d" } })
local Session = db:model("Session", { token = f.text { unique = true } }, { soft_delete = { keep = "12h" } })
local Invoice = db:model("Invoice", { number = f.integer { unique = true } }) -- keeps all
db:create_tables()

Post:bulk_create { { title = "One" }, { title = "Two" }, { title = "Three" } }
Session:create({ token = "abc" }):delete()
Invoice:create({ number = 1 }):delete()
local post = Post.objects:get { title = "One" }
post:delete { reason = "old" }
now = now + 60 * DAY
Post.objects:filter({ title = "Two" }):delete()

local function show(report)
  print(report.Post, report.Session, report.Invoice, report.events)
end

-- dry_run only counts.
show(db:purge_expired { dry_run = true }) --> 0  1  nil  1
show(db:purge_expired()) --> 0  1  nil  1
print(post:is_deleted(), Post.deleted_objects:count()) --> true  2

now = now + 31 * DAY -- 91 days after the first deletion, 31 after the second
show(db:purge_expired { dry_run = true }) --> 1  0  nil  1
show(db:purge_expired()) --> 1  0  nil  1
print(Post.deleted_objects:first():original "title") --> Two
print(Post.all_objects:find(1)) --> nil

-- By hand: any query of the dead; of the living only where that is meant.
local count, report = Post.deleted_objects:purge { all = true }
print(count, report.rows.Post) --> 1  1
local _, err = pcall(Post.objects.purge, Post.objects, { all = true })
print(err) --> A purge of living rows must be meant
print((Post.objects:purge { all = true, living = true })) --> 1
print(Post.all_objects:count(), Invoice.all_objects:count()) --> 0  1
