-- tombstone_side.lua - the operations of the bench as a user writes them.
-- Each maker prepares what the clock must not count and returns what it does.
local tombstone = require "tombstone"
local data = require "bench.data"

local f = tombstone.field
local side = {}
local db, Post

function side.open(path)
  db = tombstone.open(path, { synchronous = "normal" })
  Post = db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    content = f.text(),
    views = f.integer { default = 0, index = true },
  }, { table = "posts" })
end

-- Raw starts from these tables too.
function side.create_tables()
  db:create_tables()
end

function side.exec(sql)
  db:exec(sql)
end

function side.close()
  db:close()
end

function side.each(visit)
  for post in Post.objects:each() do
    visit(post)
  end
end

-- ---- reading ---------------------------------------------------------------

function side.get(n, rows, sum)
  return function()
    for k = 0, n - 1 do
      sum.add(Post.objects:get(data.key(k, rows)))
    end
  end
end

function side.page(n, rows, sum)
  return function()
    for k = 0, n - 1 do
      local first = data.page(k, rows)
      sum.add_all(Post.objects:filter {
        views__gte = first, views__lt = first + data.PAGE_WIDTH,
      }:order_by("id"):limit(50):all())
    end
  end
end

function side.scan(n, _, sum)
  return function()
    local views, count = 0, 0
    repeat
      for post in Post.objects:each() do
        views, count = views + post.views, count + 1
      end
    until count >= n
    sum.value = sum.value + views
  end
end

-- Over the dead too: the file with trash has a hundred times the rows.
function side.memory(n)
  return function()
    local count = 0
    for _ in Post.all_objects:each() do
      count = count + 1
    end
    assert(count == n)
  end
end

-- ---- writing ---------------------------------------------------------------

function side.insert(n, rows)
  local titles, contents, views = data.posts(n, rows)
  return function()
    db:transaction(function()
      for i = 1, n do
        Post:create {
          title = titles[i], content = contents[i], views = views[i],
        }
      end
    end)
  end
end

function side.insert_many(n, rows)
  local titles, contents, views = data.posts(n, rows)
  return function()
    db:transaction(function()
      for first = 1, n, 1000 do
        local list = {}
        for i = first, math.min(first + 999, n) do
          list[#list + 1] = {
            title = titles[i], content = contents[i], views = views[i],
          }
        end
        Post:bulk_create(list)
      end
    end)
  end
end

function side.update(n, rows)
  local contents = data.contents(n)
  return function()
    db:transaction(function()
      for k = 0, n - 1 do
        local post = Post.objects:get(data.key(k, rows))
        post:update { content = contents[k + 1] }
      end
    end)
  end
end

function side.delete(n, rows)
  return function()
    db:transaction(function()
      for k = 0, n - 1 do
        Post.objects:get(data.key(k, rows)):delete()
      end
    end)
  end
end

function side.restore(n, rows)
  side.delete(n, rows)()
  return function()
    db:transaction(function()
      for k = 0, n - 1 do
        Post.deleted_objects:get(data.key(k, rows)):restore()
      end
    end)
  end
end

local function delete_many(n)
  return Post.objects:filter { id__lte = n }:delete()
end

function side.delete_many(n)
  return function()
    assert(delete_many(n) == n)
  end
end

function side.restore_many(n)
  local _, event = delete_many(n)
  return function()
    assert(event:undo() == n)
  end
end

return side
