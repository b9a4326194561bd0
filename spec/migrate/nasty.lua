--- Statements that people have written, and that are hard to read. SQLite takes them all, with
-- double quotes for texts where `loose` says so.
return {
  "CREATE TABLE a (a)",
  'create table a (a, b int, c "odd type", d varchar ( 10 ) , e decimal(10, -2), f unsigned big int)',
  [[CREATE TABLE IF NOT EXISTS main.[my table] ([a b] int, `c``d` text, "e""f" blob, 'g' real)]],
  "create table a (id INTEGER PRIMARY KEY DESC, x)",
  "create table a (id INT PRIMARY KEY, x)",
  "create table a (id INTEGER, x, primary key (id desc))",
  "create table a (id INTEGER, x, primary key (id collate nocase asc autoincrement))",
  "create table a (id INTEGER PRIMARY KEY UNIQUE, x)",
  'create table a (id "INTEGER" primary key)',
  "create table a (id [integer] primary key autoincrement, b [nvarchar](50), c [varchar] (5))",
  'create table a (a "x" "y", b x "y", c `z`)',
  "create table a (id integer primary key on conflict replace autoincrement)",
  "create table a (id integer not null primary key, b int not null default (abs(-5)))",
  "create table a (a text primary key, b) without rowid",
  "create table a (a integer, b, primary key (b desc, a collate nocase)) without rowid",
  "create table a (a integer, b any, primary key (a desc)) without rowid, strict",
  "create table a (a integer, b text, primary key (b)) strict",
  "create table a (a primary key unique, b)",
  [[create table a (a int constraint x not null on conflict ignore constraint y unique on conflict
    replace constraint z check (a > 0) constraint w default 5)]],
  [[create table a (a int null not null default 3, b text null default null, c text default -5, d default +5,
    e default (1+2), f default 'it''s', g default "foo", h default foo, i default [foo],
    j default true, k default x'00', l default CURRENT_TIMESTAMP, m default - 5.5e-3,
    n default (-5), o default 0x10, q default (NULL), r default ((7)), s default 9223372036854775808,
    t default `true`, u default 1 default 2, v default (CURRENT_DATE), w default - /* x */ 5,
    x default (1 -- one
  ), y default 'a' /* b */, z default /* b */ 'a')]],
  "create table a (a int, check (a > 0) check (a < 10), constraint foo check (a <> 5), constraint bar)",
  "create table a (a text check (a in ('x)', 'y,(')) /* ) */, -- , (\n b int -- last\n)",
  [[create table p (a int, b int, unique (a, b)); create table c (a int references p,
    b int references p (a) on delete set null on update cascade match full deferrable initially
    deferred, foreign key (a, b) references p (a, b) on delete cascade not deferrable initially
    deferred, constraint fk foreign key (b) references p on delete no action deferrable)]],
  "create table a (a int references a references a (b) on insert set null, b references nowhere (x))",
  [[create table a (a int, b int generated always as (a * 2) stored, c as (a+1), d text as (upper(a))
    virtual unique, e text generated always as ('x'), f int not null as (length(a)) check (f > 0))]],
  [[create table a (a int); alter table a add column b text default 'x' not null;
    alter table a add c int references a (a); alter table a rename column b to "select";
    alter table a rename to "table"]],
  [[create table a (a int, check (a > 0), foreign key (a) references a);
    alter table a add column b text default (1) check (b <> '') /* the end */]],
  [[create table a (a int -- the only one
  ); alter table a add column b text; alter table a add column c text as (b)]],
  [[create table a (a int, b int, c int); create index i on a (a); alter table a drop column b;
    alter table a rename column a to "a b"]],
  'create table a (a text collate nocase, b text collate "BINARY" unique, unique (a collate rtrim desc, b))',
  [[create table a (a, b); create index i on a (a desc, lower(b) collate nocase, (b));
    create unique index j on a (b collate rtrim) where a is not null and b = 'x';
    create index "k l" on a ('a', ((b)) desc, a + b, -a collate nocase desc, (a || b) collate nocase,
    a || b collate nocase, cast(a as text), case when a then b end, a between 1 and 2, "b");
    create index IF NOT EXISTS main.m on a (b asc, a collate [NOCASE] asc)]],
  "create table a (a unique unique, b unique, unique (b), unique (b, a), unique (a, b))",
  [[create table x (a, b); create table y as select a, b + 1 as "b c", cast(1 as text) t, 2.5 as
    "group" from x; create table z as select * from x]],
  [[create view v as select 1; create table b (x, "new" as (x)); create trigger t after insert on b
    begin select 1; end]],
  "create temp table b (y); create temp view w as select 1; create table b (x)",
  'create table "order" ("group" int, "null" int, check ("null" > 0 and "group" is not null))',
  'create table a (ключ text primary key, "日本" int check ("日本" > 0))',
  "create table a (a int, b int, c int, primary key (c, a)) ",
  [[create table a (key int, action text, rowid text, abort, "end" text, generated text, always text,
    match_ , replace text, first, if int, current, temp temp, row row, view view, desc desc)]],
  [[create table a (a timestamp with time zone, b double precision default 1.5,
    c character varying (255) not null)]],
  "create table a(a,b,c check(a>b)check(b>c)unique,primary key(a)unique(b)foreign key(c)references a)",
  "create table a (x int default(5)not null,y text collate nocase not null default'x')",
  [[create table a (a int, b json check (json_valid(b)), c text check (c glob '[a-z]*' or c like '%"x"%'))]],
  "CREATE TABLE sqlitebrowser_copy (`id` INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT UNIQUE)",
  [[CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY);
    CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar DEFAULT ''
    NOT NULL, "created_at" datetime(6) NOT NULL, "admin" boolean DEFAULT 0, "team_id" integer,
    CONSTRAINT "fk_rails_1" FOREIGN KEY ("team_id") REFERENCES "users" ("id"));
    CREATE UNIQUE INDEX "index_users_on_email" ON "users" ("email")]],
  [[CREATE TABLE user (id INTEGER NOT NULL, name VARCHAR(50) NOT NULL, active BOOLEAN NOT NULL,
    created DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, CONSTRAINT pk_user PRIMARY KEY (id),
    CONSTRAINT uq_user_name UNIQUE (name), CONSTRAINT ck_user_active CHECK (active IN (0, 1)))]],
  [[CREATE TABLE "Track"([TrackId] INTEGER NOT NULL, [Name] NVARCHAR(200) NOT NULL, [UnitPrice]
    NUMERIC(10,2) NOT NULL, CONSTRAINT [PK_Track] PRIMARY KEY ([TrackId]), FOREIGN KEY ([TrackId])
    REFERENCES "Track" ([TrackId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
    CREATE INDEX [IFK_Track] ON "Track" ([TrackId], [Name] COLLATE NOCASE)]],
  loose = {
    [[create table a (a text check (a in ("new", "old")), b text, c as (a || "c"));
      create index i on a (a) where b <> "gone"; create index j on a (a || "x")]],
  },
}
