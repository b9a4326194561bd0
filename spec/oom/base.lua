-- What the scenarios share. Each is a table of functions:
--   prepare(nil, file)   builds the file that each run begins with
--   start(nil, file)     opens it and answers what run gets
--   run(s, file)         what is swept
--   after(s, file)       memory is back: the handle must be in order
-- `rules`, queries that must answer no row, whatever run came to, and `may_refuse`, where a
-- rollback that ran out of memory may leave a transaction that cannot go on.
local tombstone = ...
local f = tombstone.field
local base = { tombstone = tombstone }

-- A codec of few lines, so that no other library is swept.
tombstone.json(function(value)
  return '{"a":' .. tostring(value.a) .. "}"
end, function(text)
  return { a = tonumber(text:match '"a":(%d+)') }
end)

-- Ten posts in two batches of five, all with room for json.
function base.models(db, on)
  local Post = db:model("Post", {
    title = f.char { max_length = 60, unique = true },
    content = f.text { default = "" },
    batch = f.integer { default = 0, index = true },
    views = f.integer { default = 0 },
    extra = f.json { null = true },
  }, { on = on, soft_delete = { keep = "1d" } })
  local Seat = db:model("Seat", {
    place = f.integer { unique = true },
    owner = f.text { null = true },
  }, { version = true, timestamps = true })
  return Post, Seat
end

function base.open(file, options, on)
  options = options or {}
  options.synchronous = "normal"
  local s = { db = tombstone.open(file, options) }
  s.Post, s.Seat = base.models(s.db, on)
  return s
end

function base.prepare(_, file)
  local s = base.open(file)
  s.db:create_tables()
  for i = 1, 10 do
    s.Post:create { title = "p" .. i, batch = i <= 5 and 1 or 2, views = i, extra = { a = i } }
  end
  for i = 1, 3 do
    s.Seat:create { place = i, owner = "o" .. i }
  end
  s.db:close()
end

function base.start(_, file)
  return base.open(file)
end

-- A transaction that does as `fn` says and is rolled back.
function base.undone(db, fn)
  local ok, why = pcall(db.transaction, db, function()
    fn()
    error("on purpose", 0)
  end)
  if ok or why ~= "on purpose" then
    error(why, 0)
  end
end

-- Raises unless `fn` fails with that kind; what it fails with for want of memory goes on.
function base.expect(kind, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then
    error("no error of the kind " .. kind, 0)
  elseif type(err) ~= "table" or err.kind ~= kind then
    error(err, 0)
  end
  return err
end

-- Raises where the two differ, naming the caller's line.
function base.equal(wanted, got)
  if wanted ~= got then
    error("wanted " .. tostring(wanted) .. ", got " .. tostring(got), 2)
  end
end

-- What was left to the collector is closed, and a handle that is still open is in no
-- transaction, and deletes and restores as ever.
function base.after(s)
  if not s or not s.db or not s.db:is_open() then
    return
  end
  collectgarbage()
  base.equal(0, s.db:depth())
  local post = s.Post:create { title = "afterwards" }
  local event = post:delete()
  base.equal(nil, s.Post.objects:find { title = "afterwards" })
  event:undo()
  post:reload()
  base.equal("afterwards", post.title)
  post:purge()
end

base.rules = {
  -- an event holds what is dead, and nothing else
  "SELECT id FROM post WHERE (deleted_at IS NULL) <> (deleted_event IS NULL)",
  [[SELECT id FROM post WHERE deleted_event IS NOT NULL
    AND deleted_event NOT IN (SELECT id FROM tombstone_event)]],
  "SELECT id FROM seat WHERE (deleted_at IS NULL) <> (deleted_event IS NULL)",
  [[SELECT id FROM seat WHERE deleted_event IS NOT NULL
    AND deleted_event NOT IN (SELECT id FROM tombstone_event)]],
  -- a title is free exactly when its row is dead
  "SELECT id FROM post WHERE (deleted_at IS NULL) = (title LIKE '%\\_\\_deleted\\_%' ESCAPE '\\')",
}

-- The rules above, where the tables are there, and those of the scenario.
local function with_rules(own)
  local all = {}
  for _, rule in ipairs(own.prepare and {} or base.rules) do
    all[#all + 1] = rule
  end
  for _, rule in ipairs(own.rules or {}) do
    all[#all + 1] = rule
  end
  return all
end

-- A scenario with what it does not say itself.
function base.scenario(own)
  own.rules = with_rules(own)
  own.prepare = own.prepare or base.prepare
  own.start = own.start or base.start
  own.after = own.after or base.after
  return own
end

return base
