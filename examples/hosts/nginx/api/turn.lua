--- Writers take turns. SQLite lets one write at a time; a worker that waited for another one's lock
--- would stand still with all its requests, so a request waits here, where nginx serves others.
--- It is only about waiting: SQLite's own lock is what keeps the data whole.
local reply = require "api.reply"

local M = {}

local HELD = 1 -- seconds after which the turn of a worker that was killed ends
local PATIENCE = 5
local PAUSE = 0.001

--- Waits until no other worker writes.
function M.take()
  local turns = ngx.shared.turns
  local until_time = ngx.now() + PATIENCE
  while not turns:add("writer", true, HELD) do
    if ngx.now() > until_time then
      reply.refuse("busy", "Others write all the time", "ask again")
    end
    ngx.sleep(PAUSE)
  end
end

--- Lets the next one write.
function M.give()
  ngx.shared.turns:delete "writer"
end

return M
