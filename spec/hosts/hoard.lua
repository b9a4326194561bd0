-- Takes memory until its host gives no more: each call that met the limit has left nothing, and
-- the handle goes on.
local tombstone, path = ...
local f = tombstone.field
local db = tombstone.open(path)
local Post = db:model("Post", { title = f.text(), content = f.text { default = "" } })
db:create_tables()

local function batch(n)
  local list = {}
  for i = 1, n do
    list[i] = { title = "post " .. i, content = ("x"):rep(500) .. i }
  end
  Post:bulk_create(list)
  return n
end

local kept, refused = batch(100), 0
local n = 100
repeat
  local ok, err = pcall(batch, n)
  if ok then
    kept, n = kept + n, n * 2
  else
    assert(err == "not enough memory", tostring(err))
    refused = refused + 1
    collectgarbage() -- before Lua 5.2 nothing else does it
  end
until refused == 3
assert(db:depth() == 0 and Post.objects:count() == kept)
local ok, err = pcall(function()
  local rows = {}
  for i = 1, 5 do
    rows[i] = Post.objects:all()
  end
  return rows
end)
assert(not ok and err == "not enough memory", tostring(err))
collectgarbage()
assert(Post.objects:filter({ id__lte = 50 }):delete() == 50)
assert(Post.objects:count() == kept - 50)
db:close()
return "refused and went on"
