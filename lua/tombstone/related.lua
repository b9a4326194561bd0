--- What can be done with the rows that belong to a row: `author:posts():create{}`,
-- `post:tags():add(tag)`.
--
-- A relation's query knows its row until it is refined. These calls are each one transaction.
-- @module tombstone.related
local along = require "tombstone.along"
local core = require "tombstone.core"
local loading = require "tombstone.loading"
local tables = require "tombstone.tables"

local M = {}
local copy, put_back = tables.copy, tables.put_back
local Query = core.methods.query

local function name_of(model)
  return rawget(model, "__name")
end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do
    set[value] = true
  end
  return set
end

local function need_values(values, call)
  if type(values) ~= "table" or getmetatable(values) ~= nil then
    core.misuse(call .. " takes a table of values, not a " .. type(values))
  end
  return values
end

-- "a number", "of Post": what a value is that is no row of the model.
local function kind_of(value, model)
  local other = type(value) == "table" and getmetatable(value)
  local name = type(other) == "table" and rawget(other, "__name")
  if name == name_of(model) then
    return "of another database"
  end
  return name and "of " .. name or "a " .. type(value)
end

-- The arguments must be saved rows of the model.
local function need_rows(rows, model, call)
  local key = along.key_of(model)
  for i = 1, #rows do
    local row = rows[i]
    if type(row) ~= "table" or getmetatable(row) ~= model then
      core.misuse(call .. " takes rows of " .. name_of(model) .. ", not " .. kind_of(row, model))
    end
    if row[key] == nil or core.is_unsaved(row) then
      core.misuse(call .. " takes saved rows of " .. name_of(model), "save it first, or use create")
    end
  end
  return rows
end

local function keys_of(rows, model)
  local key, keys = along.key_of(model), {}
  for i, row in ipairs(rows) do
    keys[i] = row[key]
  end
  return keys
end

-- ---- children ------------------------------------------------------------------------------

local Children = {}
Children.__index = Children

function Children:create(values, more)
  values = copy(need_values(values, "create"))
  if more ~= nil then
    core.misuse("create takes values of a link where there are links", "give one table of values")
  end
  local way = self.way
  if values[way.name] ~= nil or values[way.relation] ~= nil then
    core.misuse("create gives " .. way.relation .. " by itself", "leave it out")
  end
  values[way.name] = self.key
  return self.model:create(values)
end

-- One transaction that writes the rows: where it fails they are in Lua what they were.
function Children:write(rows, fn)
  local db, before = self.model:database(), {}
  for i, row in ipairs(rows) do
    before[i] = copy(row)
  end
  local committed = false
  local ok, err = pcall(db.transaction, db, function()
    db:after_commit(function()
      committed = true
    end)
    return fn()
  end)
  for i = (ok or committed) and 0 or #rows, 1, -1 do
    put_back(rows[i], before[i])
  end
  return ok and #rows or error(err, 0)
end

function Children:move(rows, key)
  for _, row in ipairs(rows) do
    row:update { [self.way.name] = key }
  end
end

function Children:add(rows)
  need_rows(rows, self.model, "add")
  return self:write(rows, function()
    self:move(rows, self.key)
  end)
end

function Children:need_null()
  if not self.way.null then
    core.misuse(
      name_of(self.model) .. "." .. self.way.relation .. " cannot be null",
      "delete the rows, or give them to another"
    )
  end
end

-- The database says whose the rows are: what they hold may be old, or not be written.
function Children:need_own(rows)
  local key = along.key_of(self.model)
  local keys = keys_of(rows, self.model)
  local own = set_of(self.query:filter({ [key .. "__in"] = keys }):pluck(key))
  for _, row in ipairs(rows) do
    if not own[row[key]] then
      core.misuse(
        "remove takes living rows that belong to this one",
        name_of(self.model) .. " " .. tostring(row[key]) .. " does not"
      )
    end
  end
end

function Children:remove(rows)
  need_rows(rows, self.model, "remove")
  self:need_null()
  return self:write(rows, function()
    self:need_own(rows)
    self:move(rows, core.null)
  end)
end

function Children:set(rows)
  need_rows(rows, self.model, "set")
  local kept = set_of(keys_of(rows, self.model))
  return self:write(rows, function()
    local key, others = along.key_of(self.model), {}
    for _, row in ipairs(self.query:all()) do
      others[#others + 1] = not kept[row[key]] and row or nil
    end
    if #others > 0 then
      self:need_null()
      self:move(others, core.null)
    end
    self:move(rows, self.key)
  end)
end

-- ---- links -----------------------------------------------------------------------------------

local Links = {}
Links.__index = Links

-- The living links from this row to those with the keys.
function Links:to(keys)
  local way = self.way
  return self.through.objects:filter { [way.near] = self.key, [way.far .. "__in"] = keys }
end

-- The values of links that are not there yet.
function Links:missing(keys, more)
  local way, missing = self.way, {}
  local there = set_of(self:to(keys):pluck(way.far))
  for _, key in ipairs(keys) do
    if not there[key] then
      local link = copy(more)
      link[way.near], link[way.far] = self.key, key
      missing[#missing + 1] = link
      there[key] = true
    end
  end
  return missing
end

-- A plain table behind the rows holds values of the links.
local function split_values(rows)
  local last = rows[#rows]
  if #rows > 1 and type(last) == "table" and getmetatable(last) == nil then
    rows[#rows] = nil
    return last
  end
  return {}
end

-- Links that are there already are not made, and would take no wrong values amiss.
function Links:need_names(more)
  for name in pairs(more) do
    if type(name) ~= "string" then
      core.misuse("add takes values of the links by name", "as in post:tags():add(red, { weight = 3 })")
    elseif name == self.way.near or name == self.way.far then
      core.misuse("add gives " .. name .. " by itself", "leave it out")
    end
  end
end

function Links:add(rows)
  local more = split_values(rows)
  local keys = keys_of(need_rows(rows, self.model, "add"), self.model)
  self:need_names(more)
  return self.through:database():transaction(function()
    local missing = self:missing(keys, more)
    if #missing > 0 then
      self.through:bulk_create(missing)
    end
    return #missing
  end)
end

-- Links without soft delete can only go for good.
function Links:drop(links)
  if self.through:is_soft() then
    return links:delete()
  end
  return (links:purge { living = true })
end

function Links:remove(rows)
  local keys = keys_of(need_rows(rows, self.model, "remove"), self.model)
  return self:drop(self:to(keys))
end

function Links:set(rows)
  local keys = keys_of(need_rows(rows, self.model, "set"), self.model)
  return self.through:database():transaction(function()
    local way = self.way
    local links = self.through.objects:filter { [way.near] = self.key }
    self:drop(links:exclude { [way.far .. "__in"] = keys })
    return self:add(rows)
  end)
end

function Links:create(values, more)
  need_values(values, "create")
  need_values(more or {}, "create")
  return self.through:database():transaction(function()
    local row = self.model:create(values)
    self:add { row, more }
    return row
  end)
end

-- ---- the queries' calls ----------------------------------------------------------------------

-- What is loaded answers the query; false stands for no rows.
local function belong(query, owner, class)
  if owner.loaded == false then
    owner.loaded = {}
  end
  owner.query = query
  return core.relate(query, setmetatable(owner, class))
end

--- The query of a row's children, with the calls that change which they are.
-- @tparam query query
-- @tparam table owner `row`, `name` of the relation, `key` of the row, `loaded` (as of
-- `loading.of`)
-- @tparam model child
-- @tparam table way the field that points to the row
-- @treturn query
function M.children(query, owner, child, way)
  owner.model, owner.way = child, way
  return belong(query, owner, Children)
end

--- The query of the rows that are linked to a row.
-- @tparam query query
-- @tparam table owner as of `children`
-- @tparam model target
-- @tparam model through of the links
-- @tparam table way as `core.way` describes it
-- @treturn query
function M.links(query, owner, target, through, way)
  owner.model, owner.through, owner.way = target, through, way
  return belong(query, owner, Links)
end

-- What is loaded is no longer so, whatever becomes of the call.
local function owner_of(query, call)
  local owner = core.related(query)
  if not owner then
    core.misuse(
      call .. " is asked of a relation, as in author:posts():" .. call,
      "a refined query is none any more"
    )
  end
  owner.loaded = nil
  loading.forget(owner.row, owner.name, owner.key)
  return owner
end

-- What was passed, without the end that `nil` would make in a list.
local function rows_of(call, ...)
  local rows = { ... }
  for i = 1, select("#", ...) do
    if rows[i] == nil then
      core.misuse(call .. " takes rows, not a nil")
    end
  end
  return rows
end

-- A table of anything else would set nothing, and take all away.
local function need_list(rows)
  local n, is_list = 0, type(rows) == "table" and getmetatable(rows) == nil
  for _ in pairs(is_list and rows or {}) do
    n = n + 1
    is_list = is_list and rows[n] ~= nil
  end
  if not is_list then
    core.misuse("set takes a list of rows", "as in post:tags():set { red, blue }")
  end
  return rows
end

--- Adds rows to a relation: `author:posts():add(post, …)` moves them to the author,
-- `post:tags():add(tag, …)` links them, unless they are linked; a plain table at the end holds
-- values of the new links; links that are there stay as they are.
-- @param ... saved rows
-- @treturn number rows moved, or links made
-- @raise misuse, parent_deleted, integrity
-- @usage post:tags():add(red, blue)
function Query:add(...)
  return owner_of(self, "add"):add(rows_of("add", ...))
end

--- Takes rows out of a relation: children lose their parent (their field must be nullable), links
-- are deleted, softly and in one event.
-- @param ... saved rows
-- @treturn number
-- @treturn event|nil of the links
-- @raise misuse
-- @usage post:tags():remove(red)
function Query:remove(...)
  return owner_of(self, "remove"):remove(rows_of("remove", ...))
end

--- Makes a relation hold these rows and no others.
-- @tparam {row,...} rows
-- @treturn number as of `add`
-- @raise misuse
-- @usage post:tags():set { red, blue }
function Query:set(rows, ...)
  if select("#", ...) > 0 then
    core.misuse("set takes one list of rows", "as in post:tags():set { red, blue }")
  end
  return owner_of(self, "set"):set(copy(need_list(rows)))
end

--- Creates a row that belongs to the relation.
-- @tparam table values as of `Model:create`, without the relation
-- @tparam[opt] table more values of the link, of a `many_to_many`
-- @treturn row
-- @raise as Model:create
-- @usage local post = author:posts():create { title = "Hello" }
function Query:create(values, more)
  return owner_of(self, "create"):create(values, more)
end

return M
