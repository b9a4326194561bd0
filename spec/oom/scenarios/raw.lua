-- SQL of the program's own.
local base = ...

return base.scenario {
  run = function(s)
    local db = s.db
    local rows = db:query("SELECT title, views AS v FROM post WHERE views > ? ORDER BY views", 7)
    base.equal("p8", rows[1].title)
    base.equal(3, db:exec("UPDATE post SET content = ? WHERE views > ?", "x\0y", 7))
    local seen = 0
    for row in db:each "SELECT * FROM post ORDER BY id" do
      seen = seen + row.id
    end
    base.equal(55, seen)
    for row in db:each "SELECT * FROM post ORDER BY id" do
      if row.id == 2 then
        break
      end
    end
    collectgarbage() -- where Lua does not close it
    db:exec "CREATE TABLE extra (a); INSERT INTO extra VALUES (1); INSERT INTO extra VALUES (2);"
    base.equal(2, db:query("SELECT count(*) AS n FROM extra")[1].n)
    base.expect("database", db.query, db, "SELECT nothing FROM nowhere")
    base.expect("database", db.exec, db, "SELEC")
    base.expect("misuse", db.query, db, "SELECT ?", {})
    base.expect("misuse", db.query, db, "SELECT ?")
  end,
}
