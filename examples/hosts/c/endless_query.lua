-- A query that would go on for ever. Lua is not even asked while it runs.
db:exec "DELETE FROM note"
db:query "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
