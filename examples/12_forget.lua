-- A purge says what it takes and what is in the way; forget erases a person, events included.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local Person = db:model("Person", { name = f.text { unique = true } })
local Post = db:model("Post", {
  title = f.text { unique = true },
  author = f.belongs_to("Person", { on_delete = "cascade", related_name = "posts" }),
})
local Comment = db:model("Comment", {
  text = f.text(),
  post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
  author = f.belongs_to("Person", { on_delete = "cascade" }),
})
local Order = db:model("Order", { -- the books stay, without the name
  total = f.integer(),
  buyer = f.belongs_to("Person", { on_delete = "keep", null = true }),
})
local Loan = db:model("Loan", { borrower = f.belongs_to("Person", { on_delete = "restrict" }) })
db:create_tables()

local ana, ben = Person:create { name = "Ana" }, Person:create { name = "Ben" }
local first = Post:create { title = "First", author = ana }
local second = Post:create { title = "Second", author = ana }
Comment:create { text = "Nice!", post = second, author = ben }
Order:create { total = 30, buyer = ana }
local loan = Loan:create { borrower = ana }
first:delete { actor = "ana", reason = "too private" }

-- Looking ahead writes nothing. `needed` are the living rows that a real call would stumble over.
local _, report = Person.objects:filter({ name = "Ana" }):purge { living = true, dry_run = true }
print(report.rows.Person, report.rows.Post, report.rows.Comment, report.kept.Order) --> 1  2  1  1
local needed = report.needed[1]
print(needed.model, needed.field, needed.count, needed.example) --> Loan  borrower_id  1  1
local ok, err = pcall(ana.forget, ana)
print(ok, err.kind, err) --> false  restricted  Cannot delete records - 1 of Loan still need them
loan:delete()

-- Whatever hangs on her goes, dead or alive, with the events that are about it. One is left that
-- says why, without a key.
report = ana:forget { actor = "office", reason = "right to be forgotten" }
print(report.rows.Person, report.rows.Post, report.rows.Comment, report.rows.Loan) --> 1  2  1  1
print(report.kept.Order, report.events.removed, report.events.cleared) --> 1  2  0
print(Post.all_objects:count(), Order.objects:first().buyer_id) --> 0  nil
for _, event in ipairs(db:events()) do
  print(event.model, event.pk, event.actor, event.reason) --> Person  nil  office  right to be forgotten
end

-- A purge of the trash tells the same.
ben:delete()
local count
count, report = Person.deleted_objects:purge { all = true }
print(count, report.rows.Person, report.rows.Comment) --> 1  1  nil
db:close()
