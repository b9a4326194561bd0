-- Models that `tombstone inspect` writes from databases: they load, fit the tables, and say what
-- they leave out.
local Random = require "laws.random"
local ddl = require "tombstone.migrate.ddl"
local helper = require "helper"
local inspect = require "tombstone.migrate.inspect"
local random_models = require "migrate.random_models"
local random_schema = require "migrate.random_schema"
local schema = require "tombstone.migrate.schema"
local tombstone = require "tombstone"

local f = tombstone.field
local SEED = helper.seed()

local function open(sql)
  local db = tombstone.open ":memory:"
  if sql then
    db:exec(sql)
  end
  return db
end

local function declare(db, text)
  local chunk = assert((rawget(_G, "loadstring") or load)(text, "=models.lua"))
  chunk()(db)
end

-- The text of a database whose models are then declared in it and fit its tables.
local function inspected(sql)
  local db = open(sql)
  local text = inspect.text(db)
  declare(db, text)
  db:create_tables()
  return text, db
end

local HEAD = [[
-- Models of a database, written by `tombstone inspect`: read them before they are used.
-- Names are those of the tables, prefixes of applications included. What a deletion means to the
-- rows below is a guess: "keep" where the column may be NULL, else "restrict". A way back to rows is
-- called as Django does, and can be called anything else.
local tombstone = require "tombstone"
local f = tombstone.field

return function(db)
]]

local function assert_text(expected, sql)
  local text, db = inspected(sql)
  db:close()
  assert.equal(HEAD .. expected .. "end\n", text)
end

-- ---- columns ---------------------------------------------------------------------------------

describe("inspect", function()
  after_each(helper.clean)

  it("finds the words of types, defaults, checks and collations", function()
    assert_text([[
  -- CHECK (v < u) is the table's alone
  db:model("Kinds", {
    a = f.char { max_length = 20, default = "x" },
    b = f.text { null = true },
    c = f.text { null = true },
    e = f.char { max_length = 10, null = true },
    f = f.integer { null = true, default = 7 },
    g = f.integer { null = true },
    h = f.boolean { default = true },
    i = f.boolean { null = true },
    j = f.datetime { null = true, default = function() return os.time() end },
    k = f.datetime { null = true },
    -- l: a date there: its text
    l = f.text { null = true },
    -- m: a time of day there: its text
    m = f.text { null = true },
    -- n: decimal there: read as a binary number
    n = f.number { null = true, default = 0.5 },
    o = f.number { null = true },
    p = f.blob { null = true },
    q = f.json { null = true },
    -- r: no type there
    r = f.text { null = true },
    s = f.json { null = true },
    t = f.text { null = true },
    u = f.integer { null = true, check = "u >= 0" },
    v = f.integer { null = true },
    w = f.text { null = true, default = 'a"b', collate = "NOCASE" },
    -- x: DEFAULT 1 + 1 there
    x = f.integer { null = true },
    y = f.number { null = true, default = -0.5 },
  }, {
    soft_delete = false,
  })
]], [[
      CREATE TABLE kinds (
        id integer PRIMARY KEY, a varchar(20) NOT NULL DEFAULT 'x', b VARCHAR, c clob, e nvarchar (10),
        f int DEFAULT 7, g BIGINT UNSIGNED, h tinyint(1) NOT NULL DEFAULT 1, i boolean,
        j datetime DEFAULT CURRENT_TIMESTAMP, k timestamp, l date, m time, n decimal(10,2) DEFAULT 0.5,
        o double precision, p blob, q json, r, s text CHECK (json_valid(s) OR s IS NULL), t uuid,
        u integer CHECK (u >= 0), v integer CHECK (v < u), w text COLLATE NOCASE DEFAULT ('a"b'),
        x integer DEFAULT (1 + 1), y real DEFAULT -.5)]])
  end)

  it("lets the rows decide where a type says little", function()
    assert_text([[
  db:model("T", {
    -- a: datetime there, and a row has 2020-01-01T10:00:00Z
    a = f.text { null = true },
    b = f.datetime { null = true },
    -- c: boolean there, and a row has 7
    c = f.integer { null = true },
    -- d: decimal(9) there, and a row has many
    d = f.text { null = true },
    -- e: json there, and a row has {
    e = f.text { null = true },
    -- f: integer there, and a row has 1.5
    f = f.number { null = true },
    -- g: text there, and a row has 00FF
    g = f.blob { null = true },
    -- h: datetime there, and a row has 1763880000
    h = f.integer { null = true },
    -- i: integer there, and a row has x
    i = f.integer { null = true },
    -- j: datetime there, and a row has 2020-01-01 10:00:00.1x
    j = f.text { null = true },
  }, {
    soft_delete = false,
  })
]], [[
      CREATE TABLE t (id integer PRIMARY KEY, a datetime, b datetime, c boolean, d decimal(9), e json,
        f integer, g text, h datetime, i integer, j datetime);
      INSERT INTO t VALUES (1, '2020-01-01T10:00:00Z', '2020-01-01 10:00:00.25', 7, 'many', '{', 1.5, x'00ff',
        1763880000, 'x', '2020-01-01 10:00:00.1x');
      INSERT INTO t (i) VALUES (2.5)]])
  end)

  it("gives names that models take", function()
    assert_text([[
  db:model("Kinds", {
  }, {
    soft_delete = false,
  })

  db:model("UserData", {
    user_id = f.integer { primary_key = true, column = "user-id" },
    update = f.text { attr = "update_value" },
    ["end"] = f.text { null = true },
    c_2nd = f.text { null = true, column = "2nd" },
    objects = f.integer { null = true, attr = "objects_value" },
    a_b = f.text { null = true, column = "a__b_" },
    A_b = f.text { null = true, column = "A b" },
    a_b2 = f.text { null = true, column = "a-b" },
    save = f.belongs_to("Kinds", {
      on_delete = "keep",
      related_name = "save_row_user_data_set",
      null = true,
      column = "saveId",
      attr = "save_row",
    }),
    group = f.belongs_to("Kinds", {
      on_delete = "keep",
      related_name = "group_user_data_set",
      null = true,
      column = "groupId",
    }),
    owner = f.belongs_to("UserData", {
      on_delete = "keep",
      related_name = "user_data_set",
      null = true,
      column = "owner",
    }),
  }, {
    table = "user data",
    soft_delete = false,
  })

  db:model("T1st", {
    id = f.text { primary_key = true },
    deleted_event = f.integer { null = true },
  }, {
    table = "1st",
    soft_delete = false,
  })

  db:model("KINDS2", {
    ID = f.integer { primary_key = true },
  }, {
    table = "KINDS2",
    soft_delete = false,
  })
]], [[
      CREATE TABLE kinds (id integer PRIMARY KEY);
      CREATE TABLE "user data" (
        "user-id" integer PRIMARY KEY, "update" text NOT NULL, "end" text, "2nd" text, objects integer,
        "a__b_" text, "A b" text, "a-b" text, "saveId" integer REFERENCES kinds,
        groupId integer REFERENCES kinds (id), owner integer REFERENCES "user data" ("user-id"));
      CREATE TABLE "1st" (id text PRIMARY KEY, deleted_event integer);
      CREATE TABLE KINDS2 (ID integer PRIMARY KEY)]])
  end)

  it("says what no model can express, and why", function()
    assert_text([[
  -- b is generated, which no field is
  -- UNIQUE (a, b) is the table's alone
  db:model("Computed", {
    a = f.integer { null = true },
  }, {
    soft_delete = false,
  })

  db:model("Codes", {
    code = f.char { max_length = 8, primary_key = true },
    label = f.text { null = true, unique = true },
  }, {
    soft_delete = false,
  })

  -- the foreign key (id) to codes (code) is the table's alone
  -- the foreign key (x, y) to pair (a, b) is the table's alone
  db:model("Child", {
    -- label: points to codes (label), which is not its primary key
    label = f.text { null = true },
    x = f.integer { null = true },
    y = f.integer { null = true },
    -- z: points to no_key (a), which has no model
    z = f.integer { null = true },
    -- gone: points to nowhere, which has no model
    gone = f.integer { null = true },
  }, {
    soft_delete = false,
  })

  -- What no model can express:
  -- table no_key: it has no primary key
  -- table pair: its primary key is of several columns: a, b
  -- table compact: it is WITHOUT ROWID
  -- table by_time: its primary key at is no integer or text, but datetime
  -- table unnumbered: its primary key id is INT, which SQLite does not number
  -- table computed_whole: column b is generated and NOT NULL
  -- table dot.ted: 'dot.ted' holds a '.'
  -- table ours: column tombstone_x has a name that is reserved
  -- view seen
  -- virtual table found
]], [[
      CREATE TABLE no_key (a integer);
      CREATE TABLE pair (a integer, b integer, PRIMARY KEY (a, b));
      CREATE TABLE compact (k text PRIMARY KEY, v text) WITHOUT ROWID;
      CREATE TABLE by_time (at datetime PRIMARY KEY);
      CREATE TABLE unnumbered (id INT PRIMARY KEY, a text);
      CREATE TABLE computed (id integer PRIMARY KEY, a integer, b integer AS (a + 1), UNIQUE (a, b));
      CREATE TABLE computed_whole (id integer PRIMARY KEY, a integer, b integer NOT NULL AS (a + 1));
      CREATE TABLE "dot.ted" (id integer PRIMARY KEY);
      CREATE TABLE ours (id integer PRIMARY KEY, tombstone_x integer);
      CREATE TABLE codes (code varchar(8) PRIMARY KEY, label text UNIQUE);
      CREATE TABLE child (id integer PRIMARY KEY REFERENCES codes (code), label text REFERENCES codes (label),
        x integer, y integer, z integer REFERENCES no_key (a), gone integer REFERENCES nowhere,
        FOREIGN KEY (x, y) REFERENCES pair (a, b));
      CREATE VIEW seen AS SELECT 1;
      CREATE VIRTUAL TABLE found USING fts5 (words)]])
  end)

  it("says which indexes and keys are the table's alone", function()
    assert_text([[
  -- UNIQUE (slug, deletedAt) tells no living rows apart: each NULL is another one
  -- UNIQUE (slug, n) has ON CONFLICT REPLACE
  -- index posts_dead is not in the model: it misleads SQLite on deletedAt; `tombstone doctor` drops it
  -- index posts_low is not in the model: it holds expressions
  -- index posts_desc is not in the model: it orders downwards
  -- index posts_some is not in the model: the model has indexes of all living rows
  -- index posts_some_u is not in the model: it is unique among some rows only
  -- index posts_nocase compares by NOCASE
  -- CHECK (n > 0) is the table's alone
  db:model("Posts", {
    title = f.text { null = true, unique = "mangle" },
    slug = f.text { unique = "mangle" },
    n = f.integer { null = true, unique = "always", index = true },
  }, {
    soft_delete = { column = "deletedAt", event = false },
    timestamps = true,
    version = true,
    unique_together = { { "slug", "n", unique = "always" } },
    indexes = { { "n", "title" } },
  })
]], [[
      CREATE TABLE posts (id integer PRIMARY KEY, title text UNIQUE, slug text NOT NULL, n integer UNIQUE,
        version integer NOT NULL, created_at datetime NOT NULL, updated_at datetime NOT NULL,
        deletedAt datetime, UNIQUE (slug, deletedAt), UNIQUE (slug, n) ON CONFLICT REPLACE, CHECK (n > 0));
      CREATE UNIQUE INDEX posts_slug ON posts (slug) WHERE deletedAt IS NULL;
      CREATE INDEX posts_dead ON posts (deletedAt);
      CREATE INDEX posts_low ON posts (lower(title));
      CREATE INDEX posts_desc ON posts (n DESC);
      CREATE INDEX posts_some ON posts (n) WHERE n > 5;
      CREATE UNIQUE INDEX posts_some_u ON posts (n) WHERE n > 5;
      CREATE INDEX posts_nt ON posts (n, title);
      CREATE INDEX posts_n ON posts (n);
      CREATE UNIQUE INDEX posts_nocase ON posts (slug COLLATE NOCASE)]])
  end)

  it("takes no column for a version or a stamp that means something else", function()
    assert_text([[
  -- deleted_at is no soft delete as it is: m:adopt in a migration converts it
  db:model("A", {
    version = f.integer(),
    deleted_at = f.integer { default = 0 },
    created_at = f.datetime { null = true },
    updated_at = f.datetime(),
  }, {
    soft_delete = false,
  })

  -- deleted_at is no soft delete as it is: m:adopt in a migration converts it
  db:model("B", {
    -- deleted_at: datetime there, and a row has 2020-01-01 10:00:00+00:00
    deleted_at = f.text { null = true },
  }, {
    soft_delete = false,
  })
]], [[
      CREATE TABLE a (id integer PRIMARY KEY, version integer NOT NULL, deleted_at integer NOT NULL DEFAULT 0,
        created_at datetime, updated_at datetime NOT NULL);
      CREATE TABLE b (id integer PRIMARY KEY, deleted_at datetime);
      INSERT INTO b VALUES (1, '2020-01-01 10:00:00+00:00')]])
  end)
end)

-- ---- relations -------------------------------------------------------------------------------

describe("inspect of relations", function()
  it("finds what deletions do where the database does it", function()
    assert_text([[
  db:model("A", {
    up = f.belongs_to("A", { on_delete = "keep", related_name = "a_set", null = true }),
  })
]], [[
      CREATE TABLE a (id integer PRIMARY KEY, up_id integer REFERENCES a, deleted_at datetime,
        deleted_event integer)]])
    assert_text([[
  db:model("A", {
    -- up_id: ON DELETE CASCADE there
    up = f.belongs_to("A", {
      on_delete = "cascade",
      related_name = "a",
      null = true,
      unique = "always",
    }),
  })
]], [[
      CREATE TABLE a (id integer PRIMARY KEY, up_id integer UNIQUE REFERENCES a ON DELETE CASCADE,
        deleted_at datetime, deleted_event integer)]])
  end)

  it("makes pairs of keys relations of many to many", function()
    local text, db = inspected [[
      CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL);
      CREATE TABLE club (id integer PRIMARY KEY, name text NOT NULL);
      CREATE TABLE person_clubs (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES person,
        club_id integer NOT NULL REFERENCES club, since text, UNIQUE (club_id, person_id));
      CREATE TABLE friends (id integer PRIMARY KEY, a integer NOT NULL REFERENCES person,
        b integer NOT NULL REFERENCES person, UNIQUE (a, b));
      CREATE TABLE visits (id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES person,
        club_id integer NOT NULL REFERENCES club)]]
    assert.truthy(text:find([[
    clubs = f.many_to_many("Club", { related_name = "person_set", through = "PersonClubs" }),
    person = f.many_to_many("Person", {
      related_name = "person_set",
      through = "Friends",
      near = "a_id",
      far = "b_id",
    }),
]], 1, true), text)
    local Person, Club = db:model "Person", db:model "Club"
    local ana, ben = Person:create { name = "Ana" }, Person:create { name = "Ben" }
    local chess = Club:create { name = "Chess" }
    ana:clubs():add(chess, { since = "2020" })
    ana:person():add(ben)
    assert.equal("Ana", chess:person_set():first().name)
    assert.equal("Ana", ben:person_set():first().name)
    db:model("Visits"):create { person = ben, club = chess }
    assert.equal(1, ben:visits_set():count())
    db:close()
  end)

  it("needs no model for links that are ours, and finds what counts them", function()
    local db = open()
    db:model("Tag", { name = f.text { unique = true }, post_count = f.counter "posts" })
    db:model("Post", {
      title = f.text(),
      tags = f.many_to_many("Tag", { related_name = "posts" }),
      comment_count = f.counter "comments",
    })
    local post = f.belongs_to("Post", { on_delete = "cascade", related_name = "comments" })
    db:model("Comment", { post = post, like_count = f.counter "likes" })
    local comment = f.belongs_to("Comment", { on_delete = "cascade", related_name = "likes" })
    db:model("Like", { comment = comment })
    db:create_tables()
    local text = inspect.text(db)
    assert.equal(HEAD .. [[
  db:model("Tag", {
    name = f.text { unique = "mangle" },
    post_count = f.counter("post_set"),
  })

  db:model("Post", {
    title = f.text(),
    comment_count = f.counter("comment_set"),
    tags = f.many_to_many("Tag", { related_name = "post_set" }),
  })

  db:model("Comment", {
    post = f.belongs_to("Post", { on_delete = "restrict", related_name = "comment_set" }),
    like_count = f.counter("like_set"),
  })

  db:model("Like", {
    comment = f.belongs_to("Comment", { on_delete = "restrict", related_name = "like_set" }),
  })
end
]], text)
    db:close()
  end)
end)

-- ---- real databases --------------------------------------------------------------------------

describe("inspect of the article's table", function()
  local TABLE = [[
    CREATE TABLE blog_post (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, deleted_at datetime NULL,
      title varchar(100) NOT NULL UNIQUE, content text NOT NULL);]]

  it("frees titles by a suffix, as its rows show", function()
    local text, db = inspected(TABLE .. [[
      INSERT INTO blog_post VALUES (1, '2020-01-01 10:00:00', 'Hello__deleted_1577872800.0', '')]])
    assert.truthy(text:find('title = f.char { max_length = 100, unique = "mangle" }', 1, true))
    assert.truthy(text:find("soft_delete = { event = false }", 1, true))
    local Post = db:model "BlogPost"
    local first = Post.deleted_objects:first()
    assert.equal("Hello", first:original "title")
    Post:create { title = "Hello", content = "again" }
    assert.is_true(first:restore { on_conflict = "rename" })
    assert.equal("Hello (restored)", first.title)
    db:close()
  end)

  it("frees none where the dead rows kept their titles", function()
    local text, db = inspected(TABLE .. [[
      INSERT INTO blog_post VALUES (1, '2020-01-01 10:00:00', 'Hello', '')]])
    assert.truthy(text:find('unique = "always"', 1, true))
    db:close()
  end)
end)

describe("inspect of a database that Django made", function()
  local PYTHON = "/usr/bin/python3"
  local path

  setup(function()
    path = helper.path()
    local script = PYTHON .. " spec/interop/django_auth.py " .. path
    local pipe = io.popen("exec env -u LD_PRELOAD " .. script .. " 2>&1")
    pipe:read "*a"
    pipe:close()
  end)

  teardown(helper.clean)

  it("works on its users and groups, and leaves nothing out", function()
    local db = tombstone.open(path)
    if #db:query "SELECT 1 FROM sqlite_master WHERE name = 'auth_user'" == 0 then
      db:close()
      pending "needs python3-django"
      return
    end
    local text = inspect.text(db)
    assert.is_nil(text:find "What no model can express")
    declare(db, text)
    db:create_tables()
    local User, Group = db:model "AuthUser", db:model "AuthGroup"
    local ana = User.objects:get { username = "ana" }
    assert.equal("editors", ana:groups():first().name)
    assert.equal(3, ana:groups():first():permissions():count())
    assert.is_false(ana.is_superuser)
    assert.is_number(ana.date_joined)
    local writers = Group:create { name = "writers" }
    ana:groups():add(writers)
    assert.same({ "editors", "writers" }, helper.list(ana:groups():order_by "name", "name"))
    local err = helper.raises("integrity", Group.create, Group, { name = "writers" })
    assert.equal("unique", err.constraint)
    assert.same({}, db:query "PRAGMA foreign_key_check")
    local n_tables = 0
    for _, name in ipairs(schema.read(db).order) do
      n_tables = n_tables + (name:match "^tombstone_" and 0 or 1)
    end
    assert.equal(n_tables, #db:models())
    db:close()
  end)
end)

-- ---- random ones -----------------------------------------------------------------------------

describe("inspect of random databases", function()
  it("writes models that fit all tables that they model", function()
    local modelled = 0
    for i = 1, helper.scaled(150) do
      local seed = SEED * 100000 + i
      local random = Random.new(seed)
      local found = random_schema.schema(random)
      local db = open()
      for _, sql in ipairs(ddl.schema(found)) do
        db:exec(sql)
      end
      random_schema.fill(db, found, random, 5)
      local ok, err = pcall(function()
        local text = inspect.text(db)
        declare(db, text)
        db:create_tables()
        for _, model in ipairs(db:models()) do
          model.objects:all()
          modelled = modelled + 1
        end
        local left_out = select(2, text:gsub("\n  %-%- table ", ""))
        assert.equal(#found.order, #db:models() + left_out)
      end)
      assert.is_true(ok, "seed " .. seed .. ": " .. tostring(err))
      db:close()
    end
    assert.is_true(modelled >= helper.scaled(50))
  end)

  -- The table of owners is there where a relation cascades, which is a guess.
  local function wanted(db)
    local made = schema.of_models(db)
    made.tables.tombstone_owner = nil
    return made
  end

  it("gives back the tables of models that made them", function()
    for i = 1, helper.scaled(150) do
      local seed = SEED * 100000 + i
      local db, again = random_models.declare(Random.new(seed)), open()
      db:create_tables()
      declare(again, inspect.text(db))
      local same, why = schema.same(wanted(db), wanted(again))
      assert.is_true(same, "seed " .. seed .. ": " .. tostring(why))
      again:close()
      db:close()
    end
  end)
end)
