-- What `tombstone graph` draws.
local tombstone = require "tombstone"
local graph = require "tombstone.cli.graph"
local helper = require "helper"

local f = tombstone.field

local function family()
  local db = tombstone.open ":memory:"
  db:model("Author", {
    name = f.text { unique = true },
    boss = f.belongs_to("Author", { on_delete = "keep", null = true }),
    post_count = f.counter "posts",
  })
  db:model("Post", {
    title = f.char { max_length = 100, unique = "live" },
    pk = f.boolean(),
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    tags = f.many_to_many "Tag",
    readers = f.many_to_many("Author", { through = "Reading" }),
  }, { soft_delete = { keep = "90d" } })
  db:model("Tag", { code = f.char { primary_key = true, max_length = 8 } })
  db:model("Reading", {
    post = f.belongs_to("Post", { on_delete = "cascade" }),
    reader = f.belongs_to("Author", { on_delete = "cascade" }),
  }, { soft_delete = { keep = "36h" } })
  db:model("Cover", {
    post = f.belongs_to("Post", { on_delete = "restrict", unique = true }),
  }, { soft_delete = false })
  local lost = f.belongs_to("Nobody", { on_delete = "restrict" })
  db:model("Old", { lost = lost }, { soft_delete = { event = false } })
  return db
end

local MERMAID = [[
erDiagram
  "Author"["Author · soft delete"] {
    integer id PK
    text name UK "unique, mangle"
    integer boss_id FK "null"
    integer post_count "counts posts"
    datetime deleted_at "null"
    integer deleted_event "null"
  }
  "Post"["Post · soft delete, kept 90 days"] {
    integer id PK
    char(100) title UK "unique, live"
    boolean pk_
    integer author_id FK
    datetime deleted_at "null"
    integer deleted_event "null"
  }
  "Tag"["Tag · soft delete"] {
    char(8) code PK
    datetime deleted_at "null"
    integer deleted_event "null"
  }
  "Reading"["Reading · soft delete, kept 36 hours"] {
    integer id PK
    integer post_id FK
    integer reader_id FK
    datetime deleted_at "null"
    integer deleted_event "null"
  }
  "Cover"["Cover"] {
    integer id PK
    integer post_id FK "unique, always"
  }
  "Old"["Old · soft delete, no events"] {
    integer id PK
    integer lost_id FK
    datetime deleted_at "null"
  }
  "Author" |o--o{ "Author" : "boss, keep"
  "Author" ||--o{ "Post" : "author, cascade"
  "Post" }o..o{ "Tag" : "tags"
  "Post" }o..o{ "Author" : "readers through Reading"
  "Post" ||--o{ "Reading" : "post, cascade"
  "Author" ||--o{ "Reading" : "reader, cascade"
  "Post" ||--o| "Cover" : "post, restrict"
]]

local function output_of(command)
  local pipe = assert(io.popen("exec env -u LD_PRELOAD " .. command .. " 2>&1"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

describe("the graph", function()
  local db

  setup(function()
    db = family()
  end)

  teardown(function()
    db:close()
    helper.clean()
  end)

  it("of Mermaid has models, their marks, and what each deletion means", function()
    assert.equal(MERMAID, graph.text(db))
    assert.equal(MERMAID, graph.text(db, "mermaid"))
  end)

  it("of Graphviz is drawn by dot", function()
    if not output_of("dot -V"):find "version" then
      pending "needs graphviz"
      return
    end
    local path = helper.path()
    local file = assert(io.open(path, "wb"))
    file:write(graph.text(db, "dot"))
    file:close()
    local svg = output_of("dot -Tsvg " .. path)
    local titles = {}
    for title in svg:gmatch "<title>(.-)</title>" do
      titles[#titles + 1] = title
    end
    assert.same({
      "models", "Author", "Author&#45;&gt;Author", "Post", "Post&#45;&gt;Author", "Post&#45;&gt;Author",
      "Tag", "Post&#45;&gt;Tag", "Reading", "Reading&#45;&gt;Author", "Reading&#45;&gt;Post", "Cover",
      "Cover&#45;&gt;Post", "Old",
    }, titles)
    for _, said in ipairs { "boss, keep", "post, restrict", "kept 90 days", "readers through" } do
      assert.truthy(svg:find(said, 1, true), said)
    end
    assert.is_nil(svg:find "Warning")
  end)

  it("shows each way of a deletion by a line of its own", function()
    local text = graph.text(db, "dot")
    assert.truthy(text:find('"Post" -> "Author" [label = "author, cascade", style = solid', 1, true))
    assert.truthy(text:find('"Cover" -> "Post" [label = "post, restrict", style = bold', 1, true))
    assert.truthy(text:find('"Author" -> "Author" [label = "boss, keep", style = dashed', 1, true))
    assert.truthy(text:find('"Post" -> "Tag" [label = "tags", style = dotted', 1, true))
  end)

  it("has no other form", function()
    helper.refuses("misuse", "There is no format 'svg'", graph.text, db, "svg")
  end)

  it("of no models is one without nodes", function()
    local empty = tombstone.open ":memory:"
    assert.equal("erDiagram\n", graph.text(empty))
    assert.truthy(graph.text(empty, "dot"):find "^digraph models {.*}\n$")
    empty:close()
  end)
end)

describe("the README of the command", function()
  it("shows what is drawn", function()
    local db = tombstone.open ":memory:"
    db:model("Author", { name = f.char { max_length = 80, unique = true } }, { soft_delete = false })
    db:model("BlogPost", {
      title = f.text { unique = true },
      score = f.number { null = true },
      author = f.belongs_to("Author", { on_delete = "restrict" }),
    })
    local file = assert(io.open "lua/tombstone/cli/README.md")
    local readme = file:read "*a"
    file:close()
    assert.truthy(readme:find("```mermaid\n" .. graph.text(db) .. "```\n", 1, true))
    db:close()
  end)
end)
