/*
** sandbox.c - a host that hands tombstone to a script without io, os, debug,
** package, require and load, from memory that it counts and limits.
**
**   sandbox MODULE SCRIPT FILE [BYTES]
**
** The script is called with tombstone and FILE, for its database. Prints what it
** answers, and how many bytes are left of the state behind its end.
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "module.h"

typedef struct heap {
  size_t used, most;
} heap;

static void *count(void *ud, void *ptr, size_t osize, size_t nsize) {
  heap *h = ud;
  size_t before = ptr == NULL ? 0 : osize;
  if (nsize > before && h->most > 0 && h->used - before + nsize > h->most) {
    return NULL;
  }
  void *block = nsize == 0 ? NULL : realloc(ptr, nsize);
  if (nsize == 0) free(ptr);
  if (nsize == 0 || block != NULL) h->used = h->used - before + nsize;
  return block;
}

static void open_library(lua_State *L, const char *name, lua_CFunction open) {
  lua_pushcfunction(L, open);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
  if (name[0] == '\0') {
    lua_pop(L, 1);
  } else {
    lua_setglobal(L, name);
  }
}

static void take(lua_State *L, const char *name) {
  lua_pushnil(L);
  lua_setglobal(L, name);
}

static void open_sandbox(lua_State *L) {
  static const char *const gone[] = {"load",    "loadstring", "loadfile",
                                     "dofile",  "require",    "module",
                                     "package", "newproxy"};
  open_library(L, "", luaopen_base);
  open_library(L, "string", luaopen_string);
  open_library(L, "table", luaopen_table);
  open_library(L, "math", luaopen_math);
#if LUA_VERSION_NUM >= 502
  open_library(L, "coroutine", luaopen_coroutine);
#endif
  for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) take(L, gone[i]);
}

/* argv is below it. */
static int run(lua_State *L) {
  char **argv = lua_touserdata(L, 1);
  open_sandbox(L);
  if (luaL_loadfile(L, argv[2]) != 0) return lua_error(L);
  lua_pushcfunction(L, find_module(argv[1]));
  lua_call(L, 0, 1);
  lua_pushstring(L, argv[3]);
  lua_call(L, 2, 1);
  printf("%s\n", lua_tostring(L, -1));
  return 0;
}

int main(int argc, char **argv) {
  heap memory = {0, 0};
  if (argc < 4) return 2;
  if (argc > 4) memory.most = (size_t)atol(argv[4]);
  lua_State *L = lua_newstate(count, &memory);
  if (L == NULL) return 1;
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, argv);
  int failed = lua_pcall(L, 1, 0, 0);
  if (failed != 0) {
    const char *why = lua_tostring(L, -1);
    printf("failed: %s\n", why != NULL ? why : "an error without a text");
  }
  lua_close(L);
  printf("left: %zu bytes\n", memory.used);
  return failed;
}
