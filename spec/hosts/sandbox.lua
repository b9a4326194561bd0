-- What a sandbox runs: models, delete, undo, a conflict, a transaction, limits. Its host
-- calls it with the module and a path.
local tombstone, path = ...
for _, name in ipairs { "io", "os", "debug", "package", "require", "load", "loadstring", "dofile" } do
  assert(_G[name] == nil, name .. " is there")
end

local f = tombstone.field
local db = tombstone.open(path, { clock = function() return 1763880000 end })
local Author = db:model("Author", { name = f.text { unique = true } })
local Post = db:model("Post", {
  title = f.char { max_length = 60, unique = true },
  views = f.integer { default = 0, index = true },
  author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
}, { on = { before_save = function(post) assert(post.title ~= "forbidden", "not this one") end } })
db:create_tables()

local ana = Author:create { name = "Ana" }
local posts = Post:bulk_create {
  { title = "one", author = ana },
  { title = "two", author = ana },
  { title = "three" },
}
assert(#ana:posts():all() == 2)
local event = ana:delete { actor = "host" }
assert(Post.objects:count() == 1 and event:counts().Post == 2)
Post:create { title = "one" }

local ok, err = pcall(event.undo, event)
assert(not ok and err.kind == "integrity" and err.fields[1] == "title", tostring(err))
assert(event:undo { on_conflict = "rename" } == 3)
assert(posts[1]:reload().title == "one (restored)")

local failed, why = pcall(db.transaction, db, function()
  Post:create { title = "four" }
  Post:create { title = "forbidden" }
end)
assert(not failed and tostring(why):find "not this one")
assert(Post.objects:filter({ title = "four" }):exists() == false)

local stopped, limit = pcall(function()
  return Post.objects:within({ max_steps = 5 }):all()
end)
assert(not stopped and limit.kind == "interrupted", tostring(limit))
local seen = {}
for post in Post.objects:order_by("title"):with("author"):each() do
  local author = post:author()
  seen[#seen + 1] = post.title .. (author and "/" .. author.name or "")
end
db:close()
return table.concat(seen, " ")
