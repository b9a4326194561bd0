-- Rows belong to rows: a deletion takes what is below, and its undo gives just that back.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local Author = db:model("Author", { name = f.text { unique = true } })
local Post = db:model("Post", { -- the relation author makes the field and column author_id
  title = f.text { unique = true },
  author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
  editor = f.belongs_to("Author", { on_delete = "keep", related_name = "edited", null = true }),
})
local Comment = db:model("Comment", {
  text = f.text(),
  post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
  author = f.belongs_to("Author", { on_delete = "cascade", related_name = "comments" }),
})
local Invoice = db:model("Invoice", {
  author = f.belongs_to("Author", { on_delete = "restrict", related_name = "invoices" }),
})
db:create_tables()

local function counts()
  print(Author.objects:count(), Post.objects:count(), Comment.objects:count())
end

-- A row stands for its key. Relations are calls: each one is a query.
local ana, ben = Author:create { name = "Ana" }, Author:create { name = "Ben" }
local eve = Author:create { name = "Eve" }
local old = Post:create { title = "Old", author = ana }
local new = Post:create { title = "New", author = ana, editor = eve }
local comment = Comment:create { text = "Nice!", post = new, author = ben }
print(new.author_id, new:author().name, new:editor().name, old:editor()) --> 1  Ana  Eve  nil
print(ana:posts():filter({ title__startswith = "N" }):count(), ben:comments():count()) --> 1  1
print(Post.objects:filter({ author = ana }):exclude({ editor = eve }):first().title) --> Old
counts() --> 3  2  1

-- "cascade": one event goes through all tables. "Old" was dead before, and stays so.
old:delete()
local event = ana:delete { actor = "eve", reason = "account closed" }
counts() --> 2  0  0
print(event:undo()) --> 3
counts() --> 3  1  1

-- "keep": the child lives on. Its parent reads as nil, until it is back.
eve:delete()
print(new:editor(), new.editor_id) --> nil  3
eve:restore()
print(new:editor().name) --> Eve

-- "restrict": no deletion while a living row needs this one, and nothing has changed.
local invoice = Invoice:create { author = ana:reload() }
local _, err = pcall(ana.delete, ana)
print(err.kind, err) --> restricted  Cannot delete records - 1 of Invoice still need them
invoice:delete()

-- Two parents, two deletions: the comment lives again when both are undone.
local of_ana, of_ben = ana:delete(), ben:delete()
print(of_ana:counts().Comment, of_ben:counts().Comment) --> 1  1
of_ana:undo()
counts() --> 2  1  0
of_ben:undo()
counts() --> 3  1  1

-- No row lives below a dead parent, unless its parents come with it.
ana:reload():delete()
_, err = pcall(Post.create, Post, { title = "Newer", author = ana })
print(err.kind, err) --> parent_deleted  Cannot create record - Author 1 is deleted
_, err = pcall(comment.restore, comment)
print(err.hint) --> restore Post 2 first, or pass parents = true
print(comment:restore { parents = true }) --> true
counts() --> 3  1  1

-- A purge takes the dead below with it, "Old" too; of the dead invoice nothing is left either.
ana:reload():purge()
print(Author.all_objects:count(), Post.all_objects:count(), Invoice.all_objects:count()) --> 2  0  0

-- A counter is kept by the database, whoever writes: a cascade, its undo, raw SQL.
local Shelf = db:model("Shelf", { name = f.text(), book_count = f.counter "books" })
local Book = db:model("Book", {
  shelf = f.belongs_to("Shelf", { on_delete = "cascade", related_name = "books" }),
})
db:create_tables()
local shelf = Shelf:create { name = "poems" }
Book:bulk_create { { shelf = shelf }, { shelf = shelf } }
db:exec "INSERT INTO book (shelf_id) VALUES (1)"
print(shelf:reload().book_count, Shelf.objects:filter({ book_count__gte = 3 }):count()) --> 3  1
local taken = shelf:delete()
print(shelf:reload().book_count, taken:undo(), shelf:reload().book_count) --> 0  4  3
db:close()
