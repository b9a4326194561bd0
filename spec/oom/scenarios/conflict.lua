-- Restores that meet a living row, with every word and a function.
local base = ...

-- Five dead rows of batch 1, and living rows with the titles of two of them.
local function start(_, file)
  local s = base.open(file)
  s.Post.objects:filter({ batch = 1 }):delete()
  s.Post:create { title = "p2", batch = 3 }
  s.Post:create { title = "p4", batch = 3 }
  s.dead = s.Post.deleted_objects:filter { batch = 1 }
  return s
end

return base.scenario {
  start = start,
  run = function(s)
    local dead, again = s.dead, s.Post.objects:filter { batch = 1 }
    base.expect("integrity", dead.restore, dead)
    base.equal(2, #dead:restore_plan().conflicts)
    local refused = base.expect("integrity", dead.restore, dead, {
      on_conflict = function()
        return "fail"
      end,
    })
    base.equal("unique", refused.constraint)
    local ok, why = pcall(dead.restore, dead, {
      on_conflict = function()
        error("on purpose", 0)
      end,
    })
    if ok or why ~= "on purpose" then
      error(why, 0)
    end
    base.equal(3, dead:restore { on_conflict = "skip" })
    again:delete()
    local asked = 0
    local restored = dead:restore {
      on_conflict = function(post, conflict)
        asked = asked + 1
        base.equal(conflict.value, post:original "title")
        return asked == 1 and { title = "by hand" } or "skip"
      end,
    }
    base.equal(4, restored)
    again:delete()
    local row = s.Post.all_objects:order_by("id"):filter({ batch = 1 }):all()[4]
    local err = base.expect("integrity", row.restore, row)
    base.equal("p4", err.value)
    base.equal(true, row:restore { on_conflict = "rename" })
    base.equal("p4 (restored)", row.title)
    again:delete()
    base.equal(5, dead:restore { on_conflict = "replace", actor = "cid" })
  end,
  rules = {
    "SELECT batch FROM post GROUP BY batch HAVING batch = 1 AND count(deleted_at) NOT IN (0, 1, 2, 4, 5)",
    "SELECT count(*) FROM post HAVING count(*) NOT IN (12, 13)",
  },
}
