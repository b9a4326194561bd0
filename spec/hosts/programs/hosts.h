/*
** hosts.h - what the hosts of this folder share: a Lua state with the module
** in it, and a script that does the work.
*/
#ifndef SPEC_HOSTS_H
#define SPEC_HOSTS_H

#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "./lua/tombstone/core.so" /* from the build folder */
#define PATH 512

static inline void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(2);
}

static inline void *open_module(void) {
  void *module = dlopen(MODULE, RTLD_NOW);
  if (module == NULL) die("module", dlerror());
  return module;
}

static inline lua_CFunction entry_of(void *module) {
  union {
    void *object;
    lua_CFunction function;
  } found;
  found.object = dlsym(module, "luaopen_tombstone");
  if (found.object == NULL) die("module", "has no luaopen_tombstone");
  return found.function;
}

/* n, by SPEC_SCALE, but at least `least`. */
static inline int scaled(int n, int least) {
  const char *scale = getenv("SPEC_SCALE");
  double by = scale == NULL || atof(scale) <= 0 ? 1 : atof(scale);
  return n * by < least ? least : (int)(n * by);
}

/* Memory files are faster, and these hosts are not about disks. */
static inline void make_folder(char *out) {
  const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";
  snprintf(out, PATH, "%s/tombstone-hosts-XXXXXX", parent);
  if (mkdtemp(out) == NULL) die("folder", out);
}

static inline void remove_database(const char *file) {
  static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
  char path[PATH + 32];
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    snprintf(path, sizeof path, "%s%s", file, ends[i]);
    unlink(path);
  }
}

/* ---- states ------------------------------------------------------- */

/* The standard libraries, the specs' modules, and tombstone for require. */
static inline void equip(lua_State *L, lua_CFunction open) {
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushliteral(L, SPEC_FOLDER "/?.lua");
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "preload");
  if (open != NULL) {
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, "tombstone");
  }
  lua_settop(L, 0);
}

static inline int push_trace(lua_State *L) {
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  return 1;
}

/* Loads a script of this folder and leaves its table at 2, a handler of errors
** at 1. */
static inline void load_script(lua_State *L, const char *name) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/hosts/programs/%s.lua", SPEC_FOLDER, name);
  lua_pushcfunction(L, push_trace);
  if (luaL_loadfile(L, path) != 0 || lua_pcall(L, 0, 1, 1) != 0) {
    die(name, lua_tostring(L, -1));
  }
}

/* Pushes a function of the script; after its arguments comes call_script. */
static inline void push_function(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
}

static inline void call_script(lua_State *L, int arguments, int results) {
  if (lua_pcall(L, arguments, results, 1) != 0) {
    die("script", lua_tostring(L, -1));
  }
}

#endif
