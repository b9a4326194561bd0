--- Who is whose parent among the rows of a reference, and what lies below a row.
--
-- Sets of rows are tables with the rows as keys.
local M = {}

M.CASCADE = { cascade = true }
M.RESTRICT = { restrict = true }
M.KEEP = { keep = true }
M.BINDING = { cascade = true, restrict = true } -- no living child under a dead parent

--- The rows that a row points to through relations of these sorts.
function M.parents(reference, row, sorts)
  local found = {}
  for _, relation in ipairs(reference.shape.by_name[row.model].relations) do
    local key = row.points[relation.name]
    local parent = sorts[relation.on_delete] and key ~= nil and reference:at(relation.to, key)
    if parent then
      found[parent] = true
    end
  end
  return found
end

--- True where a parent through relations of these sorts is as wanted.
function M.has_parent(reference, row, sorts, is_wanted)
  for parent in pairs(M.parents(reference, row, sorts)) do
    if is_wanted(parent) then
      return true
    end
  end
  return false
end

--- The rows that a rule, `rule(row, found)`, adds to a set, applied until it adds no more.
function M.grow(reference, rule)
  local found, has_grown = {}, true
  while has_grown do
    has_grown = false
    for row in reference:each() do
      if not found[row] and rule(row, found) then
        found[row], has_grown = true, true
      end
    end
  end
  return found
end

--- All rows that point, through relations of these sorts, to a row of the set or to one of these.
function M.below(reference, rows, sorts)
  return M.grow(reference, function(row, found)
    return M.has_parent(reference, row, sorts, function(parent)
      return rows[parent] or found[parent]
    end)
  end)
end

--- All rows that these point to, through relations of these sorts, and that those point to.
function M.above(reference, rows, sorts)
  local found = {}
  local function add(row)
    for parent in pairs(M.parents(reference, row, sorts)) do
      if not found[parent] then
        found[parent] = true
        add(parent)
      end
    end
  end
  for row in pairs(rows) do
    add(row)
  end
  return found
end

return M
