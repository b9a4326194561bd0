/*
** lend.h - a connection of the host's own, which it lends to scenarios:
** lend(file) opens it and answers a database on it, and tell(sql) runs a
** statement of the host.
*/
#ifndef SPEC_LEND_H
#define SPEC_LEND_H

#include "steps.h"

#include "tombstone_lua.h"

static sqlite3 *lent; /* of this process, which runs one state at a time */

static int no_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory"); /* as Lua says it */
  return lua_error(L);
}

static int lend(lua_State *L) {
  if (sqlite3_open(luaL_checkstring(L, 1), &lent) != SQLITE_OK) {
    return no_memory(L);
  }
  tomb_push_borrowed(L, lent, NULL, 0);
  return 1;
}

static int tell(lua_State *L) {
  int code = sqlite3_exec(lent, luaL_checkstring(L, 1), NULL, NULL, NULL);
  if ((code & 0xff) == SQLITE_NOMEM) return no_memory(L);
  if (code != SQLITE_OK) return luaL_error(L, "%s", sqlite3_errmsg(lent));
  return 0;
}

static void set_lending(lua_State *L) {
  lua_pushcfunction(L, lend);
  lua_setglobal(L, "lend");
  lua_pushcfunction(L, tell);
  lua_setglobal(L, "tell");
}

/* After the state is closed. False where something of ours was left on it. */
static bool end_loan(void) {
  int code = sqlite3_close(lent);
  lent = NULL;
  return code == SQLITE_OK;
}

#endif
