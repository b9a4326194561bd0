-- Joins C files into one, for programs that would rather copy a file than link a library:
--   lua csrc/amalgamate.lua CSRC OUTPUT FILE...
-- Headers stand where they are first included; those directly in CSRC are public and stay includes.
-- What a file keeps to itself gets the file's name behind it, as two files may use one name; its
-- macros end where it ends.

local KEYWORDS = {}
for word in ([[if else for while do switch case default return goto break continue sizeof
    void char short int long float double signed unsigned bool const volatile static extern
    inline register restrict auto typedef struct union enum defined]]):gmatch "%a+" do
  KEYWORDS[word] = true
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function base(path)
  return path:match "[^/]+$"
end

-- ---- tokens -------------------------------------------------------------------------

local function end_of_quoted(text, at)
  local quote = text:sub(at, at)
  repeat
    at = at + (text:sub(at, at) == "\\" and 2 or 1)
  until text:sub(at, at) == quote
  return at
end

-- To the end of the line, or of the last line where lines end in a backslash.
local function end_of_directive(text, at)
  local stop = text:find("\n", at, true) or #text + 1
  while text:sub(stop - 1, stop - 1) == "\\" do
    stop = text:find("\n", stop + 1, true) or #text + 1
  end
  return stop - 1
end

-- What begins at `at`: its kind, and where it ends.
local function token_at(text, at)
  local stop = select(2, text:find("^%s+", at))
  if stop then
    return "blank", stop
  elseif text:find("^/%*", at) then
    return "blank", select(2, text:find("*/", at + 2, true))
  elseif text:find("^#", at) and text:sub(1, at - 1):match "[^\n]*$" == "" then
    return "directive", end_of_directive(text, at)
  elseif text:find("^[\"']", at) then
    return "literal", end_of_quoted(text, at)
  end
  stop = select(2, text:find("^[%a_][%w_]*", at))
  if stop then
    return "word", stop
  end
  stop = select(2, text:find("^%.?%d[%w_.]*", at))
  if stop then
    return "literal", stop
  end
  return "sign", text:find("^%->", at) and at + 1 or at
end

local function tokens_of(text)
  local tokens, at = {}, 1
  while at <= #text do
    local kind, stop = token_at(text, at)
    tokens[#tokens + 1] = { kind = kind, text = text:sub(at, stop) }
    at = stop + 1
  end
  return tokens
end

local function is_tag_word(word)
  return word == "struct" or word == "union" or word == "enum"
end

-- Calls visit(token, before, after, outer) for each that means something, with the texts beside it
-- and what encloses it, innermost first: "(", "[", "struct", "union", "enum", "{".
local function walk(tokens, visit)
  local solid = { { text = "" } }
  for _, token in ipairs(tokens) do
    if token.kind ~= "blank" and token.kind ~= "directive" then
      solid[#solid + 1] = token
    end
  end
  local outer = {}
  for i = 2, #solid do
    local text, before = solid[i].text, solid[i - 1].text
    if text == ")" or text == "]" or text == "}" then
      table.remove(outer, 1)
    end
    visit(solid[i], before, solid[i + 1] and solid[i + 1].text or "", outer)
    if text == "(" or text == "[" then
      table.insert(outer, 1, text)
    elseif text == "{" then
      local word = is_tag_word(before) and before or solid[math.max(i - 2, 1)].text
      table.insert(outer, 1, is_tag_word(word) and word or "{")
    end
  end
end

-- ---- names --------------------------------------------------------------------------

local function is_private(name)
  return not (KEYWORDS[name] or name:match "^tomb_" or name:match "^luaopen_")
end

-- The names that a file declares for itself: functions, variables, types, enumerators.
local function private_names(tokens)
  local names, has_value = {}, false
  walk(tokens, function(token, before, after, outer)
    local text = token.text
    if #outer == 0 then
      has_value = text == "=" or (has_value and text ~= ";" and text ~= ",")
    end
    if token.kind ~= "word" or not is_private(text) then
      return
    elseif #outer == 0 and not has_value then
      if (after == "{" and is_tag_word(before)) or after:match "^[(=;,[]$" then
        names[text] = true
      end
    elseif outer[1] == "enum" and not outer[2] and before:match "^[{,]$" then
      names[text] = true
    end
  end)
  return names
end

-- Puts `ending` behind the names wherever they are not members of a struct.
local function rename(tokens, names, ending)
  walk(tokens, function(token, before, after, outer)
    local is_member = before == "." or before == "->"
      or ((outer[1] == "struct" or outer[1] == "union") and after:match "^[;,:)[]$")
    if token.kind == "word" and names[token.text] and not is_member then
      token.text = token.text .. ending
    end
  end)
  for _, token in ipairs(tokens) do
    if token.kind == "directive" and not token.text:match "^#include" then
      local body = tokens_of((token.text:gsub("^#", "")))
      rename(body, names, ending)
      for i, part in ipairs(body) do
        body[i] = part.text
      end
      token.text = "#" .. table.concat(body)
    end
  end
end

-- ---- files --------------------------------------------------------------------------

-- Where a header lies, and whether it is public.
local function find_header(root, name)
  for _, folder in ipairs { "/", "/core/", "/driver/", "/lua/" } do
    local path = root .. folder .. base(name)
    local file = io.open(path, "rb")
    if file then
      file:close()
      return path, folder == "/"
    end
  end
  error(name .. " is not in " .. root)
end

-- What the file defined, the next one may define otherwise.
local function end_macros(out, tokens)
  local is_known = {}
  for _, token in ipairs(tokens) do
    local name = token.kind == "directive" and token.text:match "^#define%s+([%w_]+)"
    if name and not is_known[name] then
      is_known[name] = true
      out[#out + 1] = "#undef " .. name .. "\n"
    end
  end
end

-- Adds a file to the list of texts; `seen` are the headers that are in it.
local function add_file(out, seen, root, path)
  local tokens = tokens_of(read(path))
  if path:match "%.c$" then
    rename(tokens, private_names(tokens), "_" .. base(path):match "^[%w_]+")
  end
  out[#out + 1] = ("/* ==== %s ==== */\n\n"):format(base(path))
  for _, token in ipairs(tokens) do
    local name = token.kind == "directive" and token.text:match '^#include "(.-)"'
    local header, is_public
    if name then
      header, is_public = find_header(root, name)
    end
    if not name or is_public then
      out[#out + 1] = token.text
    elseif not seen[header] then
      seen[header] = true
      add_file(out, seen, root, header)
    end
  end
  if path:match "%.c$" then
    end_macros(out, tokens)
  end
end

local TOP = [[
/*
** %s - tombstone %s in one file, joined by csrc/amalgamate.lua.
** Do not edit it: edit what it is made of.
*/
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#if !defined(_DEFAULT_SOURCE) /* for madvise */
#define _DEFAULT_SOURCE
#endif
#if !defined(_FILE_OFFSET_BITS) /* on 32 bits too */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#endif

]]

local root, output = arg[1], arg[2]
local version = read(root .. "/tombstone.h"):match '#define TOMB_VERSION "(.-)"'
local out, seen = { TOP:format(base(output), version) }, {}
for i = 3, #arg do
  add_file(out, seen, root, arg[i])
end
local file = assert(io.open(output, "wb"))
assert(file:write(table.concat(out)))
assert(file:close())
