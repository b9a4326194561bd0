-- Notes in Neovim, in a terminal: the command of the README and the keys that people press.
local editor = require "hosts.neovim.editor"
local host = require "hosts.host"
local terminal = require "hosts.terminal"

if not host.runs "luajit" then
  return
end

local function in_terminals(n, fn)
  host.in_folder(function(folder)
    local commands = {}
    for i = 1, n do
      commands[i] = editor.command(folder)
    end
    terminal.with(folder, commands, function(...)
      fn(folder, ...)
    end)
  end)
end

-- Opens a note, types its text and writes it.
local function write(vim, title, text)
  vim:press(":Note " .. title, "Enter")
  vim:shows("note://" .. title)
  vim:press("ggcG" .. text, "Escape", ":w", "Enter")
  vim:shows(("notes: '%s' written"):format(title))
end

local function text_of(folder, title)
  return editor.query(folder, "SELECT text FROM notes WHERE title = ? AND deleted_at IS NULL", title)[1].text
end

describe("notes in a terminal", function()
  it("are written, deleted, undone, restored and purged by keys", function()
    in_terminals(1, function(folder, vim)
      vim:shows "[No Name]"
      write(vim, "Shopping", "milk #home")
      write(vim, "Garden", "tulips")
      write(vim, "Reading", "a novel")
      assert.equal("milk #home", text_of(folder, "Shopping"))

      vim:press(":Notes", "Enter")
      vim:shows "3 notes   <CR> open"
      vim:press "dd"
      vim:shows "notes: one note deleted; u undoes it"
      assert.same({ "Garden", "Shopping" }, editor.titles(folder))
      vim:press "2dd"
      vim:shows "no notes   <CR> open"
      assert.same({ "Garden", "Reading", "Shopping" }, editor.titles(folder, true))
      vim:press "u"
      vim:shows "notes: 2 notes restored"
      assert.same({ "Garden", "Shopping" }, editor.titles(folder))

      vim:press "t"
      vim:shows "one note in the trash   <CR> look"
      vim:press "Enter"
      vim:shows "'Reading', as it was deleted; q closes"
      vim:shows "a novel"
      vim:press "q"
      vim:hides "a novel"
      vim:press "r"
      vim:shows "no notes in the trash"
      assert.same({ "Garden", "Reading", "Shopping" }, editor.titles(folder))

      vim:press("t", "/Garden", "Enter", "dd")
      vim:shows "notes: one note deleted"
      vim:press "tP"
      vim:shows "Purge 'Garden' for good?"
      vim:press "n"
      vim:shows "one note in the trash"
      assert.same({ "Garden" }, editor.titles(folder, true))
      vim:press "P"
      vim:shows "Purge 'Garden' for good?"
      vim:press "y"
      vim:shows "notes: one note purged"
      assert.same({}, editor.titles(folder, true))
      assert.same({ "Reading", "Shopping" }, editor.titles(folder))
      host.passed("Neovim", "keys in a terminal")
    end)
  end)

  it("ask where a title is taken, and do what was chosen", function()
    in_terminals(1, function(folder, vim)
      vim:shows "[No Name]"
      write(vim, "Shopping", "old")
      vim:press(":Notes", "Enter")
      vim:shows "one note   <CR> open"
      vim:press "dd"
      vim:shows "no notes   <CR> open"
      vim:press(":Note shopping", "Enter")
      vim:shows "new note; one of this title is in the trash"
      vim:press("inew", "Escape", ":w", "Enter")
      vim:shows "'shopping' written"
      vim:press(":Notes", "Enter")
      vim:shows "one note   <CR> open"

      vim:press "u" -- the deletion cannot be undone as it was
      local screen = vim:shows "Type number"
      assert.is_truthy(screen:find("The title 'Shopping' is taken:", 1, true), screen)
      assert.is_truthy(screen:find("3: skip: leave it in the trash", 1, true), screen)
      vim:press("3", "Enter")
      vim:shows "nothing was restored"
      assert.same({ "shopping" }, editor.titles(folder))

      vim:press "t"
      vim:shows "one note in the trash"
      vim:press "r"
      vim:shows "Type number"
      vim:press("1", "Enter")
      vim:shows "no notes in the trash"
      assert.same({ "shopping", "Shopping (restored)" }, editor.titles(folder))
      assert.equal("old", text_of(folder, "Shopping (restored)"))

      vim:press(":Note shopping (restored)", "Enter")
      vim:shows "note://Shopping (restored)"
      vim:press(":NoteRename Shopping", "Enter")
      vim:shows "title with value 'Shopping' already exists"
    end)
  end)

  it("of two Neovims on one file are the same notes", function()
    in_terminals(2, function(folder, one, two)
      one:shows "[No Name]"
      two:shows "[No Name]"
      write(one, "Shared", "from one")
      two:press(":Notes", "Enter")
      two:shows "Shared  just now"
      two:press "Enter"
      two:shows "from one"
      two:press("ccfrom two", "Escape", ":w", "Enter")
      two:shows "'Shared' written"
      assert.equal("from two", text_of(folder, "Shared"))

      one:press("ccfrom one again", "Escape", ":w", "Enter")
      one:shows "'Shared' was written elsewhere meanwhile - :e! reads that, :w! writes over it"
      assert.equal("from two", text_of(folder, "Shared"))
      one:press(":e!", "Enter")
      one:shows "from two"

      two:press(":Notes", "Enter")
      two:shows "one note   <CR> open"
      two:press "dd"
      two:shows "no notes   <CR> open"
      one:press("ccalive", "Escape", ":w", "Enter")
      one:shows "'Shared' is in the trash - :w! brings it back and writes it"
      one:press(":w!", "Enter")
      one:hides "brings it back"
      one:shows "'Shared' written"
      assert.equal("alive", text_of(folder, "Shared"))
      two:press "R"
      two:shows "Shared  just now"
      host.passed("Neovim", "two on one file")
    end)
  end)
end)
