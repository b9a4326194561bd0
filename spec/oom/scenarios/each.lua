-- Streams in their three forms: to the end, left by break, left by an error.
local base = ...

local function leave(stream, how)
  local seen = 0
  local iterator, state, control, closing = stream()
  local ok, err = pcall(function()
    -- The fourth value is what Lua 5.4 closes.
    for _ in iterator, state, control, closing do
      seen = seen + 1
      if seen == 2 and how == "break" then
        break
      elseif seen == 2 and how == "error" then
        error("on purpose", 0)
      end
    end
  end)
  iterator:close()
  if not ok and err ~= "on purpose" then
    error(err, 0)
  end
  base.equal(how == "end" and 10 or 2, seen)
end

return base.scenario {
  run = function(s)
    local posts = s.Post.objects
    for _, options in ipairs { { snapshot = false }, { snapshot = true }, { reuse = true } } do
      for _, how in ipairs { "end", "break", "error" } do
        leave(function()
          return posts:each(options)
        end, how)
      end
    end
    leave(function()
      return posts:order_by("-views"):only("title"):each()
    end, "break")
    for post in posts:each() do
      post:update { views = 100 }
    end
    local stream = posts:each { snapshot = true }
    stream()
    base.expect("misuse", s.Post.create, s.Post, { title = "while it is read" })
    stream:close()
  end,
}
