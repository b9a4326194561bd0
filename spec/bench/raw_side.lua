-- raw_side.lua - the operations of the bench in hand-written C.
-- Each maker prepares what the clock must not count and returns what it does.
local raw = require "raw"
local data = require "bench.data"

local side = {}
local db

function side.open(path)
  db = raw.open(path)
  db.exec "PRAGMA journal_mode = WAL"
  db.exec "PRAGMA synchronous = NORMAL"
  db.exec "PRAGMA foreign_keys = ON" -- as tombstone has it
end

function side.exec(sql)
  db.exec(sql)
end

function side.close()
  db.close()
end

function side.each(visit)
  for row in db.each do
    visit(row)
  end
end

local function transaction(work)
  db.exec "BEGIN IMMEDIATE"
  work()
  db.exec "COMMIT"
end

-- ---- reading ---------------------------------------------------------------

function side.get(n, rows, sum)
  return function()
    for k = 0, n - 1 do
      sum.add(db.get(data.key(k, rows)))
    end
  end
end

function side.page(n, rows, sum)
  return function()
    for k = 0, n - 1 do
      local first = data.page(k, rows)
      sum.add_all(db.page(first, first + data.PAGE_WIDTH))
    end
  end
end

function side.scan(n, _, sum)
  return function()
    local views, count = 0, 0
    repeat
      for row in db.each do
        views, count = views + row.views, count + 1
      end
    until count >= n
    sum.value = sum.value + views
  end
end

-- ---- writing ---------------------------------------------------------------

function side.insert(n, rows)
  local titles, contents, views = data.posts(n, rows)
  return function()
    transaction(function()
      for i = 1, n do
        db.insert {
          title = titles[i], content = contents[i], views = views[i],
        }
      end
    end)
  end
end

function side.insert_many(n, rows)
  local titles, contents, views = data.posts(n, rows)
  return function()
    transaction(function()
      for first = 1, n, 1000 do
        local list = {}
        for i = first, math.min(first + 999, n) do
          list[#list + 1] = {
            title = titles[i], content = contents[i], views = views[i],
          }
        end
        db.insert_many(list)
      end
    end)
  end
end

function side.update(n, rows)
  local contents = data.contents(n)
  return function()
    transaction(function()
      for k = 0, n - 1 do
        local row = db.get(data.key(k, rows))
        row.content = contents[k + 1]
        db.update(row)
      end
    end)
  end
end

function side.delete(n, rows)
  return function()
    transaction(function()
      for k = 0, n - 1 do
        db.delete(db.get(data.key(k, rows)))
      end
    end)
  end
end

function side.restore(n, rows)
  side.delete(n, rows)()
  return function()
    transaction(function()
      for k = 0, n - 1 do
        db.restore(db.get_deleted(data.key(k, rows)))
      end
    end)
  end
end

function side.delete_many(n)
  return function()
    assert(db.delete_many(n) == n)
  end
end

function side.restore_many(n)
  local _, event = db.delete_many(n)
  return function()
    assert(db.undo(event) == n)
  end
end

return side
