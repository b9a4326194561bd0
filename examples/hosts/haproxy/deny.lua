--- A deny list of addresses, with a trash, for HAProxy, whose Lua is 5.3.
local path = assert(os.getenv "TOMBSTONE", "TOMBSTONE is the path of the module for Lua 5.3")
local tombstone = assert(package.loadlib(path, "luaopen_tombstone"))()
local f = tombstone.field

-- ---- the list ----------------------------------------------------------------------------------

local Denied

-- Opened by the first request, not when this file is loaded: HAProxy may fork after that (-D, -W).
local function open()
  local db = tombstone.open(os.getenv "DENY_DB" or "deny.db")
  local model = db:model("Denied", {
    address = f.text { unique = true },
    reason = f.text(),
  }, { order_by = "address" })
  db:create_tables()
  Denied = model
end

local function list()
  if not Denied then
    open()
  end
  return Denied
end

-- ---- each request of the service ---------------------------------------------------------------

local function find(address)
  return list().objects:find { address = address }
end

-- Sets txn.denied to the reason. It only reads, which waits for no writer. Where the list cannot be
-- read, nobody is turned away.
core.register_action("look_up", { "http-req" }, function(txn)
  local ok, found = pcall(find, txn.f:src())
  if not ok then
    core.Alert("the deny list cannot be read: " .. tostring(found))
  elseif found then
    txn:set_var("txn.denied", found.reason)
  end
end)

-- ---- requests of the administrator -------------------------------------------------------------

local STATUS = { integrity = 409, not_found = 404, validation = 422, misuse = 422, busy = 503 }

local function lines(query, shown)
  local texts = {}
  for row in query:each() do
    texts[#texts + 1] = shown(row)
  end
  return table.concat(texts)
end

local calls = {}

calls["GET /"] = function()
  return 200, lines(list().objects, function(row)
    return ("%s  %s\n"):format(row.address, row.reason)
  end)
end

calls["GET /trash"] = function()
  return 200, lines(list().deleted_objects, function(row)
    return ("event %d  %s  %s\n"):format(row.deleted_event, row:original "address", row.reason)
  end)
end

calls["POST /"] = function(args)
  local row = list():create { address = args.address, reason = args.reason or "" }
  return 201, row.address .. "  is denied\n"
end

calls["DELETE /"] = function(args)
  local event = list().objects:get({ address = args.address or "" }):delete { actor = args.actor }
  return 200, ("event %d\n"):format(event.id)
end

calls["POST /undo"] = function(args)
  local event = list():database():events({ id = tonumber(args.event) or 0 })[1]
  if not event then
    return 404, "There is no such event\n"
  end
  if args.on_conflict and args.on_conflict ~= "replace" then
    return 422, "on_conflict can be replace\n" -- another address in place of this one helps nobody
  end
  return 200, ("%d back\n"):format(event:undo { on_conflict = args.on_conflict })
end

local function arguments(text)
  local args = {}
  for name, value in text:gmatch "([%w_]+)=([^&]*)" do
    args[name] = value:gsub("+", " "):gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
  end
  return args
end

local function answer(applet)
  local call = calls[applet.method .. " " .. applet.path]
  if not call then
    return 404, "There is no such call\n"
  end
  local ok, status, text = pcall(call, arguments(applet.qs))
  if ok then
    return status, text
  end
  return type(status) == "table" and STATUS[status.kind] or 500, tostring(status) .. "\n"
end

core.register_service("deny_list", "http", function(applet)
  local status, text = answer(applet)
  applet:set_status(status)
  applet:add_header("content-type", "text/plain; charset=utf-8")
  applet:add_header("content-length", #text)
  applet:start_response()
  applet:send(text)
end)
