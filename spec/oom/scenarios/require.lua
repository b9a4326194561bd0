-- The library is loaded, from the first allocation of the state on.
local base = ...
return {
  from_birth = true,
  prepare = function() end,
  start = function()
    base.equal("string", type(base.tombstone._VERSION))
  end,
  rules = {},
}
