--- The engine's own calls on PostgreSQL, statement by statement.
--
-- There is no driver to hand a statement on while a call runs. So the call runs on a scripted
-- handle, which answers all that is known and fails at the next statement. That one is put to the
-- server, and the call runs again, from its beginning and on a handle that knows nothing, with one
-- answer more: until it needs no more. What it says must be the same each time.
local core = require "tombstone.core"
local database = require "tombstone.database"

local Live = {}
Live.__index = Live

--- Calls get what `declare` answers for a handle. `change` may edit what is sent.
function Live.on(session, declare, change)
  return setmetatable({ session = session, declare = declare, change = change, now = 1763880000 }, Live)
end

-- ---- statements --------------------------------------------------------------------------

local WORDS = { BEGIN = true, COMMIT = true, ROLLBACK = true, SAVEPOINT = true, RELEASE = true }

local function is_word(statement)
  return WORDS[statement.sql:match "^%u+"]
end

local KINDS = { ["40P01"] = "busy", ["40001"] = "busy" }

-- What a driver would make of it. Others are mistakes in the statement.
local function kind_of(answer)
  return KINDS[answer.state] or answer.state:match "^23" and "integrity"
end

local function same(a, b)
  local equal = a.sql == b.sql and #a.types == #b.types
  for i = 1, #a.types do
    equal = equal and a.values[i] == b.values[i]
  end
  return equal
end

-- The key that an INSERT has given, which a driver asks for; 0 where it gave none.
function Live:last_id(statement, answer)
  local column = statement.sql:match '^INSERT INTO "[%w_]+" %("([%w_]+)"'
  if answer.changes == 0 or column == nil or column == "id" then
    return 0
  end
  return self.session:ask("SELECT lastval()").rows[1][1]
end

-- `gate` may do something else meanwhile: before a statement, and until its answer is there.
function Live:put(statement, gate)
  local sql = self.change and self.change(statement.sql) or statement.sql
  local text, answer = self.session:prepare(sql, statement)
  if gate then
    gate.before(statement)
  end
  if text then
    self.session:send(text)
    if gate then
      gate.during()
    end
    answer = self.session:receive()
  end
  return answer
end

local function complain(statement, answer)
  error(("%s %s\n%s"):format(answer.state, answer.message, statement.sql), 0)
end

-- A transaction with a failure in it commits nothing, and says so to nobody.
function Live:put_word(statement, gate)
  local word = statement.sql:match "^%u+"
  if self.failed and word ~= "ROLLBACK" then
    error("a failure is not rolled back before " .. statement.sql, 0)
  end
  self.failed = false
  local answer = self:put(statement, gate)
  if answer.state then
    complain(statement, answer)
  end
end

function Live:put_question(statement, gate)
  local answer = self:put(statement, gate)
  if not answer.state then
    local reply = { columns = answer.columns, changes = answer.changes }
    reply.last_id = self:last_id(statement, answer)
    for i, row in ipairs(answer.rows) do
      reply[i] = row
    end
    return reply
  end
  self.failed = self.inside
  self.failed = true
  return { fails = kind_of(answer) or complain(statement, answer), message = answer.message }
end

-- ---- calls -------------------------------------------------------------------------------

local function attempt(live, call, answers)
  local now = live.now
  local db = database.fake(nil, {
    clock = function()
      return now
    end,
  }, "postgres")
  local s = live.declare(db)
  for _, answer in ipairs(answers) do
    core.fake.answer(db, answer)
  end
  core.fake.answer(db, { fails = "interrupted", message = "not asked yet" })
  local ok, result = pcall(call, s)
  local said = core.fake.statements(db)
  db:close()
  return said, ok, result
end

-- Runs what has not been run, up to the next answer; false where the call has all of them.
function Live:go_on(said, known, answers, gate)
  for i, statement in ipairs(said) do
    if known[i] then
      assert(same(known[i], statement), "the call says something else: " .. statement.sql)
    else
      known[i] = statement
      if is_word(statement) then
        self:put_word(statement, gate)
      else
        answers[#answers + 1] = self:put_question(statement, gate)
        return true
      end
    end
  end
  return false
end

--- Runs a call. Answers true and what it returned, or false and what it raised.
function Live:run(call, gate)
  local answers, known = {}, {}
  self.now = self.now + 0.001
  while true do
    local said, ok, result = attempt(self, call, answers)
    if not self:go_on(said, known, answers, gate) then
      return ok, result
    end
  end
end

return Live
