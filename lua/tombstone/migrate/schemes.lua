--- How other programs mark deleted rows: what the columns and values of a table say of it.
--
-- `deleted_at`  a time, NULL for the living: Laravel, GORM, discard, the article, …
-- `paranoia`    the same, with a sentinel in place of NULL, or with `active`, which is NULL for the dead
-- `unix`        a number, 0 for the living: GORM's plugin
-- `safedelete`  `deleted`, a time, and `deleted_by_cascade`: django-safedelete
-- `flag`        a boolean, with a time beside it or without
-- `active`      a boolean that is false for the dead
-- `mangled`     values with `__deleted_<time>` behind them: the article, with a time or without
-- `none`        nothing of this
-- @module tombstone.migrate.schemes
local core = require "tombstone.core"
local finding = require "tombstone.migrate.finding"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"

local M = {}

--- Their names.
M.NAMES = { "deleted_at", "paranoia", "unix", "safedelete", "flag", "active", "mangled", "none" }

-- Without underscores and capitals, the likely ones first.
local STAMPS = { "deletedat", "deletedon", "deletedtime", "deletedtimestamp", "deletedts", "deletedate",
  "deleteddate", "datedeleted", "deletiondate", "deletiontime", "deletetime", "deleteat", "softdeletedat",
  "discardedat", "trashedat", "removedat", "destroyedat", "deleted" }
local FLAGS = { "isdeleted", "deleted", "isdel", "delflag", "deletedflag", "deleteflag", "isdelete",
  "softdeleted", "issoftdeleted",
  "isremoved", "removed", "istrashed", "trashed", "isdiscarded", "discarded", "deletedat" }
local ACTIVE = { "active", "isactive", "alive", "isalive" }
local CASCADE = { "deletedbycascade" }

M.TRUE = "('1', '1.0', 't', 'true', 'y', 'yes', 'on')"
M.FALSE = "('0', '0.0', 'f', 'false', 'n', 'no', 'off', '')"

local function flat(name)
  return (name:lower():gsub("_", ""))
end

-- The first column of these names that passes a test.
local function first(t, names, test)
  for _, name in ipairs(names) do
    for _, column in ipairs(t.columns) do
      if flat(column.name) == name and (not test or test(column)) then
        return column.name
      end
    end
  end
end

-- ---- values ---------------------------------------------------------------------------------------

--- True where some row is so.
function M.some(db, t, condition)
  return #db:query(("SELECT 1 FROM %s WHERE %s LIMIT 1"):format(tokens.name(t.name), condition)) > 0
end

--- A flag as a word for comparison.
function M.word(column)
  return ("lower(CAST(%s AS text))"):format(tokens.name(column))
end

-- Of a column that may be a flag or a time: what it holds says it, else its type, else its name.
local function is_flag(db, t, column)
  local kind, name = column.type:lower(), tokens.name(column.name)
  if kind:find "bool" or kind:find "date" or kind:find "time" then
    return kind:find "bool" ~= nil
  end
  local word = M.word(column.name)
  if M.some(db, t, ("%s NOT IN %s AND %s NOT IN %s"):format(word, M.TRUE, word, M.FALSE)) then
    return false
  end
  local is_stamp = flat(column.name):find "at$" ~= nil
  return not is_stamp or M.some(db, t, name .. " IS NOT NULL AND " .. word .. " IN " .. M.TRUE)
end

local function is_number(db, t, name)
  local column = tokens.name(name)
  local kind = finding.find_column(t, name).type:lower()
  return M.some(db, t, ("typeof(%s) IN ('integer', 'real') AND %s <> 0"):format(column, column))
    or (kind:find "int" ~= nil and not M.some(db, t, ("typeof(%s) = 'text'"):format(column)))
end

--- The unique texts that the article would mangle.
function M.unique_texts(t)
  local list = {}
  for _, group in ipairs(soft.groups(t)) do
    local name = group.columns and #group.columns == 1 and group.columns[1]
    if name and soft.is_text(t, name) and not finding.names(list, name) then
      list[#list + 1] = name
    end
  end
  return list
end

local function has_marks(db, t, dead)
  for _, name in ipairs(M.unique_texts(t)) do
    if M.some(db, t, ("tombstone_marked_at(%s) IS NOT NULL%s"):format(tokens.name(name), dead)) then
      return true
    end
  end
  return false
end

-- `active` may mean something else: it is the mark's other half where it never contradicts it.
local function goes_along(db, t, stamp, active)
  local is_active = ("%s IS NOT NULL AND %s IN %s"):format(tokens.name(active), M.word(active), M.TRUE)
  local lives = M.no_stamp(stamp)
  local is_in_key = false
  for _, group in ipairs(soft.groups(t)) do
    is_in_key = is_in_key or (group.columns ~= nil and finding.names(group.columns, active))
  end
  return (is_in_key or M.some(db, t, tokens.name(active) .. " IS NULL"))
    and not M.some(db, t, ("(%s) <> (%s)"):format(is_active, lives))
end

--- The SQL by which a time is none: NULL, zero, or what stands for it.
-- @string column
-- @string[opt] sentinel
function M.no_stamp(column, sentinel)
  local name = tokens.name(column)
  return ("(%s IS NULL OR %s IN (0, '', '0') OR %s LIKE '0000-%%' OR %s LIKE '0001-01-01%%'%s)"):format(
    name,
    name,
    name,
    name,
    sentinel and (" OR %s = %s"):format(name, tokens.text(sentinel)) or ""
  )
end

-- ---- which ----------------------------------------------------------------------------------------------

local function by_stamp(db, t, found)
  if found.cascade then
    return "safedelete"
  elseif found.flag then
    return "flag"
  elseif found.active and goes_along(db, t, found.stamp, found.active) then
    return "paranoia"
  elseif has_marks(db, t, " AND NOT " .. M.no_stamp(found.stamp)) then
    return "mangled"
  elseif is_number(db, t, found.stamp) then
    return "unix"
  end
  local has_sentinel = M.some(db, t, tokens.name(found.stamp) .. " LIKE '0000-%'")
  return has_sentinel and "paranoia" or "deleted_at"
end

local function guess(db, t, found)
  if soft.is_made(t) then
    return "tombstone"
  elseif found.stamp then
    return by_stamp(db, t, found)
  elseif found.flag then
    return "flag"
  elseif has_marks(db, t, "") then
    return "mangled"
  end
  return found.active and "active" or "none"
end

local function spelled(t, name)
  return name and finding.find_column(t, name).name
end

-- What each scheme goes by; the first is needed.
local USES = {
  deleted_at = { "stamp" },
  unix = { "stamp" },
  safedelete = { "stamp", "cascade" },
  paranoia = { "stamp", "active" },
  flag = { "flag", "stamp" },
  active = { "active", "stamp" },
  mangled = { "stamp" },
  none = {},
  tombstone = {},
}

local function only_used(t, found)
  local uses, used = USES[found.scheme], { scheme = found.scheme, is_told = found.is_told }
  for _, part in ipairs(uses) do
    used[part] = found[part]
  end
  if uses[1] and not used[uses[1]] and found.scheme ~= "mangled" then
    core.fail(
      "migration",
      ("Table '%s' has no column for the scheme '%s'"):format(t.name, found.scheme),
      'name it, by from = "…" for a time, flag = "…" for a boolean'
    )
  end
  return used
end

local function need_known(scheme)
  if scheme and not finding.names(M.NAMES, scheme) then
    core.misuse(
      ("There is no scheme '%s'"):format(tostring(scheme)),
      "it is one of " .. table.concat(M.NAMES, ", ")
    )
  end
end

--- What marks the deleted rows of a table.
-- @tparam database db
-- @tparam table t of a schema
-- @tparam table options `scheme`, `from` (the column of the time), `flag` (the boolean)
-- @treturn table `scheme`, `stamp`, `flag`, `active`, `cascade` (columns), `is_told`
-- @raise migration, misuse
function M.find(db, t, options)
  need_known(options.scheme)
  local found = {
    scheme = options.scheme,
    is_told = options.scheme ~= nil,
    cascade = first(t, CASCADE),
    active = options.scheme == "active" and spelled(t, options.flag) or first(t, ACTIVE),
  }
  found.stamp = spelled(t, options.from) or first(t, STAMPS, function(column)
    return not is_flag(db, t, column)
  end)
  found.flag = spelled(t, options.flag) or first(t, FLAGS, function(column)
    return column.name ~= found.stamp and is_flag(db, t, column)
  end)
  found.scheme = found.scheme or guess(db, t, found)
  return only_used(t, found)
end

return M
