/*
** lua_sources.h - the Lua sources that are compiled into the module.
*/
#ifndef TOMB_LUA_SOURCES_H
#define TOMB_LUA_SOURCES_H

#include <stddef.h>

typedef struct tomb_lua_source {
  const char *name; /* of the Lua module: "tombstone.field" */
  const char *code; /* also ends in a zero, which `size` does not count */
  size_t size;
} tomb_lua_source;

/* "tombstone" first; the last one is all NULL and 0. */
extern const tomb_lua_source tomb_lua_sources[];

#endif
