-- One of two processes on one file: linker.lua FILE ROLE SEED MILLISECONDS
--
-- "tags" deletes tags and brings them back, "links" links posts to the tags that it saw living a
-- few calls ago. It says "ok add 12", "example parent_deleted add Cannot …", "wrong …", like
-- racer.lua.
local Random = require "laws.random"
local tombstone = require "tombstone"
local f = tombstone.field

local CALLS_OF_A_LOOK, TAGS, POSTS = 8, 6, 3

local linker = { tags = TAGS, posts = POSTS }

--- Opens the file.
function linker.open(path)
  local db = tombstone.open(path, { synchronous = "normal", busy_timeout = 20 })
  local Tag = db:model("Tag", { name = f.text { unique = true } })
  local tags = f.many_to_many("Tag", { related_name = "posts" })
  local Post = db:model("Post", { title = f.text(), tags = tags })
  return { db = db, Tag = Tag, Post = Post, Link = db:model "Post_tags", made = 0 }
end

local WRONG = {
  [[SELECT l.id FROM post_tags AS l JOIN tag AS t ON t.id = l.tag_id
    WHERE l.deleted_at IS NULL AND t.deleted_at IS NOT NULL]],
  [[SELECT min(id) AS id FROM post_tags WHERE deleted_at IS NULL
    GROUP BY post_id, tag_id HAVING count(*) > 1]],
}

--- What must never be, in words, or nil: a living link of a dead tag, or two of one pair.
function linker.wrong(db)
  for i, sql in ipairs(WRONG) do
    local row = db:query(sql)[1]
    if row then
      return ("link %d %s"):format(row.id, i == 1 and "lives under a dead tag" or "lives twice")
    end
  end
end

local looks, verbs = {}, { tags = {}, links = {} }

function looks.tags(s)
  s.living, s.dead = s.Tag.objects:all(), s.Tag.deleted_objects:all()
end

function looks.links(s)
  s.living, s.posts = s.Tag.objects:all(), s.Post.objects:all()
end

-- Each answers whether it has changed anything.

function verbs.tags.delete(s, random)
  if #s.living > 0 then
    s.event = random:pick(s.living):delete() or s.event
    return s.event ~= nil
  end
end

-- A link that was made anew is in the way: then it stays dead.
function verbs.tags.undo(s)
  return s.event ~= nil and s.event:undo { on_conflict = "skip" } > 0
end

function verbs.tags.restore(s, random)
  return #s.dead > 0 and random:pick(s.dead):restore { on_conflict = "skip" }
end

function verbs.links.add(s, random)
  return random:pick(s.posts):tags():add(random:pick(s.living), random:pick(s.living)) > 0
end

function verbs.links.set(s, random)
  return random:pick(s.posts):tags():set { random:pick(s.living), random:pick(s.living) } > 0
end

function verbs.links.remove(s, random)
  return random:pick(s.posts):tags():remove(random:pick(s.living)) > 0
end

function verbs.links.undo(s, random)
  local n, event = random:pick(s.posts):tags():remove(random:pick(s.living))
  return n > 0 and event:undo { on_conflict = "skip" } > 0
end

local NAMES = { tags = { "delete", "undo", "restore" }, links = { "add", "set", "remove", "undo" } }
local WEIGHTS = { delete = 5, undo = 3, restore = 4, add = 8, set = 4, remove = 2 }

--- The verbs of each role.
linker.verbs = NAMES

local function tell(...)
  io.write(table.concat({ ... }, " "), "\n")
  io.flush()
end

local function note(counts, verb, ok, done)
  local outcome = ok and (done and "ok" or "nothing") or (type(done) == "table" and done.kind or "error")
  local key = outcome .. " " .. verb
  counts[key] = (counts[key] or 0) + 1
  if not ok and counts[key] == 1 then
    tell("example", key, (tostring(done):gsub("\n", " ")))
  end
end

local function race(s, role, random, seconds)
  local counts, calls, begun = {}, 0, s.db:now()
  local wrong
  repeat
    if calls % CALLS_OF_A_LOOK == 0 then
      looks[role](s)
    end
    if role == "tags" or #s.living > 0 then
      local verb = random:weighted(NAMES[role], WEIGHTS)
      note(counts, verb, pcall(verbs[role][verb], s, random))
    end
    wrong = linker.wrong(s.db)
    calls = calls + 1
  until wrong or s.db:now() - begun > seconds
  if wrong then
    tell("wrong", wrong)
  end
  return counts
end

if arg and arg[0] and arg[0]:match "linker%.lua$" then
  local s = linker.open(arg[1])
  local counts = race(s, arg[2], Random.new(tonumber(arg[3])), tonumber(arg[4]) / 1000)
  s.db:close()
  for key, n in pairs(counts) do
    tell(key, n)
  end
end

return linker
