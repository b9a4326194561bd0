--- What the save holds: things that lie on the meadow, and items in the satchel.
local f = require("tombstone").field

return function(db)
  local models = {}

  models.Thing = db:model("Thing", {
    name = f.char { max_length = 40 },
    kind = f.text(),
    x = f.integer(),
    y = f.integer(),
  }, { table = "things", soft_delete = false })

  -- In the satchel a name and a slot are taken once. One that was thrown away takes neither.
  models.Item = db:model("Item", {
    name = f.char { max_length = 40, unique = "live" },
    kind = f.text(),
    slot = f.integer { unique = "live" },
  }, { table = "items" })

  return models
end
