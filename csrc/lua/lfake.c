/*
** lfake.c - core.fake: a database that records statements and fails on
** request, for the specs of this library and of programs that use it.
*/
#include <string.h>

#include "../driver/fake.h"
#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
A database that records.
@module tombstone.core
*/

/***
A database that records its statements, and answers what it is told.
@function core.fake.open
@string[opt] path of an SQLite file that statements are passed on to
@tparam[opt] table options as of `tombstone.open`, but for limits, which only SQLite's own driver has
@string[opt="sqlite"] dialect whose statements they are: `"sqlite"`, or `"postgres"` without a path
@treturn database
@usage local db = core.fake.open()
*/
static int fake_open(lua_State *L) {
  static const char *const dialects[] = {"sqlite", "postgres", NULL};
  static const char *const known[] = {
      "busy_timeout", "synchronous", "read_only", "statement_cache",
      "cache_kb",     "clock",       "log",       "lazy",
      "warn",         NULL};
  tomb_options options;
  tomb_error err;
  const char *path = luaL_optstring(L, 1, NULL);
  bool postgres = luaL_checkoption(L, 3, "sqlite", dialects) == 1;
  luaL_argcheck(L, !postgres || path == NULL, 1, "only SQLite has a file");
  lua_settop(L, 2);
  tomb_check_options(L, 2, known, "fake.open");
  tomb_read_open_options(L, &options);
  lua_db *box = tomb_new_db(L);
  tomb_status st = postgres ? tomb_open_fake_postgres(&box->db, &options, &err)
                            : tomb_open_fake(&box->db, path, &options, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  tomb_dress_db(L, box);
  return 1;
}

/* A kind and a message from the stack. */
static void read_failure(lua_State *L, int kind, tomb_error *out) {
  memset(out, 0, sizeof *out);
  out->kind = tomb_kind_named(L, kind);
  strncpy(out->message, luaL_optstring(L, kind + 1, "a failure on request"),
          sizeof out->message - 1);
}

/***
Lets the n-th next step of a statement fail.
@function core.fake.fail
@tparam database db
@tparam number n 0: none
@string[opt="database"] kind
@string[opt] message
@usage core.fake.fail(db, 1, "busy", "locked")
*/
static int fake_fail(lua_State *L) {
  tomb_error failure;
  lua_db *box = tomb_check_db(L, 1);
  lua_Integer nth = luaL_checkinteger(L, 2);
  read_failure(L, 3, &failure);
  tomb_fake_fail(box->db, (size_t)nth, &failure);
  return 0;
}

static lua_Integer integer_field(lua_State *L, int table, const char *name,
                                 lua_Integer otherwise) {
  lua_getfield(L, table, name);
  lua_Integer n = luaL_optinteger(L, -1, otherwise);
  lua_pop(L, 1);
  return n;
}

/***
What the next statement answers.
@function core.fake.answer
@tparam database db
@tparam table answer rows as lists, and `columns`, `changes`, `last_id`; or `fails`, the kind of
a failure, and `message`
@usage core.fake.answer(db, { columns = 2, { 1, "a" }, { 2, "b" } })
*/
static int fake_answer(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  tomb_fake_reply reply;
  memset(&reply, 0, sizeof reply);
  lua_getfield(L, 2, "fails");
  lua_getfield(L, 2, "message");
  if (!lua_isnil(L, 3)) read_failure(L, 3, &reply.failure);
  reply.rows = lua_rawlen(L, 2);
  reply.columns = (size_t)integer_field(L, 2, "columns", 0);
  reply.changes = integer_field(L, 2, "changes", 1);
  reply.last_id = integer_field(L, 2, "last_id", 0);
  size_t n = reply.rows * reply.columns;
  luaL_checkstack(L, (int)n + 8, "too long an answer");
  tomb_value *values = tomb_newud(L, n * sizeof *values + 1, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 2, (int)(i / reply.columns) + 1);
    lua_rawgeti(L, -1, (int)(i % reply.columns) + 1);
    lua_remove(L, -2);
    tomb_tovalue(L, lua_gettop(L), NULL, &values[i]);
    if (values[i].type == TOMB_ABSENT) values[i] = tomb_null();
  }
  reply.values = values;
  if (tomb_fake_answer(box->db, &reply) != TOMB_OK) {
    return tomb_no_memory(L);
  }
  return 0;
}

static void push_types(lua_State *L, const tomb_value *values, size_t n) {
  static const char *const names[] = {
      [TOMB_ABSENT] = "absent",   [TOMB_NULL] = "null",
      [TOMB_INTEGER] = "integer", [TOMB_NUMBER] = "number",
      [TOMB_TEXT] = "text",       [TOMB_BLOB] = "blob",
      [TOMB_BOOLEAN] = "boolean", [TOMB_TIME] = "time",
      [TOMB_REFUSED] = "refused"};
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushstring(L, names[values[i].type]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/***
The statements since the last call.
@function core.fake.statements
@tparam database db
@treturn {table,...} each with `sql`, `values` and their `types` (`"integer"`, `"time"` …)
@usage print(core.fake.statements(db)[1].sql)
*/
static int fake_statements(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  size_t count = tomb_fake_count(box->db);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    size_t n;
    const tomb_value *values = tomb_fake_values(box->db, i, &n);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, tomb_fake_sql(box->db, i));
    lua_setfield(L, -2, "sql");
    lua_createtable(L, (int)n, 0);
    for (size_t j = 0; j < n; j++) {
      tomb_pushvalue(L, NULL, &values[j]);
      lua_rawseti(L, -2, (int)j + 1);
    }
    lua_setfield(L, -2, "values");
    push_types(L, values, n);
    lua_setfield(L, -2, "types");
    lua_rawseti(L, -2, (int)i + 1);
  }
  tomb_fake_forget(box->db);
  return 1;
}

void tomb_open_fake_class(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", fake_open},
                                       {"fail", fake_fail},
                                       {"answer", fake_answer},
                                       {"statements", fake_statements},
                                       {NULL, NULL}};
  lua_newtable(L);
  tomb_setfuncs(L, functions);
  lua_setfield(L, -2, "fake"); /* of the module's table */
}
