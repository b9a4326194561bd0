-- What wrk asks, for `load`: plain, create, get, list or delete, among so many rows.
local NAME, ROWS
local made = 0

local CALLS = {
  plain = function()
    return wrk.format("GET")
  end,
  create = function()
    made = made + 1
    local body = '{"title":"Post %d","content":"%s","views":%d}'
    return wrk.format("POST", nil, nil, body:format(made, ("text "):rep(20), made % 1000))
  end,
  get = function()
    return wrk.format("GET", "/posts/" .. math.random(ROWS))
  end,
  list = function()
    return wrk.format("GET", "/posts?limit=20&id__gt=" .. math.random(ROWS))
  end,
  delete = function()
    made = made + 1
    return wrk.format("DELETE", "/posts/" .. made)
  end,
}

function init(args)
  NAME, ROWS = args[1], tonumber(args[2])
end

function request()
  return CALLS[NAME]()
end
