-- The JSON of the command: keys in order, numbers as they are, and lua-cjson reads it back.
local cjson = require "cjson"
local helper = require "helper"
local json = require "tombstone.cli.json"

describe("the JSON of the command", function()
  it("has its keys in order, and lists that are empty", function()
    local value = { b = json.list {}, a = { z = 1, y = { true, false } }, c = {}, d = json.null }
    assert.equal([[
{
  "a": {
    "y": [
      true,
      false
    ],
    "z": 1
  },
  "b": [],
  "c": {},
  "d": null
}]], json.encode(value))
  end)

  it("writes numbers in the shortest way that reads back as the same", function()
    local cases = {
      { 0, "0" },
      { -7, "-7" },
      { 2.5, "2.5" },
      { 0.1, "0.1" },
      { 1580000000.250001, "1580000000.250001" },
      { 2 ^ 53 - 1, "9007199254740991" },
      { 1e300, "1e+300" },
      { 0 / 0, "null" },
      { 1 / 0, "null" },
    }
    if helper.has_integers then
      cases[#cases + 1] = { tonumber "9223372036854775807", "9223372036854775807" }
    end
    for _, case in ipairs(cases) do
      assert.equal(case[2], json.encode(case[1]))
    end
  end)

  it("escapes texts as lua-cjson does, but for the slash", function()
    assert.equal('"a/b\\\\/\\"\\n\\u001b"', json.encode 'a/b\\/"\n\27')
  end)

  it("is read back by lua-cjson, whatever is in it", function()
    local seed = helper.seed()
    math.randomseed(seed)
    local texts = { "", "a", "/", "\\/", '"', "ü", "\n\1", "null", "[]" }
    local function value(depth)
      local kind = math.random(depth > 3 and 3 or 5)
      if kind == 1 then
        return texts[math.random(#texts)]
      elseif kind == 2 then
        return math.random(2) == 1
      elseif kind == 3 then
        return math.random(-1000, 1000) / (math.random(2) == 1 and 1 or 7)
      end
      local made = {}
      for i = 1, math.random(4) do
        made[kind == 4 and i or texts[math.random(#texts)]] = value(depth + 1)
      end
      return made
    end
    for _ = 1, helper.scaled(500, 20) do
      local made = value(1)
      -- Its own numbers have fourteen digits; the same text twice is the same value.
      assert.same(json.encode(made), json.encode(cjson.decode(json.encode(made))), "SPEC_SEED=" .. seed)
    end
  end)
end)
