-- One to one: a unique belongs_to, whose way back is a row or nil.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function site(options, child_options)
  local db = tombstone.open ":memory:"
  local s = { db = db }
  local given = { on_delete = "cascade", unique = true, related_name = "profile" }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  s.Profile = db:model("Profile", { bio = f.text(), user = f.belongs_to("User", given) }, child_options)
  s.User = db:model("User", { name = f.text() })
  db:create_tables()
  s.ana, s.ben = s.User:create { name = "ana" }, s.User:create { name = "ben" }
  return s
end

describe("one to one", function()
  local s

  before_each(function()
    s = site()
  end)

  after_each(function()
    s.db:close()
  end)

  it("answers the row, or nil", function()
    assert.is_nil(s.ana:profile())
    local profile = s.Profile:create { bio = "x", user = s.ana }
    assert.are.equal(profile.id, s.ana:profile().id)
    assert.are.equal("ana", s.ana:profile():user().name)
    assert.is_nil(s.ben:profile())
  end)

  it("has one living row a parent, and names it", function()
    local first = s.Profile:create { bio = "x", user = s.ana }
    local err = helper.raises("integrity", s.Profile.create, s.Profile, { bio = "y", user = s.ana })
    assert.are.same({ "unique", "user_id" }, { err.constraint, err.fields[1] })
    first:delete()
    assert.is_nil(s.ana:profile())
    s.Profile:create { bio = "y", user = s.ana }
    assert.are.equal("y", s.ana:profile().bio)
    err = helper.raises("integrity", first.restore, first)
    assert.are.equal(first.id, err.conflicts[1].dead_pk)
    first:restore { on_conflict = "replace" }
    assert.are.equal("x", s.ana:profile().bio)
  end)

  it("dies and comes back with its parent", function()
    s.Profile:create { bio = "x", user = s.ana }
    local event = s.ana:delete()
    assert.are.same({ User = 1, Profile = 1 }, event:counts())
    assert.are.equal(0, s.Profile.objects:count())
    event:undo()
    assert.are.equal("x", s.ana:profile().bio)
  end)

  it("is asked of in lookups like any other", function()
    s.Profile:create { bio = "x", user = s.ana }
    assert.are.equal("ana", s.User.objects:get({ profile__bio = "x" }).name)
    assert.are.equal("ben", s.User.objects:get({ profile__isnull = true }).name)
  end)

  it("is asked of a saved row, with a colon", function()
    helper.refuses("misuse", "A row of User is needed, not a nil", s.ana.profile)
    helper.raises("misuse", function()
      return s.User:new({ name = "x" }):profile()
    end)
  end)

  it("may be without a parent, as often as wanted", function()
    local own = site { on_delete = "keep", null = true }
    own.Profile:create { bio = "x" }
    own.Profile:create { bio = "y" }
    local kept = own.Profile:create { bio = "z", user = own.ana }
    own.ana:delete()
    assert.is_nil(kept:reload():user())
    own.ana:restore()
    assert.are.equal("z", own.ana:profile().bio)
    own.db:close()
  end)

  it("is a row for each word of unique, and shows no dead one", function()
    for _, word in ipairs { "live", "always" } do
      local own = site { unique = word }
      local profile = own.Profile:create { bio = "x", user = own.ana }
      assert.are.equal("x", own.ana:profile().bio)
      profile:delete()
      assert.is_nil(own.ana:profile())
      local ok = pcall(own.Profile.create, own.Profile, { bio = "y", user = own.ana })
      assert.are.equal(word == "live", ok)
      own.db:close()
    end
  end)

  it("works where the child has no soft delete", function()
    local own = site({ on_delete = "restrict" }, { soft_delete = false })
    own.Profile:create { bio = "x", user = own.ana }
    assert.are.equal("x", own.ana:profile().bio)
    helper.raises("restricted", own.ana.delete, own.ana)
    own.db:close()
  end)

  it("of a model to itself", function()
    local db = tombstone.open ":memory:"
    local Node = db:model("Node", {
      name = f.text(),
      before = f.belongs_to("Node", {
        on_delete = "cascade", unique = true, null = true, related_name = "after",
      }),
    })
    db:create_tables()
    local one = Node:create { name = "one" }
    Node:create { name = "two", before = one }
    assert.are.equal("two", one:after().name)
    assert.is_nil(one:before())
    assert.is_nil(one:after():after())
    local event = one:delete()
    assert.are.equal(2, event:undo())
    db:close()
  end)
end)
