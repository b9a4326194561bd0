/*
** tombstone_lua.h - the Lua module inside a C or C++ program, which has a Lua of
** its own and links the binding that was built for that Lua. The Lua sources are
** compiled in: nothing is looked for on package.path. A program may as well
** leave the module to `require`; it then links none of this and can borrow all
** the same.
*/
#ifndef TOMBSTONE_LUA_H
#define TOMBSTONE_LUA_H

#ifdef __cplusplus
#include <lua.hpp> /* lua.h alone would declare functions of C++ */
#else
#include <lauxlib.h>
#include <lua.h>
#endif

#include "tombstone.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
** Opens the module: pushes the table that `require "tombstone"` answers. It is
** a lua_CFunction, called through Lua; it raises what Lua raises. Errors: the
** binding was built for another Lua.
**
** From Lua 5.2 on, scripts find it loaded already:
**
**   luaL_requiref(L, "tombstone", luaopen_tombstone, 0);
**   lua_pop(L, 1);
**
** In every Lua, scripts that never ask for it pay nothing:
**
**   lua_getglobal(L, "package");
**   lua_getfield(L, -1, "preload");
**   lua_pushcfunction(L, luaopen_tombstone);
**   lua_setfield(L, -2, "tombstone");
**   lua_pop(L, 2);
*/
TOMB_API int luaopen_tombstone(lua_State *L);

/* The part in C alone, `require "tombstone.core"`: for programs that bring the
** Lua sources as files. */
TOMB_API int luaopen_tombstone_core(lua_State *L);

/*
** The engine's handle of the database at `index` (tombstone.open's, or a
** borrowed one); NULL where there is none, or where it is closed. It is the
** state's: the next db:close(), or the end of the state, frees it. For programs
** that link the binding: a module that is loaded exports luaopen_* alone. For
** tomb_interrupt, from a thread that watches:
**
**   lua_getglobal(L, "db");
**   watched = tomb_database(L, -1);
**   lua_pop(L, 1);
*/
TOMB_API tomb_db *tomb_database(lua_State *L, int index);

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
