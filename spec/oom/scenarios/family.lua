-- Parents and children: deletions that reach further rows, and their way back.
local base = ...
local f = base.tombstone.field

-- A team has authors, an author books (both cascade), which are counted; a pin restricts its book,
-- and a memo is kept without its author. Children come first.
local function open(file)
  local s = { db = base.tombstone.open(file, { synchronous = "normal" }) }
  for _, of in ipairs {
    { "Book", "Author", "cascade" },
    { "Author", "Team", "cascade" },
    { "Team" },
    { "Pin", "Book", "restrict" },
    { "Memo", "Author", "keep" },
  } do
    local name, parent = of[1], of[2]
    s[name] = s.db:model(name, {
      name = f.text { unique = true },
      size = (name == "Team" or name == "Author") and f.counter "children" or nil,
      parent = parent and f.belongs_to(parent, {
        on_delete = of[3],
        related_name = of[3] ~= "keep" and "children" or nil,
        null = true,
      }),
    })
  end
  return s
end

-- t has a, with p and q, and b.
local function prepare(_, file)
  local s = open(file)
  s.db:create_tables()
  local t = s.Team:create { name = "t" }
  local a = s.Author:create { name = "a", parent = t }
  s.Author:create { name = "b", parent = t }
  s.Book:bulk_create { { name = "p", parent = a }, { name = "q", parent = a } }
  s.Memo:create { name = "m", parent = a }
  s.db:close()
end

local function start(_, file)
  return open(file)
end

local function skip()
  return "skip"
end

local function undo_in_conflict(s, a, b)
  local event = a:delete()
  s.Book:create { name = "p", parent = b }
  base.equal(2, event:undo { on_conflict = skip })
  base.equal(1, event:counts().Book)
  base.equal(1, event:undo { on_conflict = "rename" })
end

local function rename()
  return "rename"
end

-- A function is asked below the row, or has no say there.
local function restore_in_conflict(s, a, b)
  a:delete()
  s.Book:create { name = "z", parent = b }
  s.Book.deleted_objects:filter({ parent_id = a.id }):first()
  for _, strategies in ipairs { { Book = rename, default = "fail" }, { Book = "skip", Author = rename } } do
    s.Book.objects:filter({ name = "z" }):update { name = "q" }
    base.equal(true, a:restore { on_conflict = strategies })
    a:delete():undo()
    s.Book.objects:filter({ name = "q", parent_id = b.id }):update { name = "z" }
    a:delete()
  end
  a:restore { on_conflict = "rename" }
end

-- A trigger that is missing is made, and its rows are counted.
local function counted_anew(s)
  s.db:transaction(function()
    s.db:exec 'DROP TRIGGER "tombstone_author.size.moved"'
    s.db:create_tables()
  end)
  base.equal(0, s.Author:recount())
end

local function run(s)
  local t, p = s.Team.objects:get { name = "t" }, s.Book.objects:get { name = "p" }
  local a, b = p:parent(), s.Author.objects:get { name = "b" }
  local first, second = p:delete(), t:delete()
  base.expect("parent_deleted", p.restore, p)
  base.expect("parent_deleted", s.Memo.create, s.Memo, { name = "x", parent = a })
  base.equal(0, first:undo())
  base.equal(5, second:undo())
  t:reload():delete()
  p:reload()
  base.equal(2, #p:restore_plan().parents)
  base.equal(2, p:restore_plan({ parents = true }).rows.Author)
  base.equal(true, p:restore { parents = true })
  local pin = s.Pin:create { name = "n", parent = p }
  base.equal(1, select(2, t:delete_plan()).needed[1].count)
  base.expect("restricted", t.delete, t:reload())
  pin:delete()
  undo_in_conflict(s, a, b)
  restore_in_conflict(s, a, b)
  local _, ahead = a:reload():purge { dry_run = true }
  base.equal(1, ahead.kept.Memo)
  counted_anew(s)
  local gone, report = a:purge()
  base.equal(true, gone)
  base.equal(1, report.rows.Author)
  base.equal(nil, s.Memo.objects:first().parent_id)
  base.equal(1, b:forget({ dry_run = true }).rows.Author)
  base.equal(1, b:forget({ actor = "ana", reason = "asked" }).rows.Author)
end

-- The handle is in order: a family dies, comes back and goes.
local function after(s)
  if not s or not s.db or not s.db:is_open() then
    return
  end
  collectgarbage()
  base.equal(0, s.db:depth())
  local author = s.Author:create { name = "afterwards" }
  s.Book:create { name = "afterwards", parent = author }
  base.equal(2, author:delete():undo())
  author:reload():delete()
  base.equal(true, author:restore())
  author:purge()
  base.equal(nil, s.Book.all_objects:find { name = "afterwards" })
end

local rules = {
  -- no further owner of a row that lives or is gone, and none that is the first
  [[SELECT o.id FROM tombstone_owner AS o LEFT JOIN book AS b ON b.id = CAST(o.pk AS integer)
    WHERE o.model = 'Book' AND (b.deleted_event IS NULL OR b.deleted_event = o.event)]],
  "SELECT id FROM tombstone_owner WHERE event NOT IN (SELECT id FROM tombstone_event)",
  -- no living row under a dead parent
  [[SELECT c.id FROM book AS c JOIN author AS p ON p.id = c.parent_id
    WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL]],
  [[SELECT c.id FROM author AS c JOIN team AS p ON p.id = c.parent_id
    WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL]],
  [[SELECT c.id FROM pin AS c JOIN book AS p ON p.id = c.parent_id
    WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL]],
  "SELECT id FROM memo WHERE deleted_at IS NOT NULL",
  -- a counter is a count
  [[SELECT id FROM author WHERE size <> (SELECT count(*) FROM book WHERE parent_id = author.id AND
    book.deleted_at IS NULL)]],
  [[SELECT id FROM team WHERE size <> (SELECT count(*) FROM author WHERE parent_id = team.id AND
    author.deleted_at IS NULL)]],
  -- a team goes with its authors
  [[SELECT t.id FROM team AS t JOIN author AS a ON a.parent_id = t.id
    WHERE t.deleted_at IS NOT NULL AND a.deleted_event IS NOT t.deleted_event]],
  "SELECT rowid FROM pragma_foreign_key_check",
}
for _, name in ipairs { "team", "author", "book", "pin", "memo" } do
  rules[#rules + 1] = "SELECT id FROM " .. name .. " WHERE (deleted_at IS NULL) <> (deleted_event IS NULL)"
  rules[#rules + 1] = "SELECT id FROM "
    .. name
    .. [[ WHERE (deleted_at IS NULL) = (name LIKE '%\_\_deleted\_%' ESCAPE '\')]]
end

return base.scenario { prepare = prepare, start = start, run = run, after = after, rules = rules }
