-- A user who may read a file in WAL mode but write neither it nor its folder.
package.path, package.cpath = "", ""
local module, folder = arg[1], arg[2]
local tombstone = assert(package.loadlib(module, "luaopen_tombstone"))()
local f = tombstone.field
local path = folder .. "/a.db"

local ok, err = pcall(tombstone.open, path, { read_only = true })
assert(not ok and err.kind == "connection", tostring(err))
assert(err.hint:find("immutable=1", 1, true), err.hint)

local db = tombstone.open("file:" .. path .. "?immutable=1", { read_only = true })
local Post = db:model("Post", { title = f.text { unique = true } })
db:create_tables()
assert(Post.objects:count() == 1 and Post.deleted_objects:count() == 1)
local refused, why = pcall(Post.create, Post, { title = "c" })
assert(not refused and why.kind == "database", tostring(why))
db:close()
print "passed"
