-- Posts at Tarantool's prompt: tarantool -i console.lua [posts.db]
-- luacheck: globals posts
package.path = arg[0]:match "^(.-)[^/]*$" .. "?.lua;" .. package.path

posts = require("posts").open(arg[1] or "posts.db")
