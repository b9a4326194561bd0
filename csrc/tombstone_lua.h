/*
** tombstone_lua.h - the Lua module for hosts that are written in C or C++.
**
** Compiled in:
**
**   luaL_requiref(L, "tombstone", luaopen_tombstone, 0);
**   lua_pop(L, 1);
**
** and before Lua 5.2, where there is no luaL_requiref, as
** package.preload.tombstone. A host may as well leave the module to `require`;
** it then declares these and links none of them.
*/
#ifndef TOMBSTONE_LUA_H
#define TOMBSTONE_LUA_H

#include <lauxlib.h>
#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The module with all its Lua sources; and its part in C alone. */
int luaopen_tombstone(lua_State *L);
int luaopen_tombstone_core(lua_State *L);

struct sqlite3;
struct sqlite3_api_routines;

#define TOMB_BORROW "tombstone.borrow"

/*
** Pushes a database, as tombstone.open answers it, on the host's connection,
** for its scripts. What `routines` are, and what becomes of the connection, says
** tomb_borrow_sqlite in tombstone.h. The table at `options` holds `clock`,
** `log`, `lazy`, `warn` and `statement_cache` as of tombstone.open; 0: none.
**
** The module is loaded in the state before, in whichever way: this finds it by
** the registry, where scripts do not come, so that no script borrows anything.
** Raises misuse and connection, as tomb_borrow_sqlite answers them: call it
** below lua_pcall. The handle is given back by db:close(), or with the state:
** both before the host closes its connection.
**
**   tomb_push_borrowed(L, handle, NULL, 0);
**   lua_setglobal(L, "db");
*/
static inline void
tomb_push_borrowed(lua_State *L, struct sqlite3 *db,
                   const struct sqlite3_api_routines *routines, int options) {
  if (options != 0) {
    lua_pushvalue(L, options);
  } else {
    lua_pushnil(L);
  }
  lua_getfield(L, LUA_REGISTRYINDEX, TOMB_BORROW);
  if (lua_isnil(L, -1)) {
    luaL_error(L, "tombstone is not loaded in this state: require it first");
  }
  lua_insert(L, -2);
  lua_pushlightuserdata(L, db);
  lua_insert(L, -2);
  if (routines != NULL) {
    lua_pushlightuserdata(L, (void *)routines);
  } else {
    lua_pushnil(L);
  }
  lua_call(L, 3, 1);
}

#ifdef __cplusplus
}
#endif
#endif
