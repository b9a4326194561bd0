-- bulk_create: all rows or none.
local base = ...

local function rows(batch, n)
  local list = {}
  for i = 1, n do
    list[i] = { title = batch .. "/" .. i, batch = batch, extra = { a = i } }
  end
  return list
end

return base.scenario {
  may_refuse = true,
  run = function(s)
    local Post = s.Post
    base.equal(4, #Post:bulk_create(rows(7, 4)))
    local twice = rows(8, 4)
    twice[4].title = "p1"
    base.equal(4, base.expect("integrity", Post.bulk_create, Post, twice).index)
    s.db:transaction(function()
      Post:bulk_create(rows(7, 0))
      base.expect("integrity", Post.bulk_create, Post, twice)
      Post:bulk_create(rows(9, 4))
    end)
  end,
  rules = {
    "SELECT batch FROM post WHERE batch > 6 GROUP BY batch HAVING batch = 8 OR count(*) <> 4",
  },
}
