--- Deletions, and what else puts living rows under what they delete. Each gets the models and the
-- ids of family.lua.
local M = { deletions = {}, puts = {} }
local deletions, puts = M.deletions, M.puts

local function named(letter, id)
  return ("%s%d"):format(letter, id)
end

local function undo(s, id)
  return s.db:events({ pk = named("e", id) })[1]:undo() > 0
end

-- ---- deletions ---------------------------------------------------------------------------

function deletions.parent(s, id)
  return s.Parent.objects:get(id[1]):delete()
end

function deletions.parents(s, id)
  return s.Parent.objects:filter({ id = { id[1], id[2] } }):delete() > 0
end

-- Of one that has no living child, which nothing restricts.
function deletions.childless(s, id)
  return s.Parent.objects:get(id[4]):delete()
end

function deletions.node(s, id)
  return s.Node.objects:get(id[1]):delete()
end

function deletions.tag(s, id)
  return s.Tag.objects:get(id[1]):delete()
end

function deletions.post(s, id)
  return s.Post.objects:get(id[1]):delete()
end

function deletions.street(s, id)
  return s.Street.objects:get(id[1]):delete()
end

function deletions.none(s, id)
  s.db:transaction(function()
    s.Parent.objects:get(id[1]):delete()
    error("taken back", 0)
  end)
end

-- ---- children ----------------------------------------------------------------------------

function puts.create(s, id)
  return s.Child:create { title = named("n", id[1]), parent_id = id[1] }
end

function puts.bulk_create(s, id)
  return s.Child:bulk_create {
    { title = named("n", id[1]), parent_id = id[2] },
    { title = named("m", id[1]), parent_id = id[1] },
  }
end

function puts.upsert(s, id)
  return s.Child:upsert({ title = named("n", id[1]), parent_id = id[1] }, { on = "title" })
end

-- The living row with that title dies meanwhile.
function puts.upsert_of_a_child(s, id)
  return s.Child:upsert({ title = named("c", id[1]), parent_id = id[1] }, { on = "title" })
end

function puts.move(s, id)
  return s.Child.objects:get(id[2]):update { parent_id = id[1] }
end

function puts.save(s, id)
  local child = s.Child.objects:get(id[2])
  child.parent_id = id[1]
  child:save()
  return true
end

function puts.move_all(s, id)
  return s.Child.objects:filter({ parent_id = id[2] }):update { parent_id = id[1] } > 0
end

function puts.restore(s, id)
  return s.Child.deleted_objects:get(id[3]):restore()
end

function puts.restore_all(s, id)
  return s.Child.deleted_objects:filter({ parent_id = id[1] }):restore() > 0
end

-- Row by row.
function puts.restore_some(s, id)
  return s.Child.deleted_objects:filter({ parent_id = id[1] }):restore { on_conflict = "skip" } > 0
end

function puts.undo(s, id)
  return undo(s, id[3])
end

-- Below what goes along.
function puts.toy(s, id)
  return s.Toy:create { child_id = id[1] }
end

function puts.create_alone(s, id)
  return s.Child:create { title = named("n", id[1]), parent_id = id[4] }
end

function puts.move_alone(s, id)
  return s.Child.objects:get(id[2]):update { parent_id = id[4] }
end

function puts.restore_alone(s, id)
  return s.Child.deleted_objects:get(id[4]):restore()
end

function puts.undo_alone(s, id)
  return undo(s, id[4])
end

-- ---- trees, links, rings -----------------------------------------------------------------

function puts.node(s, id)
  return s.Node:create { parent_id = id[2] }
end

function puts.move_node(s, id)
  return s.Node.objects:get(id[4]):update { parent_id = id[2] }
end

function puts.restore_node(s, id)
  return s.Node.deleted_objects:get(id[3]):restore()
end

function puts.undo_node(s, id)
  return undo(s, id[5])
end

function puts.link(s, id)
  return s.Post.objects:get(id[1]):tags():add(s.Tag.objects:get(id[1])) > 0
end

function puts.links(s, id)
  return s.Post.objects:get(id[1]):tags():set { s.Tag.objects:get(id[1]) } > 0
end

function puts.undo_link(s, id)
  return undo(s, id[6])
end

function puts.undo_ring(s, id)
  return undo(s, id[7])
end

-- ---- which meet --------------------------------------------------------------------------

local CHILDREN = {
  "create", "bulk_create", "upsert", "upsert_of_a_child", "move", "save", "move_all", "restore",
  "restore_all", "restore_some", "undo", "toy",
}
local LINKS = { "link", "links", "undo_link" }

local ALONE = { "create_alone", "move_alone", "restore_alone", "undo_alone" }

--- The deletion, on_delete of Child.parent, and what is done meanwhile; `few` models know of it.
M.cases = {
  { "parent", "cascade", CHILDREN, few = true },
  { "parents", "cascade", { "create", "bulk_create", "restore_all" }, few = true },
  { "childless", "restrict", ALONE, few = true },
  { "node", "cascade", { "node", "move_node", "restore_node", "undo_node" } },
  { "tag", "cascade", LINKS },
  { "post", "cascade", LINKS },
  { "street", "cascade", { "undo_ring" } },
}

return M
