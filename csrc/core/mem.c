/* mem.c - allocation through the host's allocator, and arenas on top of it. */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 512
#define LAST_BLOCK 65536

typedef union widest {
  int64_t integer;
  double number;
  void *pointer;
} widest;

struct tomb_block {
  tomb_block *before;
  size_t size; /* of the bytes that follow */
};

static void *with_malloc(void *ud, void *ptr, size_t osize, size_t nsize) {
  (void)ud;
  (void)osize;
  if (nsize == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, nsize);
}

tomb_allocator tomb_allocator_or_malloc(tomb_allocator a) {
  if (a.realloc == NULL) a.realloc = with_malloc;
  return a;
}

void *tomb_realloc(const tomb_allocator *a, void *ptr, size_t osize,
                   size_t nsize) {
  /* lua_Alloc reads osize as a type tag when there is no block yet */
  return a->realloc(a->ud, ptr, ptr == NULL ? 0 : osize, nsize);
}

void tomb_release(const tomb_allocator *a, void *ptr, size_t size) {
  if (ptr != NULL) a->realloc(a->ud, ptr, size, 0);
}

static char *block_bytes(tomb_block *block) {
  return (char *)(block + 1);
}

static bool add_block(tomb_arena *arena, size_t size) {
  size_t room = arena->last == NULL ? FIRST_BLOCK : arena->last->size * 2;
  if (room > LAST_BLOCK) room = LAST_BLOCK;
  if (room < size) room = size;
  tomb_block *block = tomb_realloc(arena->a, NULL, 0, sizeof *block + room);
  if (block == NULL) return false;
  block->before = arena->last;
  block->size = room;
  arena->last = block;
  arena->used = 0;
  return true;
}

void *tomb_arena_take(tomb_arena *arena, size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  size_t unit = sizeof(widest);
  size = (size + unit - 1) / unit * unit;
  if (arena->last == NULL || arena->last->size - arena->used < size) {
    if (!add_block(arena, size)) return NULL;
  }
  char *taken = block_bytes(arena->last) + arena->used;
  arena->used += size;
  return taken;
}

char *tomb_arena_text(tomb_arena *arena, const char *data, size_t size) {
  char *copy = tomb_arena_take(arena, size + 1);
  if (copy == NULL) return NULL;
  if (size > 0) memcpy(copy, data, size);
  copy[size] = '\0';
  return copy;
}

bool tomb_arena_keep(tomb_arena *arena, tomb_value *value) {
  if (value->type != TOMB_TEXT && value->type != TOMB_BLOB) return true;
  char *copy = tomb_arena_text(arena, value->as.text.data, value->as.text.size);
  value->as.text.data = copy;
  return copy != NULL;
}

static void release_block(tomb_arena *arena, tomb_block *block) {
  tomb_release(arena->a, block, sizeof *block + block->size);
}

void tomb_arena_free(tomb_arena *arena) {
  while (arena->last != NULL) {
    tomb_block *before = arena->last->before;
    release_block(arena, arena->last);
    arena->last = before;
  }
  arena->used = 0;
}

/* The last block is the largest; one made for a huge text goes too. */
void tomb_arena_reset(tomb_arena *arena) {
  tomb_block *kept = arena->last;
  if (kept != NULL && kept->size <= LAST_BLOCK) {
    arena->last = kept->before;
    kept->before = NULL;
  } else {
    kept = NULL;
  }
  tomb_arena_free(arena);
  arena->last = kept;
}

bool tomb_grow(const tomb_allocator *a, void **items, size_t *capacity,
               size_t count, size_t item) {
  if (count < *capacity) return true;
  size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
  if (wanted > SIZE_MAX / item) return false;
  void *moved = tomb_realloc(a, *items, *capacity * item, wanted * item);
  if (moved == NULL) return false;
  *items = moved;
  *capacity = wanted;
  return true;
}
