-- The command as a person uses it, in a terminal: questions, colours, progress, Ctrl-C.
local blog = require "cli.blog"
local command = require "cli.command"

if not command.launcher then
  return
end

local function contains(text, part)
  if not text:find(part, 1, true) then
    error(("%q is not in\n%s"):format(part, text), 2)
  end
end

local function lacks(text, part)
  if text:find(part, 1, true) then
    error(("%q is in\n%s"):format(part, text), 2)
  end
end

local RED, BOLD, GREEN = "\27[31m", "\27[1m", "\27[32m"

-- Lua 5.1 and LuaJIT go on reading after Ctrl-C, until the line ends.
local function interrupts(reading)
  if _VERSION == "Lua 5.4" then
    return { reading, "sleep:0.5", "interrupt" } -- when it reads, and not just before
  end
  return { reading, "interrupt", "sleep:0.2", "send:\\n" }
end

describe("a question", function()
  after_each(command.clean)

  local PURGE = { "trash", "purge", "Post", "1" }

  it("shows the counts first, and yes does it", function()
    local folder = blog.filled()
    local screen = command.sit(folder, PURGE, { "wait:Remove 1 row for good? [y/N]", "send:y\\n" })
    contains(screen, "MODEL  PURGED  GO ALONG")
    contains(screen, "1 row is gone.")
    contains(screen, "\nexit 0\n")
    assert.is_nil(blog.state(folder):find("spam", 1, true) and blog.state(folder):find("title=One", 1, true))
  end)

  it("is asked again after nonsense", function()
    local folder = blog.filled()
    local steps = { "wait:[y/N]", "send:perhaps\\n", "wait:[y/N]", "send: YES \\n" }
    contains(command.sit(folder, PURGE, steps), "\nexit 0\n")
  end)

  it("is answered with no by no, Enter and the end of the input", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    for _, answer in ipairs { "send:n\\n", "send:no\\n", "send:\\n", "end" } do
      local screen = command.sit(folder, PURGE, { "wait:[y/N]", answer })
      contains(screen, "tombstone: not agreed, nothing was changed")
      contains(screen, "\nexit 1\n")
    end
    assert.equal(before, blog.state(folder))
  end)

  it("ends at Ctrl-C, with nothing done", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    local screen = command.sit(folder, PURGE, interrupts "wait:[y/N]")
    contains(screen, "tombstone: interrupted")
    contains(screen, "\nexit 130\n")
    assert.equal(before, blog.state(folder))
  end)

  it("is not asked under --yes", function()
    local screen = command.sit(blog.filled(), { "trash", "undo", "2", "--yes" }, {})
    lacks(screen, "[y/N]")
    contains(screen, "2 rows are back.")
  end)
end)

describe("colours", function()
  after_each(command.clean)

  it("are for a terminal, and not where they are unwanted", function()
    local folder = blog.filled()
    local list = { "trash", "list", "Post" }
    contains(command.sit(folder, list, {}), BOLD .. "MODEL")
    contains(command.sit(folder, { "trash", "undo", "2", "--yes" }, {}), GREEN .. "2 rows")
    contains(command.sit(folder, { "trash", "undo", "9" }, {}), RED .. "tombstone: there is no event 9")
    lacks(command.sit(folder, { "trash", "list", "Post", "--no-color" }, {}), "\27")
    lacks(command.sit(folder, list, {}, { NO_COLOR = "1" }), "\27")
    lacks(command.sit(folder, list, {}, { TERM = "dumb" }), "\27")
    contains(command.sit(folder, list, {}, { NO_COLOR = "" }), BOLD .. "MODEL")
  end)

  it("do not come from the database", function()
    local folder = blog.filled()
    local screen = command.sit(folder, { "trash", "list", "--no-color" }, {})
    contains(screen, "Three\\27[31m")
    lacks(command.sit(folder, { "trash", "show", "Post", "3", "--no-color" }, {}), "\27")
  end)
end)

describe("a long purge", function()
  after_each(command.clean)

  local PURGE = { "trash", "purge", "Post" }
  local ROWS = 4000

  local function many(models)
    local folder = blog.empty()
    local db = blog.open(folder)
    local rows = {}
    for i = 1, ROWS do
      rows[i] = { title = "post " .. i }
    end
    db:model("Post"):bulk_create(rows)
    db:model("Post").objects:delete { all = true }
    db:close()
    if models then
      local text = command.read(folder .. "/models.lua")
      local options = text:gsub('keep = "90d" }', "%0, " .. models)
      command.write(folder .. "/models.lua", options)
    end
    return folder
  end

  -- Tells the terminal when it has come so far, and is busy until Ctrl-C.
  local BUSY = [[on = { before_purge = function(row)
    if row.id == 2500 then
      io.stderr:write "half of it"
      local start = os.time()
      while os.time() - start < 50 do end
    end
  end }]]

  it("draws its progress on one line, and takes it away", function()
    local screen = command.sit(many(), PURGE, { "wait:[y/N]", "send:y\\n" })
    contains(screen, ("\r\27[KPurging Post: 1000 of %d"):format(ROWS))
    contains(screen, "\r\27[K" .. GREEN .. ROWS .. " rows are gone.")
  end)

  it("draws nothing where nobody sees it", function()
    local code, out, err = command.run(many(), { "trash", "purge", "Post", "--yes" })
    assert.same({ 0, "" }, { code, err })
    assert.equal(("MODEL  PURGED  GO ALONG\nPost     %d\n%d rows are gone.\n"):format(ROWS, ROWS), out)
  end)

  it("does all or nothing: Ctrl-C in the middle leaves every row", function()
    local folder = many(BUSY)
    local before = blog.state(folder)
    local screen = command.sit(folder, PURGE, { "wait:[y/N]", "send:y\\n", "wait:half of it", "interrupt" })
    contains(screen, "Purging Post: 1000 of")
    contains(screen, "tombstone: interrupted" .. "\27[0m\nhint: nothing was changed\n")
    contains(screen, "\nexit 130\n")
    assert.equal(before, blog.state(folder))
  end)

  it("is rolled back too where it is killed", function()
    local folder = many(BUSY)
    local before = blog.state(folder)
    local kill = { "wait:[y/N]", "send:y\\n", "wait:half of it", "kill" }
    contains(command.sit(folder, PURGE, kill), "\nsignal 9\n")
    assert.equal(before, blog.state(folder))
  end)
end)

describe("the prompt of the shell", function()
  after_each(command.clean)

  local SHELL = { "shell", "--no-color" }

  it("greets, runs lines, goes on over several, and ends at the end of the input", function()
    local folder = blog.filled()
    local screen = command.sit(folder, SHELL, {
      "wait:blog.db: Author, Post, Invoice, Log, Legacy. Ctrl-D ends.",
      "wait:> ", "send:Post.objects:count()\\n", "wait:\n1\r", "wait:> ",
      "send:for i = 5, 6 do\\n", "wait:>> ", "send:print(i) end\\n", "wait:\n5\r\n6\r", "wait:> ",
      "send:y = Author.objects:first()\\n", "wait:> ", "send:y\\n",
      'wait:Author { id = 2, name = "Ben" }', "wait:> ", "end",
    })
    contains(screen, "\nexit 0\n")
  end)

  it("tells errors in a line, and goes on", function()
    local screen = command.sit(blog.filled(), SHELL, {
      "wait:> ", "send:Post.objects:filter { vews = 1 }\\n",
      "wait:\nPost has no field 'vews' (did you mean 'views'?)\r", "wait:> ", "send:= 3\\n",
      "wait:\nshell:1: ", "wait:> ", "send:6 * 7\\n", "wait:\n42\r", "wait:> ", "end",
    })
    contains(screen, "\nexit 0\n")
  end)

  it("comes back after Ctrl-C, and what was open is rolled back", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    local begin = "db:transaction(function() Author:create { name = 'x' } "
    local screen = command.sit(folder, SHELL, {
      "wait:> ", "send:" .. begin .. "print 'busy' while os.time() > 0 do end end)\\n", "wait:\nbusy\r",
      "interrupt", "wait:interrupted", "wait:> ", "send:db:depth(), Author.objects:count()\\n",
      "wait:\n0\r\n1\r", "wait:> ", "end",
    })
    contains(screen, "\nexit 0\n")
    assert.equal(before, blog.state(folder))
  end)

  it("keeps its history and completes names, where lua-readline is", function()
    if not pcall(require, "readline") then
      pending "needs lua-readline"
      return
    elseif os.getenv "ASAN_OPTIONS" then
      pending "lua-readline leaks what it completes"
      return
    end
    local folder = blog.filled()
    command.sit(folder, SHELL, { "wait:> ", "send:1 + 1\\n", "wait:\n2\r", "wait:> ", "end" })
    assert.equal("1 + 1\n", command.read(folder .. "/.tombstone_history"))
    local screen = command.sit(folder, SHELL, {
      "wait:> ", "send:\27[A\\n", "wait:\n2\r", "wait:> ", "send:Auth\\t.objects:count()\\n", "wait:\n1\r",
      "wait:> ", "end",
    })
    contains(screen, "> Author.objects:count()")
    contains(screen, "\nexit 0\n")
  end)
end)

describe("the terminal of the specs", function()
  it("says what it never saw, so that these specs can fail", function()
    local line = "env -u LD_PRELOAD SPEC_PATIENCE=1 python3 spec/cli/terminal.py wait:never -- echo hello"
    local pipe = io.popen(line .. " 2>&1; echo status $?")
    local text = pipe:read "*a"
    pipe:close()
    contains(text, "never saw b'never'")
    contains(text, "hello")
    assert.is_nil(text:find("status 0", 1, true))
  end)
end)
