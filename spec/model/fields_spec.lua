-- What the words of tombstone.field promise: every type keeps its values exactly, every
-- option does what it says, and what does not fit is refused in one pass.
local tombstone = require "tombstone"
local helper = require "helper"
local f = tombstone.field
local null = tombstone.null

local function open(fields, options)
  local db = tombstone.open ":memory:"
  local M = db:model("Thing", fields, options)
  db:create_tables()
  return M, db
end

-- The value of field v after it went to a file and was read by another handle.
local function stored(word, value)
  local path = helper.path()
  local function fields()
    return { v = word }
  end
  local db = tombstone.open(path)
  local M = db:model("Thing", fields())
  db:create_tables()
  M:create { v = value }
  db:close()
  db = tombstone.open(path)
  M = db:model("Thing", fields())
  local back = M.objects:get(1).v
  db:close()
  return back
end

local function kept(word, values)
  local M = open { v = word }
  for i, value in ipairs(values) do
    local made = M:create { v = value }
    assert.are.equal(value, made.v, "made " .. i)
    assert.are.equal(value, M.objects:get(made.id).v, "read " .. i)
    made:update { v = value }
    assert.are.equal(value, made.v, "updated " .. i)
    assert.are.equal(1, M.objects:filter { id = made.id, v = value }:count(), "found " .. i)
  end
end

local function refuses(word, values, wanted)
  local M = open { v = word }
  local row = M:create { v = rawget(word, "fine") }
  for i = 1, #values do
    local err = helper.raises("validation", M.create, M, { v = values[i] })
    assert.are.equal("Thing is not valid - v must be " .. wanted, err.message)
    assert.are.same({ "v" }, err.fields)
    assert.are.equal("must be " .. wanted, err.reasons.v)
    helper.raises("validation", row.update, row, { v = values[i] })
    assert.are.equal(1, M.objects:count())
  end
end

-- A word with a value that it takes, so that `refuses` has a row to update.
local function with(word, fine)
  rawset(word, "fine", fine)
  return word
end

describe("types", function()
  teardown(helper.clean)

  it("text keeps every byte of valid UTF-8", function()
    kept(f.text(), {
      "",
      " ",
      "plain",
      "trailing space ",
      "\t\r\n",
      'it\'s "quoted" `so` [to] say',
      "'; DROP TABLE thing; --",
      "?, ?1, :name, @name, $name",
      "%_\\*?[",
      "ünïcödé",
      "日本語",
      "\240\159\152\128", -- a character of four bytes
      "e\204\129", -- a combining accent stays apart
      "\239\191\189", -- U+FFFD itself
      "\1\2\31\127",
      string.rep("x", 100000),
    })
  end)

  it("char is a text of at most max_length characters", function()
    kept(f.char { max_length = 3 }, { "", "abc", "日本語", "äöü" })
    local M = open { v = f.char { max_length = 3 } }
    local err = helper.refuses(
      "validation",
      "Thing is not valid - v has 4 characters, at most 3 are allowed",
      M.create,
      M,
      { v = "日本語!" }
    )
    assert.are.equal("has 4 characters, at most 3 are allowed", err.reasons.v)
  end)

  it("text may have a max_length too", function()
    local M = open { v = f.text { max_length = 1 } }
    M:create { v = "ß" }
    helper.raises("validation", M.create, M, { v = "ss" })
  end)

  it("char needs a max_length, and what is no text has none", function()
    local err = helper.refuses("misuse", "Thing.v is a char without max_length", open, { v = f.char() })
    assert.are.equal("give max_length, or use text", err.hint)
    helper.refuses(
      "misuse",
      "Thing.v has max_length but is no text",
      open,
      { v = f.integer { max_length = 3 } }
    )
    for _, length in ipairs { 0, -1, 1.5, "3", 2 ^ 31 } do
      helper.refuses(
        "misuse",
        "max_length is a whole number from 1 on",
        open,
        { v = f.char { max_length = length } }
      )
    end
  end)

  it("text refuses what is no UTF-8, and NUL", function()
    local M = open { v = f.text() }
    for _, text in ipairs {
      "\0",
      "a\0b",
      "\255",
      "\192\128",
      "\224\128\128",
      "\237\160\128",
      "\244\144\128\128",
      "\195",
      "a\128",
    } do
      helper.refuses(
        "validation",
        "Thing is not valid - v must be UTF-8 without NUL",
        M.create,
        M,
        { v = text }
      )
    end
    assert.are.equal(0, M.objects:count())
  end)

  it("text refuses every other type: nothing is turned into a text", function()
    local co = coroutine.create(function() end)
    refuses(with(f.text(), "x"), { 1, 1.5, true, {}, print, co, io.stdout }, "text")
  end)

  it("integer keeps 64 bits where Lua has them", function()
    kept(f.integer(), { 0, 1, -1, 2 ^ 31, -2 ^ 53 })
    if not helper.has_integers then
      return
    end
    kept(f.integer(), { math.maxinteger, math.mininteger, math.maxinteger - 1 }) -- luacheck: ignore 143
    assert.are.equal(math.mininteger, stored(f.integer(), math.mininteger)) -- luacheck: ignore 143
  end)

  it("integer is exact as a decimal text where Lua has none", function()
    if helper.has_integers then
      return
    end
    kept(f.integer(), { "9223372036854775807", "-9223372036854775808", "9007199254740993" })
    local M = open { v = f.integer() }
    assert.are.equal(7, M:create({ v = "7" }).v)
    for _, text in ipairs { "9223372036854775808", "1.5", "", "x", " 1", "1e3", "+1", "01" } do
      helper.raises("validation", M.create, M, { v = text })
    end
  end)

  it("integer takes a float that is whole, and gives an integer back", function()
    local M = open { v = f.integer() }
    local row = M:create { v = 3.0 }
    assert.are.equal("3", tostring(M.objects:get(row.id).v))
    assert.are.equal("3", tostring(row.v))
  end)

  it("integer refuses fractions, what is too large, NaN, infinities and other types", function()
    local bad = { 1.5, 2 ^ 63, -2 ^ 64, 1e300, 0 / 0, 1 / 0, -1 / 0, true, {}, print, io.stdout }
    if helper.has_integers then
      bad[#bad + 1] = "1"
    end
    refuses(with(f.integer(), 1), bad, "an integer")
  end)

  it("number keeps doubles", function()
    kept(f.number(), { 0, 0.1, -1.5, 1e308, 5e-324, 2 ^ 53, 1 / 3, -1e-300 })
    assert.are.equal(0.1 + 0.2, stored(f.number(), 0.1 + 0.2))
  end)

  it("number gives back a float for a whole number too", function()
    local M = open { v = f.number() }
    M:create { v = 3 }
    local v = M.objects:get(1).v
    assert.are.equal(3, v)
    if helper.has_integers then
      assert.are.equal("float", math.type(v)) -- luacheck: ignore 143
    end
  end)

  it("number refuses NaN, infinities and other types", function()
    refuses(
      with(f.number(), 1),
      { 0 / 0, 1 / 0, -1 / 0, "1", true, {}, print, io.stdout },
      "a finite number"
    )
  end)

  it("boolean keeps true and false apart from NULL", function()
    kept(f.boolean(), { true, false })
    local M = open { v = f.boolean { null = true } }
    M:create { v = false }
    M:create {}
    assert.is_false(M.objects:get(1).v)
    assert.is_nil(M.objects:get(2).v)
    assert.are.equal(1, M.objects:filter({ v = false }):count())
  end)

  it("boolean refuses what is only like true or false", function()
    refuses(with(f.boolean(), true), { 0, 1, "true", "", {}, print }, "true or false")
  end)

  it("datetime keeps microseconds from the year 1 to 9999", function()
    kept(f.datetime(), {
      0,
      1,
      -1,
      1763880000,
      1763880000.123456,
      0.000001,
      -0.000001,
      -62135596800,
      253402300799,
      951782400,
    })
    assert.are.equal(1763880000.5, stored(f.datetime(), 1763880000.5))
  end)

  it("datetime rounds to the microsecond, in values and in filters", function()
    local M = open { v = f.datetime() }
    local row = M:create { v = 1.00000049 }
    assert.are.equal(1, row.v)
    assert.are.equal(1, M.objects:filter({ v = 1.0000001 }):count())
    assert.are.equal(1, M.objects:filter({ v__lte = 0.9999999 }):count())
  end)

  it("datetime is stored as Django writes it", function()
    local M, db = open { v = f.datetime() }
    for _, pair in ipairs {
      { 1763880000, "2025-11-23 06:40:00" },
      { 1763880000.5, "2025-11-23 06:40:00.500000" },
      { 0.000001, "1970-01-01 00:00:00.000001" },
      { -62135596800, "0001-01-01 00:00:00" },
      { 253402300799.5, "9999-12-31 23:59:59.500000" },
    } do
      local row = M:create { v = pair[1] }
      assert.are.equal(pair[2], db:query("SELECT v FROM thing WHERE id = ?", row.id)[1].v)
    end
  end)

  it("datetime refuses other years and other types", function()
    refuses(
      with(f.datetime(), 0),
      { -62135596801, 253402300800, 1e18, 0 / 0, 1 / 0, "2025-11-23 00:00:00", true, {}, print },
      "a time in seconds between the years 0001 and 9999"
    )
  end)

  it("blob keeps any bytes", function()
    local all = {}
    for i = 0, 255 do
      all[#all + 1] = string.char(i)
    end
    kept(f.blob(), { "", "\0", "\255\254", table.concat(all), string.rep("\0", 70000) })
    assert.are.equal("a\0b", stored(f.blob(), "a\0b"))
  end)

  it("blob refuses what is no string", function()
    refuses(with(f.blob(), "x"), { 1, true, {}, print }, "a string of bytes")
  end)
end)

describe("options", function()
  teardown(helper.clean)

  it("a field is NOT NULL unless null = true", function()
    local M, db = open { a = f.text(), b = f.text { null = true } }
    local err = helper.refuses("validation", "Thing is not valid - a is required", M.create, M, {})
    assert.are.same({ "a" }, err.fields)
    helper.refuses("validation", "Thing is not valid - a cannot be null", M.create, M, { a = null })
    local row = M:create { a = "x" }
    assert.is_nil(row.b)
    row:update { b = "y" }
    row:update { b = null }
    assert.is_nil(row.b)
    assert.is_nil(M.objects:get(row.id).b)
    local columns = db:query "SELECT name, [notnull] AS required FROM pragma_table_info('thing')"
    assert.are.same({ name = "a", required = 1 }, columns[2])
    assert.are.same({ name = "b", required = 0 }, columns[3])
  end)

  it("a default applies where no value is given, and only there", function()
    local M = open { a = f.integer { default = 7 }, b = f.text { default = "x", null = true } }
    local row = M:create {}
    assert.are.equal(7, row.a)
    assert.are.equal("x", row.b)
    row = M:create { a = 1, b = null }
    assert.are.equal(1, row.a)
    assert.is_nil(row.b)
    assert.is_nil(M.objects:get(row.id).b)
  end)

  it("a default may be false, zero or empty", function()
    local M = open {
      a = f.boolean { default = false },
      b = f.integer { default = 0 },
      c = f.text { default = "" },
      d = f.number { default = 0 },
    }
    M:create {}
    local row = M.objects:get(1)
    assert.is_false(row.a)
    assert.are.equal(0, row.b)
    assert.are.equal("", row.c)
    assert.are.equal(0, row.d)
  end)

  it("a default that is a function is called for each new row", function()
    local calls = 0
    local M = open {
      a = f.integer {
        default = function()
          calls = calls + 1
          return calls
        end,
      },
    }
    assert.are.equal(1, M:create({}).a)
    assert.are.equal(50, M:create({ a = 50 }).a)
    assert.are.equal(2, M:new({}).a)
    assert.are.same({ 3, 4 }, { M:bulk_create({ {}, {} })[1].a, 4 })
    assert.are.equal(4, calls)
  end)

  it("a default function may give nil, and what it gives is validated", function()
    local answer
    local M = open {
      a = f.integer {
        null = true,
        default = function()
          return answer
        end,
      },
    }
    assert.is_nil(M:create({}).a)
    answer = "x"
    helper.raises("validation", M.create, M, {})
    assert.are.equal(1, M.objects:count())
  end)

  it("an error in a default function comes out as it is", function()
    local mine = {}
    local M = open { a = f.integer {
      default = function()
        error(mine)
      end,
    } }
    local ok, err = pcall(M.create, M, {})
    assert.is_false(ok)
    assert.is_true(rawequal(mine, err))
    assert.are.equal(0, M.objects:count())
  end)

  it("a default of the wrong type is refused when the model is declared", function()
    local err = helper.refuses(
      "misuse",
      "Thing.v has a default of the wrong type",
      open,
      { v = f.integer { default = "x" } }
    )
    assert.are.equal("an integer", err.hint)
  end)

  it("choices are the only values", function()
    local M = open { v = f.text { choices = { "draft", "live" }, default = "draft" } }
    M:create {}
    M:create { v = "live" }
    local err = helper.refuses(
      "validation",
      "Thing is not valid - v is not one of its choices",
      M.create,
      M,
      { v = "gone" }
    )
    assert.are.equal("is not one of its choices", err.reasons.v)
    local row = M.objects:first()
    helper.raises("validation", row.update, row, { v = "Live" })
    local N = open { v = f.integer { choices = { 1, 2, 3 }, null = true } }
    N:create { v = 2.0 }
    N:create {}
    helper.raises("validation", N.create, N, { v = 4 })
  end)

  it("choices of the wrong type are refused when the model is declared", function()
    helper.refuses(
      "misuse",
      "Thing.v has a choice of the wrong type",
      open,
      { v = f.integer { choices = { 1, "two" } } }
    )
    helper.raises("misuse", open, { v = f.integer { choices = 5 } })
  end)

  it("a check in SQL binds every living row, by whatever way it is written", function()
    local M, db = open { v = f.integer { check = "v > 0" } }
    local row = M:create { v = 1 }
    local err =
      helper.refuses("integrity", "Cannot create record - v fails its check", M.create, M, { v = 0 })
    assert.are.equal("check", err.constraint)
    assert.are.same({ "v" }, err.fields)
    helper.raises("integrity", row.update, row, { v = -1 })
    assert.are.equal(1, row.v)
    helper.raises("integrity", db.exec, db, "UPDATE thing SET v = 0")
    row:delete()
    db:exec "UPDATE thing SET v = 0" -- the dead are free of it
    err = helper.refuses("integrity", "Cannot restore record - v fails its check", row.restore, row)
    assert.are.equal("check", err.constraint)
    assert.are.equal(1, M.deleted_objects:count())
  end)

  it("a check that is a function says why", function()
    local seen = {}
    local M = open {
      v = f.integer {
        null = true,
        check = function(value)
          seen[#seen + 1] = value
          return value % 2 == 0, "is odd"
        end,
      },
    }
    local row = M:create { v = 2 }
    local err = helper.refuses("validation", "Thing is not valid - v is odd", M.create, M, { v = 3 })
    assert.are.equal("is odd", err.reasons.v)
    helper.refuses("validation", "Thing is not valid - v is odd", row.update, row, { v = 5 })
    row.v = 7
    helper.refuses("validation", "Thing is not valid - v is odd", row.save, row)
    helper.raises("validation", M.objects.update, M.objects:filter { id = 1 }, { v = 9 })
    helper.raises("validation", M.bulk_create, M, { { v = 2 }, { v = 11 } })
    assert.are.same({ 2, 3, 5, 7, 9, 2, 11 }, seen)
    M:create {} -- NULL is not checked
    assert.are.equal(2, M.objects:count())
  end)

  it("a check is not asked about a value of a wrong type", function()
    local seen = {}
    local function is_small(value)
      seen[#seen + 1] = value
      return value < 10, "is too large"
    end
    local M = open {
      i = f.integer { check = is_small },
      n = f.number { check = is_small },
      t = f.datetime { check = is_small },
      s = f.text {
        check = function(value)
          return value:find "x" ~= nil, "has no x"
        end,
      },
    }
    local message = "Thing is not valid - i must be an integer, n must be a finite number, "
      .. "t must be a time in seconds between the years 0001 and 9999, s must be text"
    local bad = { i = "x", n = true, t = {}, s = 7 }
    helper.refuses("validation", message, M.create, M, bad)
    helper.refuses("validation", message, M.bulk_create, M, { bad })
    local row = M:create { i = 1, n = 2, t = 3, s = "x" }
    helper.refuses("validation", message, row.update, row, bad)
    assert.are.same({ 1, 2, 3 }, seen)
    if not helper.has_integers then
      row:update { i = "4" } -- a number, for a check as well
      assert.are.same({ 1, 2, 3, 4 }, seen)
    end
  end)

  it("a check without a reason has one", function()
    local M = open { v = f.integer {
      check = function()
        return false
      end,
    } }
    helper.refuses("validation", "Thing is not valid - v fails its check", M.create, M, { v = 3 })
  end)

  it("a check function sees defaults too", function()
    local M = open {
      v = f.integer {
        default = function()
          return 3
        end,
        check = function(value)
          return value > 5, "is too small"
        end,
      },
    }
    helper.refuses("validation", "Thing is not valid - v is too small", M.create, M, {})
    M:create { v = 6 }
  end)

  it("all bad fields are told in one pass, in their order", function()
    local M = open {
      a = f.text(),
      b = f.integer(),
      c = f.char { max_length = 2 },
      d = f.boolean { default = true },
      e = f.text { choices = { "x" } },
      g = f.integer {
        check = function()
          return false, "is never right"
        end,
      },
    }
    local err = helper.refuses(
      "validation",
      "Thing is not valid - a is required, b must be an integer, c has 3 characters, at most 2 are allowed, "
        .. "e is not one of its choices, g is never right",
      M.create,
      M,
      { b = "1x", c = "abc", e = "y", g = 1 }
    )
    assert.are.same({ "a", "b", "c", "e", "g" }, err.fields)
    assert.are.same({
      a = "is required",
      b = "must be an integer",
      c = "has 3 characters, at most 2 are allowed",
      e = "is not one of its choices",
      g = "is never right",
    }, err.reasons)
    assert.are.equal("Thing", err.model)
  end)

  it("collate decides what is equal, also for unique", function()
    local M = open { v = f.text { collate = "NOCASE", unique = true } }
    M:create { v = "Hello" }
    local err = helper.raises("integrity", M.create, M, { v = "hELLO" })
    assert.are.equal("unique", err.constraint)
    assert.are.equal(1, M.objects:filter({ v = "HELLO" }):count())
    helper.raises("misuse", open, { v = f.text { collate = "NO CASE" } })
  end)

  it("column is the name in the table, attr the name in Lua", function()
    local M, db = open { title = f.text { column = "t_title" }, save = f.text { attr = "saved_by" } }
    local row = M:create { title = "x", saved_by = "ana" }
    assert.are.equal("ana", row.saved_by)
    assert.are.same({ t_title = "x", save = "ana" }, db:query("SELECT t_title, save FROM thing")[1])
    assert.are.equal(1, M.objects:filter({ saved_by = "ana", title = "x" }):count())
    helper.raises("misuse", M.objects.filter, M.objects, { t_title = "x" })
    assert.are.same({ "x" }, helper.list(M.objects:order_by "saved_by", "title"))
  end)

  it("columns may have any name that SQL can quote", function()
    local M = open { a = f.text { column = 'we"ird name; DROP' }, b = f.text { column = "select" } }
    M:create { a = "1", b = "2" }
    assert.are.equal("1", M.objects:get({ b = "2" }).a)
    helper.raises("misuse", open, { a = f.text { column = "a.b" } })
    helper.raises("misuse", open, { a = f.text { column = "" } })
    helper.raises("misuse", open, { a = f.text { column = "a\0b" } })
  end)

  it("index makes an index of the living", function()
    local _, db = open { v = f.integer { index = true }, w = f.integer() }
    local sql = db:query("SELECT sql FROM sqlite_master WHERE name = 'thing__v'")[1].sql
    assert.is_truthy(sql:find('WHERE "deleted_at" IS NULL', 1, true))
  end)

  it("an option that does not exist raises at once, with the ones that do", function()
    local err = helper.refuses("misuse", "text has no option 'uniqe'", f.text, { uniqe = true })
    assert.is_truthy(err.hint:find("unique", 1, true))
    helper.refuses("misuse", "integer takes a table of options, not a number", f.integer, 5)
  end)
end)

describe("primary keys", function()
  it("id is given where no field is the key, and no id twice", function()
    local M, db = open { v = f.text() }
    assert.are.equal(1, M:create({ v = "a" }).id)
    local second = M:create { v = "b" }
    assert.are.equal(2, second.id)
    second:purge()
    assert.are.equal(3, M:create({ v = "c" }).id)
    M.all_objects:purge { all = true, living = true }
    assert.are.equal(4, M:create({ v = "d" }).id)
    assert.are.equal(
      1,
      #db:query "SELECT 1 FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' AND name = 'thing'"
    )
  end)

  it("an id may be chosen, and the next one is higher", function()
    local M = open { v = f.text { null = true } }
    assert.are.equal(100, M:create({ id = 100 }).id)
    assert.are.equal(101, M:create({}).id)
    local err = helper.raises("integrity", M.create, M, { id = 100 })
    assert.are.equal("Cannot create record - id with value 100 already exists", err.message)
    assert.are.same({ "id" }, err.fields)
    assert.are.equal(100, err.value)
    assert.are.equal(100, err.conflicts[1].live_pk)
  end)

  it("may be an integer, a char or a text", function()
    local M = open { slug = f.text { primary_key = true }, v = f.integer { default = 0 } }
    local row = M:create { slug = "Ünï/x y" }
    assert.is_nil(row.id)
    assert.are.equal("Ünï/x y", M.objects:get("Ünï/x y").slug)
    helper.raises("validation", M.create, M, {})
    row.v = 5
    row:save()
    assert.are.equal(5, M.objects:get("Ünï/x y").v)
    row:delete()
    assert.is_nil(M.objects:find "Ünï/x y")
    assert.are.equal("Ünï/x y", M.deleted_objects:first().slug)
    row:restore()
    row:purge()
    assert.are.equal(0, M.all_objects:count())
    local N = open { n = f.integer { primary_key = true } }
    assert.are.equal(1, N:create({}).n)
    assert.are.equal(9, N:create({ n = 9 }).n)
  end)

  it("are never freed: taking a dead one says so", function()
    local M = open { slug = f.text { primary_key = true } }
    M:create({ slug = "x" }):delete()
    local err = helper.refuses(
      "integrity",
      "Cannot create record - slug with value 'x' belongs to a deleted row",
      M.create,
      M,
      { slug = "x" }
    )
    assert.are.equal("unique", err.constraint)
    assert.are.equal("x", err.conflicts[1].dead_pk)
    assert.is_nil(err.conflicts[1].live_pk)
    assert.are.equal(
      "restore that row, or purge it; keys and values that are unique always are not freed by a deletion",
      err.hint
    )
  end)

  it("refuse what cannot be a key", function()
    helper.refuses(
      "misuse",
      "Thing.v cannot be the primary key",
      open,
      { v = f.boolean { primary_key = true } }
    )
    helper.refuses(
      "misuse",
      "Thing.v is the primary key, which is unique and not null",
      open,
      { v = f.integer { primary_key = true, null = true } }
    )
    helper.refuses(
      "misuse",
      "Thing.b is a second primary key",
      open,
      { a = f.integer { primary_key = true }, b = f.integer { primary_key = true } }
    )
  end)

  it("cannot be updated", function()
    local M = open { v = f.text() }
    local row = M:create { v = "x" }
    helper.refuses("misuse", "Thing.id cannot be updated", row.update, row, { id = 5 })
    helper.refuses(
      "misuse",
      "Thing.id cannot be updated",
      M.objects.update,
      M.objects:filter { id = 1 },
      { id = 5 }
    )
    assert.are.equal(1, row.id)
  end)
end)

describe("models", function()
  it("have their columns in the order of the calls", function()
    local _, db = open { z = f.text(), a = f.text(), m = f.text() }
    local names = {}
    for _, column in ipairs(db:query "SELECT name FROM pragma_table_info('thing')") do
      names[#names + 1] = column.name
    end
    assert.are.same({ "id", "z", "a", "m", "deleted_at", "deleted_event" }, names)
  end)

  it("have a table called as they say, else as they are, in snake_case", function()
    local db = tombstone.open ":memory:"
    for name, table_name in pairs {
      Post = "post",
      BlogPost = "blog_post",
      HTTPLog = "httplog",
      Posts = "posts",
      a = "a",
      V2Thing = "v2_thing",
    } do
      db:model(name, { v = f.text() })
      db:create_tables()
      assert.are.equal(1, #db:query("SELECT 1 FROM sqlite_master WHERE name = ?", table_name), name)
    end
    db:model("Other", { v = f.text() }, { table = "we ird" })
    db:create_tables()
    assert.are.equal(1, #db:query "SELECT 1 FROM sqlite_master WHERE name = 'we ird'")
  end)

  it("are declared once a database and found by their name", function()
    local M, db = open { v = f.text() }
    assert.is_true(rawequal(M, db:model "Thing"))
    helper.refuses("misuse", "There is a model 'Thing' already", db.model, db, "Thing", { v = f.text() })
    helper.raises("misuse", db.model, db, "Nothing")
    helper.raises("misuse", db.model, db, 5, {})
    helper.raises("misuse", db.model, db, "X", { v = "text" })
    helper.raises("misuse", db.model, db, "X", { v = f.text })
    assert.are.same({ M }, db:models())
  end)

  it("refuse names that are no words", function()
    for _, name in ipairs { "", "1a", "a b", "a__b", "a_", "a.b", string.rep("x", 64), "ä" } do
      helper.raises("misuse", open, { [name] = f.text() })
      local db = tombstone.open ":memory:"
      helper.raises("misuse", db.model, db, name, { v = f.text() })
    end
    helper.raises("misuse", open, { f.text() })
  end)

  it("refuse fields that would hide a method, and name the way out", function()
    for _, name in ipairs {
      "save",
      "update",
      "delete",
      "restore",
      "purge",
      "reload",
      "original",
      "is_deleted",
      "create",
      "new",
      "objects",
      "all_objects",
      "deleted_objects",
      "get_or_create",
      "upsert",
      "bulk_create",
    } do
      local err = helper.refuses(
        "misuse",
        "Thing." .. name .. " would hide the method of that name",
        open,
        { [name] = f.text() }
      )
      assert.are.equal('rename it with attr, as in { attr = "' .. name .. '_value" }', err.hint)
    end
  end)

  it("refuse methods that would be hidden by a field", function()
    local M = open { title = f.text { null = true } }
    function M:shout() -- luacheck: ignore 212
      return self.title:upper()
    end
    assert.are.equal("HI", M:create({ title = "hi" }):shout())
    helper.refuses("misuse", "A method cannot be called like the column 'title'", function()
      M.title = print
    end)
  end)

  it("refuse a field that the options make", function()
    for name, options in pairs {
      deleted_at = {},
      deleted_event = {},
      id = {},
      version = { version = true },
      created_at = { timestamps = true },
      updated_at = { timestamps = true },
    } do
      helper.refuses(
        "misuse",
        "Thing." .. name .. " is a field that the model's options make",
        open,
        { [name] = f.integer() },
        options
      )
    end
    open({ deleted_at = f.datetime(), deleted_event = f.integer() }, { soft_delete = false })
    open { version = f.text(), created_at = f.datetime() }
  end)

  it("refuse two fields of one column, in any case", function()
    helper.refuses(
      "misuse",
      "Thing.b is declared twice",
      open,
      { a = f.text(), b = f.text { column = "A" } }
    )
    helper.raises("misuse", open, { a = f.text { column = "deleted_at" } })
  end)

  it("refuse options that they do not have", function()
    helper.refuses("misuse", "model has no option 'tabel'", open, { v = f.text() }, { tabel = "x" })
    helper.refuses(
      "misuse",
      "soft_delete has no option 'keeps'",
      open,
      { v = f.text() },
      { soft_delete = { keeps = 1 } }
    )
    helper.raises("misuse", open, { v = f.text() }, { soft_delete = { unique = "mangel" } })
    helper.raises("misuse", open, { v = f.text() }, { table = 5 })
    helper.raises("misuse", open, { v = f.text { unique = "sometimes" } })
  end)

  it("have indexes and unique_together", function()
    local M, db = open({ a = f.integer(), b = f.integer(), c = f.text { null = true } }, {
      indexes = { { "a", "b" }, "c" },
      unique_together = { { "a", "b" }, { "b", "c" } },
    })
    M:create { a = 1, b = 1, c = "x" }
    local err = helper.refuses(
      "integrity",
      "Cannot create record - a, b with values 1, 1 already exist",
      M.create,
      M,
      { a = 1, b = 1 }
    )
    assert.are.same({ "a", "b" }, err.fields)
    assert.are.equal(1, err.conflicts[1].live_pk)
    err = helper.refuses(
      "integrity",
      "Cannot create record - b, c with values 1, 'x' already exist",
      M.create,
      M,
      { a = 2, b = 1, c = "x" }
    )
    assert.are.same({ "b", "c" }, err.fields)
    local names = {}
    for _, index in
      ipairs(db:query "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'thing'")
    do
      names[index.name] = true
    end
    assert.is_true(
      names.thing__a__b and names.thing__c and names.thing__a__b__live and names.thing__b__c__live
    )
    helper.raises("misuse", open, { a = f.text() }, { indexes = { { "a", "x" } } })
    helper.raises("misuse", open, { a = f.text() }, { unique_together = { { "x" } } })
  end)

  it("take a relation's name in these as well as its field's", function()
    local function made(together, indexes)
      local db = require("tombstone").open ":memory:"
      db:model("Author", { name = f.text() })
      local Post = db:model("Post", {
        title = f.text(),
        author = f.belongs_to("Author", { on_delete = "cascade" }),
      }, { unique_together = together, indexes = indexes })
      db:create_tables()
      local list = {}
      local sql = "SELECT sql FROM sqlite_master WHERE tbl_name = 'post' ORDER BY name"
      for _, index in ipairs(db:query(sql)) do
        list[#list + 1] = index.sql
      end
      return list, Post, db
    end
    local wanted = made({ { "author_id", "title" } }, { { "title", "author_id" }, "author_id" })
    local names = { "author", "title" }
    local found, Post, db = made({ names }, { { "title", "author" }, "author" })
    assert.are.same(wanted, found)
    assert.are.same({ "author", "title" }, names)
    assert.are.same(wanted, (made({ "author", "title" }, { { "title", "author" }, "author" })))
    local ana = db:model("Author"):create { name = "ana" }
    Post:create { title = "t", author = ana }
    local err = helper.raises("integrity", Post.create, Post, { title = "t", author = ana })
    assert.are.same({ "author_id", "title" }, err.fields)
    assert.are.same(
      made({ { "author_id", "title", unique = "mangle" } }),
      (made { { "author", "title", unique = "mangle" } })
    )
    assert.are_not.same(wanted, (made { { "author", "title", unique = "mangle" } }))
    helper.raises("misuse", made, { { "author", "titel" } })
  end)

  it("take one unique_together without its braces", function()
    local M = open({ a = f.integer(), b = f.integer() }, { unique_together = { "a", "b" } })
    M:create { a = 1, b = 2 }
    M:create { a = 1, b = 3 }
    helper.raises("integrity", M.create, M, { a = 1, b = 2 })
  end)

  it("tell their fields", function()
    local M = open { title = f.text { column = "t", null = true } }
    local fields = M:fields()
    assert.are.same(
      { name = "id", column = "id", type = "integer", primary_key = true, null = false },
      fields[1]
    )
    assert.are.same(
      { name = "title", column = "t", type = "text", primary_key = false, null = true },
      fields[2]
    )
    assert.are.equal("tombstone.model (Thing)", tostring(M))
  end)
end)

describe("timestamps", function()
  local function stamped()
    local clock = helper.clock(1000)
    local db = tombstone.open(":memory:", { clock = clock.tell })
    local M = db:model("Thing", { v = f.integer { default = 0 } }, { timestamps = true })
    db:create_tables()
    return M, clock
  end

  it("say when a row was created and last written", function()
    local M, clock = stamped()
    local row = M:create {}
    assert.are.equal(1000, row.created_at)
    assert.are.equal(1000, row.updated_at)
    clock.now = 2000
    row.v = 1
    row:save()
    assert.are.equal(2000, row.updated_at)
    clock.now = 3000
    row:update { v = 2 }
    assert.are.equal(3000, row.updated_at)
    clock.now = 4000
    M.objects:filter({ id = row.id }):update { v = 3 }
    assert.are.equal(3000, row.updated_at)
    row:reload()
    assert.are.equal(4000, row.updated_at)
    assert.are.equal(1000, row.created_at)
    clock.now = 5000
    assert.are.equal(5000, M:upsert({ id = row.id, v = 4 }, { on = "id" }).updated_at)
  end)

  it("are not touched by delete and restore", function()
    local M, clock = stamped()
    local row = M:create {}
    clock.now = 2000
    row:delete()
    clock.now = 3000
    row:restore()
    row:reload()
    assert.are.equal(1000, row.updated_at)
    assert.are.equal(1000, row.created_at)
  end)

  it("may be given, for rows that come from elsewhere", function()
    local M = stamped()
    local row = M:create { created_at = 5, updated_at = 6 }
    assert.are.equal(5, row.created_at)
    assert.are.equal(6, row.updated_at)
    M.objects:filter({ id = row.id }):update { updated_at = 7 }
    assert.are.equal(7, row:reload().updated_at)
  end)
end)

describe("version", function()
  local function versioned()
    return open({ v = f.integer { default = 0 } }, { version = true })
  end

  it("counts the writes of a row", function()
    local M = versioned()
    local row = M:create {}
    assert.are.equal(1, row.version)
    row:save()
    assert.are.equal(2, row.version)
    row:update { v = 1 }
    assert.are.equal(3, row.version)
    M.objects:filter({ id = 1 }):update { v = 2 }
    assert.are.equal(4, M.objects:get(1).version)
    assert.are.equal(5, M:upsert({ id = 1, v = 3 }, { on = "id" }).version)
  end)

  it("makes a save of a row that somebody else has changed raise stale", function()
    local M = versioned()
    local mine = M:create {}
    local theirs = M.objects:get(mine.id)
    theirs:update { v = 5 }
    mine.v = 7
    local err = helper.refuses(
      "stale",
      "Cannot save record - Thing 1 was changed by somebody else",
      mine.save,
      mine
    )
    assert.are.equal("reload it and make the change again", err.hint)
    assert.are.equal("Thing", err.model)
    assert.are.equal(1, mine.version)
    assert.are.equal(7, mine.v)
    helper.raises("stale", mine.update, mine, { v = 8 })
    assert.are.equal(7, mine.v)
    assert.are.equal(5, M.objects:get(1).v)
    mine:reload()
    mine:update { v = 8 }
    assert.are.equal(8, M.objects:get(1).v)
  end)

  it("is not touched by delete and restore", function()
    local M = versioned()
    local row = M:create {}
    row:delete()
    row:restore()
    assert.are.equal(1, row.version)
    assert.are.equal(1, row:reload().version)
  end)

  it("is not yours to write", function()
    local M = versioned()
    local row = M:create {}
    helper.refuses("misuse", "Thing.version cannot be updated", row.update, row, { version = 9 })
  end)
end)
