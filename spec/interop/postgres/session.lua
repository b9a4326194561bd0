--- One session of a PostgreSQL server: a psql that reads from a pipe and answers through a FIFO.
local helper = require "helper"

local Session = {}
Session.__index = Session

local SEPARATOR, NULL, END = "\31", "\\N", "end of the answer"

--- Opens one to the server in that folder.
function Session.open(folder, bin)
  local fifo = os.tmpname()
  os.remove(fifo)
  io.popen("exec env -u LD_PRELOAD mkfifo " .. fifo):close()
  local command = "exec env -i " .. table.concat({
    helper.quote(bin .. "/psql"), "-X -q -A -P footer=off", "-F", helper.quote(SEPARATOR),
    "-P", helper.quote("null=" .. NULL), "-h", helper.quote(folder), "-U postgres postgres",
    ">", fifo, "2>/dev/null",
  }, " ")
  local self = setmetatable({ input = assert(io.popen(command, "w")), prepared = {}, n = 0 }, Session)
  self.output = assert(io.open(fifo))
  os.remove(fifo)
  self.pid = self:ask("SELECT pg_backend_pid()").rows[1][1]
  return self
end

function Session:close()
  self.input:close()
  self.output:close()
end

-- ---- answers -----------------------------------------------------------------------------

-- As a driver hands values over. The specs have no other texts that look like these.
local function value_of(text)
  if text == NULL then
    return nil
  end
  return text:match "^%-?%d+$" and tonumber(text) or text:match "^(%d+%-%d+%-%d+ [%d:.]+)%+00$" or text
end

local function row_of(line)
  local row, n = {}, 0
  for text in (line .. SEPARATOR):gmatch("(.-)" .. SEPARATOR) do
    n = n + 1
    row[n] = value_of(text)
  end
  return row
end

-- Of the line of names, which comes first.
local function count(line)
  local _, n = line:gsub(SEPARATOR, "")
  return n + 1
end

--- Waits for the answer: `rows`, `columns`, `changes`, and `state` and `message` of a failure.
function Session:receive()
  local answer = { rows = {}, columns = 0 }
  for line in self.output:lines() do
    local state, n, message = line:match("^" .. END .. " (%w+) (%d+) ?(.*)")
    if state then
      answer.changes = tonumber(n)
      if state ~= "00000" then
        answer.state, answer.message = state, message
      end
      return answer
    end
    if answer.columns == 0 then
      answer.columns = count(line)
    else
      answer.rows[#answer.rows + 1] = row_of(line)
    end
  end
  error "the session is gone"
end

-- ---- questions ---------------------------------------------------------------------------

function Session:send(sql)
  self.input:write(sql, ";\n\\echo ", END, " :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE\n")
  self.input:flush()
end

--- Runs a text.
function Session:ask(sql)
  self:send(sql)
  return self:receive()
end

local function time(seconds)
  local micros = math.floor(seconds * 1000000 + 0.5)
  local whole = math.floor(micros / 1000000)
  return os.date("!%Y-%m-%d %H:%M:%S", whole) .. (".%06d+00"):format(micros - whole * 1000000)
end

local function literal(value, type)
  if value == nil then
    return "NULL"
  elseif type == "time" then
    value = time(value)
  elseif type == "integer" then
    value = ("%d"):format(value)
  end
  return "'" .. value:gsub("'", "''") .. "'"
end

local function literals(statement)
  local list = {}
  for i, type in ipairs(statement.types) do
    list[i] = literal(statement.values[i], type)
  end
  return #list > 0 and "(" .. table.concat(list, ", ") .. ")" or ""
end

local CAN_PREPARE = { SELECT = true, INSERT = true, UPDATE = true, DELETE = true, WITH = true }

--- The text that runs a statement of the engine: prepared, its types left to the server, as a
-- driver does it. Answers nil and the failure where the server does not take it.
-- @string sql perhaps edited
-- @tparam table statement its values
function Session:prepare(sql, statement)
  if not CAN_PREPARE[sql:match "^%u+"] then
    return sql
  end
  if not self.prepared[sql] then
    self.n = self.n + 1
    local answer = self:ask("PREPARE p" .. self.n .. " AS " .. sql)
    if answer.state then
      return nil, answer
    end
    self.prepared[sql] = "p" .. self.n
  end
  return "EXECUTE " .. self.prepared[sql] .. literals(statement)
end

return Session
