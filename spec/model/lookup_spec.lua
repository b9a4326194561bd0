-- Every lookup against a reference in plain Lua, over values that are made to trip it: NULLs,
-- wildcards of other languages, letters of several bytes, and texts that look like deleted ones.
local tombstone = require "tombstone"
local helper = require "helper"
local f, F = tombstone.field, tombstone.F
local any, all, none, Q = tombstone.any, tombstone.all, tombstone.none, tombstone.Q
local null = tombstone.null

-- ---- the reference -----------------------------------------------------------

local function fold(text)
  return (text:gsub("[A-Z]", function(c)
    return string.char(c:byte() + 32)
  end))
end

local function characters(text)
  local list = {}
  for c in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    list[#list + 1] = c
  end
  return list
end

-- `%` is any text, `_` one character, `\` takes the next one as it is.
local function like(text, pattern)
  local t, p = characters(text), characters(pattern)
  local function match(i, j)
    while j <= #p do
      if p[j] == "%" then
        for k = i, #t + 1 do
          if match(k, j + 1) then
            return true
          end
        end
        return false
      end
      local escaped = p[j] == "\\" and p[j + 1] ~= nil
      local wanted = escaped and p[j + 1] or p[j]
      if t[i] == nil or (t[i] ~= wanted and (escaped or wanted ~= "_")) then
        return false
      end
      i, j = i + 1, j + (escaped and 2 or 1)
    end
    return i == #t + 1
  end
  return match(1, 1)
end

local function contains(text, part)
  return text:find(part, 1, true) ~= nil
end

local function starts(text, part)
  return text:sub(1, #part) == part
end

local function ends(text, part)
  return part == "" or text:sub(-#part) == part
end

-- Byte by byte, in any locale.
local function less(a, b)
  if type(a) ~= "string" then
    return a < b
  end
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then
      return a:byte(i) < b:byte(i)
    end
  end
  return #a < #b
end

local compare = {
  lt = less,
  lte = function(a, b)
    return not less(b, a)
  end,
  gt = function(a, b)
    return less(b, a)
  end,
  gte = function(a, b)
    return not less(a, b)
  end,
}

local match = {
  contains = contains,
  startswith = starts,
  endswith = ends,
  like = like,
  icontains = function(text, part)
    return contains(fold(text), fold(part))
  end,
  istartswith = function(text, part)
    return starts(fold(text), fold(part))
  end,
  iendswith = function(text, part)
    return ends(fold(text), fold(part))
  end,
  iexact = function(text, other)
    return fold(text) == fold(other)
  end,
}

-- ---- the question ------------------------------------------------------------

-- A model whose i-th row has values[i] (or NULL, for null).
local function filled(word, values)
  local _, M = helper.blog(nil, { v = word })
  for i, value in ipairs(values) do
    assert(M:create({ v = value }).id == i)
  end
  return M
end

local function ids(query)
  return table.concat(helper.list(query, "id"), " ")
end

-- The query, its complements in all spellings, and both inside each other.
local function check(M, values, key, operand, holds)
  local yes, no = {}, {}
  for i, value in ipairs(values) do
    local list = holds(value) and yes or no
    list[#list + 1] = i
  end
  yes, no = table.concat(yes, " "), table.concat(no, " ")
  local lookups = { [key] = operand }
  local what = key .. " " .. tostring(operand)
  assert.are.equal(yes, ids(M.objects:filter(lookups)), what)
  assert.are.equal(no, ids(M.objects:exclude(lookups)), "exclude " .. what)
  assert.are.equal(no, ids(M.objects:filter(none { lookups })), "none " .. what)
  assert.are.equal(yes, ids(M.objects:exclude(none { lookups })), "exclude none " .. what)
  assert.are.equal(yes, ids(M.objects:filter(none { none { lookups } })), "none none " .. what)
  assert.are.equal(yes, ids(M.objects:filter(any { lookups })), "any " .. what)
  assert.are.equal(
    #yes == 0 and "" or yes,
    ids(M.objects:filter(all { lookups, lookups })),
    "all " .. what
  )
end

local function check_null(M, values, key)
  local function is_null(value)
    return rawequal(value, null)
  end
  check(M, values, key, null, is_null)
  check(M, values, key .. "__isnull", true, is_null)
  check(M, values, key .. "__isnull", false, function(value)
    return not is_null(value)
  end)
  check(M, values, key .. "__ne", null, function(value)
    return not is_null(value)
  end)
end

local function given(holds)
  return function(value)
    return not rawequal(value, null) and holds(value)
  end
end

local function check_order(M, values, operands)
  check_null(M, values, "v")
  for _, operand in ipairs(operands) do
    check(M, values, "v", operand, function(value)
      return value == operand
    end)
    check(M, values, "v__ne", operand, function(value)
      return value ~= operand
    end)
    for name, holds in pairs(compare) do
      check(
        M,
        values,
        "v__" .. name,
        operand,
        given(function(value)
          return holds(value, operand)
        end)
      )
    end
  end
  for i = 1, #operands - 1 do
    local low, high = operands[i], operands[i + 1]
    check(
      M,
      values,
      "v__range",
      { low, high },
      given(function(value)
        return not less(value, low) and not less(high, value)
      end)
    )
    check(M, values, "v", { low, high }, function(value)
      return value == low or value == high
    end)
    check(M, values, "v__in", { low, null, high }, function(value)
      return value == low or value == high or rawequal(value, null)
    end)
  end
end

-- ---- texts -------------------------------------------------------------------

local TEXTS = {
  "",
  " ",
  "a",
  "A",
  "ab",
  "aB",
  "AB",
  "b",
  "ba",
  "a b",
  "ab ",
  null,
  "%",
  "_",
  "\\",
  "a%b",
  "a_b",
  "a\\b",
  "a\\%b",
  "axb",
  "axxb",
  "*",
  "?",
  "[a]",
  "a*b",
  "a?b",
  "[",
  "]",
  "^",
  "-",
  "[^a]",
  "'",
  '"',
  "''",
  "; --",
  "\n",
  "a\nb",
  "\t",
  "\127",
  "a\127",
  "z",
  "~",
  "ä",
  "Ä",
  "äb",
  "aäb",
  "ß",
  "SS",
  "日本",
  "日",
  "日本語",
  "\240\159\152\128",
  "a\240\159\152\128b",
  "\244\143\191\191",
  "é",
  "e\204\129",
  "k",
  "K",
  "\226\132\170", -- the Kelvin sign, which folds to k in Unicode but not here
  "0",
  "00",
  "0.0",
  "1",
  "1e0",
  "NULL",
  "null",
  "true",
  "a__deleted_1.000000",
  "__deleted_",
  string.rep("x", 300),
}

describe("lookups of texts", function()
  local M = filled(f.text { null = true }, TEXTS)
  local operands = {}
  for _, text in ipairs(TEXTS) do
    if not rawequal(text, null) then
      operands[#operands + 1] = text
    end
  end

  it("compare byte by byte", function()
    check_order(M, TEXTS, operands)
  end)

  it("match parts as plain text", function()
    for name, holds in pairs(match) do
      for _, operand in ipairs(operands) do
        check(
          M,
          TEXTS,
          "v__" .. name,
          operand,
          given(function(value)
            return holds(value, operand)
          end)
        )
      end
    end
  end)

  it("match patterns of like", function()
    for _, pattern in ipairs {
      "%",
      "%%",
      "_",
      "__",
      "%_",
      "a%",
      "%b",
      "a%b",
      "a_b",
      "a__b",
      "%a%b%",
      "\\%",
      "\\_",
      "\\\\",
      "a\\%b",
      "a\\_b",
      "a\\\\b",
      "%\\%",
      "\\a",
      "a\\",
      "日_",
      "_本%",
      "%😀%",
      "ä%",
      "[a]",
      "[%",
      "*%",
      "%?%",
      "^%",
      "%'%",
      "",
    } do
      check(
        M,
        TEXTS,
        "v__like",
        pattern,
        given(function(value)
          return like(value, pattern)
        end)
      )
    end
  end)

  it("original is the value itself where nothing was deleted", function()
    for _, operand in ipairs(operands) do
      check(
        M,
        TEXTS,
        "v__original",
        operand,
        given(function(value)
          return value == operand
        end)
      )
    end
  end)

  it("take no null, but for equality", function()
    for _, name in ipairs {
      "lt",
      "lte",
      "gt",
      "gte",
      "contains",
      "icontains",
      "startswith",
      "istartswith",
      "endswith",
      "iendswith",
      "iexact",
      "like",
      "original",
    } do
      local err = helper.refuses(
        "misuse",
        "v__" .. name .. " takes no null",
        M.objects.filter,
        M.objects,
        { ["v__" .. name] = null }
      )
      assert.are.equal("use v__isnull", err.hint)
    end
    helper.raises("misuse", M.objects.filter, M.objects, { v__range = { "a", null } })
    helper.raises("misuse", M.objects.filter, M.objects, { v__isnull = null })
  end)
end)

describe("lookups of a NOCASE text", function()
  it("fold ASCII where it is compared", function()
    local values = { "Hello", "hello", "HELLO!", "ä", "Ä", null }
    local M = filled(f.text { null = true, collate = "NOCASE" }, values)
    assert.are.equal("1 2", ids(M.objects:filter { v = "hELLo" }))
    assert.are.equal("3 4 5 6", ids(M.objects:filter { v__ne = "hELLo" }))
    assert.are.equal("1 2", ids(M.objects:filter { v__in = { "HELLO", "x" } }))
    assert.are.equal("4", ids(M.objects:filter { v = "ä" }))
    assert.are.equal("1 2 3", ids(M.objects:filter { v__lt = "i" }))
    assert.are.equal("1", ids(M.objects:filter { v__startswith = "He" }))
    assert.are.equal("1 2 3", ids(M.objects:filter { v__istartswith = "HE" }))
    assert.are.equal("1", ids(M.objects:filter { v__contains = "ello", v__startswith = "H" }))
  end)
end)

-- ---- everything else -----------------------------------------------------------

describe("lookups of integers", function()
  it("compare exactly", function()
    local values = { 0, 1, -1, 2, 10, null, 2 ^ 31, -2 ^ 53, 2 ^ 53 - 1 }
    if helper.has_integers then
      local largest, smallest = math.maxinteger, math.mininteger -- luacheck: ignore 143
      for _, value in ipairs { largest, largest - 1, smallest, smallest + 1 } do
        values[#values + 1] = value
      end
    end
    for i, value in ipairs(values) do
      if not rawequal(value, null) and helper.has_integers then
        values[i] = math.tointeger(value) -- luacheck: ignore 143
      end
    end
    local M = filled(f.integer { null = true }, values)
    local operands = {}
    for _, value in ipairs(values) do
      if not rawequal(value, null) then
        operands[#operands + 1] = value
      end
    end
    operands[#operands + 1] = 7
    check_order(M, values, operands)
  end)

  it("take floats that are whole", function()
    local M = filled(f.integer(), { 1, 2, 3 })
    assert.are.equal("2 3", ids(M.objects:filter { v__gte = 2.0 }))
    helper.raises("misuse", M.objects.filter, M.objects, { v__gte = 1.5 })
  end)
end)

describe("lookups of numbers", function()
  it("compare doubles", function()
    local values = { 0.5, -0.5, 0.1, 0.1 + 0.2, 0.3, 1e300, -1e300, 5e-324, null, 3.0, 2 ^ 53 }
    local M = filled(f.number { null = true }, values)
    check_order(M, values, { 0.5, 0.3, 0.1 + 0.2, 1e300, 3, 5e-324, 7.25 })
  end)
end)

describe("lookups of times", function()
  it("compare instants, whole seconds too", function()
    local values =
      { 0, 0.5, 0.000001, 1, -1, -0.5, 1763880000, 1763880000.5, 1763880001, null, -62135596800 }
    local M = filled(f.datetime { null = true }, values)
    check_order(M, values, { 0, 0.5, 1, -1, 1763880000, 1763880000.5, 1763880001, 0.25, -62135596800 })
  end)
end)

describe("lookups of booleans", function()
  it("tell true, false and NULL apart", function()
    local values = { true, false, null, true }
    local M = filled(f.boolean { null = true }, values)
    check_null(M, values, "v")
    for _, operand in ipairs { true, false } do
      check(M, values, "v", operand, function(value)
        return value == operand
      end)
      check(M, values, "v__ne", operand, function(value)
        return value ~= operand
      end)
      check(M, values, "v", { operand }, function(value)
        return value == operand
      end)
      check(M, values, "v__in", { operand, null }, function(value)
        return value == operand or rawequal(value, null)
      end)
    end
  end)
end)

describe("lookups of blobs", function()
  it("compare bytes", function()
    local values = { "", "\0", "\0\0", "a", "\255", "a\0b", null, "\195\164" }
    local M = filled(f.blob { null = true }, values)
    check_order(M, values, { "", "\0", "a\0b", "\255", "\195\164", "b" })
  end)
end)

describe("in", function()
  local M

  setup(function()
    M = filled(f.integer { null = true }, { 5, 10, null, 15, 20, 5 })
  end)

  it("of no values is no row, and its complement all", function()
    check(M, { 5, 10, null, 15, 20, 5 }, "v__in", {}, function()
      return false
    end)
    check(M, { 5, 10, null, 15, 20, 5 }, "v", {}, function()
      return false
    end)
    check(M, { 5, 10, null, 15, 20, 5 }, "v", { null }, function(value)
      return rawequal(value, null)
    end)
  end)

  it("of one value is that value", function()
    assert.are.equal("1 6", ids(M.objects:filter { v = { 5 } }))
    assert.are.equal("1 6", ids(M.objects:filter { v__in = { 5, 5, 5 } }))
  end)

  it("takes a list alone", function()
    for _, operand in ipairs { 5, "x", true } do
      helper.raises(
        "misuse",
        M.objects.filter,
        M.objects,
        { v__in = operand == 5 and "five" or operand }
      )
    end
    helper.raises("misuse", M.objects.filter, M.objects, { v__in = { { 5 } } })
  end)

  it("takes thousands of values, whatever they are", function()
    local numbers, texts, times, doubles, blobs, bools = {}, {}, {}, {}, {}, {}
    for i = 1, 40000 do
      numbers[i] = i * 5
      texts[i] = "t" .. i .. "'\"\\\1"
      times[i] = i + 0.5
      doubles[i] = i / 8
      blobs[i] = "\0" .. i .. "\255"
      bools[i] = i % 2 == 0
    end
    numbers[40001] = null
    assert.are.equal("1 2 3 4 5 6", ids(M.objects:filter { v__in = numbers }))
    assert.are.equal("", ids(M.objects:exclude { v__in = numbers }))
    local T = filled(f.text(), { "t7'\"\\\1", "t7", "t40000'\"\\\1" })
    assert.are.equal("1 3", ids(T.objects:filter { v__in = texts }))
    local D = filled(f.datetime(), { 3, 3.5, 40000.5 })
    assert.are.equal("2 3", ids(D.objects:filter { v__in = times }))
    local N = filled(f.number(), { 0.125, 0.1, 5000 })
    assert.are.equal("1 3", ids(N.objects:filter { v__in = doubles }))
    local B = filled(f.blob(), { "\0007\255", "7", "\00040000\255" })
    assert.are.equal("1 3", ids(B.objects:filter { v__in = blobs }))
    local X = filled(f.boolean(), { true, false })
    assert.are.equal("1 2", ids(X.objects:filter { v__in = bools }))
  end)

  it("holds integers exactly in a long list", function()
    if not helper.has_integers then
      return
    end
    local largest = math.maxinteger -- luacheck: ignore 143
    local N = filled(f.integer(), { largest, largest - 1, 2 ^ 53 + 1 })
    local list = {}
    for i = 1, 100 do
      list[i] = i
    end
    list[101] = largest
    assert.are.equal("1", ids(N.objects:filter { v__in = list }))
  end)
end)

-- ---- composition ---------------------------------------------------------------

describe("conditions", function()
  local values, M

  setup(function()
    values = { 1, 2, 3, null, 5, 6 }
    M = filled(f.integer { null = true }, values)
  end)

  it("any, all and none of nothing", function()
    assert.are.equal("", ids(M.objects:filter(any {})))
    assert.are.equal("1 2 3 4 5 6", ids(M.objects:filter(all {})))
    assert.are.equal("1 2 3 4 5 6", ids(M.objects:filter(none {})))
    assert.are.equal("1 2 3 4 5 6", ids(M.objects:exclude(any {})))
    assert.are.equal("", ids(M.objects:exclude(all {})))
    assert.are.equal("", ids(M.objects:exclude(none {})))
    assert.are.equal("1 2 3 4 5 6", ids(M.objects:filter(any { {} })))
    assert.are.equal("", ids(M.objects:filter(none { {} })))
  end)

  it("nest", function()
    local cond = any { { v__lt = 2 }, all { { v__gte = 3 }, none { { v = 5 }, { v = null } } } }
    assert.are.equal("1 3 6", ids(M.objects:filter(cond)))
    assert.are.equal("2 4 5", ids(M.objects:exclude(cond)))
    assert.are.equal("2 4 5", ids(M.objects:filter(none { cond })))
  end)

  it("may be kept, shared, and used again", function()
    local cond = any { { v = 1 }, { v = null } }
    assert.are.equal("1 4", ids(M.objects:filter(cond)))
    assert.are.equal("1 4", ids(M.objects:filter(cond)))
    assert.are.equal("1 2 4", ids(M.objects:filter(any { cond, { v = 2 } })))
    local _, Other = helper.blog(nil, { v = f.integer { null = true } })
    Other:create {}
    assert.are.equal("1", ids(Other.objects:filter(cond)))
  end)

  it("are bound to a model when they are used, not before", function()
    local cond = any { { nonsense = 1 } }
    helper.refuses("misuse", "Post has no field 'nonsense'", M.objects.filter, M.objects, cond)
  end)

  it("combine by operators where Lua has them", function()
    if not helper.has_bit_operators then
      return
    end
    local load_text = rawget(_G, "load")
    local combine = assert(load_text [[
      local Q, ids, objects, null = ...
      return ids(objects:filter(Q { v = 1 } | Q { v = 3 })),
        ids(objects:filter(Q { v__gte = 2 } & Q { v__lt = 6 })),
        ids(objects:filter(~Q { v = 2 })),
        ids(objects:filter(~(Q { v = 1 } | Q { v = 2 }) & ~Q { v = null })),
        ids(objects:filter(Q { v = 1 } | { v = 2 })),
        ids(objects:filter(~~Q { v = 2 }))
    ]])
    assert.are.same(
      { "1 3", "2 3 5", "1 3 4 5 6", "3 5 6", "1 2", "2" },
      { combine(Q, ids, M.objects, null) }
    )
  end)

  it("take lists of conditions only: one in place of the list would be lost", function()
    for name, make in pairs { any = any, all = all, none = none } do
      helper.refuses("misuse", name .. " takes a list of conditions", make, { v = 1 })
      helper.refuses("misuse", name .. " takes a list of conditions", make, { { v = 1 }, v = 1 })
      helper.refuses("misuse", name .. " takes a list of conditions", make, 5)
      helper.refuses("misuse", name .. " takes a list of conditions", make)
      helper.refuses("misuse", name .. " takes a list of conditions", make, { [2] = { v = 1 } })
      helper.raises("misuse", M.objects.filter, M.objects, make { 5 })
    end
    helper.refuses("misuse", "Q takes a table of lookups, not a nil", Q)
    helper.refuses("misuse", "Q takes a table of lookups, not a string", Q, "x")
  end)
end)

-- ---- fields on the right ---------------------------------------------------------

describe("F on the right side", function()
  local rows = {
    { a = 1, b = 1 },
    { a = 1, b = 2 },
    { a = 2, b = 1 },
    { a = 1 },
    { b = 1 },
    {},
    { a = -4, b = 2 },
    { a = 10, b = 3 },
  }
  local M

  setup(function()
    local _
    _, M = helper.blog(nil, {
      a = f.integer { null = true },
      b = f.integer { null = true },
      s = f.text { null = true },
      t = f.text { null = true },
      n = f.number { null = true },
      at = f.datetime { null = true },
    })
    M:bulk_create(rows)
  end)

  local function expect(lookups, holds)
    local yes, no = {}, {}
    for i, row in ipairs(rows) do
      local list = holds(row.a, row.b) and yes or no
      list[#list + 1] = i
    end
    yes, no = table.concat(yes, " "), table.concat(no, " ")
    assert.are.equal(yes, ids(M.objects:filter(lookups)))
    assert.are.equal(no, ids(M.objects:exclude(lookups)))
    assert.are.equal(no, ids(M.objects:filter(none { lookups })))
  end

  it("compares fields, NULL equal to nothing", function()
    local function both(holds)
      return function(a, b)
        return a ~= nil and b ~= nil and holds(a, b)
      end
    end
    local equal = both(function(a, b)
      return a == b
    end)
    expect({ a = F "b" }, equal)
    expect({ a__ne = F "b" }, function(a, b)
      return not equal(a, b)
    end)
    for name, holds in pairs(compare) do
      expect({ ["a__" .. name] = F "b" }, both(holds))
    end
  end)

  it("computes", function()
    local function both(holds)
      return function(a, b)
        return a ~= nil and b ~= nil and holds(a, b)
      end
    end
    expect(
      { a = F "b" + 1 },
      both(function(a, b)
        return a == b + 1
      end)
    )
    expect(
      { a = 1 + F "b" },
      both(function(a, b)
        return a == 1 + b
      end)
    )
    expect(
      { a__gte = F "b" * 2 - F "a" },
      both(function(a, b)
        return a >= b * 2 - a
      end)
    )
    expect(
      { a__lt = -F "b" },
      both(function(a, b)
        return a < -b
      end)
    )
    expect({ b = F "a" % 3 }, function(a, b)
      return a ~= nil and b ~= nil and b == math.fmod(a, 3) -- the sign is the dividend's
    end)
    expect(
      { b = F "a" / 3 },
      both(function(a, b)
        return b == (a < 0 and math.ceil(a / 3) or math.floor(a / 3)) -- integers stay integers
      end)
    )
    expect(
      { a__gt = F "b" / 2.0 },
      both(function(a, b)
        return a > b / 2
      end)
    )
  end)

  it("compares texts with texts", function()
    M.objects:filter({ id = 1 }):update { s = "x", t = "x" }
    M.objects:filter({ id = 2 }):update { s = "x", t = "y" }
    assert.are.equal("1", ids(M.objects:filter { s = F "t" }))
    assert.are.equal("2", ids(M.objects:filter { s__lt = F "t" }))
  end)

  it("raises for what cannot be compared or computed", function()
    local objects = M.objects
    helper.refuses("misuse", "Post has no field 'c'", objects.filter, objects, { a = F "c" })
    helper.refuses("misuse", "a__in takes no expression", objects.filter, objects, { a__in = F "b" })
    helper.refuses(
      "misuse",
      "s__contains takes no expression",
      objects.filter,
      objects,
      { s__contains = F "t" }
    )
    helper.raises("misuse", objects.filter, objects, { a__isnull = F "b" })
    helper.refuses(
      "misuse",
      "Arithmetic over fields takes numbers",
      objects.filter,
      objects,
      { a = F "b" + "1" }
    )
    helper.refuses(
      "misuse",
      "Arithmetic over fields takes numbers",
      objects.filter,
      objects,
      { a = F "b" + null }
    )
    helper.refuses(
      "misuse",
      "Arithmetic over fields takes numbers",
      objects.filter,
      objects,
      { a = F "b" + {} }
    )
    helper.raises("misuse", objects.filter, objects, { a = F "b" + 0 / 0 })
    helper.raises("misuse", objects.filter, objects, { a = F "s" + 1 })
    helper.raises("misuse", objects.filter, objects, { at__lt = F "at" + 60 })
    helper.raises("misuse", objects.filter, objects, { a = F "s" })
    helper.raises("misuse", objects.filter, objects, { s = F "a" })
    helper.raises("misuse", objects.filter, objects, { at = F "n" })
    helper.refuses("misuse", "F takes the name of a field", F, 5)
    helper.refuses("misuse", "F takes the name of a field", F)
  end)
end)

describe("original", function()
  it("finds the dead by what they were, in every scope", function()
    local _, Post = helper.blog()
    Post:create({ title = "x" }):delete()
    Post:create({ title = "x" }):delete()
    Post:create { title = "x" }
    Post:create { title = "y" }
    assert.are.equal("1 2 3", ids(Post.all_objects:filter { title__original = "x" }))
    assert.are.equal("1 2", ids(Post.deleted_objects:filter { title__original = "x" }))
    assert.are.equal("3", ids(Post.objects:filter { title__original = "x" }))
    assert.are.equal("4", ids(Post.all_objects:exclude { title__original = "x" }))
    assert.are.equal("3", ids(Post.all_objects:filter { title = "x" }))
    helper.refuses(
      "misuse",
      "views__original takes a char or text field",
      Post.objects.filter,
      Post.objects,
      { views__original = 1 }
    )
  end)
end)
