--- Values: which fit a field, how they are stored, and nasty ones to try.
--
-- A value of the mirror is what the database stores: texts and blobs as strings, numbers,
-- booleans, times as the text of their instant. NULL is nil.
local helper = require "helper"
local tombstone = require "tombstone"

local null = tombstone.null
local M = {}

-- ---- time -------------------------------------------------------------------------------

--- Microseconds of a number of seconds.
function M.micro(seconds)
  return math.floor(seconds * 1e6 + 0.5)
end

local function civil(days)
  days = days + 719468
  local era = math.floor(days / 146097)
  local day = days - era * 146097
  local year = math.floor(
    (day - math.floor(day / 1460) + math.floor(day / 36524) - math.floor(day / 146096)) / 365
  )
  day = day - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * day + 2) / 153)
  local of_month = day - math.floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, of_month
end

local function instant(whole, micro)
  local days = math.floor(whole / 86400)
  local rest = whole - days * 86400
  local year, month, day = civil(days)
  local text = string.format(
    "%04d-%02d-%02d %02d:%02d:%02d",
    year, month, day, math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60
  )
  return micro == 0 and text or text .. string.format(".%06d", micro)
end

--- The stored text of a number of seconds.
function M.time(seconds)
  local whole = math.floor(seconds)
  local micro = math.floor((seconds - whole) * 1e6 + 0.5)
  if micro == 1000000 then
    return instant(whole + 1, 0)
  end
  return instant(whole, micro)
end

--- The stored text of a number of microseconds.
function M.time_of_micro(micro)
  local whole = math.floor(micro / 1000000)
  return instant(whole, micro - whole * 1000000)
end

--- What a deletion at that number of microseconds appends.
function M.suffix(micro)
  local whole = math.floor(micro / 1000000)
  return string.format("__deleted_%d.%06d", whole, micro - whole * 1000000)
end

-- ---- what fits a field ------------------------------------------------------------------

local function characters(text)
  local _, n = text:gsub("[^\128-\191]", "")
  return n
end
M.characters = characters

local function is_whole(value)
  return type(value) == "number" and value == math.floor(value)
end

-- Enough for the values below: this is no second validator.
local function is_utf8(text)
  return not text:find "[%z\192\193\245-\255]"
end

local function fits_text(field, value)
  if type(value) ~= "string" or not is_utf8(value) then
    return false
  end
  return not field.max_length or characters(value) <= field.max_length
end

-- Where integers have no 64 bits, big ones are strings of digits.
local function fits_integer(_, value)
  local is_digits = not helper.has_integers and type(value) == "string" and value:match "^%-?%d+$"
  return is_whole(value) or (is_digits and true or false)
end

local FIRST, LAST = -62135596800, 253402300799

local function fits_time(_, value)
  return type(value) == "number" and value >= FIRST and value < LAST + 1
end

local fits = {
  char = fits_text,
  text = fits_text,
  integer = fits_integer,
  number = function(_, value)
    return type(value) == "number" and value - value == 0 -- neither infinite nor NaN
  end,
  boolean = function(_, value)
    return type(value) == "boolean"
  end,
  datetime = fits_time,
  blob = function(_, value)
    return type(value) == "string"
  end,
}

--- True, and the value as it is stored; false for one that the field refuses.
function M.store(field, value)
  if value == nil or value == null then
    return field.null == true, nil
  end
  if not fits[field.kind](field, value) then
    return false
  end
  if field.kind == "datetime" then
    return true, M.time(value)
  end
  return true, field.kind == "number" and value + 0.0 or value
end

-- ---- comparing --------------------------------------------------------------------------

local function folded(field, value)
  return field.collate == "NOCASE" and value:lower() or value
end

--- True where a unique index takes the two stored values for one.
function M.same(field, a, b)
  if type(a) == "string" and type(b) == "string" then
    return folded(field, a) == folded(field, b)
  end
  return a == b
end

--- True where the first stored value comes before the second in the field's order.
function M.before(field, a, b)
  if a == nil or b == nil then
    return a == nil and b ~= nil
  end
  if type(a) == "boolean" then
    return not a and b
  end
  if type(a) == "string" then
    return folded(field, a) < folded(field, b)
  end
  return a < b
end

local function hex(text)
  return (text:gsub(".", function(c)
    return string.format("%02X", c:byte())
  end))
end

local function quoted(field, value)
  if field.kind == "blob" then
    return "X'" .. hex(value) .. "'"
  end
  return "'" .. value:gsub("'", "''") .. "'"
end

--- True where SQL's quote() of a column says this stored value.
function M.is_quoted(field, value, text)
  if value == nil then
    return text == "NULL"
  end
  if field.kind == "boolean" then
    return text == (value and "1" or "0")
  end
  if field.kind == "number" then
    return tonumber(text) == value
  end
  if field.kind == "integer" then
    return text == value or tonumber(text) == value
  end
  return text == quoted(field, value)
end

--- True where a row in Lua shows this stored value.
function M.is_shown(field, value, shown)
  if value == nil then
    return shown == nil
  end
  if field.kind == "datetime" then
    return type(shown) == "number" and M.time(shown) == value
  end
  if field.kind == "number" and type(shown) == "number" then
    return shown + 0.0 == value -- a row keeps what the program wrote into it
  end
  return shown == value
end

-- ---- nasty values -----------------------------------------------------------------------

local MARK = "__deleted_"
local ODD = { "it's", "é", "É", "%", "a\"b\\", "\1\31" }
local BASES = { "", "a", "A", "b", MARK, "a" .. MARK, "a (restored)", helper.unpack(ODD) }

local WIDE = { "é", "日", "😀", "a" }

-- As many characters as fit.
local function full(random, field)
  return random:pick(WIDE):rep(field.max_length or 300)
end

-- A text that ends like one that a deletion of now, or nearly now, writes.
local function marked(random, stamp)
  local text = random:pick(BASES) .. M.suffix(stamp + random:int(-2, 4))
  if random:chance(15) then
    text = text .. M.suffix(stamp + random:int(0, 3))
  end
  return text
end

-- What the article's code writes, and what only looks like a stamp.
local function nearly_marked(random, stamp)
  local whole = math.floor(stamp / 1000000)
  local endings = {
    string.format("%d", whole),
    string.format("%d.", whole),
    string.format("%d.5", whole),
    string.format("%d.%06d ", whole, stamp % 1000000),
    string.format("-%d.%06d", whole, stamp % 1000000),
    string.format("%d.%06d%06d", whole, stamp % 1000000, 0),
  }
  return random:pick(BASES) .. MARK .. random:pick(endings)
end

local function cut(text, field)
  if not field.max_length or characters(text) <= field.max_length then
    return text
  end
  return text:sub(1, field.max_length):gsub("[\128-\255]", "e")
end

local function nasty_text(random, field, stamp)
  local of_hundred = random:int(1, 100)
  local text
  if of_hundred <= 55 then
    text = random:pick(BASES)
  elseif of_hundred <= 80 then
    text = marked(random, stamp)
  elseif of_hundred <= 88 then
    text = nearly_marked(random, stamp)
  else
    return full(random, field)
  end
  return (cut(text, field))
end

local function big(digits)
  return helper.has_integers and tonumber(digits) or digits
end

-- Valgrind computes long doubles in 64 bits, by which SQLite reads these otherwise.
local EXTREME = os.getenv "SPEC_VALGRIND" and { 2, -2 } or { 1e300, -1e-300 }

local pools = {
  integer = { 0, 1, -1, 2, 9007199254740992, big "9223372036854775807", big "-9223372036854775808" },
  number = { 0, 1, -1.5, 0.1, EXTREME[1], EXTREME[2], 9007199254740993 },
  boolean = { true, false },
  datetime = { 0, -1.5, 1763880000, 1763880000.25, 253402300799, -62135596800 },
  blob = { "", "\0", "\0\1", "a", "A", MARK, "\255\254", "'" },
}

--- A stored value as a program gives it, where it is one of those above; nil where it is not.
function M.given(field, stored)
  if stored == nil then
    return null
  elseif field.kind ~= "datetime" then
    return stored
  end
  for _, seconds in ipairs(pools.datetime) do
    if M.time(seconds) == stored then
      return seconds
    end
  end
end

--- A value for a field. `stamp` is about what the next deletion will be stamped with.
function M.nasty(random, field, stamp)
  if field.null and random:chance(25) then
    return null
  end
  if field.kind == "char" or field.kind == "text" then
    return nasty_text(random, field, stamp)
  end
  return random:pick(pools[field.kind])
end

local misfits = {
  integer = { 1.5, "x", true },
  number = { "x", true, 1 / 0 },
  boolean = { 1, "true" },
  datetime = { "2025-01-01", true, 1e15 },
  blob = { 5, true },
}

--- A value that the field refuses.
function M.misfit(random, field)
  if not field.null and random:chance(30) then
    return null
  end
  if field.kind ~= "char" and field.kind ~= "text" then
    return random:pick(misfits[field.kind])
  end
  if field.max_length and random:chance(60) then
    return random:pick(WIDE):rep(field.max_length + 1)
  end
  return random:pick { 5, true, "\255", "a\0b" }
end

return M
