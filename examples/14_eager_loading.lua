-- Relatives read along with rows: one statement a level, whatever the number of rows.
local tombstone = require "tombstone"
local f = tombstone.field

local statements = 0
local db = tombstone.open(":memory:", {
  lazy = "refuse", -- a loop that asks each row is an error
  log = function()
    statements = statements + 1
  end,
})
local Author = db:model("Author", { name = f.text() })
local Post = db:model("Post", {
  title = f.text(),
  author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
  tags = f.many_to_many("Tag", { related_name = "posts" }),
})
local Comment = db:model("Comment", {
  text = f.text(),
  post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
  author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "comments" }),
})
local Tag = db:model("Tag", { name = f.text { unique = true } })
db:create_tables()

local ana, ben = Author:create { name = "Ana" }, Author:create { name = "Ben" }
local red, blue = Tag:create { name = "red" }, Tag:create { name = "blue" }
for i = 1, 3 do
  local post = Post:create { title = "Post " .. i, author = i < 3 and ana or ben }
  post:tags():add(red, i == 1 and blue or red)
  Comment:create { text = "Nice!", post = post, author = ben }
end

-- Posts, their authors, comments, the comments' authors, tags: five statements.
statements = 0
local posts = Post.objects:with("author", "comments.author", "tags"):all()
print(statements) --> 5
for _, post in ipairs(posts) do
  local comment = post:comments():first()
  print(post.title, post:author().name, comment:author().name, post:tags():count())
end
--> Post 1  Ana  Ben  2
--> Post 2  Ana  Ben  1
--> Post 3  Ben  Ben  1
print(statements) --> 5

-- What refines a loaded relation asks the database.
print(posts[1]:tags():filter({ name = "red" }):count(), statements) --> 1  6

-- The dead stay hidden. with_deleted shows those of one relation.
ana:delete()
print(Post.objects:with("author"):first():author()) --> nil
print(Post.objects:with("author"):with_deleted("author"):first():author().name) --> Ana

-- A loop without `with` is found at its second row that needs a statement.
local _, err = pcall(function()
  for comment in Comment.objects:each() do
    comment:author()
  end
end)
print(err) --> N+1: Comment:author() was asked of 2 rows of one result, at examples/14_eager_loading.lua:58
print(err.hint) --> load it with :with("author")
db:close()
