-- Queries: managers, refiners, what comes out of them, and that none of them ever changes.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field
local count, sum, min, max, avg =
  tombstone.count, tombstone.sum, tombstone.min, tombstone.max, tombstone.avg
local null = tombstone.null

local function fields()
  return {
    title = f.text(),
    topic = f.text { null = true },
    views = f.integer { default = 0 },
    score = f.number { null = true },
    at = f.datetime { null = true },
    done = f.boolean { default = false },
  }
end

local DATA = {
  { title = "a", topic = "x", views = 3, score = 1.5, at = 100 },
  { title = "b", topic = "y", views = 1, score = -2, at = 50.5 },
  { title = "c", topic = "x", views = 2 },
  { title = "d", views = 3, score = 0.25, done = true },
  { title = "e", topic = "y", views = 1, score = 4, at = 200 },
  { title = "f", views = 9 }, -- deleted
  { title = "g", topic = "x", views = 8, score = 100 }, -- deleted
}

local function filled(options)
  local db, Post = helper.blog(nil, fields(), options)
  Post:bulk_create(DATA)
  Post.objects:filter({ title__in = { "f", "g" } }):delete()
  return db, Post
end

local function titles(query)
  return table.concat(helper.list(query, "title"))
end

describe("managers", function()
  local _, Post = filled()

  it("show the living, all, and the dead", function()
    assert.are.equal("abcde", titles(Post.objects))
    assert.are.equal("abcdefg", titles(Post.all_objects))
    assert.are.equal("fg", titles(Post.deleted_objects))
    assert.are.equal(5, Post.objects:count())
    assert.are.equal(7, Post.all_objects:count())
    assert.are.equal(2, Post.deleted_objects:count())
  end)

  it("are queries, and stay what they are", function()
    local before = { Post.objects:sql() }
    Post.objects
      :filter({ views = 1 })
      :order_by("-title")
      :limit(1)
      :offset(1)
      :only("title")
      :distinct()
      :all()
    assert.are.same(before, { Post.objects:sql() })
    assert.are.equal("abcde", titles(Post.objects))
    assert.are.equal("tombstone.query (Post)", tostring(Post.objects))
  end)
end)

describe("a query", function()
  local db, Post = filled()

  it("never changes: each call gives a new one", function()
    local base = Post.objects:filter { views__gte = 2 }
    local refined = {
      base:filter { topic = "x" },
      base:exclude { topic = "x" },
      base:order_by "-views",
      base:limit(1),
      base:offset(1),
      base:only "title",
      base:distinct(),
      base:group_by "topic",
    }
    for _, query in ipairs(refined) do
      assert.is_false(rawequal(base, query))
    end
    assert.are.equal("acd", titles(base))
    assert.are.equal("ac", titles(refined[1]))
    assert.are.equal("d", titles(refined[2]))
    assert.are.equal("dac", titles(refined[3]))
    assert.are.equal("a", titles(refined[4]))
    assert.are.equal("cd", titles(refined[5]))
  end)

  it("can be run many times and sees what is there then", function()
    local query = Post.objects:filter { topic = "new" }
    assert.are.equal(0, query:count())
    db:transaction(function()
      Post:create { title = "h", topic = "new" }
      assert.are.equal(1, query:count())
      Post.objects:filter({ topic = "new" }):purge { living = true }
    end)
    assert.are.equal(0, query:count())
  end)

  it("keeps what its filters were given, whatever becomes of the tables", function()
    local lookups, list = { topic = "x" }, { 1, 2 }
    local query = Post.objects:filter(lookups)
    local among = Post.objects:filter { views__in = list }
    lookups.topic, list[1], list[2] = "y", 100, nil
    assert.are.equal("ac", titles(query))
    assert.are.equal("bce", titles(among))
    collectgarbage()
    assert.are.equal("ac", titles(query))
  end)

  it("outlives the queries that it was made from", function()
    local query = Post.objects
    for i = 1, 100 do
      query = query:filter { views__lt = 1000 + i }
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal("abcde", titles(query))
  end)

  it("takes 500 filters and says what to do about more", function()
    local query = Post.objects
    for i = 1, 500 do
      query = query:filter { views__lt = 1000 + i }
    end
    assert.are.equal(5, query:count())
    local err =
      helper.refuses("misuse", "A query has more than 500 filters", query.filter, query, { views = 1 })
    assert.are.equal("combine them in one filter, or use __in", err.hint)
  end)

  it("has no methods that do not exist", function()
    assert.is_nil(Post.objects.fliter)
  end)
end)

describe("filter and exclude", function()
  local _, Post = filled()

  it("narrow, all conditions at once", function()
    assert.are.equal("a", titles(Post.objects:filter { topic = "x", views = 3 }))
    assert.are.equal("a", titles(Post.objects:filter({ topic = "x" }):filter { views = 3 }))
    assert.are.equal("bde", titles(Post.objects:exclude { topic = "x" }))
    assert.are.equal("bcde", titles(Post.objects:exclude { topic = "x", views = 3 }))
  end)

  it("take a name and a value", function()
    assert.are.equal("ac", titles(Post.objects:filter("topic", "x")))
    assert.are.equal("bde", titles(Post.objects:exclude("topic", "x")))
    assert.are.equal("ad", titles(Post.objects:filter("views__gte", 3)))
    assert.are.equal("d", titles(Post.objects:filter("topic", null)))
    assert.are.equal("d", titles(Post.objects:filter("done", true)))
    assert.are.equal("abce", titles(Post.objects:filter("done", false)))
  end)

  it("raise for a value that is nil", function()
    local err = helper.refuses(
      "misuse",
      "filter(topic, nil) says nothing",
      Post.objects.filter,
      Post.objects,
      "topic",
      nil
    )
    assert.are.equal("use tombstone.null, or __isnull", err.hint)
    helper.raises("misuse", Post.objects.exclude, Post.objects, "topic")
  end)

  it("take an empty table, which narrows nothing", function()
    assert.are.equal("abcde", titles(Post.objects:filter {}))
    assert.are.equal("abcde", titles(Post.objects:filter({}):filter { views__gte = 0 }))
    assert.are.equal("", titles(Post.objects:exclude {}))
  end)

  it("raise for what does not exist, with the nearest name", function()
    local err = helper.refuses(
      "misuse",
      "Post has no field 'titel'",
      Post.objects.filter,
      Post.objects,
      { titel = 1 }
    )
    assert.are.equal("did you mean 'title'?", err.hint)
    err = helper.refuses(
      "misuse",
      "There is no lookup '__containz'",
      Post.objects.filter,
      Post.objects,
      { title__containz = "x" }
    )
    assert.are.equal("did you mean '__contains'?", err.hint)
    err = helper.refuses(
      "misuse",
      "Post has no field 'viws'",
      Post.objects.filter,
      Post.objects,
      { viws__gte = 1 }
    )
    assert.are.equal("did you mean 'views'?", err.hint)
  end)

  it("raise for values of the wrong type", function()
    local query = Post.objects
    for lookups, message in pairs {
      [{ views = "three" }] = "views takes an integer",
      [{ views__gte = 1.5 }] = "views__gte takes an integer",
      [{ views__in = { 1, "two" } }] = "views__in takes an integer",
      [{ title = 5 }] = "title takes text",
      [{ done = 1 }] = "done takes true or false",
      [{ title__contains = 5 }] = "title__contains takes text",
      [{ score = 0 / 0 }] = "score takes a finite number",
      [{ topic__isnull = 1 }] = "topic__isnull takes true or false",
      [{ views__range = { 1 } }] = "views__range takes two values",
      [{ views__range = { 1, 2, 3 } }] = "views__range takes two values",
      [{ views__gte = { 1, 2 } }] = "views__gte takes one value",
      [{ views__lt = null }] = "views__lt takes no null",
      [{ views__contains = 1 }] = "views__contains takes a char or text field",
      [{ title = print }] = "title takes text",
      [{ title = { {} } }] = "title takes a list of plain values",
    } do
      helper.refuses("misuse", message, query.filter, query, lookups)
    end
    local err = helper.raises("misuse", query.filter, query, { topic__lt = null })
    assert.are.equal("use topic__isnull", err.hint)
    helper.refuses("misuse", "A filter takes a table of conditions, not a nil", query.filter, query)
    helper.refuses(
      "misuse",
      "A filter takes a table of conditions, not a number",
      query.filter,
      query,
      5
    )
    helper.raises("misuse", query.filter, query, { "title" })
  end)
end)

describe("order_by", function()
  local _, Post = filled()

  it("is by the key without any", function()
    assert.are.equal("abcde", titles(Post.objects))
  end)

  it("goes up and down, NULLs first and last", function()
    assert.are.equal("edcba", titles(Post.objects:order_by "-title"))
    assert.are.equal("cbdae", titles(Post.objects:order_by "score"))
    assert.are.equal("eadbc", titles(Post.objects:order_by "-score"))
  end)

  it("breaks ties by the key, in the direction of the last term", function()
    assert.are.equal("becad", titles(Post.objects:order_by "views"))
    assert.are.equal("daceb", titles(Post.objects:order_by "-views"))
    assert.are.equal("dacbe", titles(Post.objects:order_by("topic", "id")))
  end)

  it("takes several terms", function()
    assert.are.equal("dacbe", titles(Post.objects:order_by("topic", "-views", "id")))
    assert.are.equal("becad", titles(Post.objects:order_by("-topic", "views", "id")))
    assert.are.equal("dbeca", titles(Post.objects:order_by("-done", "views", "title")))
  end)

  it("replaces the order before, and without terms gives the default back", function()
    assert.are.equal("edcba", titles(Post.objects:order_by("views"):order_by "-title"))
    assert.are.equal("abcde", titles(Post.objects:order_by("-title"):order_by()))
  end)

  it("of the model is the default, also for first and last", function()
    local _, Doc = filled { order_by = { "-views", "title" } }
    assert.are.equal("adcbe", titles(Doc.objects))
    assert.are.equal("a", Doc.objects:first().title)
    assert.are.equal("e", Doc.objects:last().title)
    assert.are.equal("edcba", titles(Doc.objects:order_by "-title"))
    _, Doc = filled { order_by = "-title" }
    assert.are.equal("edcba", titles(Doc.objects))
  end)

  it("raises for what is no field", function()
    local err = helper.refuses(
      "misuse",
      "Post has no field 'titel'",
      Post.objects.order_by,
      Post.objects,
      "-titel"
    )
    assert.are.equal("did you mean 'title'?", err.hint)
    helper.refuses(
      "misuse",
      "order_by takes names of fields, not a table",
      Post.objects.order_by,
      Post.objects,
      { "title" }
    )
    helper.raises("misuse", Post.objects.order_by, Post.objects, 5)
    helper.raises("misuse", Post.objects.order_by, Post.objects, "")
    helper.raises("misuse", Post.objects.order_by, Post.objects, "-")
    helper.raises("misuse", Post.objects.order_by, Post.objects, "--title")
    helper.raises("misuse", filled, { order_by = "titel" })
    helper.raises("misuse", filled, { order_by = 5 })
  end)
end)

describe("limit and offset", function()
  local _, Post = filled()

  it("cut the rows in their order", function()
    assert.are.equal("ab", titles(Post.objects:limit(2)))
    assert.are.equal("de", titles(Post.objects:offset(3)))
    assert.are.equal("bc", titles(Post.objects:limit(2):offset(1)))
    assert.are.equal("bc", titles(Post.objects:offset(1):limit(2)))
    assert.are.equal("", titles(Post.objects:limit(0)))
    assert.are.equal("", titles(Post.objects:offset(100)))
    assert.are.equal("abcde", titles(Post.objects:limit(100)))
    assert.are.equal("e", titles(Post.objects:order_by("-title"):limit(1)))
  end)

  it("the last of each counts", function()
    assert.are.equal("a", titles(Post.objects:limit(3):limit(1)))
    assert.are.equal("bcde", titles(Post.objects:offset(3):offset(1)))
  end)

  it("bind count, exists, values, pluck and aggregates too", function()
    assert.are.equal(2, Post.objects:limit(2):count())
    assert.are.equal(2, Post.objects:offset(3):count())
    assert.are.equal(1, Post.objects:offset(4):limit(3):count())
    assert.are.equal(0, Post.objects:limit(0):count())
    assert.is_false(Post.objects:limit(0):exists())
    assert.is_false(Post.objects:offset(5):exists())
    assert.is_true(Post.objects:offset(4):exists())
    assert.are.same({ n = 2, s = 4 }, Post.objects:limit(2):aggregate { n = count "*", s = sum "views" })
    assert.are.equal(2, #Post.objects:limit(2):values "title")
    assert.are.same(
      { { views = 1, n = 1 }, { views = 3, n = 1 } },
      Post.objects:limit(2):group_by("views"):aggregate { n = count "*" }
    )
  end)

  it("take whole numbers only", function()
    for _, n in ipairs { -1, 1.5, "1", true, 1 / 0, -1 / 0, 0 / 0, 2 ^ 64 } do
      helper.refuses(
        "misuse",
        "limit takes a whole number from 0 on",
        Post.objects.limit,
        Post.objects,
        n
      )
      helper.refuses(
        "misuse",
        "offset takes a whole number from 0 on",
        Post.objects.offset,
        Post.objects,
        n
      )
    end
    helper.raises("misuse", Post.objects.limit, Post.objects)
    assert.are.equal("ab", titles(Post.objects:limit(2.0)))
    assert.are.equal("abcde", titles(Post.objects:limit(2 ^ 53)))
  end)
end)

describe("all, first and last", function()
  local _, Post = filled()

  it("answer an array of rows", function()
    local rows = Post.objects:all()
    assert.are.equal(5, #rows)
    for i, row in ipairs(rows) do
      assert.is_true(rawequal(Post, getmetatable(row)))
      assert.are.equal(i, row.id)
    end
    assert.are.same({}, Post.objects:filter({ views = 99 }):all())
  end)

  it("answer the two ends of the order, or nil", function()
    assert.are.equal("a", Post.objects:first().title)
    assert.are.equal("e", Post.objects:last().title)
    assert.are.equal("c", Post.objects:order_by("score"):first().title)
    assert.are.equal("e", Post.objects:order_by("score"):last().title)
    assert.are.equal("b", Post.objects:order_by("views"):first().title)
    assert.are.equal("d", Post.objects:order_by("views"):last().title)
    assert.is_nil(Post.objects:filter({ views = 99 }):first())
    assert.is_nil(Post.objects:filter({ views = 99 }):last())
    assert.are.equal("c", Post.objects:offset(2):first().title)
    assert.is_nil(Post.objects:limit(0):first())
    assert.are.equal("a", Post.objects:limit(3):first().title)
  end)

  it("last of a cut query is refused, since it would be another row", function()
    local err = helper.refuses(
      "misuse",
      "last cannot be asked of a query with limit or offset",
      function()
        Post.objects:limit(2):last()
      end
    )
    assert.are.equal("reverse the order and ask for the first", err.hint)
    helper.raises("misuse", function()
      Post.objects:offset(2):last()
    end)
  end)
end)

describe("get and find", function()
  local _, Post = filled()

  it("take a key", function()
    assert.are.equal("b", Post.objects:get(2).title)
    assert.are.equal("b", Post.objects:find(2).title)
    assert.are.equal("b", Post.objects:get(2.0).title)
  end)

  it("take a table of lookups, or a condition", function()
    assert.are.equal("b", Post.objects:get({ title = "b" }).title)
    assert.are.equal("d", Post.objects:get({ views__gte = 3, topic__isnull = true }).title)
    assert.are.equal("b", Post.objects:find({ title = "b" }).title)
    assert.are.equal("b", Post.objects:get(tombstone.any { { title = "b" }, { title = "zz" } }).title)
  end)

  it("keep to the query", function()
    assert.is_nil(Post.objects:find(6))
    assert.are.equal("f", Post.all_objects:get(6).title)
    assert.are.equal("f", Post.deleted_objects:get(6).title)
    assert.is_nil(Post.deleted_objects:find(1))
    assert.is_nil(Post.objects:filter({ topic = "x" }):find(2))
  end)

  it("of no row raise not_found, or answer nil", function()
    local err = helper.refuses("not_found", "There is no Post 99", Post.objects.get, Post.objects, 99)
    assert.are.equal("Post", err.model)
    helper.refuses("not_found", "There is no Post 6", Post.objects.get, Post.objects, 6)
    helper.refuses(
      "not_found",
      "There is no such Post",
      Post.objects.get,
      Post.objects,
      { title = "zz" }
    )
    assert.is_nil(Post.objects:find(99))
    assert.is_nil(Post.objects:find { title = "zz" })
  end)

  it("of several rows raise multiple", function()
    local err =
      helper.refuses("multiple", "There is more than one such Post", Post.objects.get, Post.objects, {})
    assert.are.equal("narrow the filter, or ask for first()", err.hint)
    assert.are.equal("Post", err.model)
    helper.raises("multiple", Post.objects.find, Post.objects, { topic = "x" })
  end)

  it("need a key or a table", function()
    for _, key in ipairs { null } do
      helper.refuses(
        "misuse",
        "A key or a table of conditions is needed to get a Post",
        Post.objects.get,
        Post.objects,
        key
      )
    end
    helper.refuses("misuse", "A key or a table of conditions is needed to get a Post", function()
      Post.objects:get()
    end)
    helper.refuses("misuse", "A key or a table of conditions is needed to get a Post", function()
      Post.objects:find(nil)
    end)
    helper.refuses("misuse", "id takes an integer", Post.objects.get, Post.objects, "x")
    helper.raises("misuse", Post.objects.get, Post.objects, true)
    helper.raises("misuse", Post.objects.get, Post.objects, 1.5)
    helper.raises("misuse", Post.objects.get, Post.objects, print)
  end)
end)

describe("only", function()
  local _, Post = filled()

  it("loads these fields and what a row needs to be written", function()
    local row = Post.objects:only("title"):first()
    assert.are.same({ id = 1, title = "a" }, setmetatable(row, nil))
    assert.are.equal("abcde", titles(Post.objects:only "title"))
  end)

  it("without names loads all again", function()
    assert.are.same(Post.objects:first(), Post.objects:only("title"):only():first())
  end)

  it("raises for what is no field", function()
    helper.refuses("misuse", "Post has no field 'titel'", Post.objects.only, Post.objects, "titel")
    helper.raises("misuse", Post.objects.only, Post.objects, { "title" })
  end)
end)

describe("values", function()
  local _, Post = filled()

  it("answer plain tables of these fields", function()
    local values = Post.objects:limit(2):values("title", "views")
    assert.are.same({ { title = "a", views = 3 }, { title = "b", views = 1 } }, values)
    assert.is_nil(getmetatable(values[1]))
  end)

  it("answer all fields without names, or those of only", function()
    assert.are.same(
      { { id = 3, title = "c", topic = "x", views = 2, done = false } },
      Post.objects:filter({ title = "c" }):values()
    )
    assert.are.same({ { title = "a" } }, Post.objects:only("title"):limit(1):values())
  end)

  it("leave NULL out", function()
    assert.are.same({ { title = "d" } }, Post.objects:filter({ title = "d" }):values("title", "topic"))
  end)

  it("name a field once, however often it is asked for", function()
    assert.are.same({ { title = "a" } }, Post.objects:limit(1):values("title", "title"))
  end)

  it("raise for what is no field", function()
    helper.refuses("misuse", "Post has no field 'titel'", Post.objects.values, Post.objects, "titel")
  end)
end)

describe("pluck", function()
  local _, Post = filled()

  it("answers the values of one field, null for NULL, and their number", function()
    assert.are.same({ "a", "b", "c", "d", "e", n = 5 }, Post.objects:pluck "title")
    local topics = Post.objects:pluck "topic"
    assert.are.equal(5, topics.n)
    assert.is_true(rawequal(null, topics[4]))
    assert.are.same({ n = 0 }, Post.objects:filter({ views = 99 }):pluck "title")
    assert.are.same({ false, false, false, true, false, n = 5 }, Post.objects:pluck "done")
  end)

  it("takes one name", function()
    local err = helper.refuses(
      "misuse",
      "pluck takes the name of one field",
      Post.objects.pluck,
      Post.objects,
      "title",
      "views"
    )
    assert.are.equal("use values for several", err.hint)
    helper.raises("misuse", Post.objects.pluck, Post.objects)
    helper.raises("misuse", Post.objects.pluck, Post.objects, "titel")
  end)
end)

describe("distinct", function()
  local _, Post = filled()

  it("answers different values", function()
    assert.are.same({ 1, 2, 3, n = 3 }, Post.objects:distinct():pluck "views")
    assert.are.same({
      { views = 1, done = false },
      { views = 2, done = false },
      { views = 3, done = false },
      { views = 3, done = true },
    }, Post.objects:distinct():values("views", "done"))
    assert.are.same({ null, "x", "y", n = 3 }, Post.objects:distinct():pluck "topic")
  end)

  it("keeps to an order among them, a limit and an offset", function()
    assert.are.same({ 3, 2, 1, n = 3 }, Post.objects:distinct():order_by("-views"):pluck "views")
    assert.are.same({ 2, 3, n = 2 }, Post.objects:distinct():limit(2):offset(1):pluck "views")
  end)

  it("leaves rows alone, which differ by their key", function()
    assert.are.equal(5, #Post.objects:distinct():all())
    assert.are.equal(5, Post.objects:distinct():count())
  end)
end)

describe("count and exists", function()
  local _, Post = filled()

  it("answer without reading the rows", function()
    assert.are.equal(2, Post.objects:filter({ topic = "x" }):count())
    assert.are.equal(0, Post.objects:filter({ views = 99 }):count())
    assert.is_true(Post.objects:filter({ topic = "x" }):exists())
    assert.is_false(Post.objects:filter({ views = 99 }):exists())
    assert.is_false(Post.objects:filter({ title = "f" }):exists())
    assert.is_true(Post.deleted_objects:filter({ title = "f" }):exists())
  end)

  it("do not care about the order", function()
    assert.are.equal(5, Post.objects:order_by("-score"):count())
    assert.is_true(Post.objects:order_by("-score"):exists())
  end)
end)

describe("aggregate", function()
  local _, Post = filled()

  it("answers one table", function()
    assert.are.same(
      { n = 5, with_topic = 4, total = 10, low = 1, high = 3, mean = 2 },
      Post.objects:aggregate {
        n = count "*",
        with_topic = count "topic",
        total = sum "views",
        low = min "views",
        high = max "views",
        mean = avg "views",
      }
    )
    assert.are.same({ n = 5 }, Post.objects:aggregate { n = count() })
  end)

  it("counts different values", function()
    assert.are.same(
      { n = 3, t = 2 },
      Post.objects:aggregate {
        n = count("views", { distinct = true }),
        t = count("topic", { distinct = true }),
      }
    )
  end)

  it("of no rows counts 0 and knows nothing else", function()
    local none = Post.objects:filter { views = 99 }
    assert.are.same(
      { n = 0 },
      none:aggregate { n = count "*", s = sum "views", m = max "title", a = avg "views" }
    )
  end)

  it("gives smallest and largest in the field's own type", function()
    local found =
      Post.objects:aggregate { first = min "at", last = max "at", a = min "title", any = max "done" }
    assert.are.same({ first = 50.5, last = 200, a = "a", any = true }, found)
  end)

  it("leaves the dead out", function()
    assert.are.same({ m = 9 }, Post.all_objects:aggregate { m = max "views" })
    assert.are.same({ m = 3 }, Post.objects:aggregate { m = max "views" })
    assert.are.same({ s = 17 }, Post.deleted_objects:aggregate { s = sum "views" })
  end)

  it("adds numbers only", function()
    for _, name in ipairs { "title", "at", "done" } do
      helper.refuses("misuse", "sum and avg take a field of numbers, not Post." .. name, function()
        Post.objects:aggregate { s = sum(name) }
      end)
      helper.raises("misuse", function()
        Post.objects:aggregate { s = avg(name) }
      end)
    end
  end)

  it("raises for what it does not know", function()
    local query = Post.objects
    helper.refuses("misuse", "Post has no field 'viws'", query.aggregate, query, { n = sum "viws" })
    helper.refuses("misuse", 'Only count takes "*"', query.aggregate, query, { n = sum "*" })
    helper.refuses("misuse", "aggregate was asked for nothing", query.aggregate, query, {})
    helper.refuses("misuse", "aggregate takes a table, not a nil", query.aggregate, query)
    helper.refuses(
      "misuse",
      "aggregate takes count, sum, min, max and avg",
      query.aggregate,
      query,
      { n = 5 }
    )
    helper.refuses(
      "misuse",
      "aggregate takes count, sum, min, max and avg",
      query.aggregate,
      query,
      { n = {} }
    )
    helper.refuses("misuse", "count has no option 'distnct'", count, "views", { distnct = true })
  end)
end)

describe("group_by", function()
  local _, Post = filled()

  it("answers an array, in the order of the groups", function()
    assert.are.same({
      { n = 1, s = 3 },
      { topic = "x", n = 2, s = 5 },
      { topic = "y", n = 2, s = 2 },
    }, Post.objects:group_by("topic"):aggregate { n = count "*", s = sum "views" })
  end)

  it("takes several fields", function()
    assert.are.same({
      { views = 1, done = false, n = 2 },
      { views = 2, done = false, n = 1 },
      { views = 3, done = false, n = 1 },
      { views = 3, done = true, n = 1 },
    }, Post.objects:group_by("views", "done"):aggregate { n = count "*" })
  end)

  it("takes an order among its fields, a limit and filters", function()
    local groups = Post.objects:filter({ topic__isnull = false }):group_by("topic"):order_by "-topic"
    assert.are.same(
      { { topic = "y", n = 2 }, { topic = "x", n = 2 } },
      groups:aggregate { n = count "*" }
    )
    helper.refuses("misuse", "Groups can be ordered by their own fields only, not by views", function()
      Post.objects:group_by("topic"):order_by("views"):aggregate { n = count "*" }
    end)
  end)

  it("of no rows is empty", function()
    assert.are.same(
      {},
      Post.objects:filter({ views = 99 }):group_by("topic"):aggregate { n = count "*" }
    )
  end)

  it("is not led astray by the model's order", function()
    local _, Doc = filled { order_by = "-views" }
    assert.are.same(
      { { n = 1 }, { topic = "x", n = 2 }, { topic = "y", n = 2 } },
      Doc.objects:group_by("topic"):aggregate { n = count "*" }
    )
    assert.are.same({ n = 5 }, Doc.objects:aggregate { n = count "*" })
  end)

  it("raises for what is no field", function()
    helper.refuses("misuse", "Post has no field 'topc'", Post.objects.group_by, Post.objects, "topc")
  end)
end)

describe("sql and explain", function()
  local _, Post = filled()

  it("tell the text and the bound values", function()
    local text, values = Post.objects:filter({ title = "x'; --" }):order_by("-views"):limit(2):sql()
    assert.are.equal(
      'SELECT "id", "title", "topic", "views", "score", "at", "done" FROM "post" '
        .. 'WHERE "deleted_at" IS NULL AND "title" = ? ORDER BY "views" DESC, "id" DESC LIMIT ?',
      text
    )
    assert.are.same({ "x'; --", 2 }, values)
  end)

  it("tell the plan, a line each", function()
    local plan = Post.objects:filter({ id = 5 }):explain()
    assert.are.equal("string", type(plan[1]))
    assert.is_truthy(plan[1]:find "post")
  end)
end)
