-- A copy of the file, and handles that are closed while they are in use.
local base = ...

return base.scenario {
  run = function(s, file)
    local db, posts = s.db, s.Post.objects
    db:backup(file .. ".copy")
    local copy = base.open(file .. ".copy")
    base.equal(10, copy.Post.objects:count())
    copy.db:close()
    local stream, snapshot = posts:each(), posts:each { snapshot = true }
    stream()
    snapshot()
    local ok, why = pcall(db.transaction, db, function()
      base.expect("misuse", db.backup, db, file .. ".copy")
    end)
    if not ok and not (type(why) == "table" and why.kind == "misuse") then
      error(why, 0)
    end
    local rows = db:each "SELECT * FROM post"
    rows()
    db:close()
    rows:close()
    base.expect("misuse", posts.count, posts)
    base.expect("misuse", stream)
    snapshot:close()
  end,
}
