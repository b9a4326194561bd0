-- The end of rows: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local family = require "model.family"
local f = tombstone.field

local DAY = 86400

local function stored(db, name)
  return db:query("SELECT count(*) AS n FROM " .. name)[1].n
end

-- Child and parent were soft-deleted, and the parent could not be deleted for good any more:
-- FOREIGN KEY constraint failed. Whether it could depended on the order of the first two.
it("paranoia#575: a dead parent can be purged, in whichever order its family died", function()
  for _, names in ipairs { { "c", "p", "a" }, { "a", "p", "c" }, { "p", "c", "a" }, { "a" } } do
    local s = family.tree()
    for _, name in ipairs(names) do
      s[name]:reload():delete()
    end
    assert.is_true(s.a:purge())
    assert.are.same({ 1, 0, 0 }, { stored(s.db, "author"), stored(s.db, "post"), stored(s.db, "comment") })
    assert.are.equal("b t", s:living())
    assert.are.equal(0, #s.db:query "PRAGMA foreign_key_check")
    s:close()
  end
end)

-- "52 of 52, done", and all 52 were still there: rows that something pointed to were left out
-- without a word. Also Piplin#275.
it("collectiveaccess#1524: a purge that cannot take a row says so, and takes none", function()
  local s = family.tree()
  s.a:delete()
  s.b:delete()
  s.db:exec "INSERT INTO pin (name, parent_id) VALUES ('n', 1)" -- by another program
  local before, dead = s:digest(), s.Author.deleted_objects
  local err = helper.raises("restricted", dead.purge, dead, { all = true })
  assert.are.same({ "Pin", 1 }, { err.model, err.conflicts[1].live_pk })
  assert.are.equal(before, s:digest())
  s.db:exec "DELETE FROM pin"
  assert.are.equal(2, dead:purge { all = true })
  assert.are.equal(0, stored(s.db, "author"))
  s:close()
end)

-- Which models were swept first stood in a configuration: the wrong order, and the database
-- refused. Also nocturne#792.
it("laravel-expirable#5: the order of a sweep is that of the relations, not of declaration", function()
  local kept = { soft_delete = { keep = "30d" } }
  local team, author = { "Team", nil, nil, kept }, { "Author", "Team", "cascade", kept }
  local post = { "Post", "Author", "restrict", kept }
  for _, models in ipairs { { team, author, post }, { post, author, team } } do
    local clock = helper.clock()
    local s = family.of(models, { clock = clock.tell })
    local t = s:add("Team", "t")
    local a = s:add("Author", "a", t)
    s:add("Post", "p", a):delete()
    t:delete()
    assert.are.same({ Team = 0, Author = 0, Post = 0, events = 0 }, s.db:purge_expired())
    clock.now = clock.now + 31 * DAY
    assert.are.same({ Team = 1, Author = 1, Post = 1, events = 2 }, s.db:purge_expired())
    assert.are.equal(0, stored(s.db, "team") + stored(s.db, "author") + stored(s.db, "post"))
    s:close()
  end
end)

-- Trash was promised to go after 30 days, and nothing ever went. Also opencollective#5388,
-- vue-people#14, archestra#7065.
it("PageSpace#909: what is longer in the trash than it may be goes, and nothing else", function()
  local clock = helper.clock()
  local db = tombstone.open(":memory:", { clock = clock.tell })
  local Page = db:model("Page", { title = f.text { unique = true } }, { soft_delete = { keep = "30d" } })
  db:create_tables()
  local old = Page:create { title = "old" }
  local back, young = Page:create { title = "back" }, Page:create { title = "young" }
  Page:create { title = "living" }
  old:delete()
  back:delete()
  clock.now = clock.now + 20 * DAY
  back:restore()
  young:delete()
  clock.now = clock.now + 11 * DAY
  back:delete() -- the days of a deletion that was taken back do not count
  local due = { Page = 1, events = 2 } -- an event that was undone holds nothing
  assert.are.same(due, db:purge_expired { dry_run = true })
  assert.are.equal(4, stored(db, "page"))
  assert.are.same(due, db:purge_expired())
  assert.are.same({ 2, 3, 4 }, helper.list(Page.all_objects:order_by "id", "id"))
end)

-- A deletion for good must take what belongs to the entity, and nothing that others need, which no
-- simple query could do.
it("SORMAS#3499: a purge takes what hangs on a row, and leaves what others hang on", function()
  local s = family.tree()
  local note = s:add("Note", "n", s.a)
  assert.is_true(s.a:purge())
  assert.are.equal("b n t", s:living())
  assert.is_nil(note:reload().parent_id)
  s:add("Pin", "n", s:add("Post", "p", s.b))
  local before = s:digest()
  helper.raises("restricted", s.b.purge, s.b)
  assert.are.equal(before, s:digest())
  s:close()
end)

-- Personal data had to be erased when the row is deleted, not some day. One call, and no table
-- that tombstone keeps has anything of it.
it("avram#934: a living row can be erased in one call, with all copies of its values", function()
  for _, unique in ipairs { "mangle", "live" } do
    local s = family.tree { unique = unique }
    local secret = s:add("Author", "jane@private.example", s.t)
    s:add("Comment", "from jane@private.example", s:add("Post", "jane@private.example", secret))
    secret:delete()
    secret:restore()
    assert.is_truthy(s:digest():find("jane@private", 1, true))
    assert.is_true(secret:purge())
    assert.is_nil(s:digest():find("jane@private", 1, true))
    assert.are.equal("a b c d p q t", s:living())
    s:close()
  end
end)
