-- How far "living" reaches from row to row, and no further: what people reported elsewhere.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

local function blog()
  local db = tombstone.open ":memory:"
  local Author = db:model("Author", { name = f.text() })
  local Post = db:model("Post", {
    title = f.text(),
    author = f.belongs_to("Author", { on_delete = "keep", null = true, related_name = "posts" }),
  })
  db:create_tables()
  local ana, ben = Author:create { name = "ana" }, Author:create { name = "ben" }
  Post:bulk_create {
    { title = "1", author = ana },
    { title = "2", author = ana },
    { title = "3", author = ben },
    { title = "4" },
  }
  return Author, Post, ana, ben
end

local function titles(query)
  return table.concat(helper.list(query:order_by "id", "title"), " ")
end

describe("from row to row,", function()
  local Author, Post, ana, ben

  before_each(function()
    Author, Post, ana, ben = blog()
  end)

  -- Queries hid the deleted, the list of a row's children had them; or the list hid them, and
  -- counts and aggregates over the relation did not (the article's code).
  it("safedelete#166: what a row's children are does not depend on how they are asked for", function()
    Post.objects:get({ title = "2" }):delete()
    assert.are.equal("1", titles(ana:posts()))
    assert.are.equal(1, ana:posts():count())
    assert.are.equal("1", ana:posts():first().title)
    assert.are.equal(1, ana:posts():aggregate({ n = tombstone.count "*" }).n)
    assert.is_false(ana:posts():filter({ title = "2" }):exists())
    assert.are.equal("1 3", titles(Post.objects:filter { author = { ana, ben } }))
    local groups = Post.objects:group_by("author_id"):aggregate { n = tombstone.count "*" }
    local counts = {}
    for i, group in ipairs(groups) do
      counts[i] = (group.author_id or "none") .. "=" .. group.n
    end
    assert.are.equal("none=1 1=1 2=1", table.concat(counts, " "))
  end)

  -- A post whose author is deleted vanished from every list: its parent was joined by INNER JOIN
  -- with the filter on it. "By design." Also efcore#21093, abp#7482, mikro-orm-soft-delete#10.
  it("efcore#11691: a row stays in the lists when what it points to is deleted", function()
    ana:delete()
    assert.are.equal("1 2 3 4", titles(Post.objects))
    assert.are.equal(4, Post.objects:count())
    assert.are.equal("1 2", titles(Post.objects:filter { author_id = ana.id }))
    local seen = {}
    for post in Post.objects:order_by("id"):each() do
      local author = post:author()
      seen[#seen + 1] = post.title .. (author and author.name or "-")
    end
    assert.are.equal("1- 2- 3ben 4-", table.concat(seen, " "))
  end)

  -- The proxy of a deleted row raised EntityNotFoundException as soon as it was touched. Also
  -- doctrine/orm#4543, avram#672.
  it("doctrine-extensions#1127: a reference to a dead row is nil, and no error", function()
    local post = Post.objects:get { title = "1" }
    ana:delete()
    assert.is_nil(post:author())
    assert.is_nil(post:reload():author())
    post:update { title = "still editable" }
  end)

  -- The relation is null and the page breaks; nobody can tell a deleted author from none, nor show
  -- its name. Also typeorm#10272.
  it("laravel#13696: a dead author can be told from none, shown, and comes back", function()
    ana:delete()
    local post, without = Post.objects:get { title = "1" }, Post.objects:get { title = "4" }
    assert.are.equal(ana.id, post.author_id)
    assert.is_nil(without.author_id)
    local stub = Author.all_objects:find(post.author_id)
    assert.are.same({ "ana", true }, { stub.name, stub:is_deleted() })
    post:save() -- does not lose the link
    stub:restore()
    assert.are.equal("ana", post:author().name)
  end)

  -- One switch for a whole query: who wanted deleted authors got deleted posts as well. Also
  -- typeorm#11628, #7524, efcore#17347, gorm#7659, paranoia#355, ecto_soft_delete#100.
  describe("typeorm#10081: dead rows of one kind", function()
    before_each(function()
      Post.objects:get({ title = "2" }):delete()
      ana:delete()
    end)

    it("can be seen with the living of another", function()
      local seen = {}
      for post in Post.objects:order_by("id"):each() do
        local author = post.author_id and Author.all_objects:get(post.author_id)
        seen[#seen + 1] = post.title .. (author and author.name or "-")
      end
      assert.are.equal("1ana 3ben 4-", table.concat(seen, " "))
    end)

    it("can be seen below a living one, and below a dead one", function()
      assert.are.equal("1 2", titles(Post.all_objects:filter { author = ana }))
      assert.are.equal("2", titles(Post.deleted_objects:filter { author = ana }))
      assert.are.equal("1", titles(ana:posts()))
    end)
  end)

  -- Ignoring the filter inside of a sub-query ignored it in the query around it.
  it("efcore#13668: a query that shows the dead changes no other query", function()
    ana:delete()
    local all, living = Author.all_objects, Author.objects
    assert.are.equal(2, all:count())
    assert.are.equal(1, living:count())
    assert.are.equal(1, Author.objects:filter({ id = helper.list(all, "id") }):count())
    assert.are.equal(2, all:filter({ name__ne = "x" }):count())
  end)
end)

-- One filter hid the dead, another the other tenants' rows, and looking into the trash turned both
-- off. Also efcore#8576, Finbuckle.MultiTenant#922.
describe("efcore#33432: the trash of one tenant", function()
  local db, Note, one, two

  -- A scope is a function of a manager: which rows are shown is one thing, whose they are another.
  local function of(tenant, manager)
    return Note[manager or "objects"]:filter { tenant = tenant }
  end

  before_each(function()
    db = tombstone.open ":memory:"
    local Tenant = db:model("Tenant", { name = f.text() })
    Note = db:model("Note", {
      text = f.text(),
      tenant = f.belongs_to("Tenant", { on_delete = "cascade", related_name = "notes" }),
    }, { unique_together = { { "tenant_id", "text" } } })
    db:create_tables()
    one, two = Tenant:create { name = "one" }, Tenant:create { name = "two" }
    for _, tenant in ipairs { one, two } do
      Note:bulk_create { { text = "a", tenant = tenant }, { text = "b", tenant = tenant } }
    end
    of(one):filter({ text = "a" }):delete()
    of(two):filter({ text = "a" }):delete()
  end)

  it("shows its own rows only", function()
    assert.are.equal(1, of(one, "deleted_objects"):count())
    assert.are.equal(one.id, of(one, "deleted_objects"):first().tenant_id)
    assert.are.equal(2, of(one, "all_objects"):count())
  end)

  -- A note of another one by its id: the trash must keep the owner's filter.
  it("stowleaf#52: neither restores nor purges a stranger's row by its id", function()
    local stranger = of(two, "deleted_objects"):first()
    local mine = of(one, "deleted_objects"):filter { id = stranger.id }
    assert.is_nil(mine:first())
    assert.are.equal(0, mine:restore())
    assert.are.equal(0, mine:purge())
    helper.raises("not_found", mine.get, mine, stranger.id)
    assert.is_true(stranger:reload():is_deleted())
  end)

  it("is emptied alone", function()
    assert.are.equal(1, of(one, "deleted_objects"):purge())
    assert.are.equal(0, of(one, "deleted_objects"):count())
    assert.are.equal(1, of(two, "deleted_objects"):count())
    assert.are.equal(1, two:notes():count())
  end)

  it("is freed for itself: the values of the other tenant are none of its business", function()
    Note:create { text = "a", tenant = one }
    local dead = of(one, "deleted_objects"):first()
    helper.raises("integrity", dead.restore, dead)
    assert.is_true(of(two, "deleted_objects"):first():restore())
  end)
end)
