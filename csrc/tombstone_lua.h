/*
** tombstone_lua.h - the Lua module inside a C program, which has a Lua of its
** own and links the binding that was built for that Lua. The Lua sources are
** compiled in: nothing is looked for on package.path. No lua.h is needed here,
** so include yours as you do elsewhere (C++ programs: lua.hpp).
*/
#ifndef TOMBSTONE_LUA_H
#define TOMBSTONE_LUA_H

#include "tombstone.h"

struct lua_State;

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
TOMB_API int luaopen_tombstone(struct lua_State *L);

/* The part in C alone, `require "tombstone.core"`: for programs that bring the
** Lua sources as files. */
TOMB_API int luaopen_tombstone_core(struct lua_State *L);

#ifdef __cplusplus
}
#endif
#endif
