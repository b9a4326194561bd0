-- Two dead rows of one event, of which one bears, with its suffix, the text that the other had:
-- their restore was refused, although there is an order in which both come back.
local helper = require "helper"

local AT = 1763880000
local SUFFIX = "__deleted_1763880000.000000"

describe("a restore of dead rows that are in each other's way", function()
  it("finds the order in which they come back", function()
    local clock = helper.clock(AT - 10)
    local _, Post = helper.blog { clock = clock.tell }
    local long = Post:create { title = "a" .. SUFFIX } -- the text that is to come
    local short = Post:create { title = "a" }
    long:delete()
    clock.now = AT
    short:delete()
    assert.equal("a" .. SUFFIX, short.title)
    assert.equal(2, Post.deleted_objects:restore { all = true })
    assert.equal("a" .. SUFFIX, long:reload().title)
    assert.equal("a", short:reload().title)
  end)

  it("is refused when it alone is asked for, and says so", function()
    local clock = helper.clock(AT - 10)
    local _, Post = helper.blog { clock = clock.tell }
    local long, short = Post:create { title = "a" .. SUFFIX }, Post:create { title = "a" }
    long:delete()
    clock.now = AT
    short:delete()
    local err = helper.raises("integrity", long.restore, long)
    assert.same({ "title" }, err.fields)
    assert.is_true(long:is_deleted())
  end)
end)
