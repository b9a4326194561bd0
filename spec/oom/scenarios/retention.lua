-- What is too long in the trash goes, in batches.
local base = ...

local function start(_, file)
  local s = {}
  local now = 1.75e9
  local opened = base.open(file, {
    clock = function()
      return now
    end,
  })
  s.db, s.Post, s.Seat = opened.db, opened.Post, opened.Seat
  s.Post.objects:filter({ batch = 1 }):delete()
  now = now + 3 * 86400
  return s
end

return base.scenario {
  start = start,
  run = function(s)
    base.equal(5, s.db:purge_expired({ dry_run = true }).Post)
    local counts, report = s.db:purge_expired()
    base.equal(5, counts.Post)
    base.equal(5, report.rows.Post)
    base.equal(0, s.db:purge_expired().Post)
  end,
  rules = {
    "SELECT count(*) FROM post WHERE batch = 1 HAVING count(*) NOT IN (0, 5)",
    "SELECT batch FROM post WHERE batch = 1 AND deleted_at IS NULL",
  },
}
