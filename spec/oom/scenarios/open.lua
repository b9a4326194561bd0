-- Opening, declaring in every way, creating tables, closing.
local base = ...
local f = base.tombstone.field
local db

local function every_option()
  db:model("Everything", {
    slug = f.char { max_length = 20, primary_key = true },
    name = f.text { unique = "live", collate = "NOCASE", column = "label" },
    state = f.text { choices = { "new", "old" }, default = "new" },
    size = f.integer { check = "size > 0", null = true },
    at = f.datetime {
      default = function()
        return 0
      end,
    },
    note = f.blob { null = true, attr = "remark" },
    flag = f.boolean { default = true },
    part = f.number {
      default = 0.5,
      check = function(value)
        return value < 1, "is too large"
      end,
    },
  }, {
    table = "everything_there_is",
    indexes = { "state", { "size", "at" } },
    unique_together = { "state", "size" },
    order_by = { "-at", "slug" },
    timestamps = true,
    version = true,
    soft_delete = { column = "gone_at", event = "gone_by", unique = "mangle", keep = "30d" },
  })
end

return base.scenario {
  prepare = function() end,
  start = function() end,
  run = function(_, file)
    local s = base.open(file)
    db = s.db
    every_option()
    db:model("Legacy", { title = f.text { unique = true } }, { soft_delete = { event = false } })
    db:model("Plain", { n = f.integer {} }, { soft_delete = false })
    base.expect("misuse", db.model, db, "Plain", { n = f.integer {} })
    base.expect("misuse", db.model, db, "Odd", { delete = f.integer {} })
    base.expect("misuse", f.integer, { defualt = 1 })
    base.equal("table", type(db:ddl()))
    db:create_tables()
    base.equal("sqlite", db:info().driver)
    base.equal("string", type(tostring(s.Post)))
    db:create_tables()
    db:close()
    db:close()
  end,
  after = function() end,
  rules = {
    -- the tables come in one transaction
    [[SELECT count(*) FROM sqlite_master
      WHERE name IN ('post', 'seat', 'tombstone_event', 'legacy', 'plain', 'everything_there_is')
      HAVING count(*) NOT IN (0, 6)]],
  },
}
