--- Answers: JSON, and a code for each kind of error.
local cjson = require "cjson"

local M = {}

-- The kinds of tombstone, and two of our own.
local STATUS = {
  integrity = 409, parent_deleted = 409, restricted = 409, multiple = 409, stale = 409,
  not_found = 404, deleted = 410, validation = 422, too_many = 422,
  busy = 503, interrupted = 503, connection = 503,
  commit_unknown = 500, database = 500, migration = 500, misuse = 500,
  malformed = 400, method = 405,
}

--- Raises an error that becomes an answer.
function M.refuse(kind, message, hint)
  error({ kind = kind, message = message, hint = hint }, 0)
end

--- A JSON array, which an empty table is not to cjson.
function M.list(rows, shown)
  local texts = {}
  for i, row in ipairs(rows) do
    texts[i] = cjson.encode(shown(row))
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

-- A misuse with reasons is about a value, which came with the request; others are ours.
local function status_of(err)
  if err.kind == "misuse" and err.reasons then
    return 422
  end
  return STATUS[err.kind] or 500
end

-- What a client may know of an error. What is wrong in the server stands in its log.
local function told(status, err)
  if status == 500 then
    return { kind = "internal", message = "The server has made a mistake" }
  end
  return {
    kind = err.kind, message = err.message, hint = err.hint,
    constraint = err.constraint, fields = err.fields, value = err.value,
    reasons = err.reasons, conflicts = err.conflicts,
  }
end

local function send_error(err)
  err = type(err) == "table" and err or { message = err }
  local status = status_of(err)
  if status >= 500 then
    ngx.log(ngx.ERR, err.kind, ": ", err.message)
  end
  ngx.status = status
  ngx.say(cjson.encode { error = told(status, err) })
end

--- Sends what a handler has answered by way of pcall: a code and a text or a table; or its error.
function M.send(ok, status, body)
  ngx.header.content_type = "application/json"
  if not ok then
    return send_error(status)
  end
  ngx.status = status
  ngx.say(type(body) == "table" and cjson.encode(body) or body)
end

return M
