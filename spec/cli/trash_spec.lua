-- tombstone trash: what it says, by golden files and lines, and what it does to the database.
local blog = require "cli.blog"
local command = require "cli.command"
local tombstone = require "tombstone"

if not command.launcher then
  return
end

-- Runs `tombstone trash WORDS`; stderr must be empty. Answers stdout and the exit code.
local function trash(folder, words)
  local arguments = { "trash" }
  for word in words:gmatch "%S+" do
    arguments[#arguments + 1] = word
  end
  local code, out, err = command.run(folder, arguments)
  assert.equal("", err)
  return out, code
end

-- The same where it is refused; answers stderr, and the exit code, which must be this one.
local function refused(folder, words, wanted)
  local arguments = { "trash" }
  for word in words:gmatch "%S+" do
    arguments[#arguments + 1] = word
  end
  local code, _, err = command.run(folder, arguments)
  assert.equal(wanted or 1, code)
  return err
end

local function golden(folder, name, words)
  assert.equal(command.golden(name), (trash(folder, words .. " --json")))
end

local function counts(folder)
  local db = blog.open(folder)
  local found = {}
  for _, name in ipairs { "Author", "Post", "Invoice", "Legacy" } do
    local model = db:model(name)
    found[#found + 1] = model.objects:count() .. "/" .. model.deleted_objects:count()
  end
  db:close()
  return table.concat(found, " ")
end

describe("tombstone trash list", function()
  after_each(command.clean)

  it("lists what is there, the latest first", function()
    local out = trash(blog.filled(), "list")
    out = out:gsub(" %d+ d%f[%s]", " AGE")
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("%s+", " ")
    end
    assert.same({
      "MODEL KEY ROW DELETED ACTOR REASON EVENT",
      "Legacy 1 old AGE",
      "Invoice 1 AGE 4",
      "Post 3 Three\\27[31m AGE 3",
      "Author 1 Ana AGE zoe 2",
      "Post 2 Two AGE zoe 2",
      "Post 1 One AGE eve spam 1",
    }, lines)
  end)

  it("aligns its columns, by characters", function()
    local folder = blog.empty()
    local db = blog.open(folder)
    local Author = db:model "Author"
    Author:create({ name = "Ünal" }):delete { actor = "a" }
    Author:create({ name = "Bo" }):delete { actor = "b" }
    db:close()
    local first, second = trash(folder, "list"):match "\n([^\n]*)\n([^\n]*)\n$"
    assert.equal((first:find("b", 1, true)), second:gsub("Ü", "U"):find("a ", 20, true))
  end)

  it("is JSON for scripts", function()
    local folder = blog.filled()
    golden(folder, "list", "list")
    golden(folder, "list_one", "list --limit 1")
    golden(folder, "list_none", "list --newer-than 1d")
  end)

  it("narrows by model, key, actor, reason, event and age", function()
    local folder = blog.filled()
    local cases = {
      { "Post", 3 },
      { "--model Post", 3 },
      { "Post 1 2", 2 },
      { "Post 0003", 1 },
      { "--actor zoe", 2 },
      { "--reason spam", 1 },
      { "--event 2", 3 }, -- One is held by it as well
      { "Post --event 2", 2 },
      { "Legacy --event 2", 0 },
      { "--older-than 90d", 6 },
      { "--newer-than 90d", 0 },
      { "Post --actor zoe --older-than 1d", 1 },
      { "--actor nobody", 0 },
    }
    for _, case in ipairs(cases) do
      local out = trash(folder, "list --json " .. case[1])
      assert.equal(case[2], tonumber(out:match '"total": (%d+)'), case[1])
    end
  end)

  it("says what it leaves out", function()
    local out = trash(blog.filled(), "list --limit 2")
    assert.is_truthy(out:find("… and 4 more; --limit 0 lists all.\n", 1, true))
    assert.is_nil(trash(blog.filled(), "list --limit 0"):find "more")
    assert.equal("Nothing in the trash fits.\n", (trash(blog.empty(), "list")))
  end)

  it("refuses names, keys, events and ages that are none", function()
    local folder = blog.filled()
    local models = "hint: the models with a trash are Author, Post, Invoice, Legacy\n"
    assert.equal("tombstone: there is no model 'Nope'\n" .. models, refused(folder, "list Nope"))
    assert.equal("tombstone: Log has no trash: its deletions are real ones\n", refused(folder, "list Log"))
    assert.equal("tombstone: 'x' is no key of Post, which are integers\n", refused(folder, "list Post x"))
    assert.equal("tombstone: Post 4, Post 9 are not in the trash, or not among what is asked for\n",
      refused(folder, "list Post 4 1 9"))
    assert.is_truthy(refused(folder, "list --event 9"):find("there is no event 9", 1, true))
    assert.is_truthy(refused(folder, "list --older-than 3x", 2):find("'3x' is no duration", 1, true))
    assert.is_truthy(refused(folder, "list --event x", 2):find("'x' is no number of an event", 1, true))
    assert.is_truthy(refused(folder, "list --limit x", 2):find("'x' is no number of rows", 1, true))
    assert.is_truthy(refused(folder, "list Post --model Author", 2):find("two models are named", 1, true))
  end)
end)

describe("tombstone trash show and stats", function()
  after_each(command.clean)

  it("show a row, who holds it and what is in its way", function()
    local folder = blog.filled()
    assert.equal([[
Post 1, deleted 2020-01-26 00:53:20
FIELD      VALUE
id         1
title      One
views      0
author_id  1
Held by event 1, of Post 1, 2020-01-26 00:53:20 by eve: spam
Held by event 2, of Author 1, 2020-01-26 01:53:20 by zoe
Parents that are dead:
  Author 1
]], (trash(folder, "show Post 1")))
    golden(folder, "show_post", "show Post 3")
    golden(folder, "show_invoice", "show Invoice 1")
    golden(folder, "show_legacy", "show Legacy 1")
  end)

  it("show a row of models without cascades", function()
    local folder = command.folder()
    command.run(folder, { "init" })
    command.write(folder .. "/app.db", "")
    local code = 'db:create_tables() Post:create({ title = "Hello" }):delete { actor = "ana" }'
    assert.equal(0, (command.run(folder, { "shell", "-e", code })))
    local out = trash(folder, "show Post 1")
    assert.is_truthy(out:match "\ntitle +Hello\n")
    assert.is_truthy(out:match "\nHeld by event 1, of Post 1, [%d :-]+ by ana\n$")
  end)

  it("show an event", function()
    local folder = blog.filled()
    assert.equal([[
Event 2, of Author 1, 2020-01-26 01:53:20 by zoe
MODEL   HELD
Author     1
Post       2
MODEL  STAY AFTER AN UNDO
Post                    1
]], (trash(folder, "show --event 2")))
    golden(folder, "show_event", "show --event 2")
  end)

  it("refuse what is not there", function()
    local folder = blog.filled()
    assert.equal("tombstone: Post 4 is not in the trash\n", refused(folder, "show Post 4"))
    assert.equal("tombstone: which row of Post is not said\n"
      .. "hint: as in trash show Post 3; trash list Post has the keys\n", refused(folder, "show Post", 2))
    assert.is_truthy(refused(folder, "show Log"):find("Log has no trash", 1, true))
    assert.is_truthy(refused(folder, "show", 2):find("neither a row nor an event is named", 1, true))
  end)

  it("count by model, age, actor and event", function()
    local folder = blog.filled()
    golden(folder, "stats", "stats")
    local out = trash(folder, "stats")
    assert.is_truthy(out:match "MODEL +LIVING +DEAD +OLDEST\nAuthor +1 +1 +%d+ d\nPost +1 +3 ")
    assert.is_truthy(out:match "AGE +ROWS\nless than a day +0\n.*90 days and more +6\n")
    assert.is_truthy(out:match "ACTOR +ROWS\n%(nobody%) +2\nzoe +2\neve +1\n")
    assert.is_truthy(out:match "EVENT +ROWS +AGE +ACTOR +REASON\n +2 +2 +%d+ d +zoe\n")
    golden(blog.empty(), "stats_empty", "stats")
    local one = trash(folder, "stats Post")
    assert.is_truthy(one:match "^MODEL +LIVING +DEAD +OLDEST\nPost +1 +3 +%d+ d\n\nAGE")
    assert.equal(one, (trash(folder, "stats --model Post")))
    assert.is_truthy(refused(folder, "stats Post --model Author", 2):find("two models are named", 1, true))
    assert.is_truthy(refused(folder, "stats Log"):find("Log has no trash", 1, true))
  end)

  it("write nothing", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    for _, words in ipairs { "list", "show Post 1", "show --event 2", "stats" } do
      trash(folder, words)
    end
    assert.equal(before, blog.state(folder))
  end)
end)

describe("tombstone trash restore", function()
  after_each(command.clean)

  it("brings back what is named", function()
    local folder = blog.filled()
    golden(folder, "restore", "restore Author 1 --yes")
    assert.equal("2/0 2/2 0/1 0/1", counts(folder)) -- Two came back with Ana
    local out, code = trash(folder, "restore Post 1 --yes")
    assert.equal(0, code)
    assert.equal("MODEL  COME BACK\nPost           1\n1 of 1 row back, with what hangs on them.\n", out)
    assert.equal("2/0 3/1 0/1 0/1", counts(folder))
  end)

  it("says what would be and does nothing in a dry run", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    golden(folder, "restore_dry", "restore --all --dry-run")
    assert.equal([[
MODEL  COME BACK
Post           3
Values that are taken:
  Post 3: title 'Three\27[31m' is of Post 4
Parents that are dead:
  Author 1
]], (trash(folder, "restore Post --dry-run")))
    assert.equal(before, blog.state(folder))
  end)

  it("is refused before anything is done, with the way out", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    local hints = {
      ["restore Post 3 --yes"] = "tombstone: 1 row cannot come back: values are taken by living rows\n"
        .. "hint: give --on-conflict skip, rename or replace\n",
      ["restore Post 1 --yes"] = "tombstone: Author 1, a parent of these rows, is dead\n"
        .. "hint: give --parents, which brings parents back first\n",
      ["restore Post 2 --parents"] = "tombstone: nobody is there to be asked: Bring back 1 row?\n"
        .. "hint: give --yes, or --dry-run to look only\n",
    }
    for words, wanted in pairs(hints) do
      assert.equal(wanted, refused(folder, words))
    end
    assert.is_truthy(refused(folder, "restore --yes", 2):find("which rows is not said", 1, true))
    assert.equal(before, blog.state(folder))
  end)

  it("takes a strategy for conflicts, and parents along", function()
    local folder = blog.filled()
    trash(folder, "restore Post 3 --yes --on-conflict rename")
    local db = blog.open(folder)
    assert.equal("Three\27[31m (restored)", db:model("Post"):get_or_create({ id = 3 }).title)
    db:close()
    trash(folder, "restore Post 1 --yes --parents")
    assert.equal("2/0 4/0 0/1 0/1", counts(folder))
    local other = blog.filled()
    trash(other, "restore --all --yes --on-conflict skip")
    assert.equal("2/0 3/1 1/0 1/0", counts(other))
    trash(other, "restore --all --yes --on-conflict replace")
    assert.equal("2/0 3/1 1/0 1/0", counts(other))
  end)

  it("ends with 3 where nothing fits", function()
    local folder = blog.filled()
    local out, code = trash(folder, "restore --actor nobody --yes")
    assert.same({ "Nothing in the trash fits.\n", 3 }, { out, code })
    golden(folder, "restore_none", "restore --actor nobody --yes")
  end)
end)

describe("on-conflict replace", function()
  after_each(command.clean)

  it("says which living rows it deletes, before it asks", function()
    local folder = blog.filled()
    local title = "Living rows that are deleted for them:\n"
    local lines = title .. "  Post 4 Three\\27[31m\n"
    for _, words in ipairs { "restore Post 3", "undo 3" } do
      local out = trash(folder, words .. " --on-conflict replace --dry-run")
      assert.is_truthy(out:find(lines, 1, true), out)
      out = trash(folder, words .. " --on-conflict rename --dry-run")
      assert.is_nil(out:find(title, 1, true))
    end
    local words = { "trash", "undo", "3", "--on-conflict", "replace" }
    local _, out = command.run(folder, words)
    assert.is_truthy(out:find(lines, 1, true))
    trash(folder, "undo 3 --yes --on-conflict replace")
    assert.equal("1/1 1/3 0/1 0/1", counts(folder))
  end)

  it("says what goes along with these", function()
    local folder = blog.filled()
    local db = blog.open(folder)
    local Author, Post = db:model "Author", db:model "Post"
    local ana = Author:create { name = "Ana" }
    Post:create { title = "New", author = ana }
    Post:create { title = "Newer", author = ana }
    db:close()
    local out = trash(folder, "restore Author 1 --on-conflict replace --dry-run")
    local title = "deleted for them:\n  Author 3 Ana, "
    assert.is_truthy(out:find(title .. "and along with it 2 of Post\n", 1, true), out)
  end)
end)

describe("tombstone trash undo", function()
  after_each(command.clean)

  it("brings back what the event took and still holds", function()
    local folder = blog.filled()
    golden(folder, "undo", "undo 2 --yes")
    assert.equal("2/0 2/2 0/1 0/1", counts(folder))
    local out, code = trash(folder, "undo 2 --yes")
    assert.same({ "Event 2 holds nothing that could come back.\n", 3 }, { out, code })
  end)

  it("looks only, or is refused, and does nothing", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    local out, code = trash(folder, "undo 2 --dry-run")
    assert.equal(0, code)
    assert.is_truthy(out:match "MODEL +COME BACK\nAuthor +1\nPost +1\nMODEL +STAY, HELD BY OTHERS\nPost +1\n")
    assert.is_truthy(refused(folder, "undo 3 --yes"):find("values are taken by living rows", 1, true))
    assert.is_truthy(refused(folder, "undo 2"):find("Undo event 2 of zoe: bring back 2 rows?", 1, true))
    assert.is_truthy(refused(folder, "undo 9 --yes"):find("there is no event 9", 1, true))
    assert.equal(before, blog.state(folder))
    trash(folder, "undo 3 --yes --on-conflict rename")
    assert.equal("1/1 2/2 0/1 0/1", counts(folder))
  end)
end)

describe("tombstone trash purge", function()
  after_each(command.clean)

  it("removes what is named, and what goes along", function()
    local folder = blog.filled()
    local out = trash(folder, "purge Author 1 --dry-run")
    assert.equal("MODEL   PURGED  GO ALONG\nAuthor       1\nPost                   2\n", out)
    golden(folder, "purge", "purge Author 1 --yes")
    assert.equal("1/0 1/1 0/1 0/1", counts(folder))
    golden(folder, "purge_all", "purge --all --yes")
    assert.equal("1/0 1/0 0/0 0/0", counts(folder))
    out = { trash(folder, "purge --all --yes") }
    assert.same({ "Nothing in the trash fits.\n", 3 }, out)
  end)

  it("looks only in a dry run", function()
    local folder = blog.filled()
    local before = blog.state(folder)
    golden(folder, "purge_dry", "purge --all --dry-run")
    assert.equal([[
MODEL    PURGED  GO ALONG
Author        1
Post          3  up to 2
Invoice       1
Legacy        1
]], (trash(folder, "purge --all --dry-run")))
    assert.is_truthy(refused(folder, "purge --all"):find("Remove 6 rows for good?", 1, true))
    assert.is_truthy(refused(folder, "purge", 2):find("which rows is not said", 1, true))
    assert.equal(before, blog.state(folder))
  end)

  it("is refused where living rows need what would go", function()
    local folder = blog.filled()
    local db = tombstone.open(folder .. "/blog.db")
    db:exec("UPDATE invoice SET author_id = 1, deleted_at = NULL, deleted_event = NULL")
    db:close()
    local before = blog.state(folder)
    assert.equal("tombstone: 1 living of Invoice need these rows as their author_id, as Invoice 1\n"
      .. "hint: delete or move them first\n", refused(folder, "purge Author --yes"))
    assert.equal(before, blog.state(folder))
  end)

  it("removes thousands of rows, each once, across its chunks", function()
    local folder = blog.empty()
    local db = blog.open(folder)
    local rows = {}
    for i = 1, 2500 do
      rows[i] = { title = "post " .. i }
    end
    local Post = db:model "Post"
    Post:bulk_create(rows)
    Post.objects:filter({ id__lte = 2400 }):delete()
    db:close()
    local out = trash(folder, "purge Post --yes --json")
    assert.equal("2400", out:match '"purged": {%s*"Post": (%d+)')
    assert.equal("0/0 100/0 0/0 0/0", counts(folder))
  end)

  it("does not narrow what is expired", function()
    local folder = blog.filled()
    for _, more in ipairs { "Post", "--actor nobody", "--all", "--older-than 1d" } do
      local before = blog.state(folder)
      local code, _, err = command.run(folder, { "--yes", "trash", "purge", "--expired", (more:match "%S+"),
        more:match "%s(%S+)" })
      assert.equal(2, code)
      assert.truthy(err:find("--expired is of all models", 1, true), err)
      assert.equal(before, blog.state(folder))
    end
  end)

  it("removes what is expired, by the keep of the models", function()
    local folder = blog.filled()
    golden(folder, "purge_expired_dry", "purge --expired --dry-run")
    local out = trash(folder, "purge --expired --dry-run")
    assert.equal("MODEL  EXPIRED\nPost         3\nEvents that hold no row any more: 2\n", out)
    assert.equal("1/1 1/3 0/1 0/1", counts(folder))
    out = trash(folder, "purge --expired --yes")
    assert.is_truthy(out:find("3 rows are gone.\n", 1, true))
    assert.equal("1/1 1/0 0/1 0/1", counts(folder))
    out = { trash(folder, "purge --expired --yes") }
    assert.same({ "Nothing is expired.\n", 3 }, out)
  end)
end)
