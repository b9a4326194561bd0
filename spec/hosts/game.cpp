// game.cpp - a C++ program with all headers: the engine by itself, and the Lua module.
#include <lua.hpp>
#include <stdio.h>

#include "tombstone.h"
#include "tombstone_lua.h"
#include "tombstone_sqlite.h"

static int fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  return 1;
}

int main() {
  tomb_db *db = nullptr;
  tomb_error err;
  if (tomb_open_sqlite(&db, ":memory:", nullptr, &err) != TOMB_OK) return fail(err.message);
  tomb_free(db);

  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_tombstone);
  lua_setfield(L, -2, "tombstone");
  lua_pop(L, 2);
  int failed = luaL_dofile(L, "game.lua") ? fail(lua_tostring(L, -1)) : 0;
  lua_close(L);
  return failed;
}
