-- Asking: lookups, conditions, arithmetic, aggregates, values, streams.
local tombstone = require "tombstone"
local f, F, Q, any, none = tombstone.field, tombstone.F, tombstone.Q, tombstone.any, tombstone.none

local db = tombstone.open ":memory:"
local Book = db:model("Book", {
  title = f.text(),
  author = f.text(),
  year = f.integer { index = true },
  price = f.number { null = true },
}, { order_by = "title" })
db:create_tables()
Book:bulk_create {
  { title = "Emma", author = "Austen", year = 1815, price = 9.5 },
  { title = "Persuasion", author = "Austen", year = 1817, price = 8 },
  { title = "Dracula", author = "Stoker", year = 1897, price = 12 },
  { title = "Ulysses", author = "Joyce", year = 1922 },
}
Book:create({ title = "Carmilla", author = "Le Fanu", year = 1872 }):delete()

local function show(query)
  print(table.concat(query:pluck "title", ", "))
end
-- A field alone means equal, a table means one of these, null means NULL.
show(Book.objects:filter { author = "Austen", year__gt = 1815 }) --> Persuasion
show(Book.objects:filter { title = { "Emma", "Dracula" } }) --> Dracula, Emma
show(Book.objects:filter { price = tombstone.null }) --> Ulysses
show(Book.objects:exclude { title__icontains = "U" }) --> Emma
show(Book.all_objects:filter { year__range = { 1850, 1900 } }) --> Carmilla, Dracula
-- Conditions combine; from Lua 5.3 on as Q{…} | Q{…}, & and ~ too.
show(Book.objects:filter(any { { year = 1815 }, Q { author__startswith = "J" } })) --> Emma, Ulysses
show(Book.objects:filter(none { { author = "Austen" }, { price = 12 } })) --> Ulysses
-- F is a field's own value: this is one UPDATE, however many rows.
print(Book.objects:filter({ author = "Austen" }):update { price = F "price" * 2 }) --> 2
show(Book.objects:filter { price__gt = F "year" / 120 }) --> Emma, Persuasion
local sums = Book.objects:aggregate { n = tombstone.count "*", last = tombstone.max "year" }
print(sums.n, sums.last) --> 4  1922
for _, group in ipairs(Book.objects:group_by("author"):aggregate { n = tombstone.count "*" }) do
  print(group.author, group.n)
end --> Austen  2
--> Joyce  1
--> Stoker  1
print(Book.objects:values("title", "year")[2].year, Book.objects:last().title) --> 1815  Ulysses
for book in Book.objects:filter({ price__isnull = true }):each() do
  book:update { price = 20 } -- each holds no statement open: write, break, commit as you like
end
print(Book.objects:filter({ price = 20 }):count(), Book.objects:exists()) --> 1  true
