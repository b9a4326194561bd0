/* compat.c - one C source for Lua 5.1, 5.2, 5.3, 5.4 and LuaJIT. */
#include "compat.h"

int tomb_absindex(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index
                                                 : lua_gettop(L) + index + 1;
}

const char *tomb_typename(lua_State *L, int index) {
  return lua_isnoneornil(L, index) ? "nil" : luaL_typename(L, index);
}

#if LUA_VERSION_NUM >= 504

void *tomb_newud(lua_State *L, size_t size, int refs) {
  return lua_newuserdatauv(L, size, refs);
}

void tomb_setref(lua_State *L, int index, int n) {
  lua_setiuservalue(L, index, n);
}

void tomb_getref(lua_State *L, int index, int n) {
  lua_getiuservalue(L, index, n);
}

#else /* one user value (before 5.2 an environment): a table of references */

#if LUA_VERSION_NUM >= 502
#define SET_REFS lua_setuservalue
#define GET_REFS lua_getuservalue
#else
#define SET_REFS lua_setfenv
#define GET_REFS lua_getfenv
#endif

void *tomb_newud(lua_State *L, size_t size, int refs) {
  void *memory = lua_newuserdata(L, size);
  if (refs > 0) {
    lua_createtable(L, refs, 0);
    SET_REFS(L, -2);
  }
  return memory;
}

void tomb_setref(lua_State *L, int index, int n) {
  GET_REFS(L, index);
  lua_insert(L, -2);
  lua_rawseti(L, -2, n);
  lua_pop(L, 1);
}

void tomb_getref(lua_State *L, int index, int n) {
  GET_REFS(L, index);
  lua_rawgeti(L, -1, n);
  lua_remove(L, -2);
}

#endif

void tomb_setfuncs(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name != NULL; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

void tomb_class(lua_State *L, const char *name) {
  luaL_newmetatable(L, name);
}

void tomb_setclass(lua_State *L, const char *name) {
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
}

void tomb_seal(lua_State *L) {
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

void *tomb_testclass(lua_State *L, int index, const char *name) {
  void *memory = lua_touserdata(L, index);
  if (memory == NULL || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, name);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? memory : NULL;
}

void tomb_rawgetp(lua_State *L, int index, const void *key) {
  index = tomb_absindex(L, index);
  lua_pushlightuserdata(L, (void *)key);
  lua_rawget(L, index);
}

void tomb_rawsetp(lua_State *L, int index, const void *key) {
  index = tomb_absindex(L, index);
  lua_pushlightuserdata(L, (void *)key);
  lua_insert(L, -2);
  lua_rawset(L, index);
}
