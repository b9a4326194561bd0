-- Questions across relations: filters, orders, values, groups, annotations, and writes by them.
local base = ...
local t = base.tombstone
local f, count, max, min, null = t.field, t.count, t.max, t.min, t.null

local function open(file)
  local s = { db = t.open(file, { synchronous = "normal" }) }
  s.Team = s.db:model("Team", { name = f.text() })
  s.Author = s.db:model("Author", {
    name = f.text { collate = "NOCASE" },
    team = f.belongs_to("Team", { on_delete = "keep", null = true, related_name = "authors" }),
    boss = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "staff" }),
  }, { table = "author__" })
  s.Post = s.db:model("Post", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  })
  s.Tag = s.db:model("Tag", { name = f.text() })
  return s
end

-- ana of the team red, with the posts 1 to 4, is the boss of ben, who is of none and has 5.
local function prepare(_, file)
  local s = open(file)
  s.db:create_tables()
  local red = s.Team:create { name = "red" }
  local ana = s.Author:create { name = "ana", team = red }
  local ben = s.Author:create { name = "Ben", boss = ana }
  local x = s.Tag:create { name = "x" }
  for i = 1, 5 do
    s.Post:create({ title = "p" .. i, views = i, author = i < 5 and ana or ben }):tags():add(x)
  end
  s.db:close()
end

local function reads(s, posts, authors)
  local ana, red = authors:get { name = "ANA" }, s.Team.objects:first()
  base.equal(4, posts:filter({ author__team__name__icontains = "E", tags__name = "x" }):count())
  base.equal(1, posts:filter({ author__team__name__ne = "red", tags__posts__views__gt = 4 }):count())
  local first = { posts__views = 1, posts__title = "p1", staff__team__isnull = true }
  base.equal(1, authors:filter(first):count())
  base.equal(4, posts:filter({ author__in = { null, ana } }):exclude({ author__team__ne = red }):count())
  base.equal("p5", posts:order_by("author__team__name", "-author__posts__views"):first().title)
  base.equal("red", posts:values("title", "author__team__name", "tags__name")[1].author__team__name)
  local groups = posts:limit(5):group_by("author__name"):aggregate { n = count "*", m = max "author__id" }
  base.equal(2, #groups)
  local what = { n = count "posts", least = min "staff__name", k = count "posts__tags" }
  local figures = authors:annotate(what)
  base.equal(4, figures:filter({ least = "BEN" }):order_by("-n"):first().k)
  base.equal(1, figures:filter({ n__lt = 3 }):values("name", "n")[1].n)
  for post in posts:order_by("-author__name"):each() do
    base.equal(nil, post.author__name)
  end
  local shown = posts:with_deleted("author", "author.team"):filter { author__team__name = red.name }
  base.equal("every", shown:explain_liveness()[3].rows)
end

local function run(s)
  local posts, authors = s.Post.objects, s.Author.objects
  reads(s, posts, authors)
  base.expect("misuse", posts.filter, posts, { author__nam = "x" })
  base.expect("misuse", posts.filter, posts, { [("tags__posts__"):rep(20) .. "title"] = "x" })
  base.expect("misuse", authors.group_by, authors, "posts__title")
  base.expect("misuse", authors.annotate, authors, { save = count "posts" })
  base.equal(4, posts:filter({ author__team__name = "red" }):update { views = 9 })
  base.equal(1, (posts:filter({ author__boss__name = "ana" }):delete()))
  base.equal(1, s.Post.deleted_objects:filter({ author__name = "ben" }):restore())
  base.equal(2, (posts:filter({ author__name = "ana" }):order_by("author__team__name"):limit(2):purge {
    living = true,
  }))
end

local function start(_, file)
  return open(file)
end

-- The handle is in order: it asks and writes.
local function after(s)
  if not s or not s.db or not s.db:is_open() then
    return
  end
  collectgarbage()
  base.equal(0, s.db:depth())
  s.Post:create { title = "afterwards", author = s.Author.objects:first() }
  base.equal(1, s.Post.objects:filter({ author__team__name = "red", title = "afterwards" }):count())
end

return base.scenario { prepare = prepare, start = start, run = run, after = after, rules = {} }
