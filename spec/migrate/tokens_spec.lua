-- SQL as tokens: what is one, what two texts that say the same have in common.
local helper = require "helper"
local tokens = require "tombstone.migrate.tokens"

local function shown(sql)
  local list = {}
  for i, token in ipairs(tokens.list(sql)) do
    list[i] = token.kind .. " " .. token.text
  end
  return table.concat(list, "|")
end

local function values(sql)
  local list = {}
  for i, token in ipairs(tokens.list(sql)) do
    list[i] = token.value or "-"
  end
  return table.concat(list, "|")
end

describe("tokens", function()
  it("are words, names, texts, numbers, blobs and signs", function()
    assert.equal("word a|sign >=|number 1.5e-3", shown "a >= 1.5e-3")
    assert.equal("name \"a\"|name `b`|name [c]|text 'd'", shown "\"a\"`b`[c]'d'")
    assert.equal("blob x'00'|blob X'ff'|word x", shown "x'00' X'ff' x")
    assert.equal("number 0x1F|number .5|number 5.|number 1_000", shown "0x1F .5 5. 1_000")
    assert.equal("word a$1|word größe|word _x", shown "a$1 größe _x")
    assert.equal("sign -|sign -|number 1", shown "- -1")
    assert.equal("word a|sign |||sign ->>|sign <>|sign ==", shown "a ||->> <> ==")
    assert.equal("word a|sign .|word b|sign ,|sign (|sign )|sign ;", shown "a.b,();")
  end)

  it("know names without their quotes", function()
    assert.equal("a \"b|c`d|e", values "\"a \"\"b\" `c``d` [e]")
    assert.equal("f'g|-", values "'f''g' 1")
  end)

  it("leave out blanks and comments", function()
    assert.equal("word a|word b", shown "a /* x ' \" */ -- it's\n\t b --")
    assert.equal("word a", shown "/**/a/* no end")
    assert.equal("", shown "  -- nothing")
  end)

  it("hold no comment where it is quoted", function()
    assert.equal("text '--'|text '/*'|name \"--\"", shown "'--' '/*' \"--\"")
  end)

  it("refuse a quote that does not end", function()
    for _, sql in ipairs { "'a", "\"a''", "[a", "`a``", "x'00" } do
      helper.refuses("migration", "SQL with a quote that does not end: " .. sql, tokens.list, sql)
    end
  end)
end)

describe("the normal text", function()
  local SAME = {
    { '"Views">=0', "views  >= /* never less */ 0" },
    { "a IS NOT NULL", 'A is\nnot null' },
    { "lower ( [Title] )", "LOWER(title)" },
    { "a == 1", "a=1" },
    { "a != 1", "a<>1" },
    { "x'AB'", "X'ab'" },
    { '"two Words"', "[two words]" },
    { '"order"', "`ORDER`" },
    { "1E3", "1e3" },
  }

  for _, case in ipairs(SAME) do
    it("is one of " .. case[1], function()
      assert.equal(tokens.normal(case[1]), tokens.normal(case[2]))
    end)
  end

  local OTHER = {
    { "'A'", "'a'" },
    { "- -1", "--1" },
    { "a b", "ab" },
    { '"null"', "null" },
    { '"order"', "'order'" },
    { "1 2", "12" },
    { "a", "'a'" },
    { '"a b"', "a b" },
    { "a < = b", "a <= b" },
    { "a - > b", "a -> b" },
    { "'a' 'b'", "'a''b'" },
  }

  for _, case in ipairs(OTHER) do
    it("is another one of " .. case[1] .. " and " .. case[2], function()
      assert.are_not.equal(tokens.normal(case[1]), tokens.normal(case[2]))
    end)
  end

  it("is compact", function()
    assert.equal("lower(a)||'X'>= -1 and b in(1,2)", tokens.normal "lower( A ) || 'X' >= -1 AND b IN (1, 2)")
  end)

  it("is its own normal text", function()
    for _, case in ipairs(SAME) do
      local normal = tokens.normal(case[1])
      assert.equal(normal, tokens.normal(normal))
    end
  end)

  it("loses the parentheses around all of it when bare", function()
    assert.equal("a>0", tokens.bare "((a > 0))")
    assert.equal("(a)or(b)", tokens.bare "(a) or (b)")
    assert.equal("a", tokens.bare " ( /* x */ a ) ")
  end)
end)

describe("a fragment", function()
  it("has no comment that would swallow what follows", function()
    assert.equal("a > 0", tokens.fragment "a > 0 -- always")
    assert.equal("a - - b", tokens.fragment "a - /**/- b")
  end)

  it("keeps its spelling", function()
    assert.equal("lower( A )='--'", tokens.fragment "lower( A )='--'")
  end)

  for _, sql in ipairs { "", "  -- x", "a)", "(a", "a) or (b", "a; b" } do
    it("is not: " .. sql, function()
      local message = "SQL that is not one expression: " .. sql:gsub("%s+", " ")
      helper.refuses("migration", message, tokens.fragment, sql)
    end)
  end

  it("may hold what looks like it in quotes", function()
    assert.equal("a = ')'", tokens.fragment "a = ')'")
    assert.equal("[;]", tokens.fragment "[;]")
  end)
end)

describe("quoting", function()
  it("doubles the quotes", function()
    assert.equal([["a""b"]], tokens.name 'a"b')
    assert.equal("'it''s'", tokens.text "it's")
  end)

  it("gives the token whose value it was", function()
    for _, text in ipairs { "a", "", 'a"b', "a'b", "--", "größe", "a\nb", "]`" } do
      assert.equal(text, tokens.list(tokens.name(text))[1].value)
      assert.equal(text, tokens.list(tokens.text(text))[1].value)
    end
  end)
end)
