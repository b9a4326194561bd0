-- Errors of each kind, their texts and fields.
local base = ...
local t = base.tombstone

local function say(err)
  base.equal("string", type(tostring(err)))
  base.equal("string", type(err.message))
end

return base.scenario {
  run = function(s)
    local Post, db = s.Post, s.db
    say(base.expect("connection", t.open, "/nowhere/at/all.db"))
    say(base.expect("misuse", t.open, "x.db", { busy_timeout = "long" }))
    say(base.expect("validation", Post.create, Post, {}))
    say(base.expect("validation", Post.create, Post, { title = "\255", views = 1.5 }))
    say(base.expect("integrity", Post.create, Post, { title = "p1" }))
    say(base.expect("integrity", db.exec, db, "INSERT INTO post (title) VALUES (NULL)"))
    say(base.expect("not_found", Post.objects.get, Post.objects, 1000))
    say(base.expect("multiple", Post.objects.get, Post.objects, {}))
    say(base.expect("database", db.exec, db, "SELECT 1 FROM missing"))
    say(base.expect("misuse", Post.objects.order_by, Post.objects, "titel"))
    say(base.expect("misuse", Post.objects.delete, Post.objects))
    say(base.expect("misuse", Post.objects.restore, Post.objects:filter { id = 1 }))
    say(base.expect("misuse", db.transaction, db, 1))
    say(base.expect("misuse", Post.create, Post, { [1] = "x" }))
    say(base.expect("misuse", Post.objects.count))
    local gone = Post:create { title = "gone" }
    gone:purge()
    say(base.expect("not_found", gone.save, gone))
    say(base.expect("not_found", gone.reload, gone))
  end,
}
