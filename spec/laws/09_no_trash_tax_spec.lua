-- Law 9, no trash tax: a query on `objects` that the key or a declared index serves visits
-- as many index entries and rows with 99 % dead rows as with none. Counted, not timed:
-- SQLite tells the steps of its virtual machine, which are the same in every run.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field

-- The dead lived in as many generations before the living, each with the same values; their
-- keys lie between those of the living.
local LIVING, GENERATIONS = 300, 100
local STEP = GENERATIONS + 1
-- How many times the steps without the dead, or how many more where there are few: a dead
-- row costs some that is looked up by its key. Each living value has a hundred dead twins.
local MOST, MORE = 1.1, 10

-- ---- counting -------------------------------------------------------------------------

-- Neither the compiler nor its program is for a preloaded sanitizer, and `exec` leaves no
-- shell to be searched for leaks.
local CLEAN = "exec env -u LD_PRELOAD "

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local function output_of(command)
  local pipe = assert(io.popen(CLEAN .. command .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local function compiled()
  local program = os.tmpname()
  local flags = output_of("pkg-config --cflags --libs sqlite3"):gsub("\n", " ")
  local said = output_of("cc -std=c99 -o " .. quote(program) .. " spec/laws/steps.c " .. flags)
  assert.are.equal("", said)
  return program
end

local function as_word(value)
  if value == nil or value == tombstone.null then
    return "n"
  elseif type(value) == "number" then
    return value % 1 == 0 and ("i%.0f"):format(value) or ("f%.17g"):format(value)
  end
  return "t" .. value
end

-- The costs of these statements together.
local function cost(program, path, statements)
  local total = { steps = 0, scanned = 0, sorts = 0, rows = 0 }
  for _, statement in ipairs(statements) do
    local words = { quote(program), quote(path), quote(statement.sql) }
    for i = 1, statement.values.n do
      words[#words + 1] = quote(as_word(statement.values[i]))
    end
    local output = output_of(table.concat(words, " "))
    local steps, scanned, sorts, rows = output:match "^(%d+) (%d+) (%d+) (%d+)\n$"
    assert(steps, output)
    total.steps = total.steps + tonumber(steps)
    total.scanned = total.scanned + tonumber(scanned)
    total.sorts = total.sorts + tonumber(sorts)
    total.rows = total.rows + tonumber(rows)
  end
  return total
end

-- ---- worlds ---------------------------------------------------------------------------

local function declare(db, unique)
  return db:model("Post", {
    title = f.char { max_length = 100, unique = true, index = unique == "mangle" },
    slug = f.text { unique = true },
    email = f.text { unique = true, collate = "NOCASE" },
    code = f.integer { unique = true },
    topic = f.text { null = true },
    rank = f.integer(),
    views = f.integer { default = 0, index = true },
    content = f.text(),
  }, { table = "posts", soft_delete = { unique = unique }, indexes = { { "topic", "rank" } } })
end

-- The rows of one generation, whose keys are `place` behind those of the living.
local function generation(place)
  local rows = {}
  for i = 1, LIVING do
    rows[i] = {
      id = i * STEP - place,
      title = ("Title %04d"):format(i * 7 % LIVING),
      slug = ("slug-%04d"):format(i * 11 % LIVING),
      email = ("Ana%04d@example.org"):format(i * 23 % LIVING),
      code = i * 13 % LIVING,
      topic = i % 10 > 0 and "topic " .. i % 10 or nil,
      rank = i * 17 % LIVING,
      views = i * 19 % LIVING,
      content = ("content %d"):format(i),
    }
  end
  return rows
end

-- Transactions cost what they cost, and the program has one of its own.
local BOUNDS = { BEGIN = true, COMMIT = true, ROLLBACK = true, SAVEPOINT = true, RELEASE = true }

-- With the dead, or with them purged: else the two are the same.
local function world(unique, purged)
  local path = helper.path()
  local heard
  local db = tombstone.open(path, {
    synchronous = "normal",
    log = function(sql, values)
      if heard and not BOUNDS[sql:match "^%u+"] then
        heard[#heard + 1] = { sql = sql, values = values }
      end
    end,
  })
  local Post = declare(db, unique)
  db:create_tables()
  db:transaction(function()
    for place = GENERATIONS, 1, -1 do
      Post:bulk_create(generation(place))
      Post.objects:delete { all = true }
    end
    if purged then
      Post.deleted_objects:purge { all = true }
    end
    Post:bulk_create(generation(0))
  end)
  local made = { db = db, path = path, Post = Post }
  -- All that a call says to the database; what it changes is rolled back.
  function made.statements(call)
    heard = {}
    local undo = {}
    local ok, err = pcall(db.transaction, db, function()
      call(Post.objects, Post)
      error(undo, 0)
    end)
    local statements = heard
    heard = nil
    assert(not ok and err == undo, tostring(err))
    return statements
  end
  return made
end

-- ---- what is asked -----------------------------------------------------------------------

local function drain(stream)
  local n = 0
  for _ in stream do
    n = n + 1
  end
  assert(n == LIVING, n)
end

-- Lists that go as placeholders and, being longer, as JSON.
local SHORT, LONG, TITLES = { 5, 77, 200 }, {}, {}
for i = 1, 40 do
  LONG[i] = i * 7
  TITLES[i] = ("Title %04d"):format(i * 7)
end

local max, min, count = tombstone.max, tombstone.min, tombstone.count

local QUESTIONS = {
  -- the key
  { "get by key", function(q) q:get(150 * STEP) end },
  { "find by key", function(q) q:find(150 * STEP) end },
  { "find a dead or missing key", function(q) q:find(150 * STEP - 1) end },
  { "some keys", function(q) q:filter({ id__in = { STEP, 2 * STEP, 9 * STEP } }):all() end },
  { "a range of keys", function(q) q:filter({ id__range = { 100 * STEP, 120 * STEP } }):all() end },
  { "first", function(q) q:first() end },
  { "last", function(q) q:last() end },
  { "a page by offset", function(q) q:order_by("id"):limit(20):offset(100):all() end },
  { "a page by offset, backwards", function(q) q:order_by("-id"):limit(20):offset(100):all() end },
  { "the page after a key", function(q)
    q:filter({ id__gt = 150 * STEP }):order_by("id"):limit(20):all()
  end },
  { "the page before a key", function(q)
    q:filter({ id__lt = 150 * STEP }):order_by("-id"):limit(20):all()
  end },
  -- everything
  { "all", function(q) q:all() end },
  { "each", function(q) drain(q:each()) end },
  { "each of a snapshot", function(q) drain(q:each { snapshot = true }) end },
  { "each by an index", function(q) drain(q:order_by("-views"):each()) end },
  { "count", function(q) q:count() end },
  { "exists", function(q) q:exists() end },
  { "pluck the key", function(q) q:pluck "id" end },
  { "pluck the indexed field", function(q) q:pluck "views" end },
  { "pluck another field", function(q) q:pluck "content" end },
  { "values", function(q) q:values("title", "views") end },
  { "exclude", function(q) q:exclude({ views__lt = 10 }):all() end },
  { "distinct", function(q) q:distinct():pluck "views" end },
  -- the indexed field
  { "filter by the indexed field", function(q) q:filter({ views = 57 }):all() end },
  { "filter by a few of its values", function(q) q:filter({ views__in = SHORT }):all() end },
  { "filter by many of its values", function(q) q:filter({ views__in = LONG }):all() end },
  { "filter by a range of it", function(q) q:filter({ views__range = { 40, 60 } }):all() end },
  { "filter by a bound of it", function(q) q:filter({ views__lt = 20 }):all() end },
  { "count by it", function(q) q:filter({ views__gte = 280 }):count() end },
  { "exists by it", function(q) q:filter({ views = 57 }):exists() end },
  { "order by it", function(q) q:order_by("views"):all() end },
  { "the first by it", function(q) q:order_by("views"):limit(10):all() end },
  { "the last by it", function(q) q:order_by("-views"):limit(10):all() end },
  { "a page by it", function(q) q:order_by("views"):limit(10):offset(50):all() end },
  { "max of it", function(q) q:aggregate { top = max "views" } end },
  { "min of it", function(q) q:aggregate { low = min "views" } end },
  { "group by it", function(q) q:group_by("views"):aggregate { n = count "*" } end },
  { "count and max", function(q) q:aggregate { n = count "*", top = max "views" } end },
  -- unique fields
  { "filter by a unique text", function(q) q:filter({ slug = "slug-0042" }):all() end },
  { "get by a unique text", function(q) q:get { slug = "slug-0042" } end },
  { "filter by unique texts", function(q) q:filter({ slug__in = { "slug-0001", "slug-0099" } }):all() end },
  { "exists by a unique text", function(q) q:filter({ slug = "slug-0042" }):exists() end },
  { "filter by a unique text without case", function(q)
    q:filter({ email = "ANA0042@example.org" }):all()
  end },
  { "filter by a unique integer", function(q) q:filter({ code = 42 }):all() end },
  { "filter by a range of a unique integer", function(q) q:filter({ code__range = { 40, 60 } }):all() end },
  { "order by a unique integer", function(q) q:order_by("-code"):limit(10):all() end },
  { "filter by an indexed unique text", function(q) q:filter({ title = "Title 0042" }):all() end },
  { "filter by many of them", function(q) q:filter({ title__in = TITLES }):all() end },
  { "filter by a range of an indexed unique text", function(q)
    q:filter({ title__range = { "Title 0040", "Title 0060" } }):all()
  end },
  { "filter by the beginning of it", function(q) q:filter({ title__startswith = "Title 001" }):all() end },
  { "order by an indexed unique text", function(q) q:order_by("title"):limit(10):all() end },
  { "order by it, backwards", function(q) q:order_by("-title"):limit(10):all() end },
  { "max of an indexed unique text", function(q) q:aggregate { top = max "title" } end },
  -- several fields
  { "filter by all of a composite index", function(q)
    q:filter({ topic = "topic 3", rank = 51 }):all()
  end },
  { "filter by its first field", function(q) q:filter({ topic = "topic 3" }):all() end },
  { "filter by its first field's NULL", function(q) q:filter({ topic__isnull = true }):all() end },
  { "filter and order by it", function(q)
    q:filter({ topic = "topic 3" }):order_by("rank"):limit(5):all()
  end },
  { "filter by its first and a range of its second", function(q)
    q:filter({ topic = "topic 3", rank__gt = 150 }):all()
  end },
  { "order by a composite index", function(q) q:order_by("topic", "rank"):limit(10):all() end },
  { "filter by one index, order by another", function(q)
    q:filter({ topic = "topic 3" }):order_by("views"):limit(5):all()
  end },
  { "any of two indexes", function(q)
    q:filter(tombstone.any { { views = 57 }, { topic = "topic 3" } }):all()
  end },
  { "the page after a row, by an index", function(q)
    local after = tombstone.any { { views__gt = 150 }, { views = 150, id__gt = STEP } }
    q:filter(after):order_by("views", "id"):limit(10):all()
  end },
  -- no index but that of the living
  { "filter by another field", function(q) q:filter({ content = "content 7" }):all() end },
  { "count by another field", function(q) q:filter({ content = "content 7" }):count() end },
  { "exists by another field", function(q) q:filter({ content = "nothing" }):exists() end },
  { "order by another field", function(q) q:order_by("content"):limit(5):all() end },
  { "sum of another field", function(q) q:aggregate { n = tombstone.sum "rank" } end },
  { "group by another field", function(q) q:group_by("rank"):aggregate { n = count "*" } end },
  { "text that contains", function(q) q:filter({ content__contains = "7" }):all() end },
  -- writes
  { "update by the indexed field", function(q) q:filter({ views__lt = 10 }):update { content = "new" } end },
  { "delete by the key", function(q) q:filter({ id = 150 * STEP }):delete() end },
  { "delete by the indexed field", function(q) q:filter({ views__lt = 10 }):delete() end },
  { "delete of a slice", function(q) q:order_by("views"):limit(5):delete() end },
  { "get_or_create what is there", function(_, Post) Post:get_or_create { slug = "slug-0042" } end },
}

-- What cannot do without an index.
local CONTROLS = {
  {
    index = "posts__living",
    questions = { "a range of keys", "first", "a page by offset", "the page after a key", "all", "each" },
  },
  {
    index = "posts__views",
    questions = {
      "filter by the indexed field",
      "filter by a range of it",
      "the first by it",
      "the last by it",
      "max of it",
      "count by it",
      "delete by the indexed field",
    },
  },
  {
    index = "posts__topic__rank",
    questions = {
      "filter by all of a composite index",
      "filter and order by it",
      "order by a composite index",
    },
  },
}

local MANGLED = {
  mangle = "shows for a range and an order of a mangled text that no index = true serves",
  live = "holds for a range and an order of a unique text without an index = true",
}
local OF_A_UNIQUE_TEXT = {
  { "filter by a range of it", function(q)
    q:filter({ slug__range = { "slug-0040", "slug-0060" } }):all()
  end },
  { "order by it", function(q) q:order_by("slug"):limit(10):all() end },
  { "max of it", function(q) q:aggregate { top = max "slug" } end },
}

-- ---- the law ------------------------------------------------------------------------------

local program

local function is_within(clean, dirty)
  return dirty.steps <= math.max(clean.steps * MOST, clean.steps + MORE)
    and dirty.scanned <= clean.scanned * MOST
    and dirty.sorts <= clean.sorts
end

local function told(cost_of)
  return ("%d steps, %d scanned, %d sorts"):format(cost_of.steps, cost_of.scanned, cost_of.sorts)
end

local function complaint(name, statements, clean, dirty)
  local lines = { name .. ": " .. told(clean) .. " without the dead, " .. told(dirty) .. " among them" }
  for _, statement in ipairs(statements) do
    lines[#lines + 1] = "  " .. statement.sql
  end
  return table.concat(lines, "\n")
end

-- Asks both worlds the same, which must answer with as many rows.
local function compare(clean, dirty, question)
  local statements = clean.statements(question[2])
  assert(#statements > 0, question[1] .. " says nothing")
  local a = cost(program, clean.path, statements)
  local b = cost(program, dirty.path, dirty.statements(question[2]))
  assert.are.equal(a.rows, b.rows, question[1])
  return a, b, statements
end

local function check(clean, dirty, questions)
  local complaints = {}
  for _, question in ipairs(questions) do
    local a, b, statements = compare(clean, dirty, question)
    if not is_within(a, b) then
      complaints[#complaints + 1] = complaint(question[1], statements, a, b)
    end
  end
  assert.are.equal("", table.concat(complaints, "\n"))
end

-- The control's questions that cost no more without the index.
local function broken_by(clean, dirty, control)
  local wanted, within = {}, {}
  for _, name in ipairs(control.questions) do
    wanted[name] = true
  end
  for _, question in ipairs(QUESTIONS) do
    if wanted[question[1]] then
      wanted[question[1]] = nil
      if is_within(compare(clean, dirty, question)) then
        within[#within + 1] = question[1]
      end
    end
  end
  assert.is_nil(next(wanted), "no such question")
  return within
end

teardown(function()
  if program then
    os.remove(program)
  end
end)

for _, unique in ipairs { "mangle", "live" } do
  describe("law 9, no trash tax, with unique = " .. unique, function()
    local clean, dirty

    setup(function()
      program = program or compiled()
      clean, dirty = world(unique, true), world(unique, false)
    end)

    teardown(function()
      clean.db:close()
      dirty.db:close()
      helper.clean()
    end)

    it("compares what it should", function()
      assert.are.equal(LIVING, clean.Post.all_objects:count())
      assert.are.equal(LIVING, dirty.Post.objects:count())
      assert.are.equal(LIVING * STEP, dirty.Post.all_objects:count())
    end)

    it("holds in a new file", function()
      check(clean, dirty, QUESTIONS)
    end)

    -- That the law can be broken, and that this would show.
    for _, control in ipairs(CONTROLS) do
      it("shows when an index is gone: " .. control.index, function()
        dirty.db:exec('DROP INDEX "' .. control.index .. '"')
        local within = broken_by(clean, dirty, control)
        dirty.db:create_tables()
        assert.are.same({}, within)
      end)
    end

    -- The unique index of mangled texts holds the dead too: what goes through it in its order
    -- needs an index of the living besides.
    it(MANGLED[unique], function()
      local outside = {}
      for _, question in ipairs(OF_A_UNIQUE_TEXT) do
        if not is_within(compare(clean, dirty, question)) then
          outside[#outside + 1] = question[1]
        end
      end
      local wanted = unique == "mangle" and #OF_A_UNIQUE_TEXT or 0
      assert.are.equal(wanted, #outside, table.concat(outside, ", "))
    end)

    it("holds after ANALYZE", function()
      clean.db:exec "ANALYZE"
      dirty.db:exec "ANALYZE"
      check(clean, dirty, QUESTIONS)
    end)

    it("holds with the statistics of a time without the dead", function()
      dirty.db:exec "DELETE FROM sqlite_stat1"
      for _, line in ipairs(clean.db:query "SELECT tbl, idx, stat FROM sqlite_stat1") do
        local index = line.idx or tombstone.null
        dirty.db:exec("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", line.tbl, index, line.stat)
      end
      check(clean, dirty, QUESTIONS)
    end)
  end)
end
