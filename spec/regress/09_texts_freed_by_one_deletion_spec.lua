-- One deletion of two rows, of which one bore the text that the other was to be mangled to: the
-- second's text was freed, taken by the first, and not free after all (law 2).
local helper = require "helper"
local tombstone = require "tombstone"
local f = tombstone.field

local AT = 1763880000
local SUFFIX = "__deleted_1763880000.000000"

local function check_freed(fields, options, first, second)
  local clock = helper.clock(AT - 10)
  local _, Post = helper.blog({ clock = clock.tell }, fields, options)
  Post:bulk_create { first, second }
  clock.now = AT
  local count, event = Post.objects:delete { all = true }
  assert.equal(2, count)
  local newcomers = { Post:create(first), Post:create(second) }
  for _, newcomer in ipairs(newcomers) do
    newcomer:purge()
  end
  event:undo()
  for i, given in ipairs { first, second } do
    for name, value in pairs(given) do
      assert.equal(value, Post.objects:get(i)[name])
    end
  end
end

describe("one deletion of texts that would be mangled to each other", function()
  it("frees them both", function()
    local fields = { title = f.text { unique = true } }
    check_freed(fields, nil, { title = "a" }, { title = "a" .. SUFFIX })
    check_freed(fields, nil, { title = "a" .. SUFFIX }, { title = "a" })
    check_freed(fields, nil, { title = SUFFIX }, { title = "" })
  end)

  it("frees them both where case does not count", function()
    local fields = { title = f.text { unique = true, collate = "NOCASE" } }
    check_freed(fields, nil, { title = "A" .. SUFFIX:upper() }, { title = "a" })
  end)

  it("frees them both where spaces at the end do not count", function()
    local fields = { title = f.text { unique = true, collate = "RTRIM" } }
    check_freed(fields, nil, { title = "a" .. SUFFIX .. " " }, { title = "a" })
  end)

  it("frees them both where two texts are unique together", function()
    local fields = { lang = f.text(), slug = f.text { null = true } }
    local options = {
      unique_together = { { "lang", "slug" } },
      soft_delete = { unique = "mangle" },
    }
    check_freed(fields, options, { lang = "de", slug = "a" .. SUFFIX }, { lang = "de", slug = "a" })
  end)
end)
