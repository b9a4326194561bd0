--- The drafts of models as Lua.
-- @module tombstone.migrate.inspect_write
local models = require "tombstone.migrate.declared"
local names = require "tombstone.migrate.inspect_names"
local options_of = require "tombstone.migrate.inspect_options"

local M = {}
local quote = names.quote

local function braces(options)
  return #options > 0 and "{ " .. table.concat(options, ", ") .. " }" or nil
end

-- ---- fields ----------------------------------------------------------------------------------

local LONGEST_LINE = 100

-- A call of a word with its options, in one line where it fits.
local function call(key, word, argument, options)
  local before = "    " .. names.key(key) .. " = f." .. word
  if #options == 0 then
    return before .. (argument and "(" .. quote(argument) .. ")," or "(),")
  end
  before = before .. (argument and "(" .. quote(argument) .. ", " or " ")
  local behind = argument and ")," or ","
  local line = before .. braces(options) .. behind
  if #line <= LONGEST_LINE then
    return line
  end
  return before .. "{\n      " .. table.concat(options, ",\n      ") .. ",\n    }" .. behind
end

local function field_text(field)
  if field.counts then
    return call(field.key, "counter", field.counts, options_of.counter(field))
  elseif field.relation then
    return call(field.key, "belongs_to", field.parent.name, options_of.relation(field))
  end
  return call(field.key, field.word, nil, options_of.plain(field))
end

local function link_text(link)
  local options = { "related_name = " .. quote(link.related_name) }
  if not link.generated then
    options[#options + 1] = "through = " .. quote(link.draft.name)
  end
  if link.needs_ends and not link.generated then
    options[#options + 1] = "near = " .. quote(link.near.name .. "_id")
    options[#options + 1] = "far = " .. quote(link.far.name .. "_id")
  end
  if link.table then
    options[#options + 1] = "table = " .. quote(link.table)
  end
  return call(link.name, "many_to_many", link.to.name, options)
end

local function comment(add, indent, text)
  add(indent .. "-- " .. text:gsub("%c", " "))
end

local function write_fields(add, draft)
  for _, field in ipairs(draft.fields) do
    local line = field_text(field) -- which may note something
    for _, note in ipairs(field.notes) do
      comment(add, "    ", field.column.name .. ": " .. note)
    end
    add(line)
  end
  for _, link in ipairs(draft.links) do
    add(link_text(link))
  end
end

-- ---- options of models -----------------------------------------------------------------------

local function list_text(list, more)
  local words = {}
  for i, name in ipairs(list) do
    words[i] = quote(name)
  end
  words[#words + 1] = more
  return "{ " .. table.concat(words, ", ") .. " }"
end

local function lists_text(lists, more_of)
  local texts = {}
  for i, list in ipairs(lists) do
    texts[i] = list_text(list, more_of(list))
  end
  return "{ " .. table.concat(texts, ", ") .. " }"
end

local function soft_delete_text(draft)
  if not draft.stamp then
    return "false"
  end
  local options = {}
  options[#options + 1] = draft.stamp ~= "deleted_at" and "column = " .. quote(draft.stamp) or nil
  if draft.event ~= "deleted_event" then
    options[#options + 1] = "event = " .. (draft.event and quote(draft.event) or "false")
  end
  return braces(options)
end

local function model_options(draft)
  local options = {}
  local function add(name, text)
    options[#options + 1] = text and name .. " = " .. text or nil
  end
  add("table", models.table_name(draft.name) ~= draft.table.name and quote(draft.table.name) or nil)
  add("soft_delete", soft_delete_text(draft))
  add("timestamps", draft.times and "true" or nil)
  add("version", draft.version and "true" or nil)
  add("unique_together", #draft.together > 0 and lists_text(draft.together, function(group)
    return type(group.unique) == "string" and "unique = " .. quote(group.unique) or nil
  end))
  add("indexes", #draft.indexes > 0 and lists_text(draft.indexes, function() end))
  return options
end

local function write_model(add, draft)
  for _, note in ipairs(draft.notes) do
    comment(add, "  ", note)
  end
  add("  db:model(" .. quote(draft.name) .. ", {")
  write_fields(add, draft)
  local options = model_options(draft)
  if #options == 0 then
    add "  })"
    return
  end
  add "  }, {"
  for _, option in ipairs(options) do
    add("    " .. option .. ",")
  end
  add "  })"
end

-- ---- the file --------------------------------------------------------------------------------

local HEAD = {
  "-- Models of a database, written by `tombstone inspect`: read them before they are used.",
  "-- Names are those of the tables, prefixes of applications included. What a deletion means to the",
  "-- rows below is a guess: \"keep\" where the column may be NULL, else \"restrict\". A way back to rows is",
  "-- called as Django does, and can be called anything else.",
  ("local tombstone = require %s"):format(quote "tombstone"),
  "local f = tombstone.field",
  "",
  "return function(db)",
}

local function write_others(add, others)
  for i, other in ipairs(others) do
    if i == 1 then
      add ""
      comment(add, "  ", "What no model can express:")
    end
    comment(add, "  ", other)
  end
end

--- The text of the file.
-- @tparam {table,...} drafts
-- @tparam {string,...} others what has no model, and why
-- @treturn string
function M.text(drafts, others)
  local lines = {}
  local function add(line)
    lines[#lines + 1] = line
  end
  for _, line in ipairs(HEAD) do
    add(line)
  end
  for _, draft in ipairs(drafts) do
    if not draft.is_made_by_link then
      if lines[#lines] ~= HEAD[#HEAD] then
        add ""
      end
      write_model(add, draft)
    end
  end
  write_others(add, others)
  add "end"
  return table.concat(lines, "\n") .. "\n"
end

return M
