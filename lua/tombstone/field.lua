--- The words that declare fields.
--
--     title = f.char { max_length = 100, unique = true }
--     views = f.integer { default = 0, index = true }
--
-- Columns stand in the order of these calls. A field is NOT NULL unless `null = true`.
--
-- Options of every field: `null`, `default` (a value, or a function that makes one),
-- `unique` (`true`: among the living, by the model's strategy; `"mangle"`, `"live"`,
-- `"always"`), `index`, `choices` (a list), `check` (an SQL expression that the living obey,
-- or a function `value -> ok, why`), `collate` (`"NOCASE"` …), `column` (its name in the
-- table), `attr` (its name in Lua), `primary_key`, `renamed_from` (the column's name before, for
-- migrations), and for texts `max_length` (characters).
-- @module tombstone.field
local core = require "tombstone.core"

local M = {}

local OPTIONS = {
  "null",
  "default",
  "unique",
  "index",
  "max_length",
  "choices",
  "check",
  "collate",
  "column",
  "attr",
  "primary_key",
  "renamed_from",
}

local Field = { __name = "tombstone.field" }

--- True for what these words make.
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Field
end

local made = 0

local function make(field, options)
  made = made + 1
  field.place = made
  for name, value in pairs(options or {}) do
    field[name] = value
  end
  return setmetatable(field, Field)
end

local function word(type_name)
  return function(options)
    core.check_options(options, OPTIONS, type_name)
    return make({ type = type_name }, options)
  end
end

--- Text of at most `max_length` characters.
-- @function char
M.char = word "char"
--- Text: valid UTF-8 without zero bytes.
-- @function text
M.text = word "text"
--- A 64-bit integer.
-- @function integer
M.integer = word "integer"
--- A finite double.
-- @function number
M.number = word "number"
--- True or false.
-- @function boolean
M.boolean = word "boolean"
--- Seconds since the epoch, UTC, to the microsecond.
-- @function datetime
M.datetime = word "datetime"
--- Any bytes.
-- @function blob
M.blob = word "blob"
--- A value that JSON can hold.
-- @function json
M.json = word "json"

-- ---- relations ---------------------------------------------------------------------------

local function need_model_name(word_name, model_name, example)
  if type(model_name) ~= "string" then
    core.misuse(word_name .. " takes the name of a model, not a " .. type(model_name), example)
  end
end

local RELATION_OPTIONS = { "on_delete", "related_name", "null", "unique", "index", "column", "attr",
  "renamed_from" }
local ON_DELETE = { cascade = true, restrict = true, keep = true }

--- A row of another model, the parent. The relation `author` makes the field and column
-- `author_id`, which holds the parent's key. Models may be declared in any order, and a model
-- may name itself.
--
--     local Post = db:model("Post", {
--       title = f.text(),
--       author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
--     })
--     local post = Post:create { title = "Hello", author = ana }
--     post:author()          -- the living parent, or nil
--     ana:posts():count()    -- a query of the living children
--
-- A unique relation is one to one: with `unique = true` and `related_name = "profile"`,
-- `ana:profile()` is the living row or nil.
--
-- @string model_name the parent's model
-- @tparam table options `on_delete`, what the parent's deletion means: `"cascade"` (the row dies
-- and comes back with it), `"restrict"` (it is refused while the row lives) or `"keep"` (the row
-- lives on; needs `null = true`); `related_name`, the parent's way to its children; `null`,
-- `unique`, `index`; `column`, the name in the table; `attr`, the relation's name in Lua;
-- `renamed_from`, the column's name before, for migrations
-- @return what `db:model` takes as a field
-- @raise misuse
function M.belongs_to(model_name, options)
  need_model_name("belongs_to", model_name, 'as in f.belongs_to("Author", { on_delete = "cascade" })')
  core.check_options(options, RELATION_OPTIONS, "belongs_to")
  local on_delete = options and options.on_delete
  if on_delete == nil then
    core.misuse("belongs_to needs on_delete", 'it is "cascade", "restrict" or "keep"')
  end
  if not ON_DELETE[on_delete] then
    core.misuse('on_delete is "cascade", "restrict" or "keep", not \'' .. tostring(on_delete) .. "'")
  end
  return make({ type = "integer", references = model_name }, options)
end

--- How many living rows stand at the end of a relation to many: `author:posts()` or
-- `post:tags()`. The database keeps it by triggers that `create_tables` makes, whoever writes:
-- a cascade, an undo, a bulk call, raw SQL. Programs read it, filter and order by it; they cannot
-- write it, and `save` leaves it alone. A row in memory shows what was read: `reload` it.
--
--     local Author = db:model("Author", { name = f.text(), post_count = f.counter "posts" })
--     Author.objects:filter { post_count__gt = 10 }:order_by "-post_count"
--
-- `Author:recount()` counts anew, should rows have come while the triggers were not there, by
-- `INSERT OR REPLACE`, or before their parents.
-- @string name of the relation, declared before or after
-- @tparam[opt] table options `index`, `column`, `attr`, `renamed_from`
-- @return what `db:model` takes as a field
-- @raise misuse
function M.counter(name, options)
  if type(name) ~= "string" then
    core.misuse("counter takes the name of a relation, not a " .. type(name), 'as in f.counter "posts"')
  end
  core.check_options(options, { "index", "column", "attr", "renamed_from" }, "counter")
  return make({ type = "integer", counts = name }, options)
end

local LINK_OPTIONS = { "related_name", "through", "near", "far", "table" }

--- Rows of another model, many for many. It makes no column: rows of a third model, the links,
-- point to both sides, die with either of them and come back with it.
--
--     local Post = db:model("Post", {
--       title = f.text(),
--       tags = f.many_to_many("Tag", { related_name = "posts" }),
--     })
--     post:tags():add(red, blue)      -- the number of new links
--     post:tags():remove(red)         -- deletes the link: its number, and the event
--     post:tags():set { blue }        -- these and no others
--     post:tags():create { name = "green" }
--     red:posts():count()
--
-- Without `through` the model of the links is declared too: `Post_tags`, in the table
-- `post_tags`, with the relations `post` and `tag` (`from_post` and `to_post` where a model is
-- linked to itself). A model of one's own may hold more about the link:
-- `post:tags():add(red, { weight = 3 })`.
--
-- @string model_name the model on the other side
-- @tparam[opt] table options `related_name`, the way back; `through`, the name of a declared
-- model with a `belongs_to` to each side; `near` and `far`, its fields that point here and there
-- (as `"post_id"`), where there are several; `table`, of the links, without `through`
-- @return what `db:model` takes as a field
-- @raise misuse
function M.many_to_many(model_name, options)
  need_model_name("many_to_many", model_name, 'as in f.many_to_many("Tag", { related_name = "posts" })')
  core.check_options(options, LINK_OPTIONS, "many_to_many")
  return make({ type = "link", links_to = model_name }, options)
end

return M
