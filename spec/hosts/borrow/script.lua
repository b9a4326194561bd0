-- What a host's script does on the connection that it is lent:
--   host script.lua MODULE
-- MODULE is the one file that holds the whole library.
local module = arg[1]
package.preload.tombstone = assert(package.loadlib(module, "luaopen_tombstone"))
local lender = require "lender"
local tombstone = require "tombstone"
local f = tombstone.field

local conn = lender.open ":memory:"
conn:exec "CREATE TABLE score (n); INSERT INTO score VALUES (7)"
local db = conn:lend()
assert(db:info().version == lender.version(), "it is the host's SQLite that runs")
local Post = db:model("Post", { title = f.char { max_length = 100, unique = true } })
db:create_tables()

local post = Post:create { title = "Hello" }
local event = post:delete()
Post:create { title = "Hello" }
assert(not pcall(post.restore, post))
Post.objects:delete { all = true }
event:undo()
assert(Post.objects:get({}).title == "Hello")

conn:exec "BEGIN"
Post.objects:delete { all = true }
Post:create { title = "gone with the host's transaction" }
pcall(db.transaction, db, function()
  Post:create { title = "taken back by the script" }
  error "no"
end)
assert(conn:ask "SELECT count(*) FROM post" == "3")
conn:exec "ROLLBACK"
assert(Post.objects:count() == 1 and Post.objects:get({}).title == "Hello")

assert(conn:close() == 5, "busy, as long as it is lent")
db:close()
assert(conn:ask "SELECT n FROM score" == "7")
assert(not pcall(conn.ask, conn, "SELECT tombstone_integer(1)"))
assert(conn:close() == 0)
print(lender.version())
