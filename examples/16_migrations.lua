-- A program that brings its save file up to date when it starts: migrations as a table, no folder and
-- no command needed.
local tombstone = require "tombstone"
local migrate = require "tombstone.migrate"
local f = tombstone.field

local path = os.tmpname()
local migrations = {
  {
    name = "0001_create_items",
    up = function(m)
      m:create_table("items", { { "id", "integer", key = true }, { "label", "text" }, { "worth", "text" } })
      m:execute "INSERT INTO items (label, worth) VALUES ('sword', '12'), ('bread', '1'), ('bread', '2')"
    end,
    irreversible = true,
  },
}

local db = tombstone.open(path)
local runner = migrate.open(db, { migrations = migrations })
print(table.concat(runner:up(), ", ")) --> 0001_create_items
print(#runner:up(), runner:status()[1].state) --> 0  applied

-- A year later. `worth` becomes a number, `label` is called name, and an item can be thrown away.
migrations[2] = {
  name = "0002_name_and_worth",
  up = function(m)
    m:rename_column("items", "label", "name")
    m:change_column(
      "items",
      { "worth", "integer" },
      { using = "CAST(worth AS integer)", from = { "worth", "text" } }
    )
    m:add_index("items", { "worth" })
  end,
}
migrations[3] = {
  name = "0003_trash",
  up = function(m)
    m:add_soft_delete "items"
  end,
}
runner = migrate.open(db, { migrations = migrations })
for _, step in ipairs(runner:sql { to = "0002" }) do
  for _, sql in ipairs(step.statements) do
    print(sql:match "^%u[%u ]+%f[ ]" .. " …") -- a new table takes the rows over
  end
end
--> ALTER TABLE …
--> CREATE TABLE …
--> INSERT OR ABORT INTO …
--> DROP TABLE …
--> PRAGMA …
--> ALTER TABLE …
--> PRAGMA …
--> CREATE INDEX …
print(table.concat(runner:up(), ", ")) --> 0002_name_and_worth, 0003_trash

local Item = db:model("Item", { name = f.text(), worth = f.integer { index = true } }, { table = "items" })
db:create_tables() -- finds all as the model says
print(migrate.diff(db).empty) --> true
Item.objects:filter({ name = "bread" }):delete()
print(Item.objects:count(), Item.all_objects:count()) --> 1  3

-- The model moves on, and the next migration writes itself.
local other = tombstone.open(path)
other:model("Item", {
  title = f.text { renamed_from = "name" },
  worth = f.integer { index = true },
  weight = f.number { default = 0.5 },
}, { table = "items" })
local change = migrate.diff(other)
print(change.name) --> change items
for line in change.text:gmatch "[^\n]+" do
  if line:find "m:" then
    print(line)
  end
end
--> m:rename_column("items", "name", "title")
--> m:add_column("items", { "weight", "real", using = "0.5" })

-- What fails leaves nothing behind, and says what to do.
migrations[4] = {
  name = "0004_unique_names",
  up = function(m)
    m:run(function(at)
      at:exec "UPDATE items SET worth = worth + 1"
    end)
    m:add_index("items", { "name" }, { unique = true })
  end,
}
local _, err = pcall(function()
  migrate.open(db, { migrations = migrations }):up()
end)
print(err.migration, err.kind, err)
--> 0004_unique_names  migration  Rows of 'items' are not unique by name, as index 'items__name__key' wants
print(Item.objects:aggregate({ worth = tombstone.sum "worth" }).worth) --> 12

-- Back is back, but for what people have thrown away meanwhile.
_, err = pcall(runner.down, runner)
print(err) --> Dead rows of 'items', and nothing says what becomes of them: 2 rows, key 2, 3
other:close()
db:close()
os.remove(path)
