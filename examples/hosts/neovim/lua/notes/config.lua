--- What users may set, by `require("notes").setup { name = value }` or `vim.g.notes_name = value`.
local M = {}

local KNOWN = { database = "string", module = "string", filetype = "string", keep = "string" }
local IS_PATH = { database = true, module = true }

local function default(name)
  if name == "database" then
    return vim.fn.stdpath "data" .. "/notes.db"
  end
  return name == "filetype" and "markdown" or nil
end

local chosen = {}

--- The value of an option: from `setup`, from `g:notes_…`, else the default.
-- @tparam string name
-- @treturn string|nil
function M.get(name)
  local value = chosen[name] or vim.g["notes_" .. name] or default(name)
  return value and IS_PATH[name] and vim.fn.fnamemodify(vim.fn.expand(value), ":p") or value
end

local function names()
  local list = vim.tbl_keys(KNOWN)
  table.sort(list)
  return table.concat(list, ", ")
end

--- Takes the options of `setup`.
-- @tparam[opt] table options `database`, `module`, `filetype`, `keep`
-- @raise `{ message, hint }` for an option that is not known or of another type
function M.set(options)
  for name, value in pairs(options or {}) do
    if not KNOWN[name] then
      error({ message = ("There is no option '%s'"):format(name), hint = "There are " .. names() }, 0)
    elseif type(value) ~= KNOWN[name] then
      error({ message = ("%s takes a %s, not a %s"):format(name, KNOWN[name], type(value)) }, 0)
    end
  end
  chosen = vim.deepcopy(options or {})
end

return M
