/*
** lender.c - what a host of the specs lends: connections of the SQLite that this
** file is linked with, as a Lua module.
**
**   local conn = lender.open(path)       conn:exec(sql)  conn:ask(sql)
**   local db = conn:lend(options)        through the routines of its SQLite
**   local db = conn:lend_bare(options)   as if there were one copy
**   conn:close()  conn:close_v2()        what SQLite answers, a number
*/
#include "tombstone_sqlite.h"

#include "tombstone_lua.h"

int luaopen_lender(lua_State *L);

static const char class_name[] = "spec.connection";
static sqlite3_api_routines routines;

static sqlite3 *connection(lua_State *L) {
  sqlite3 **box = luaL_checkudata(L, 1, class_name);
  if (*box == NULL) luaL_error(L, "the connection is closed");
  return *box;
}

static int conn_exec(lua_State *L) {
  sqlite3 *db = connection(L);
  const char *sql = luaL_checkstring(L, 2);
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
    return luaL_error(L, "%s", sqlite3_errmsg(db));
  }
  return 0;
}

/* All values of all rows as one text. */
static int conn_ask(lua_State *L) {
  luaL_Buffer text;
  sqlite3 *db = connection(L);
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(db, luaL_checkstring(L, 2), -1, &stmt, NULL) != 0) {
    return luaL_error(L, "%s", sqlite3_errmsg(db));
  }
  luaL_buffinit(L, &text);
  for (int row = 0; sqlite3_step(stmt) == SQLITE_ROW; row++) {
    if (row > 0) luaL_addchar(&text, '\n');
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      const char *value = (const char *)sqlite3_column_text(stmt, i);
      if (i > 0) luaL_addchar(&text, '|');
      luaL_addstring(&text, value == NULL ? "NULL" : value);
    }
  }
  luaL_pushresult(&text);
  sqlite3_finalize(stmt);
  return 1;
}

static int conn_lend(lua_State *L) {
  lua_settop(L, 2);
  tomb_push_borrowed(L, connection(L), &routines, 2);
  return 1;
}

static int conn_lend_bare(lua_State *L) {
  lua_settop(L, 2);
  tomb_push_borrowed(L, connection(L), NULL, 2);
  return 1;
}

static int closed(lua_State *L, int (*how)(sqlite3 *)) {
  sqlite3 **box = luaL_checkudata(L, 1, class_name);
  int code = how(*box);
  if (code == SQLITE_OK) *box = NULL;
  lua_pushinteger(L, code);
  return 1;
}

static int conn_close(lua_State *L) {
  return closed(L, sqlite3_close);
}

static int conn_close_v2(lua_State *L) {
  return closed(L, sqlite3_close_v2);
}

static int lender_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  sqlite3 **box = lua_newuserdata(L, sizeof *box);
  *box = NULL;
  luaL_getmetatable(L, class_name);
  lua_setmetatable(L, -2);
  if (sqlite3_open(path, box) != SQLITE_OK) {
    return luaL_error(L, "%s: %s", path, sqlite3_errmsg(*box));
  }
  return 1;
}

static int lender_version(lua_State *L) {
  lua_pushstring(L, sqlite3_libversion());
  return 1;
}

static void set(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_lender(lua_State *L) {
  tomb_sqlite_routines(&routines);
  luaL_newmetatable(L, class_name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  set(L, "exec", conn_exec);
  set(L, "ask", conn_ask);
  set(L, "lend", conn_lend);
  set(L, "lend_bare", conn_lend_bare);
  set(L, "close", conn_close);
  set(L, "close_v2", conn_close_v2);
  lua_pop(L, 1);
  lua_newtable(L);
  set(L, "open", lender_open);
  set(L, "version", lender_version);
  return 1;
}
