-- Hooks run for every row that a call reaches, in every model: parents first, all or nothing.
local family = require "model.family"
local tombstone = require "tombstone"
local f = tombstone.field

local KINDS = { "delete", "restore", "purge" }

describe("hooks of rows that go along", function()
  local db, log, fail_at, models, statements

  local function hooks_of(name)
    local on = {}
    for _, kind in ipairs(KINDS) do
      for _, when in ipairs { "before_", "after_" } do
        on[when .. kind] = function(row, event)
          log[#log + 1] = when .. kind .. " " .. name .. row.id .. (event and "!" or "")
          if fail_at == #log then
            error("veto", 0)
          end
        end
      end
    end
    on.after_commit = function(row, verb)
      log[#log + 1] = "commit " .. verb .. " " .. name .. row.id
    end
    return on
  end

  -- Team, with authors below, posts below these, and comments that answer each other.
  local function declare(hooked)
    models = {}
    local function model(name, fields)
      models[name] = db:model(name, fields, { on = hooked[name] and hooks_of(name) or nil })
      return models[name]
    end
    model("Team", { name = f.text() })
    model("Author", { name = f.text(), team = f.belongs_to("Team", { on_delete = "cascade" }) })
    model("Post", {
      title = f.text { unique = true },
      author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    })
    model("Comment", {
      post = f.belongs_to("Post", { on_delete = "cascade" }),
      parent = f.belongs_to("Comment", { on_delete = "cascade", null = true }),
    })
    db:create_tables()
    local team = models.Team:create { name = "t" }
    local author = models.Author:create { name = "a", team = team }
    local post = models.Post:create { title = "p", author = author }
    local root = models.Comment:create { post = post }
    models.Comment:create { post = post, parent = root }
    log, fail_at = {}, nil
    return team, author, post, root
  end

  local function lines()
    local text = table.concat(log, "\n")
    log = {}
    return text
  end

  local ALL = { Team = true, Author = true, Post = true, Comment = true }

  before_each(function()
    log, statements = {}, 0
    db = tombstone.open(":memory:", {
      log = function()
        statements = statements + 1
      end,
    })
  end)

  after_each(function()
    db:close()
  end)

  it("run for a deletion: all before-hooks, parents first, then the others", function()
    local team = declare(ALL)
    team:delete()
    assert.are.equal(
      table.concat({
        "before_delete Team1",
        "before_delete Author1",
        "before_delete Post1",
        "before_delete Comment1",
        "before_delete Comment2",
        "after_delete Team1!",
        "after_delete Author1!",
        "after_delete Post1!",
        "after_delete Comment1!",
        "after_delete Comment2!",
        "commit delete Team1",
        "commit delete Author1",
        "commit delete Post1",
        "commit delete Comment1",
        "commit delete Comment2",
      }, "\n"),
      lines()
    )
  end)

  it("are the same for a query and for a row", function()
    local team = declare(ALL)
    local event = team:delete()
    local by_row = lines()
    event:undo()
    log = {}
    models.Team.objects:filter({ name = "t" }):delete()
    assert.are.equal(by_row, lines())
  end)

  it("run where the model of the call has none itself", function()
    local team = declare { Comment = true }
    team:delete()
    local deleted = lines()
    assert.is_truthy(deleted:find("before_delete Comment1", 1, true))
    assert.is_nil(deleted:find("Post", 1, true))
    team:restore()
    assert.is_truthy(lines():find("after_restore Comment2", 1, true))
    models.Author.objects:filter({ team__name = "t" }):delete()
    assert.is_truthy(lines():find("after_delete Comment2!", 1, true))
  end)

  it("run for what a restore brings back, and for nothing else", function()
    local team, _, post, root = declare(ALL)
    root:delete() -- with its answer, before the others
    team:delete()
    log = {}
    team:restore()
    local restored = lines()
    assert.is_truthy(restored:find("before_restore Post1", 1, true))
    assert.is_truthy(restored:find("after_restore Post1", 1, true))
    assert.is_nil(restored:find("Comment", 1, true)) -- they stay dead
    assert.is_true(root:reload():is_deleted())
    assert.is_false(post:reload():is_deleted())
  end)

  it("run for parents that come back too", function()
    local team, _, post = declare(ALL)
    team:delete()
    log = {}
    post:reload():restore { parents = true }
    local restored = lines()
    for _, row in ipairs { "Team1", "Author1", "Post1", "Comment1", "Comment2" } do
      assert.is_truthy(restored:find("after_restore " .. row, 1, true), row)
    end
    local team_at = restored:find("before_restore Team1", 1, true)
    assert.is_true(team_at < restored:find("before_restore Post1", 1, true))
  end)

  it("run once for an undo", function()
    local team = declare(ALL)
    local event = team:delete()
    log = {}
    event:undo()
    local _, times = lines():gsub("after_restore Comment1", "")
    assert.are.equal(1, times)
  end)

  it("run for rows that a purge takes along", function()
    local team = declare(ALL)
    team:delete()
    log = {}
    team:purge()
    local purged = lines()
    for _, row in ipairs { "Team1", "Author1", "Post1", "Comment1", "Comment2" } do
      assert.is_truthy(purged:find("before_purge " .. row, 1, true), row)
      assert.is_truthy(purged:find("commit purge " .. row, 1, true), row)
    end
  end)

  it("run for rows that forget takes along", function()
    local team = declare(ALL)
    team:forget()
    local gone = lines()
    for _, row in ipairs { "Team1", "Author1", "Post1", "Comment1", "Comment2" } do
      assert.is_truthy(gone:find("before_purge " .. row, 1, true), row)
      assert.is_truthy(gone:find("commit forget " .. row, 1, true), row)
    end
    assert.are.equal(0, models.Comment.all_objects:count())
  end)

  it("veto the whole call, wherever one raises", function()
    local team = declare(ALL)
    for _, verb in ipairs { "delete", "restore", "purge", "forget" } do
      if verb == "restore" then
        team:delete()
      end
      for at = 1, verb == "purge" and 20 or 10 do -- of a living row it is a deletion first
        local before = family.digest(db)
        log, fail_at = {}, at
        local ok, err = pcall(team[verb], team)
        assert.is_false(ok, verb .. " " .. at)
        assert.are.equal("veto", err)
        assert.are.equal(before, family.digest(db), verb .. " " .. at)
      end
      fail_at = nil
      if verb == "restore" then
        team:restore()
      end
    end
  end)

  it("see what they may still change, and what has become of the row", function()
    local seen = {}
    local Shelf = db:model("Shelf", { name = f.text() })
    local Book = db:model("Book", {
      title = f.text { unique = true },
      shelf = f.belongs_to("Shelf", { on_delete = "cascade" }),
    }, {
      on = {
        before_delete = function(row)
          seen[#seen + 1] = row.title .. tostring(row:is_deleted())
        end,
        after_delete = function(row)
          seen[#seen + 1] = row:original "title" .. tostring(row:is_deleted())
        end,
      },
    })
    db:create_tables()
    local shelf = Shelf:create { name = "s" }
    Book:create { title = "b", shelf = shelf }
    shelf:delete()
    assert.are.same({ "bfalse", "btrue" }, seen)
  end)

  it("cost nothing where there are none", function()
    local team = declare {}
    local plain = statements
    team:delete()
    local few = statements - plain
    for i = 1, 50 do
      local author = models.Author:create { name = "y", team = models.Team:create { name = "z" } }
      models.Post:create { title = "x" .. i, author = author }
    end
    plain = statements
    models.Team.objects:filter({ name = "z" }):delete()
    assert.are.equal(few, statements - plain)
  end)
end)
