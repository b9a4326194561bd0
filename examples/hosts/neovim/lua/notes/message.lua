--- What users are told: one line each.
local M = {}

--- Tells that something was done.
function M.say(text, ...)
  vim.cmd "redraw" -- else a question that was asked before stays, and wants a key
  vim.notify("notes: " .. text:format(...), vim.log.levels.INFO)
end

--- Tells that something may be unexpected.
function M.warn(text, ...)
  vim.notify("notes: " .. text:format(...), vim.log.levels.WARN)
end

--- An error as one line: what was refused, and what to do.
-- @param err an error of tombstone, a table with `message` and `hint`, or a text
-- @treturn string
function M.line(err)
  local text = type(err) == "table" and err.message or tostring(err)
  local hint = type(err) == "table" and err.hint
  if hint and hint ~= "" then
    text = text .. " - " .. hint
  end
  return (text:gsub("%s*\n%s*", " "))
end

--- Calls `fn`; an error is shown instead of raised.
-- @treturn boolean whether it went well
function M.try(fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok then
    vim.notify("notes: " .. M.line(err), vim.log.levels.ERROR)
  end
  return ok
end

--- "no notes", "one note", "3 notes"
function M.count(n)
  return n == 1 and "one note" or (n == 0 and "no" or n) .. " notes"
end

return M
