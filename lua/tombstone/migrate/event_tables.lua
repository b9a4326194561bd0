--- The engine's own tables, `tombstone_event` and `tombstone_owner`, as migrations meet them.
-- @module tombstone.migrate.event_tables
local core = require "tombstone.core"
local database = require "tombstone.database"
local schema = require "tombstone.migrate.schema"
local soft = require "tombstone.migrate.soft"
local tokens = require "tombstone.migrate.tokens"
local field = require "tombstone.field"

local M = {}

M.EVENT, M.OWNER = "tombstone_event", "tombstone_owner"

-- ---- making them -----------------------------------------------------------------------------

-- The statements of the engine itself: with a cascade it wants both tables.
local function statements()
  local scratch = database.open ":memory:"
  scratch:model("TombstoneParent", {})
  scratch:model("TombstoneChild", { parent = field.belongs_to("TombstoneParent", { on_delete = "cascade" }) })
  local ddl = scratch:ddl()
  scratch:close()
  return ddl
end

local function create(job, name)
  if schema.has(job.db, name) then
    return false
  end
  for _, sql in ipairs(statements()) do
    if sql:match '^CREATE [A-Z ]-"([%w_]+)"' == name or sql:find(' ON "' .. name .. '" ', 1, true) then
      job:run((sql:gsub(" IF NOT EXISTS ", " ", 1)))
    end
  end
  return true
end

--- The tables of a schema that have events, by name.
function M.with_events(found)
  local list = {}
  for name, t in pairs(found.tables) do
    local is = soft.of(t)
    list[name] = is and is.event and is or nil
  end
  return list
end

local function points_between(t, with)
  for _, key in ipairs(t.foreign_keys) do
    for name in pairs(with) do
      if tokens.same(key.table, name) then
        return true
      end
    end
  end
  return false
end

-- A cascade is possible where one of them points at another.
local function may_cascade(found, with)
  for name in pairs(with) do
    if points_between(found.tables[name], with) then
      return true
    end
  end
  return false
end

--- Creates what soft-deletable models need, as far as it is missing.
-- @tparam job job
-- @treturn {string,...} names of the tables that it has created
function M.create(job)
  local made = {}
  made[1] = create(job, M.EVENT) and M.EVENT or nil
  local found = schema.read(job.db)
  if may_cascade(found, M.with_events(found)) and create(job, M.OWNER) then
    made[#made + 1] = M.OWNER
  end
  return made
end

--- The same in the value of a schema.
-- @tparam table found is changed
function M.add(found)
  local scratch = database.open ":memory:"
  for _, sql in ipairs(statements()) do
    scratch:exec(sql)
  end
  for _, name in ipairs { M.EVENT, M.OWNER } do
    local is_needed = name == M.EVENT or may_cascade(found, M.with_events(found))
    if is_needed and not found.tables[name] then
      found.tables[name] = schema.read_table(scratch, name)
      found.order[#found.order + 1] = name
    end
  end
  scratch:close()
end

--- Drops those of them that no table needs and that are empty.
-- @tparam job job
-- @tparam {[string]=string} texts has the names of those that were created with the table, as keys
function M.drop_unused(job, texts)
  local found = schema.read(job.db)
  local with = M.with_events(found)
  local function drop(name, is_needed)
    local is_empty = texts[name]
      and found.tables[name]
      and job:value(("SELECT count(*) AS value FROM %s"):format(tokens.name(name))) == 0
    if is_empty and not is_needed then
      job:run("DROP TABLE " .. tokens.name(name))
    end
  end
  local has_soft = false
  for _, t in pairs(found.tables) do
    has_soft = has_soft or soft.is_made(t)
  end
  drop(M.OWNER, may_cascade(found, with))
  drop(M.EVENT, has_soft)
end

-- ---- names of models -------------------------------------------------------------------------------

local function declared(db, t)
  for _, model in ipairs(db:models()) do
    if core.table_of(model) == t.name then
      return rawget(model, "__name")
    end
  end
end

--- The name of the model whose rows a table holds, as events have it: what is said, else that of the
-- declared model, else the table's in CamelCase, which the engine would call that table.
-- @tparam database db
-- @tparam table t
-- @string[opt] said
function M.model_of(db, t, said)
  local camel = ("_" .. t.name):gsub("_+(%w)", string.upper):gsub("[^%w]", "")
  return said or declared(db, t) or camel
end

-- ---- their rows ------------------------------------------------------------------------------------------

local function others_hold(found, with, t)
  local list = {}
  for name, is in pairs(with) do
    if name ~= t.name then
      list[#list + 1] = ("NOT EXISTS (SELECT 1 FROM %s WHERE %s = e.id)"):format(
        tokens.name(name),
        tokens.name(is.event)
      )
    end
  end
  table.sort(list)
  if found.tables[M.OWNER] then
    list[#list + 1] = ("NOT EXISTS (SELECT 1 FROM %s WHERE event = e.id AND model <> ?1)"):format(M.OWNER)
  end
  return #list > 0 and " AND " .. table.concat(list, " AND ") or ""
end

--- Forgets the events of a table whose rows will have none: those of its model, or that hold rows of
-- it, as far as no other table has rows of them.
-- @tparam job job
-- @tparam table t
-- @string event its column
-- @string model the name of its model
function M.forget(job, t, event, model)
  local found = schema.read(job.db)
  if not found.tables[M.EVENT] then
    return
  end
  local of_owners = " UNION ALL SELECT event FROM tombstone_owner WHERE model = ?1"
  local owned = found.tables[M.OWNER] and of_owners or ""
  local sql = "DELETE FROM tombstone_event AS e WHERE (e.model = ?1 OR e.id IN (SELECT %s FROM %s%s))%s"
  job:run(
    sql:format(tokens.name(event), tokens.name(t.name), owned, others_hold(found, M.with_events(found), t)),
    model
  )
  if found.tables[M.OWNER] then
    job:run("DELETE FROM tombstone_owner WHERE model = ?", model)
  end
end

return M
