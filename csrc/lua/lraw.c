/* lraw.c - raw SQL with bound values: query, each, exec. */
#include <math.h>

#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
SQL of the program's own.
@module tombstone.database
*/

/* The values from argument 3 on; nil is NULL here, since its place says so. */
static tomb_value *raw_values(lua_State *L, size_t *n) {
  int top = lua_gettop(L);
  *n = top > 2 ? (size_t)(top - 2) : 0;
  tomb_value *values = tomb_newud(L, *n * sizeof *values + 1, 0);
  for (int i = 3; i <= top; i++) {
    tomb_value *value = &values[i - 3];
    tomb_tovalue(L, i, NULL, value);
    if (value->type == TOMB_ABSENT) *value = tomb_null();
    bool nan = value->type == TOMB_NUMBER && isnan(value->as.number);
    if (nan || value->type == TOMB_REFUSED) {
      tomb_misuse(L, NULL, "Value %d cannot be bound: it is a %s", i - 2,
                  nan ? "NaN" : tomb_typename(L, i));
    }
  }
  return values;
}

static const char *check_sql(lua_State *L, size_t *size) {
  if (lua_type(L, 2) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "SQL is a text, not a %s", tomb_typename(L, 2));
  }
  return lua_tolstring(L, 2, size);
}

static void push_raw_row(lua_State *L, const tomb_cursor *cursor) {
  lua_createtable(L, 0, (int)cursor->n);
  for (size_t i = 0; i < cursor->n; i++) {
    if (cursor->values[i].type == TOMB_NULL) continue;
    tomb_pushvalue(L, NULL, &cursor->values[i]);
    lua_setfield(L, -2, tomb_cursor_name(cursor, i));
  }
}

static lua_cursor *open_raw(lua_State *L, lua_db *box) {
  tomb_error err;
  size_t size, n;
  const char *sql = check_sql(L, &size);
  tomb_value *values = raw_values(L, &n);
  lua_cursor *cursor = tomb_new_cursor(L, box, 1);
  tomb_status st =
      tomb_query_raw(&cursor->cursor, box->db, sql, size, values, n, &err);
  if (st != TOMB_OK) {
    tomb_end_cursor(cursor);
    tomb_finish(L, box, 1, st, &err);
  }
  return cursor;
}

/***
Runs SQL with bound values; nil binds NULL.
@function Database:query
@string sql one statement
@param ... a value for each `?`
@treturn {table,...} the rows, plain tables without their NULLs
@raise database, misuse for a wrong number of values
@usage local rows = db:query("SELECT title FROM post WHERE views > ?", 10)
*/
static int db_query(lua_State *L) {
  tomb_error err;
  tomb_status st;
  int n = 0;
  lua_db *box = tomb_check_db(L, 1);
  lua_cursor *cursor = open_raw(L, box);
  lua_newtable(L);
  while ((st = tomb_cursor_next(&cursor->cursor, &err)) == TOMB_ROW) {
    push_raw_row(L, &cursor->cursor);
    lua_rawseti(L, -2, ++n);
  }
  tomb_end_cursor(cursor);
  tomb_finish(L, box, 1, st == TOMB_DONE ? TOMB_OK : st, &err);
  return 1;
}

/***
The same rows one by one. The statement is open until the last row, `break` (on Lua 5.4) or
`close` of the iterator.
@function Database:each
@string sql one statement
@param ... a value for each `?`
@return an iterator
@raise as `query`
@usage for row in db:each "SELECT title FROM post" do print(row.title) end
*/
static int db_each(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  tomb_list_cursor(box, open_raw(L, box));
  lua_pushnil(L);
  tomb_setref(L, 1, DB_CURSOR); /* this cursor is the loop's own now */
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, -3);
  return 4;
}

static int cursor_call(lua_State *L) {
  tomb_error err;
  lua_cursor *box = tomb_testclass(L, 1, CURSOR);
  if (box == NULL) return tomb_misuse(L, NULL, "A cursor is needed");
  if (!box->in_use) return 0;
  tomb_getref(L, 1, 1);
  tomb_need_db(L, lua_touserdata(L, -1));
  tomb_status st = tomb_cursor_next(&box->cursor, &err);
  if (st == TOMB_ROW) {
    box->inside = true;
    push_raw_row(L, &box->cursor);
    box->inside = false;
    return 1;
  }
  tomb_end_cursor(box);
  return st == TOMB_DONE ? 0 : tomb_raise(L, &err);
}

static int cursor_close(lua_State *L) {
  lua_cursor *box = tomb_testclass(L, 1, CURSOR);
  if (box != NULL) tomb_end_cursor(box);
  return 0;
}

/***
Runs a statement, or without values a script of several.
@function Database:exec
@string sql
@param ... a value for each `?`
@treturn number rows that the last statement changed
@raise integrity, database, busy, misuse
@usage db:exec("UPDATE post SET views = 0 WHERE views IS NULL")
*/
static int db_exec(lua_State *L) {
  tomb_error err;
  size_t size, n;
  int64_t changed;
  lua_db *box = tomb_check_db(L, 1);
  const char *sql = check_sql(L, &size);
  tomb_value *values = raw_values(L, &n);
  tomb_status st = tomb_exec(&changed, box->db, sql, size, values, n, &err);
  tomb_finish(L, box, 1, st, &err);
  tomb_push_count(L, changed);
  return 1;
}

void tomb_open_raw(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"query", db_query}, {"each", db_each}, {"exec", db_exec}, {NULL, NULL}};
  tomb_methods(L, DB);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
  tomb_methods(L, CURSOR);
  lua_pushcfunction(L, cursor_close);
  lua_setfield(L, -2, "close");
  lua_pop(L, 1);
  tomb_class(L, CURSOR);
  lua_pushcfunction(L, cursor_call);
  lua_setfield(L, -2, "__call");
  lua_pop(L, 1);
}
