-- f.counter and the tables: the triggers that keep a counter, and what its children may be.
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local function counts(Model, name)
  return table.concat(Model.all_objects:order_by("id"):pluck(name), " ")
end

describe("the triggers of a counter", function()
  after_each(helper.clean)

  it("are made once", function()
    local log = {}
    local path = helper.path()
    local function open()
      local other = tombstone.open(path, { log = function(sql)
        log[#log + 1] = sql
      end })
      other:model("Node", {
        n = f.counter "children",
        parent = f.belongs_to("Node", { on_delete = "cascade", null = true, related_name = "children" }),
      })
      other:create_tables()
      return other
    end
    open():close()
    log = {}
    open():close()
    assert.is_nil(table.concat(log, "\n"):match "TRIGGER \"", table.concat(log, "\n"))
    assert.is_nil(table.concat(log, "\n"):match "UPDATE \"node\" SET")
  end)

  -- A model of shelves with a counter, and one of books that stand on them, in a file.
  local function library(path, column, relation, model)
    local other = tombstone.open(path)
    local Shelf = other:model("Shelf", { [column] = f.counter "books" })
    for _, name in ipairs { "Book", model } do
      other:model(name, {
        shelf = f.belongs_to("Shelf", {
          on_delete = "cascade",
          related_name = name == relation and "books" or "things",
        }),
      })
    end
    other:create_tables()
    return other, Shelf
  end

  it("count once after its column got another name", function()
    local path = helper.path()
    local other = library(path, "n", "Book")
    other:exec "ALTER TABLE shelf RENAME COLUMN n TO total"
    other:close()
    local again, Shelf = library(path, "total", "Book")
    local shelf = Shelf:create {}
    again:model("Book"):create { shelf = shelf }
    assert.are.equal(1, shelf:reload().total)
    again:model("Book").objects:delete { all = true }
    assert.are.equal(0, shelf:reload().total)
    again:close()
  end)

  it("count the rows of another table after its relation has moved there", function()
    local path = helper.path()
    local other, Shelf = library(path, "n", "Book", "Disc")
    local shelf = Shelf:create {}
    other:model("Book"):create { shelf = shelf }
    other:model("Disc"):bulk_create { { shelf = shelf }, { shelf = shelf } }
    assert.are.equal(1, shelf:reload().n)
    other:close()
    local again, Moved = library(path, "n", "Disc", "Disc")
    assert.are.equal(2, Moved.objects:first().n)
    again:model("Book"):create { shelf = Moved.objects:first() }
    assert.are.equal(2, Moved.objects:first().n)
    again:close()
  end)

  it("are its own, whatever tables and columns are called", function()
    local other = tombstone.open ":memory:"
    local A = other:model("A", { n = f.counter("xs", { column = "b__c" }) }, { table = "a" })
    local B = other:model("B", { n = f.counter("ys", { column = "c" }) }, { table = "a__b" })
    local X = other:model("X", { a = f.belongs_to("A", { on_delete = "cascade", related_name = "xs" }) })
    local Y = other:model("Y", { b = f.belongs_to("B", { on_delete = "cascade", related_name = "ys" }) })
    other:create_tables()
    X:create { a = A:create {} }
    Y:create { b = B:create {} }
    assert.are.equal("1", counts(A, "n"))
    assert.are.equal("1", counts(B, "n"))
    other:close()
  end)

  it("count all rows of a model that is not soft, and the living of one with a stamp alone", function()
    local other = tombstone.open ":memory:"
    local Box = other:model("Box", { label = f.text { primary_key = true, collate = "NOCASE" },
      n_coins = f.counter "coins", n_notes = f.counter "notes" })
    local function declare(name, related, soft)
      return other:model(name, {
        box = f.belongs_to("Box", { on_delete = "keep", null = true, related_name = related }),
      }, { soft_delete = soft })
    end
    local Coin, Note = declare("Coin", "coins", false), declare("Note", "notes", { event = false })
    other:create_tables()
    local a, b = Box:create { label = "a" }, Box:create { label = "b" }
    local coin, note = Coin:create { box = a }, Note:create { box = a }
    Coin:create { box = a }
    note:delete()
    assert.are.equal(2, a:reload().n_coins)
    assert.are.equal(0, a.n_notes)
    note:restore()
    other:exec "UPDATE note SET box_id = 'A'" -- the same box: its label has no case
    assert.are.equal(1, a:reload().n_notes)
    coin:update { box = b }
    assert.are.equal(1, b:reload().n_coins)
    coin:purge()
    assert.are.equal(0, b:reload().n_coins)
    a:delete() -- the others live on, and are counted
    assert.are.equal("1 1", a:reload().n_coins .. " " .. a.n_notes)
    a:purge()
    assert.are.equal(0, Box:recount())
    other:close()
  end)

  it("are right about a diamond, owners that remain, and retention", function()
    local now = 1e9
    local other = tombstone.open(":memory:", { clock = function()
      now = now + 1
      return now
    end })
    local function declare(name, parents, options)
      local fields = {}
      for _, parent in ipairs(parents) do
        fields[parent:lower()] = f.belongs_to(parent, {
          on_delete = "cascade", null = true, related_name = name:lower() .. "s",
        })
      end
      for _, way in ipairs(options.counts or {}) do
        fields["n_" .. way] = f.counter(way)
      end
      return other:model(name, fields, { soft_delete = { keep = "1d" } })
    end
    local A = declare("A", {}, { counts = { "bs", "cs" } })
    local B = declare("B", { "A" }, { counts = { "ds" } })
    local C = declare("C", { "A" }, { counts = { "ds" } })
    local D = declare("D", { "B", "C" }, {})
    other:create_tables()
    local a = A:create {}
    local b, c = B:create { a = a }, C:create { a = a }
    D:create { b = b, c = c }
    local first, second = b:delete(), c:delete()
    local function all()
      return table.concat({ counts(A, "n_bs"), counts(A, "n_cs"), counts(B, "n_ds"), counts(C, "n_ds") }, " ")
    end
    assert.are.equal("0 0 0 0", all())
    first:undo()
    assert.are.equal("1 0 0 0", all()) -- the row below still has an owner
    second:undo()
    assert.are.equal("1 1 1 1", all())
    c:delete()
    now = now + 2 * 86400
    other:purge_expired()
    assert.are.equal(0, D.all_objects:count())
    assert.are.equal("1 0 0 ", all())
    for _, model in ipairs { A, B, C } do
      assert.are.equal(0, model:recount())
    end
    other:close()
  end)

  it("refuse no write of a child: a counter is not unique", function()
    local other = tombstone.open ":memory:"
    local _, err = pcall(other.model, other, "Shelf", { name = f.text(), n = f.counter "books" },
      { unique_together = { { "name", "n" } } })
    assert.are.equal("misuse", err.kind)
    assert.are.equal("Shelf.n is a counter and cannot be unique", err.message)
    other:close()
  end)
end)
