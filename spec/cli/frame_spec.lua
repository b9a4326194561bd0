-- The frame of the command: usage, configuration, errors, exit codes, and the small commands.
local cjson = require "cjson"
local command = require "cli.command"
local blog = require "cli.blog"

if not command.launcher then
  describe("the command", function()
    it("needs a build", function()
      pending "this suite does not run from a build"
    end)
  end)
  return
end

local function refuses(code, lines, folder, arguments, options)
  local status, out, err = command.run(folder, arguments, options)
  assert.equal(lines .. "\n", err)
  assert.equal("", out)
  assert.equal(code, status)
end

describe("the command", function()
  after_each(command.clean)

  it("says its version", function()
    local code, out, err = command.run(".", { "version" })
    assert.equal(0, code)
    assert.is_truthy(out:match "^tombstone 0%.1%.0, Lua.*, SQLite 3%.[%d.]+\n")
    assert.equal("", err)
    local _, text = command.run(".", { "version", "--json" })
    assert.equal("0.1.0", cjson.decode(text).tombstone)
  end)

  it("answers wrong usage with 2 and the help to read", function()
    refuses(2, "tombstone: a command is required\nhint: see tombstone --help", ".", {})
    refuses(2, "tombstone: unknown option '--nope'\nhint: see tombstone trash list --help", ".", {
      "trash", "list", "--nope",
    })
    local misspelled = "tombstone: unknown command 'trahs' Did you mean 'trash'?"
    refuses(2, misspelled .. "\nhint: see tombstone --help", ".", { "trahs" })
  end)

  it("has help for each command", function()
    for _, words in ipairs { { "init" }, { "shell" }, { "trash" }, { "trash", "purge" }, { "completion" } } do
      words[#words + 1] = "--help"
      local code, out = command.run(".", words)
      assert.equal(0, code)
      assert.is_truthy(out:match "^Usage: tombstone ")
    end
    local _, out = command.run(".", { "--help" })
    assert.is_truthy(out:find("2 wrong usage, 3 nothing to do", 1, true))
  end)

  it("writes completions that the shells can read", function()
    local _, bash = command.run(".", { "completion", "bash" })
    local file = command.folder() .. "/completion"
    local ask = [[
COMP_WORDS=(tombstone trash pu); COMP_CWORD=2; _tombstone; echo "${COMPREPLY[@]}"
COMP_WORDS=(tombstone trash undo --on-conflict re); COMP_CWORD=4; _tombstone; echo "${COMPREPLY[@]}"
]]
    command.write(file, bash .. ask)
    local pipe = io.popen("exec env -u LD_PRELOAD bash " .. file)
    assert.equal("purge\nrename replace\n", pipe:read "*a")
    pipe:close()
    for _, shell in ipairs { "zsh", "fish" } do
      local code, out = command.run(".", { "completion", shell })
      assert.equal(0, code)
      assert.is_truthy(out:find("purge", 1, true))
    end
  end)
end)

describe("the output", function()
  after_each(command.clean)

  it("that cannot be written is a failure", function()
    local folder = blog.filled()
    local file = folder .. "/run"
    command.write(file, ("exec %s trash list >/dev/full"):format(command.launcher))
    local code, out, err = command.run(folder, { file }, { program = "sh" })
    local line_of_error = "tombstone: cannot write the output - No space left on device\n"
    assert.same({ 1, "", line_of_error }, { code, out, err })
  end)
end)

describe("under --json", function()
  after_each(command.clean)

  it("stdout is one document, whatever the user's files print", function()
    local folder = blog.filled()
    local talk = "print('loud', 1, nil) io.write('louder\\n')\n"
    local said = "loud\t1\tnil\nlouder\n"
    for _, name in ipairs { "models.lua", "tombstone.config.lua" } do
      command.write(folder .. "/" .. name, talk .. command.read(folder .. "/" .. name))
    end
    local code, out, err = command.run(folder, { "trash", "list", "--json" })
    assert.equal(0, code)
    assert.equal(command.golden "list", out)
    assert.equal(said:rep(2), err)
    code, out = command.run(folder, { "shell", "--json", "-e", "print(3)" })
    assert.same({ 0, said:rep(2) .. "3\n" }, { code, out })
    code, out = command.run(folder, { "trash", "list" })
    assert.equal(0, code)
    assert.equal(said:rep(2), out:sub(1, 2 * #said))
  end)

  it("a migration may print", function()
    local folder = command.folder()
    command.run(folder, { "init" })
    command.write(folder .. "/migrations/0001_x.lua",
      "print 'read' return { up = function(m) print 'run' m:execute 'SELECT 1' end }")
    local code, out = command.run(folder, { "migrate", "--json" })
    assert.equal(0, code)
    assert.same({ migrations = { "0001_x" }, dry_run = false }, cjson.decode(out))
  end)
end)

describe("the installed command", function()
  after_each(command.clean)

  it("finds its modules from where it lies", function()
    local prefix = command.folder()
    local build = command.launcher:match "^(.*)/"
    local code = command.run(".", { "--install", build, "--prefix", prefix }, {
      program = "cmake",
      environment = { LD_PRELOAD = "" },
    })
    assert.equal(0, code)
    local program = prefix .. "/bin/tombstone"
    local mine = command.read("lua/tombstone/cli/version.lua")
    local module = "io.stdout:write('mine ')" .. mine
    local path = ("/share/lua/%s/tombstone/cli/version.lua"):format(_VERSION:match "%d.%d")
    command.write(prefix .. path, module)
    for _, folder in ipairs { ".", prefix .. "/bin" } do
      local status, out = command.run(folder, { "version" }, { program = program })
      assert.equal(0, status)
      assert.is_truthy(out:match "^mine tombstone 0")
    end
    local status, out = command.run(prefix, { "version" }, { program = "bin/tombstone" })
    assert.equal(0, status)
    assert.is_truthy(out:match "^mine tombstone 0")
  end)
end)

describe("tombstone init", function()
  after_each(command.clean)

  it("writes what a new program needs, and never over it", function()
    local folder = command.folder()
    local code, out = command.run(folder, { "init" })
    assert.equal(0, code)
    assert.equal("wrote tombstone.config.lua\nwrote models.lua\nwrote migrations/\n", out)
    command.write(folder .. "/models.lua", "-- mine")
    code, out = command.run(folder, { "init", "--json" })
    assert.equal(0, code)
    assert.equal(command.golden "init", out)
    assert.equal("-- mine", command.read(folder .. "/models.lua"))
  end)

  it("writes into a folder, with the name of the database", function()
    local folder = command.folder()
    assert.equal(0, (command.run(folder, { "init", "app", "--database", 'a "b" %1.db' })))
    local settings = assert(loadfile(folder .. "/app/tombstone.config.lua"))()
    assert.same({ database = 'a "b" %1.db', models = "models.lua", migrations = "migrations" }, settings)
  end)

  it("writes models that work", function()
    local folder = command.folder()
    command.run(folder, { "init" })
    local code = 'db:create_tables() Post:create { title = "Hello" } print(Post.objects:count())'
    local status, out, err = command.run(folder, { "--database", ":memory:", "shell", "-e", code })
    assert.same({ 0, "1\n", "" }, { status, out, err })
  end)

  it("says why it cannot write", function()
    local folder = command.folder()
    local line = "tombstone: cannot make the folder a/b - No such file or directory"
    refuses(1, line, folder, { "init", "a/b" })
  end)
end)

describe("the configuration", function()
  after_each(command.clean)

  local function count(folder, arguments, options)
    local words = { "trash", "list", "--json" }
    for _, word in ipairs(arguments or {}) do
      words[#words + 1] = word
    end
    local code, out, err = command.run(folder, words, options)
    assert.equal("", err)
    assert.equal(0, code)
    return cjson.decode(out).total
  end

  it("is a file, the environment, or options, which go before", function()
    local folder, other = blog.filled(), blog.empty()
    assert.equal(6, count(folder))
    assert.equal(0, count(folder, nil, { environment = { TOMBSTONE_DATABASE = other .. "/blog.db" } }))
    assert.equal(6, count(folder, { "--database", "blog.db" }, {
      environment = { TOMBSTONE_DATABASE = other .. "/blog.db" },
    }))
    assert.equal(0, count(folder, { "--config", other .. "/tombstone.config.lua" }))
  end)

  it("has paths beside its file, and models that find what lies beside them", function()
    local folder = blog.filled()
    os.rename(folder .. "/models.lua", folder .. "/declared.lua")
    command.write(folder .. "/models.lua", 'return require "declared"')
    assert.equal(6, count(command.folder(), { "--config", folder .. "/tombstone.config.lua" }))
  end)

  it("is refused in one line for each thing that is missing or wrong", function()
    local folder = command.folder()
    local config, models = folder .. "/tombstone.config.lua", folder .. "/models.lua"
    local list = { "trash", "list" }
    local init = "hint: tombstone init writes tombstone.config.lua"
    refuses(1, "tombstone: no database is named\n" .. init .. "; or give --database FILE", folder, list)
    refuses(1, "tombstone: x.lua is not there\n" .. init, folder, { "--config", "x.lua", "trash", "list" })
    local hint_of_file = "hint: make it with tombstone diff and tombstone migrate; or give %-%-database"
    local wrong = {
      { "return {", "tombstone: tombstone.config.lua:1: unexpected symbol near" },
      { "return 3", "tombstone: tombstone.config.lua returns a number, not a table\nhint: as in" },
      { 'return { databse = "x" }', "tombstone: tombstone.config.lua has an unknown setting 'databse'\n" },
      { "return { database = 3 }", "tombstone: database of tombstone.config.lua is a path, not a number\n" },
      { "error 'no'", "tombstone: tombstone.config.lua fails %- tombstone.config.lua:1: no\n" },
      {
        '\nlocal f = require "tombstone".field f.belongs_to("A", {})',
        "tombstone: tombstone.config.lua:2: belongs_to needs on_delete\n",
      },
      { 'return { database = "x.db" }', "tombstone: x.db is not there\n" .. hint_of_file },
    }
    for _, case in ipairs(wrong) do
      command.write(config, case[1])
      local code, out, err = command.run(folder, list)
      assert.same({ 1, "" }, { code, out })
      assert.is_truthy(err:match("^" .. case[2]), err)
    end
    command.write(config, 'return { database = ":memory:" }')
    local hint = "hint: tombstone init writes one; or give --models FILE"
    refuses(1, "tombstone: models.lua is not there\n" .. hint, folder, list)
    command.write(folder .. "/part.lua", 'return function(db)\n  db:model("P", { x = 3 })\nend')
    wrong = {
      { "return {", "tombstone: models.lua:1: unexpected symbol near" },
      { "return {}", "tombstone: models.lua returns a table, not a function\nhint: as in" },
      { 'return function() error "no" end', "tombstone: models.lua fails %- models.lua:1: no\n" },
      {
        'return function(db) db:model("P", { x = 3 }) end',
        "tombstone: models.lua:1: Field 'x' is not declared by a word\nhint: as in",
      },
      {
        'local f = require "tombstone".field\nreturn function(db)\n  f.belongs_to("A", {})\nend',
        "tombstone: models.lua:3: belongs_to needs on_delete\nhint: it is",
      },
      {
        'return function(db) return db:model("P", { x = 3 }) end', -- Lua forgets who called
        "tombstone: models.lua fails %- Field 'x' is not declared by a word\nhint: as in",
      },
      {
        'return function(db) require "part" (db) end',
        "tombstone: models.lua fails %- %.?/?part.lua:2: Field 'x' is not declared by a word\nhint: as in",
      },
    }
    for _, case in ipairs(wrong) do
      command.write(models, case[1])
      local code, out, err = command.run(folder, list)
      assert.same({ 1, "" }, { code, out })
      assert.is_truthy(err:match("^" .. case[2]), err)
    end
  end)

  it("of a database without the tables, or of none, is refused", function()
    local folder = blog.empty()
    command.write(folder .. "/junk.db", ("junk "):rep(1000))
    local code, _, err = command.run(folder, { "--database", "junk.db", "trash", "list" })
    assert.equal(1, code)
    assert.is_truthy(err:find("file is not a database", 1, true))
    command.write(folder .. "/zero.db", "")
    code, _, err = command.run(folder, { "--database", "zero.db", "trash", "list" })
    assert.equal(1, code)
    assert.is_truthy(err:find("tombstone: no such table: author\nhint: create the tables", 1, true))
  end)
end)
