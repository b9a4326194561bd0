-- Debian's packages again, with what they hang on: maintainers, sections, and dependencies that
-- carry a version. A maintainer leaves, and comes back.
--
--   dependencies.lua [STATUS]
--
-- STATUS is a status file of dpkg, by default this machine's own, or the excerpt beside this
-- script where there is none.
local tombstone = require "tombstone"
local f, count = tombstone.field, tombstone.count

local MACHINES_OWN = "/var/lib/dpkg/status"
local EXCERPT = (arg[0]:match "^.*/" or "") .. "packages.status"
local BATCH = 500

local function say(text, ...)
  print(text:format(...))
end

-- ---- the status file -------------------------------------------------------------------------

-- Stanzas of `Name: value`; a blank line ends one, and a line that begins with a blank goes on.
local function stanzas(path)
  local file = assert(io.open(path))
  return function()
    local stanza, name
    for line in file:lines() do
      if line == "" and stanza then
        return stanza
      elseif line:find "^[ \t]" and name then
        stanza[name] = stanza[name] .. "\n" .. line
      elseif line ~= "" then
        stanza = stanza or {}
        local value
        name, value = line:match "^([^:]+):%s*(.*)$"
        stanza[name] = value
      end
    end
    if not stanza then
      file:close()
    end
    return stanza
  end
end

-- "libc6 (>= 2.36), perl:any | ruby" -> the alternatives of each, with their versions
local function each_dependency(text)
  local list = {}
  for choice in (text or ""):gmatch "[^,]+" do
    local alternatives = {}
    for one in choice:gmatch "[^|]+" do
      local name = one:match "^%s*([^%s:(]+)"
      alternatives[#alternatives + 1] = name and { name = name, version = one:match "%(([^)]+)%)" } or nil
    end
    list[#list + 1] = alternatives
  end
  return list
end

-- ---- counting statements -----------------------------------------------------------------------

local statements = 0

local function count_statement()
  statements = statements + 1
end

-- The number of statements that a call takes, and what it answers.
local function counted(call, ...)
  local before = statements
  local answer = call(...)
  return statements - before, answer
end

-- ---- the models --------------------------------------------------------------------------------

-- A section outlives its packages and cannot go while it has some; a maintainer takes the packages
-- along, and a package the dependencies at both of its ends.
local function declare(db)
  local models = {}
  models.Maintainer = db:model("Maintainer", {
    name = f.text { unique = true },
    package_count = f.counter "packages",
  })
  models.Section = db:model("Section", { name = f.text { unique = true } })
  models.Package = db:model("Package", {
    name = f.text(),
    architecture = f.text(),
    version = f.text { null = true },
    maintainer = f.belongs_to("Maintainer", {
      on_delete = "cascade",
      null = true,
      related_name = "packages",
    }),
    section = f.belongs_to("Section", { on_delete = "restrict", null = true, related_name = "packages" }),
    depends = f.many_to_many("Package", {
      through = "Dependency",
      near = "package_id",
      far = "needs_id",
      related_name = "needed_by",
    }),
  }, { unique_together = { "architecture", "name" }, order_by = { "name", "architecture" } })
  models.Dependency = db:model("Dependency", {
    kind = f.text(),
    version = f.text { null = true },
    package = f.belongs_to("Package", { on_delete = "cascade", related_name = "dependencies" }),
    needs = f.belongs_to("Package", { on_delete = "cascade", related_name = "dependents" }),
  })
  db:create_tables()
  return models
end

-- ---- importing ---------------------------------------------------------------------------------

-- The key of the row of that name, which is made when it is met first.
local function keys_by_name(Model)
  local keys = {}
  return function(name)
    if name ~= nil and keys[name] == nil then
      keys[name] = Model:create({ name = name }).id
    end
    return keys[name]
  end
end

local function create_in_batches(Model, values)
  for from = 1, #values, BATCH do
    local batch = {}
    for i = from, math.min(from + BATCH - 1, #values) do
      batch[#batch + 1] = values[i]
    end
    Model:bulk_create(batch)
  end
end

local function import_packages(models, path)
  local maintainer, section = keys_by_name(models.Maintainer), keys_by_name(models.Section)
  local packages, texts = {}, {}
  for stanza in stanzas(path) do
    packages[#packages + 1] = {
      name = stanza.Package,
      architecture = stanza.Architecture or "",
      version = stanza.Version,
      maintainer_id = maintainer(stanza.Maintainer),
      section_id = section(stanza.Section),
    }
    texts[#packages] = { ["Pre-Depends"] = stanza["Pre-Depends"], Depends = stanza.Depends }
  end
  create_in_batches(models.Package, packages)
  return texts
end

-- A dependency is met by its first alternative that is here; what another package only provides is
-- left out.
local function import_dependencies(models, texts)
  local ids, by_name = {}, {}
  for i, package in ipairs(models.Package.objects:order_by("id"):all()) do
    ids[i], by_name[package.name] = package.id, package.id
  end
  local links, unmet = {}, 0
  for i, text in ipairs(texts) do
    for _, kind in ipairs { "Pre-Depends", "Depends" } do
      for _, alternatives in ipairs(each_dependency(text[kind])) do
        local met
        for _, one in ipairs(alternatives) do
          met = met or by_name[one.name] and one
        end
        if met then
          local needs = by_name[met.name]
          links[#links + 1] = { kind = kind, version = met.version, package_id = ids[i], needs_id = needs }
        else
          unmet = unmet + 1
        end
      end
    end
  end
  create_in_batches(models.Dependency, links)
  return unmet
end

-- ---- telling -----------------------------------------------------------------------------------

-- A number for every value of every table, dead rows and further owners included. The log of events
-- is the one that grows by an undone deletion, and SQLite counts its keys in a table of its own.
local TABLES = [[SELECT name FROM sqlite_master WHERE type = 'table'
  AND name NOT IN ('tombstone_event', 'sqlite_sequence') ORDER BY name]]

local function digest(db)
  local sum = 5381
  for _, entry in ipairs(db:query(TABLES)) do
    for row in db:each('SELECT * FROM "' .. entry.name .. '" ORDER BY id') do
      local columns = {}
      for column, value in pairs(row) do
        columns[#columns + 1] = column .. "=" .. tostring(value)
      end
      table.sort(columns)
      local text = entry.name .. "\n" .. table.concat(columns, "\n")
      for i = 1, #text do
        sum = (sum * 33 + text:byte(i)) % 4294967296
      end
    end
  end
  return ("%08x"):format(sum)
end

local function say_tree(package, depth, indent)
  for _, needed in ipairs(depth > 0 and package:depends():all() or {}) do
    say("%s%s", indent, needed.name)
    say_tree(needed, depth - 1, indent .. "  ")
  end
end

local function names_of(query)
  local names = {}
  for i, name in ipairs(query:pluck "name") do
    names[i] = name
  end
  return table.concat(names, ", ")
end

-- ---- the story ---------------------------------------------------------------------------------

local function choose_maintainer(models)
  local some = models.Maintainer.objects:order_by "-package_count"
  return some:filter({ packages__needed_by__isnull = false }):first() or some:first()
end

-- What stays must not hang in the air: a section with packages is not deleted.
local function keep_section(models)
  local section = models.Section.objects:filter({ packages__isnull = false }):order_by("name"):first()
  local ok, err = pcall(section.delete, section)
  assert(not ok and err.kind == "restricted")
  say("\nsection %s is in use: %s", section.name, tostring(err))
end

-- Before the deletion the same packages are found in another way, which is the check.
local function will_break(models, leaving)
  return models.Package.objects
    :filter({ dependencies__needs__maintainer = leaving })
    :exclude({ maintainer = leaving })
    :count()
end

local function say_broken(models, expected)
  local broken = models.Package.objects
    :with_deleted("dependencies", "dependencies.needs")
    :filter({ dependencies__needs__deleted_at__isnull = false })
  local n = broken:count()
  assert(n == expected)
  local some = names_of(broken:limit(5)) .. (n > 5 and ", …" or "")
  say("  of those that stay, %d depend on a deleted one: %s", n, some)
  say("  asked by %s", (broken:sql()))
end

local function leave_and_return(db, models)
  local leaving = choose_maintainer(models)
  local expected, packages = will_break(models, leaving), leaving.package_count
  local before = digest(db)
  say("\n%s leaves, who has %d packages", leaving.name, packages)
  local n, event = counted(leaving.delete, leaving, { actor = "archive", reason = "left" })
  local taken = event:counts()
  local links = taken.Dependency or 0
  say("  one event took %d packages and %d dependencies, by %d statements", taken.Package, links, n)
  assert(taken.Maintainer == 1 and taken.Package == packages)
  local gone = digest(db)
  say_broken(models, expected)

  local back
  n, back = counted(event.undo, event)
  say("  undone: %d rows are back, by %d statements", back, n)
  assert(back == 1 + packages + links)
  local after = digest(db)
  say("  the digest of all tables was %s, then %s, and is %s", before, gone, after)
  assert(before == after and before ~= gone)
end

-- However many packages a level has, it is one statement. A short file may have no chain of three.
local function show_tree(models)
  local way, lookup, depth = "depends.depends.depends", "depends__depends__depends__isnull", 3
  local function deep()
    return models.Package.objects:filter { [lookup] = false }
  end
  while depth > 1 and not deep():exists() do
    way, lookup, depth = way:gsub("%.depends$", ""), lookup:gsub("^depends__", ""), depth - 1
  end
  local root = deep():annotate({ n = count "depends" }):order_by("n", "name"):first()
  if root then
    local n
    n, root = counted(function()
      return models.Package.objects:with(way):get(root.id)
    end)
    say("\nwhat %s needs, %d levels deep:\n  %s", root.name, depth, root.name)
    local more = counted(say_tree, root, depth, "    ")
    say("  read with %d statements", n + more)
    assert(n == depth + 1 and more == 0)
  end
end

local function main(path)
  local db = tombstone.open(":memory:", { log = count_statement })
  local models = declare(db)
  local unmet = db:transaction(function()
    return import_dependencies(models, import_packages(models, path))
  end)
  say("%s: %d packages", path, models.Package.objects:count())
  local maintainers, sections = models.Maintainer.objects:count(), models.Section.objects:count()
  say("  of %d maintainers, in %d sections", maintainers, sections)
  local links = models.Dependency.objects:count()
  say("  with %d dependencies; %d are met by nothing that is here", links, unmet)
  say "  a maintainer takes packages along, a package its dependencies, a section waits for its last package"

  say "\nthe most needed:"
  local most = models.Package.objects:annotate({ n = count "needed_by" }):order_by("-n", "name"):limit(3)
  for _, package in ipairs(most:all()) do
    say("  %s, by %d", package.name, package.n)
  end

  keep_section(models)
  leave_and_return(db, models)
  show_tree(models)
  db:close()
end

local own = io.open(MACHINES_OWN)
if own then
  own:close()
end
main(arg[1] or (own and MACHINES_OWN or EXCERPT))
