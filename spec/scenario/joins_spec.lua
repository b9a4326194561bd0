-- Queries across relations and the dead: what people reported elsewhere.
local tombstone = require "tombstone"
local blog = require "scenario.blog"
local helper = require "helper"
local count = tombstone.count

local function titles(query)
  return table.concat(helper.list(query:order_by "id", "title"), " ")
end

local function names(query)
  return table.concat(helper.list(query:order_by "id", "name"), " ")
end

-- "1ana 3ben 4-" of { title =, author__name = }.
local function pairs_of(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.title .. (row.author__name or "-")
  end
  return table.concat(list, " ")
end

describe("across relations,", function()
  local s

  before_each(function()
    s = blog()
  end)

  after_each(function()
    s.db:close()
  end)

  -- Joins() filled in a deleted account, while Preload() left it out. Also gorm#5092,
  -- typeorm-plus#27, hibernate HHH-17511, ecto_soft_delete#139.
  it("gorm#4918: a joined row that is dead reads as nothing", function()
    s.ana:delete()
    local rows = s.Post.objects:order_by("id"):values("title", "author__name")
    assert.are.equal("1- 2- 3ben 4-", pairs_of(rows))
  end)

  -- A filter by a child's name found the parent by a child that was deleted.
  it("django-safedelete#158: no row is found by a dead child, nor by a dead parent", function()
    assert.are.equal("ana", names(s.Author.objects:filter { posts__title = "2" }))
    s.posts[2]:delete()
    assert.are.equal("", names(s.Author.objects:filter { posts__title = "2" }))
    assert.are.equal("ana", names(s.Author.objects:filter { posts__title = "1" }))
    s.ana:delete()
    assert.are.equal("", titles(s.Post.objects:filter { author__name = "ana" }))
    assert.are.equal(0, s.Post.objects:filter({ author__name = "ana" }):count())
    assert.is_false(s.Post.objects:filter({ author__name__startswith = "a" }):exists())
  end)

  -- Two joins deep the filter was lost. Also sqlalchemy-easy-softdelete#33.
  it("sqlalchemy-easy-softdelete#8: a dead row in the middle ends the way", function()
    local by = { post__author__name = "ana" }
    assert.are.equal(2, s.Comment.objects:filter(by):count())
    s.ana:delete()
    assert.are.equal(0, s.Comment.objects:filter(by):count())
    s.ana:restore()
    assert.are.equal("ana", names(s.Author.objects:filter { posts__comments__text = "x" }))
    s.posts[1]:delete()
    assert.are.equal("", names(s.Author.objects:filter { posts__comments__text = "x" }))
  end)

  -- The dead were filtered in WHERE behind an outer join, so that a parent with dead children
  -- only was gone, and one with no children was not.
  it("sqlalchemy-easy-softdelete#19: a parent does not vanish with its last child", function()
    s.Post.objects:delete { all = true }
    local rows = s.Author.objects:annotate({ n = count "posts" }):order_by("name"):all()
    assert.are.same({ "ana", 0, "ben", 0 }, { rows[1].name, rows[1].n, rows[2].name, rows[2].n })
    assert.are.equal(2, s.Author.objects:annotate({ n = count "posts" }):count())
  end)

  -- A required relation was joined by INNER JOIN with the filter on it: the row that points to a
  -- deleted one was missing from every list. Also efcore#21093, abp#7482, mikro-orm-soft-delete#10.
  it("efcore#11691: an order or a value of a dead parent takes no row away", function()
    s.ana:delete()
    assert.are.equal(4, #s.Post.objects:order_by("author__name"):all())
    assert.are.equal(4, #s.Post.objects:values("title", "author__name"))
    local ordered = helper.list(s.Post.objects:order_by("-author__name", "id"):limit(4), "title")
    assert.are.equal("3 1 2 4", table.concat(ordered, " "))
    assert.are.equal("1 2 4", titles(s.Post.objects:filter { author__isnull = true }))
    assert.are.equal("4", titles(s.Post.objects:filter { author_id__isnull = true }))
    assert.are.equal("1 2 4", titles(s.Post.objects:exclude { author__name = "ben" }))
  end)

  -- Count over a relation counted 2 with one living: the article's code and all libraries for
  -- Django that were run.
  it("the article's Count: the dead are not counted", function()
    s.posts[2]:delete()
    local function of(name, author)
      return s.Author.objects:annotate({ n = count(name) }):get(author.id).n
    end
    assert.are.equal(1, of("posts", s.ana))
    assert.are.equal(1, of("posts", s.ben))
    s.posts[1]:delete()
    assert.are.equal(0, of("posts", s.ana))
    s.posts[1]:restore()
    s.posts[2]:restore()
    assert.are.equal(2, of("posts", s.ana))
    assert.are.equal("ana", names(s.Author.objects:annotate({ n = count "posts" }):filter { n__gte = 2 }))
  end)

  -- A row came once for each child that matched.
  it("sqlalchemy-easy-softdelete#19: a parent comes once, however many children match", function()
    assert.are.equal("ana ben", names(s.Author.objects:filter { posts__title__in = { "1", "2", "3" } }))
    assert.are.equal(2, s.Author.objects:filter({ posts__title__in = { "1", "2", "3" } }):count())
  end)

  -- One switch showed the dead of every table in the query. Also typeorm#11628, #10272,
  -- efcore#17347, gorm#7659, paranoia#355.
  describe("typeorm#10081: the dead of one relation can be shown alone,", function()
    before_each(function()
      s.posts[2]:delete()
      s.ana:delete()
    end)

    it("without dead rows of the query's own model", function()
      local rows = s.Post.objects:with_deleted("author"):order_by("id"):values("title", "author__name")
      assert.are.equal("1ana 3ben 4-", pairs_of(rows))
      assert.are.equal("1", titles(s.Post.objects:with_deleted("author"):filter { author__name = "ana" }))
    end)

    it("and dead rows of the query's own model without those of the relation", function()
      local rows = s.Post.all_objects:order_by("id"):values("title", "author__name")
      assert.are.equal("1- 2- 3ben 4-", pairs_of(rows))
    end)

    -- Called after the join it did nothing, called before it showed everything.
    it("typeorm#12571: in whichever order the calls come", function()
      local one = s.Post.objects:with_deleted("author"):filter { author__name = "ana" }
      local two = s.Post.objects:filter({ author__name = "ana" }):with_deleted "author"
      assert.are.equal("1", titles(one))
      assert.are.equal(titles(one), titles(two))
    end)

    it("efcore#13668: and changes no query that it was made from", function()
      local living = s.Post.objects:filter { author__name = "ana" }
      assert.are.equal(1, living:with_deleted("author"):count())
      assert.are.equal(0, living:count())
    end)
  end)

  -- Bulk verbs over a joined filter must reach what the same filter finds.
  it("typeorm-plus#27: a deletion by a parent's name takes what the list shows", function()
    s.posts[2]:delete()
    local ana = s.Post.objects:filter { author__name = "ana" }
    assert.are.equal(1, (ana:delete()))
    s.ben:delete()
    assert.are.equal(0, (s.Post.objects:filter({ author__name = "ben" }):delete()))
    assert.are.equal("3 4", titles(s.Post.objects))
  end)
end)
