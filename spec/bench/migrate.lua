-- migrate.lua - time and memory of soft-delete migrations on a long table.
--
--   lua5.4 migrate.lua FOLDER [ROWS]          the table as the README has it
--   lua5.4 migrate.lua FOLDER ROWS STEP       one step, in a process of its own
--
-- Each step is a migration on the file that the steps before have left, and prints its seconds and the
-- highest memory of its process. On a terminal its progress is shown.
local migrate = require "tombstone.migrate"
local tombstone = require "tombstone"

local f = tombstone.field
local folder, rows, only = arg[1], tonumber(arg[2]) or 1000000, arg[3]
local path = folder .. "/migrate.db"

-- ---- the table ------------------------------------------------------------------------

local TABLES = [[
CREATE TABLE authors (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name text NOT NULL);
CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title text NOT NULL, content text NOT NULL,
  views integer NOT NULL, author_id integer NOT NULL REFERENCES authors (id)%s);
CREATE UNIQUE INDEX posts__title__key ON posts (title);
CREATE INDEX posts__views ON posts (views);
CREATE INDEX posts__author_id ON posts (author_id);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  INSERT INTO authors (name) SELECT 'author ' || i FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
  INSERT INTO posts (title, content, views, author_id%s)
  SELECT printf('Title %%07d of a post', i), 'Content of post ' || i, i %% 1000, i %% 1000 + 1%s FROM n;]]

local function make(db, column, name, value)
  db:exec "DROP TABLE IF EXISTS posts; DROP TABLE IF EXISTS authors; DROP TABLE IF EXISTS tombstone_migration"
  db:exec(TABLES:format(column, rows, name, value))
end

-- ---- steps ----------------------------------------------------------------------------

-- Shown where somebody looks.
local is_terminal = os.execute "test -t 2"
is_terminal = is_terminal == true or is_terminal == 0

local function show(step)
  if not is_terminal then
    return
  end
  local left = step.done < step.total and ("%.0f s left"):format(step.seconds_left or 0) or "done"
  io.stderr:write(("\r%s: %d of %d rows, %s\27[K"):format(step.table, step.done, step.total, left))
  io.stderr:write(step.done >= step.total and "\r\27[K" or "")
end

local function apply(db, up)
  db:exec "DROP TABLE IF EXISTS tombstone_migration"
  migrate.open(db, { migrations = { { name = "0001_bench", up = up } }, progress = show }):up()
end

local function delete_half(db)
  local Post = db:model("Post", {
    title = f.text { unique = true },
    content = f.text(),
    views = f.integer { index = true },
    author_id = f.integer(),
  }, { table = "posts" })
  Post.objects:filter { views__gte = 500 }:delete()
end

local STEPS = {
  { "make", hidden = true, run = function(db) make(db, "", "", "") end },
  { "add", "`m:add_soft_delete(\"posts\")`", run = function(db)
    apply(db, function(m) m:add_soft_delete "posts" end)
  end },
  { "delete", "a deletion of half of them, by the model", run = delete_half },
  { "live", "`m:change_unique(\"posts\", \"title\", \"live\")`", run = function(db)
    apply(db, function(m) m:change_unique("posts", "title", "live") end)
  end },
  { "mangle", "`m:change_unique(\"posts\", \"title\", \"mangle\")`", run = function(db)
    apply(db, function(m) m:change_unique("posts", "title", "mangle") end)
  end },
  { "revive", "`m:remove_soft_delete(\"posts\", { dead = \"revive\" })`", run = function(db)
    apply(db, function(m) m:remove_soft_delete("posts", { dead = "revive" }) end)
  end },
  { "legacy", hidden = true, run = function(db)
    make(db, ", is_deleted boolean NOT NULL DEFAULT 0, deleted_on datetime", ", is_deleted, deleted_on",
      ", i % 2, CASE WHEN i % 2 THEN datetime(1763625600 + i / 100, 'unixepoch') END")
  end },
  { "adopt", "`m:adopt(\"posts\", { drop = true })`, half of them deleted", run = function(db)
    apply(db, function(m) m:adopt("posts", { drop = true }) end)
  end },
}

-- ---- one step -------------------------------------------------------------------------

local function highest_memory()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes) / 1024
    end
  end
  return 0
end

local function run(step)
  local db = tombstone.open(path)
  local start = db:now()
  step.run(db)
  print(("%.1f %.1f"):format(db:now() - start, highest_memory()))
  db:close()
end

-- ---- all of them ------------------------------------------------------------------------

local function run_apart(step)
  local pipe = io.popen(("exec lua5.4 spec/bench/migrate.lua %s %d %s"):format(folder, rows, step[1]))
  local seconds, memory = pipe:read("*l"):match "^(%S+) (%S+)$"
  pipe:close()
  return seconds, memory
end

local function size_of(file)
  local handle = assert(io.open(file, "rb"))
  local size = handle:seek "end"
  handle:close()
  return size / 1048576
end

if only then
  for _, step in ipairs(STEPS) do
    if step[1] == only then
      run(step)
    end
  end
  return
end

print(("| on %d rows | seconds | peak memory |\n|---|---:|---:|"):format(rows))
for _, step in ipairs(STEPS) do
  local seconds, memory = run_apart(step)
  if not step.hidden then
    print(("| %s | %s | %s MiB |"):format(step[2], seconds, memory))
  end
end
io.stderr:write(("The file has %.0f MiB.\n"):format(size_of(path)))
