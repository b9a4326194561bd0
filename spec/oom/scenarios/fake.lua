-- The driver that only records, and fails on request.
local base = ...
local core = require "tombstone.core"
local f = base.tombstone.field

return {
  prepare = function() end,
  start = function()
    local s = { db = require("tombstone.database").fake(nil, {}) }
    s.Post = s.db:model("Post", { title = f.text { unique = true } })
    return s
  end,
  run = function(s)
    local Post, fake = s.Post, core.fake
    fake.answer(s.db, { columns = 2, { 1, "a" } })
    base.equal("a", Post.objects:first().title)
    fake.answer(s.db, { columns = 3, { 1, "a", 2 } })
    base.expect("database", Post.objects.first, Post.objects)
    base.expect("database", Post.objects.all, Post.objects:only "title")
    Post:create { title = "b" }
    base.equal(true, #fake.statements(s.db) >= 2)
    fake.fail(s.db, 1, "busy", "locked")
    base.expect("busy", Post.create, Post, { title = "c" })
    base.expect("misuse", fake.fail, s.db, 1, "odd")
  end,
  after = function(s)
    base.equal(0, s.db:depth())
  end,
  rules = {},
}
