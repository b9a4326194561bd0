/*
** memory.h - allocators that fail on request: Lua's, and SQLite's.
*/
#ifndef SPEC_MEMORY_H
#define SPEC_MEMORY_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *why) {
  fprintf(stderr, "sweep: %s: %s\n", what, why);
  exit(2);
}

typedef struct failing {
  bool armed;
  long at;        /* the allocation that fails, from 1 */
  bool all_later; /* and all after it */
  long count;
  bool hit;
} failing;

static bool refuses(failing *f) {
  if (!f->armed) return false;
  f->count++;
  bool refused = f->count == f->at || (f->all_later && f->count > f->at);
  f->hit = f->hit || refused;
  return refused;
}

typedef struct heap {
  failing fail;
  size_t bytes, blocks; /* in use */
} heap;

/* Blocks move whenever their size changes, so that a stale pointer shows.
** Shrinking never fails: Lua counts on that. */
static void *lua_memory(void *ud, void *ptr, size_t osize, size_t nsize) {
  heap *h = ud;
  if (ptr == NULL) osize = 0; /* a type tag then */
  if (nsize > osize && refuses(&h->fail)) return NULL;
  void *moved = NULL;
  if (nsize > 0) {
    moved = malloc(nsize);
    if (moved == NULL) die("malloc", "the machine is out of memory");
    if (ptr != NULL) memcpy(moved, ptr, osize < nsize ? osize : nsize);
  }
  free(ptr);
  h->bytes = h->bytes - osize + nsize;
  h->blocks = h->blocks - (ptr != NULL) + (moved != NULL);
  return moved;
}

static sqlite3_mem_methods plain; /* SQLite's own allocator */
static failing of_sqlite;

static void *sqlite_malloc(int size) {
  return refuses(&of_sqlite) ? NULL : plain.xMalloc(size);
}

static void *sqlite_realloc(void *ptr, int size) {
  if (size > plain.xSize(ptr) && refuses(&of_sqlite)) return NULL;
  return plain.xRealloc(ptr, size);
}

/* Without lookaside every small allocation comes to us too. */
static void take_over_sqlite(void) {
  sqlite3_mem_methods ours;
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain);
  ours = plain;
  ours.xMalloc = sqlite_malloc;
  ours.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK ||
      sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK ||
      sqlite3_initialize() != SQLITE_OK) {
    die("sqlite", "cannot take over its memory");
  }
}

#endif
