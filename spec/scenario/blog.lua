--- A blog for scenarios about rows that belong to rows.
--
-- ana has the posts 1 and 2, ben has 3, and 4 has no author; post 1 has the comments x and y. A post
-- is kept when its author goes, a comment dies with its post.
local tombstone = require "tombstone"
local f = tombstone.field

--- Opens one: `db`, the models, `ana`, `ben`, `posts`, and `statements`, how many have run.
return function()
  local s = { statements = 0 }
  local db = tombstone.open(":memory:", {
    log = function()
      s.statements = s.statements + 1
    end,
  })
  s.db = db
  s.Author = db:model("Author", { name = f.text() })
  s.Post = db:model("Post", {
    title = f.text(),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
  })
  s.Comment = db:model("Comment", {
    text = f.text(),
    post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
  })
  db:create_tables()
  s.ana, s.ben = s.Author:create { name = "ana" }, s.Author:create { name = "ben" }
  s.posts = s.Post:bulk_create {
    { title = "1", author = s.ana },
    { title = "2", author = s.ana },
    { title = "3", author = s.ben },
    { title = "4" },
  }
  s.Comment:bulk_create { { text = "x", post = s.posts[1] }, { text = "y", post = s.posts[1] } }
  return s
end
