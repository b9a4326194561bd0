-- Notes in Neovim, without a screen: what its commands and keys do to the database.
local editor = require "hosts.neovim.editor"
local host = require "hosts.host"

if not host.runs "luajit" then
  return
end

local function it_edits(what, fn)
  it(what, function()
    host.in_folder(fn)
  end)
end

describe("notes in Neovim", function()
  it_edits("are written by :w and read by :Note", function(folder)
    editor.run(folder, [[
      note("Shopping list", "milk #home", "eggs #home #Übermorgen", "# no tag")
      assert(not vim.bo.modified and told():find "'Shopping list' written")
      vim.cmd "bwipeout"
      vim.cmd "Note SHOPPING LIST"
      assert(vim.fn.bufname() == "note://Shopping list" and lines()[2] == "eggs #home #Übermorgen")
      assert(vim.bo.filetype == "markdown" and vim.bo.buftype == "acwrite" and not vim.bo.modified)
      put "milk"
      vim.cmd "undo" -- takes back the change, not the reading
      assert(#lines() == 3)
      vim.cmd("write " .. vim.fn.fnameescape "note://A copy: 50% [off] | “ö”/x")
      vim.cmd "Note a COPY: 50% [off] | “ö”/x"
      assert(#lines() == 3)
    ]])
    assert.same({ "A copy: 50% [off] | “ö”/x", "Shopping list" }, editor.titles(folder))
    local texts = editor.query(folder, "SELECT DISTINCT text FROM notes")
    assert.same({ { text = "milk #home\neggs #home #Übermorgen\n# no tag" } }, texts)
    local tags = editor.query(folder, "SELECT name, note_count FROM tags ORDER BY name")
    assert.same({ { name = "home", note_count = 2 }, { name = "Übermorgen", note_count = 2 } }, tags)
  end)

  it_edits("refuse in one line what is no note", function(folder)
    editor.run(folder, [[
      vim.cmd "Note Taken"
      put "x"
      vim.cmd "write"
      vim.cmd "write note://taken"
      assert(told():find "notes: Cannot create record %- title with value 'taken' already exists")
      vim.cmd "Note Binary"
      vim.fn.setline(1, "a\nb") -- a NUL, to Neovim
      vim.cmd "write"
      assert(told():find "NUL" and vim.bo.modified)
      put "\255"
      vim.cmd "write"
      assert(told():find "UTF%-8" and vim.bo.modified)
      vim.cmd("Note " .. ("x"):rep(101))
      put "y"
      vim.cmd "write"
      assert(told():find "100" and vim.bo.modified)
      vim.cmd "enew"
      vim.cmd "NoteRename Other"
      assert(told():find "This buffer holds no note %- open one by :Note")
      require("notes").setup { databse = "x" }
      assert(told():find "There is no option 'databse' %- There are database, filetype, keep, module")
    ]])
    assert.same({ "Taken" }, editor.titles(folder))
  end)

  it_edits("get other titles, and complete", function(folder)
    editor.run(folder, [[
      note("Shopping list", "milk #home")
      note("Shopping bags", "two #household")
      vim.cmd "NoteRename Shopping list"
      assert(told():find "already exists")
      vim.cmd "NoteRename Bags for shopping"
      assert(vim.api.nvim_buf_get_name(0) == "note://Bags for shopping")
      put "three #household"
      vim.cmd "write"
      for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
        assert(vim.api.nvim_buf_get_name(buffer) ~= "note://Shopping bags")
      end
      assert(vim.fn.getcompletion("Note Shopping l", "cmdline")[1] == "list")
      assert(vim.fn.join(vim.fn.getcompletion("Notes #ho", "cmdline")) == "#home #household")
    ]])
    assert.same({ "Bags for shopping", "Shopping list" }, editor.titles(folder))
  end)

  it_edits("are listed, deleted together and undone together", function(folder)
    editor.run(folder, [[
      note("One", "milk #home")
      note("Two", "Milk and eggs")
      note("Three", "honey #home")
      vim.cmd "Notes milk"
      assert(lines()[1]:find "^2 notes with milk" and lines()[3]:find "^Two" and #lines() == 4)
      vim.cmd "Notes #home honey"
      assert(lines()[3]:find "^Three  #home  just now" and #lines() == 3)
      vim.cmd "Notes"
      press "gg2dd" -- the header is no note; the cursor does not stand on it
      press "3Gu"
      assert(told():find "nothing was deleted here")
      press "3GVjd"
      assert(told():find "2 notes deleted" and #lines() == 3)
      vim.cmd "NotesTrash"
      assert(lines()[3]:find "with 1 other")
    ]])
    assert.same({ "One" }, editor.titles(folder))
    assert.same({ "Three", "Two" }, editor.titles(folder, true))
    local events = editor.query(folder, "SELECT count(*) AS n FROM tombstone_event")
    assert.equal(1, events[1].n)
    assert.equal(1, editor.query(folder, "SELECT note_count AS n FROM tags")[1].n)
    editor.run(folder, [[
      vim.cmd "NotesTrash"
      press "u"
      assert(told():find "2 notes restored")
      vim.cmd "Notes"
      press "3Gdd"
      press "u"
      press "u"
      assert(told():find "one note restored\nnotes: nothing was deleted here")
    ]])
    assert.same({ "One", "Three", "Two" }, editor.titles(folder))
    assert.equal(2, editor.query(folder, "SELECT note_count AS n FROM tags")[1].n)
    host.passed("Neovim", "delete, undo")
  end)

  it_edits("come back where their title is taken as the user chooses", function(folder)
    editor.run(folder, [[
      for i, word in ipairs { "skip", "rename", "replace" } do
        local title = "Note " .. i
        note(title, "old")
        vim.cmd "Notes"
        press "3Gdd"
        vim.cmd("Note " .. title)
        assert(told():find "new note; one of this title is in the trash")
        assert(lines()[1] == "")
        put "new"
        vim.cmd "write"
        vim.cmd "NotesTrash"
        vim.fn.search("^" .. title)
        answer(word)
        press "r"
      end
      assert(told():find "nothing was restored" and told():find "one note restored")
    ]])
    local function living(dead)
      return editor.query(
        folder,
        "SELECT title, text FROM notes WHERE (deleted_at IS NULL) = ? ORDER BY title",
        dead and 0 or 1
      )
    end
    assert.same({
      { title = "Note 1", text = "new" },
      { title = "Note 2", text = "new" },
      { title = "Note 2 (restored)", text = "old" },
      { title = "Note 3", text = "old" },
    }, living())
    assert.same({ { title = "Note 1", text = "old" }, { title = "Note 3", text = "new" } }, living "dead")
    host.passed("Neovim", "restore with conflict")
  end)

  it_edits("that another process has written, deleted or purged are not written over", function(folder)
    editor.run(folder, [[
      note("Shared", "one")
      local mine = vim.api.nvim_get_current_buf()
      local db = require("notes.store").open().db -- its own hands are another's as well
      local other = require("tombstone").open(require("notes.config").get "database")
      local function elsewhere(sql)
        other:exec(sql)
      end
      elsewhere "UPDATE notes SET text = 'two', version = version + 1"
      vim.cmd "doautocmd BufEnter"
      assert(lines()[1] == "two" and told():find "'Shared' was written elsewhere; read again")
      put "mine"
      elsewhere "UPDATE notes SET text = 'three', version = version + 1"
      vim.cmd "doautocmd BufEnter"
      assert(lines()[1] == "mine")
      vim.cmd "write"
      assert(told():find "'Shared' was written elsewhere meanwhile %- :e! reads that, :w! writes over it")
      assert(vim.bo.modified and other:query("SELECT text FROM notes")[1].text == "three")
      vim.cmd "edit!"
      assert(lines()[1] == "three" and not vim.bo.modified)
      put "mine"
      elsewhere "UPDATE notes SET text = 'four', version = version + 1"
      vim.cmd "write!"
      assert(other:query("SELECT text FROM notes")[1].text == "mine")

      require("notes.store").delete(require("notes.store").list "")
      put "after"
      vim.cmd "write"
      assert(told():find "'Shared' is in the trash %- :w! brings it back and writes it")
      vim.cmd "write!"
      assert(other:query("SELECT text FROM notes WHERE deleted_at IS NULL")[1].text == "after")

      require("notes.store").delete(require("notes.store").list "")
      require("notes.store").purge(require("notes.store").trash())
      put "anew"
      vim.cmd "write"
      assert(told():find "'Shared' was purged %- :w! writes it anew")
      vim.cmd "write!"
      assert(other:query("SELECT text FROM notes WHERE deleted_at IS NULL")[1].text == "anew")
      other:close()
      assert(db:is_open())
    ]])
    assert.same({ "Shared" }, editor.titles(folder))
  end)

  it_edits("are begun by several Neovims at once", function(folder)
    local commands = {}
    for i = 1, 4 do
      local script = ("-c 'Note %d' -c 'call setline(1, \"x #tag\")' -c w -c qa!"):format(i)
      commands[i] = editor.command(folder, "--headless " .. script) .. " &"
    end
    local told = host.must(table.concat(commands, "\n") .. "\nwait")
    assert.same({ "1", "2", "3", "4" }, editor.titles(folder), told)
    assert.equal(4, editor.query(folder, "SELECT note_count AS n FROM tags")[1].n)
  end)

  it_edits("go from the trash when they are older than keep", function(folder)
    editor.run(folder, [[
      note("Old", "x")
      note("New", "x")
      vim.cmd "Notes"
      press "3GVGd"
      require("notes.store").open().db:exec(
        "UPDATE notes SET deleted_at = '2020-01-01 00:00:00' WHERE title = 'Old'")
      require("notes.store").close()
      require("notes").setup { keep = "30d" }
      vim.cmd "NotesTrash"
      assert(#lines() == 3)
    ]])
    assert.same({ "New" }, editor.titles(folder, true))
  end)
end)
