--- Lines of a person: lua-readline with history and completion where it is, else plain reading.
-- @module tombstone.cli.line
local M = {}

local function library(terminal)
  if not (terminal.input and terminal.output) then
    return nil
  end
  local ok, readline = pcall(require, "readline")
  return ok and readline or nil
end

local function history_file()
  local home = os.getenv "HOME"
  return home and home .. "/.tombstone_history" or ""
end

-- A name goes on with a dot and not with a blank, which is to be said at each completion.
local function completer(readline, words)
  return function(text, from, to)
    readline.set_completion_append_character ""
    local begun, matches = text:sub(from, to), {}
    for _, word in ipairs(words) do
      if word:sub(1, #begun) == begun then
        matches[#matches + 1] = word
      end
    end
    return matches
  end
end

--- A reader of lines.
-- @tparam terminal terminal
-- @tparam {string,...} words that Tab completes
-- @treturn function it takes a prompt and answers a line, or nil at the end
-- @treturn function to call at the end, which keeps the history
function M.reader(terminal, words)
  local readline = library(terminal)
  if not readline then
    return function(prompt)
      io.write(prompt)
      io.flush()
      return io.read()
    end, function() end
  end
  readline.set_options { histfile = history_file(), keeplines = 1000, completion = true }
  readline.set_complete_function(completer(readline, words))
  return readline.readline, readline.save_history
end

return M
