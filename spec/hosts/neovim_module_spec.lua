-- The module of notes in Neovim: how it is found, what the health check says of it and of the
-- database, threads, and the help.
local editor = require "hosts.neovim.editor"
local helper = require "helper"
local host = require "hosts.host"
local server = require "hosts.server"

if not host.runs "luajit" then
  return
end

local function it_edits(what, fn)
  it(what, function()
    host.in_folder(fn)
  end)
end

describe("the health check of notes", function()
  local REPORT = [[
    vim.cmd "checkhealth notes"
    print(table.concat(lines(), "\n"))
  ]]

  it_edits("says that all is right", function(folder)
    local report = editor.run(folder, REPORT)
    assert.is_truthy(report:find("OK: tombstone ", 1, true), report)
    assert.is_truthy(report:find("notes.db is not there yet; the first :Note makes it", 1, true), report)
    report = editor.run(folder, 'note("One", "x")\n' .. REPORT)
    assert.is_truthy(report:find("notes.db: one note, and 0 in the trash", 1, true), report)
    assert.is_truthy(report:find("OK: several Neovims can share it (WAL)", 1, true), report)
    assert.is_truthy(report:find("OK: its pages and indexes are sound", 1, true), report)
    assert.is_nil(report:find "ERROR")
    local version = editor.query(folder, "SELECT sqlite_version() AS v")[1].v
    assert.is_truthy(report:find("SQLite " .. version, 1, true), report)
  end)

  -- What is wrong with a module, and how it is made.
  local WRONG = {
    {
      "is built for another Lua than Neovim's LuaJIT - build it by 'cmake --preset luajit",
      "void *lua_newuserdatauv(void *, unsigned long, int); "
        .. "int luaopen_tombstone(void *L) { return lua_newuserdatauv(L, 1, 1) != 0; }",
    },
    {
      "is a module, but not tombstone - see :help notes-module",
      "int luaopen_other(void *L) { return L == 0; }",
    },
  }

  local function compiled(folder, source)
    server.write(folder .. "/wrong.c", source)
    host.must(("cd %s && cc -shared -fPIC -o wrong.so wrong.c"):format(helper.quote(folder)))
    return folder .. "/wrong.so"
  end

  local function assert_says(folder, module, what)
    local set = ("--cmd %s"):format(helper.quote(("let g:notes_module = '%s'"):format(module)))
    local report = editor.run(folder, REPORT, set)
    local message, hint = what:match "^(.*) %- (.*)$"
    assert.is_truthy(report:find("ERROR: " .. module .. " " .. message, 1, true), report)
    assert.is_truthy(report:gsub("|", ""):find("- " .. hint, 1, true), report)
    local told = editor.run(folder, 'vim.cmd "Note One"\nprint(told())', set)
    assert.is_truthy(told:find("notes: " .. module .. " " .. what, 1, true), told)
  end

  for _, wrong in ipairs(WRONG) do
    it_edits("says that a module " .. wrong[1]:match "^(.*) %-", function(folder)
      assert_says(folder, compiled(folder, wrong[2]), wrong[1])
    end)
  end

  it_edits("says that a file is no module, or not there", function(folder)
    server.write(folder .. "/text.so", ("not a module\n"):rep(100))
    assert_says(folder, folder .. "/text.so", "is no module - see :help notes-module")
    assert_says(folder, folder .. "/none.so", "is not there - see :help notes-module")
    host.passed("Neovim", "health check")
  end)

  it_edits("says that a database is none, or damaged", function(folder)
    local path = folder .. "/notes.txt"
    server.write(path, ("not a database\n"):rep(100))
    local set = ("--cmd %s"):format(helper.quote(("let g:notes_database = '%s'"):format(path)))
    local report = editor.run(folder, REPORT, set)
    assert.is_truthy(report:find("ERROR: " .. path .. ": .*not a database", 1), report)
    assert.is_truthy(report:find("- set another path: vim.g.notes_database", 1, true), report)
  end)
end)

describe("the module in Neovim", function()
  local COPIES = [[
    note("One", "x")
    require("notes.backup").start("%s/copy.db", false, function(ok) done = ok end)
    assert(vim.wait(10000, function() return done end), told())
    vim.cmd "checkhealth notes"
    print(table.concat(lines(), "\n"))
  ]]

  local function assert_found(folder, more, where)
    more = ("--cmd %s %s"):format(helper.quote("set rtp-=" .. host.build), more)
    local report = editor.run(folder, COPIES:format(folder), more)
    assert.is_truthy(report:find("OK: tombstone [%d.]+: " .. where), report)
    assert.same({ "One" }, editor.titles(folder))
  end

  it_edits("is one file in the plug-in", function(folder)
    host.must(("mkdir -p %s/rtp/lua && cp %s %s/rtp/lua/tombstone.so"):format(folder, host.module, folder))
    assert_found(folder, ("--cmd 'set rtp^=%s/rtp'"):format(folder), folder .. "/rtp/lua/tombstone.so")
  end)

  it_edits("is a rock, for threads too", function(folder)
    local sources = host.root .. "/lua/?.lua;" .. host.root .. "/lua/?/init.lua;"
    local paths = ("package.path = '%s' .. package.path "):format(sources)
      .. ("package.cpath = '%s/lua/?.so;' .. package.cpath"):format(host.build)
    assert_found(folder, "--cmd " .. helper.quote("lua " .. paths), "found as a rock")
  end)

  it_edits("is asked for where it is nowhere", function(folder)
    local nowhere = "--cmd " .. helper.quote("set rtp-=" .. host.build)
    local told = editor.run(folder, 'vim.cmd "Notes"\nprint(told())', nowhere)
    assert.is_truthy(told:find("notes: tombstone is not found - see :help notes-module", 1, true), told)
  end)
end)

describe("threads of Neovim", function()
  it_edits("copy the database while the editor has it open", function(folder)
    local output = editor.run(folder, ([[
      note("One", "x")
      local function copy(name, is_forced)
        local done, well
        require("notes.backup").start("%s/" .. name, is_forced, function(ok) done, well = true, ok end)
        assert(vim.wait(10000, function() return done end), told())
        return well
      end
      assert(copy "copy.db" and copy("copy.db", true) and not copy "none/copy.db")
      vim.cmd("NotesBackup %s/copy.db")
      vim.cmd("NotesBackup! " .. require("notes.config").get "database")
      print(told())
    ]]):format(folder, folder))
    assert.is_truthy(output:find("Cannot back up", 1, true), output)
    assert.is_truthy(output:find("copy.db is there already - :NotesBackup! writes over it", 1, true), output)
    assert.is_truthy(output:find("notes.db is the database itself - name another file", 1, true), output)
    local db = require("tombstone").open(folder .. "/copy.db")
    assert.same({ { title = "One" } }, db:query "SELECT title FROM notes")
    db:close()
  end)

  it_edits("write with a handle each", function(folder)
    editor.run(folder, [[
      require("notes.store").open()
      local function work(module, path, name)
        local ok, err = pcall(function()
          local tombstone = package.loadlib(module, "luaopen_tombstone") "tombstone"
          local f = tombstone.field
          local db = tombstone.open(path)
          local Note = db:model("Note", {
            title = f.char { max_length = 100, unique = true, collate = "NOCASE" },
            text = f.text { default = "" },
          }, { table = "notes", timestamps = true, version = true, soft_delete = { unique = "live" } })
          for i = 1, 25 do
            Note:create { title = name .. " " .. i }
          end
          local _, event = Note.objects:filter({ title__startswith = name .. " 2" }):delete { actor = name }
          event:undo()
          Note.objects:filter({ title__startswith = name .. " 1" }):delete { actor = name }
          db:close()
        end)
        return ok and "well" or tostring(err)
      end
      local results = {}
      local queue = vim.loop.new_work(work, function(result) results[#results + 1] = result end)
      local module = require("notes.engine").path()
      for _, name in ipairs { "a", "b", "c", "d" } do
        queue:queue(module, require("notes.config").get "database", name)
      end
      assert(vim.wait(30000, function() return #results == 4 end))
      assert(table.concat(results, " ") == "well well well well", table.concat(results, " "))
    ]])
    local counts = editor.query(folder, "SELECT count(*) AS n, count(deleted_at) AS dead FROM notes")
    assert.same({ { n = 100, dead = 44 } }, counts)
    assert.equal(8, editor.query(folder, "SELECT count(*) AS n FROM tombstone_event")[1].n)
    host.passed("Neovim", "a handle a thread")
  end)
end)

describe("the plug-in's help", function()
  it("has a tag for every command and option, and :helptags takes it", function()
    host.in_folder(function(folder)
      host.must(("cp -r examples/hosts/neovim/doc %s/doc"):format(helper.quote(folder)))
      local output = host.must(("nvim --clean --headless -c 'helptags %s/doc' -c q"):format(folder))
      assert.equal("", output)
      local tags = host.must("cat " .. folder .. "/doc/tags")
      local plugin = host.must "cat examples/hosts/neovim/plugin/notes.lua"
      local n = 0
      for name in plugin:gmatch 'command%("(%w+)"' do
        assert.is_truthy(tags:find("\n:" .. name .. "\t") or tags:find("^:" .. name .. "\t"), name)
        n = n + 1
      end
      assert.equal(5, n)
      for _, name in ipairs { "database", "module", "filetype", "keep" } do
        assert.is_truthy(tags:find("g:notes_" .. name, 1, true))
      end
    end)
  end)
end)
