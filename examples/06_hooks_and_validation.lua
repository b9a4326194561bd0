-- Every bad field is reported in one go; hooks watch a model's writes and may veto.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local hooks = {
  before_save = function(user) -- runs before the checks, and may change the row
    user.email = user.email and user.email:lower()
  end,
  before_delete = function(user) -- raising vetoes the whole call
    if user.role == "admin" then
      error("admins stay", 0)
    end
  end,
  after_delete = function(user, event)
    print("deleted", user:original "name", "by", event.actor)
  end,
  after_commit = function(user, verb) -- when nothing can be rolled back any more
    print("committed", user:original "name", verb)
  end,
}
local User = db:model("User", {
  name = f.char { max_length = 20, unique = true, collate = "NOCASE" },
  email = f.text { check = function(value)
    return value:find "^[^@%s]+@[^@%s]+$" ~= nil, "is no e-mail address"
  end },
  role = f.text { default = "reader", choices = { "reader", "editor", "admin" } },
  age = f.integer { null = true, check = "age > 0" }, -- a text is SQL, for the database to check
}, { on = hooks })
db:create_tables()

local _, err = pcall(User.create, User, { email = "nobody", role = "king" })
print(err.kind, #err.fields, err.reasons.name) --> validation  3  is required
print(err.reasons.email, err.reasons.role) --> is no e-mail address  is not one of its choices

local ana = User:create { name = "Ana", email = "Ana@Example.org" } --> committed  Ana  save
print(ana.email, ana.role) --> ana@example.org  reader
_, err = pcall(User.create, User, { name = "ANA", email = "a@b.c" })
print(err) --> Cannot create record - name with value 'ANA' already exists
_, err = pcall(ana.update, ana, { age = -1 })
print(err.kind, err.constraint, ana.age) --> integrity  check  nil

User:create { name = "Eve", email = "eve@example.org", role = "admin" } --> committed  Eve  save
print(pcall(User.objects.delete, User.objects, { all = true })) --> false  admins stay
print(User.objects:count()) --> 2
ana:delete { actor = "ben" } --> deleted  Ana  by  ben
--> committed  Ana  delete
