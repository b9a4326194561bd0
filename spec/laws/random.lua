--- Random numbers that are the same on every Lua: math.random is not.
local Random = {}
Random.__index = Random

--- A generator; equal seeds give equal sequences.
function Random.new(seed)
  local random = setmetatable({ state = seed % 2147483646 + 1 }, Random)
  for _ = 1, 5 do -- neighbouring seeds part
    random:next()
  end
  return random
end

-- Park and Miller's multiplier: all products are exact in a double.
function Random:next()
  self.state = self.state * 48271 % 2147483647
  return self.state
end

--- A whole number of `from` to `to`.
function Random:int(from, to)
  return from + self:next() % (to - from + 1)
end

--- True in so many of a hundred cases.
function Random:chance(percent)
  return self:int(1, 100) <= percent
end

--- One of a list.
function Random:pick(list)
  return list[self:int(1, #list)]
end

--- Some of a list, in its order.
function Random:some(list, percent)
  local some = {}
  for i = 1, #list do
    if self:chance(percent) then
      some[#some + 1] = list[i]
    end
  end
  return some
end

--- A key of `weights`, by its weight; `names` fixes the order of the keys.
function Random:weighted(names, weights)
  local total = 0
  for i = 1, #names do
    total = total + (weights[names[i]] or 0)
  end
  local at = self:int(1, total)
  for i = 1, #names do
    at = at - (weights[names[i]] or 0)
    if at <= 0 then
      return names[i]
    end
  end
end

return Random
