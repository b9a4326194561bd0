-- What the C programs of the specs run: models, a deletion, its undo, a conflict.
local tombstone = require "tombstone"
local f = tombstone.field

local db = tombstone.open ":memory:"
local Item = db:model("Item", { name = f.char { max_length = 50, unique = true } })
db:create_tables()
Item:create { name = "sword" }
Item:create { name = "shield" }
local count, event = Item.objects:delete { all = true, actor = "thief" }
print("deleted", count, Item.objects:count())
print("undone", event:undo(), Item.objects:count())

local sword = Item.objects:get { name = "sword" }
sword:delete()
Item:create { name = "sword" }
local ok, err = pcall(sword.restore, sword)
print("refused", not ok, err.kind)
db:close()
