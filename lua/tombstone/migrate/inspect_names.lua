--- Names for what a database calls otherwise: models of tables, fields of columns, ways back.
-- @module tombstone.migrate.inspect_names
local models = require "tombstone.migrate.declared"
local relation = require "tombstone.relation"

local M = {}

local LONGEST = 63 -- bytes of a name

--- A name as models take it: letters, digits and single underscores, the first a letter.
-- @string text
-- @string letter what stands before a name that begins with none
-- @treturn string
function M.clean(text, letter)
  local name = text:gsub("[^%w_]+", "_"):gsub("__+", "_"):gsub("^_+", "")
  name = name:match "^%a" and name or letter .. name
  return (name:sub(1, LONGEST):gsub("_+$", ""))
end

--- blog_post -> BlogPost. A prefix that names an application stays: it tells tables apart.
-- @string table_name
-- @treturn string
function M.model_name(table_name)
  local name = M.clean(table_name, "t_"):gsub("_(%w)", string.upper):gsub("^%l", string.upper)
  return name
end

--- `authorId`, `AuthorID` and `author_id` -> "author"; a column of another ending keeps its name.
-- @string column
-- @treturn string
function M.relation_name(column)
  local stem = column:match "^(.+)_[iI][dD]$" or column:match "^(.*%l)I[dD]$"
  local name = M.clean(stem or column, "r_")
  return stem and not column:find "_" and models.table_name(name) or name
end

-- ---- what is taken ---------------------------------------------------------------------------

local TAIL = { deleted_at = "soft", deleted_event = "events", created_at = "times", updated_at = "times" }

--- Whether a model's field may not have this name: a row answers to it already.
-- @string name
-- @tparam table has `soft`, `events`, `times`, `version`, `id`: the fields that the engine makes
-- @treturn boolean
function M.is_taken(name, has)
  local made = has[TAIL[name] or ""] or (name == "version" and has.version) or (name == "id" and has.id)
  return made or false
end

--- True for words that hide a method.
M.is_method = relation.is_method

--- A name that is free, which is then taken: the name itself, or with a number behind it.
-- @tparam table taken a set
-- @string name
-- @treturn string
function M.free(taken, name)
  local free, n = name, 1
  while taken[free] or relation.is_method(free) do
    n = n + 1
    free = name .. n
  end
  taken[free] = true
  return free
end

-- ---- Lua -------------------------------------------------------------------------------------

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return "
  .. "then true until while"):gmatch "%a+" do
  KEYWORDS[word] = true
end

--- A text as Lua source.
-- @string text
-- @treturn string
function M.quote(text)
  if text:find '"' and not text:find "['\\%c]" then
    return "'" .. text .. "'"
  end
  local quoted = ("%q"):format(text):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("%z", "\\0")
  return quoted
end

--- A key of a table constructor.
-- @string name
-- @treturn string
function M.key(name)
  if name:match "^[%a_][%w_]*$" and not KEYWORDS[name] then
    return name
  end
  return "[" .. M.quote(name) .. "]"
end

return M
