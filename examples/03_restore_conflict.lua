-- A restore never overwrites a living row. What to do instead is yours to say.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local Post = db:model("Post", { title = f.char { max_length = 100, unique = true }, author = f.text() })
db:create_tables()

-- A dead post of ana's, whose title a living post of ben's has taken.
local function a_conflict()
  Post.all_objects:purge { all = true, living = true }
  local dead = Post:create { title = "Hello", author = "ana" }
  dead:delete()
  Post:create { title = "Hello", author = "ben" }
  return dead
end

local function show()
  for post in Post.objects:each() do
    print(post.title, post.author)
  end
end

-- "fail" is the default: nothing changes, and the error says what is in the way.
local post = a_conflict()
local _, err = pcall(post.restore, post)
print(err) --> Cannot restore record - title with value 'Hello' already exists
print(err.kind, err.model, err.fields[1], err.value) --> integrity  Post  title  Hello
local twin = Post.objects:get(err.conflicts[1].live_pk)
print(twin.author, #Post.deleted_objects:restore_plan().conflicts) --> ben  1

print(post:restore { on_conflict = "skip" }) --> false

post:restore { on_conflict = "rename" }
show() --> Hello (restored)  ana
--> Hello  ben

a_conflict():restore { on_conflict = "replace" } -- ben's is deleted, in an event of its own
show() --> Hello  ana

-- A function gets the row and the conflict, and answers a word or new values.
a_conflict():restore { on_conflict = function(row, conflict)
  return { title = conflict.value .. " by " .. row.author }
end }
show() --> Hello by ana  ana
--> Hello  ben
db:close()
