-- The commands. Nothing else is loaded before one of them is used.
if vim.g.loaded_notes then
  return
end
vim.g.loaded_notes = 1

local function command(name, options)
  vim.api.nvim_create_user_command(name, function(call)
    require("notes").run(name, call)
  end, options)
end

local function complete(what)
  return function(lead, line)
    return require("notes").complete(what, lead, line)
  end
end

command("Note", { nargs = "*", complete = complete "titles", desc = "Open or begin a note" })
command("Notes", { nargs = "*", complete = complete "tags", desc = "List the notes" })
command("NotesTrash", { nargs = 0, desc = "List the deleted notes" })
command("NoteRename", { nargs = "+", desc = "Give the note in this buffer another title" })
command("NotesBackup", { nargs = 1, bang = true, complete = "file", desc = "Copy the database, in a thread" })

local group = vim.api.nvim_create_augroup("notes", {})

local function on(events, pattern, fn)
  vim.api.nvim_create_autocmd(events, {
    group = group,
    pattern = pattern,
    callback = function(args)
      require("notes").on(fn, args)
    end,
  })
end

on("BufReadCmd", "note://*", "read")
on("BufWriteCmd", "note://*", "write")
on({ "BufEnter", "FocusGained", "CursorHold" }, "note://*", "look")
on("BufWipeout", "note://*", "wiped")
