-- Every deletion is an event: who, why, what; and it can be undone as a whole.
local tombstone = require "tombstone"
local f = tombstone.field

local now = 1763880000 -- a clock of our own, so that this prints the same every day
local db = tombstone.open(":memory:", { clock = function() return now end })
local Post = db:model("Post", { title = f.text { unique = true }, views = f.integer() })
local Draft = db:model("Draft", { title = f.text { unique = true } })
db:create_tables()
for i, title in ipairs { "One", "Two", "Three", "Four" } do
  Post:create { title = title, views = i }
end
Draft:create { title = "Five" }

-- One call is one event, however many rows it takes.
Post.objects:get({ title = "One" }):delete { actor = "ben" }
now = now + 3600
local count, stale = Post.objects:filter({ views__lt = 4 }):delete { actor = "ana", reason = "stale" }
print(count, stale.actor, stale.reason) --> 2  ana  stale

-- Many calls can share one. max_rows guards against a filter that is too wide.
now = now + 3600
local both = db:deletion({ actor = "eve", reason = "spring cleaning" }, function()
  Post.objects:delete { all = true, max_rows = 1 }
  Draft.objects:delete { all = true }
end)
print(both:counts().Post, both:counts().Draft) --> 1  1

-- The ledger is a list of rows, and can be asked.
for _, event in ipairs(db:events()) do
  print(event.id, os.date("!%H:%M", math.floor(event.at)), event.actor, event.pk or "many")
end
--> 1  06:40  ben  1
--> 2  07:40  ana  many
--> 3  08:40  eve  many
print(#db:events { actor = "ana" }, #db:events { since = both.at }) --> 1  1

-- Undo gives back exactly what that deletion took: "One" stays dead.
print(stale:undo()) --> 2
print(table.concat(Post.objects:pluck "title", ", ")) --> Two, Three
print(both:undo(), Draft.objects:count()) --> 2  1
print(#db:events { undone = false }) --> 1
db:close()
