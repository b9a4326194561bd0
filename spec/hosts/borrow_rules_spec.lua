-- What a script can do with the connection that its host lends, and what it cannot.
local helper = require "helper"
local host = require "hosts.host"
if not host.runs("5.1", "5.2", "5.3", "5.4", "luajit") then return end
local tombstone = require "tombstone"
local build = require "hosts.borrow.build"
local migrate = require "tombstone.migrate"
local f = tombstone.field

local lender, conn, db, Post

setup(function()
  host.in_folder(function(folder)
    build.lender(folder)
    lender = assert(package.loadlib(folder .. "/lender.so", "luaopen_lender"))()
  end)
end)

before_each(function()
  conn = lender.open ":memory:"
  db = conn:lend()
  Post = db:model("Post", { title = f.char { max_length = 50, unique = true } })
  db:create_tables()
end)

after_each(function()
  db:close()
  if conn then
    assert.equal(0, conn:close())
  end
end)

describe("a lent connection", function()
  it("is a database as others", function()
    local event = Post:create({ title = "a" }):delete { actor = "ana" }
    assert.equal("ana", db:events()[1].actor)
    event:undo()
    assert.equal("a", Post.objects:first().title)
    assert.same({ Post }, db:models())
    assert.is_false(db:in_transaction())
  end)

  it("shares its functions with a second handle", function()
    local other = conn:lend_bare { statement_cache = 4 }
    Post:create({ title = "a" }):delete()
    assert.equal("a", other:query("SELECT tombstone_original(title, deleted_at) AS title FROM post")[1].title)
    other:close()
    assert.equal("a", Post.deleted_objects:first():original "title")
    Post.deleted_objects:restore { all = true }
  end)

  it("has restores on two handles at once, and each brings its own rows back", function()
    local function family(handle)
      local Author = handle:model("Author", { name = f.text() })
      local Note = handle:model("Note", {
        title = f.text { unique = true },
        author = f.belongs_to("Author", { on_delete = "cascade" }),
      })
      return Author, Note
    end
    local other = conn:lend()
    local Author, Note = family(db)
    local OtherAuthor = family(other)
    db:create_tables()
    local ana, ben = Author:create { name = "Ana" }, Author:create { name = "Ben" }
    for i = 1, 3 do
      Note:create { title = "ana " .. i, author = ana }
      Note:create { title = "ben " .. i, author = ben }
    end
    ana:delete()
    ben:delete()
    Note:create { title = "ana 2", author = Author:create { name = "Eve" } }
    ana:restore {
      on_conflict = function()
        assert.is_true(OtherAuthor.deleted_objects:get(ben.id):restore())
        return "rename"
      end,
    }
    assert.equal(0, Note.deleted_objects:count() + Author.deleted_objects:count())
    assert.is_true(Note.objects:filter({ title = "ana 2 (restored)" }):exists())
    other:close()
  end)

  it("uses no event's id and no stamp twice, also on two handles", function()
    local now = 1763880000
    local function clock()
      return now
    end
    local handles, ids, stamps = { conn:lend { clock = clock }, conn:lend { clock = clock } }, {}, {}
    local function delete(handle, title)
      local row = handle:model("Post"):create { title = title }
      local id = row:delete().id
      assert.is_nil(ids[id])
      assert.is_nil(stamps[row.deleted_at])
      ids[id], stamps[row.deleted_at] = true, true
    end
    for _, handle in ipairs(handles) do
      handle:model("Post", { title = f.char { max_length = 50, unique = true } })
    end
    for i = 1, 3 do
      delete(handles[1], "kept " .. i)
      pcall(db.transaction, db, function()
        delete(handles[2], "lost " .. i)
        error "no"
      end)
    end
    assert.equal(3, #handles[1]:events())
    handles[1]:close()
    handles[2]:close()
  end)

  it("takes no options of opening", function()
    for _, name in ipairs { "busy_timeout", "synchronous", "read_only", "cache_kb", "timeout_ms" } do
      local err = helper.raises("misuse", conn.lend, conn, { [name] = true })
      assert.truthy(err.message:find(name, 1, true))
    end
  end)

  it("is told that the host has closed it first", function()
    Post:create { title = "a" }
    assert.equal(0, conn:close_v2())
    conn = nil
    local err = helper.raises("connection", Post.create, Post, { title = "b" })
    assert.equal("The host has closed the connection", err.message)
  end)

  it("is given back by the collector too", function()
    db:close()
    conn:lend()
    collectgarbage()
    collectgarbage()
  end)

  it("cannot be borrowed by a script", function()
    assert.is_nil(tombstone.borrow)
    assert.is_nil(require("tombstone.core").borrow)
  end)
end)

describe("the host's transaction", function()
  it("is seen", function()
    conn:exec "BEGIN"
    assert.is_true(db:in_transaction())
    assert.equal(0, db:depth())
    conn:exec "COMMIT"
  end)

  it("lets after_commit run when the handle's part ends", function()
    local ran = {}
    local function note(word)
      return function()
        ran[#ran + 1] = word
      end
    end
    conn:exec "BEGIN"
    db:transaction(function()
      db:after_commit(note "kept")
      pcall(db.transaction, db, function()
        db:after_commit(note "lost")
        error "no"
      end)
      assert.same({}, ran)
    end)
    assert.same({ "kept" }, ran)
    conn:exec "ROLLBACK"
  end)

  it("has no room for migrations, nor for the doctor", function()
    local runner = migrate.open(db, { migrations = {} })
    conn:exec "BEGIN"
    helper.raises("misuse", runner.up, runner)
    helper.raises("misuse", runner.down, runner)
    helper.raises("misuse", require("tombstone.migrate.doctor").fix, db)
    conn:exec "ROLLBACK"
    assert.same({}, runner:up())
  end)

  it("is not ended by raw SQL without a word", function()
    conn:exec "BEGIN"
    local err = helper.raises("misuse", db.exec, db, "COMMIT")
    assert.truthy(err.hint:find "host")
    conn:exec "BEGIN"
    db:exec "INSERT INTO post (title) VALUES ('a')"
    conn:exec "ROLLBACK"
    assert.equal(0, Post.objects:count())
  end)

  it("may be rolled back below rows that the script holds", function()
    conn:exec "BEGIN"
    local post = Post:create { title = "a" }
    conn:exec "ROLLBACK"
    post.title = "b"
    helper.raises("not_found", post.save, post)
  end)
end)

describe("a purge of rows in a ring", function()
  it("defers the host's foreign keys no longer than it takes", function()
    conn:exec "PRAGMA foreign_keys = ON"
    local Node = db:model("Node", {
      name = f.text(),
      next = f.belongs_to("Node", { on_delete = "cascade", null = true }),
      peer = f.belongs_to("Peer", { on_delete = "cascade", null = true }),
    })
    local Peer = db:model("Peer", { node = f.belongs_to("Node", { on_delete = "cascade", null = true }) })
    db:create_tables()
    for _, before in ipairs { "0", "1" } do
      local node = Node:create { name = "a" }
      local peer = Peer:create { node = node }
      node:update { peer = peer }
      conn:exec("BEGIN; PRAGMA defer_foreign_keys = " .. before)
      node:purge()
      assert.equal(0, Node.all_objects:count() + Peer.all_objects:count())
      assert.equal(before, conn:ask "PRAGMA defer_foreign_keys")
      conn:exec "COMMIT"
    end
  end)
end)

describe("a migration", function()
  it("rebuilds a table, and the host's foreign keys are as they were", function()
    conn:exec "CREATE TABLE note (id integer PRIMARY KEY, text text)"
    conn:exec "INSERT INTO note VALUES (1, 'a')"
    for word, type in pairs { ON = "integer", OFF = "varchar(10)" } do
      conn:exec("PRAGMA foreign_keys = " .. word)
      local runner = migrate.open(db, {
        migrations = {
          {
            name = "0001_" .. word:lower(),
            up = function(m)
              m:change_column("note", { "text", type }, { using = "'1'" })
            end,
            down = function() end,
          },
        },
      })
      runner:up()
      runner:down { fake = true }
      assert.equal(word == "ON" and "1" or "0", conn:ask "PRAGMA foreign_keys")
      assert.equal("1|1", conn:ask "SELECT id, text FROM note")
    end
  end)
end)
