-- Runs in Neovim, before the script of a spec: what scripts press, read and answer. Ends Neovim.
-- luacheck: std luajit
-- luacheck: globals vim
local told, answers, environment = {}, {}, {}

--- What the user was told, in one text.
function environment.told()
  return table.concat(told, "\n")
end

function environment.press(keys)
  local raw = vim.api.nvim_replace_termcodes(keys, true, false, true)
  vim.api.nvim_feedkeys(raw, "mtx", false)
end

function environment.lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

--- Writes lines into the buffer.
function environment.put(...)
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { ... })
end

--- Opens a note and writes it.
function environment.note(title, ...)
  vim.cmd("Note " .. title)
  environment.put(...)
  vim.cmd "write"
end

--- What the next question of vim.ui.select is answered with.
function environment.answer(word)
  answers[#answers + 1] = word
end

vim.notify = function(text)
  told[#told + 1] = text
end

vim.ui.select = function(items, _, choose)
  local word = assert(table.remove(answers, 1), "nothing was to be asked")
  for _, item in ipairs(items) do
    if item.word == word then
      return choose(item)
    end
  end
  error(word .. " is no choice")
end

return function(path)
  local script = assert(loadfile(path))
  setfenv(script, setmetatable(environment, { __index = _G }))
  local ok, err = xpcall(script, debug.traceback)
  if not ok then
    io.stderr:write(err, "\n", environment.told(), "\n")
    vim.cmd "cquit"
  end
  vim.cmd "qa!"
end
