-- One life of the module in reload.c: what the lives before have written is there, it writes one
-- row more, and is unloaded in the middle of its work.
local M = {}

--- Loads the module, and leaves with much of it still open.
function M.live(path, file, n)
  local tombstone = assert(package.loadlib(path, "luaopen_tombstone"))()
  local f = tombstone.field
  local db = tombstone.open(file, { synchronous = "normal" })
  local Note = db:model("Note", {
    title = f.text { unique = true },
    views = f.integer { default = 0 },
  })
  db:create_tables()
  assert(Note.objects:count() == n and Note.deleted_objects:count() == n)
  Note:create { title = "note " .. n }
  Note:create({ title = "gone " .. n }):delete()
  assert(Note.deleted_objects:filter({ title__original = "gone " .. n }):count() == 1)
  M.stream = Note.objects:each { snapshot = true }
  M.row, M.tombstone = M.stream(), tombstone
  M.ok, M.error = pcall(Note.create, Note, { title = "another" }) -- while a snapshot is read
  assert(not M.ok and M.error.kind == "misuse")
end

return M
