-- Questions across relations: filters, orders, values and figures of other rows, the dead hidden.
local tombstone = require "tombstone"
local f, count, max = tombstone.field, tombstone.count, tombstone.max

local db = tombstone.open ":memory:"
local Team = db:model("Team", { name = f.text { unique = true } })
local Author = db:model("Author", {
  name = f.text { unique = true },
  team = f.belongs_to("Team", { on_delete = "keep", null = true, related_name = "authors" }),
})
local Post = db:model("Post", {
  title = f.text { unique = true },
  views = f.integer { default = 0 },
  author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
})
db:create_tables()

local red = Team:create { name = "red" }
local ana, ben = Author:create { name = "Ana", team = red }, Author:create { name = "Ben" }
Post:bulk_create {
  { title = "One", views = 3, author = ana },
  { title = "Two", views = 8, author = ana },
  { title = "Three", views = 5, author = ben },
  { title = "Four", views = 1 },
}

local function titles(query)
  return table.concat(query:order_by("id"):pluck "title", " ")
end

-- To a parent, however far; a parent that is missing is NULL, so that ne holds.
print(titles(Post.objects:filter { author__team = red })) --> One Two
print(titles(Post.objects:filter { author__team__name__ne = "red" })) --> Three Four

-- To children: there is one. A table speaks of one child, two filters may speak of two.
local one, many = { posts__title = "One", posts__views = 8 }, { posts__title = "One" }
print(Author.objects:filter(one):count()) --> 0
print(Author.objects:filter(many):filter({ posts__views = 8 }):count()) --> 1

-- Figures of each row's children, to filter and order by.
local figures = Author.objects:annotate { n = count "posts", top = max "posts__views" }
for _, author in ipairs(figures:filter({ top__gte = 5 }):order_by("-n"):all()) do
  print(author.name, author.n, author.top)
end
--> Ana  2  8
--> Ben  1  5

-- The dead have no part in any of it, unless they are asked for.
ana:delete()
for _, line in ipairs(Post.objects:order_by("author__name", "id"):values("title", "author__name")) do
  print(line.title, line.author__name)
end
--> One    nil
--> Two    nil
--> Four   nil
--> Three  Ben
print(titles(Post.objects:filter { author__isnull = true })) --> One Two Four
print(titles(Post.objects:with_deleted("author"):filter { author__team = red })) --> One Two

-- A write reaches what the same filter finds.
print((Post.objects:filter({ author__isnull = true }):delete())) --> 3
print(Post.deleted_objects:filter({ author_id__isnull = true }):restore()) --> 1
