--- Edits of what is sent, each of which breaks the law.
local M = {}

function M.without_locks(sql)
  return (sql:gsub(" FOR [%u ]+%)", ")"):gsub(" FOR SHARE$", ""))
end

--- What a foreign key does by itself.
function M.with_locks_of_keys(sql)
  return (sql:gsub(" FOR SHARE", " FOR KEY SHARE"))
end

function M.without_locks_of_twins(sql)
  return (sql:gsub(" FOR NO KEY UPDATE", ""))
end

return M
