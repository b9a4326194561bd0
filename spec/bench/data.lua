-- data.lua - the rows of the bench, computed from their number, so that both
-- sides write the same and anyone can tell what a file must hold.
local data = {}

-- Steps that are prime to the number of rows walk over all of them, in an
-- order that is nobody's: indexes are not filled from left to right.
local TITLE_STEP, VIEWS_STEP, PAGE_STEP = 7919, 6151, 3571

-- A page is taken from twice as many rows as it shows.
data.PAGE_WIDTH = 100
data.CONTENT_SIZE = 200
data.FILLER = string.rep("the quick brown fox jumps over it, ", 6)

function data.title(i, rows)
  return string.format("Title %06d of a post", i * TITLE_STEP % rows)
end

function data.views(i, rows)
  return i * VIEWS_STEP % rows
end

function data.content(prefix, i)
  local text = string.format("%s %06d. ", prefix, i)
  return text .. string.sub(data.FILLER, 1, data.CONTENT_SIZE - #text)
end

-- The key that is read or written in turn k, from 0.
function data.key(k, rows)
  return k * TITLE_STEP % rows + 1
end

-- Where the page of turn k begins.
function data.page(k, rows)
  return k * PAGE_STEP % (rows - data.PAGE_WIDTH)
end

-- Texts of n rows: made before the clock runs, tables are made inside.
function data.posts(n, rows)
  local titles, contents, views = {}, {}, {}
  for i = 1, n do
    titles[i] = data.title(i, rows)
    contents[i] = data.content("Content of post", i)
    views[i] = data.views(i, rows)
  end
  return titles, contents, views
end

function data.contents(n)
  local contents = {}
  for i = 1, n do
    contents[i] = data.content("Updated content", i)
  end
  return contents
end

-- ---- files made by SQL -----------------------------------------------------

local WITH_NUMBERS = [[
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)]]

local function texts_of(prefix, number)
  return string.format("substr(printf('%s %%06d. ', %s) || '%s', 1, %d)",
    prefix, number, data.FILLER, data.CONTENT_SIZE)
end

-- The rows that the insert operations leave behind.
function data.fill(n)
  return string.format([[
INSERT INTO posts (title, content, views) %s
SELECT printf('Title %%06d of a post', i * %d %% %d), %s, i * %d %% %d
FROM n]], string.format(WITH_NUMBERS, n), TITLE_STEP, n,
    texts_of("Content of post", "i"), VIEWS_STEP, n)
end

local DEAD = [[
INSERT INTO tombstone_event (at, model) VALUES ('2025-11-23 06:40:00', 'Post');
UPDATE posts SET title = title || '__deleted_1763880000.000000',
  deleted_at = '2025-11-23 06:40:00', deleted_event = 1 WHERE id % 100 > 0;
]]

-- `living` rows, each the hundredth: the other 99 are dead, or not there.
function data.trash(living, dead)
  return string.format([[
INSERT INTO posts (id, title, content, views) %s
SELECT i, printf('Title %%07d of a post', i), %s,
  (i * 2654435761 %% 4294967296 >> 8) %% %d
FROM n WHERE %d OR i %% 100 = 0;
]], string.format(WITH_NUMBERS, living * 100),
    texts_of("Content of post", "i"), living, dead and 1 or 0)
    .. (dead and DEAD or "")
end

-- ---- what a file holds -----------------------------------------------------

-- A dead row's title must end in the suffix of its own stamp, and its event
-- must have that stamp.
local STATE = [[
SELECT printf('rows=%%d living=%%d views=%%d content=%%d updated=%%d'
  || ' wrong=%%d events=%%d undone=%%d',
  count(*), total(deleted_at IS NULL), total(views), total(length(content)),
  total(content LIKE 'Updated%%'),
  total(title IS NOT printf('Title %%06d of a post', p.id * %d %% %d)
    || ifnull('__deleted_' || strftime('%%s', substr(deleted_at, 1, 19)) || '.'
      || substr(deleted_at || '.000000', 21, 6), '')
    OR deleted_at IS NOT e.at),
  (SELECT count(*) FROM tombstone_event),
  (SELECT count(undone_at) FROM tombstone_event))
FROM posts AS p LEFT JOIN tombstone_event AS e ON e.id = deleted_event]]

function data.state(rows)
  return string.format(STATE, TITLE_STEP, rows)
end

return data
