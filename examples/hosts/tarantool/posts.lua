--- Posts with a trash, on one handle that all fibers share.
local fibers = require "fibers"
local tombstone = require "load"
local f = tombstone.field

local Posts = {}
Posts.__index = Posts

--- Opens the posts of a file.
-- @tparam string path
-- @treturn posts with `db`, the model `Post`, and the calls below
function Posts.open(path)
  local db = tombstone.open(path, { busy_timeout = 0 })
  local Post = db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    author = f.text { index = true },
  }, { table = "posts", soft_delete = { unique = "live" } })
  db:create_tables()
  return setmetatable({ db = db, Post = Post, in_turn = fibers.turns() }, Posts)
end

-- Each call is one transaction, in a turn of its own; another process may have the lock.
local function call(posts, fn, ...)
  return posts.in_turn(fibers.patiently, 5, fn, ...)
end

local function shown(query)
  return query:order_by("id"):values("id", "title", "author")
end

--- Adds a post and answers its id.
function Posts:add(title, author)
  return call(self, self.Post.create, self.Post, { title = title, author = author }).id
end

--- The living posts.
function Posts:list()
  return call(self, shown, self.Post.objects)
end

--- The dead ones.
function Posts:trash()
  return call(self, shown, self.Post.deleted_objects)
end

--- Deletes all posts of an author, in one event, and answers its id; nil where there are none.
function Posts:delete(author, actor)
  return call(self, function()
    local _, event = self.Post.objects:filter({ author = author }):delete { actor = actor }
    return event and event.id
  end)
end

--- Undoes a deletion and answers how many posts came back.
-- @param on_conflict a word, or a function that may wait for another fiber
function Posts:undo(id, on_conflict)
  return call(self, function()
    local event = self.db:events({ id = id })[1]
    return event and event:undo { on_conflict = on_conflict } or 0
  end)
end

--- Purges what is in the trash and answers how many posts that were.
function Posts:purge()
  return call(self, function()
    return (self.Post.deleted_objects:purge { all = true })
  end)
end

function Posts:close()
  self.db:close()
end

return Posts
