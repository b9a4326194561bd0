/* ldb.c - databases: opening, undo, retention. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "llimits.h"
#include "lreport.h"
#include "lverb.h"
#include "raise.h"
#include "tombstone_lua.h"

/***
Opening, retention.
@module tombstone.database
*/

/* ---- opening ------------------------------------------------------ */

static void read_timeout(lua_State *L, tomb_options *out) {
  lua_getfield(L, 2, "busy_timeout");
  if (lua_isnil(L, -1)) return;
  lua_Number ms = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(ms >= 0) || !(ms <= 2e9)) {
    tomb_misuse(L, NULL, "busy_timeout is a number of milliseconds");
  }
  out->busy_timeout_ms = ms < 1 ? -1 : (int)ms;
}

static void read_synchronous(lua_State *L, tomb_options *out) {
  lua_getfield(L, 2, "synchronous");
  if (lua_isnil(L, -1)) return;
  const char *word = lua_tostring(L, -1);
  bool normal = word != NULL && strcmp(word, "normal") == 0;
  if (!normal && (word == NULL || strcmp(word, "full") != 0)) {
    tomb_misuse(L, NULL, "synchronous is \"full\" or \"normal\"");
  }
  out->synchronous = normal ? TOMB_SYNC_NORMAL : TOMB_SYNC_FULL;
}

static void read_cache(lua_State *L, tomb_options *out) {
  lua_getfield(L, 2, "statement_cache");
  if (lua_isnil(L, -1)) return;
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n >= 1) || !(n <= 100000)) {
    tomb_misuse(L, NULL, "statement_cache is a number of statements");
  }
  out->statement_cache = (size_t)n;
}

static void read_pages(lua_State *L, tomb_options *out) {
  lua_getfield(L, 2, "cache_kb");
  if (lua_isnil(L, -1)) return;
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n >= 1) || !(n <= 2e9)) {
    tomb_misuse(L, NULL, "cache_kb is a number of kilobytes, 1 at least");
  }
  out->cache_kb = (int64_t)n;
}

void tomb_read_open_options(lua_State *L, tomb_options *out) {
  static const char *const known[] = {
      "busy_timeout", "synchronous", "read_only", "statement_cache",
      "cache_kb",     "timeout_ms",  "max_steps", "clock",
      "log",          "lazy",        "warn",      NULL};
  memset(out, 0, sizeof *out);
  out->allocator.realloc = lua_getallocf(L, &out->allocator.ud);
  tomb_check_options(L, 2, known, "open");
  if (!lua_istable(L, 2)) return;
  read_timeout(L, out);
  read_synchronous(L, out);
  read_cache(L, out);
  read_pages(L, out);
  lua_getfield(L, 2, "read_only");
  out->read_only = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
}

/* Takes the function `name` of the options into the DB on top. */
static bool keep_function(lua_State *L, const char *name, int ref) {
  if (!lua_istable(L, 2)) return false;
  lua_getfield(L, 2, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  if (!lua_isfunction(L, -1)) {
    tomb_misuse(L, NULL, "%s is a function, not a %s", name,
                tomb_typename(L, -1));
  }
  tomb_setref(L, -2, ref);
  return true;
}

static tomb_lazy read_lazy(lua_State *L) {
  static const char *const words[] = {"allow", "warn", "refuse"};
  if (!lua_istable(L, 2)) return TOMB_LAZY_ALLOW;
  lua_getfield(L, 2, "lazy");
  const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  int i = lua_isnil(L, -1) ? 0 : 2;
  while (i > 0 && strcmp(words[i], word) != 0) i--;
  if (!lua_isnil(L, -1) && strcmp(words[i], word) != 0) {
    tomb_misuse(L, NULL, "lazy is \"allow\", \"warn\" or \"refuse\"");
  }
  lua_pop(L, 1);
  return (tomb_lazy)i;
}

/* Warnings go to the program's function, or to that of Lua 5.4. */
static void keep_warn(lua_State *L, const lua_db *box) {
  if (keep_function(L, "warn", DB_WARN) || box->lazy != TOMB_LAZY_WARN) return;
  lua_getglobal(L, "warn");
  if (!lua_isfunction(L, -1)) {
    tomb_misuse(L, "pass warn = function(message) end",
                "lazy = \"warn\" needs a function that takes the message");
  }
  tomb_setref(L, -2, DB_WARN);
}

void tomb_dress_db(lua_State *L, lua_db *box) {
  box->lazy = read_lazy(L);
  keep_warn(L, box);
  box->has_clock = keep_function(L, "clock", DB_CLOCK);
  box->has_log = keep_function(L, "log", DB_LOG);
  tomb_log_keep(box->db, box->has_log);
}

/***
Opens a database, without what `tombstone.open` adds.
@function core.open
@string path
@tparam[opt] table options as of `tombstone.open`
@treturn database
@raise connection, busy, misuse
@usage local db = require("tombstone.core").open ":memory:"
*/
static int core_open(lua_State *L) {
  tomb_options options;
  tomb_error err;
  size_t size;
  if (lua_type(L, 1) != LUA_TSTRING) {
    return tomb_misuse(L, "as in open \"app.db\"",
                       "open takes a path, not a %s", tomb_typename(L, 1));
  }
  const char *path = lua_tolstring(L, 1, &size);
  if (strlen(path) != size) {
    return tomb_misuse(L, NULL, "A path cannot hold a zero byte");
  }
  lua_settop(L, 2);
  tomb_read_open_options(L, &options);
  lua_db *box = tomb_new_db(L);
  tomb_status st = tomb_open_sqlite(&box->db, path, &options, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  tomb_dress_db(L, box);
  tomb_keep_limits(L, box);
  return 1;
}

/* ---- about -------------------------------------------------------- */

/***
True until the handle is closed.
@function Database:is_open
@treturn boolean
@usage assert(db:is_open())
*/
static int db_is_open(lua_State *L) {
  lua_db *box = tomb_testclass(L, 1, DB);
  lua_pushboolean(L, box != NULL && box->db != NULL && tomb_is_open(box->db));
  return 1;
}

/***
True inside of a transaction, that of the host included whose connection this is.
@function Database:in_transaction
@treturn boolean
@usage assert(not db:in_transaction())
*/
static int db_in_transaction(lua_State *L) {
  lua_pushboolean(L, tomb_in_transaction(tomb_check_db(L, 1)->db));
  return 1;
}

/***
What the handle speaks to.
@function Database:info
@treturn table `driver`, `version` (the database library's), `tombstone` (ours), and
`warning` where that version has a bug that can damage data
@usage print(db:info().version)
*/
static int db_info(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  tomb_info info = tomb_db_info(box->db);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, info.driver);
  lua_setfield(L, -2, "driver");
  lua_pushstring(L, info.version);
  lua_setfield(L, -2, "version");
  if (info.warning != NULL) {
    lua_pushstring(L, info.warning);
    lua_setfield(L, -2, "warning");
  }
  lua_pushliteral(L, TOMB_VERSION);
  lua_setfield(L, -2, "tombstone");
  return 1;
}

/***
Copies the database to a file while others may write.
@function Database:backup
@string path
@raise misuse within a transaction; connection, busy, database
@usage db:backup "copy.db"
*/
static int db_backup(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING) {
    return tomb_misuse(L, "as in db:backup \"copy.db\"",
                       "backup takes a path, not a %s", tomb_typename(L, 2));
  }
  const char *path = lua_tostring(L, 2);
  if (strlen(path) != lua_rawlen(L, 2)) {
    return tomb_misuse(L, NULL, "A path cannot hold a zero byte");
  }
  tomb_status st = tomb_backup(box->db, path, &err);
  return st == TOMB_OK ? 0 : tomb_raise(L, &err);
}

/***
Creates the tables and indexes that are missing, in one transaction.
@function Database:create_tables
@raise migration where a table differs from its model; busy, database
@usage db:create_tables()
*/
static int db_create_tables(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  tomb_finish(L, box, 1, tomb_create_tables(box->db, &err), &err);
  return 0;
}

/***
The statements that `create_tables` would run in an empty database, in order. The database is not
touched.
@function Database:ddl
@treturn {string,...} CREATE statements
@raise misuse where a model points to one that is not declared
@usage for _, sql in ipairs(db:ddl()) do print(sql) end
*/
static int db_ddl(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  tomb_rows **rows = tomb_new_rows(L, box);
  tomb_status st = tomb_ddl(*rows, box->db, &err);
  if (st != TOMB_OK) tomb_drop_rows(rows);
  tomb_finish(L, box, 1, st, &err);
  lua_newtable(L);
  for (size_t i = 0; i < tomb_rows_count(*rows); i++) {
    tomb_pushvalue(L, NULL, tomb_rows_at(*rows, i, NULL));
    lua_rawseti(L, -2, (int)i + 1);
  }
  tomb_drop_rows(rows);
  return 1;
}

/***
The time, by the handle's clock.
@function Database:now
@treturn number seconds since the epoch
@usage local yesterday = db:now() - 86400
*/
static int db_now(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  tomb_value now = tomb_time(tomb_clock(L, box, 1));
  tomb_pushvalue(L, NULL, &now);
  return 1;
}

/* ---- retention ---------------------------------------------------- */

/***
What `purge_expired` would do: its `dry_run` calls this.
@function Database:preview_expired
@treturn table the report
@usage print(db:preview_expired().rows.Post)
*/
static int db_preview_expired(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  int64_t now = tomb_clock(L, box, 1);
  tomb_rows **report = tomb_new_rows(L, box);
  tomb_status st = tomb_preview_expired(*report, box->db, now, &err);
  tomb_finish(L, box, 1, st, &err);
  tomb_push_event_report(L, *report);
  tomb_report_part(L, "left");
  lua_pop(L, 1);
  tomb_drop_rows(report);
  return 1;
}

/***
Removes old events that hold no row any more; `purge_expired` calls it.
@function Database:purge_events
@treturn number events
@usage db:purge_events()
*/
static int db_purge_events(lua_State *L) {
  tomb_error err;
  int64_t n;
  lua_db *box = tomb_check_db(L, 1);
  int64_t now = tomb_clock(L, box, 1);
  tomb_status st = tomb_purge_events(&n, box->db, now, &err);
  tomb_finish(L, box, 1, st, &err);
  tomb_push_count(L, n);
  return 1;
}

tomb_db *tomb_database(lua_State *L, int index) {
  lua_db *box = tomb_testclass(L, index, DB);
  return box == NULL || box->db == NULL || !tomb_is_open(box->db) ? NULL
                                                                  : box->db;
}

void tomb_open_db(lua_State *L) {
  static const luaL_Reg functions[] = {{"is_open", db_is_open},
                                       {"info", db_info},
                                       {"in_transaction", db_in_transaction},
                                       {"backup", db_backup},
                                       {"now", db_now},
                                       {"define", tomb_db_define},
                                       {"attach", tomb_db_attach},
                                       {"create_tables", db_create_tables},
                                       {"ddl", db_ddl},
                                       {"preview_expired", db_preview_expired},
                                       {"purge_events", db_purge_events},
                                       {NULL, NULL}};
  tomb_methods(L, DB);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
  lua_pushcfunction(L, core_open);
  lua_setfield(L, -2, "open"); /* of the module's table */
}
