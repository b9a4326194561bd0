-- A user's script: puts notes that nobody has seen into the bin, and thinks again about one of them.
-- It has `db`, the connection of the notebook, `field`, and the safe libraries of Lua.
local Note = db:model("Note", {
  title = field.text { unique = true },
  seen = field.integer { default = 0 },
}, { table = "note" })
db:create_tables() -- those that deletions need; the notebook has made its own

local count, event = Note.objects:filter({ seen = 0 }):delete { reason = "unseen" }
print(count .. " notes went into the bin")

Note:create { title = "Call Ana" } -- the title is free
event:undo { on_conflict = "rename" }
for note in Note.objects:filter({ title__startswith = "Call Ana" }):each() do
  print(note.id, note.title)
end

Note.objects:get({ title = "Old idea" }):delete { reason = "old" }
