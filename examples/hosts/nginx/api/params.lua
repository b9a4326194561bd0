--- What a client may ask: query strings and bodies become filters and values of known fields only.
local cjson = require "cjson"
local reply = require "api.reply"

local M = {}

local function refuse(name, message, hint)
  reply.refuse("validation", ("%s %s"):format(name, message), hint)
end

local function text(name, value)
  if type(value) ~= "string" then
    refuse(name, "is given once, with a value")
  end
  return value
end

local function whole(name, value)
  local number = tonumber(text(name, value):match "^%-?%d+$")
  if not number or math.abs(number) > 2 ^ 53 then
    refuse(name, "is a whole number")
  end
  return number
end

local LIVING = {
  title = text, title__contains = text, title__icontains = text, title__startswith = text,
  views = whole, views__lt = whole, views__lte = whole, views__gt = whole, views__gte = whole,
  id__lt = whole, id__gt = whole,
}
local DEAD = { title__original = text, deleted_event = whole, views__lt = whole, views__gte = whole }
local ORDERS = { id = 1, ["-id"] = 1, title = 1, ["-title"] = 1, views = 1, ["-views"] = 1 }
local MOST = 100
local LONGEST = 100 -- milliseconds; its worker stands still meanwhile

local function known(list)
  local names = {}
  for name in pairs(list) do
    names[#names + 1] = name
  end
  table.sort(names)
  return "one of " .. table.concat(names, " ")
end

local function number_in(args, name, default, most)
  local number = args[name] and whole(name, args[name]) or default
  if number < 0 or number > most then
    refuse(name, ("is from 0 to %d"):format(most))
  end
  return number
end

local function ordered(query, args, default)
  local order = args.order and text("order", args.order) or default
  if not ORDERS[order] and order ~= default then
    refuse("order", "is not known", known(ORDERS))
  end
  return query:order_by(order)
end

-- What is not a filter is for the page.
local PAGE = { limit = true, offset = true, order = true }

local function page(query, args, filters, default_order)
  for name, value in pairs(args) do
    if filters[name] then
      query = query:filter(name, filters[name](name, value))
    elseif not PAGE[name] then
      refuse(name, "is not known", known(filters) .. " limit offset order")
    end
  end
  return ordered(query, args, default_order)
    :within({ timeout_ms = LONGEST })
    :limit(number_in(args, "limit", 20, MOST))
    :offset(number_in(args, "offset", 0, 1e9))
end

--- The living posts that a query string asks for.
function M.living(query, args)
  return page(query, args, LIVING, "id")
end

--- The dead ones, the latest first.
function M.dead(query, args)
  return page(query, args, DEAD, "-deleted_at")
end

--- The named arguments, which must be texts; others are refused.
function M.texts(args, ...)
  local found = {}
  for _, name in ipairs { ... } do
    found[name] = args[name] and text(name, args[name])
  end
  for name in pairs(args) do
    if not found[name] then
      refuse(name, "is not known", "one of " .. table.concat({ ... }, " "))
    end
  end
  return found
end

local WRITABLE = { title = 1, content = 1, views = 1 }

--- The values in a body. Which types they have to be, the model says.
function M.values(body)
  local ok, values = pcall(cjson.decode, body or "")
  if not ok or type(values) ~= "table" then
    reply.refuse("malformed", "The body is not a JSON object", [[as in {"title":"Hello"}]])
  end
  for name in pairs(values) do
    if not WRITABLE[name] then
      refuse(tostring(name), "is not a field", known(WRITABLE))
    end
  end
  return values
end

return M
