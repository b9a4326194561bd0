/*
** fork.c - a host that forks while its Lua state has a database open.
**
**   fork MODULE SCRIPT FILE
**
** The script gets `tombstone`, `path` and `fork(body)`: body runs in a child, on
** a copy of the state; what it raises ends the child with 1. fork answers the
** child's exit code. The child closes its state, as a host would.
*/
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void preload(lua_State *L, const char *path) {
  union {
    void *object;
    lua_CFunction function;
  } found;
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  found.object = dlsym(module, "luaopen_tombstone");
  lua_pushcfunction(L, found.function);
  lua_call(L, 0, 1);
  lua_setglobal(L, "tombstone");
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  preload(L, argv[1]);
  lua_pushstring(L, argv[3]);
  lua_setglobal(L, "path");
  lua_register(L, "fork", fork_child);
  lua_register(L, "close_in_child", close_in_child);
  int failed = luaL_loadfile(L, argv[2]) != 0 || lua_pcall(L, 0, 0, 0) != 0;
  if (failed) printf("failed: %s\n", lua_tostring(L, -1));
  lua_close(L);
  if (!failed) printf("passed\n");
  return failed;
}
