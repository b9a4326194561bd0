-- JSON fields: values in, values out, by lua-cjson or a codec of the program's.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field
local null = tombstone.null

local found, cjson = pcall(require, "cjson")

local function restored()
  if found then
    local codec = type(cjson.new) == "function" and cjson.new() or cjson
    tombstone.json(codec.encode, codec.decode)
  end
end

describe("a json field", function()
  if not found then
    pending "needs lua-cjson"
    return
  end
  local db, Doc

  before_each(function()
    restored()
    db, Doc =
      helper.blog(nil, { v = f.json { null = true }, w = f.json { default = "{}", null = true } })
  end)

  teardown(restored)

  it("keeps what JSON can hold", function()
    for _, value in ipairs {
      { a = 1, b = "x", c = true, d = { 1, 2, { e = "ü" } } },
      { 1, 2, 3 },
      {},
      "text",
      5,
      0.5,
      true,
      false,
      "",
      "null",
      'it\'s "quoted" \\ \0 \n',
    } do
      local row = Doc:create { v = value }
      assert.are.same(value, row.v)
      assert.are.same(value, Doc.objects:get(row.id).v)
      row:update { v = value }
      assert.are.same(value, row.v)
      row:save()
      assert.are.same(value, row:reload().v)
    end
  end)

  it("is stored as JSON text", function()
    Doc:create { v = { 1, "a" } }
    assert.are.equal('[1,"a"]', db:query("SELECT v FROM post")[1].v)
    assert.are.same({ { n = 1 } }, db:query "SELECT json_extract(v, '$[0]') AS n FROM post")
  end)

  it("hands out a value of the row's own", function()
    local value = { list = { 1 } }
    local row = Doc:create { v = value }
    value.list[1] = 99
    assert.are.equal(1, row.v.list[1])
    local one, two = Doc.objects:get(row.id), Doc.objects:get(row.id)
    one.v.list[1] = 5
    assert.are.equal(1, two.v.list[1])
    one:save()
    assert.are.equal(5, two:reload().v.list[1])
  end)

  it("tells NULL apart, and null inside a value", function()
    assert.is_nil(Doc:create({}).v)
    assert.is_nil(Doc:create({ v = null }).v)
    local row = Doc:create { v = { a = null } }
    assert.is_true(rawequal(null, row.v.a))
    assert.are.equal(2, Doc.objects:filter({ v__isnull = true }):count())
  end)

  it("comes out of values, pluck, each and aggregates too", function()
    Doc:create { v = { 7 } }
    assert.are.same({ { v = { 7 } } }, Doc.objects:values "v")
    assert.are.same({ { 7 }, n = 1 }, Doc.objects:pluck "v")
    for row in Doc.objects:each() do
      assert.are.same({ 7 }, row.v)
    end
    for row in Doc.objects:each { snapshot = true } do
      assert.are.same({ 7 }, row.v)
    end
    assert.are.equal(1, Doc.objects:aggregate({ n = tombstone.count "v" }).n)
  end)

  it("survives delete, restore and upsert", function()
    local row = Doc:create { v = { a = { 1 } } }
    row:delete()
    assert.are.same({ a = { 1 } }, row.v)
    assert.are.same({ a = { 1 } }, Doc.deleted_objects:first().v)
    row:restore()
    assert.are.same({ a = { 1 } }, row.v)
    assert.are.same({ a = { 2 } }, Doc:upsert({ id = row.id, v = { a = { 2 } } }, { on = "id" }).v)
  end)

  it("takes defaults and checks", function()
    local _, M = helper.blog(nil, {
      v = f.json {
        default = function()
          return { made = true }
        end,
      },
      w = f.json {
        null = true,
        check = function(value)
          return type(value) == "table" and value.ok, "is not ok"
        end,
      },
    })
    assert.are.same({ made = true }, M:create({}).v)
    assert.are.same({ ok = 1 }, M:create({ w = { ok = 1 } }).w)
    helper.refuses("validation", "Post is not valid - w is not ok", M.create, M, { w = { ok = false } })
    helper.refuses("validation", "Post is not valid - w is not ok", M.create, M, { w = 5 })
  end)

  it("refuses what JSON cannot hold, and nothing is done", function()
    local co = coroutine.create(function() end)
    for _, value in ipairs { print, co, { f = print }, 0 / 0, 1 / 0, io.stdout } do
      local err = helper.raises("misuse", Doc.create, Doc, { v = value })
      assert.is_truthy(err.message:find("^Field 'v' cannot be encoded as JSON %- "), err.message)
    end
    local cycle = {}
    cycle.cycle = cycle
    helper.raises("misuse", Doc.create, Doc, { v = cycle })
    assert.are.equal(0, Doc.all_objects:count())
  end)

  it("that holds no JSON says so, and the handle goes on", function()
    Doc:create { v = { 1 } }
    db:exec "UPDATE post SET v = 'not json'"
    for _, read in ipairs {
      function()
        return Doc.objects:all()
      end,
      function()
        return Doc.objects:get(1)
      end,
      function()
        return Doc.objects:pluck "v"
      end,
      function()
        for _ in Doc.objects:each() do -- luacheck: ignore
        end
      end,
      function()
        local stream = Doc.objects:each { snapshot = true }
        local ok, err = pcall(stream)
        stream:close()
        assert(ok, err)
      end,
    } do
      local ok, err = pcall(read)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find("Field 'v' holds no valid JSON", 1, true), tostring(err))
    end
    Doc.objects:filter({ id = 1 }):update { v = { 2 } }
    assert.are.same({ 2 }, Doc.objects:get(1).v)
    assert.are.equal(0, db:depth())
  end)
end)

describe("a codec of the program's", function()
  teardown(restored)

  it("is used instead", function()
    tombstone.json(function(value)
      return '"' .. tostring(value.x) .. '"'
    end, function(text)
      return { x = text:sub(2, -2) }
    end)
    local db, Doc = helper.blog(nil, { v = f.json() })
    assert.are.same({ x = "5" }, Doc:create({ v = { x = 5 } }).v)
    assert.are.equal('"5"', db:query("SELECT v FROM post")[1].v)
  end)

  it("may raise, or answer nonsense", function()
    local _, Doc = helper.blog(nil, { v = f.json() })
    tombstone.json(function()
      error "no such thing"
    end, function() end)
    local err = helper.raises("misuse", Doc.create, Doc, { v = {} })
    assert.is_truthy(err.message:find("Field 'v' cannot be encoded as JSON", 1, true))
    assert.is_truthy(err.message:find("no such thing", 1, true))
    tombstone.json(function()
      return 5
    end, function() end)
    err = helper.raises("misuse", Doc.create, Doc, { v = {} })
    assert.is_truthy(err.message:find("Field 'v' was not encoded to a string", 1, true))
    tombstone.json(function()
      return "\255"
    end, function() end)
    helper.raises("validation", Doc.create, Doc, { v = {} })
    assert.are.equal(0, Doc.all_objects:count())
  end)

  it("is two functions", function()
    helper.refuses("misuse", "json takes two functions, to encode and to decode", tombstone.json)
    helper.refuses("misuse", "json takes two functions, to encode and to decode", tombstone.json, print)
    helper.refuses(
      "misuse",
      "json takes two functions, to encode and to decode",
      tombstone.json,
      print,
      {}
    )
  end)
end)
