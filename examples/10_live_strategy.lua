-- Two ways to free a unique value. "mangle", the default for text, is for tables
-- whose UNIQUE cannot be changed. "live" is better for a schema of your own: the
-- unique index is of the living only, and the dead keep their values as they are.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open(":memory:", { clock = function() return 1763880000 end })
local Seat = db:model("Seat", {
  code = f.text { unique = true },
  room = f.text(),
  number = f.integer(),
}, { unique_together = { "room", "number" }, soft_delete = { unique = "live" } })
db:create_tables()

local seat = Seat:create { code = "A1", room = "A", number = 1 }
seat:delete()
print(seat.code, seat.room, seat.number) --> A1  A  1
Seat:create { code = "A1-new", room = "A", number = 1 } -- free, all of them
local _, err = pcall(seat.restore, seat)
print(err) --> Cannot restore record - room, number with values 'A', 1 already exist
print(err.fields[1], err.fields[2], err.conflicts[1].live_pk) --> room  number  2

-- The table that the article's Django code made: only deleted_at, no events.
db:exec [[
CREATE TABLE blog_post (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  deleted_at datetime NULL, title varchar(100) NOT NULL UNIQUE, content text NOT NULL)]]
db:exec [[
INSERT INTO blog_post (deleted_at, title, content) VALUES
  (NULL, 'Kept', '…'),
  ('2025-11-23 06:40:00', 'Gone__deleted_1763880000.0', '…')]]
local Post = db:model("Post", {
  title = f.char { max_length = 100, unique = "mangle" },
  content = f.text(),
}, { table = "blog_post", soft_delete = { event = false } })

local gone = Post.deleted_objects:get { title__original = "Gone" }
print(gone:restore(), gone.title) --> true  Gone
print(gone:delete()) --> true
print(gone.title, gone:original "title") --> Gone__deleted_1763880000.000001  Gone
local count, event = Post.objects:delete { all = true }
print(count, event) --> 1  nil
