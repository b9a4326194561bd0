-- Reading relatives along with rows: how many statements it takes, that it answers what asking row
-- by row answers, and that it leaves no memory behind.
local tombstone = require "tombstone"
local core = require "tombstone.core"
local database = require "tombstone.database"
local helper = require "helper"
local f, null = tombstone.field, tombstone.null

local function declare(db, s)
  s.db = db
  s.Team = db:model("Team", { name = f.text() })
  s.Author = db:model("Author", {
    name = f.text(),
    team = f.belongs_to("Team", { on_delete = "keep", null = true, related_name = "authors" }),
  })
  s.Post = db:model("Post", {
    title = f.text(),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  })
  s.Comment = db:model("Comment", {
    text = f.text(),
    post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" }),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "comments" }),
  }, { order_by = "-text" })
  s.Tag = db:model("Tag", { name = f.text { unique = true } }, { order_by = "-name" })
  db:create_tables()
  return s
end

local function fill(s)
  local red, blue = s.Team:create { name = "red" }, s.Team:create { name = "blue" }
  s.ana = s.Author:create { name = "ana", team = red }
  s.ben = s.Author:create { name = "ben", team = blue }
  s.cid = s.Author:create { name = "cid" }
  s.posts = s.Post:bulk_create {
    { title = "1", author = s.ana },
    { title = "2", author = s.ana },
    { title = "3", author = s.ben },
    { title = "4" },
  }
  s.Comment:bulk_create {
    { text = "a", post = s.posts[1], author = s.ben },
    { text = "b", post = s.posts[1], author = s.cid },
    { text = "c", post = s.posts[3], author = s.ben },
    { text = "d", post = s.posts[4] },
  }
  s.tags = s.Tag:bulk_create { { name = "x" }, { name = "y" }, { name = "z" } }
  s.posts[1]:tags():add(s.tags[1], s.tags[3])
  s.posts[3]:tags():add(s.tags[3])
  s.Post.objects:count() -- what is logged late belongs to the calls before
  return s
end

local function blog(options)
  local s = { log = {} }
  options = options or {}
  options.log = function(sql)
    s.log[#s.log + 1] = sql
  end
  return fill(declare(tombstone.open(":memory:", options), s))
end

local function names(rows, field)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row[field or "name"]
  end
  return table.concat(list, " ")
end

-- All that is to be known of posts and what belongs to them.
local function told(posts)
  local list = {}
  for _, post in ipairs(posts) do
    local author = post:author()
    local team = author and author:team()
    local line = { post.title, author and author.name or "-", team and team.name or "-" }
    for _, comment in ipairs(post:comments():all()) do
      local by = comment:author()
      line[#line + 1] = comment.text .. "/" .. (by and by.name or "-")
    end
    line[#line + 1] = names(post:tags():all())
    list[#list + 1] = table.concat(line, " ")
  end
  return list
end

describe("with", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    s.db:close()
  end)

  -- Runs `fn`; answers how many statements it took, and what it answered.
  local function statements(fn)
    s.log = {}
    local answer = fn()
    return #s.log, answer
  end

  local PATHS = { "author.team", "comments.author", "tags" }

  local function everything(query)
    return query:with(helper.unpack(PATHS))
  end

  it("tells what asking each row tells, in a statement a level", function()
    local wanted = told(s.Post.objects:all())
    local n, rows = statements(function()
      return everything(s.Post.objects):all()
    end)
    assert.are.equal(6, n)
    local more, got = statements(function()
      return told(rows)
    end)
    assert.are.equal(0, more)
    assert.are.same(wanted, got)
    assert.are.equal("1 ana red b/cid a/ben z x", got[1])
    assert.are.equal("4 - - d/- ", got[4])
  end)

  it("reads three levels in three statements more", function()
    local n = statements(function()
      for _, team in ipairs(s.Team.objects:with("authors.posts.comments"):all()) do
        for author in team:authors():each() do
          for _, post in ipairs(author:posts():all()) do
            post:comments():count()
          end
        end
      end
    end)
    assert.are.equal(4, n)
  end)

  it("takes as many statements for many rows as for few", function()
    local function count(rows)
      local list = {}
      for i = 1, rows do
        list[i] = { title = "m", author = i % 2 == 0 and s.ana or s.ben }
      end
      s.Post:bulk_create(list)
      s.Post.objects:count()
      return (statements(function()
        return told(everything(s.Post.objects):all())
      end))
    end
    assert.are.equal(6, count(1))
    assert.are.equal(6, count(1000))
  end)

  it("answers every call on a loaded list without a statement, and in its order", function()
    local post = s.Post.objects:with("comments", "tags"):get(s.posts[1].id)
    local n = statements(function()
      local comments = post:comments()
      assert.are.equal("b a", names(comments:all(), "text"))
      assert.are.equal("b", comments:first().text)
      assert.are.equal("a", comments:last().text)
      assert.are.equal(2, comments:count())
      assert.is_true(comments:exists())
      local seen = {}
      for comment in comments:each() do
        seen[#seen + 1] = comment
      end
      assert.are.equal("b a", names(seen, "text"))
      assert.are.equal("z x", names(post:tags():all()))
    end)
    assert.are.equal(0, n)
    local empty = s.Post.objects:with("comments", "tags"):get(s.posts[2].id)
    n = statements(function()
      assert.are.equal(0, #empty:comments():all())
      assert.is_nil(empty:comments():first())
      assert.is_nil(empty:comments():last())
      assert.are.equal(0, empty:tags():count())
      assert.is_false(empty:tags():exists())
      assert.is_nil(empty:tags():each()())
    end)
    assert.are.equal(0, n)
  end)

  it("gives lists that programs may change, of the same rows", function()
    local post = s.Post.objects:with("comments"):get(s.posts[1].id)
    local list = post:comments():all()
    local first = table.remove(list, 1)
    assert.are.equal(2, #post:comments():all())
    assert.is_true(rawequal(first, post:comments():first()))
  end)

  it("asks the database for what refines a loaded list", function()
    local post = s.Post.objects:with("comments"):get(s.posts[1].id)
    local n = statements(function()
      assert.are.equal("a", names(post:comments():filter({ text = "a" }):all(), "text"))
      assert.are.equal("b", names(post:comments():limit(1):all(), "text"))
      assert.are.equal("a b", names(post:comments():order_by("text"):all(), "text"))
      assert.are.equal("b a", table.concat(post:comments():pluck "text", " "))
    end)
    assert.are.equal(4, n)
  end)

  it("makes one row of each parent and each linked row", function()
    local posts = s.Post.objects:with("author", "tags"):all()
    assert.is_true(rawequal(posts[1]:author(), posts[2]:author()))
    assert.is_true(rawequal(posts[1]:tags():first(), posts[3]:tags():first()))
  end)

  it("leaves rows what they are", function()
    local post = s.Post.objects:with("author", "tags"):first()
    assert.is_true(rawequal(s.Post, getmetatable(post)))
    local fields = {}
    for name in pairs(post) do
      fields[#fields + 1] = name
    end
    table.sort(fields)
    assert.are.same({ "author_id", "id", "title" }, fields)
    function s.Post:shout()
      return self.title .. "!"
    end
    assert.are.equal("1!", post:shout())
    post.title = "changed"
    assert.are.equal("changed", post:save():reload().title)
    assert.are.equal("ana", post:author().name)
    assert.is_truthy(post:delete())
    assert.is_true(post:is_deleted())
    assert.is_true(post:restore())
    assert.are.equal(1, s.Comment.objects:filter({ post = post, text = "a" }):count())
    assert.are.equal(post.id, s.Comment:create({ text = "e", post = post }).post_id)
    post:purge()
    assert.is_nil(s.Post.all_objects:find(1))
  end)

  it("keeps the metamethods of a model", function()
    rawset(s.Post, "__tostring", function(post)
      return "post " .. post.title
    end)
    rawset(s.Post, "__eq", function(a, b)
      return a.id == b.id
    end)
    local post = s.Post.objects:with("author"):first()
    assert.are.equal("post 1", tostring(post))
    assert.is_true(post == s.Post.objects:get(1))
    assert.is_true(post == s.Post.objects:with("author"):get(1))
  end)

  it("works for every call that reads rows", function()
    local query = s.Post.objects:with "author"
    local function check(read, name)
      local n, row = statements(read)
      assert.are.equal(2, n)
      n = statements(function()
        assert.are.equal(name, row:author().name)
      end)
      assert.are.equal(0, n)
    end
    check(function()
      return query:first()
    end, "ana")
    check(function()
      return query:filter({ title__lt = "4" }):last()
    end, "ben")
    check(function()
      return query:get(3)
    end, "ben")
    check(function()
      return query:get { title = "3" }
    end, "ben")
    check(function()
      return query:find(2)
    end, "ana")
    check(function()
      return query:find { title = "2" }
    end, "ana")
    assert.is_nil(query:find(99))
    assert.is_nil(query:filter({ title = "none" }):first())
    assert.are.same({}, query:filter({ title = "none" }):all())
    assert.has_error(function()
      query:get(99)
    end)
    assert.has_error(function()
      query:get { author_id = s.ana.id }
    end)
  end)

  it("reads nothing more for calls that read no rows", function()
    local query = everything(s.Post.objects)
    local n = statements(function()
      query:count()
      query:exists()
      query:values "title"
      query:pluck "title"
      query:aggregate { n = tombstone.count "*" }
      query:filter({ id = 1 }):update { title = "same" }
    end)
    assert.are.equal(6, n)
  end)

  it("adds up over calls, and is no part of the query before", function()
    local plain = s.Post.objects
    local one = plain:with "author"
    local two = one:with("author.team", "comments")
    local n = statements(function()
      one:all()
    end)
    assert.are.equal(2, n)
    n = statements(function()
      two:filter({ title__gt = "0" }):order_by("-title"):limit(9):all()
    end)
    assert.are.equal(4, n)
    n = statements(function()
      two:with("author"):with("comments"):all()
    end)
    assert.are.equal(4, n)
    assert.are.equal(1, (statements(function()
      plain:all()
    end)))
  end)

  it("runs no statement where there is nothing to ask for", function()
    local n = statements(function()
      s.Post.objects:filter({ title = "4" }):with("author.team"):all()
    end)
    assert.are.equal(1, n)
    n = statements(function()
      s.Post.objects:filter({ title = "none" }):with("comments", "tags"):all()
    end)
    assert.are.equal(1, n)
  end)

  it("asks again for another key than the one that was read", function()
    local posts = s.Post.objects:with("author"):all()
    posts[1].author_id = s.cid.id
    local n = statements(function()
      assert.are.equal("cid", posts[1]:author().name)
    end)
    assert.are.equal(1, n)
    posts[1].author_id = s.ben.id -- asked for, by another row
    n = statements(function()
      assert.are.equal("ben", posts[1]:author().name)
    end)
    assert.are.equal(0, n)
    posts[1].author_id = null
    assert.is_nil(posts[1]:author())
    posts[1].id = 99
    assert.are.equal(0, (posts[1]:comments():count()))
  end)

  it("shows what was there when it was read, until the relation itself is changed", function()
    local posts = s.Post.objects:with("comments", "tags", "author"):all()
    s.Comment.objects:filter({ text = "a" }):delete()
    s.ana:delete()
    assert.are.equal("b a", names(posts[1]:comments():all(), "text"))
    assert.are.equal("ana", posts[1]:author().name)
    posts[1]:reload()
    assert.are.equal("b a", names(posts[1]:comments():all(), "text"))
    assert.are.equal("b", names(s.Post.objects:with("comments"):first():comments():all(), "text"))

    local tags = posts[1]:tags()
    tags:add(s.tags[2])
    assert.are.equal("z y x", names(tags:all()))
    assert.are.equal("z y x", names(posts[1]:tags():all()))
    posts[3]:tags():set {}
    assert.are.equal(0, posts[3]:tags():count())
    posts[1]:comments():create { text = "new" }
    assert.are.equal("new b", names(posts[1]:comments():all(), "text"))
    posts[2]:comments():set { posts[1]:comments():first() }
    assert.are.equal("new", names(posts[2]:comments():all(), "text"))
  end)

  it("makes hooks' rows carry the same", function()
    local seen = {}
    local db = tombstone.open ":memory:"
    local Owner = db:model("Owner", { name = f.text() })
    local Thing = db:model("Thing", {
      owner = f.belongs_to("Owner", { on_delete = "keep", null = true, related_name = "things" }),
    }, {
      on = {
        before_delete = function(thing)
          seen[#seen + 1] = thing:owner().name
        end,
      },
    })
    db:create_tables()
    Thing:create { owner = Owner:create { name = "o" } }
    Thing.objects:with("owner"):delete { all = true }
    assert.are.same({ "o" }, seen)
    db:close()
  end)

  -- ---- the dead --------------------------------------------------------------------------

  it("hides the dead of each step, and what is behind them", function()
    s.Comment.objects:filter({ text = "b" }):delete()
    s.ben:delete()
    s.tags[3]:delete()
    s.Team.objects:filter({ name = "red" }):delete()
    local wanted = told(s.Post.objects:all())
    assert.are.same(wanted, told(everything(s.Post.objects):all()))
    assert.are.equal("1 ana - a/- x", wanted[1])
    s.posts[1]:delete()
    local authors = s.Author.objects:with("posts.comments"):all()
    assert.are.equal("2", names(authors[1]:posts():all(), "title"))
    local tags = s.Tag.objects:with("posts"):all()
    assert.are.equal("y x", names(tags))
    assert.are.equal(0, tags[2]:posts():count())
  end)

  it("hides links that are deleted, and rows that only a dead link leads to", function()
    s.posts[1]:tags():remove(s.tags[3])
    local posts = s.Post.objects:with("tags"):all()
    assert.are.equal("x", names(posts[1]:tags():all()))
    assert.are.equal("z", names(posts[3]:tags():all()))
    local tags = s.Tag.objects:with("posts"):order_by("name"):all()
    assert.are.equal("1", names(tags[1]:posts():all(), "title"))
    assert.are.equal("3", names(tags[3]:posts():all(), "title"))
  end)

  it("shows the dead of the ways that with_deleted names, at any depth", function()
    local link = s.posts[3]:tags()
    link:remove(s.tags[3])
    s.ben:delete()
    s.Team.objects:filter({ name = "blue" }):delete()
    local query = s.Post.objects:with(helper.unpack(PATHS))
    local post = query:with_deleted("author"):get(3)
    assert.are.equal("ben", post:author().name)
    assert.is_true(post:author():is_deleted())
    assert.is_nil(post:author():team())
    post = query:with_deleted("author", "author.team", "tags"):get(3)
    assert.are.equal("blue", post:author():team().name)
    assert.are.equal("z", names(post:tags():all()))
    local comment = post:comments():first()
    assert.is_nil(comment:author())
    query = s.Post.objects:with_deleted("comments.author"):with "comments.author"
    comment = query:get(3):comments():first()
    assert.are.equal("ben", comment:author().name)
  end)

  it("hides them from all_objects and deleted_objects as well", function()
    s.ana:delete()
    s.posts[1]:delete()
    assert.is_nil(s.Post.all_objects:with("author"):get(1):author())
    assert.is_nil(s.Post.deleted_objects:with("author"):first():author())
    local query = s.Post.deleted_objects:with("author"):with_deleted "author"
    assert.are.equal("ana", query:first():author().name)
  end)

  it("works for the rows of an event, and for rows that are restored", function()
    local event = s.posts[1]:delete()
    local posts = event:rows(s.Post):with("author", "tags"):all()
    assert.are.equal("ana", posts[1]:author().name)
    posts[1]:restore()
    assert.are.equal("ana", posts[1]:author().name)
    assert.is_false(posts[1]:is_deleted())
  end)

  -- ---- kinds of keys ---------------------------------------------------------------------

  it("follows a model that points to itself", function()
    local Node = s.db:model("Node", {
      name = f.text(),
      parent = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "children" }),
      friends = f.many_to_many("Node", { related_name = "friends_of" }),
    })
    s.db:create_tables()
    local a = Node:create { name = "a" }
    local b = Node:create { name = "b", parent = a }
    Node:create { name = "c", parent = b }
    a:friends():add(b)
    b:friends():add(a)
    local nodes = Node.objects:with("parent.parent", "children", "friends", "friends_of"):all()
    s.log = {}
    assert.are.equal("a", nodes[3]:parent():parent().name)
    assert.is_nil(nodes[1]:parent())
    assert.are.equal("b", names(nodes[1]:children():all()))
    assert.are.equal("b", names(nodes[1]:friends():all()))
    assert.are.equal("b", names(nodes[1]:friends_of():all()))
    assert.are.equal("", names(nodes[3]:friends():all()))
    assert.are.equal(0, #s.log)
  end)

  it("takes keys that are texts, and compares them as the database does", function()
    for _, collate in ipairs { false, "NOCASE", "RTRIM" } do
      local db = tombstone.open ":memory:"
      local City = db:model("City", { code = f.text { primary_key = true, collate = collate or nil } })
      local Street = db:model("Street", {
        name = f.text(),
        city = f.belongs_to("City", { on_delete = "restrict", related_name = "streets" }),
        shops = f.many_to_many("Shop", { related_name = "streets" }),
      })
      local Shop = db:model("Shop", { name = f.text { primary_key = true, collate = collate or nil } })
      db:create_tables()
      for i = 1, 20 do
        City:create { code = "c'" .. i }
      end
      City:create { code = "Rome " }
      Shop:create { name = "Bar " }
      for _, code in ipairs { "c'3", "c'3", "Rome " } do
        Street:create { name = code, city_id = code }
      end
      local other = collate == "NOCASE" and "rOME " or "Rome"
      local link = collate == "NOCASE" and "BAR " or "Bar"
      if collate then
        Street:create { name = "other", city_id = other }
        db:model("Street_shops"):create { street_id = 4, shop_id = link }
      end
      local function tell(streets, cities)
        local list = {}
        for _, street in ipairs(streets) do
          list[#list + 1] = street:city().code .. names(street:shops():all())
        end
        for _, city in ipairs(cities) do
          list[#list + 1] = city.code .. ":" .. names(city:streets():all())
        end
        return list
      end
      local wanted = tell(Street.objects:all(), City.objects:all())
      local streets, cities = Street.objects:with("city", "shops"), City.objects:with "streets"
      assert.are.same(wanted, tell(streets:all(), cities:all()))
      local line = collate and "Rome :Rome  other" or "Rome :Rome "
      assert.is_truthy(("\n" .. table.concat(wanted, "\n") .. "\n"):find("\n" .. line .. "\n", 1, true))
      if collate then
        assert.are.equal("Rome Bar ", wanted[4])
        local shop = Shop.objects:with("streets"):first()
        assert.are.equal("other", names(shop:streets():all()))
      end
      db:close()
    end
  end)

  it("finds the one row of a relation that is unique", function()
    local db = tombstone.open ":memory:"
    local User = db:model("User", { name = f.text() })
    local Profile = db:model("Profile", {
      bio = f.text(),
      user = f.belongs_to("User", { on_delete = "cascade", unique = true, related_name = "profile" }),
    })
    db:create_tables()
    Profile:create { bio = "b", user = User:create { name = "u" } }
    User:create { name = "v" }
    local users = User.objects:with("profile.user"):all()
    assert.are.equal("u", users[1]:profile():user().name)
    assert.is_nil(users[2]:profile())
    db:close()
  end)

  it("shows each linked row once, however many links lead to it", function()
    local db = tombstone.open ":memory:"
    local Actor = db:model("Actor", {
      name = f.text(),
      films = f.many_to_many("Film", { through = "Role", related_name = "actors" }),
    })
    local Film = db:model("Film", { name = f.text() })
    local Role = db:model("Role", {
      actor = f.belongs_to("Actor", { on_delete = "cascade" }),
      film = f.belongs_to("Film", { on_delete = "cascade" }),
    })
    db:create_tables()
    local actor = Actor:create { name = "a" }
    local film, other = Film:create { name = "f" }, Film:create { name = "g" }
    for _, of in ipairs { film, other, film } do
      Role:create { actor = actor, film = of }
    end
    assert.are.equal("f g", names(Actor.objects:with("films"):first():films():all()))
    assert.are.equal("f g", names(actor:films():all()))
    db:close()
  end)

  -- ---- each ------------------------------------------------------------------------------

  it("takes a constant number of statements a chunk of each, and none is open in the body", function()
    local list = {}
    for i = 1, 1000 do
      list[i] = { title = "m" .. i, author = i % 2 == 0 and s.ana or s.cid }
    end
    s.Post:bulk_create(list)
    s.Post.objects:count()
    local n, seen = statements(function()
      local all = {}
      for post in s.Post.objects:with("author", "tags"):each() do
        local author = post:author()
        all[#all + 1] = post.title .. (author and author.name or "-") .. names(post:tags():all())
      end
      return all
    end)
    assert.are.equal(1004, #seen)
    assert.are.equal("1anaz x", seen[1])
    assert.are.equal("m1000ana", seen[1004])
    assert.is_true(n <= 16, n .. " statements")
    for post in s.Post.objects:with("author"):each() do
      s.db:exec("UPDATE post SET title = 'written' WHERE id = ?", post.id) -- refused where one is open
      if post.id > 300 then
        break
      end
    end
    assert.are.equal("written", s.Post.objects:get(301).title)
  end)

  it("reads chunks from a snapshot too, which close ends", function()
    for _, form in ipairs { { snapshot = true }, { reuse = true }, { snapshot = true, reuse = true } } do
      local stream = s.Post.objects:with("author"):each(form)
      assert.are.equal("ana", stream():author().name)
      assert.are.equal("2", stream().title)
      stream:close()
      assert.is_nil(stream())
      s.Post:create { title = "a write" }
      local titles = {}
      for post in s.Post.objects:with("author"):limit(3):each(form) do
        titles[#titles + 1] = post.title
      end
      assert.are.same({ "1", "2", "3" }, titles)
      s.Post:create { title = "another" }
    end
  end)

  it("keeps rows of only partial in each", function()
    for post in s.Post.objects:only("author_id"):with("author"):limit(1):each() do
      assert.are.equal("ana", post:author().name)
      assert.is_nil(post.title)
      assert.is_true(core.lacks(post, "title"))
    end
  end)

  -- ---- refusals --------------------------------------------------------------------------

  local function refused(message, hint, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.are.equal("misuse", err.kind)
    assert.are.equal(message, err.message)
    assert.are.equal(hint, err.hint)
  end

  it("refuses at once what is no relation, and suggests", function()
    local posts, hint = s.Post.objects, 'as in with("author", "comments.author")'
    refused("Post has no relation 'autor'", "did you mean 'author'?", function()
      posts:with "autor"
    end)
    refused("Comment has no relation 'pots'", "did you mean 'post'?", function()
      posts:with("author", "comments.pots")
    end)
    refused("Post has no relation 'title'", nil, function()
      posts:with "title"
    end)
    refused("Comment has no relation ''", nil, function()
      posts:with "comments."
    end)
    refused("Post has no relation ''", nil, function()
      posts:with ""
    end)
    refused("with takes names of relations", hint, function()
      posts:with()
    end)
    refused("with takes names of relations, not a table", hint, function()
      posts:with { "author" }
    end)
    refused("with takes names of relations, not a nil", hint, function()
      posts:with("author", nil)
    end)
  end)

  it("needs the field that says who the parent is, in whatever order the calls come", function()
    local message = "author cannot be loaded without author_id"
    refused(message, "name it in only", function()
      s.Post.objects:only("title"):with "author"
    end)
    refused(message, "name it in only", function()
      s.Post.objects:with("author"):only "title"
    end)
    local post = s.Post.objects:only("author_id"):with("author", "comments"):first()
    assert.are.equal("ana", post:author().name)
    post = s.Post.objects:only("title"):with("comments", "tags"):first()
    assert.are.equal("b a", names(post:comments():all(), "text"))
    assert.are.equal("z x", names(post:tags():all()))
  end)

  it("is refused on a closed database", function()
    local query = s.Post.objects:with "author"
    local post = query:first()
    s.db:close()
    assert.has_error(function()
      query:all()
    end)
    assert.are.equal("ana", post:author().name) -- it is in memory
    s = blog()
  end)

  local cjson_is_here, cjson = pcall(require, "cjson")
  local with_cjson = cjson_is_here and it or pending
  with_cjson("gives rows that a JSON encoder takes", function()
    local post = s.Post.objects:with("author", "tags"):first()
    assert.are.same({ id = 1, title = "1", author_id = 1 }, cjson.decode(cjson.encode(post)))
  end)
end)

-- ---- faults ----------------------------------------------------------------------------------

describe("with, while a step fails,", function()
  after_each(helper.clean)

  it("raises, leaves nothing open and succeeds afterwards", function()
    local fake = database.fake(helper.path())
    local s = fill(declare(fake, {}))
    local query = s.Post.objects:with("author.team", "comments", "tags")
    local function walk(read)
      if read == "all" then
        return query:all()
      end
      for post in query:each { snapshot = read == "snapshot" } do
        assert.is_truthy(post.title)
      end
    end
    for _, read in ipairs { "all", "each", "snapshot" } do
      local n = 0
      local ok, err
      repeat
        n = n + 1
        core.fake.fail(fake, n, "busy", "step " .. n)
        ok, err = pcall(walk, read)
        core.fake.fail(fake, 0)
        assert.are.equal(not ok and "busy" or nil, not ok and err.kind or nil)
        s.Post:create({ title = "afterwards" }):purge() -- no snapshot is open
        assert.are.equal("ana", query:first():author().name)
      until ok
      assert.is_true(n > 5, read .. " has " .. n .. " steps")
    end
    fake:close()
  end)
end)

-- ---- memory ----------------------------------------------------------------------------------

describe("what is loaded", function()
  it("goes with the rows that it came with, though they point to each other", function()
    local s = blog()
    local probes = setmetatable({}, { __mode = "k" })
    local function read(seen)
      local posts = s.Post.objects:with("author.team", "comments.author", "tags.posts"):all()
      seen[posts] = true
      for _, post in ipairs(posts) do
        seen[post] = true
        for comment in post:comments():each() do
          comment.post_ = post -- the program's own way back
          seen[comment] = true
        end
        local author = post:author()
        if author then
          author.latest = post
          seen[author] = true
        end
        for _, tag in ipairs(post:tags():all()) do
          tag.first = post
          seen[tag] = true
        end
      end
    end
    for _ = 1, 50 do
      read(probes)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(probes))
    s.log = {}
    local before = collectgarbage "count"
    for i = 1, 1000 do
      read {} -- a table of probes would grow, too
      if i % 100 == 0 then
        s.log = {}
      end
    end
    collectgarbage()
    collectgarbage()
    local grown = collectgarbage "count" - before
    assert.is_true(grown < 100, "it grew by " .. grown .. " KiB")
    s.db:close()
  end)

  it("stays as long as one of them does", function()
    local s = blog()
    local post = s.Post.objects:with("author", "comments"):all()[1]
    collectgarbage()
    collectgarbage()
    s.log = {}
    assert.are.equal("ana", post:author().name)
    assert.are.equal(2, post:comments():count())
    assert.are.equal(0, #s.log)
    s.db:close()
  end)

  it("is not read at all by rows that carry nothing", function()
    local s = blog()
    assert.is_nil(core.loaded(s.Post.objects:first()))
    assert.is_nil(core.loaded(s.Post.objects:all()[1]))
    assert.is_nil(core.loaded {})
    assert.is_nil(core.loaded(nil))
    assert.is_table(core.loaded(s.Post.objects:with("author"):first()))
    s.db:close()
  end)
end)
