-- family.lua - rows that belong to rows, against the same statements by hand.
--
--   lua5.4 family.lua FOLDER [--quick] [--markdown] [--bound X]
--
-- Both sides work on files of the same bytes, within one process, and take turns in going first;
-- the ratio is the median of the pairs' ratios. What they come to is compared each time. Then the
-- growth of a cascade: its time is linear in the rows, and its statements are as many for a
-- thousand as for a million.
local tombstone = require "tombstone"
local raw = require "raw"
local report = require "bench.report"

local f = tombstone.field
local FULL = { pairs = 7, children = 100000, growth = { 1000, 10000, 100000, 1000000 }, turns = 3 }
local QUICK = { pairs = 3, children = 2000, growth = { 100, 1000 }, turns = 1 }
local CACHE = "PRAGMA cache_size = -65536" -- as the other operations have it

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
  local db = raw.open_family(path)
  db.exec "PRAGMA journal_mode = WAL"
  db.exec "PRAGMA synchronous = NORMAL"
  db.exec "PRAGMA foreign_keys = ON" -- as tombstone has it
  db.exec(CACHE)
  return db
end

-- Two files of the same rows: one for each side.
local function make(folder, name, ...)
  local sides = {}
  for _, side in ipairs { "raw", "db" } do
    local path = folder .. "/" .. name .. "_" .. side .. ".db"
    local db = declare(path)
    db:exec(CACHE)
    local args = { ... }
    db:transaction(function()
      fill(db, args[1], args[2], args[3], args[4])
    end)
    if side == "raw" then
      db:close()
      sides.raw = open_raw(path)
    else
      sides.db = db
    end
  end
  return sides
end

-- ---- what a file holds -----------------------------------------------------

-- Each dead row has the stamp of its event, and its title the suffix of that stamp.
local STATE = [[
SELECT printf('rows=%d living=%d authors=%d wrong=%d events=%d undone=%d owners=%d',
  count(*), total(p.deleted_at IS NULL),
  (SELECT count(*) FROM authors WHERE deleted_at IS NULL AND name = 'author ' || id),
  total(title IS NOT printf('Title %06d of a post', p.id)
    || ifnull('__deleted_' || strftime('%s', substr(deleted_at, 1, 19)) || '.'
      || substr(deleted_at || '.000000', 21, 6), '')
    OR deleted_at IS NOT e.at),
  (SELECT count(*) FROM tombstone_event),
  (SELECT count(undone_at) FROM tombstone_event),
  (SELECT count(*) FROM tombstone_owner)) AS state
FROM posts AS p LEFT JOIN tombstone_event AS e ON e.id = deleted_event]]

local function compare_files(sides, living)
  local state = sides.raw.text(STATE)
  assert(state == sides.db:query(STATE)[1].state, state)
  assert(state:find(" living=" .. living .. " ", 1, true), state)
  assert(state:find(" wrong=0 ", 1, true), state)
end

local function compare_posts(list, others)
  assert(#list == #others and #list > 0)
  for i, post in ipairs(list) do
    local other = others[i]
    assert(post.id == other.id and post.title == other.title and post.content == other.content)
    assert(post.views == other.views and post.author_id == other.author_id)
  end
end

local function compare_relatives(list, others)
  for i, post in ipairs(list) do
    local comments = others[i]:comments():all()
    assert(post.author.name == others[i]:author().name)
    assert(#post.comments == #comments and #comments > 0)
    for k, comment in ipairs(post.comments) do
      assert(comment.id == comments[k].id and comment.text == comments[k].text)
    end
  end
end

-- ---- measuring -------------------------------------------------------------

local function clock(call, ...)
  collectgarbage()
  collectgarbage()
  local start = raw.now()
  local result = call(...)
  return raw.now() - start, result
end

-- Both calls, in the order of this turn; answers their results.
local function pair(op, turn, per, a, b)
  local seconds, results = {}, {}
  for i = 1, 2 do
    local second = (turn + i) % 2 + 1
    seconds[second], results[second] = clock(second == 1 and a or b)
  end
  table.insert(op.pairs, { a = seconds[1] / per * 1e6, b = seconds[2] / per * 1e6 })
  return results[1], results[2]
end

local function operation(list, label, against, target)
  local op = { label = label, against = against, target = target, pairs = {} }
  list[#list + 1] = op
  return op
end

local function delete_author(db)
  return db:model("Author").objects:get(1):delete()
end

local function cascades(folder, scale, list)
  local n, sides = scale.children, make(folder, "cascade", 10, scale.children, 0, true)
  local delete = operation(list, "delete a parent, per child", "raw C", 1.3)
  local undo = operation(list, "undo of that, per child", "raw C", 1.3)
  for turn = 1, scale.pairs do
    local number, event = pair(delete, turn, n, function()
      return sides.raw.delete(1)
    end, function()
      return delete_author(sides.db)
    end)
    compare_files(sides, 0)
    local came, back = pair(undo, turn, n, function()
      return sides.raw.undo(number)
    end, function()
      return event:undo()
    end)
    assert(came == n + 1 and back == came)
    compare_files(sides, n)
  end
end

local function filters(folder, scale, list)
  local sides = make(folder, "filter", 1000, scale.children, 0, false)
  local posts = sides.db:model("Post").objects
  for _, way in ipairs { { "nested", "raw C, same SQL" }, { "joined", "raw C, a join" } } do
    local call = way[1]
    local op = operation(list, "filter across two relations", way[2], 1.2)
    for turn = 1, scale.pairs * 3 do
      local name = "team " .. turn
      compare_posts(pair(op, turn, 1, function()
        return sides.raw[call](name)
      end, function()
        return posts:filter({ author__team__name = name }):all()
      end))
    end
  end
end

local function eager(folder, scale, list)
  local sides = make(folder, "eager", 500, 2000, 10000, false)
  local posts = sides.db:model("Post").objects:limit(1000)
  local op = operation(list, "1,000 posts with author and comments", "raw C", 1.5)
  for turn = 1, scale.pairs * 3 do
    local rows, same = pair(op, turn, 1, function()
      return sides.raw.load(1000)
    end, function()
      return posts:with("author", "comments"):all()
    end)
    compare_posts(rows, same)
    compare_relatives(rows, same)
  end
end

-- ---- growth ----------------------------------------------------------------

-- Seconds of a deletion and of its undo, and the statements of both.
local function grown(path, n, turns)
  local statements, deletes, undos = 0, {}, {}
  local db = declare(path, function()
    statements = statements + 1
  end)
  db:exec(CACHE)
  db:transaction(function()
    fill(db, 1, n, 0, true)
  end)
  local before
  for turn = 1, turns do
    before = statements
    local event
    deletes[turn], event = clock(delete_author, db)
    undos[turn] = clock(event.undo, event)
  end
  db:close()
  return report.median(deletes), report.median(undos), statements - before
end

local GROWTH = { "children", "delete", "undo", "delete, per child", "undo, per child", "statements" }

local function grow(folder, scale, markdown)
  local rows = { GROWTH }
  for _, n in ipairs(scale.growth) do
    local delete, undo, statements = grown(folder .. "/growth_" .. n .. ".db", n, scale.turns)
    assert(not rows[2] or rows[2][6] == tostring(statements), "the statements grow with the rows")
    rows[#rows + 1] = {
      ("%d"):format(n), ("%.3f s"):format(delete), ("%.3f s"):format(undo),
      ("%.2f µs"):format(delete / n * 1e6), ("%.2f µs"):format(undo / n * 1e6), tostring(statements),
    }
  end
  return report.lay_out(rows, 0, markdown)
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
