-- A connection of the host, lent to a script in the middle of a transaction of the host.
local base = ...
local F = base.tombstone.F
local lend, tell = rawget(_G, "lend"), rawget(_G, "tell")

-- Where memory ran out in a rollback, the first call after it says that all is undone.
local function hear_of_the_end(db)
  local ok, err = pcall(db.query, db, "SELECT 1")
  if not ok and not tostring(err):find("The host's transaction is gone", 1, true) then
    error(err, 0)
  end
end

return base.scenario {
  may_refuse = true,
  start = function(_, file)
    return {}, file
  end,
  run = function(s, file)
    s.db = lend(file)
    s.Post, s.Seat = base.models(s.db)
    tell "BEGIN"
    tell "UPDATE post SET views = views - 5 WHERE title = 'p10'"
    s.Post.objects:filter({ title = "p1" }):update { views = F "views" + 5 }
    base.undone(s.db, function()
      s.Post.objects:filter({ batch = 2 }):delete()
      s.db:exec "UPDATE post SET views = 0"
    end)
    s.Post.objects:get({ title = "p3" }):delete()
    s.Post.deleted_objects:restore { all = true }
    tell "COMMIT"
    s.db:close()
  end,
  after = function(s)
    if not (s.Post and s.db:is_open()) then
      return
    end
    if s.db:in_transaction() then
      tell "ROLLBACK"
    end
    hear_of_the_end(s.db)
    base.after(s)
  end,
  rules = {
    "SELECT sum(views) FROM post HAVING sum(views) <> 55",
    "SELECT title FROM post WHERE deleted_at IS NOT NULL",
  },
}
