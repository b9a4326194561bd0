-- The game of examples/hosts/love, played on a screen of its own, with keys.
local host = require "hosts.host"
if not host.runs "luajit" then
  return
end
local helper = require "helper"
local tombstone = require "tombstone"
local window = require "hosts.window"

local GAME = "examples/hosts/love"
local SIZE = "960x640x24"
local ALARM = "#cf5a43" -- the head of the dialog
local quote = helper.quote

-- Where LÖVE keeps saves. Not the folder itself: a fused game that lies beside them does not start.
local function saves_in(screen)
  return screen.folder .. "/saves"
end

local function save_in(screen)
  return saves_in(screen) .. "/love/tombstone-satchel/satchel.db"
end

-- Starts it from the tree, as its README says.
local function start_game(screen, options, module)
  local command = "XDG_DATA_HOME=%s TOMBSTONE=%s love %s %s"
  local saves = quote(saves_in(screen))
  return screen:start(command:format(saves, quote(module or host.module), GAME, options or ""))
end

-- What a query of the save answers, a line a row, read by this process.
local function lines(path, sql)
  local db = tombstone.open(path, { read_only = true })
  local found = {}
  for i, row in ipairs(db:query(sql)) do
    found[i] = row.line
  end
  db:close()
  return found
end

local LIVING = "SELECT name || ', ' || slot AS line FROM items WHERE deleted_at IS NULL ORDER BY slot"
local DEAD = "SELECT id || ', ' || name || ', ' || slot AS line FROM items WHERE deleted_at IS NOT NULL"
local EVENTS = "SELECT iif(undone_at IS NULL, 'stands', 'undone') AS line FROM tombstone_event ORDER BY id"
local COUNT = "SELECT count(*) AS line FROM items WHERE deleted_at IS NULL"

-- Takes a rope, throws it away, and takes another, which gets its slot.
local function come_to_a_conflict(game)
  game:press("Right space", "Picked up: Rope, slot 4\n")
  game:press("4 x", "Thrown away: Rope, slot 4\n")
  game:press("Right Right space", "Picked up: Rope, slot 4\n")
  game:press("u", "In the way: name Rope and slot 4\n")
end

-- What 99 of 100 frames stay below, in milliseconds, and their queries: of the last 300, so that a
-- machine that had other work for a while is looked at again.
local function wait_for_short_frames(game)
  local last = os.time() + 120
  while true do
    local said = game:press("t", "Frame .-; 100000 items\n")
    local frame, queries = said:match "99 %% below ([%d.]+); .-99 %% below ([%d.]+),"
    frame, queries = tonumber(frame), tonumber(queries)
    if (frame > 0 and frame < 50 and queries < 16) or os.time() > last then
      return frame, queries
    end
    os.execute "sleep 0.2"
  end
end

describe("the game on LÖVE", function()
  it("is played: pick up, throw away, undo, and a conflict that its dialog resolves", function()
    window.on_screen(SIZE, function(screen)
      local game = start_game(screen, "--old-save")
      game:says "save migrated from version 1 to 2\n"
      game:says "Ready\n"
      game:press("space", "Nothing lies here\n")
      game:press("Right space", "Picked up: Rope, slot 4\n")
      game:press("4 x", "Thrown away: Rope, slot 4\n")
      screen:wait_for_colour("#d9cdb6", 10000) -- the bin
      game:press("u", "Back: Rope\n")
      game:press("Right Right space", "There is a Rope in the satchel already\n")
      assert.is_true(screen:points_of(ALARM) < 500)

      game:press("x", "Thrown away: Rope, slot 4\n")
      game:press("space", "Picked up: Rope, slot 4\n")
      game:press("u", "In the way: name Rope and slot 4\n")
      screen:wait_for_colour(ALARM, 15000)
      game:press("Escape", "It stays in the bin\n")
      screen:wait_for_colour(ALARM, 0, 500)

      game:press("u", "In the way: name Rope and slot 4\n")
      game:types " of Ben"
      game:press("Return", "Back: Old rope of Ben\n")

      game:press("x", "Thrown away: Rope, slot 4\n")
      game:press("Right Right space", "Picked up: Rope, slot 4\n")
      game:press("u", "In the way: name Rope and slot 4\n")
      game:types " of Ben"
      game:press("Return", "Old rope of Ben is taken as well\n")
      game:press("Up Return", "Nothing came back\n")
      game:press("u", "In the way: name Rope and slot 4\n")
      game:press("Down Return", "Back: Rope\n")

      game:press("Escape", "Goodbye\n")
      game:ends()
      local save = save_in(screen)
      local living = { "Apple, 1", "Quill, 2", "Apple 3, 3", "Rope, 4", "Old rope of Ben, 5" }
      assert.same(living, lines(save, LIVING))
      assert.same({ "6, Rope, 4" }, lines(save, DEAD)) -- the third one, which was replaced
      assert.same({ "undone", "undone", "undone", "stands" }, lines(save, EVENTS))
      local before = lines(save .. ".version1", "SELECT label AS line FROM items ORDER BY id")
      assert.same({ "Apple", "Quill", "Apple" }, before)
    end)
    host.passed("LÖVE", "migration, delete, bin, undo, conflict resolved in a dialog")
  end)

  it("undoes the event of a whole page, and asks about what is in the way", function()
    window.on_screen(SIZE, function(screen)
      local game = start_game(screen, "--old-save")
      game:says "Ready\n"
      come_to_a_conflict(game)
      game:press("Return", "Back: Old rope\n")
      game:press("e", "Turned out: 5 items\n")
      game:press("Right Down Down Down space", "Picked up: Ruby, slot 1\n")
      game:press("u", "In the way: slot 1\n")
      game:press("Return", "Back: Quill, Apple 3, Rope, Old rope, Apple\n")
      game:press("Escape", "Goodbye\n")
      game:ends()
      assert.same(
        { "Ruby, 1", "Quill, 2", "Apple 3, 3", "Rope, 4", "Old rope, 5", "Apple, 6" },
        lines(save_in(screen), LIVING)
      )
      start_game(screen, "--old-save"):says "There is a save already, which stays"
      assert.equal(6, #lines(save_in(screen), LIVING))
    end)
  end)

  it("leaves a save of a later version alone", function()
    window.on_screen(SIZE, function(screen)
      local game = start_game(screen)
      game:says "Ready\n"
      game:press("Escape", "Goodbye\n")
      game:ends()
      local db = tombstone.open(save_in(screen))
      db:exec "INSERT INTO tombstone_migration VALUES ('0003_spells', NULL, '2027-01-01 00:00:00', 0, 1)"
      db:close()
      start_game(screen):says "This save was written by a later version of the game\n"
      assert.same({}, lines(save_in(screen), LIVING))
    end)
  end)

  it("shows a page and the count of 100,000 rows in each frame, and holds none", function()
    window.on_screen(SIZE, function(screen)
      local game = start_game(screen)
      game:says "Ready\n"
      game:press("Right space", "Picked up: Rope, slot 1\n")
      game:press("f", "Filling the save\n")
      game:press("1 x", "Thrown away: Rope, slot 1\n") -- while a thread fills it
      game:says "99999 items in the save\n"
      game:press("u", "Back: Rope\n")
      game:press("Page_Down", "Page 2\n")

      local frame, queries = wait_for_short_frames(game)
      local figures = ("%s ms, queries %s ms"):format(frame, queries)
      assert.is_true(frame > 0 and frame < 50 and queries < 16, figures)

      game:press("Escape", "Goodbye\n")
      game:ends()
      assert.same({ 100000 }, lines(save_in(screen), COUNT))

      local hurried = start_game(screen, "--budget 0.05") -- which is no time for the count
      hurried:says "Ready\n"
      local last, stopped = os.time() + 60, 0
      while stopped < 100 and os.time() < last do
        stopped = tonumber(hurried:press("t", "(%d+) were stopped; 0 items\n"))
      end
      assert.is_true(stopped >= 100, stopped)
      hurried:press("Escape", "Goodbye\n")
    end)
    host.passed("LÖVE", "frames with 100,000 rows, a thread with a connection of its own")
  end)

  it("runs as it is shipped: a .love with the module in it, and one file with LÖVE in it", function()
    window.on_screen(SIZE, function(screen)
      local saves = quote(saves_in(screen))
      local packed, fused = screen.folder .. "/satchel.love", screen.folder .. "/satchel"
      host.must(("%s/pack %s %s"):format(GAME, quote(host.module), quote(packed)))
      host.must(("cat $(command -v love) %s >%s"):format(quote(packed), quote(fused)))
      host.must("chmod +x " .. quote(fused))
      for _, command in ipairs { "love " .. quote(packed), quote(fused) } do
        local game = screen:start("env -u TOMBSTONE XDG_DATA_HOME=" .. saves .. " " .. command)
        game:says "Ready\n"
        game:press("Right space", "Picked up: Rope, slot 1\n")
        game:press("f Escape", "Goodbye\n") -- which waits for the thread
        game:ends()
      end
      assert.equal("Rope, 1", lines(save_in(screen), LIVING)[1])
      assert.equal("Rope, 1", lines(saves_in(screen) .. "/tombstone-satchel/satchel.db", LIVING)[1])
    end)
    host.passed("LÖVE", ".love and fused")
  end)

  it("says why a module cannot be loaded, in the system's words", function()
    window.on_screen(SIZE, function(screen)
      local wrong = screen.folder .. "/tombstone.so"
      host.must("echo no module >" .. quote(wrong))
      local game = start_game(screen, "", wrong)
      game:says "tombstone cannot be loaded: [^\n]*tombstone%.so: file too short\n"
    end)
  end)

  it("has a picture in its README, which a script takes", function()
    host.in_folder(function(folder)
      local picture = folder .. "/picture.png"
      host.must(("%s/screenshot %s %s"):format(GAME, quote(host.module), quote(picture)), 240)
      for _, path in ipairs { picture, GAME .. "/screenshot.png" } do
        local size = host.must("identify -format '%wx%h %b' " .. quote(path))
        local shape, bytes = size:match "^(%d+x%d+) (%d+)B"
        assert.equal("960x640", shape)
        assert.is_true(tonumber(bytes) < 60000, size)
      end
    end)
  end)
end)
