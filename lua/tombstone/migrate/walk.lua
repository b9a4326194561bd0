--- Walking over the tokens of a statement, for `tombstone.migrate.parse`.
-- @module tombstone.migrate.walk
local core = require "tombstone.core"
local tokens = require "tombstone.migrate.tokens"

local Walk = {}
Walk.__index = Walk

local M = {}

--- A walk from the first token on.
-- @string sql
function M.new(sql)
  return setmetatable({ sql = sql, list = tokens.list(sql), at = 1 }, Walk)
end

--- Refuses the text, which SQLite has taken and this reader does not know.
-- @string wanted
function Walk:refuse(wanted)
  local token = self.list[self.at]
  local found = token and "'" .. token.text .. "'" or "the end"
  local shown = self.sql:gsub("%s+", " ")
  core.fail(
    "migration",
    "Cannot read " .. (#shown > 60 and shown:sub(1, 60) .. "…" or shown),
    "expected " .. wanted .. " where " .. found .. " stands"
  )
end

--- The word `ahead` tokens from here in small letters, the sign, or nil. Quoted names are none.
function Walk:peek(ahead)
  local token = self.list[self.at + (ahead or 0)]
  return token and (token.word or (token.kind == "sign" and token.text)) or nil
end

--- Steps over these words where all of them stand here.
-- @treturn boolean
function Walk:take(...)
  local n = select("#", ...)
  for i = 1, n do
    if self:peek(i - 1) ~= (select(i, ...)) then
      return false
    end
  end
  self.at = self.at + n
  return true
end

--- Steps over a word or sign that must be here.
function Walk:need(word)
  return self:take(word) or self:refuse(word)
end

--- The token here, stepped over.
function Walk:next()
  local token = self.list[self.at]
  self.at = self.at + 1
  return token or self:refuse "more"
end

--- A name, in whichever quotes.
function Walk:name()
  local token = self.list[self.at]
  if not token or not token.value then
    self:refuse "a name"
  end
  self.at = self.at + 1
  return token.value
end

--- Steps over what stands in parentheses: first and last of the tokens between them.
function Walk:enclosed()
  local from = self.at
  local to = self:peek() == "(" and tokens.closing(self.list, from) or self:refuse "("
  self.at = to + 1
  return from + 1, to - 1
end

--- What stands in parentheses, as text.
function Walk:enclosed_text()
  return tokens.join(self.list, self:enclosed())
end

--- The items of a list in parentheses, each as first and last token.
-- @treturn {{number,number},...}
function Walk:items()
  local from, to = self:enclosed()
  local items, begun, at = {}, from, from
  while at <= to do
    local token = self.list[at]
    if token.kind == "sign" and token.text == "(" then
      at = tokens.closing(self.list, at)
    elseif token.kind == "sign" and token.text == "," then
      items[#items + 1] = { begun, at - 1 }
      begun = at + 1
    end
    at = at + 1
  end
  items[#items + 1] = { begun, to }
  return items
end

return M
