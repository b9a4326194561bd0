--- The notes in the database. Rows are rows of tombstone; what fails raises its errors.
local config = require "notes.config"
local engine = require "notes.engine"

local M = {}

-- Rows of lists are read without their texts.
local LISTED = { "id", "title", "updated_at", "deleted_at", "deleted_event" }

local opened

-- ---- the database ------------------------------------------------------------------------

local function is_title(value)
  return value:find "%S" ~= nil and not value:find "%c", "is not one line of text"
end

-- A title is unique among the living: a note in the trash holds it for nobody.
local function declare(db, f)
  return db:model("Note", {
    title = f.char { max_length = 100, unique = true, collate = "NOCASE", check = is_title },
    text = f.text { default = "" },
    tags = f.many_to_many("Tag", { related_name = "notes" }),
  }, {
    table = "notes",
    timestamps = true,
    version = true, -- two editors on one note: the second one is told
    soft_delete = { unique = "live", keep = config.get "keep" },
  }), db:model("Tag", {
    name = f.text { unique = true, collate = "NOCASE" },
    note_count = f.counter "notes",
  }, { table = "tags" })
end

local function prepare(db, tombstone)
  local notes, tags = declare(db, tombstone.field)
  db:create_tables()
  if config.get "keep" then
    db:purge_expired()
  end
  return { db = db, notes = notes, tags = tags, any = tombstone.any, path = config.get "database" }
end

--- The database, opened when it is first needed.
-- @treturn table `db`, the models `notes` and `tags`, `path`
-- @raise what `engine.load` raises; connection, database, migration, busy
function M.open()
  if opened then
    return opened
  end
  local tombstone, path = engine.load(), config.get "database"
  vim.fn.mkdir(vim.fn.fnamemodify(path, ":h"), "p")
  local db = tombstone.open(path, { busy_timeout = 2000 })
  local ok, made = pcall(prepare, db, tombstone)
  if not ok then
    db:close()
    error(made, 0)
  end
  opened = made
  vim.api.nvim_create_autocmd("VimLeavePre", { once = true, callback = M.close })
  return opened
end

--- Closes the database, where it is open.
function M.close()
  if opened then
    opened.db:close()
    opened = nil
  end
end

-- ---- notes ---------------------------------------------------------------------------------

--- The living note of a title, or nil.
function M.find(title)
  return M.open().notes.objects:find { title = title }
end

--- Whether notes of this title are in the trash.
function M.is_in_trash(title)
  return M.open().notes.deleted_objects:filter({ title = title }):exists()
end

--- A note as it is now, dead or alive; nil where it was purged.
function M.again(note)
  return M.open().notes.all_objects:find { id = note.id }
end

-- The rows of the #words of a text, made where they are new.
local function tags_of(text)
  local rows, seen = {}, {}
  for name in text:gmatch "%f[%S]#([%w\128-\255][%w\128-\255_-]*)" do
    if not seen[name:lower()] then
      seen[name:lower()] = true
      rows[#rows + 1] = M.open().tags:get_or_create { name = name }
    end
  end
  return rows
end

--- Makes a note.
-- @raise integrity where the title is taken; validation
function M.create(title, text)
  return M.open().db:transaction(function()
    local note = M.open().notes:create { title = title, text = text }
    note:tags():set(tags_of(text))
    return note
  end)
end

--- Writes the text of a note, and its tags.
-- @raise stale where another editor has written it since; deleted; not_found where it was purged
function M.write(note, text)
  M.open().db:transaction(function()
    note:update { text = text }
    note:tags():set(tags_of(text))
  end)
end

--- Gives a note another title.
-- @raise integrity where it is taken; stale, deleted, validation
function M.rename(note, title)
  note:update { title = title }
end

-- ---- lists ---------------------------------------------------------------------------------

local function narrowed(query, word)
  local tag = word:match "^#(.+)$"
  if tag then
    return query:filter { tags__name = tag }
  end
  return query:filter(M.open().any { { title__icontains = word }, { text__icontains = word } })
end

--- The living notes that have all words of a pattern, the latest first.
-- @tparam string pattern words of title or text, and #tags
-- @treturn {note,...} without texts, with their tags
function M.list(pattern)
  local query = M.open().notes.objects
  for word in pattern:gmatch "%S+" do
    query = narrowed(query, word)
  end
  return query:only(unpack(LISTED)):with("tags"):order_by("-updated_at", "-id"):all()
end

--- The dead notes, the latest deletion first.
function M.trash()
  return M.open().notes.deleted_objects:only(unpack(LISTED)):order_by("-deleted_at", "-id"):all()
end

local function words(query, field)
  local list = query:order_by(field):limit(50):pluck(field)
  list.n = nil -- Vim takes nothing but a list
  return list
end

--- The first titles that begin with a text, for completion.
function M.titles(beginning)
  return words(M.open().notes.objects:filter { title__istartswith = beginning }, "title")
end

--- The tags of living notes that begin with a text.
function M.tags(beginning)
  return words(M.open().tags.objects:filter { name__istartswith = beginning, note_count__gt = 0 }, "name")
end

-- ---- deletion --------------------------------------------------------------------------------

local function keys(rows)
  return vim.tbl_map(function(row)
    return row.id
  end, rows)
end

--- Deletes notes, in one event.
-- @treturn number how many; another process may have been first
-- @treturn event|nil
function M.delete(rows)
  return M.open().notes.objects:filter({ id__in = keys(rows) }):delete()
end

--- The deletion that a dead note belongs to.
function M.event_of(row)
  return M.open().db:events({ id = row.deleted_event })[1]
end

--- Brings notes back.
-- @tparam[opt] string on_conflict where a title is taken: "fail", "rename", "replace" or "skip"
-- @treturn number how many
-- @raise integrity
function M.restore(rows, on_conflict)
  local query = M.open().notes.deleted_objects:filter { id__in = keys(rows) }
  return query:order_by("-deleted_at", "-id"):restore { on_conflict = on_conflict }
end

--- Brings back what a deletion took, and still holds.
-- @tparam event event
-- @tparam[opt] string on_conflict as for `restore`
-- @treturn number how many notes
-- @raise integrity
function M.undo(event, on_conflict)
  return M.open().db:transaction(function()
    local held = event:counts().Note or 0
    event:undo { on_conflict = on_conflict }
    return held - (event:counts().Note or 0)
  end)
end

--- Removes dead notes for good.
-- @treturn number how many
function M.purge(rows)
  return (M.open().notes.deleted_objects:filter({ id__in = keys(rows) }):purge())
end

return M
