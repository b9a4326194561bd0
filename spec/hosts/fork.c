/*
** fork.c - a host that forks while its Lua state has a database open.
**
**   fork MODULE SCRIPT FILE
**
** The script is called with tombstone, FILE, fork(body) and close_in_child(). A
** body runs in a child, on a copy of the state, and what it raises ends the
** child with 1. Both answer the child's exit code.
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"

static int fork_child(lua_State *L) {
  int status = 0;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    lua_settop(L, 1);
    int failed = lua_pcall(L, 0, 0, 0);
    if (failed) fprintf(stderr, "in the child: %s\n", lua_tostring(L, -1));
    lua_gc(L, LUA_GCCOLLECT, 0);
    fflush(NULL);
    _exit(failed != 0);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return luaL_error(L, "no child");
  }
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 100);
  return 1;
}

/* The state ends in the child: finalizers run on what the parent has open. */
static int close_in_child(lua_State *L) {
  int status = 0;
  lua_State *whole = L;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    lua_close(whole);
    _exit(0);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return luaL_error(L, "no child");
  }
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 100);
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  int failed = luaL_loadfile(L, argv[2]);
  if (!failed) {
    lua_pushcfunction(L, find_module(argv[1]));
    lua_call(L, 0, 1);
    lua_pushstring(L, argv[3]);
    lua_pushcfunction(L, fork_child);
    lua_pushcfunction(L, close_in_child);
    failed = lua_pcall(L, 4, 0, 0);
  }
  if (failed) printf("failed: %s\n", lua_tostring(L, -1));
  lua_close(L);
  if (!failed) printf("passed\n");
  return failed;
}
