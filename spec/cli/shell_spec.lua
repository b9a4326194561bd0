-- tombstone shell: code, files, what is piped in.
local blog = require "cli.blog"
local command = require "cli.command"

if not command.launcher then
  return
end

local function run(folder, words, input)
  local arguments = { "shell" }
  for _, word in ipairs(words) do
    arguments[#arguments + 1] = word
  end
  return command.run(folder, arguments, { input = input })
end

describe("tombstone shell", function()
  after_each(command.clean)

  local function prints(wanted, folder, words, input)
    local code, out, err = run(folder, words, input)
    assert.same({ 0, wanted, "" }, { code, out, err })
  end

  it("runs what is piped in, a chunk or an expression", function()
    local folder = blog.filled()
    prints("1\n", folder, {}, "print(Post.objects:count())")
    prints("4\n", folder, {}, "local n = Post.objects:count()\nprint(n + 3)\n")
    prints("1\n3\n", folder, {}, "Post.objects:count(),\nPost.deleted_objects:count()\n")
    prints("", folder, {}, "")
  end)

  it("runs code and files, with arguments", function()
    local folder = blog.filled()
    prints("2\n", folder, { "-e", "Author.all_objects:count()" })
    command.write(folder .. "/script.lua", "#!/usr/bin/env lua\nprint(Post.objects:count(), ...)")
    prints("1\ta\tb\n", folder, { "script.lua", "a", "b" })
  end)

  it("runs several codes in order, and not code with a file", function()
    local folder = blog.filled()
    prints("5\n1\n", folder, { "-e", "n = 5", "-e", "n", "--execute", "Post.objects:count()" })
    local code, out, err = run(folder, { "-e", "print(1)", "-e", "x.y = 1", "-e", "print(3)" })
    assert.same({ 1, "1\n" }, { code, out })
    assert.is_truthy(err:find("^tombstone: %(code%):1: "))
    command.write(folder .. "/script.lua", "print 'file'")
    code, out, err = run(folder, { "script.lua", "-e", "print(1)" })
    local hint = "hint: give one of them; quote code with blanks\n"
    local said = "tombstone: both -e and a file are given, script.lua\n" .. hint
    assert.same({ 2, "", said }, { code, out, err })
  end)

  it("has the database, the models and the words of queries", function()
    local folder = blog.filled()
    local code = [[
assert(db:models()[1] == Author and tombstone.F == F and f == tombstone.field)
assert(Post.objects:filter(any { { views = 9 }, { title__startswith = "T" } }):count() == 1)
assert(Post.objects:filter(all { { views = 0 }, none { { views = 1 } } }):count() == 1)
assert(Post.objects:aggregate { n = count "*", s = sum "views", l = min "views" }.n == 1)
assert(null == tombstone.null and max and avg and Q)
x = 1
return x]]
    prints("1\n", folder, {}, code)
  end)

  it("prints values so that they can be read", function()
    local folder = blog.filled()
    local cases = {
      { "Author.objects:first()", 'Author { id = 2, name = "Ben" }' },
      { "Author.objects:all()", '{\n  Author { id = 2, name = "Ben" }\n}' },
      { "Legacy.objects:all()", "{}" },
      { "Post.objects:pluck 'views'", "{ 0, n = 1 }" },
      { "Post.objects:values('id', 'title')", '{\n  { id = 4, title = "Three\\27[31m" }\n}' },
      { '"a\\n\\"b\\"", 1.5, true, nil', '"a\\n\\"b\\""\n1.5\ntrue\nnil' },
      { "null", "null" },
      { "{ 1, { 2, x = { { 3 } } }, [10] = 1 }", "{ 1, { 2, x = { {…} } }, [10] = 1 }" },
      { "{ ['a b'] = 2 }", '{ ["a b"] = 2 }' },
      { "Author.objects:filter { name = 'Ben' }", "SELECT .* WHERE .* -- { \"Ben\" }", true },
      { "Post", "tombstone.model (Post)" },
      { "select('#', ...)", "0" },
      { "(function() end)()", nil },
    }
    for _, case in ipairs(cases) do
      local code, out, err = run(folder, { "-e", case[1] })
      assert.same({ 0, "" }, { code, err })
      if case[3] then
        assert.is_truthy(out:match("^" .. case[2] .. "\n$"), out)
      else
        assert.equal(case[2] and case[2] .. "\n" or "", out)
      end
    end
  end)

  it("leaves the rest of a long list out", function()
    local folder = blog.empty()
    local code = [[
for i = 1, 25 do Author:create { name = "a" .. i } end
return Author.objects:all()]]
    local _, out = run(folder, {}, code)
    assert.is_truthy(out:find("  … and 5 more\n}\n", 1, true))
    assert.equal(20, select(2, out:gsub("Author {", "")))
  end)

  it("ends with 1 and a line where the code fails, and rolls back", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    local cases = {
      { "Post.objects:filter { v = 3 }", "tombstone: Post has no field 'v'\n" },
      { "error 'no'", "tombstone: (code):1: no\n" },
      { "for", "tombstone: (code):1: " },
      { "db:transaction(function() Author:create { name = 'x' } x() end)", "tombstone: (code):1: " },
    }
    for _, case in ipairs(cases) do
      local code, out, err = run(folder, { "-e", case[1] })
      assert.same({ 1, "" }, { code, out })
      assert.equal(case[2], err:sub(1, #case[2]))
    end
    assert.equal(before, blog.state(folder))
    local long = "SELECT '" .. ("x"):rep(300) .. "', vews FROM posts"
    local said = {
      ["db:query 'SELECT vews\\n  FROM posts'"] = "SELECT vews FROM posts",
      [('db:query "%s"'):format(long)] = long:sub(1, 199) .. "…",
    }
    for text, sql in pairs(said) do
      local _, _, err = run(folder, { "-e", text })
      assert.equal("tombstone: no such column: vews\nhint: it is about " .. sql .. "\n", err)
    end
    local scripts = {
      { "\nPost.objects:filter { v = 3 }", "script.lua:2: Post has no field 'v'\n" },
      { "\nerror 'no'", "script.lua:2: no\n" },
      { "\nerror {}", "table: 0x" },
    }
    for _, case in ipairs(scripts) do
      command.write(folder .. "/script.lua", case[1])
      local _, _, err = run(folder, { "script.lua" })
      assert.equal("tombstone: " .. case[2], err:sub(1, #case[2] + 11))
    end
    local code, _, err = run(folder, { "no.lua" })
    assert.same({ 1, "tombstone: cannot read no.lua: No such file or directory\n" }, { code, err })
  end)
end)
