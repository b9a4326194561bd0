--- Texts of others in a line for people.
-- @module tombstone.cli.text
local M = {}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

--- Text of the database in one line: what would move the cursor is escaped.
-- @param value
-- @treturn string
function M.plain(value)
  local text = tostring(value):gsub("[%z\1-\31\127]", function(control)
    return ESCAPES[control] or ("\\%d"):format(control:byte())
  end)
  return (text:gsub("\194[\128-\159]", function(control)
    return ("\\u{%x}"):format(control:byte(2))
  end))
end

--- How many places a text takes: characters, not bytes.
function M.width(text)
  local continued = select(2, text:gsub("[\128-\191]", ""))
  return #text - continued
end

--- The text, cut to so many characters.
function M.short(text, most)
  if M.width(text) <= most then
    return text
  end
  local characters = {}
  for character in text:gmatch "[%z\1-\127\192-\255][\128-\191]*" do
    characters[#characters + 1] = character
    if #characters == most - 1 then
      break
    end
  end
  return table.concat(characters) .. "…"
end

return M
