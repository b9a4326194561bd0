-- Law 9 across relations: what is asked of other rows, where keys or indexes serve it, does the same
-- work with 99 % dead rows in every table as with none.
local helper = require "helper"
local tombstone = require "tombstone"
local counter = require "laws.work"
local f, count, max = tombstone.field, tombstone.count, tombstone.max

local POSTS, DEAD_EACH = helper.scaled(120, 60), 99
local AUTHORS, TEAMS = math.floor(POSTS / 4), 5

local function declare(db)
  local function to(model, related_name)
    return f.belongs_to(model, { on_delete = "keep", null = true, related_name = related_name })
  end
  return {
    db:model("Team", { name = f.text { unique = "live" } }),
    db:model("Author", { name = f.text { unique = "live" }, team = to("Team", "authors") }),
    db:model("Post", {
      name = f.text { unique = "live" },
      views = f.integer { index = true },
      author = to("Author", "posts"),
    }),
  }
end

-- The dead stand around the living, point where they do, and have other names.
local function furnish(model, n, dead_each, row_of)
  local list = {}
  for i = 1, n do
    for place = 0, dead_each do
      local row = row_of(i)
      row.name = string.format(place == math.floor(dead_each / 2) and "n %03d" or "n %03d %02d", i, place)
      list[#list + 1] = row
    end
  end
  local rows = model:bulk_create(list)
  model.objects:filter({ name__like = "n ___ __" }):delete()
  assert(model.objects:count() == n and model.all_objects:count() == n * (dead_each + 1))
  local living = {}
  for _, row in ipairs(rows) do
    living[#living + 1] = #row.name == 5 and row.id or nil
  end
  return living
end

local function tables(dead_each)
  local made = { path = helper.path(), log = {} }
  made.db = tombstone.open(made.path, {
    synchronous = "normal",
    clock = helper.clock().tell,
    log = function(sql, values)
      made.log[#made.log + 1] = { sql = sql, values = values }
    end,
  })
  local models = declare(made.db)
  made.Team, made.Author, made.Post = models[1], models[2], models[3]
  made.db:create_tables()
  local teams = furnish(made.Team, TEAMS, dead_each, function()
    return {}
  end)
  local authors = furnish(made.Author, AUTHORS, dead_each, function(i)
    return { team_id = i % 6 > 0 and teams[i % TEAMS + 1] or nil }
  end)
  furnish(made.Post, POSTS, dead_each, function(i)
    return { views = i % 10, author_id = i % 7 > 0 and authors[i % AUTHORS + 1] or nil }
  end)
  return made
end

-- Each gets the managers of the living.
local QUESTIONS = {
  ["filter by a parent"] = function(posts)
    posts:filter({ author__name = "n 007" }):all()
  end,
  ["filter by a parent's parent"] = function(posts)
    posts:filter({ author__team__name = "n 002" }):all()
  end,
  ["filter by a parent that is missing"] = function(posts)
    posts:filter({ author__isnull = true }):all()
  end,
  ["filter by what a parent is not"] = function(posts)
    posts:filter({ author__name__ne = "n 007" }):all()
  end,
  ["filter by a child"] = function(_, authors)
    authors:filter({ posts__name = "n 012" }):all()
  end,
  ["filter by an indexed field of children"] = function(_, authors)
    authors:filter({ posts__views = 3 }):all()
  end,
  ["filter by children of children"] = function(_, _, teams)
    teams:filter({ authors__posts__views__gt = 8 }):all()
  end,
  ["without children"] = function(_, authors)
    authors:filter({ posts__isnull = true }):all()
  end,
  ["exclude by a child"] = function(_, authors)
    authors:exclude({ posts__name = "n 012" }):count()
  end,
  ["exists by a parent"] = function(posts)
    posts:filter({ author__team__name = "n 002" }):exists()
  end,
  ["a page by a parent's field"] = function(posts)
    posts:order_by("author__name"):limit(10):all()
  end,
  ["a page by the most of the children"] = function(_, authors)
    authors:order_by("-posts__views"):limit(10):all()
  end,
  ["values of a parent"] = function(posts)
    posts:values("name", "author__team__name")
  end,
  ["values of children"] = function(_, authors)
    authors:values("name", "posts__name")
  end,
  ["groups by a parent"] = function(posts)
    posts:group_by("author__name"):aggregate { n = count "*" }
  end,
  ["annotations"] = function(_, authors)
    local query = authors:annotate { n = count "posts", top = max "posts__views" }
    query:filter({ n__gt = 2 }):order_by("-n"):all()
  end,
  ["counts of tables that point to others"] = function(posts, authors)
    posts:count()
    authors:count()
    posts:exists()
    posts:filter({ author__name = "n 007" }):count()
  end,
  ["update by a parent"] = function(posts)
    posts:filter({ author__name = "n 007" }):update { views = 1 }
  end,
  ["delete by a parent"] = function(posts)
    posts:filter({ author__team__name = "n 002" }):delete()
  end,
}

local function ask(made, question)
  local log, rollback = {}, {}
  made.log = log
  local _, why = pcall(made.db.transaction, made.db, function()
    question(made.Post.objects, made.Author.objects, made.Team.objects)
    error(rollback, 0)
  end)
  assert(why == rollback, why)
  made.log = {}
  return counter.of_log(made.path, log)
end

describe("law 9 across relations:", function()
  setup(counter.compile)
  teardown(function()
    counter.clean()
    helper.clean()
  end)

  it("99 % dead rows cost nothing", function()
    local none, many = tables(0), tables(DEAD_EACH)
    local names = {}
    for name in pairs(QUESTIONS) do
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      local work = ask(none, QUESTIONS[name])
      assert.is_true(#work > 0, name)
      -- a sub-query for each row ends at an entry that may not be there
      counter.compare(name, work, ask(many, QUESTIONS[name]), { more = AUTHORS })
    end
    none.db:close()
    many.db:close()
  end)
end)
