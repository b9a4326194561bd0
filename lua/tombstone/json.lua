--- The JSON codec: lua-cjson where it is installed, or one that you bring.
-- @module tombstone.json
local core = require "tombstone.core"

local M = {}

--- Sets the codec of all JSON fields of this Lua state.
-- @tparam function encode value -> text
-- @tparam function decode text -> value
function M.use(encode, decode)
  core.set_json(encode, decode)
end

local found, cjson = pcall(require, "cjson")
if found then
  -- an instance of our own, where there is one: settings of the host's stay its own
  local codec = type(cjson.new) == "function" and cjson.new() or cjson
  M.use(codec.encode, codec.decode)
end

return M
