--- How saves of earlier versions of the game become today's. The last one is the version of the game.
return {
  {
    name = "0001_satchel",
    irreversible = true,
    up = function(m)
      m:create_table("things", {
        { "id", "integer", key = true },
        { "label", "varchar(40)" },
        { "kind", "text" },
        { "x", "integer" },
        { "y", "integer" },
      })
      m:create_table("items", {
        { "id", "integer", key = true },
        { "label", "varchar(40)" },
        { "kind", "text" },
        { "slot", "integer" },
      })
    end,
  },
  {
    name = "0002_bin", -- labels are called names, names are taken once, and there is a bin
    irreversible = true,
    up = function(m)
      m:rename_column("things", "label", "name")
      m:rename_column("items", "label", "name")
      m:update("items", { name = "name || ' ' || id" }, {
        where = "EXISTS (SELECT 1 FROM items AS first WHERE first.name = items.name AND first.id < items.id)",
      })
      m:add_soft_delete "items"
      m:add_index("items", { "name" }, { unique = true, where = "deleted_at IS NULL" })
      m:add_index("items", { "slot" }, { unique = true, where = "deleted_at IS NULL" })
    end,
  },
}
