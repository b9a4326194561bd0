-- Declare a model, create rows, ask for them.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:" -- or a path: tombstone.open "blog.db"

local Post = db:model("Post", { -- columns in the order of the f.* calls
  title = f.char { max_length = 100, unique = true },
  content = f.text(),
  views = f.integer { default = 0, index = true },
}, { table = "posts" })
db:create_tables()

-- A row is a plain table: its columns are fields.
local post = Post:create { title = "Hello", content = "First words." }
print(post.id, post.title, post.views) --> 1  Hello  0

post.content = "Better words."
post:save() -- writes what the row holds
post:update { views = 7 } -- sets and writes just this
Post:create { title = "World", content = "More words.", views = 40 }

-- Methods of your own go into the model.
function Post:summary()
  return self.title .. ": " .. self.content
end
print(Post.objects:get(1):summary()) --> Hello: Better words.

-- A query is built step by step, and never changes: each step makes another.
local popular = Post.objects:filter { views__gte = 10 }
print(popular:count(), Post.objects:count()) --> 1  2
for each in Post.objects:order_by("-views"):each() do
  print(each.title, each.views)
end
--> World  40
--> Hello  7

-- find gives nil for no row, get raises: an error is a table that prints well.
print(Post.objects:find { title = "Nobody" }) --> nil
local _, err = pcall(Post.objects.get, Post.objects, 99)
print(err.kind, err) --> not_found  There is no Post 99
_, err = pcall(Post.create, Post, { title = "Hello", content = "again" })
print(err.kind, err.fields[1], err.value) --> integrity  title  Hello
_, err = pcall(Post.objects.filter, Post.objects, { titel = "Hello" })
print(err) --> Post has no field 'titel'
print(err.hint) --> did you mean 'title'?
db:close()
