--- Relatives that are read along with rows: `query:with("author", "comments.author")`.
--
-- One statement a level, whatever the number of rows: the keys are collected and asked for at
-- once. What was read hangs on the result set, which the rows of one result share, and goes when
-- they go. Where the database was opened with `lazy = "warn"` or `"refuse"`, a result set also
-- notes which of its rows was asked for a relation that is not loaded; the second one is a loop
-- that runs a statement a row.
-- @module tombstone.loading
local core = require "tombstone.core"
local limits = require "tombstone.limits"

local M = {}
local Query = core.methods.query
local raw_each, raw_only = Query.each, Query.only
local loaded = core.loaded

-- Rows that `each` reads ahead, to load for all of them at once.
local CHUNK = 256
local HINT = 'as in with("author", "comments.author")'

-- ---- asking a row ----------------------------------------------------------------------------

-- The frames between the program and core.place: report, note, of, the accessor.
local PROGRAM = 5

local function report(row, name)
  local model = getmetatable(row)
  local db = model:database()
  local mode, warn = core.lazy(db)
  local place = core.place(PROGRAM)
  local message = "N+1: "
    .. rawget(model, "__name")
    .. ":"
    .. name
    .. "() was asked of 2 rows of one result"
    .. (place and ", at " .. place or "")
  local hint = 'load it with :with("' .. name .. '")'
  if mode == "refuse" then
    core.misuse(message, hint)
  end
  local warned = core.side(db).warned
  if not warned[message] then
    warned[message] = true
    warn(message .. " - " .. hint)
  end
end

-- What tells rows apart is their key: `each { reuse = true }` hands out one table for all.
local function note(set, row, name)
  local asked, key = set[1], row[set[2]]
  if asked[name] == nil then
    asked[name] = key
  elseif asked[name] ~= key then
    report(row, name)
  end
end

--- What is loaded of a relation for a key; a row that is asked for one that is not loaded is
-- noted. Called by accessors themselves: the line that is reported is their caller's.
-- @param row
-- @string name of the relation
-- @param key
-- @return a row, or a list of rows; false where none is there; nil where the database is to be
-- asked
function M.of(row, name, key)
  local set = loaded(row)
  if set == nil then
    return nil
  end
  local found = set[name] and set[name][key]
  if found == nil and set[1] then
    note(set, row, name)
  end
  return found
end

--- What is loaded is no longer so.
-- @param row
-- @string name of the relation
-- @param key
function M.forget(row, name, key)
  local set = loaded(row)
  if set and set[name] then
    set[name][key] = nil
  end
end

-- ---- reading ---------------------------------------------------------------------------------

-- The ways behind this one whose dead are shown.
local function shown_behind(shown, name)
  local prefix, behind = name .. "__", {}
  for _, way in ipairs(shown) do
    if way:sub(1, #prefix) == prefix then
      behind[#behind + 1] = way:sub(#prefix + 1)
    end
  end
  return behind
end

local function is_shown(shown, name)
  for _, way in ipairs(shown) do
    if way == name then
      return true
    end
  end
  return false
end

local function manager(model, all)
  return all and model.all_objects or model.objects
end

-- The query of rows at the end of a way, with what is to be read along with them.
local function there(node, shown)
  local query = manager(node.target, is_shown(shown, node.name))
  if #node.paths > 0 then
    query = core.load_with(query, node.paths)
  end
  for _, way in ipairs(shown_behind(shown, node.name)) do
    query = query:with_deleted(way)
  end
  return query
end

local read = {}

function read.parent(node, rows, shown)
  local by_key, keys = core.gather(rows, node.near)
  if #keys > 0 then
    local parents = there(node, shown):filter({ [node.model_key .. "__in"] = keys }):all()
    core.group(by_key, parents, node.target, node.model_key, false)
  end
  return by_key
end

function read.children(node, rows, shown)
  local by_key, keys = core.gather(rows, node.key)
  local children = there(node, shown):filter({ [node.near .. "__in"] = keys }):all()
  core.group(by_key, children, node.target, node.near, true)
  return by_key
end

local load_paths

function read.linked(node, rows, shown)
  local by_key, keys = core.gather(rows, node.key)
  local all = is_shown(shown, node.name)
  local links = manager(node.links, all):filter { [node.near .. "__in"] = keys }
  if all then
    links = links:with_deleted(node.across)
  end
  local linked = core.linked(links, node.from, node.name, node.target, by_key)
  load_paths(node.paths, linked, shown_behind(shown, node.name))
  return by_key
end

function load_paths(paths, rows, shown)
  if #rows == 0 then
    return
  end
  local set = loaded(rows[1])
  for i = 1, #paths do
    set[paths[i].name] = read[paths[i].kind](paths[i], rows, shown)
  end
end

-- Called by the queries themselves, when they have read rows.
local function load(query, rows)
  local db = query:model():database()
  limits.part(db, load_paths, core.paths(query), rows, core.shown(query) or {})
end

-- ---- paths -----------------------------------------------------------------------------------

local function copy_paths(paths)
  local copied = { load = load }
  for i, node in ipairs(paths or {}) do
    local same = {}
    for name, value in pairs(node) do
      same[name] = value
    end
    same.paths = copy_paths(node.paths)
    copied[i] = same
  end
  return copied
end

local function new_node(model, name)
  local node = core.need_way(model, name)
  local by_name = core.side(model:database()).by_name
  node.name, node.from, node.paths = name, model, { load = load }
  node.target, node.links = by_name[node.model], by_name[node.through]
  return node
end

-- The step of that name, which is added where it is not there.
local function step(paths, model, name)
  for _, node in ipairs(paths) do
    if node.name == name then
      return node
    end
  end
  paths[#paths + 1] = new_node(model, name)
  return paths[#paths]
end

local function add_path(paths, model, path)
  if type(path) ~= "string" then
    core.misuse("with takes names of relations, not a " .. type(path), HINT)
  end
  for name in (path .. "."):gmatch "([^.]*)%." do
    local node = step(paths, model, name)
    paths, model = node.paths, node.target
  end
end

-- The parents of rows are known by their fields.
local function check_fields(query)
  for _, node in ipairs(core.paths(query) or {}) do
    if node.kind == "parent" and not core.reads(query, node.near) then
      core.misuse(node.name .. " cannot be loaded without " .. node.near, "name it in only")
    end
  end
  return query
end

--- Reads relatives along with the rows, one statement a level; `post:author()` then costs none, nor
-- does `author:posts()` with `all`, `first`, `last`, `each`, `count` and `exists`. Dead relatives
-- stay hidden, unless `with_deleted` names their way. Calls add up. What reads no rows, such as
-- `values` and `count`, loads nothing.
-- @function Query:with
-- @string ... relations, with dots between those on the way
-- @treturn query
-- @raise misuse for what is no relation
-- @usage Post.objects:with("author", "comments.author", "tags"):all()
function Query:with(...)
  local model, n = self:model(), select("#", ...)
  if n == 0 then
    core.misuse("with takes names of relations", HINT)
  end
  local paths = copy_paths(core.paths(self))
  for i = 1, n do
    add_path(paths, model, (select(i, ...)))
  end
  return check_fields(core.load_with(self, paths))
end

function Query:only(...)
  return check_fields(raw_only(self, ...))
end

-- ---- rows one by one -------------------------------------------------------------------------

local Chunks = {}
Chunks.__index = Chunks

-- A failure ends the reading, as in the streams that load nothing.
local function read_chunk(self)
  local ok, err = pcall(function()
    self.rows, self.at = core.take(self.stream, CHUNK), 0
    load_paths(self.paths, self.rows, self.shown)
  end)
  if not ok then
    self:close()
    error(err, 0)
  end
end

function Chunks:__call()
  if self.closed then
    return nil
  end
  if self.at == #self.rows then
    read_chunk(self)
  end
  self.at = self.at + 1
  local row = self.rows[self.at]
  if row == nil then
    self:close()
  end
  return row
end

function Chunks:close()
  self.closed, self.rows, self.at = true, {}, 0
  self.stream:close()
end

Chunks.__close = Chunks.close

function Query:each(options)
  local paths = core.paths(self)
  if not paths then
    return raw_each(self, options)
  end
  local stream = raw_each(self, options)
  local shown = core.shown(self) or {}
  local chunks = setmetatable({ stream = stream, paths = paths, shown = shown, rows = {}, at = 0 }, Chunks)
  return chunks, nil, nil, chunks
end

return M
