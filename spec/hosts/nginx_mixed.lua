-- What wrk asks in nginx_spec: creates with titles that are often taken, deletions and undos of what
-- may or may not be there. Each answer that promises something is noted in a file.
local notes

function init(args)
  notes = assert(io.open(args[1], "a"))
  notes:setvbuf "no"
  math.randomseed(tonumber(args[2]))
end

local function create()
  return wrk.format("POST", "/posts", nil, ('{"title":"%d"}'):format(math.random(40)))
end

function request()
  -- A connection that ends lets another worker have the next one.
  wrk.headers.Connection = math.random(10) == 1 and "close" or "keep-alive"
  local dice = math.random(10)
  if dice <= 5 then
    return create()
  elseif dice <= 9 then
    return wrk.format("DELETE", "/posts/" .. math.random(200))
  end
  return wrk.format("POST", ("/trash/%d/undo"):format(math.random(40)))
end

function response(status, _, body)
  if status == 201 then
    notes:write("post ", body:match '"id":(%d+)', "\n")
  elseif body:find '^{"event"' then
    notes:write("event ", body:match "%d+", "\n")
  elseif status ~= 200 then
    notes:write("refused ", status, "\n")
  end
end
