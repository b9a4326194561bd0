-- A deletion hides a row and frees its unique values; a restore is exact.
local tombstone = require "tombstone"
local f = tombstone.field

-- A clock of our own, so that this prints the same today and tomorrow.
local db = tombstone.open(":memory:", {
  clock = function()
    return 1763880000.25
  end,
})
local Post = db:model("Post", {
  title = f.char { max_length = 100, unique = true },
  views = f.integer { default = 0 },
})
db:create_tables()

local function counts()
  print(Post.objects:count(), Post.deleted_objects:count(), Post.all_objects:count())
end

local post = Post:create { title = "Hello", views = 3 }
counts() --> 1  0  1
local event = post:delete() -- an event; nil where the row was dead already
counts() --> 0  1  1
print(event.id, event.model, event.pk, post:is_deleted()) --> 1  Post  1  true
print(post:delete()) --> nil

-- The title is free: the dead row keeps it with a mark, and knows the original.
print(post.title) --> Hello__deleted_1763880000.250000
print(post:original "title") --> Hello
print(Post.deleted_objects:filter({ title__original = "Hello" }):exists()) --> true
local newcomer = Post:create { title = "Hello" }
counts() --> 1  1  2

-- No write reaches a dead row unless its verb says so.
local _, err = pcall(post.update, post, { views = 4 })
print(err.kind, err) --> deleted  Cannot save record - Post 1 is deleted

-- Purging is the only real DELETE.
newcomer:purge()
counts() --> 0  1  1
print(post:restore(), post.title, post.views) --> true  Hello  3
counts() --> 1  0  1
db:close()
