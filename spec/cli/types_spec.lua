-- The annotations that `tombstone types` writes: they are of the grammar, all that they name is
-- there, and what they promise is what the engine does.
local tombstone = require "tombstone"
local annotations = require "cli.annotations"
local types = require "tombstone.cli.types"

local f = tombstone.field

local function blog()
  local db = tombstone.open ":memory:"
  db:model("Author", {
    name = f.text { unique = true },
    boss = f.belongs_to("Author", { on_delete = "keep", related_name = "team", null = true }),
    post_count = f.counter "posts",
  })
  db:model("Post", {
    title = f.char { max_length = 100, unique = true },
    views = f.integer { default = 0 },
    score = f.number { null = true },
    public = f.boolean { default = true },
    kind = f.text { null = true, choices = { "draft", "done" } },
    ["end"] = f.datetime { default = function() return 0 end },
    cover = f.blob { null = true },
    more = f.json { null = true },
    author = f.belongs_to("Author", { on_delete = "cascade", related_name = "posts" }),
    tags = f.many_to_many("Tag", { related_name = "posts" }),
  }, { timestamps = true, version = true })
  db:model("Note", {
    post = f.belongs_to("Post", { on_delete = "cascade", unique = true, related_name = "note" }),
  })
  db:model("Tag", { code = f.char { primary_key = true, max_length = 8 } })
  db:model("Log", { line = f.text() }, { soft_delete = false })
  db:model("Old", { line = f.text() }, { soft_delete = { event = false } })
  db:create_tables()
  return db
end

local function luac(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local pipe = io.popen("exec luac5.1 -p " .. path .. " 2>&1")
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

-- ---- the reader ------------------------------------------------------------------------------

describe("the reader of annotations", function()
  it("takes what the grammar has", function()
    local file = annotations.read [[
---@meta lib
---@alias Word "a"|"b"|1
---@class lib.Base
---@class Row: lib.Base, table<string, any>
---@field public public boolean # said twice
---@field name? (string|nil)[]
---@field [string] any
---@field call fun(self: Row, ...: string): Word, { n: integer, m?: Word }
local Row = {}

---@param name string
---@param ... any
---@return Row row, integer
---@overload fun(self: Row): Row?
function Row:find(name, ...) end
]]
    assert.same({ "lib.Base", "table" }, { file.classes.Row.parents[1], file.classes.Row.parents[2] })
    assert.is_true(file.classes.Row.fields.name.optional)
    assert.equal("boolean", file.classes.Row.fields.public.type)
  end)

  local WRONG = {
    ["a type that is not there"] = "---@class A\n---@field a Missing",
    ["a class twice"] = "---@class A\n---@class A",
    ["a field twice"] = "---@class A\n---@field a string\n---@field a string",
    ["a field without a class"] = "---@field a string",
    ["a field without a type"] = "---@class A\n---@field a",
    ["an open function"] = "---@alias A fun(a: string",
    ["an open list"] = "---@alias A string[",
    ["an open union"] = "---@alias A string|",
    ["an open text"] = '---@alias A "a',
    ["words behind a type"] = "---@class A\n---@field a string of a kind",
    ["an unknown tag"] = "---@klass A",
    ["other parameters"] = "---@param b string\nfunction f(a) end",
    ["a parameter of no function"] = "---@param b string\nlocal b",
  }
  for what, text in pairs(WRONG) do
    it("refuses " .. what, function()
      assert.is_false((pcall(annotations.read, text)))
    end)
  end
end)

-- ---- the text --------------------------------------------------------------------------------

-- A value of a type, to ask the engine with.
local function sample(type_name, rows)
  local first = type_name:match '^%(?([%w_."]+)'
  local value = rows[first]
  if value == nil then
    local plain = { string = "x", integer = 1, number = 1.5, boolean = true }
    value = first:match '^"(.*)"$' or plain[first]
  end
  return type_name:match "^[%w_]+%[%]$" and { value, value } or value
end

describe("the types of models", function()
  local db, text, classes

  setup(function()
    db = blog()
    text = types.text(db)
    classes = annotations.read(text).classes
  end)

  teardown(function()
    db:close()
  end)

  it("are valid Lua", function()
    assert.equal("", luac(text))
  end)

  it("have the columns as fields, and NULL as nil", function()
    local fields = classes.Post.fields
    local found = {}
    for name, field in pairs(fields) do
      found[name] = not field.type:match "^fun" and field.type or nil
    end
    assert.same({
      id = "integer", title = "string", views = "integer", score = "number|nil", public = "boolean",
      kind = '"draft"|"done"|nil', ["end"] = "number", cover = "string|nil", more = "any",
      author_id = "integer", created_at = "number", updated_at = "number", version = "integer",
      deleted_at = "number|nil", deleted_event = "integer|nil",
    }, found)
    assert.equal("string", classes.Post_tags.fields.tag_id.type) -- the key that it points to
  end)

  it("have relations as methods", function()
    local fields = classes.Post.fields
    assert.equal("fun(self: Post): Author|nil", fields.author.type)
    assert.equal("fun(self: Post): Note|nil", fields.note.type)
    assert.equal("fun(self: Post): TagRelated", fields.tags.type)
    assert.equal("fun(self: Author): PostRelated", classes.Author.fields.posts.type)
    assert.equal("fun(self: Author): AuthorRelated", classes.Author.fields.team.type)
  end)

  it("say what a deletion answers", function()
    assert.truthy(classes.Post.fields.delete.type:find(": tombstone.Event|nil", 1, true))
    assert.truthy(classes.Old.fields.delete.type:find(": true|nil", 1, true))
    assert.is_nil(classes.Log.fields.delete)
    assert.is_nil(classes.Log.fields.deleted_at)
  end)

  it("say which values a row needs, and which nobody writes", function()
    local needed, new, values = {}, classes.PostNew.fields, classes.PostValues.fields
    for name, field in pairs(new) do
      needed[#needed + 1] = not field.optional and name or nil
    end
    assert.same({ "title" }, needed)
    assert.equal("Author", new.author.type)
    assert.is_nil(new.deleted_at)
    assert.equal("integer|tombstone.Expression", values.views.type)
    assert.equal("number|tombstone.Null|tombstone.Expression", values.score.type)
    assert.is_nil(classes.AuthorValues.fields.post_count)
    assert.is_nil(classes.TagNew.fields.code.optional or nil)
  end)

  it("have the keys of filters, those across relations too", function()
    local keys = classes.PostFilter.fields
    assert.equal("integer|tombstone.Expression", keys.views__gte.type)
    assert.equal("string", keys.author__name__startswith.type)
    assert.equal("string|string[]|tombstone.Expression", keys.author__name.type)
    assert.equal("Tag|Tag[]", keys.tags.type)
    assert.equal("Author|Author[]|tombstone.Null", keys.author.type)
    assert.is_nil(keys.views__contains)
    assert.is_nil(keys.author__boss__name)
    for _, key in pairs(keys) do
      assert.is_true(key.optional)
    end
  end)

  it("have no key that the engine refuses", function()
    local rows = { Author = db:model("Author"):create { name = "Ana" } }
    rows.Post = db:model("Post"):create { title = "Hello", author = rows.Author }
    rows.Tag = db:model("Tag"):create { code = "red" }
    rows.Note = db:model("Note"):create { post = rows.Post }
    rows.Post_tags = db:model("Post_tags"):create { post = rows.Post, tag = rows.Tag }
    local n = 0
    for _, model in ipairs(db:models()) do
      local name = rawget(model, "__name")
      for key, field in pairs(classes[name .. "Filter"].fields) do
        local value = sample(field.type, rows)
        local ok, err = pcall(model.objects.filter, model.objects, { [key] = value })
        assert.is_true(ok, name .. " " .. key .. ": " .. tostring(err))
        n = n + 1
      end
    end
    assert.is_true(n > 500)
  end)

  -- The methods that a class and its parents promise.
  local function methods(name, into)
    into = into or {}
    local class = classes[name]
    for _, parent in ipairs(class and class.parents or {}) do
      methods(parent, into)
    end
    for key, field in pairs(class and class.fields or {}) do
      into[key] = field.type:match "^fun" and true or nil
    end
    return into
  end

  local function promised(name, value)
    for method in pairs(methods(name)) do
      local ok, found = pcall(function()
        return value[method]
      end)
      assert.is_true(ok and type(found) == "function", name .. " has no " .. method)
    end
  end

  it("promise methods that are there", function()
    local author = db:model("Author"):create { name = "Ben" }
    local _, event = db:model("Author").objects:filter({ name = "Ben" }):delete()
    promised("Author", author)
    promised("AuthorModel", db:model "Author")
    promised("AuthorQuery", db:model("Author").objects)
    promised("AuthorRelated", author:team())
    promised("tombstone.Event", event)
    promised("tombstone.Database", db)
    promised("tombstone.Module", tombstone)
  end)

  -- The names of the calls in a row of the README's table.
  local function listed(group)
    local file = assert(io.open "README.md")
    local row = file:read("*a"):match("\n| " .. group .. " | ([^\n]*)")
    file:close()
    return row:gmatch "`([%l_]+)%f[^%l_.:]"
  end

  it("leave out no call of the README's table", function()
    local query, database = methods "PostQuery", methods "tombstone.Database"
    for _, group in ipairs { "refine", "rows out", "values out" } do
      for word in listed(group) do
        assert.is_true(query[word], word)
      end
    end
    for word in listed "database" do
      local is_overloaded = text:find("function Database:" .. word .. "(", 1, true)
      assert.truthy(database[word] or is_overloaded, word)
    end
    for word in ([[update delete restore purge delete_plan restore_plan sql explain
      explain_liveness]]):gmatch "%S+" do
      assert.is_true(query[word], word)
    end
    local row = methods "Post"
    for word in ([[save update reload delete restore purge forget is_deleted original delete_plan restore_plan
      create new bulk_create get_or_create upsert recount]]):gmatch "%S+" do
      assert.is_true(row[word], word)
    end
  end)

  it("know models by their names", function()
    local known = '---@overload fun(self: tombstone.Database, name: "Post", fields?: table<string, any>, '
      .. "options?: table<string, any>): PostModel\n"
    assert.truthy(text:find(known, 1, true))
    assert.truthy(text:find('model: "Tag"|TagModel): TagQuery\n', 1, true))
  end)
end)

describe("types", function()
  it("of models whose names meet are told apart", function()
    local db = tombstone.open ":memory:"
    db:model("Post", { title = f.text() })
    db:model("PostQuery", { title = f.text() })
    db:model("string", { title = f.text() })
    local classes = annotations.read(types.text(db)).classes
    assert.equal("PostQuery_", classes.PostModel.fields.objects.type)
    assert.equal("string", classes.PostQuery.fields.title.type)
    assert.equal("string_", classes.stringModel.fields.new.type:match ": ([%w_]+)$")
    db:close()
  end)

  it("of a database without models are the library's", function()
    local db = tombstone.open ":memory:"
    local text = types.text(db)
    assert.truthy(annotations.read(text).classes["tombstone.Database"])
    assert.equal("", luac(text))
    db:close()
  end)

  it("of a relation to a model that is not declared leave it out", function()
    local db = tombstone.open ":memory:"
    db:model("Post", { author = f.belongs_to("Author", { on_delete = "restrict" }) })
    local classes = annotations.read(types.text(db)).classes
    assert.is_nil(classes.Post.fields.author)
    assert.equal("integer", classes.Post.fields.author_id.type)
    db:close()
  end)

  it("of choices that are no plain words are those of the field", function()
    local db = tombstone.open ":memory:"
    db:model("Post", {
      a = f.text { choices = { 'say "no"', "yes" } },
      n = f.integer { choices = { 1, 2 } },
    })
    local fields = annotations.read(types.text(db)).classes.Post.fields
    assert.same({ "string", "integer" }, { fields.a.type, fields.n.type })
    db:close()
  end)
end)
