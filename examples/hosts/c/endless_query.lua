-- A statement that would go on for ever. Lua is not even asked while it runs.
db:exec "DELETE FROM note"
db:exec [[
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
  INSERT INTO note (title) SELECT i FROM n
]]
