--- A strict reader of the annotations of lua-language-server, for the spec of `tombstone types`.
--
-- The grammar, a line each, with nothing behind it but a comment that begins with `#`:
--
--     @meta [name]
--     @class name [: type {, type}]          @operator name ["(" type ")"] ":" type
--     @field [visibility] key ["?"] type     key = name | "[" type "]"
--     @param (name | "...") ["?"] type       @return type [name] {, type [name]}
--     @overload fun                          @alias name type          @type type
--
--     type    = postfix {"|" postfix}
--     postfix = primary {"[]" | "?"}
--     primary = "(" type ")" | fun | "{" {name ["?"] ":" type ","} "}" | string | integer
--             | name ["<" type {"," type} ">"] | "..."
--     fun     = "fun" "(" [parameter {"," parameter}] ")" [":" type {"," type}]
--     parameter = (name | "...") ["?"] [":" type]
local M = {}

-- ---- words -----------------------------------------------------------------------------------

local PATTERNS = {
  { "blank", "^%s+" },
  { "string", '^"[^"]*"' },
  { "string", "^'[^']*'" },
  { "integer", "^%-?%d+" },
  { "dots", "^%.%.%." },
  { "name", "^[%a_][%w_]*%f[^%w_]" },
  { "symbol", "^[|:,?%[%](){}<>.]" },
}

local function next_word(text, at)
  for _, pattern in ipairs(PATTERNS) do
    local first, last = text:find(pattern[2], at)
    if first then
      return pattern[1], text:sub(first, last), last + 1
    end
  end
  return nil
end

-- "a.b" is one name.
local function join_names(words)
  local joined = {}
  for _, word in ipairs(words) do
    local last, before = joined[#joined], joined[#joined - 1]
    local dotted = last and last.text == "." and before and before.kind == "name"
    if dotted and word.kind == "name" and before.to == last.from and last.to == word.from then
      joined[#joined] = nil
      before.text, before.to = before.text .. "." .. word.text, word.to
    else
      joined[#joined + 1] = word
    end
  end
  return joined
end

local function words_of(text)
  local words, at = {}, 1
  while at <= #text do
    if text:find("^#", at) then
      break
    end
    local kind, word, after = next_word(text, at)
    if not kind then
      error("cannot read '" .. text:sub(at) .. "'", 0)
    end
    if kind ~= "blank" then
      words[#words + 1] = { kind = kind, text = word, from = at, to = after }
    end
    at = after
  end
  return join_names(words)
end

-- ---- reading ---------------------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

function Reader:peek(text)
  local word = self.words[self.at]
  return word ~= nil and word.kind ~= "string" and word.text == text
end

function Reader:take(text)
  if self:peek(text) then
    self.at = self.at + 1
    return true
  end
  return false
end

function Reader:kind()
  local word = self.words[self.at]
  return word and word.kind
end

function Reader:fail(wanted)
  local word = self.words[self.at]
  error(wanted .. " is wanted, not " .. (word and "'" .. word.text .. "'" or "the end"), 0)
end

function Reader:text_from(word)
  return self.text:sub(word.from, self.words[self.at - 1].to - 1)
end

function Reader:need(text)
  if not self:take(text) then
    self:fail("'" .. text .. "'")
  end
end

function Reader:need_kind(kind)
  if self:kind() ~= kind then
    self:fail("a " .. kind)
  end
  self.at = self.at + 1
  return self.words[self.at - 1].text
end

function Reader:finish()
  if self.words[self.at] then
    self:fail "the end of the line"
  end
end

-- ---- types -----------------------------------------------------------------------------------

function Reader:types()
  repeat
    self:type()
  until not self:take ","
end

function Reader:parameter()
  if not self:take "..." then
    self:need_kind "name"
  end
  self:take "?"
  if self:take ":" then
    self:type()
  end
end

function Reader:fun()
  self:need "fun"
  self:need "("
  if not self:peek ")" then
    repeat
      self:parameter()
    until not self:take ","
  end
  self:need ")"
  if self:take ":" then
    self:types()
  end
end

function Reader:record()
  while not self:take "}" do
    self:need_kind "name"
    self:take "?"
    self:need ":"
    self:type()
    if not self:peek "}" then
      self:need ","
    end
  end
end

function Reader:named()
  local name = self:need_kind "name"
  self.used[#self.used + 1] = name
  if self:take "<" then
    self:types()
    self:need ">"
  end
end

function Reader:primary()
  if self:take "(" then
    self:type()
    self:need ")"
  elseif self:peek "fun" then
    self:fun()
  elseif self:take "{" then
    self:record()
  elseif self:kind() == "string" or self:kind() == "integer" then
    self.at = self.at + 1
  elseif not self:take "..." then
    self:named()
  end
end

function Reader:type()
  repeat
    self:primary()
    while self:peek "[" or self:peek "?" do
      if self:take "[" then
        self:need "]"
      else
        self:take "?"
      end
    end
  until not self:take "|"
end

-- ---- lines -----------------------------------------------------------------------------------

local VISIBILITY = { public = true, private = true, protected = true, package = true }
local read = {}

function read.meta(reader)
  if reader:kind() then
    reader:need_kind "name"
  end
end

function read.class(reader, file)
  local name = reader:need_kind "name"
  file:define(name)
  file.class = { name = name, fields = {}, parents = {} }
  file.classes[name] = file.class
  if reader:take ":" then
    local before = #reader.used
    reader:types()
    for i = before + 1, #reader.used do
      table.insert(file.class.parents, reader.used[i])
    end
  end
end

function read.field(reader, file)
  if not file.class then
    error("a field stands outside of a class", 0)
  end
  local word, behind = reader.words[reader.at], reader.words[reader.at + 1]
  if word and VISIBILITY[word.text] and behind and behind.kind == "name" then
    reader.at = reader.at + 1
  end
  local name
  if reader:take "[" then
    reader:type()
    reader:need "]"
  else
    name = reader:need_kind "name"
  end
  local optional = reader:take "?"
  local first = reader.words[reader.at]
  reader:type()
  if name then
    if file.class.fields[name] then
      error(name .. " is a field twice", 0)
    end
    file.class.fields[name] = { optional = optional, type = reader:text_from(first) }
  end
end

function read.operator(reader)
  reader:need_kind "name"
  if reader:take "(" then
    reader:type()
    reader:need ")"
  end
  reader:need ":"
  reader:type()
end

function read.param(reader, file)
  local name = reader:take "..." and "..." or reader:need_kind "name"
  reader:take "?"
  reader:type()
  table.insert(file.parameters, name)
end

read["return"] = function(reader, file)
  repeat
    reader:type()
    if reader:kind() == "name" then
      reader.at = reader.at + 1
    end
  until not reader:take ","
  file.returns = true
end

function read.overload(reader, file)
  reader:fun()
  file.overloads = true
end

function read.alias(reader, file)
  file:define(reader:need_kind "name")
  reader:type()
end

function read.type(reader)
  reader:type()
end

-- ---- a file ----------------------------------------------------------------------------------

local BUILT_IN = {}
for word in ("nil any boolean string number integer function table thread userdata lightuserdata "
  .. "unknown true false self"):gmatch "%S+" do
  BUILT_IN[word] = true
end

local File = {}
File.__index = File

function File:define(name)
  if self.defined[name] or BUILT_IN[name] then
    error(name .. " is defined twice", 0)
  end
  self.defined[name] = true
end

function File:annotation(tag, text)
  local reader = setmetatable({ words = words_of(text), at = 1, used = {}, text = text }, Reader)
  if not read[tag] then
    error("there is no @" .. tag, 0)
  end
  read[tag](reader, self)
  reader:finish()
  for _, name in ipairs(reader.used) do
    table.insert(self.used, { name = name, line = self.number })
  end
end

-- What stands above a function must name its parameters, in their order.
function File:code(line)
  local name, parameters = line:match "^function ([%w_.:]+)%((.-)%)"
  local described = #self.parameters > 0 or self.returns or self.overloads
  if described and not name then
    error("@param, @return or @overload stands above no function", 0)
  end
  if name and table.concat(self.parameters, ", ") ~= parameters then
    error("the parameters of " .. name .. " are others", 0)
  end
  self.class, self.parameters, self.returns, self.overloads = nil, {}, nil, nil
end

function File:line(line)
  local tag, text = line:match "^%-%-%-@(%a+)%s*(.-)%s*$"
  if tag then
    self:annotation(tag, text)
  elseif line:match "^%-%-%-" then
    error("three dashes without a tag", 0)
  elseif not line:match "^%s*$" and not line:match "^%-%-" then
    self:code(line)
  elseif line == "" then
    self.class = nil
  end
end

--- Reads a file of annotations; raises with the line for what the grammar does not have, for a
-- class that is defined twice and for a type that nothing defines.
-- @string text
-- @treturn table `classes`, by name: `parents`, and `fields` by name: `optional`, `type`
function M.read(text)
  local file = setmetatable({
    defined = {},
    classes = {},
    used = {},
    parameters = {},
    number = 0,
  }, File)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    file.number = file.number + 1
    local ok, why = pcall(file.line, file, line)
    if not ok then
      error(("line %d: %s: %s"):format(file.number, why, line), 0)
    end
  end
  for _, use in ipairs(file.used) do
    if not file.defined[use.name] and not BUILT_IN[use.name] then
      error(("line %d: nothing defines %s"):format(use.line, use.name), 0)
    end
  end
  return file
end

return M
