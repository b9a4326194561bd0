-- Many to many and one to one: links die and come back with either side.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local Tag = db:model("Tag", { name = f.text { unique = true } })
local Post = db:model("Post", {
  title = f.text(),
  tags = f.many_to_many("Tag", { related_name = "posts" }), -- makes the model Post_tags
})
local User = db:model("User", {
  name = f.text(),
  teams = f.many_to_many("Team", { through = "Membership", related_name = "members" }),
})
db:model("Team", { name = f.text() })
db:model("Membership", { -- a model of one's own says more about the link
  user = f.belongs_to("User", { on_delete = "cascade" }),
  team = f.belongs_to("Team", { on_delete = "cascade" }),
  role = f.text { default = "player" },
})
db:model("Profile", {
  bio = f.text(),
  user = f.belongs_to("User", { on_delete = "cascade", unique = true, related_name = "profile" }),
})
db:create_tables()

local function tags(row)
  return table.concat(row:tags():order_by("name"):pluck "name", " ")
end

local post = Post:create { title = "Hello" }
local red, blue = Tag:create { name = "red" }, Tag:create { name = "blue" }
print(post:tags():add(red, blue), post:tags():add(red)) --> 2  0
post:tags():create { name = "green" }
local count, event = post:tags():remove(blue)
print(count, tags(post)) --> 1  green red
event:undo()
print(tags(post)) --> blue green red
print(Post.objects:filter({ tags__name = "red" }):count(), red:posts():first().title) --> 1  Hello

-- The link of a dead post and a dead tag waits for both.
local of_post, of_tag = post:delete(), red:delete()
print(of_post:counts().Post_tags, red:posts():count()) --> 3  0
of_post:undo()
print(tags(post)) --> blue green
of_tag:undo()
print(tags(post)) --> blue green red
post:tags():set { blue }
print(tags(post)) --> blue

local ana = User:create { name = "Ana" }
local team = ana:teams():create({ name = "Reds" }, { role = "coach" })
print(team:members():first().name, db:model("Membership").objects:first().role) --> Ana  coach

print(ana:profile()) --> nil
db:model("Profile"):create { bio = "Plays chess.", user = ana }
print(ana:profile().bio) --> Plays chess.
ana:delete():undo()
print(ana:profile().bio, ana:teams():count()) --> Plays chess.  1
db:close()
