-- Fibers on one database: tarantool story.lua [posts.db]
package.path = arg[0]:match "^(.-)[^/]*$" .. "?.lua;" .. package.path

local fiber = require "fiber"
local fibers = require "fibers"
local Posts = require "posts"

local path = arg[1] or "posts.db"
local posts = Posts.open(path)
local Post = posts.Post

local function start(fn, ...)
  local started = fiber.new(fn, ...)
  started:set_joinable(true)
  return started
end

local function wait_for(list)
  for _, started in ipairs(list) do
    local ok, err = started:join()
    if not ok then
      error(err, 0)
    end
  end
end

-- A call does not yield, so that fibers can share a handle.
local writers = {}
for i, author in ipairs { "ana", "ben", "eve" } do
  writers[i] = start(function()
    for n = 1, 10 do
      posts:add(("%s %d"):format(author, n), author)
      fiber.sleep(0)
    end
  end)
end
wait_for(writers)
print(("%d posts by %d fibers"):format(#posts:list(), #writers))

-- A transaction that yields belongs to its fiber. Another fiber is refused, not let in.
local sleeper = start(posts.db.transaction, posts.db, function()
  Post:create { title = "half done", author = "ana" }
  fiber.sleep(0.05)
  error("changed my mind", 0)
end)
fiber.sleep(0)
local _, err = pcall(Post.create, Post, { title = "in between", author = "ben" })
print(err.kind, err, err.hint)
print(sleeper:join())

-- In turns the second one waits.
local first = start(posts.in_turn, posts.db.transaction, posts.db, function()
  fiber.sleep(0.05)
  Post:create { title = "first", author = "sam" }
end)
fiber.sleep(0)
posts:add("second", "sam")
wait_for { first }
print(Post.objects:filter({ author = "sam" }):order_by("id"):first().title, "came first")

-- One fiber deletes, another undoes. Where a title is taken it asks a third, and waits.
local event = posts:delete("ana", "moderator")
posts:add("ana 3", "ben")
print(#posts:trash() .. " posts in the trash")
local questions, answers = fiber.channel(), fiber.channel()
local moderator = start(function()
  local question = questions:get()
  print(question.message)
  answers:put "rename"
end)
local undoer = start(function()
  print(posts:undo(event, function(_, conflict)
    questions:put(conflict)
    return answers:get()
  end) .. " posts came back")
end)
wait_for { moderator, undoer }
print(Post.objects:get({ title = "ana 3 (restored)" }).author, Post.objects:get({ title = "ana 3" }).author)

-- Another handle has the lock, as another process would. Waiting for it holds no other fiber.
local ticks, other = 0, Posts.open(path)
local ticker = fiber.create(function()
  while true do
    ticks = ticks + 1
    fiber.sleep(0.005)
  end
end)
local holder = start(other.db.transaction, other.db, function()
  other.Post.objects:filter({ author = "eve" }):delete { actor = "other" }
  fiber.sleep(0.2)
end)
fiber.sleep(0)
print(pcall(Post.create, Post, { title = "no patience", author = "ben" }))
local before = ticks
posts:add("patience", "ben")
print(ticks > before and "the ticker went on" or "the ticker stood still")
wait_for { holder }
ticker:cancel()
print(("%d posts, %d in the trash"):format(#posts:list(), #posts:trash()))

-- A fiber that is cancelled in its transaction leaves nothing of it, and the turn to others.
local cancelled = start(posts.in_turn, posts.db.transaction, posts.db, function()
  Post:create { title = "cut short", author = "ben" }
  fiber.sleep(60)
end)
fiber.sleep(0)
cancelled:cancel()
print(cancelled:join())
print(Post.objects:find { title = "cut short" }, fibers.patiently(1, posts.add, posts, "the end", "eve") > 0)

other:close()
posts:close()
os.exit(0)
