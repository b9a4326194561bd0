/* module.h - the module that a spec's host loads by its path. */
#ifndef SPEC_MODULE_H
#define SPEC_MODULE_H

#include <dlfcn.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

static lua_CFunction find_module(const char *path) {
  union {
    void *object;
    lua_CFunction function;
  } found;
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  found.object = module == NULL ? NULL : dlsym(module, "luaopen_tombstone");
  if (found.object == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return found.function;
}

#endif
