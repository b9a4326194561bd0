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
    fake.answer(s.db, { columns = 4, { 1, "a", nil, nil } })
    base.equal("a", Post.objects:first().title)
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
