-- family.lua - rows that belong to rows, against the same statements by hand.
--
--   lua5.4 family.lua FOLDER [--quick] [--markdown] [--bound X]
--
-- Both sides work on files of the same bytes, in turns within one process; the ratio is the median
-- of the pairs' ratios. Then the growth of a cascade: its time is linear in the rows, and its
-- statements are as many for a thousand as for a million.
local tombstone = require "tombstone"
local raw = require "raw"
local report = require "bench.report"

local f = tombstone.field
local FULL = { pairs = 7, children = 100000, growth = { 1000, 10000, 100000, 1000000 } }
local QUICK = { pairs = 3, children = 2000, growth = { 100, 1000 } }

-- ---- files -----------------------------------------------------------------

local function declare(path, log)
  local db = tombstone.open(path, { synchronous = "normal", log = log })
  db:model("Team", { name = f.text { unique = true } }, { table = "teams" })
  db:model("Author", {
    name = f.text { unique = true },
    team = f.belongs_to("Team", {
      on_delete = "keep", null = true, related_name = "authors",
    }),
  }, { table = "authors" })
  db:model("Post", {
    title = f.text { unique = true },
    content = f.text(),
    views = f.integer(),
    author = f.belongs_to("Author", {
      on_delete = "cascade", related_name = "posts",
    }),
  }, { table = "posts" })
  db:model("Comment", {
    text = f.text(),
    post = f.belongs_to("Post", {
      on_delete = "cascade", related_name = "comments",
    }),
  }, { table = "comments" })
  db:create_tables()
  return db
end

local NUMBERS = [[WITH RECURSIVE n (i) AS
  (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ]]

-- A fifth of the authors is in each of five teams; the first author's posts are the children.
local function fill(db, authors, posts, comments, of_first)
  local function insert(count, text)
    db:exec((text:gsub("NUMBERS", NUMBERS:format(count))))
  end
  insert(50, "INSERT INTO teams (name) NUMBERS SELECT 'team ' || i FROM n")
  insert(authors, "INSERT INTO authors (name, team_id) NUMBERS "
    .. "SELECT 'author ' || i, i % 50 + 1 FROM n")
  insert(posts, "INSERT INTO posts (title, content, views, author_id) NUMBERS SELECT "
    .. "printf('Title %06d of a post', i), 'Content of post ' || i, i % 1000, "
    .. (of_first and "1" or "i % " .. authors .. " + 1") .. " FROM n")
  if comments > 0 then
    insert(comments, "INSERT INTO comments (text, post_id) NUMBERS SELECT "
      .. "'comment ' || i, i % " .. posts .. " + 1 FROM n")
  end
end

local function open_raw(path)
  local db = raw.open(path)
  db.exec "PRAGMA journal_mode = WAL"
  db.exec "PRAGMA synchronous = NORMAL"
  db.exec "PRAGMA foreign_keys = ON"
  db.exec "PRAGMA cache_size = -65536"
  return db
end

-- Two files of the same rows: one for each side.
local function make(folder, name, ...)
  local sides = {}
  for _, side in ipairs { "a", "b" } do
    local path = folder .. "/" .. name .. "_" .. side .. ".db"
    local db = declare(path)
    db:exec "PRAGMA cache_size = -65536"
    local args = { ... }
    db:transaction(function()
      fill(db, args[1], args[2], args[3], args[4])
    end)
    if side == "a" then
      db:close()
      sides.raw = open_raw(path)
    else
      sides.db = db
    end
  end
  return sides
end

-- ---- operations ------------------------------------------------------------

local function clock(call, ...)
  collectgarbage()
  collectgarbage()
  local start = raw.now()
  local result = call(...)
  return raw.now() - start, result
end

-- The statements of one event through two tables, their times as texts.
local function raw_delete(db)
  local number = tonumber(db.text "SELECT count(*) + 1 FROM tombstone_event")
  local at = "2025-11-23 06:40:00." .. string.format("%06d", number)
  local suffix = "__deleted_1763880000." .. string.format("%06d", number)
  db.exec "BEGIN IMMEDIATE"
  db.exec(("INSERT INTO tombstone_event (id, at, model, pk) VALUES (%d, '%s', 'Author', '1')")
    :format(number, at))
  db.exec(("UPDATE authors SET name = name || '%s', deleted_at = '%s', deleted_event = %d "
    .. "WHERE deleted_at IS NULL AND id = 1"):format(suffix, at, number))
  db.exec(("INSERT INTO tombstone_owner (event, model, pk) SELECT %d, 'Post', CAST(id AS text) "
    .. "FROM posts WHERE deleted_at IS NOT NULL AND author_id = 1"):format(number))
  db.exec(("UPDATE posts SET title = title || '%s', deleted_at = '%s', deleted_event = %d "
    .. "WHERE deleted_at IS NULL AND author_id = 1"):format(suffix, at, number))
  db.exec "COMMIT"
  return number
end

local function raw_undo(db, event)
  local restore = "UPDATE %s SET %s = substr(%s, 1, length(%s) - 27), deleted_at = NULL, "
    .. "deleted_event = NULL WHERE deleted_event = %d AND NOT EXISTS (SELECT 1 FROM "
    .. "tombstone_owner AS o WHERE o.model = '%s' AND o.pk = CAST(%s.id AS text))"
  db.exec "BEGIN IMMEDIATE"
  db.exec(("DELETE FROM tombstone_owner WHERE event = %d"):format(event))
  db.exec(restore:format("authors", "name", "name", "name", event, "Author", "authors"))
  db.exec(restore:format("posts", "title", "title", "title", event, "Post", "posts"))
  db.exec(("UPDATE tombstone_event SET undone_at = at WHERE id = %d"):format(event))
  db.exec "COMMIT"
end

local function delete_author(db)
  return db:model("Author").objects:get(1):delete()
end

local JOIN = [[SELECT p.id, p.title, p.content, p.views, p.author_id FROM posts AS p
JOIN authors AS a ON a.id = p.author_id AND a.deleted_at IS NULL
JOIN teams AS t ON t.id = a.team_id AND t.deleted_at IS NULL
WHERE p.deleted_at IS NULL AND t.name = ? ORDER BY p.id]]

local function json(rows, name)
  local seen, keys = {}, {}
  for _, row in ipairs(rows) do
    local key = row[name]
    if not seen[key] then
      seen[key] = true
      keys[#keys + 1] = key
    end
  end
  return "[" .. table.concat(keys, ",") .. "]"
end

local function raw_load(db)
  local posts = db.rows("SELECT id, title, content, views, author_id FROM posts "
    .. "WHERE deleted_at IS NULL ORDER BY id LIMIT 1000")
  local authors = db.rows("SELECT id, name, team_id FROM authors WHERE deleted_at IS NULL "
    .. "AND id IN (SELECT value FROM json_each(?)) ORDER BY id", json(posts, "author_id"))
  local comments = db.rows("SELECT id, text, post_id FROM comments WHERE deleted_at IS NULL "
    .. "AND post_id IN (SELECT value FROM json_each(?)) ORDER BY id", json(posts, "id"))
  local by_id, of_post = {}, {}
  for _, author in ipairs(authors) do
    by_id[author.id] = author
  end
  for _, post in ipairs(posts) do
    post.author, post.comments = by_id[post.author_id], {}
    of_post[post.id] = post.comments
  end
  for _, comment in ipairs(comments) do
    table.insert(of_post[comment.post_id], comment)
  end
  return #posts + #authors + #comments
end

local function load(db)
  local posts = db:model("Post").objects:limit(1000):with("author", "comments"):all()
  local authors, n = {}, #posts
  for _, post in ipairs(posts) do
    local author = post:author()
    n = n + (authors[author.id] and 0 or 1)
    authors[author.id] = true
    n = n + post:comments():count()
  end
  return n
end

-- ---- measuring -------------------------------------------------------------

local function operation(label, against, target)
  return { label = label, against = against, target = target, pairs = {} }
end

local function add(op, a, b, per)
  table.insert(op.pairs, { a = a / per * 1e6, b = b / per * 1e6 })
end

local function cascades(folder, scale, list)
  local sides = make(folder, "cascade", 10, scale.children, 0, true)
  local delete = operation("delete a parent, per child", "raw C", 1.3)
  local undo = operation("undo of that, per child", "raw C", 1.3)
  for _ = 1, scale.pairs do
    local a, number = clock(raw_delete, sides.raw)
    local b, event = clock(delete_author, sides.db)
    add(delete, a, b, scale.children)
    a = clock(raw_undo, sides.raw, number)
    b = clock(event.undo, event)
    add(undo, a, b, scale.children)
  end
  list[#list + 1], list[#list + 2] = delete, undo
end

local function filters(folder, scale, list)
  local sides = make(folder, "filter", 1000, scale.children, 0, false)
  local op = operation("filter across two relations", "raw C, a join", 1.2)
  local posts = sides.db:model("Post").objects
  for turn = 1, scale.pairs * 3 do
    local name = "team " .. turn
    local a, rows = clock(function() return sides.raw.rows(JOIN, name) end)
    local b, same = clock(function() return posts:filter({ author__team__name = name }):all() end)
    assert(#rows == #same and rows[1].id == same[1].id)
    add(op, a, b, 1)
  end
  list[#list + 1] = op
end

local function eager(folder, scale, list)
  local sides = make(folder, "eager", 500, 2000, 10000, false)
  local op = operation("1,000 posts with author and comments", "raw C", 1.5)
  for _ = 1, scale.pairs * 3 do
    local a, n = clock(raw_load, sides.raw)
    local b, same = clock(load, sides.db)
    assert(n == same)
    add(op, a, b, 1)
  end
  list[#list + 1] = op
end

local function grow(folder, scale, markdown)
  local head = "| children | delete | undo | statements |\n| --: | --: | --: | --: |"
  local lines = { markdown and head or "growth of a cascade" }
  for _, n in ipairs(scale.growth) do
    local statements = 0
    local db = declare(folder .. "/growth_" .. n .. ".db", function()
      statements = statements + 1
    end)
    db:transaction(function()
      fill(db, 1, n, 0, true)
    end)
    local before = statements
    local delete, event = clock(delete_author, db)
    local undo = clock(event.undo, event)
    local form = markdown and "| %d | %.3f s | %.3f s | %d |"
      or "%9d children: %8.3f s, undo %8.3f s, %d statements"
    lines[#lines + 1] = form:format(n, delete, undo, statements - before)
    db:close()
  end
  return table.concat(lines, "\n") .. "\n"
end

local function main(folder, ...)
  local options = {}
  local args = { ... }
  for i, name in ipairs(args) do
    options[name] = args[i + 1] or true
  end
  local scale, list = options["--quick"] and QUICK or FULL, {}
  cascades(folder, scale, list)
  filters(folder, scale, list)
  eager(folder, scale, list)
  io.write(report.table(list, options["--markdown"]), "\n")
  io.write(grow(folder, scale, options["--markdown"]))
  local bound = tonumber(options["--bound"])
  if bound and report.highest(list) > bound then
    io.stderr:write(("a ratio is above %g\n"):format(bound))
    os.exit(1)
  end
end

main(...)
