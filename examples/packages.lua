-- The Debian packages of this machine, as a model: a real import, and what a
-- deletion, its conflict, its undo and a purge do to it.
--
--   packages.lua [STATUS [DATABASE]]
--
-- STATUS is a status file of dpkg, by default this machine's own, or the excerpt
-- beside this script where there is none. DATABASE is a new file to be kept; by
-- default it is a temporary one.
local tombstone = require "tombstone"
local f, count, sum = tombstone.field, tombstone.count, tombstone.sum

local MACHINES_OWN = "/var/lib/dpkg/status"
local EXCERPT = (arg[0]:match "^.*/" or "") .. "packages.status"
local BATCH = 500

-- ---- the status file: stanzas of fields, with a blank line after each ----------------

-- Reads up to the next blank line: field names in lower case, and their values. A line
-- that begins with a blank continues the field before it.
local function read_stanza(lines)
  local stanza, name
  for line in lines do
    if line == "" then
      if stanza then
        return stanza
      end
    elseif line:find "^[ \t]" then
      stanza[name] = stanza[name] .. "\n" .. line:sub(2)
    else
      local field, value = line:match "^([^:]+):%s*(.*)$"
      name = field:lower()
      stanza = stanza or {}
      stanza[name] = value
    end
  end
  return stanza
end

-- What dpkg knows of a package that is not installed may be little more than its name.
local function to_package(stanza)
  return {
    name = stanza.package,
    architecture = stanza.architecture or "",
    version = stanza.version,
    section = stanza.section,
    priority = stanza.priority,
    installed_size = tonumber(stanza["installed-size"]),
    maintainer = stanza.maintainer,
    status = stanza.status,
    description = stanza.description and stanza.description:match "^[^\n]*",
  }
end

-- for package in packages(path) do … end: one at a time, so that no file is too long.
local function packages(path)
  local file = assert(io.open(path))
  local lines = file:lines()
  return function()
    local stanza = read_stanza(lines)
    if stanza then
      return to_package(stanza)
    end
    file:close()
  end
end

-- ---- the model --------------------------------------------------------------------------

-- A package is known by its name and architecture: one machine may have libc6 for two.
-- Names stand last, so that "rename" gives a package another name.
local function declare(db)
  local Package = db:model("Package", {
    name = f.text(),
    architecture = f.text(),
    version = f.text { null = true },
    section = f.text { null = true, index = true },
    priority = f.text { null = true },
    installed_size = f.integer { null = true },
    maintainer = f.text { null = true },
    status = f.text(),
    description = f.text { null = true },
  }, { unique_together = { "architecture", "name" }, order_by = { "name", "architecture" } })
  db:create_tables()
  function Package:title()
    return self.name .. ":" .. self.architecture
  end
  return Package
end

-- ---- telling ------------------------------------------------------------------------------

local function say(text, ...)
  print(text:format(...))
end

-- Does a step and says how long it took: on the clock, and of the processor's time.
local function timed(db, what, step)
  local cpu, wall = os.clock(), db:now()
  local first, second = step()
  cpu, wall = os.clock() - cpu, db:now() - wall
  local rows = ("%d row%s"):format(first, first == 1 and "" or "s")
  say("%-44s %10s %9.2f ms (%.2f of computing)", what, rows, wall * 1000, cpu * 1000)
  return first, second
end

local function say_counts(Package)
  local living, dead = Package.objects:count(), Package.deleted_objects:count()
  assert(living + dead == Package.all_objects:count())
  say("  %d live, %d are deleted", living, dead)
  return living, dead
end

-- ---- the steps ------------------------------------------------------------------------------

-- One transaction, whatever the file's length: all of it is there afterwards, or nothing.
local function import(db, Package, path)
  return db:transaction(function()
    local batch, n = {}, 0
    for package in packages(path) do
      n = n + 1
      batch[#batch + 1] = package
      if #batch == BATCH then
        Package:bulk_create(batch)
        batch = {}
      end
    end
    Package:bulk_create(batch)
    return n
  end)
end

local function largest_section(Package)
  local sections = Package.objects
    :filter({ section__isnull = false })
    :group_by("section")
    :aggregate { n = count "*", kilobytes = sum "installed_size" }
  table.sort(sections, function(a, b)
    return a.n > b.n or a.n == b.n and a.section < b.section
  end)
  return sections[1], #sections
end

-- The undo of the deletion is refused as a whole; the error tells what is in the way.
local function show_conflict(Package, event)
  local before = Package.objects:count()
  local ok, err = pcall(event.undo, event)
  assert(not ok and err.kind == "integrity" and err.constraint == "unique")
  assert(Package.objects:count() == before)
  say("The undo is refused, and changes nothing:\n  %s", tostring(err))
  for _, conflict in ipairs(event:restore_plan().conflicts) do
    local dead = Package.all_objects:get(conflict.dead_pk)
    local living = Package.all_objects:get(conflict.live_pk)
    say("  dead:   #%d %s %s\n  living: #%d %s %s", dead.id, dead:title(), dead.version, living.id,
      living:title(), living.version)
  end
  return Package.all_objects:get(err.conflicts[1].dead_pk)
end

-- Each row is what the file says, field by field: nothing was lost on the way.
local function compare(Package, path)
  local n = 0
  for package in packages(path) do
    local row = Package.objects:get { name = package.name, architecture = package.architecture }
    for field, value in pairs(package) do
      assert(row[field] == value, row:title() .. " has another " .. field)
    end
    n = n + 1
  end
  assert(n == Package.objects:count())
  return n
end

-- ---- the story --------------------------------------------------------------------------------

local function run(db, path)
  local Package = declare(db)
  local total = timed(db, "Imported " .. path, function()
    return import(db, Package, path)
  end)
  assert(total > 0, "there are no packages")
  assert(Package.objects:count() == total)
  local largest, sections = largest_section(Package)
  say("  %d sections; the largest is %s, with %d packages of %.1f MB", sections, largest.section,
    largest.n, (largest.kilobytes or 0) / 1024)

  local section = Package.objects:filter { section = largest.section }
  local deleted, event = timed(db, "ana deletes " .. largest.section .. ", in one event", function()
    return section:delete { actor = "ana", reason = "looked unused" }
  end)
  assert(deleted == largest.n and section:count() == 0)
  local living, dead = say_counts(Package)
  assert(living == total - deleted and dead == deleted)

  local lost = event:rows(Package):order_by("-installed_size"):first()
  local newcomer = Package:create {
    name = lost.name,
    architecture = lost.architecture,
    version = "99",
    section = "local",
    status = "install ok installed",
  }
  say("%s is free again: version %s takes it, as #%d", lost:title(), newcomer.version, newcomer.id)
  lost = show_conflict(Package, event)

  local name = lost.name
  assert(lost:restore { on_conflict = "rename" })
  say("The old one comes back under another name: %s", lost:title())
  local undone = timed(db, "Undid the rest of " .. event.actor .. "'s deletion", function()
    return event:undo()
  end)
  assert(undone == deleted - 1 and event.undone_at)
  living, dead = say_counts(Package)
  assert(living == total + 1 and dead == 0)

  newcomer:delete { actor = "ben", reason = "was a mistake" }
  lost:update { name = name }
  timed(db, "Purged the newcomer", function()
    return Package.deleted_objects:purge { all = true }
  end)
  timed(db, "Compared each package with the file", function()
    return compare(Package, path)
  end)

  timed(db, "ana deletes " .. largest.section .. " once more", function()
    return section:delete { actor = "ana", reason = "is unused, really" }
  end)
  local purged = timed(db, "Purged it: this is for good", function()
    return Package.deleted_objects:purge { all = true }
  end)
  living, dead = say_counts(Package)
  assert(purged == deleted and living == total - deleted and dead == 0)

  say "What happened:"
  for _, e in ipairs(db:events()) do
    say("  #%d %s: %s (%s)", e.id, e.actor, e.reason, e.undone_at and "undone" or "stands")
  end
end

local function readable(path)
  local file = io.open(path)
  if file then
    file:close()
  end
  return file ~= nil
end

local function main(status, path)
  status = status or (readable(MACHINES_OWN) and MACHINES_OWN) or EXCERPT
  local file = path or os.tmpname()
  if path and readable(path) then
    error(path .. " exists already", 0)
  end
  local db = tombstone.open(file)
  local ok, err = pcall(run, db, status)
  db:close()
  if path then
    say("The database is %s", path)
  else
    os.remove(file)
  end
  if not ok then
    error(tostring(err), 0) -- as a text, since Lua 5.1 shows no other errors
  end
end

main(arg[1], arg[2])
