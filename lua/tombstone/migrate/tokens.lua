--- SQL as a list of tokens: taking texts apart, comparing them, quoting.
-- @module tombstone.migrate.tokens
local core = require "tombstone.core"

local M = {}

local function set(words)
  local found = {}
  for word in words:gmatch "%S+" do
    found[word] = true
  end
  return found
end

-- What a name must be quoted for: SQLite's keywords, without those that it takes for names anyway.
local RESERVED = set [[
  add all alter and as autoincrement between case check collate commit constraint create cross
  current_date current_time current_timestamp default deferrable delete distinct drop else escape
  except exists false foreign from full glob group having in index inner insert intersect into is
  isnull join left like limit match natural not nothing notnull null on or order outer primary
  references regexp returning right select set table then to transaction true union unique update
  using values when where
]]

local function lower(text)
  return (text:gsub("[A-Z]", string.lower)) -- as SQLite folds names
end

--- A name for comparison: its ASCII letters in small.
-- @string text
function M.fold(text)
  return lower(text)
end

--- True for two spellings of one name.
-- @string a
-- @string b
function M.same(a, b)
  return lower(a) == lower(b)
end

-- ---- reading ---------------------------------------------------------------------

local WORD = "^[%a_\128-\255][%w_$\128-\255]*"
local PAIRS = set "|| -> ->> << >> <= >= <> == !="
local CLOSING = { ['"'] = '"', ["`"] = "`", ["["] = "]", ["'"] = "'" }

local function refuse(sql, what, hint)
  local shown = #sql > 60 and sql:sub(1, 60) .. "…" or sql
  core.fail("migration", "SQL " .. what .. ": " .. shown:gsub("%s+", " "), hint)
end

-- Where the quoted text that begins at `from` ends; a doubled quote is one of its characters.
local function quoted_end(sql, from)
  local closing = CLOSING[sql:sub(from, from)]
  local at = from + 1
  while true do
    local to = sql:find(closing, at, true)
    if not to then
      return refuse(sql, "with a quote that does not end")
    end
    if closing == "]" or sql:sub(to + 1, to + 1) ~= closing then
      return to
    end
    at = to + 2
  end
end

local function unquoted(text)
  local closing = CLOSING[text:sub(1, 1)]
  local inner = text:sub(2, -2)
  return closing == "]" and inner or (inner:gsub(closing .. closing, closing))
end

local function skip_comment(sql, at)
  if sql:sub(at, at + 1) == "--" then
    return (sql:find("\n", at, true) or #sql) + 1
  elseif sql:sub(at, at + 1) == "/*" then
    return (select(2, sql:find("*/", at + 2, true)) or #sql) + 1
  end
  return nil
end

-- The next place that is neither blank nor in a comment.
local function skip(sql, at)
  while true do
    at = sql:find("%S", at) or #sql + 1
    local behind = skip_comment(sql, at)
    if not behind then
      return at
    end
    at = behind
  end
end

local function number_end(sql, at)
  local _, to = sql:find("^0[xX][%x_]+", at)
  if to then
    return to
  end
  _, to = sql:find("^[%d_]*%.?[%d_]*", at)
  local _, exponent = sql:find("^[eE][+-]?%d+", to + 1)
  return exponent or to
end

local function sign_end(sql, at)
  for size = 3, 2, -1 do
    if PAIRS[sql:sub(at, at + size - 1)] then
      return at + size - 1
    end
  end
  return at
end

local function kind_at(sql, at)
  local char = sql:sub(at, at)
  if char == "'" then
    return "text", quoted_end(sql, at)
  elseif CLOSING[char] then
    return "name", quoted_end(sql, at)
  elseif sql:find("^[xX]'", at) then
    return "blob", quoted_end(sql, at + 1)
  elseif sql:find(WORD, at) then
    return "word", select(2, sql:find(WORD, at))
  elseif sql:find("^%.?%d", at) then
    return "number", number_end(sql, at)
  end
  return "sign", sign_end(sql, at)
end

local function token(sql, at)
  local kind, to = kind_at(sql, at)
  local text = sql:sub(at, to)
  local made = { kind = kind, text = text, from = at, to = to }
  if kind == "word" then
    made.value, made.word = text, M.fold(text)
  elseif kind == "name" or kind == "text" then
    made.value = unquoted(text)
  end
  return made
end

--- The tokens of a text, without blanks and comments.
-- @string sql
-- @treturn {table,...} each with `kind` (`"word"`, `"name"` for a quoted one, `"text"`, `"blob"`,
-- `"number"`, `"sign"`), `text` as it stands there, `from` and `to`; words, names and texts have
-- a `value` without quotes, words a `word` in small letters
-- @raise migration for a quote that does not end
-- @usage #tokens.list "a >= 'x' -- why" == 3
function M.list(sql)
  local list = {}
  local at = skip(sql, 1)
  while at <= #sql do
    local made = token(sql, at)
    made.spaced = at > 1 and list[#list] ~= nil and list[#list].to + 1 < at
    list[#list + 1] = made
    at = skip(sql, made.to + 1)
  end
  return list
end

-- ---- writing -----------------------------------------------------------------------

--- A name, as SQL writes it.
-- @string text
-- @usage tokens.name "order" == '"order"'
function M.name(text)
  return '"' .. text:gsub('"', '""') .. '"'
end

--- A text, as SQL writes it.
-- @string text
-- @usage tokens.text "it's" == "'it''s'"
function M.text(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

--- The text of some tokens: as it stood there, with one blank for each gap.
-- @tparam {table,...} list
-- @int[opt=1] from
-- @int[opt] to
function M.join(list, from, to)
  local parts = {}
  from = from or 1
  for i = from, to or #list do
    if i > from and list[i].spaced then
      parts[#parts + 1] = " "
    end
    parts[#parts + 1] = list[i].text
  end
  return table.concat(parts)
end

local function plain(text)
  return text:match "^[%l_][%l%d_]*$" and not RESERVED[text] and text or M.name(text)
end

-- What a token says, however it is spelled.
local function canonical(made)
  if made.kind == "name" then
    return plain(lower(made.value))
  elseif made.kind == "text" then
    return made.text
  elseif made.text == "==" then
    return "="
  end
  return made.text == "!=" and "<>" or lower(made.text)
end

local TIGHT = set "( ) , . ;"

-- Two signs in a row would read as one, or as a comment.
local function gap(before, after)
  if TIGHT[before.text] or TIGHT[after.text] then
    return ""
  end
  local signs = (before.kind == "sign" and 1 or 0) + (after.kind == "sign" and 1 or 0)
  return signs == 1 and "" or " "
end

--- A text for comparison: without comments and blanks, words in small letters, simple names
-- without their quotes. Two texts that say the same in other spelling have the same one.
-- @string sql
-- @treturn string
-- @raise migration for a quote that does not end
-- @usage tokens.normal '"Views" >=  0 -- never less' == "views>=0"
function M.normal(sql)
  local list, parts = M.list(sql), {}
  for i, made in ipairs(list) do
    parts[#parts + 1] = i > 1 and gap(list[i - 1], made) or ""
    parts[#parts + 1] = canonical(made)
  end
  return table.concat(parts)
end

--- A text for people: simple names without their quotes, all else as it stands.
-- @string sql
-- @usage tokens.readable '"deleted_at" IS NULL' == "deleted_at IS NULL"
function M.readable(sql)
  local list = M.list(sql)
  for _, made in ipairs(list) do
    if made.kind == "name" and made.value:match "^[%l_][%l%d_]*$" then
      made.text = plain(made.value)
    end
  end
  return M.join(list)
end

-- ---- parentheses ------------------------------------------------------------------

--- The place of the parenthesis that closes the one at `at`, or nil.
-- @tparam {table,...} list
-- @int at
function M.closing(list, at)
  local depth = 0
  for i = at, #list do
    local text = list[i].kind == "sign" and list[i].text
    depth = depth + (text == "(" and 1 or text == ")" and -1 or 0)
    if depth == 0 then
      return i
    end
  end
  return nil
end

--- First and last of the tokens without the parentheses around all of them.
-- @tparam {table,...} list
-- @int[opt=1] from
-- @int[opt] to
function M.inside(list, from, to)
  from, to = from or 1, to or #list
  while from < to and list[from].text == "(" and M.closing(list, from) == to do
    from, to = from + 1, to - 1
  end
  return from, to
end

--- True for one token, a call or something in parentheses: what stands behind belongs to all of it.
-- @tparam {table,...} list
-- @int from
-- @int to
function M.is_whole(list, from, to)
  local opening = list[from].word and from < to and from + 1 or from
  return from == to or (list[opening].text == "(" and M.closing(list, opening) == to)
end

local function is_balanced(list)
  local depth = 0
  for _, made in ipairs(list) do
    local text = made.kind == "sign" and made.text
    depth = depth + (text == "(" and 1 or text == ")" and -1 or 0)
    if depth < 0 or text == ";" then
      return false
    end
  end
  return depth == 0 and #list > 0
end

--- An expression without its comments, which can stand in another statement.
-- @string sql
-- @treturn string
-- @raise migration where it is none: empty, several statements, a parenthesis too many
function M.fragment(sql)
  local list = M.list(sql)
  if not is_balanced(list) then
    refuse(sql, "that is not one expression", "it is empty, or its parentheses do not match")
  end
  return M.join(list)
end

--- The same as `normal`, and without parentheses around all of it.
-- @string sql
function M.bare(sql)
  local list = M.list(sql)
  return M.normal(M.join(list, M.inside(list)))
end

return M
