/* mem.h - allocation through the host's allocator, and arenas on top of it. */
#ifndef TOMB_MEM_H
#define TOMB_MEM_H

#include "tombstone.h"

/* The allocator of tomb_options, or malloc's where that is zero. */
tomb_allocator tomb_allocator_or_malloc(tomb_allocator a);

/* NULL when memory is out; then `ptr` is as it was. */
void *tomb_realloc(const tomb_allocator *a, void *ptr, size_t osize,
                   size_t nsize);
void tomb_release(const tomb_allocator *a, void *ptr, size_t size);

/*
** An arena hands out memory that never moves and goes all at once. A zeroed
** one with its allocator set is empty and ready.
*/
typedef struct tomb_block tomb_block;
typedef struct tomb_arena {
  const tomb_allocator *a;
  tomb_block *last;
  size_t used; /* bytes of the last block */
} tomb_arena;

/* Aligned for any value; NULL when memory is out. */
void *tomb_arena_take(tomb_arena *arena, size_t size);
/* A copy with a terminator; NULL when memory is out. */
char *tomb_arena_text(tomb_arena *arena, const char *data, size_t size);
/* Copies the bytes that `value` borrows; false when memory is out. */
bool tomb_arena_keep(tomb_arena *arena, tomb_value *value);
/* Forgets all contents, keeping one block for the next ones. */
void tomb_arena_reset(tomb_arena *arena);
void tomb_arena_free(tomb_arena *arena);

/*
** Makes room in a growing array of `item` bytes each for one more element;
** false when memory is out.
*/
bool tomb_grow(const tomb_allocator *a, void **items, size_t *capacity,
               size_t count, size_t item);

#endif
