-- Relatives that are read along with rows, and loops that ask each.
local base = ...
local f = base.tombstone.field

local function open(file)
  local s = {}
  s.db = base.tombstone.open(file, { synchronous = "normal", lazy = "refuse" })
  s.Author = s.db:model("Author", { name = f.text() })
  s.Post = s.db:model("Post", {
    title = f.text(),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  })
  s.Tag = s.db:model("Tag", { name = f.text { primary_key = true, collate = "NOCASE" } })
  return s
end

local function prepare(_, file)
  local s = open(file)
  s.db:create_tables()
  local ana = s.Author:create { name = "ana" }
  for i = 1, 20 do
    s.Post:create({ title = "p" .. i, author = ana }):tags():add(s.Tag:create { name = "T" .. i })
  end
  s.db:close()
end

local function run(s)
  local query = s.Post.objects:with("author.posts", "tags.posts"):with_deleted "author"
  local posts = query:all()
  base.equal("ana", posts[2]:author().name)
  base.equal(20, posts[1]:author():posts():count())
  base.equal("T3", posts[3]:tags():first().name)
  base.equal("p3", posts[3]:tags():all()[1]:posts():last().title)
  base.equal("ana", query:get(1):author().name)
  local n = 0
  for post in query:each { snapshot = true } do
    for tag in post:tags():each() do
      n = n + #tag.name
    end
  end
  base.equal(51, n)
  posts = s.Post.objects:all()
  base.equal("ana", posts[1]:author().name)
  base.expect("misuse", posts[2].author, posts[2])
  base.expect("misuse", query.with, query, "autor")
end

-- The handle is in order: it reads, with relatives, and writes.
local function after(s)
  if not s or not s.db or not s.db:is_open() then
    return
  end
  collectgarbage()
  base.equal(0, s.db:depth())
  local post = s.Post:create { title = "afterwards" }
  base.equal(nil, s.Post.objects:with("author"):get(post.id):author())
end

local function start(_, file)
  return open(file)
end

return base.scenario { prepare = prepare, start = start, run = run, after = after, rules = {} }
