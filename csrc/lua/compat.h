/* compat.h - one C source for Lua 5.1, 5.2, 5.3, 5.4 and LuaJIT. */
#ifndef TOMB_COMPAT_H
#define TOMB_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

/* Integers are 64 bits on 5.3 and later; before, numbers are doubles. */
#if LUA_VERSION_NUM >= 503
#define TOMB_LUA_INTEGERS 1
#else
#define TOMB_LUA_INTEGERS 0
#endif

/* A userdata that can hold references to `refs` other values. */
void *tomb_newud(lua_State *L, size_t size, int refs);
/* Pops a value and stores it as reference n (from 1) of the userdata. */
void tomb_setref(lua_State *L, int index, int n);
/* Pushes reference n. */
void tomb_getref(lua_State *L, int index, int n);

int tomb_absindex(lua_State *L, int index);
/* What the value is, for people; no argument is nil to them. */
const char *tomb_typename(lua_State *L, int index);
void tomb_setfuncs(lua_State *L, const luaL_Reg *functions);
/* Pushes the registry's table of that name, making it at the first call. */
void tomb_class(lua_State *L, const char *name);
void tomb_setclass(lua_State *L, const char *name);
/* Keeps programs from the class on top, whose functions trust their arguments. */
void tomb_seal(lua_State *L);
/* The userdata at `index` if it is of that class, else NULL. */
void *tomb_testclass(lua_State *L, int index, const char *name);
void tomb_rawgetp(lua_State *L, int index, const void *key);
void tomb_rawsetp(lua_State *L, int index, const void *key);

#endif
