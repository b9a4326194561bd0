-- A script that would go on for ever. The notebook has a second for it.
db:exec "DELETE FROM note"
while true do
  pcall(error)
end
