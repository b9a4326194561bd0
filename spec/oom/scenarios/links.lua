-- Many for many: links that are made, removed, set, and that die with either side.
local base = ...
local f = base.tombstone.field

local function open(file)
  local s = { db = base.tombstone.open(file, { synchronous = "normal" }) }
  s.Post = s.db:model("Post", {
    title = f.text(),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts", null = true }),
  })
  s.Author = s.db:model("Author", { name = f.text() })
  s.Tag = s.db:model("Tag", { name = f.text { unique = true } })
  return s
end

local function prepare(_, file)
  local s = open(file)
  s.db:create_tables()
  s.Post:bulk_create { { title = "p" }, { title = "q" } }
  s.Tag:bulk_create { { name = "a" }, { name = "b" }, { name = "c" } }
  s.Author:create { name = "ana" }
  s.db:close()
end

local function start(_, file)
  return open(file)
end

local function link(s, p, a, b, c)
  base.equal(2, p:tags():add(a, b))
  base.equal(1, p:tags():add(b, c, c))
  local n, event = p:tags():remove(a)
  base.equal(1, n)
  base.equal(1, event:undo())
  base.equal(0, p:tags():set { a, b })
  base.equal("new", p:tags():create({ name = "new" }).name)
  local of_post, of_tag = p:delete(), a:delete()
  base.expect("parent_deleted", function()
    return s.Post.objects:get({ title = "q" }):tags():add(a)
  end)
  base.equal(3, of_post:undo())
  base.equal(2, of_tag:undo())
  base.equal(3, p:tags():count())
end

local function run(s)
  local p, q = s.Post.objects:get { title = "p" }, s.Post.objects:get { title = "q" }
  local a, b = s.Tag.objects:get { name = "a" }, s.Tag.objects:get { name = "b" }
  link(s, p, a, b, s.Tag.objects:get { name = "c" })
  base.expect("misuse", function()
    return p:tags():set { a = b }
  end)
  local ana = s.Author.objects:first()
  base.equal(1, ana:posts():set { q })
  base.equal(1, ana:posts():remove(q))
  base.expect("misuse", function()
    return s.db:model("Bad", { xs = f.many_to_many("Tag", { through = "Author" }) })
  end)
end

local function after(s)
  if not s or not s.db or not s.db:is_open() then
    return
  end
  collectgarbage()
  base.equal(0, s.db:depth())
  local post, tag = s.Post:create { title = "afterwards" }, s.Tag:create { name = "afterwards" }
  base.equal(1, post:tags():add(tag))
  base.equal(2, tag:delete():undo())
  tag:reload():purge()
  base.equal(0, post:tags():count())
end

local rules = {
  [[SELECT l.id FROM post_tags AS l JOIN post AS p ON p.id = l.post_id JOIN tag AS t ON t.id = l.tag_id
    WHERE l.deleted_at IS NULL AND (p.deleted_at IS NOT NULL OR t.deleted_at IS NOT NULL)]],
  [[SELECT min(id) FROM post_tags WHERE deleted_at IS NULL
    GROUP BY post_id, tag_id HAVING count(*) > 1]],
  -- a tag that create has made is linked
  "SELECT id FROM tag WHERE name = 'new' AND id NOT IN (SELECT tag_id FROM post_tags)",
  "SELECT rowid FROM pragma_foreign_key_check",
}
for _, name in ipairs { "post", "tag", "post_tags" } do
  rules[#rules + 1] = "SELECT id FROM " .. name .. " WHERE (deleted_at IS NULL) <> (deleted_event IS NULL)"
end

return base.scenario { prepare = prepare, start = start, run = run, after = after, rules = rules }
